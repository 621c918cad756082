//! Rows by key, the hot ones in memory, with their times, and their entries in storage.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::memory::keys_within;
use crate::state::key_encoding::EncodedKeys;
use crate::state::row_format::{Reader, RowEncoder, decode_rows};
use crate::state::{Found, HotKeys, RowRef, RowTable, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, WindowKind};

/// A row and its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    /// The row, or its absence.
    pub(super) row: RowRef,
    /// When it came to be.
    pub(super) rowtime: i64,
}

impl Version {
    pub(super) const ABSENT: Self = Self { row: RowRef::ABSENT, rowtime: -1 };

    pub(super) fn is_present(self) -> bool {
        self.row.is_present()
    }
}

/// The newest row of every key, or of every key and window. State: key → `rowtime: i64 LE, row(columns)`.
pub(super) struct KeyedRows {
    window: Option<WindowKind>,
    keys: HotKeys,
    cells: Cells,
    /// Slots changed since the last commit.
    dirty: Vec<u32>,
    encoded: EncodedKeys,
    batch_slots: Vec<u32>,
    new: Vec<u32>,
}

/// What is kept for the slots.
struct Cells {
    types: Vec<DataType>,
    rows: RowTable,
    rowtimes: Vec<i64>,
    is_dirty: Vec<bool>,
    /// Storage has an entry.
    is_stored: Vec<bool>,
}

impl Cells {
    fn grow(&mut self, capacity: usize) {
        if self.rowtimes.len() < capacity {
            let room = capacity.next_power_of_two();
            self.rowtimes.resize(room, 0);
            self.is_dirty.resize(room, false);
            self.is_stored.resize(room, false);
        }
    }

    /// Memory that is there for slots, free or not, about.
    fn fixed_bytes(&self) -> usize {
        self.rowtimes.capacity() * (size_of::<i64>() + 2)
    }

    /// Takes the entries of `slots` as storage has them.
    fn load(&mut self, found: &Found) -> Result<(), StateError> {
        let Found { slots, values, .. } = found;
        let Some(last) = slots.iter().max() else { return Ok(()) };
        self.grow(*last as usize + 1);
        let mut rows = Vec::with_capacity(values.len());
        for (&slot, value) in slots.iter().zip(values) {
            let (rowtime, row) = split_rowtime(value)?;
            self.rowtimes[slot as usize] = rowtime;
            self.is_stored[slot as usize] = true;
            rows.push(row);
        }
        let columns = decode_rows(&self.types, rows)?;
        self.rows.put(columns, slots.clone());
        Ok(())
    }
}

impl KeyedRows {
    /// Rows of `store` with columns of `types`, by keys with windows of `window`.
    pub(super) fn open(store: &Store, types: &[DataType], window: Option<WindowKind>) -> Result<Self, StateError> {
        let mut keys = HotKeys::new(store);
        let mut cells = Cells {
            types: types.to_vec(),
            rows: RowTable::new(types),
            rowtimes: Vec::new(),
            is_dirty: Vec::new(),
            is_stored: Vec::new(),
        };
        keys.load(|found| {
            cells.load(found)?;
            cells.rows.compact();
            Ok(())
        })?;
        let (encoded, batch_slots) = (EncodedKeys::default(), Vec::new());
        Ok(Self { window, keys, cells, dirty: Vec::new(), encoded, batch_slots, new: Vec::new() })
    }

    /// Applies the changes of `batch` in order, with `columns` as the rows to keep; returns what each replaced.
    /// References stay valid until [`KeyedRows::compact`].
    pub(super) fn upsert(&mut self, batch: &ChangeBatch, columns: Vec<ArrayRef>) -> Result<Vec<Version>, StateError> {
        self.encoded.encode_windowed(&batch.key, batch.window.as_ref().zip(self.window), batch.len());
        let mut slots = std::mem::take(&mut self.batch_slots);
        let found = self.keys.assign(&self.encoded, &mut slots, &mut self.new)?;
        self.cells.load(&found)?;
        self.cells.grow(self.keys.capacity());
        for &slot in &self.new {
            self.cells.is_stored[slot as usize] = false;
        }
        let segment = self.cells.rows.add_segment(columns, slots.clone());
        let before = slots
            .iter()
            .enumerate()
            .map(|(row, &slot)| {
                let before = self.version(slot);
                let deleted = batch.is_tombstone(row);
                self.cells.rows.set(slot, if deleted { RowRef::ABSENT } else { RowRef::new(segment, row) });
                self.cells.rowtimes[slot as usize] = batch.rowtime[row];
                self.mark_dirty(slot);
                before
            })
            .collect();
        self.batch_slots = slots;
        Ok(before)
    }

    /// The slots of the rows given to the last [`KeyedRows::upsert`].
    pub(super) fn upserted_slots(&self) -> &[u32] {
        &self.batch_slots
    }

    /// The keys given to the last [`KeyedRows::upsert`].
    pub(super) fn upserted_keys(&self) -> &EncodedKeys {
        &self.encoded
    }

    /// The slot of the key of each row of `batch`, where it has one.
    pub(super) fn slots(&mut self, batch: &ChangeBatch) -> Result<Vec<Option<u32>>, StateError> {
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.encode_windowed(&batch.key, batch.window.as_ref().zip(self.window), batch.len());
        let slots = self.slots_of(&encoded);
        self.encoded = encoded;
        slots
    }

    /// The slot of each of `keys`, where it has one.
    pub(super) fn slots_of(&mut self, keys: &EncodedKeys) -> Result<Vec<Option<u32>>, StateError> {
        let (slots, found) = self.keys.find(keys)?;
        self.cells.load(&found)?;
        Ok(slots)
    }

    /// The row of `slot` now, with its time.
    pub(super) fn version(&self, slot: u32) -> Version {
        Version { row: self.current(slot), rowtime: self.rowtime(slot) }
    }

    /// The row of `slot` now.
    pub(super) fn current(&self, slot: u32) -> RowRef {
        self.cells.rows.get(slot)
    }

    /// The time of the last change of `slot`.
    pub(super) fn rowtime(&self, slot: u32) -> i64 {
        self.cells.rowtimes[slot as usize]
    }

    /// Keeps another time with the row of `slot`.
    pub(super) fn set_rowtime(&mut self, slot: u32, rowtime: i64) {
        if std::mem::replace(&mut self.cells.rowtimes[slot as usize], rowtime) != rowtime {
            self.mark_dirty(slot);
        }
    }

    /// Removes the row of `slot`.
    pub(super) fn remove(&mut self, slot: u32) {
        self.cells.rows.set(slot, RowRef::ABSENT);
        self.mark_dirty(slot);
    }

    /// The columns of the rows referred to.
    pub(super) fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        self.cells.rows.gather(rows)
    }

    /// Merges memory where that pays; invalidates references.
    pub(super) fn compact(&mut self) {
        self.cells.rows.compact();
    }

    /// How large the store is.
    pub(super) fn size(&self) -> StoreSize {
        self.keys.size()
    }

    /// How many entries have changed since the last commit.
    pub(super) fn changed_entries(&self) -> usize {
        self.dirty.len()
    }

    /// Memory that the rows take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes() + self.cells.rows.memory_bytes() + self.cells.fixed_bytes()
    }

    /// Lets go of rows that were not used for long, until about `bytes` of memory are left. Storage has all of them.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let fixed = self.keys.fixed_bytes() + self.cells.fixed_bytes();
        let keep = keys_within(bytes.saturating_sub(fixed), self.keys.len(), self.memory_bytes() - fixed);
        for slot in self.keys.evict(keep) {
            self.cells.rows.set(slot, RowRef::ABSENT);
        }
        self.compact();
    }

    /// Adds the entries of changed keys to `writes`.
    pub(super) fn persist(&mut self, writes: &mut WriteSet) {
        let dirty = std::mem::take(&mut self.dirty);
        let present: Vec<u32> = dirty.iter().copied().filter(|&slot| self.current(slot).is_present()).collect();
        let references: Vec<RowRef> = present.iter().map(|&slot| self.current(slot)).collect();
        let columns = self.gather(&references);
        let mut encoder = RowEncoder::default();
        for (row, &slot) in present.iter().enumerate() {
            let value = encoder.encode(&self.rowtime(slot).to_le_bytes(), &columns, row);
            let is_stored = std::mem::replace(&mut self.cells.is_stored[slot as usize], true);
            self.keys.note_written(slot, &value, !is_stored);
            self.keys.store().put(writes, self.keys.key(slot), value);
        }
        for slot in dirty {
            self.cells.is_dirty[slot as usize] = false;
            if !self.current(slot).is_present() {
                if std::mem::take(&mut self.cells.is_stored[slot as usize]) {
                    self.keys.note_removed(1);
                }
                self.keys.store().delete(writes, self.keys.key(slot));
                self.keys.remove(slot);
            }
        }
        self.keys.end_commit();
    }

    fn mark_dirty(&mut self, slot: u32) {
        let is_dirty = &mut self.cells.is_dirty[slot as usize];
        if !std::mem::replace(is_dirty, true) {
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
