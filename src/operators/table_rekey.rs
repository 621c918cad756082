//! `GROUP BY` over a table: what a change takes from its old group and gives to its new one.
//!
//! A change whose group stays is one row with both sides. A change of group is two rows: first the old row is taken from
//! its group (a tombstone with an old row), then the new one is given to its own. A side without a row, or with a null
//! in the group, takes part in neither. Semantics 4.2.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::SchemaRef;

use super::{Fate, Operator, Output, Port};
use crate::expr::CompiledExpr;
use crate::state::StateError;
use crate::state::key_encoding::EncodedKeys;
use crate::types::{ChangeBatch, OldRows, RowError};

/// Computes the groups of both sides of each change.
pub struct TableRekey {
    key: Vec<CompiledExpr>,
    columns: Vec<CompiledExpr>,
    rows: SchemaRef,
}

/// One side of a batch of changes.
struct Side {
    key: Vec<ArrayRef>,
    value: Vec<ArrayRef>,
    /// Rows that are there and have a group.
    grouped: BooleanBuffer,
}

impl TableRekey {
    /// Group columns from `key` and value columns from `columns`, over the layout `rows`.
    pub fn new(key: Vec<CompiledExpr>, columns: Vec<CompiledExpr>, rows: SchemaRef) -> Self {
        Self { key, columns, rows }
    }

    fn side(&self, rows: &arrow::array::RecordBatch, present: BooleanBuffer, errors: &mut Vec<RowError>) -> Side {
        let mut evaluate = |columns: &[CompiledExpr]| -> Vec<ArrayRef> {
            columns.iter().map(|column| column.evaluate(rows, errors)).collect()
        };
        let (key, value) = (evaluate(&self.key), evaluate(&self.columns));
        let mut grouped = present;
        for column in &key {
            if let Some(nulls) = column.logical_nulls() {
                grouped = &grouped & nulls.inner();
            }
        }
        Side { key, value, grouped }
    }
}

const NEW: usize = 0;
const OLD: usize = 1;

impl Operator for TableRekey {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let Some(old) = &batch.old else { return Ok(()) };
        let mut errors = Vec::new();
        let present = match &batch.tombstones {
            Some(tombstones) => !tombstones,
            None => BooleanBuffer::new_set(batch.len()),
        };
        let with_value = present.count_set_bits();
        let new_side = self.side(&batch.rows(&self.rows), present, &mut errors);
        out.count(Fate::NullKey, with_value - new_side.grouped.count_set_bits());
        let old_side = self.side(&batch.old_rows(&self.rows, old), old.present.clone(), &mut Vec::new());
        out.report(&batch, errors);

        let (mut new_keys, mut old_keys) = (EncodedKeys::default(), EncodedKeys::default());
        new_keys.encode(&new_side.key, None, batch.len());
        old_keys.encode(&old_side.key, None, batch.len());
        let (mut sources, mut gives, mut takes) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..batch.len() {
            let (new, old) = (new_side.grouped.value(row), old_side.grouped.value(row));
            let one_group = new && old && new_keys.key(row) == old_keys.key(row);
            if old && !one_group {
                sources.push((OLD, row));
                gives.push(false);
                takes.push(true);
            }
            if new {
                sources.push((NEW, row));
                gives.push(true);
                takes.push(one_group);
            }
        }
        let indices: UInt32Array = sources.iter().map(|&(_, row)| row as u32).collect::<Vec<_>>().into();
        let taken = |columns: &[ArrayRef]| -> Vec<ArrayRef> {
            columns.iter().map(|column| take(column, &indices, None).expect("rows are within the batch")).collect()
        };
        let key =
            new_side.key.iter().zip(&old_side.key).map(|(new, old)| {
                interleave(&[new.as_ref(), old.as_ref()], &sources).expect("both sides have one type")
            });
        let tombstones: BooleanBuffer = gives.into_iter().map(|given| !given).collect();
        let moved = ChangeBatch { old: None, ..batch }.take(&indices);
        out.emit(ChangeBatch {
            key: key.collect(),
            value: taken(&new_side.value),
            tombstones: Some(tombstones),
            null_keys: None,
            window: None,
            old: Some(OldRows { value: taken(&old_side.value), present: takes.into_iter().collect() }),
            ..moved
        });
        Ok(())
    }
}
