//! What a query inside an expression says of each row.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef};

use super::keys::equal_keys;
use super::memory::Reservation;
use super::{BatchError, Context, Input, Rows, batch_of};
use crate::expr::CompiledExpr;
use crate::state::SlotTable;

/// What is asked of the rows of a query.
pub enum Asks {
    /// The one value of the one row that there may be; NULL of this type without row.
    Value(DataType),
    /// Whether there is a row.
    Exists,
    /// Whether a row has the value: of the outer row, and of the row.
    Contains(CompiledExpr, CompiledExpr),
}

/// What is known of the query once it has run.
enum Answer {
    /// The same for every row.
    Constant(ArrayRef),
    /// The values of its rows, and what is looked for among them.
    Values(SlotTable, CompiledExpr),
}

/// Adds a column to rows that says what is asked of a query.
pub struct Subquery {
    input: Input,
    query: Option<Input>,
    asks: Asks,
    answer: Option<Answer>,
    schema: SchemaRef,
    memory: Reservation,
    context: Context,
}

impl Subquery {
    /// The rows of `input` with what is asked of `query` behind them: rows of `schema`.
    pub fn new(input: Input, query: Input, asks: Asks, schema: SchemaRef, context: &Context) -> Self {
        let memory = Reservation::new(&context.memory, "the values of a query behind IN");
        Self { input, query: Some(query), asks, answer: None, schema, memory, context: context.clone() }
    }

    fn ask(&mut self, mut query: Input) -> Result<Answer, BatchError> {
        let mut values = SlotTable::default();
        let mut value: Option<ArrayRef> = None;
        while let Some(batch) = query.next()? {
            (self.context.check)()?;
            match &self.asks {
                _ if batch.num_rows() == 0 => {}
                Asks::Exists => return Ok(Answer::Constant(Arc::new(BooleanArray::from(vec![true])))),
                Asks::Value(_) if value.is_some() || batch.num_rows() > 1 => return Err(BatchError::SeveralRows),
                Asks::Value(_) => value = Some(batch.column(0).clone()),
                Asks::Contains(_, inner) => {
                    let (keys, is_equal_to_some) = equal_keys(std::slice::from_ref(inner), &batch);
                    (0..keys.len()).filter(|&row| is_equal_to_some[row]).for_each(|row| {
                        values.insert_row(&keys, row);
                    });
                    self.memory.resize(values.memory_bytes())?;
                }
            }
        }
        Ok(match &self.asks {
            Asks::Value(data_type) => Answer::Constant(value.unwrap_or_else(|| new_null_array(data_type, 1))),
            Asks::Exists => Answer::Constant(Arc::new(BooleanArray::from(vec![false]))),
            Asks::Contains(outer, _) => Answer::Values(values, outer.clone()),
        })
    }
}

impl Rows for Subquery {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if let Some(query) = self.query.take() {
            self.answer = Some(self.ask(query)?);
        }
        let (Some(answer), Some(batch)) = (&self.answer, self.input.next()?) else { return Ok(None) };
        let rows = batch.num_rows();
        let column: ArrayRef = match answer {
            Answer::Constant(value) => take(value, &UInt32Array::from(vec![0; rows]), None)?,
            Answer::Values(values, outer) => {
                let (keys, is_equal_to_some) = equal_keys(std::slice::from_ref(outer), &batch);
                let has = |row: usize| is_equal_to_some[row] && values.get_row(&keys, row).is_some();
                Arc::new(BooleanArray::new((0..rows).map(has).collect(), None))
            }
        };
        let columns = batch.columns().iter().cloned().chain([column]).collect();
        batch_of(&self.schema, columns, rows).map(Some)
    }
}
