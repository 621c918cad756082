//! Some of the rows.

use arrow::array::RecordBatch;

use super::{BatchError, Input, Rows};

/// Leaves out the first rows, and all beyond a limit: those are not even asked for.
pub struct Limit {
    input: Input,
    skip: u64,
    left: u64,
}

impl Limit {
    /// At most `limit` rows of `input` behind the first `offset`.
    pub fn new(input: Input, offset: u64, limit: Option<u64>) -> Self {
        Self { input, skip: offset, left: limit.unwrap_or(u64::MAX) }
    }
}

impl Rows for Limit {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        while self.left > 0 {
            let Some(batch) = self.input.next()? else { return Ok(None) };
            let rows = batch.num_rows() as u64;
            let skipped = self.skip.min(rows);
            self.skip -= skipped;
            let taken = self.left.min(rows - skipped);
            self.left -= taken;
            if taken > 0 {
                return Ok(Some(batch.slice(skipped as usize, taken as usize)));
            }
        }
        Ok(None)
    }
}
