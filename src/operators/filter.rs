//! `WHERE` and `HAVING`.
//!
//! Streams: rows for which the predicate is true; null values are dropped. Tables: a row that passed before and does
//! not pass now becomes a tombstone, one that never passed is dropped; where the old row is unknown every failing row
//! becomes a tombstone. An error in the predicate counts as false and is reported. Semantics 3.1 and 3.2.

use arrow::array::{ArrayRef, BooleanArray, Scalar, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::SchemaRef;

use super::{Fate, Operator, Output, Port};
use crate::expr::CompiledExpr;
use crate::state::StateError;
use crate::types::ChangeBatch;

/// Keeps the rows of a stream that pass.
pub struct Filter {
    predicate: CompiledExpr,
    rows: SchemaRef,
}

impl Filter {
    /// Keeps rows for which `predicate`, over the layout `rows`, is true.
    pub fn new(predicate: CompiledExpr, rows: SchemaRef) -> Self {
        Self { predicate, rows }
    }
}

impl Operator for Filter {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut errors = Vec::new();
        let mut mask = self.predicate.evaluate_mask(&batch.rows(&self.rows), &mut errors);
        out.report(&batch, errors);
        let deletions = batch.tombstones.as_ref().map_or(0, BooleanBuffer::count_set_bits);
        if let Some(tombstones) = &batch.tombstones {
            mask = &mask & &!tombstones;
        }
        let kept = batch.filter(&mask);
        out.count(Fate::NullValue, deletions);
        out.count(Fate::Filtered, batch.len() - deletions - kept.len());
        out.emit(kept);
        Ok(())
    }
}

/// Keeps the rows of a table that pass, and takes back those that no longer do.
pub struct TableFilter {
    predicate: CompiledExpr,
    rows: SchemaRef,
}

impl TableFilter {
    /// Keeps rows for which `predicate`, over the layout `rows`, is true.
    pub fn new(predicate: CompiledExpr, rows: SchemaRef) -> Self {
        Self { predicate, rows }
    }
}

impl Operator for TableFilter {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut errors = Vec::new();
        let mut new_passes = self.predicate.evaluate_mask(&batch.rows(&self.rows), &mut errors);
        out.report(&batch, errors);
        let deletions = batch.tombstones.as_ref().map_or(0, BooleanBuffer::count_set_bits);
        if let Some(tombstones) = &batch.tombstones {
            new_passes = &new_passes & &!tombstones;
        }
        out.count(Fate::Filtered, batch.len() - deletions - new_passes.count_set_bits());
        let old_passes = match &batch.old {
            Some(old) => {
                let mask = self.predicate.evaluate_mask(&batch.old_rows(&self.rows, old), &mut Vec::new());
                &mask & &old.present
            }
            None => BooleanBuffer::new_set(batch.len()),
        };
        let emitted = &new_passes | &old_passes;
        let mut kept = batch.filter(&emitted);
        if kept.is_empty() {
            return Ok(());
        }
        let failing: BooleanBuffer = emitted.set_indices().map(|row| !new_passes.value(row)).collect();
        if failing.count_set_bits() > 0 {
            kept.value = kept.value.iter().map(|column| nulls_where(column, &failing)).collect();
            kept.tombstones = Some(failing);
        }
        if let Some(old) = &mut kept.old {
            old.present = emitted.set_indices().map(|row| old_passes.value(row)).collect();
        }
        out.emit(kept);
        Ok(())
    }
}

/// `column` with nulls in the rows of `mask`.
pub(crate) fn nulls_where(column: &ArrayRef, mask: &BooleanBuffer) -> ArrayRef {
    let mask = BooleanArray::new(mask.clone(), None);
    let nulls = Scalar::new(new_null_array(column.data_type(), 1));
    zip(&mask, &nulls, column).expect("mask and column have the batch's length")
}
