//! The last row of each key.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};

use super::memory::Reservation;
use super::{BATCH_ROWS, BatchError, Context, Input, Rows, batch_of};
use crate::state::SlotTable;
use crate::state::key_encoding::EncodedKeys;
use crate::state::row_format::{RowEncoder, decode_rows};

/// What a vector of bytes costs beside them.
const ROW_OVERHEAD_BYTES: usize = 40;

/// Keeps the last row of each key, unless it says that the key is gone.
pub struct Latest {
    input: Option<Input>,
    keys: usize,
    schema: SchemaRef,
    /// Rows by slot, encoded.
    rows: Vec<Option<Vec<u8>>>,
    given: usize,
    memory: Reservation,
    context: Context,
}

impl Latest {
    /// The last row of each key in `input`: rows of `schema`, of which the first `keys` columns are the key, and behind them whether
    /// the key is gone.
    pub fn new(input: Input, keys: usize, schema: SchemaRef, context: &Context) -> Self {
        let memory = Reservation::new(&context.memory, "the last row of each key of a table");
        Self { input: Some(input), keys, schema, rows: Vec::new(), given: 0, memory, context: context.clone() }
    }

    fn read(&mut self, mut input: Input) -> Result<(), BatchError> {
        let (mut slots, mut keys, mut encoder) = (SlotTable::default(), EncodedKeys::default(), RowEncoder::default());
        let mut bytes = 0;
        while let Some(batch) = input.next()? {
            (self.context.check)()?;
            let width = self.schema.fields().len();
            let gone = batch.column(width).as_boolean();
            let columns = &batch.columns()[..width];
            keys.encode(&columns[..self.keys], None, batch.num_rows());
            for row in 0..batch.num_rows() {
                let (slot, is_new) = slots.insert_row(&keys, row);
                if is_new {
                    self.rows.push(None);
                }
                let kept = (!gone.value(row)).then(|| encoder.encode(&[], columns, row));
                bytes += kept.as_ref().map_or(0, |kept| kept.len() + ROW_OVERHEAD_BYTES);
                let before = std::mem::replace(&mut self.rows[slot as usize], kept);
                bytes -= before.map_or(0, |before| before.len() + ROW_OVERHEAD_BYTES);
            }
            self.memory.resize(bytes + slots.memory_bytes())?;
        }
        Ok(())
    }
}

impl Rows for Latest {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if let Some(input) = self.input.take() {
            self.read(input)?;
        }
        let types: Vec<DataType> = self.schema.fields().iter().map(|field| field.data_type().clone()).collect();
        while self.given < self.rows.len() {
            let end = self.rows.len().min(self.given + BATCH_ROWS);
            let rows: Vec<&[u8]> = self.rows[self.given..end].iter().filter_map(Option::as_deref).collect();
            self.given = end;
            if !rows.is_empty() {
                let columns = decode_rows(&types, rows.iter().copied())?;
                return batch_of(&self.schema, columns, rows.len()).map(Some);
            }
        }
        Ok(None)
    }
}
