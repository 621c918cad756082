//! `SELECT`: new value columns from old ones; the key stays.
//!
//! Null values stay null. An expression that fails gives null in its column and is reported. Over a table the old row
//! goes the same way as the new one. Semantics 3.1 and 3.2.2.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;

use super::{Operator, Output, Port};
use crate::expr::CompiledExpr;
use crate::state::StateError;
use crate::types::ChangeBatch;

/// Computes the value columns.
pub struct Project {
    columns: Vec<CompiledExpr>,
    rows: SchemaRef,
}

impl Project {
    /// Value columns from `columns`, over the layout `rows`.
    pub fn new(columns: Vec<CompiledExpr>, rows: SchemaRef) -> Self {
        Self { columns, rows }
    }
}

impl Operator for Project {
    fn process(&mut self, _: Port, mut batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut errors = Vec::new();
        let rows = batch.rows(&self.rows);
        let value: Vec<ArrayRef> = self.columns.iter().map(|column| column.evaluate(&rows, &mut errors)).collect();
        if let Some(old) = &batch.old {
            let rows = batch.old_rows(&self.rows, old);
            let before = self.columns.iter().map(|column| column.evaluate(&rows, &mut Vec::new())).collect();
            let present = old.present.clone();
            batch.old = Some(crate::types::OldRows { value: before, present });
        }
        out.report(&batch, errors);
        batch.value = value;
        out.emit(batch);
        Ok(())
    }
}
