//! `AVG(x)`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Float64Array, Int64Array, PrimitiveArray,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Update, aggregate};

/// The mean of the values that are not NULL.
#[aggregate(
    name = "AVG",
    signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE",
    keeps = "STRUCT<SUM DOUBLE, COUNT BIGINT>",
    undo,
    example("AVG(v) FROM VALUES (1), (2), (NULL) AS (v)" = "1.5E0")
)]
pub(super) fn avg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(match &call.arguments[0] {
        DataType::Int32 => Box::new(Average::<Int32Type>::default()),
        DataType::Int64 => Box::new(Average::<Int64Type>::default()),
        DataType::Float64 => Box::new(Average::<Float64Type>::default()),
        other => return Err(format!("{other} has no mean")),
    })
}

/// Mean of the values that are not null, as DOUBLE; 0 when there is none.
#[derive(Debug)]
pub struct Average<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    counts: Vec<i64>,
}

impl<T: ArrowPrimitiveType> Default for Average<T> {
    fn default() -> Self {
        Self { sums: Vec::new(), counts: Vec::new() }
    }
}

/// Java's `(double) value`.
pub trait AsDouble: Copy {
    /// The nearest double.
    fn as_double(self) -> f64;
}

impl AsDouble for i32 {
    fn as_double(self) -> f64 {
        f64::from(self)
    }
}

impl AsDouble for i64 {
    fn as_double(self) -> f64 {
        self as f64
    }
}

impl AsDouble for f64 {
    fn as_double(self) -> f64 {
        self
    }
}

fn mean<N: AsDouble>(sum: N, count: i64) -> f64 {
    if count == 0 { 0.0 } else { sum.as_double() / count as f64 }
}

impl<T: ArrowPrimitiveType> Accumulator for Average<T>
where
    T::Native: ArrowNativeTypeOp + AsDouble,
{
    fn grow(&mut self, slots: usize) {
        let slots = slots.max(self.counts.len());
        self.sums.resize(slots, T::Native::ZERO);
        self.counts.resize(slots, 0);
    }

    fn reset(&mut self, slot: u32) {
        self.sums[slot as usize] = T::Native::ZERO;
        self.counts[slot as usize] = 0;
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let values = rows.arguments[0].as_primitive::<T>();
        let mut results = Vec::with_capacity(if emit { rows.slots.len() } else { 0 });
        for (row, &slot) in rows.slots.iter().enumerate() {
            let (sum, count) = (&mut self.sums[slot as usize], &mut self.counts[slot as usize]);
            if values.is_valid(row) {
                let value = values.value(row);
                if rows.is_undone(row) {
                    (*sum, *count) = (sum.sub_wrapping(value), *count - 1);
                } else {
                    (*sum, *count) = (sum.add_wrapping(value), *count + 1);
                }
            }
            if emit {
                results.push(mean(*sum, *count));
            }
        }
        emit.then(|| Arc::new(Float64Array::from(results)) as ArrayRef)
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        let (into, from) = (into as usize, from as usize);
        self.sums[into] = self.sums[into].add_wrapping(self.sums[from]);
        self.counts[into] += self.counts[from];
        Ok(())
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        let means = slots.iter().map(|&slot| mean(self.sums[slot as usize], self.counts[slot as usize]));
        Arc::new(Float64Array::from_iter_values(means))
    }

    fn slot_bytes(&self) -> usize {
        size_of::<T::Native>() + size_of::<i64>()
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![T::DATA_TYPE, DataType::Int64]
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        let sums = slots.iter().map(|&slot| self.sums[slot as usize]);
        let counts = slots.iter().map(|&slot| self.counts[slot as usize]);
        Ok(vec![Arc::new(PrimitiveArray::<T>::from_iter_values(sums)), Arc::new(Int64Array::from_iter_values(counts))])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        let sums = columns[0].as_primitive::<T>();
        let counts = columns[1].as_primitive::<Int64Type>();
        for (row, &slot) in slots.iter().enumerate() {
            self.sums[slot as usize] = sums.value(row);
            self.counts[slot as usize] = counts.value(row);
        }
        Ok(())
    }
}
