//! Which of two elements comes first, as Java's `compareTo` has it.

use std::cmp::Ordering;

use super::equality::canonical_double;

/// Evaluates `$body` with `$compare`, which compares two elements of `$values` that are not NULL by their indices. `None` if
/// values of that type are in no order.
macro_rules! with_order {
    ($values:expr, $compare:ident => $body:expr) => {{
        use arrow::array::{Array as _, AsArray as _};
        use arrow::datatypes as types;
        macro_rules! primitive {
            ($arrow:ty, $order:expr) => {{
                let values = $values.as_primitive::<$arrow>().values();
                let $compare = |a: usize, b: usize| $order(values[a], values[b]);
                Some($body)
            }};
        }
        match $values.data_type() {
            types::DataType::Boolean => {
                let values = $values.as_boolean();
                let $compare = |a: usize, b: usize| values.value(a).cmp(&values.value(b));
                Some($body)
            }
            types::DataType::Int32 => primitive!(types::Int32Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Int64 => primitive!(types::Int64Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Float64 => primitive!(types::Float64Type, $crate::functions::built_in::order::doubles),
            types::DataType::Date32 => primitive!(types::Date32Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Time32(_) => primitive!(types::Time32MillisecondType, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Timestamp(..) => primitive!(types::TimestampMillisecondType, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Decimal128(..) => primitive!(types::Decimal128Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Decimal256(..) => primitive!(types::Decimal256Type, |a, b| Ord::cmp(&a, &b)),
            types::DataType::Utf8 => {
                let values = $values.as_string::<i32>();
                let $compare =
                    |a: usize, b: usize| $crate::functions::built_in::order::texts(values.value(a), values.value(b));
                Some($body)
            }
            types::DataType::Binary => {
                let values = $values.as_binary::<i32>();
                let $compare =
                    |a: usize, b: usize| $crate::functions::built_in::order::bytes(values.value(a), values.value(b));
                Some($body)
            }
            _ => None,
        }
    }};
}
pub(super) use with_order;

/// NaN after all others, -0.0 before 0.0.
pub(super) fn doubles(a: f64, b: f64) -> Ordering {
    canonical_double(a).total_cmp(&canonical_double(b))
}

/// By UTF-16 units.
pub(super) fn texts(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => rank(*a).cmp(&rank(*b)),
        None => a.len().cmp(&b.len()),
    }
}

/// Characters from U+10000 on are two surrogates in UTF-16, which come before U+E000.
fn rank(first: u8) -> u8 {
    match first {
        0xEE | 0xEF => first + 0x10,
        0xF0.. => first - 2,
        _ => first,
    }
}

/// By bytes, which have a sign.
pub(super) fn bytes(a: &[u8], b: &[u8]) -> Ordering {
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => a.cast_signed().cmp(&b.cast_signed()),
        None => a.len().cmp(&b.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_in_the_order_of_their_utf_16_units() {
        let texts_in_order =
            ["", "A", "a", "aa", "\u{7ff}", "\u{d7ff}", "\u{10000}", "\u{10ffff}", "\u{e000}", "\u{ffff}"];
        for (i, a) in texts_in_order.iter().enumerate() {
            for (j, b) in texts_in_order.iter().enumerate() {
                assert_eq!(texts(a, b), i.cmp(&j), "{a:?} {b:?}");
                assert_eq!(texts(a, b), a.encode_utf16().cmp(b.encode_utf16()), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn doubles_and_bytes_are_in_the_order_of_java() {
        assert_eq!(doubles(-0.0, 0.0), Ordering::Less);
        assert_eq!(doubles(-f64::NAN, f64::INFINITY), Ordering::Greater);
        assert_eq!(doubles(-f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(bytes(&[0x80], &[0x7f]), Ordering::Less);
        assert_eq!(bytes(&[1], &[1, 0]), Ordering::Less);
    }
}
