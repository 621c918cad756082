//! `JSON_ARRAY_CONTAINS(json, value)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type};
use levada_udf::{Batch, Column, scalar};

use crate::types::java_text;

use super::scanner::{Scanner, for_each_element};

/// Whether an array has a value.
#[scalar(
    name = "json_array_contains",
    signature = "(json STRING, value T) -> BOOLEAN",
    example(r#"JSON_ARRAY_CONTAINS('["a", "b"]', 'b')"# = "true")
)]
pub(super) fn json_array_contains(batch: &mut Batch<'_>) -> ArrayRef {
    let sought = batch.arguments()[1].array();
    match sought.data_type() {
        DataType::Boolean => {
            let sought = sought.as_boolean();
            search(batch, |at, element| element == if sought.value(at) { "true" } else { "false" })
        }
        DataType::Int32 => {
            let sought = sought.as_primitive::<Int32Type>();
            search(batch, |at, element| whole(element) == Some(i64::from(sought.value(at))))
        }
        DataType::Int64 => {
            let sought = sought.as_primitive::<Int64Type>();
            search(batch, |at, element| whole(element) == Some(sought.value(at)))
        }
        DataType::Float64 => {
            let sought = sought.as_primitive::<Float64Type>();
            search(batch, |at, element| {
                fractional(element).and_then(|text| text.parse().ok()) == Some(sought.value(at))
            })
        }
        DataType::Decimal128(_, scale) => {
            let (sought, scale) = (sought.as_primitive::<Decimal128Type>(), *scale as u8);
            search(batch, |at, element| {
                is_decimal(element, |out| java_text::write_decimal128(out, sought.value(at), scale))
            })
        }
        DataType::Decimal256(_, scale) => {
            let (sought, scale) = (sought.as_primitive::<Decimal256Type>(), *scale as u8);
            search(batch, |at, element| {
                is_decimal(element, |out| java_text::write_decimal256(out, sought.value(at), scale))
            })
        }
        DataType::Utf8 => {
            let sought = sought.as_string::<i32>();
            search(batch, |at, element| is_text(element, sought.value(at)))
        }
        _ => search(batch, |_, _| false),
    }
}

/// Whether an element is what `is_equal` finds equal to the value at an index; NULL is `null`.
fn search(batch: &Batch<'_>, is_equal: impl Fn(usize, &str) -> bool) -> ArrayRef {
    let documents = Column::<&str>::new(&batch.arguments()[0]);
    let sought = &batch.arguments()[1];
    let is_untyped = *sought.array().data_type() == DataType::Null;
    let mut results = BooleanBuilder::with_capacity(batch.rows());
    for row in 0..batch.rows() {
        if documents.is_missing(row) {
            results.append_null();
            continue;
        }
        let is_null = is_untyped || sought.is_null(row);
        let index = sought.index(row);
        let mut found = false;
        let is_array = for_each_element(documents.get(row), |element| {
            found = found || if is_null { element == "null" } else { is_equal(index, element) };
        });
        results.append_value(is_array == Ok(true) && found);
    }
    Arc::new(results.finish())
}

/// The number that `element` is, if that is a whole one.
fn whole(element: &str) -> Option<i64> {
    element.parse().ok()
}

/// `element`, if it is a number written with a point or an exponent.
fn fractional(element: &str) -> Option<&str> {
    let is_number = element.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    (is_number && element.contains(['.', 'e', 'E'])).then_some(element)
}

/// Whether `element` is the number, written with a point or an exponent, that `write` writes.
fn is_decimal(element: &str, write: impl Fn(&mut Vec<u8>)) -> bool {
    let Some(element) = fractional(element) else { return false };
    let mut sought = Vec::new();
    write(&mut sought);
    std::str::from_utf8(&sought).is_ok_and(|sought| significant(sought) == significant(element))
}

/// Sign, digits without zeros around them, and the power of ten of the last of them.
fn significant(number: &str) -> (bool, Vec<u8>, i64) {
    let unsigned = number.trim_start_matches('-');
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0').collect();
    let mut power = exponent.parse::<i64>().unwrap_or(0) - fraction.len() as i64;
    while digits.last() == Some(&b'0') {
        digits.pop();
        power += 1;
    }
    if digits.is_empty() { (false, digits, 0) } else { (number.starts_with('-'), digits, power) }
}

fn is_text(element: &str, text: &str) -> bool {
    let mut scanner = Scanner::new(element);
    scanner.next_token() == b'"' && scanner.string().is_ok_and(|element| element.is(text))
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, NullArray, StringArray};
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::*;

    #[test]
    fn values_are_found_by_type_and_value() {
        let document = r#"[1, 2.0, "3", "\u0061", true, 1e2, [5], {"a": 6}, 7.50]"#;
        let int = |value| Arc::new(Int32Array::from(vec![value])) as ArrayRef;
        let long = |value| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        let double = |value| Arc::new(Float64Array::from(vec![value])) as ArrayRef;
        let text = |value| Arc::new(StringArray::from(vec![value])) as ArrayRef;
        let boolean = |value| Arc::new(BooleanArray::from(vec![value])) as ArrayRef;
        let decimal = |value| {
            let array = Decimal128Array::from(vec![value]).with_precision_and_scale(4, 2).expect("a type");
            Arc::new(array) as ArrayRef
        };
        let cases = [
            (int(1), true),
            (long(1), true),
            (int(2), false),
            (int(100), false),
            (int(5), false),
            (double(1.0), false),
            (double(2.0), true),
            (double(100.0), true),
            (double(7.5), true),
            (decimal(200), true),
            (decimal(750), true),
            (decimal(100), false),
            (text("3"), true),
            (text("a"), true),
            (text("true"), false),
            (boolean(true), true),
            (boolean(false), false),
            (Arc::new(NullArray::new(1)), false),
        ];
        for (sought, expected) in cases {
            let arguments = [Operand::Column(text(document)), Operand::Constant(Arc::clone(&sought))];
            let found = evaluated("JSON_ARRAY_CONTAINS", &arguments, 1);
            assert_eq!(*found.as_boolean(), BooleanArray::from(vec![expected]), "{sought:?}");
        }
    }

    #[test]
    fn what_is_no_array_contains_nothing() {
        let documents = vec![Some("[null]"), Some("{\"a\": null}"), Some("null"), Some("[null"), Some(""), None];
        let documents = Operand::Column(Arc::new(StringArray::from(documents)));
        let sought = Operand::Constant(Arc::new(StringArray::from(vec![None::<&str>])));
        let found = evaluated("JSON_ARRAY_CONTAINS", &[documents, sought], 6);
        let expected = vec![Some(true), Some(false), Some(false), Some(false), Some(false), None];
        assert_eq!(*found.as_boolean(), BooleanArray::from(expected));
    }
}
