//! `MIN(x)` and `MAX(x)`, in the order of [`java_order`].

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BinaryArray, PrimitiveArray, StringBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType, i256,
};

use levada_udf::{Accumulator, AggregateCall, Update, aggregate};

use crate::types::java_order;

/// Which end of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The least value.
    Min,
    /// The greatest value.
    Max,
}

impl Which {
    fn improves(self, ordering: Ordering) -> bool {
        match self {
            Self::Min => ordering == Ordering::Less,
            Self::Max => ordering == Ordering::Greater,
        }
    }
}

/// The least value.
#[aggregate(
    name = "MIN",
    signature = "INT BIGINT DOUBLE DECIMAL DATE TIME TIMESTAMP STRING BYTES: (value %) -> %",
    example("MIN(v) FROM VALUES (3), (7) AS (v)" = "3")
)]
pub(super) fn min(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    accumulator(Which::Min, &call.arguments[0])
}

/// The greatest value.
#[aggregate(
    name = "MAX",
    signature = "INT BIGINT DOUBLE DECIMAL DATE TIME TIMESTAMP STRING BYTES: (value %) -> %",
    example("MAX(v) FROM VALUES (3), (7) AS (v)" = "7")
)]
pub(super) fn max(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    accumulator(Which::Max, &call.arguments[0])
}

fn accumulator(which: Which, data_type: &DataType) -> Result<Box<dyn Accumulator>, String> {
    Ok(match data_type {
        DataType::Int32 => Box::new(Extreme::<Int32Type>::new(which, data_type)),
        DataType::Int64 => Box::new(Extreme::<Int64Type>::new(which, data_type)),
        DataType::Float64 => Box::new(Extreme::<Float64Type>::new(which, data_type)),
        DataType::Date32 => Box::new(Extreme::<Date32Type>::new(which, data_type)),
        DataType::Time32(_) => Box::new(Extreme::<Time32MillisecondType>::new(which, data_type)),
        DataType::Timestamp(..) => Box::new(Extreme::<TimestampMillisecondType>::new(which, data_type)),
        DataType::Decimal128(..) => Box::new(Extreme::<Decimal128Type>::new(which, data_type)),
        DataType::Decimal256(..) => Box::new(Extreme::<Decimal256Type>::new(which, data_type)),
        DataType::Utf8 | DataType::Binary => Box::new(ExtremeBytes::new(which, data_type)),
        other => return Err(format!("{other} has no order")),
    })
}

/// Values of fixed width in the order of Java.
pub trait Ordered: ArrowNativeTypeOp {
    /// Which of the two comes first.
    fn order(self, other: Self) -> Ordering {
        self.compare(other)
    }
}

impl Ordered for i32 {}
impl Ordered for i64 {}
impl Ordered for i128 {}
impl Ordered for i256 {}
impl Ordered for f64 {
    fn order(self, other: Self) -> Ordering {
        java_order::of_doubles(self, other)
    }
}

/// Extreme of fixed-width values; null while there is none.
#[derive(Debug)]
pub struct Extreme<T: ArrowPrimitiveType> {
    which: Which,
    values: Vec<Option<T::Native>>,
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> Extreme<T> {
    /// Extremes of type `data_type`, which `T` holds.
    pub fn new(which: Which, data_type: &DataType) -> Self {
        Self { which, values: Vec::new(), data_type: data_type.clone() }
    }

    fn array(&self, values: impl IntoIterator<Item = Option<T::Native>>) -> ArrayRef {
        Arc::new(values.into_iter().collect::<PrimitiveArray<T>>().with_data_type(self.data_type.clone()))
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Extreme<T>
where
    T::Native: Ordered,
{
    fn grow(&mut self, slots: usize) {
        self.values.resize(slots.max(self.values.len()), None);
    }

    fn reset(&mut self, slot: u32) {
        self.values[slot as usize] = None;
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let values = rows.arguments[0].as_primitive::<T>();
        let mut results = Vec::with_capacity(if emit { rows.slots.len() } else { 0 });
        for (row, &slot) in rows.slots.iter().enumerate() {
            let extreme = &mut self.values[slot as usize];
            if values.is_valid(row) {
                let value = values.value(row);
                if extreme.is_none_or(|extreme| self.which.improves(value.order(extreme))) {
                    *extreme = Some(value);
                }
            }
            if emit {
                results.push(*extreme);
            }
        }
        emit.then(|| self.array(results))
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        let (into, from) = (into as usize, from as usize);
        if let Some(value) = self.values[from]
            && self.values[into].is_none_or(|extreme| self.which.improves(value.order(extreme)))
        {
            self.values[into] = Some(value);
        }
        Ok(())
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        self.array(slots.iter().map(|&slot| self.values[slot as usize]))
    }

    fn slot_bytes(&self) -> usize {
        size_of::<Option<T::Native>>()
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.data_type.clone()]
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![self.results(slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        let values = columns[0].as_primitive::<T>();
        for (row, &slot) in slots.iter().enumerate() {
            self.values[slot as usize] = values.is_valid(row).then(|| values.value(row));
        }
        Ok(())
    }
}

/// What a text takes on the heap, about.
const TEXT_BYTES: usize = 32;

/// Extreme of texts or bytes; null while there is none.
#[derive(Debug)]
pub struct ExtremeBytes {
    which: Which,
    values: Vec<Option<Box<[u8]>>>,
    data_type: DataType,
}

impl ExtremeBytes {
    /// Extremes of type `data_type`, `Utf8` or `Binary`.
    pub fn new(which: Which, data_type: &DataType) -> Self {
        Self { which, values: Vec::new(), data_type: data_type.clone() }
    }

    /// Takes the values that `value` gives of rows.
    fn take<'a>(
        &mut self,
        slots: &[u32],
        emit: bool,
        value: impl Fn(usize) -> Option<&'a [u8]>,
        order: impl Fn(&[u8], &[u8]) -> Ordering,
    ) -> Option<ArrayRef> {
        let mut results: Vec<Option<Box<[u8]>>> = Vec::new();
        for (row, &slot) in slots.iter().enumerate() {
            let extreme = &mut self.values[slot as usize];
            if let Some(value) = value(row)
                && extreme.as_deref().is_none_or(|extreme| self.which.improves(order(value, extreme)))
            {
                *extreme = Some(value.into());
            }
            if emit {
                results.push(extreme.clone());
            }
        }
        emit.then(|| self.array(results.iter().map(Option::as_deref)))
    }

    fn order(&self, a: &[u8], b: &[u8]) -> Ordering {
        match self.data_type {
            DataType::Binary => java_order::of_bytes(a, b),
            _ => java_order::of_encoded_texts(a, b),
        }
    }

    fn array<'a>(&self, values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
        if self.data_type == DataType::Binary {
            return Arc::new(values.collect::<BinaryArray>());
        }
        let mut builder = StringBuilder::new();
        for value in values {
            builder.append_option(value.map(|bytes| std::str::from_utf8(bytes).expect("came from a text column")));
        }
        Arc::new(builder.finish())
    }

    fn value(column: &dyn Array, row: usize) -> Option<&[u8]> {
        column.is_valid(row).then(|| match column.data_type() {
            DataType::Utf8 => column.as_string::<i32>().value(row).as_bytes(),
            _ => column.as_binary::<i32>().value(row),
        })
    }
}

impl Accumulator for ExtremeBytes {
    fn grow(&mut self, slots: usize) {
        self.values.resize(slots.max(self.values.len()), None);
    }

    fn reset(&mut self, slot: u32) {
        self.values[slot as usize] = None;
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let column = &rows.arguments[0];
        if self.data_type == DataType::Binary {
            let values = column.as_binary::<i32>();
            let value = |row| values.is_valid(row).then(|| values.value(row));
            return self.take(rows.slots, emit, value, java_order::of_bytes);
        }
        let values = column.as_string::<i32>();
        let value = |row| values.is_valid(row).then(|| values.value(row).as_bytes());
        self.take(rows.slots, emit, value, java_order::of_encoded_texts)
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        let (into, from) = (into as usize, from as usize);
        if let Some(value) = self.values[from].as_deref()
            && self.values[into].as_deref().is_none_or(|extreme| self.which.improves(self.order(value, extreme)))
        {
            self.values[into] = Some(value.into());
        }
        Ok(())
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        self.array(slots.iter().map(|&slot| self.values[slot as usize].as_deref()))
    }

    fn slot_bytes(&self) -> usize {
        size_of::<Option<Box<[u8]>>>() + TEXT_BYTES
    }

    fn state_types(&self) -> Vec<DataType> {
        vec![self.data_type.clone()]
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![self.results(slots)])
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        for (row, &slot) in slots.iter().enumerate() {
            self.values[slot as usize] = Self::value(&columns[0], row).map(Into::into);
        }
        Ok(())
    }
}
