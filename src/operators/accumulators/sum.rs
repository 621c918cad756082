//! `SUM(x)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::DataType;

use super::{Accumulator, Update};

/// Sum of the values that are not null, in the argument's type; integers wrap around.
#[derive(Debug)]
pub struct Sum<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> Sum<T> {
    /// Sums of type `data_type`, which `T` holds.
    pub fn new(data_type: &DataType) -> Self {
        Self { sums: Vec::new(), data_type: data_type.clone() }
    }

    fn array(&self, values: Vec<T::Native>) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::from_iter_values(values).with_data_type(self.data_type.clone()))
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Sum<T>
where
    T::Native: ArrowNativeTypeOp,
{
    fn grow(&mut self, slots: usize) {
        self.sums.resize(slots.max(self.sums.len()), T::Native::ZERO);
    }

    fn reset(&mut self, slot: u32) {
        self.sums[slot as usize] = T::Native::ZERO;
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let values = rows.argument?.as_primitive::<T>();
        let mut results = Vec::with_capacity(if emit { rows.slots.len() } else { 0 });
        for (row, &slot) in rows.slots.iter().enumerate() {
            let sum = &mut self.sums[slot as usize];
            if values.is_valid(row) {
                let value = values.value(row);
                *sum = if rows.is_undone(row) { sum.sub_wrapping(value) } else { sum.add_wrapping(value) };
            }
            if emit {
                results.push(*sum);
            }
        }
        emit.then(|| self.array(results))
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        self.array(slots.iter().map(|&slot| self.sums[slot as usize]).collect())
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.data_type.clone()]
    }

    fn state(&self, slots: &[u32]) -> Vec<ArrayRef> {
        vec![self.results(slots)]
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) {
        let sums = columns[0].as_primitive::<T>();
        for (row, &slot) in slots.iter().enumerate() {
            self.sums[slot as usize] = sums.value(row);
        }
    }
}
