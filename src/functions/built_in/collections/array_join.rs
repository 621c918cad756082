//! `ARRAY_JOIN(array[, delimiter])`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type};
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use crate::types::java_text::{write_big_decimal, write_double, write_integer};

/// The elements as one text, with a comma or the given text in between.
#[scalar(
    name = "ARRAY_JOIN",
    signature = "(array ARRAY<T>) -> STRING",
    signature = "(array ARRAY<T>, delimiter STRING) -> STRING",
    example("ARRAY_JOIN(ARRAY[1, NULL, 2])" = "'1,null,2'"),
    example("ARRAY_JOIN(ARRAY['a', 'b'], ' or ')" = "'a or b'")
)]
pub(super) fn array_join(batch: &mut Batch<'_>) -> ArrayRef {
    let arrays = Elements::new(&batch.arguments()[0]);
    let column = arrays.column();
    match column.data_type() {
        DataType::Boolean => {
            let values = column.as_boolean();
            joined(batch, &arrays, |out, place| {
                out.extend_from_slice(if values.value(place) { b"true" } else { b"false" });
            })
        }
        DataType::Int32 => {
            let values = column.as_primitive::<Int32Type>().values();
            joined(batch, &arrays, |out, place| write_integer(out, i64::from(values[place])))
        }
        DataType::Int64 => {
            let values = column.as_primitive::<Int64Type>().values();
            joined(batch, &arrays, |out, place| write_integer(out, values[place]))
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>().values();
            joined(batch, &arrays, |out, place| write_double(out, values[place]))
        }
        DataType::Decimal128(_, scale) => {
            let values = column.as_primitive::<Decimal128Type>().values();
            joined(batch, &arrays, |out, place| write_decimal(out, &values[place].to_string(), *scale))
        }
        DataType::Decimal256(_, scale) => {
            let values = column.as_primitive::<Decimal256Type>().values();
            joined(batch, &arrays, |out, place| write_decimal(out, &values[place].to_string(), *scale))
        }
        DataType::Utf8 => {
            let values = column.as_string::<i32>();
            joined(batch, &arrays, |out, place| out.extend_from_slice(values.value(place).as_bytes()))
        }
        _ => {
            let rows = (0..batch.rows())
                .filter(|&row| arrays.range(row).is_some_and(|mut range| range.any(|place| column.is_valid(place))));
            rows.collect::<Vec<_>>()
                .into_iter()
                .for_each(|row| batch.fail(row, "elements of this type cannot be joined"));
            joined(batch, &arrays, |_, _| {})
        }
    }
}

/// `unscaled` · 10^-`scale`
fn write_decimal(out: &mut Vec<u8>, unscaled: &str, scale: i8) {
    let digits = unscaled.strip_prefix('-');
    write_big_decimal(out, digits.is_some(), digits.unwrap_or(unscaled).as_bytes(), i64::from(scale));
}

/// The elements of each row as `write` writes those that are not NULL.
fn joined(batch: &Batch<'_>, arrays: &Elements<'_>, write: impl Fn(&mut Vec<u8>, usize)) -> ArrayRef {
    let column = arrays.column();
    let delimiters = batch.arguments().get(1);
    let mut texts = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..batch.rows() {
        let Some(range) = arrays.range(row) else {
            texts.append_null();
            continue;
        };
        let delimiter = delimiters.map_or(",", |operand| match operand.array().as_string_opt::<i32>() {
            Some(values) if !operand.is_null(row) => values.value(operand.index(row)),
            _ => "",
        });
        text.clear();
        for place in range.clone() {
            if place > range.start {
                text.extend_from_slice(delimiter.as_bytes());
            }
            if column.is_null(place) {
                text.extend_from_slice(b"null");
            } else {
                write(&mut text, place);
            }
        }
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Arc::new(texts.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Decimal128Array, Float64Array, ListArray, StringArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::Field;
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::super::super::tests::evaluated_with_failures;
    use super::super::tests::arrays;
    use super::*;

    #[test]
    fn null_delimits_nothing() {
        let array = || Some(vec![Some(1), None, Some(-2)]);
        let delimiters = Operand::Column(Arc::new(StringArray::from(vec![Some("; "), None, Some(""), Some("-")])));
        let found = evaluated("ARRAY_JOIN", &[arrays([array(), array(), Some(vec![]), None]), delimiters], 4);
        let expected = StringArray::from(vec![Some("1; null; -2"), Some("1null-2"), Some(""), None]);
        assert_eq!(*found.as_string::<i32>(), expected);
    }

    #[test]
    fn numbers_are_shown_as_java_does() {
        let small = Decimal128Array::from(vec![0, 5, -120]).with_precision_and_scale(10, 7).expect("a decimal");
        let cases: [(ArrayRef, &str); 2] = [
            (Arc::new(Float64Array::from(vec![0.1, 1e7, f64::NAN])), "0.1,1.0E7,NaN"),
            (Arc::new(small), "0E-7,5E-7,-0.0000120"),
        ];
        for (values, expected) in cases {
            let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
            let list = ListArray::new(field, OffsetBuffer::from_lengths([3]), values, None);
            let found = evaluated("ARRAY_JOIN", &[Operand::Column(Arc::new(list))], 1);
            assert_eq!(found.as_string::<i32>().value(0), expected);
        }
    }

    #[test]
    fn dates_cannot_be_joined() {
        let values = Date32Array::from(vec![Some(1), None]);
        let field = Arc::new(Field::new_list_field(DataType::Date32, true));
        let list = ListArray::new(field, OffsetBuffer::from_lengths([1, 1]), Arc::new(values), None);
        let (_, failures) = evaluated_with_failures("ARRAY_JOIN", &[Operand::Column(Arc::new(list))], 2);
        assert_eq!(failures, [(0, "elements of this type cannot be joined".to_owned())]);
    }
}
