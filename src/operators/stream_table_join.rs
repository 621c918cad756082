//! `stream [LEFT] JOIN table ON stream_key = table_key`.
//!
//! Only stream rows (left) emit; table rows (right) update the store. A stream row sees the table as it was at its
//! place in the step's sequence, so rows of both sides may come in whole batches however they interleave. INNER drops
//! stream rows without a partner or key, LEFT fills with nulls. Null stream values are dropped. Time, key and headers
//! are the stream row's. Semantics 5.3.
//!
//! State: key → `rowtime: i64 LE, row(table's value columns)`.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::two_sides::TwoSides;
use super::versioned_rows::VersionedRows;
use super::{Fate, LEFT, Operator, Output, Port, RIGHT};
use crate::state::{RowRef, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, WindowKind};

/// What happens to stream rows without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They are dropped.
    Inner,
    /// They go on with nulls.
    Left,
}

/// Joins each stream row with the table's row of its key.
pub struct StreamTableJoin {
    kind: Kind,
    table: VersionedRows,
    step: TwoSides,
}

impl StreamTableJoin {
    /// The join over the table in `store` with value columns of `types` and windows of `window` in the keys.
    pub fn open(kind: Kind, store: &Store, types: &[DataType], window: Option<WindowKind>) -> Result<Self, StateError> {
        Ok(Self { kind, table: VersionedRows::open(store, types, window)?, step: TwoSides::default() })
    }

    /// Counts the stream rows that have a value and no partner.
    fn count(&self, batch: &ChangeBatch, with_value: &BooleanBuffer, found: &BooleanBuffer, out: &mut Output) {
        let alone = with_value & &!found;
        let without_key = match &batch.null_keys {
            Some(null_keys) if self.kind == Kind::Inner => (&alone & null_keys).count_set_bits(),
            _ => 0,
        };
        out.count(Fate::NullValue, batch.len() - with_value.count_set_bits());
        out.count(Fate::NullKey, without_key);
        out.count(Fate::Unmatched, alone.count_set_bits() - without_key);
    }

    fn join(&mut self, batch: &ChangeBatch, places: &[u32], out: &mut Output) -> Result<(), StateError> {
        let slots = self.table.slots(batch)?;
        let partners = slots.into_iter().zip(places).enumerate().map(|(row, (slot, &place))| match slot {
            Some(slot) if !batch.is_null_key(row) => self.table.at(slot, place).row,
            _ => RowRef::ABSENT,
        });
        let mut partners: Vec<RowRef> = partners.collect();
        let mut kept = match &batch.tombstones {
            Some(tombstones) => !tombstones,
            None => BooleanBuffer::new_set(batch.len()),
        };
        let found: BooleanBuffer = partners.iter().map(|partner| partner.is_present()).collect();
        self.count(batch, &kept, &found, out);
        if self.kind == Kind::Inner {
            kept = &kept & &found;
        }
        if kept.count_set_bits() < batch.len() {
            partners = kept.set_indices().map(|row| partners[row]).collect();
        }
        let right: Vec<ArrayRef> = self.table.gather(&partners);
        let mut joined = batch.filter(&kept);
        joined.tombstones = None;
        joined.value.extend(right);
        out.emit(joined);
        Ok(())
    }
}

impl Operator for StreamTableJoin {
    fn process(&mut self, input: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        self.step.add(input, if input == RIGHT { out.with_keys(batch) } else { batch });
        Ok(())
    }

    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(step) = self.step.take() else { return Ok(()) };
        let [stream, table] = &step.sides;
        if !table.is_empty() {
            self.table.apply(table, table.value.clone(), &step.places[RIGHT])?;
        }
        if !stream.is_empty() {
            self.join(stream, &step.places[LEFT], out)?;
        }
        self.table.end_step();
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.table.persist(writes);
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.table.changed_entries()
    }

    fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }

    fn shrink(&mut self, bytes: usize) {
        self.table.shrink(bytes);
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.table.size()]
    }
}
