//! Rows for which a condition is true.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::{BatchError, Context, Input, Rows};
use crate::expr::CompiledExpr;

/// Keeps the rows for which a condition is true; where it fails, it is not.
pub struct Filter {
    input: Input,
    predicate: CompiledExpr,
    context: Context,
}

impl Filter {
    /// The rows of `input` for which `predicate` is true.
    pub fn new(input: Input, predicate: CompiledExpr, context: &Context) -> Self {
        Self { input, predicate, context: context.clone() }
    }
}

impl Rows for Filter {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        while let Some(batch) = self.input.next()? {
            (self.context.check)()?;
            let mask = BooleanArray::new(self.predicate.evaluate_mask(&batch, &mut Vec::new()), None);
            let kept = filter_record_batch(&batch, &mask)?;
            if kept.num_rows() > 0 {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }
}
