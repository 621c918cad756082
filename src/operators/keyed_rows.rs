//! Rows by key in memory, with their times, and their entries in storage.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::state::key_encoding::EncodedKeys;
use crate::state::row_format::{Reader, decode_rows, encode_row};
use crate::state::{EntryWeight, RowRef, RowTable, SlotTable, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::ChangeBatch;

/// The newest row of every key. State: key, with its window start or session bounds → `rowtime: i64 LE, row(columns)`.
pub(super) struct KeyedRows {
    store: Store,
    slots: SlotTable,
    rows: RowTable,
    rowtimes: Vec<i64>,
    /// Slots changed since the last commit, and whether each is among them.
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    weight: EntryWeight,
    /// The windows of keys are sessions.
    pub(super) has_sessions: bool,
    keys: EncodedKeys,
    batch_slots: Vec<u32>,
}

impl KeyedRows {
    /// Rows of `store` with columns of `types`; what storage holds is read at once.
    pub(super) fn open(store: &Store, types: &[DataType]) -> Result<Self, StateError> {
        let mut rows = Self {
            store: store.clone(),
            slots: SlotTable::default(),
            rows: RowTable::new(types),
            rowtimes: Vec::new(),
            dirty: Vec::new(),
            is_dirty: Vec::new(),
            weight: EntryWeight::default(),
            has_sessions: false,
            keys: EncodedKeys::default(),
            batch_slots: Vec::new(),
        };
        store.scan(|entries| {
            let mut slots = Vec::with_capacity(entries.len());
            let mut values = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                rows.weight.note(key, value);
                let (slot, _) = rows.slots.insert(key);
                let (rowtime, row) = split_rowtime(value)?;
                rows.grow();
                rows.rowtimes[slot as usize] = rowtime;
                slots.push(slot);
                values.push(row);
            }
            let columns = decode_rows(types, values)?;
            let segment = rows.rows.add_segment(columns, slots.clone());
            for (row, slot) in slots.into_iter().enumerate() {
                rows.rows.set(slot, RowRef::new(segment, row));
            }
            rows.rows.compact();
            Ok(())
        })?;
        Ok(rows)
    }

    /// Applies the changes of `batch` in order, with `columns` as the rows to keep; returns what each replaced.
    /// References stay valid until [`KeyedRows::compact`].
    pub(super) fn upsert(&mut self, batch: &ChangeBatch, columns: Vec<ArrayRef>) -> Vec<RowRef> {
        match &batch.window {
            Some(window) if self.has_sessions => {
                self.keys.encode_sessions(&batch.key, &window.start, &window.end, batch.len());
            }
            window => self.keys.encode(&batch.key, window.as_ref().map(|window| &window.start[..]), batch.len()),
        }
        let mut slots = std::mem::take(&mut self.batch_slots);
        self.slots.assign(&self.keys, &mut slots, |_, _| {});
        self.grow();
        let segment = self.rows.add_segment(columns, slots.clone());
        let before = slots
            .iter()
            .enumerate()
            .map(|(row, &slot)| {
                let before = self.rows.get(slot);
                let deleted = batch.is_tombstone(row);
                self.rows.set(slot, if deleted { RowRef::ABSENT } else { RowRef::new(segment, row) });
                self.rowtimes[slot as usize] = batch.rowtime[row];
                self.mark_dirty(slot);
                before
            })
            .collect();
        self.batch_slots = slots;
        before
    }

    /// The slots of the rows given to the last [`KeyedRows::upsert`].
    pub(super) fn upserted_slots(&self) -> &[u32] {
        &self.batch_slots
    }

    /// The slot of each key, where it has one.
    pub(super) fn slots(&mut self, keys: &[ArrayRef], rows: usize) -> Vec<Option<u32>> {
        self.keys.encode(keys, None, rows);
        (0..rows).map(|row| self.slots.get(self.keys.key(row))).collect()
    }

    /// The row of `slot` now.
    pub(super) fn current(&self, slot: u32) -> RowRef {
        self.rows.get(slot)
    }

    /// The time of the last change of `slot`.
    pub(super) fn rowtime(&self, slot: u32) -> i64 {
        self.rowtimes[slot as usize]
    }

    /// The columns of the rows referred to.
    pub(super) fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        self.rows.gather(rows)
    }

    /// Merges memory where that pays; invalidates references.
    pub(super) fn compact(&mut self) {
        self.rows.compact();
    }

    /// How large the store is.
    pub(super) fn size(&self) -> StoreSize {
        self.store.size(self.rows.len(), self.weight)
    }

    /// Adds the entries of changed keys to `writes`.
    pub(super) fn persist(&mut self, writes: &mut WriteSet) {
        let dirty = std::mem::take(&mut self.dirty);
        let present: Vec<u32> = dirty.iter().copied().filter(|&slot| self.rows.get(slot).is_present()).collect();
        let references: Vec<RowRef> = present.iter().map(|&slot| self.rows.get(slot)).collect();
        let columns = self.rows.gather(&references);
        for (row, &slot) in present.iter().enumerate() {
            let mut value = self.rowtimes[slot as usize].to_le_bytes().to_vec();
            encode_row(&columns, row, &mut value);
            self.weight.note(self.slots.key(slot), &value);
            self.store.put(writes, self.slots.key(slot), value);
        }
        for slot in dirty {
            self.is_dirty[slot as usize] = false;
            if !self.rows.get(slot).is_present() {
                self.store.delete(writes, self.slots.key(slot));
                self.slots.remove(slot);
            }
        }
    }

    fn grow(&mut self) {
        let capacity = self.slots.capacity();
        self.rowtimes.resize(capacity, 0);
        self.is_dirty.resize(capacity, false);
    }

    fn mark_dirty(&mut self, slot: u32) {
        if !self.is_dirty[slot as usize] {
            self.is_dirty[slot as usize] = true;
            self.dirty.push(slot);
        }
    }
}

/// The time in front of a stored row, and the row.
pub(crate) fn split_rowtime(value: &[u8]) -> Result<(i64, &[u8]), StateError> {
    let mut reader = Reader { bytes: value };
    let rowtime = i64::from_le_bytes(reader.array()?);
    Ok((rowtime, reader.bytes))
}
