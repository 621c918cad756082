//! `SUM(x)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{ArrowNativeType, DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Rejected, Update, aggregate};

/// The sum of the values that are not NULL.
#[aggregate(
    name = "SUM",
    signature = "INT BIGINT DOUBLE DECIMAL: (value %) -> %",
    undo,
    example("SUM(v) FROM VALUES (1), (NULL), (2) AS (v)" = "3")
)]
pub(super) fn sum(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    let data_type = &call.arguments[0];
    Ok(match data_type {
        DataType::Int32 => Box::new(Sum::<Int32Type>::new(data_type)),
        DataType::Int64 => Box::new(Sum::<Int64Type>::new(data_type)),
        DataType::Float64 => Box::new(Sum::<Float64Type>::new(data_type)),
        DataType::Decimal128(..) => Box::new(Sum::<Decimal128Type>::new(data_type)),
        DataType::Decimal256(..) => Box::new(Sum::<Decimal256Type>::new(data_type)),
        other => return Err(format!("{other} is not summed")),
    })
}

/// Sum of the values that are not null, in the argument's type. Integers wrap around; a value that takes a DECIMAL beyond
/// its precision is rejected.
#[derive(Debug)]
pub struct Sum<T: ArrowPrimitiveType> {
    sums: Vec<T::Native>,
    data_type: DataType,
    /// Sums of decimals stay below it.
    limit: Option<T::Native>,
    rejected: Vec<Rejected>,
}

impl<T: ArrowPrimitiveType> Sum<T>
where
    T::Native: ArrowNativeTypeOp,
{
    /// Sums of type `data_type`, which `T` holds.
    pub fn new(data_type: &DataType) -> Self {
        let limit = match data_type {
            DataType::Decimal128(precision, _) | DataType::Decimal256(precision, _) => {
                let ten = T::Native::usize_as(10);
                ten.pow_checked(u32::from(*precision)).ok()
            }
            _ => None,
        };
        Self { sums: Vec::new(), data_type: data_type.clone(), limit, rejected: Vec::new() }
    }

    fn fits(&self, sum: T::Native) -> bool {
        self.limit.is_none_or(|limit| sum.is_lt(limit) && sum.neg_wrapping().is_lt(limit))
    }

    fn overflow(&self) -> String {
        match &self.data_type {
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                format!("Numeric field overflow: SUM has more digits than DECIMAL({precision}, {scale})")
            }
            other => format!("Numeric field overflow: SUM is no {other}"),
        }
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
        let values = rows.arguments[0].as_primitive::<T>();
        let mut results = Vec::with_capacity(if emit { rows.slots.len() } else { 0 });
        for (row, &slot) in rows.slots.iter().enumerate() {
            if values.is_valid(row) {
                let (before, value) = (self.sums[slot as usize], values.value(row));
                let sum = if rows.is_undone(row) { before.sub_wrapping(value) } else { before.add_wrapping(value) };
                if self.fits(sum) {
                    self.sums[slot as usize] = sum;
                } else {
                    self.rejected.push(Rejected { row, reason: self.overflow() });
                }
            }
            if emit {
                results.push(self.sums[slot as usize]);
            }
        }
        emit.then(|| self.array(results))
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        let sum = self.sums[into as usize].add_wrapping(self.sums[from as usize]);
        if !self.fits(sum) {
            return Err(self.overflow());
        }
        self.sums[into as usize] = sum;
        Ok(())
    }

    fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        self.array(slots.iter().map(|&slot| self.sums[slot as usize]).collect())
    }

    fn slot_bytes(&self) -> usize {
        size_of::<T::Native>()
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.data_type.clone()]
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![self.results(slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        let sums = columns[0].as_primitive::<T>();
        for (row, &slot) in slots.iter().enumerate() {
            self.sums[slot as usize] = sums.value(row);
        }
        Ok(())
    }
}
