//! `COUNT(*)` and `COUNT(x)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Update, aggregate};

/// How many rows there are, or how many values that are not NULL.
#[aggregate(
    name = "COUNT",
    signature = "(value T) -> BIGINT",
    undo,
    example("COUNT(v) FROM VALUES (1), (NULL) AS (v)" = "1"),
    example("COUNT(*) FROM VALUES (1), (NULL) AS (v)" = "2")
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn count(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Box::new(Count::default()))
}

/// Number of rows, or of rows whose argument is not null; BIGINT.
#[derive(Debug, Default)]
pub struct Count {
    counts: Vec<i64>,
}

impl Accumulator for Count {
    fn grow(&mut self, slots: usize) {
        self.counts.resize(slots.max(self.counts.len()), 0);
    }

    fn reset(&mut self, slot: u32) {
        self.counts[slot as usize] = 0;
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let nulls = rows.arguments.first().and_then(Array::logical_nulls);
        let mut results = Vec::with_capacity(if emit { rows.slots.len() } else { 0 });
        for (row, &slot) in rows.slots.iter().enumerate() {
            let count = &mut self.counts[slot as usize];
            let counted = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            *count += i64::from(counted) * if rows.is_undone(row) { -1 } else { 1 };
            if emit {
                results.push(*count);
            }
        }
        emit.then(|| Arc::new(Int64Array::from(results)) as ArrayRef)
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        self.counts[into as usize] += self.counts[from as usize];
        Ok(())
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(slots.iter().map(|&slot| self.counts[slot as usize])))
    }

    fn slot_bytes(&self) -> usize {
        size_of::<i64>()
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![self.results(slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        let counts = columns[0].as_primitive::<Int64Type>();
        for (row, &slot) in slots.iter().enumerate() {
            self.counts[slot as usize] = counts.value(row);
        }
        Ok(())
    }
}
