//! `PARTITION BY`, `GROUP BY` and join keys: new key columns and new value columns.
//!
//! A key expression that fails gives null in its column and is reported. What becomes of nulls in the key depends on
//! [`NullKeys`]. A windowed key keeps its windows, unless it is told not to. Semantics 3.1.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;

use super::{Fate, Operator, Output, Port};
use crate::expr::CompiledExpr;
use crate::state::StateError;
use crate::types::{ChangeBatch, RowError};

/// What becomes of rows with a null in the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullKeys {
    /// They go on; a single null column is a null key.
    Keep,
    /// They are dropped and reported, rows with a null value are dropped silently (`GROUP BY`).
    DropAndReport,
    /// They are dropped silently (inner sides of joins).
    Drop,
}

/// Computes key and value columns.
pub struct Rekey {
    key: Vec<CompiledExpr>,
    columns: Vec<CompiledExpr>,
    null_keys: NullKeys,
    keeps_windows: bool,
    rows: SchemaRef,
}

impl Rekey {
    /// Key columns from `key` and value columns from `columns`, over the layout `rows`.
    pub fn new(key: Vec<CompiledExpr>, columns: Vec<CompiledExpr>, null_keys: NullKeys, rows: SchemaRef) -> Self {
        Self { key, columns, null_keys, keeps_windows: true, rows }
    }

    /// The same, where the new key has no windows though the old one has.
    #[must_use]
    pub fn without_windows(self) -> Self {
        Self { keeps_windows: false, ..self }
    }

    /// Rows that go on, where some do not.
    fn kept(&self, batch: &ChangeBatch, key: &[ArrayRef], out: &mut Output) -> Option<BooleanBuffer> {
        let mut kept = match self.null_keys {
            NullKeys::Keep => return None,
            NullKeys::Drop => BooleanBuffer::new_set(batch.len()),
            NullKeys::DropAndReport => match &batch.tombstones {
                Some(tombstones) => !tombstones,
                None => BooleanBuffer::new_set(batch.len()),
            },
        };
        for (index, column) in key.iter().enumerate() {
            let Some(nulls) = column.logical_nulls().filter(|nulls| nulls.null_count() > 0) else { continue };
            if self.null_keys == NullKeys::DropAndReport {
                let dropped = &kept & &!nulls.inner();
                let reason = format!("group-by column with index {index} is null: the row is not aggregated");
                out.report(batch, dropped.set_indices().map(|row| RowError::new(row, reason.clone())).collect());
            }
            kept = &kept & nulls.inner();
        }
        let dropped = batch.len() - kept.count_set_bits();
        if dropped == 0 {
            return None;
        }
        let deletions = batch.tombstones.as_ref().filter(|_| self.null_keys == NullKeys::DropAndReport);
        let deletions = deletions.map_or(0, BooleanBuffer::count_set_bits);
        out.count(Fate::NullValue, deletions);
        out.count(Fate::NullKey, dropped - deletions);
        Some(kept)
    }
}

impl Operator for Rekey {
    fn process(&mut self, _: Port, mut batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut errors = Vec::new();
        let rows = batch.rows(&self.rows);
        let key: Vec<ArrayRef> = self.key.iter().map(|column| column.evaluate(&rows, &mut errors)).collect();
        let value: Vec<ArrayRef> = self.columns.iter().map(|column| column.evaluate(&rows, &mut errors)).collect();
        out.report(&batch, errors);
        let kept = self.kept(&batch, &key, out);
        batch.null_keys = match key.as_slice() {
            [] => Some(BooleanBuffer::new_set(batch.len())),
            [column] => column.logical_nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| !nulls.inner()),
            _ => None,
        };
        (batch.key, batch.value, batch.old) = (key, value, None);
        batch.window = batch.window.filter(|_| self.keeps_windows);
        out.emit(match kept {
            Some(kept) => batch.filter(&kept),
            None => batch,
        });
        Ok(())
    }
}
