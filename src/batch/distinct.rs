//! Rows without repetition.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::memory::Reservation;
use super::{BatchError, Context, Input, Rows};
use crate::state::SlotTable;
use crate::state::key_encoding::EncodedKeys;

/// Keeps the first of equal rows; NULL is equal to NULL here.
pub struct Distinct {
    input: Input,
    seen: SlotTable,
    keys: EncodedKeys,
    memory: Reservation,
    context: Context,
}

impl Distinct {
    /// The rows of `input`, each once.
    pub fn new(input: Input, context: &Context) -> Self {
        Self {
            input,
            seen: SlotTable::default(),
            keys: EncodedKeys::default(),
            memory: Reservation::new(&context.memory, "what the rows of DISTINCT or UNION are"),
            context: context.clone(),
        }
    }
}

impl Rows for Distinct {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        while let Some(batch) = self.input.next()? {
            (self.context.check)()?;
            self.keys.encode(batch.columns(), None, batch.num_rows());
            let is_new = (0..batch.num_rows()).map(|row| self.seen.insert_row(&self.keys, row).1);
            let is_new = BooleanArray::new(is_new.collect(), None);
            self.memory.resize(self.seen.memory_bytes())?;
            if is_new.true_count() > 0 {
                return Ok(Some(filter_record_batch(&batch, &is_new)?));
            }
        }
        Ok(None)
    }
}
