//! A table's rows by key: knows what a change replaces.
//!
//! Rows with a null key are dropped. The newest arrival wins, whatever its time. With [`Emission::EveryRow`] every change
//! goes on, deletions of absent keys and rows equal to the old one too. With [`Emission::AtCommit`] the last change of
//! every key goes on at commit, with its headers, in the order of these changes; a key that came and went in between is not
//! seen at all.
//! Semantics 3.2, 4.3 and 6.2.
//!
//! State: key ‖ window start, or ‖ session end ‖ start → `rowtime: i64 LE, row(key columns, value columns)`.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::aggregate::Emission;
use super::changes::{Changes, LastHeaders};
use super::keyed_rows::KeyedRows;
use super::{NO_RECORD, Operator, Output, Port};
use crate::state::{RowRef, RowTable, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, OldRows, WindowColumns, WindowKind};

/// Keeps the table and attaches old rows to its changes.
pub struct TableStore {
    rows: KeyedRows,
    key_columns: usize,
    attach_old: bool,
    /// Changes held back until the commit; `None` when every change goes on.
    held: Option<Held>,
}

/// Changes since the last commit.
struct Held {
    changes: Changes,
    headers: LastHeaders,
    /// The last change of each key; of a deletion only the key columns count.
    last: RowTable,
    /// Window start and end of each key, where keys have windows.
    windows: Vec<(i64, i64)>,
    /// Rows as of the last commit of the keys that have changed since.
    before: RowTable,
}

impl TableStore {
    /// The table in `store`, with key columns of `key_types`, windows of `window` and value columns of `value_types`; what
    /// storage holds is read as far as memory allows. `attach_old`: an operator downstream needs old rows.
    pub fn open(
        store: &Store,
        key_types: &[DataType],
        value_types: &[DataType],
        window: Option<WindowKind>,
        emission: Emission,
        attach_old: bool,
    ) -> Result<Self, StateError> {
        let types: Vec<DataType> = key_types.iter().chain(value_types).cloned().collect();
        let held = (emission == Emission::AtCommit).then(|| Held {
            changes: Changes::default(),
            headers: LastHeaders::default(),
            last: RowTable::new(&types),
            windows: Vec::new(),
            before: RowTable::new(&types),
        });
        Ok(Self { rows: KeyedRows::open(store, &types, window)?, key_columns: key_types.len(), attach_old, held })
    }

    fn old_rows(rows: Vec<ArrayRef>, references: &[RowRef], key_columns: usize) -> OldRows {
        let mut value = rows;
        value.drain(..key_columns);
        OldRows { value, present: references.iter().map(|row| row.is_present()).collect() }
    }
}

impl Held {
    /// Takes the changes of `slots`, whose rows are `columns` now and were `before`.
    fn hold(&mut self, batch: &ChangeBatch, columns: Vec<ArrayRef>, before: &[RowRef], rows: &KeyedRows) {
        let slots = rows.upserted_slots();
        let capacity = slots.iter().max().map_or(0, |&slot| slot as usize + 1);
        self.changes.grow(capacity);
        if let Some(window) = &batch.window {
            self.windows.resize(capacity.max(self.windows.len()), (0, 0));
            for (row, &slot) in slots.iter().enumerate() {
                self.windows[slot as usize] = (window.start[row], window.end[row]);
            }
        }
        let mut first: Vec<(u32, RowRef)> = Vec::new();
        for (&slot, &before) in slots.iter().zip(before) {
            if !self.changes.contains(slot) && before.is_present() {
                first.push((slot, before));
            }
            self.changes.mark_one(slot);
        }
        if !first.is_empty() {
            let (first_slots, references): (Vec<u32>, Vec<RowRef>) = first.into_iter().unzip();
            self.before.put(rows.gather(&references), first_slots);
        }
        self.last.put(columns, slots.to_vec());
        self.last.compact();
        self.headers.note(batch, slots);
    }
}

impl Operator for TableStore {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut batch = out.with_keys(batch);
        if batch.is_empty() {
            return Ok(());
        }
        let columns: Vec<ArrayRef> = batch.key.iter().chain(&batch.value).cloned().collect();
        let before = self.rows.upsert(&batch, columns.clone())?;
        let before: Vec<RowRef> = before.into_iter().map(|version| version.row).collect();
        if let Some(held) = &mut self.held {
            held.hold(&batch, columns, &before, &self.rows);
        } else {
            if self.attach_old {
                batch.old = Some(Self::old_rows(self.rows.gather(&before), &before, self.key_columns));
            }
            out.emit(batch);
        }
        self.rows.compact();
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(held) = &mut self.held else { return Ok(()) };
        let is_seen = |slot: &u32| held.before.get(*slot).is_present() || self.rows.current(*slot).is_present();
        let slots: Vec<u32> = held.changes.in_order().into_iter().filter(is_seen).collect();
        let mut key = held.last.gather(&held.last.references(&slots));
        let value = key.split_off(self.key_columns);
        let deleted: BooleanBuffer = slots.iter().map(|&slot| !self.rows.current(slot).is_present()).collect();
        let old = self.attach_old.then(|| {
            let before = held.before.references(&slots);
            Self::old_rows(held.before.gather(&before), &before, self.key_columns)
        });
        let window = (!held.windows.is_empty()).then(|| {
            let (start, end): (Vec<i64>, Vec<i64>) = slots.iter().map(|&slot| held.windows[slot as usize]).unzip();
            WindowColumns { start: start.into(), end: end.into() }
        });
        out.emit(ChangeBatch {
            key,
            value,
            rowtime: slots.iter().map(|&slot| self.rows.rowtime(slot)).collect(),
            window,
            tombstones: (deleted.count_set_bits() > 0).then_some(deleted),
            null_keys: None,
            seq: vec![NO_RECORD; slots.len()].into(),
            headers: held.headers.take(&slots),
            old,
        });
        for slot in held.changes.take() {
            held.before.set(slot, RowRef::ABSENT);
            held.last.set(slot, RowRef::ABSENT);
        }
        held.before.compact();
        held.last.compact();
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.rows.persist(writes);
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.rows.changed_entries()
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }

    fn shrink(&mut self, bytes: usize) {
        self.rows.shrink(bytes);
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.rows.size()]
    }
}
