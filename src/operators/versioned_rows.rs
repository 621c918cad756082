//! A table's rows, also as they were at every place of the step at hand.
//!
//! All changes of a step are applied at once; what each replaced is remembered until the step has ended, so that rows of
//! another input can look the table up as it was when they came.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::keyed_rows::{KeyedRows, Version};
use crate::state::{RowRef, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, WindowKind};

/// The newest row of every key, and those that were replaced in this step.
pub(super) struct VersionedRows {
    rows: KeyedRows,
    replaced: Vec<Replaced>,
}

/// A row that was replaced in this step.
#[derive(Debug, Clone, Copy)]
struct Replaced {
    slot: u32,
    /// Place of the change in the step.
    place: u32,
    before: Version,
}

impl VersionedRows {
    /// Rows of `store` with columns of `types`, by keys with windows of `window`.
    pub(super) fn open(store: &Store, types: &[DataType], window: Option<WindowKind>) -> Result<Self, StateError> {
        Ok(Self { rows: KeyedRows::open(store, types, window)?, replaced: Vec::new() })
    }

    /// Applies the changes of `batch`, the row `i` at `places[i]`, with `columns` as the rows to keep; returns what each
    /// replaced. Once a step.
    pub(super) fn apply(
        &mut self,
        batch: &ChangeBatch,
        columns: Vec<ArrayRef>,
        places: &[u32],
    ) -> Result<Vec<Version>, StateError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.rows.upsert(batch, columns)?;
        let slots = self.rows.upserted_slots();
        self.replaced.extend(slots.iter().zip(places).zip(&before).map(|((&slot, &place), &before)| Replaced {
            slot,
            place,
            before,
        }));
        self.replaced.sort_unstable_by_key(|change| (change.slot, change.place));
        Ok(before)
    }

    /// The slots of the rows given to the last [`VersionedRows::apply`].
    pub(super) fn applied_slots(&self) -> &[u32] {
        self.rows.upserted_slots()
    }

    /// The slot of the key of each row given to the last [`VersionedRows::apply`] of `other`, where it has one here: its keys are
    /// encoded and hashed already.
    pub(super) fn slots_of_applied(&mut self, other: &Self) -> Result<Vec<Option<u32>>, StateError> {
        self.rows.slots_of(other.rows.upserted_keys())
    }

    /// The slot of the key of each row of `batch`, where it has one.
    pub(super) fn slots(&mut self, batch: &ChangeBatch) -> Result<Vec<Option<u32>>, StateError> {
        self.rows.slots(batch)
    }

    /// The row of `slot` after the last change that does not come later than `place`.
    pub(super) fn at(&self, slot: u32, place: u32) -> Version {
        let next = self.replaced.partition_point(|change| (change.slot, change.place) <= (slot, place));
        match self.replaced.get(next) {
            Some(change) if change.slot == slot => change.before,
            _ => self.rows.version(slot),
        }
    }

    /// The row of `slot` now.
    pub(super) fn newest(&self, slot: u32) -> Version {
        self.rows.version(slot)
    }

    /// Keeps another time with the newest row of `slot`.
    pub(super) fn set_rowtime(&mut self, slot: u32, rowtime: i64) {
        self.rows.set_rowtime(slot, rowtime);
    }

    /// Removes the newest row of `slot`. [`VersionedRows::at`] still gives it where it stood.
    pub(super) fn remove(&mut self, slot: u32) {
        self.rows.remove(slot);
    }

    /// The columns of the rows referred to.
    pub(super) fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        self.rows.gather(rows)
    }

    /// Forgets what was replaced; invalidates references.
    pub(super) fn end_step(&mut self) {
        if !self.replaced.is_empty() {
            self.replaced.clear();
            self.rows.compact();
        }
    }

    pub(super) fn persist(&mut self, writes: &mut WriteSet) {
        self.rows.persist(writes);
    }

    pub(super) fn size(&self) -> StoreSize {
        self.rows.size()
    }

    pub(super) fn changed_entries(&self) -> usize {
        self.rows.changed_entries()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }

    pub(super) fn shrink(&mut self, bytes: usize) {
        self.rows.shrink(bytes);
    }
}
