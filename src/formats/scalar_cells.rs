//! Finished columns as encoders see them: downcast once per batch, then read by row.

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, BooleanArray, StringArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType, i256,
};

use crate::types::{SqlType, java_text};

/// The values of a column of any type that is not nested. Dates and times are their integers.
pub(super) enum ScalarCells<'a> {
    Boolean(&'a BooleanArray),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Double(&'a [f64]),
    Decimal128(&'a [i128], u8),
    Decimal256(&'a [i256], u8),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

impl<'a> ScalarCells<'a> {
    /// The values of `array`, whose type is `sql_type`.
    pub(super) fn new(sql_type: &SqlType, array: &'a ArrayRef) -> Self {
        match sql_type {
            SqlType::Boolean => Self::Boolean(array.as_boolean()),
            SqlType::Integer => Self::Int32(primitive::<Int32Type>(array)),
            SqlType::Date => Self::Int32(primitive::<Date32Type>(array)),
            SqlType::Time => Self::Int32(primitive::<Time32MillisecondType>(array)),
            SqlType::Bigint => Self::Int64(primitive::<Int64Type>(array)),
            SqlType::Timestamp => Self::Int64(primitive::<TimestampMillisecondType>(array)),
            SqlType::Double => Self::Double(primitive::<Float64Type>(array)),
            SqlType::Decimal { precision, scale } if *precision <= 38 => {
                Self::Decimal128(primitive::<Decimal128Type>(array), *scale)
            }
            SqlType::Decimal { scale, .. } => Self::Decimal256(primitive::<Decimal256Type>(array), *scale),
            SqlType::String => Self::Text(array.as_string()),
            SqlType::Bytes => Self::Bytes(array.as_binary()),
            nested => unreachable!("{nested} is not a scalar type"),
        }
    }

    /// Appends the value at `row`, which is not null: numbers and text bare, BYTES in base64.
    #[inline]
    pub(super) fn write(&self, out: &mut Vec<u8>, row: usize) {
        match self {
            Self::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Self::Int32(values) => out.extend_from_slice(itoa::Buffer::new().format(values[row]).as_bytes()),
            Self::Int64(values) => out.extend_from_slice(itoa::Buffer::new().format(values[row]).as_bytes()),
            Self::Double(values) => java_text::write_double(out, values[row]),
            Self::Decimal128(values, scale) => java_text::write_decimal128(out, values[row], *scale),
            Self::Decimal256(values, scale) => java_text::write_decimal256(out, values[row], *scale),
            Self::Text(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Self::Bytes(values) => java_text::write_base64(out, values.value(row)),
        }
    }
}
