//! Results of rows.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{BatchError, Input, Rows, batch_of};
use crate::expr::CompiledExpr;

/// Computes columns of each row; what fails is NULL.
pub struct Project {
    input: Input,
    columns: Vec<CompiledExpr>,
    schema: SchemaRef,
}

impl Project {
    /// The `columns` of the rows of `input`, which are those of `schema`.
    pub fn new(input: Input, columns: Vec<CompiledExpr>, schema: SchemaRef) -> Self {
        Self { input, columns, schema }
    }
}

impl Rows for Project {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        let Some(batch) = self.input.next()? else { return Ok(None) };
        let columns = self.columns.iter().map(|column| column.evaluate(&batch, &mut Vec::new()));
        batch_of(&self.schema, columns.collect(), batch.num_rows()).map(Some)
    }
}
