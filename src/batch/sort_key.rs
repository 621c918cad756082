//! Sort keys as bytes that compare as SQL compares the values.
//!
//! ```text
//! key   := column*
//! column := 00 | 02                 null, before or after all values
//!         | 01 value                bytes of the value inverted when descending
//! value := fixed width: big endian, sign bit flipped
//!        | text: units of UTF-16, big endian, unit 0 → 0000 0001, then 0000 0000
//!        | bytes: sign bits flipped, 00 → 00 01, then 00 00
//! ```

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};

/// What rows are compared by: an index of a column, and how.
#[derive(Debug, Clone, Copy)]
pub struct SortColumn {
    /// Index of the column.
    pub index: usize,
    /// From the greatest on.
    pub descending: bool,
    /// NULL comes before all values.
    pub nulls_first: bool,
}

/// Appends the key of `row`.
pub(super) fn encode(columns: &[ArrayRef], keys: &[SortColumn], row: usize, out: &mut Vec<u8>) {
    for key in keys {
        let column = &columns[key.index];
        if column.is_null(row) {
            out.push(if key.nulls_first { 0 } else { 2 });
            continue;
        }
        out.push(1);
        let start = out.len();
        encode_value(column, row, out);
        if key.descending {
            out[start..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

fn encode_value(column: &dyn Array, row: usize, out: &mut Vec<u8>) {
    match column.data_type() {
        DataType::Boolean => out.push(u8::from(column.as_boolean().value(row))),
        DataType::Int32 => signed(&column.as_primitive::<Int32Type>().value(row).to_be_bytes(), out),
        DataType::Int64 => signed(&column.as_primitive::<Int64Type>().value(row).to_be_bytes(), out),
        DataType::Float64 => double(column.as_primitive::<Float64Type>().value(row), out),
        DataType::Date32 => signed(&column.as_primitive::<Date32Type>().value(row).to_be_bytes(), out),
        DataType::Time32(_) => signed(&column.as_primitive::<Time32MillisecondType>().value(row).to_be_bytes(), out),
        DataType::Timestamp(..) => {
            signed(&column.as_primitive::<TimestampMillisecondType>().value(row).to_be_bytes(), out);
        }
        DataType::Decimal128(..) => signed(&column.as_primitive::<Decimal128Type>().value(row).to_be_bytes(), out),
        DataType::Decimal256(..) => signed(&column.as_primitive::<Decimal256Type>().value(row).to_be_bytes(), out),
        DataType::Utf8 => text(column.as_string::<i32>().value(row), out),
        DataType::Binary => bytes(column.as_binary::<i32>().value(row), out),
        other => unreachable!("values of {other} have no order, which is said when the query is planned"),
    }
}

fn signed(big_endian: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(big_endian);
    out[start] ^= 0x80;
}

/// In Java's order: -0.0 before 0.0, NaN, of which there is one, after all others.
fn double(value: f64, out: &mut Vec<u8>) {
    let bits = if value.is_nan() { f64::NAN.abs().to_bits() } else { value.to_bits() };
    let ordered = if bits >> 63 == 1 { !bits } else { bits ^ (1 << 63) };
    out.extend_from_slice(&ordered.to_be_bytes());
}

fn text(text: &str, out: &mut Vec<u8>) {
    for unit in text.encode_utf16() {
        out.extend_from_slice(&unit.to_be_bytes());
        if unit == 0 {
            out.extend_from_slice(&[0, 1]);
        }
    }
    out.extend_from_slice(&[0; 4]);
}

fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        let ordered = byte ^ 0x80;
        out.push(ordered);
        if ordered == 0 {
            out.push(1);
        }
    }
    out.extend_from_slice(&[0; 2]);
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Float64Array, StringArray};
    use proptest::prelude::*;

    use super::*;
    use crate::types::java_order;

    fn order(column: &ArrayRef, descending: bool) -> Ordering {
        let key = |row| {
            let mut out = Vec::new();
            let keys = [SortColumn { index: 0, descending, nulls_first: false }];
            encode(std::slice::from_ref(column), &keys, row, &mut out);
            out
        };
        key(0).cmp(&key(1))
    }

    proptest! {
        #[test]
        fn texts_are_in_the_order_of_java(a in "\\PC{0,4}|[\u{0}-\u{2}]{0,3}", b in "\\PC{0,4}|[\u{0}-\u{2}]{0,3}") {
            let column: ArrayRef = Arc::new(StringArray::from(vec![a.as_str(), b.as_str()]));
            prop_assert_eq!(order(&column, false), java_order::of_texts(&a, &b));
            prop_assert_eq!(order(&column, true), java_order::of_texts(&b, &a));
        }

        #[test]
        fn bytes_are_in_the_order_of_java(a in proptest::collection::vec(0x7eu8..0x83, 0..4), b in proptest::collection::vec(0x7eu8..0x83, 0..4)) {
            let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&a, &b]));
            prop_assert_eq!(order(&column, false), java_order::of_bytes(&a, &b));
            prop_assert_eq!(order(&column, true), java_order::of_bytes(&b, &a));
        }

        #[test]
        fn doubles_are_in_the_order_of_java(a: f64, b: f64) {
            let column: ArrayRef = Arc::new(Float64Array::from(vec![a, b]));
            prop_assert_eq!(order(&column, false), java_order::of_doubles(a, b));
        }
    }
}
