//! Rows of several inputs.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::{BatchError, Input, Rows, batch_of};

/// The rows of one input after those of another.
pub struct Union {
    inputs: std::vec::IntoIter<Input>,
    current: Option<Input>,
    schema: SchemaRef,
}

impl Union {
    /// All rows of `inputs`, as rows of `schema`.
    pub fn new(inputs: Vec<Input>, schema: SchemaRef) -> Self {
        let mut inputs = inputs.into_iter();
        Self { current: inputs.next(), inputs, schema }
    }
}

impl Rows for Union {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        while let Some(input) = &mut self.current {
            if let Some(batch) = input.next()? {
                return batch_of(&self.schema, batch.columns().to_vec(), batch.num_rows()).map(Some);
            }
            self.current = self.inputs.next();
        }
        Ok(None)
    }
}
