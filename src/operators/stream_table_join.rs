//! `stream [LEFT] JOIN table ON stream_key = table_key`.
//!
//! Only stream rows (port 0) emit; table rows (port 1) update the store. A stream row sees the table as it was at its
//! place in the step's sequence, so rows of both sides may come in whole batches however they interleave. INNER drops
//! stream rows without a partner or key, LEFT fills with nulls. Null stream values are dropped. Time, key and headers
//! are the stream row's. Semantics 5.3.
//!
//! State: key → `rowtime: i64 LE, row(table's value columns)`.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::keyed_rows::KeyedRows;
use super::{Operator, Output, Port};
use crate::state::{RowRef, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::ChangeBatch;

/// Port of the stream.
pub const STREAM: Port = 0;
/// Port of the table.
pub const TABLE: Port = 1;

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
    table: KeyedRows,
    replaced: Vec<Replaced>,
}

/// A table row that was replaced in this step.
#[derive(Debug, Clone, Copy)]
struct Replaced {
    slot: u32,
    /// Sequence number of the change.
    seq: u32,
    /// What it replaced.
    before: RowRef,
}

impl StreamTableJoin {
    /// The join over the table in `store` with value columns of `types`; what storage holds is read at once.
    pub fn open(kind: Kind, store: &Store, types: &[DataType]) -> Result<Self, StateError> {
        Ok(Self { kind, table: KeyedRows::open(store, types)?, replaced: Vec::new() })
    }

    fn update_table(&mut self, batch: ChangeBatch) {
        let batch = match &batch.null_keys {
            Some(null_keys) => batch.filter(&!null_keys),
            None => batch,
        };
        if batch.is_empty() {
            return;
        }
        let before = self.table.upsert(&batch, batch.value.clone());
        let slots = self.table.upserted_slots();
        let changes = slots.iter().zip(&batch.seq).zip(before);
        self.replaced.extend(changes.map(|((&slot, &seq), before)| Replaced { slot, seq, before }));
        self.replaced.sort_by_key(|change| (change.slot, change.seq));
    }

    /// The row of `slot` as of `seq`: what the first later change replaced, or else the current one.
    fn row_at(&self, slot: u32, seq: u32) -> RowRef {
        let next = self.replaced.partition_point(|change| (change.slot, change.seq) < (slot, seq));
        match self.replaced.get(next) {
            Some(change) if change.slot == slot => change.before,
            _ => self.table.current(slot),
        }
    }

    fn join(&mut self, batch: ChangeBatch, out: &mut Output) {
        let batch = match &batch.tombstones {
            Some(tombstones) => batch.filter(&!tombstones),
            None => batch,
        };
        if batch.is_empty() {
            return;
        }
        let slots = self.table.slots(&batch.key, batch.len());
        let partners: Vec<RowRef> = slots
            .into_iter()
            .enumerate()
            .map(|(row, slot)| match slot {
                Some(slot) if !batch.is_null_key(row) => self.row_at(slot, batch.seq[row]),
                _ => RowRef::ABSENT,
            })
            .collect();
        match self.kind {
            Kind::Left => out.emit(self.joined(batch, &partners)),
            Kind::Inner => {
                let found: BooleanBuffer = partners.iter().map(|partner| partner.is_present()).collect();
                let partners: Vec<RowRef> = partners.into_iter().filter(|partner| partner.is_present()).collect();
                out.emit(self.joined(batch.filter(&found), &partners));
            }
        }
    }

    fn joined(&self, mut batch: ChangeBatch, partners: &[RowRef]) -> ChangeBatch {
        let right: Vec<ArrayRef> = self.table.gather(partners);
        batch.value.extend(right);
        batch
    }
}

impl Operator for StreamTableJoin {
    fn process(&mut self, input: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        if input == TABLE {
            self.update_table(batch);
        } else {
            self.join(batch, out);
        }
        Ok(())
    }

    fn end_step(&mut self) {
        if !self.replaced.is_empty() {
            self.replaced.clear();
            self.table.compact();
        }
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.table.persist(writes);
        Ok(())
    }

    fn store_size(&self) -> Option<StoreSize> {
        Some(self.table.size())
    }
}
