//! `CAST`: the whole matrix of ksqldb-surface 2.5. A value that cannot be converted is NULL and fails the row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    ListArray, MapArray, StringBuilder, StructArray, Time32MillisecondArray, TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType, i256};
use datafusion_physical_expr::PhysicalExpr;

use super::arithmetic::{decimal_cell, decimals_of, power_of_ten, rescaled};
use super::compile::unary;
use super::{Literal, row_errors};
use crate::types::calendar::DAY_MS;
use crate::types::{SqlType, iso_text, java_text};

/// Whether `CAST` has this pair.
pub(super) fn can_cast(from: &SqlType, to: &SqlType) -> bool {
    use SqlType::{
        Array, Bigint, Boolean, Bytes, Date, Decimal, Double, Integer, Map, String, Struct, Time, Timestamp,
    };
    if from == to {
        return true;
    }
    match (from, to) {
        (Bytes, _) => false,
        (_, String) => true,
        (Integer, Bigint | Decimal { .. } | Double)
        | (Bigint, Integer | Decimal { .. } | Double)
        | (Decimal { .. }, Integer | Bigint | Decimal { .. } | Double)
        | (Double, Integer | Bigint | Decimal { .. })
        | (String, Boolean | Integer | Bigint | Decimal { .. } | Double | Timestamp | Date | Time | Bytes)
        | (Timestamp, Time | Date)
        | (Date, Timestamp) => true,
        (Array(from), Array(to)) => can_cast(from, to),
        (Map(from_key, from), Map(to_key, to)) => can_cast(from_key, to_key) && can_cast(from, to),
        (Struct(from), Struct(to)) => to.iter().all(|field| {
            from.iter()
                .find(|other| other.name == field.name)
                .is_none_or(|other| can_cast(&other.sql_type, &field.sql_type))
        }),
        _ => false,
    }
}

/// Whether ksqlDB converts this pair without CAST: numbers upwards, texts to times.
pub(super) fn can_coerce(from: &SqlType, to: &SqlType) -> bool {
    use SqlType::{Bigint, Bytes, Date, Decimal, Double, Integer, String, Time, Timestamp};
    match (from, to) {
        (from, to) if from == to => true,
        (Integer, Bigint | Double) | (Bigint | Decimal { .. }, Double) => true,
        (Integer, Decimal { precision, scale }) => precision - scale >= 10,
        (Bigint, Decimal { precision, scale }) => precision - scale >= 19,
        (Decimal { precision: p1, scale: s1 }, Decimal { precision: p2, scale: s2 }) => s1 <= s2 && p1 - s1 <= p2 - s2,
        (String, Time | Date | Timestamp | Bytes) => true,
        _ => false,
    }
}

pub(super) fn compile(input: Arc<dyn PhysicalExpr>, from: SqlType, to: SqlType) -> Arc<dyn PhysicalExpr> {
    unary("CAST", input, to.arrow(), move |values| cast(values, &from, &to))
}

/// `values` of type `from` as values of type `to`.
fn cast(values: &ArrayRef, from: &SqlType, to: &SqlType) -> ArrayRef {
    match (from, to) {
        (from, to) if from == to => Arc::clone(values),
        (_, SqlType::String) => to_text(values, from),
        (SqlType::String, _) => from_text(values, to),
        (SqlType::Array(from), SqlType::Array(to_element)) => {
            let list = values.as_list::<i32>();
            let DataType::List(field) = to.arrow() else { unreachable!("ARRAY is held in lists") };
            let elements = quietly(|| cast(list.values(), from, to_element));
            Arc::new(ListArray::new(field, list.offsets().clone(), elements, list.nulls().cloned()))
        }
        (SqlType::Map(from_key, from_value), SqlType::Map(to_key, to_value)) => {
            let map = values.as_map();
            let DataType::Map(field, _) = to.arrow() else { unreachable!("MAP is held in maps") };
            let DataType::Struct(fields) = field.data_type() else { unreachable!("map entries are structs") };
            let keys = quietly(|| cast(map.keys(), from_key, to_key));
            let entries = quietly(|| cast(map.values(), from_value, to_value));
            let entries = StructArray::new(fields.clone(), vec![keys, entries], None);
            Arc::new(MapArray::new(Arc::clone(&field), map.offsets().clone(), entries, map.nulls().cloned(), false))
        }
        (SqlType::Struct(from_fields), SqlType::Struct(to_fields)) => {
            let structs = values.as_struct();
            let DataType::Struct(fields) = to.arrow() else { unreachable!("STRUCT is held in structs") };
            let columns =
                to_fields.iter().map(|field| match from_fields.iter().position(|other| other.name == field.name) {
                    Some(index) => cast(structs.column(index), &from_fields[index].sql_type, &field.sql_type),
                    None => new_null_array(&field.sql_type.arrow(), values.len()),
                });
            let columns = columns.collect();
            let structs = StructArray::try_new_with_length(fields, columns, structs.nulls().cloned(), values.len());
            Arc::new(structs.expect("fields were converted one by one"))
        }
        (SqlType::Timestamp, SqlType::Date) => {
            let times = values.as_primitive::<TimestampMillisecondType>();
            Arc::new(times.unary::<_, Date32Type>(|time| time.div_euclid(DAY_MS) as i32))
        }
        (SqlType::Timestamp, SqlType::Time) => {
            let times = values.as_primitive::<TimestampMillisecondType>();
            Arc::new(
                times
                    .iter()
                    .map(|time| time.map(|time| time.rem_euclid(DAY_MS) as i32))
                    .collect::<Time32MillisecondArray>(),
            )
        }
        (SqlType::Date, SqlType::Timestamp) => {
            let dates = values.as_primitive::<Date32Type>();
            Arc::new(dates.unary::<_, TimestampMillisecondType>(|days| i64::from(days) * DAY_MS))
        }
        _ => cast_number(values, from, to),
    }
}

/// Elements of collections that fail are NULL; their rows are not the batch's rows, so nothing is reported.
fn quietly<T>(convert: impl FnOnce() -> T) -> T {
    row_errors::silenced(convert)
}

fn cast_number(values: &ArrayRef, from: &SqlType, to: &SqlType) -> ArrayRef {
    match (from, to) {
        (SqlType::Integer, SqlType::Bigint) => {
            Arc::new(values.as_primitive::<Int32Type>().unary::<_, Int64Type>(i64::from))
        }
        (SqlType::Integer, SqlType::Double) => {
            Arc::new(values.as_primitive::<Int32Type>().unary::<_, Float64Type>(f64::from))
        }
        (SqlType::Bigint, SqlType::Integer) => {
            Arc::new(values.as_primitive::<Int64Type>().unary::<_, Int32Type>(|value| value as i32))
        }
        (SqlType::Bigint, SqlType::Double) => {
            Arc::new(values.as_primitive::<Int64Type>().unary::<_, Float64Type>(|value| value as f64))
        }
        (SqlType::Double, SqlType::Integer) => {
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Int32Type>(|value| value as i32))
        }
        (SqlType::Double, SqlType::Bigint) => {
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Int64Type>(|value| value as i64))
        }
        (_, SqlType::Decimal { precision, scale }) => {
            to_decimal(values, from, &to.arrow(), (*precision, i32::from(*scale)))
        }
        (SqlType::Decimal { .. }, _) => from_decimal(values, to),
        _ => unreachable!("{from} to {to} was refused when the expression was typed"),
    }
}

fn to_decimal(values: &ArrayRef, from: &SqlType, to: &DataType, (precision, scale): (u8, i32)) -> ArrayRef {
    let digits = |row: usize| -> Option<(i256, i32)> {
        Some(match from {
            SqlType::Integer => (i256::from_i128(values.as_primitive::<Int32Type>().value(row).into()), 0),
            SqlType::Bigint => (i256::from_i128(values.as_primitive::<Int64Type>().value(row).into()), 0),
            SqlType::Double => double_digits(values.as_primitive::<Float64Type>().value(row), precision)?,
            _ => decimal_cell(values, row),
        })
    };
    let converted = (0..values.len()).map(|row| {
        if values.is_null(row) {
            return None;
        }
        let converted = digits(row).and_then(|(digits, from)| fitted(digits, from, precision, scale));
        if converted.is_none() {
            row_errors::report(row, || "Numeric field overflow".to_owned());
        }
        converted
    });
    decimals_of(converted, to)
}

/// `digits` of scale `from` as a DECIMAL of this type, half up; `None` if it has too many digits before the point. That is asked
/// before it is rounded, as ksqlDB does: 9.99 as DECIMAL(2, 1) is 10.0.
fn fitted(digits: i256, from: i32, precision: u8, scale: i32) -> Option<i256> {
    if digits == i256::ZERO {
        return Some(digits);
    }
    let exponent = (i32::from(precision) - scale).saturating_add(from);
    let fits = match power_of_ten(exponent) {
        Some(limit) => digits < limit && digits > limit.wrapping_neg(),
        // 256 bits hold no such number, or it is less than one.
        None => exponent >= 0,
    };
    fits.then(|| rounded(digits, from, scale))?
}

/// Digits and scale of the exact value of `value`, rounded half up to `precision` digits, as Java's
/// `new BigDecimal(value, new MathContext(precision))` has them.
fn double_digits(value: f64, precision: u8) -> Option<(i256, i32)> {
    if !value.is_finite() {
        return None;
    }
    let precision = usize::from(precision);
    let shortest = format!("{value:e}");
    let (mantissa, _) = shortest.split_once('e')?;
    // The shortest text is the exact value rounded, where no more digits are asked for than a double holds in any case.
    let text = if precision <= 15 && mantissa.bytes().filter(u8::is_ascii_digit).count() <= precision {
        shortest
    } else {
        format!("{value:.EXACT_DIGITS$e}")
    };
    let (mantissa, exponent) = text.split_once('e')?;
    let negative = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().ok()?;
    let kept = digits.len().min(precision);
    let mut rounded = i256::from_string(&digits[..kept])?;
    if digits.as_bytes().get(kept).is_some_and(|next| *next >= b'5') {
        rounded = rounded.checked_add(i256::ONE)?;
    }
    let signed = if negative { rounded.wrapping_neg() } else { rounded };
    Some((signed, kept as i32 - 1 - exponent))
}

/// Digits behind the first that every double has enough with.
const EXACT_DIGITS: usize = 766;

/// `digits` of scale `from` with scale `to`, half up.
fn rounded(digits: i256, from: i32, to: i32) -> Option<i256> {
    if to >= from {
        return rescaled(digits, from, to);
    }
    if from - to > i32::from(SqlType::DECIMAL_DIGITS_MAX) {
        return Some(i256::ZERO);
    }
    let divisor = power_of_ten(from - to)?;
    let half = divisor.checked_div(i256::from_i128(2))?;
    let away = if digits < i256::ZERO { digits.checked_sub(half)? } else { digits.checked_add(half)? };
    away.checked_div(divisor)
}

fn from_decimal(values: &ArrayRef, to: &SqlType) -> ArrayRef {
    let whole = |row: usize| -> Option<i256> {
        if values.is_null(row) {
            return None;
        }
        let (digits, scale) = decimal_cell(values, row);
        digits.checked_div(power_of_ten(scale)?)
    };
    let rows = 0..values.len();
    match to {
        SqlType::Integer => {
            Arc::new(rows.map(|row| whole(row).map(|whole| whole.as_i128() as i32)).collect::<Int32Array>())
        }
        SqlType::Bigint => {
            Arc::new(rows.map(|row| whole(row).map(|whole| whole.as_i128() as i64)).collect::<Int64Array>())
        }
        _ => {
            let mut text = Vec::new();
            let doubles = rows.map(|row| {
                if values.is_null(row) {
                    return None;
                }
                let (digits, scale) = decimal_cell(values, row);
                text.clear();
                java_text::write_decimal256(&mut text, digits, scale as u8);
                std::str::from_utf8(&text).ok()?.parse::<f64>().ok()
            });
            Arc::new(doubles.collect::<Float64Array>())
        }
    }
}

fn to_text(values: &ArrayRef, from: &SqlType) -> ArrayRef {
    let mut texts = StringBuilder::with_capacity(values.len(), values.len() * 8);
    let mut text = Vec::new();
    for row in 0..values.len() {
        if values.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        java_text::write_value(&mut text, values, row, from);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Arc::new(texts.finish())
}

/// What Java's `trim` takes away.
fn is_blank(c: char) -> bool {
    c <= ' '
}

/// Parses every text; those that are no value of the type are NULL and reported.
fn parse_all<T>(values: &ArrayRef, to: &SqlType, parse: impl Fn(&str) -> Option<T>) -> Vec<Option<T>> {
    let texts = values.as_string::<i32>();
    let parsed = texts.iter().enumerate().map(|(row, text)| {
        let text = text?;
        let value = parse(text.trim_matches(is_blank));
        if value.is_none() {
            row_errors::report(row, || format!("'{text}' is no {to}"));
        }
        value
    });
    parsed.collect()
}

fn from_text(values: &ArrayRef, to: &SqlType) -> ArrayRef {
    match to {
        SqlType::Boolean => {
            let truth = |text: &str| !text.is_empty() && ["true", "yes"].iter().any(|word| is_prefix(word, text));
            Arc::new(
                values
                    .as_string::<i32>()
                    .iter()
                    .map(|text| text.map(|text| truth(text.trim_matches(is_blank))))
                    .collect::<BooleanArray>(),
            )
        }
        SqlType::Integer => Arc::new(Int32Array::from(parse_all(values, to, |text| text.parse().ok()))),
        SqlType::Bigint => Arc::new(Int64Array::from(parse_all(values, to, |text| text.parse().ok()))),
        SqlType::Double => {
            let finite = |text: &str| {
                // Java lets a number say that it is a double, or a float.
                let number = text.strip_suffix(['d', 'D', 'f', 'F']).filter(|rest| rest.ends_with(is_part_of_number));
                number.unwrap_or(text).parse::<f64>().ok().filter(|value| value.is_finite())
            };
            Arc::new(Float64Array::from(parse_all(values, to, finite)))
        }
        SqlType::Decimal { precision, scale } => {
            let parse = |text: &str| {
                let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
                let exponent: i32 = exponent.parse().ok()?;
                let unsigned = mantissa.strip_prefix('+').filter(|rest| !rest.starts_with('-'));
                let Literal::Decimal(digits, _, from) = Literal::decimal(unsigned.unwrap_or(mantissa))? else {
                    return None;
                };
                fitted(digits, i32::from(from).checked_sub(exponent)?, *precision, i32::from(*scale))
            };
            decimals_of(parse_all(values, to, parse).into_iter(), &to.arrow())
        }
        SqlType::Timestamp => {
            Arc::new(TimestampMillisecondArray::from(parse_all(values, to, iso_text::parse_timestamp)))
        }
        SqlType::Date => {
            let date = |text: &str| iso_text::parse_timestamp(text).map(|time| time.div_euclid(DAY_MS) as i32);
            Arc::new(Date32Array::from(parse_all(values, to, date)))
        }
        SqlType::Time => Arc::new(Time32MillisecondArray::from(parse_all(values, to, iso_text::parse_time))),
        SqlType::Bytes => {
            let mut bytes = BinaryBuilder::new();
            let decode = |text: &str| {
                let mut decoded = Vec::new();
                java_text::read_base64(&mut decoded, text.as_bytes()).then_some(decoded)
            };
            parse_all(values, to, decode).into_iter().for_each(|value| bytes.append_option(value));
            Arc::new(bytes.finish())
        }
        other => unreachable!("STRING to {other} was refused when the expression was typed"),
    }
}

/// A digit or a point.
fn is_part_of_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

/// Whether `text` names a truth value where no other text may stand: part of one of four words.
pub(super) fn is_boolean_text(text: &str) -> bool {
    !text.is_empty() && ["true", "false", "yes", "no"].iter().any(|word| is_prefix(word, text))
}

/// Whether `text` is a prefix of `word`, whatever its case.
fn is_prefix(word: &str, text: &str) -> bool {
    word.len() >= text.len() && word.is_char_boundary(text.len()) && word[..text.len()].eq_ignore_ascii_case(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_exponent_are_fitted() {
        let (one, zero) = (i256::ONE, Some(i256::ZERO));
        assert_eq!(fitted(one, 0, 5, 2), i256::from_string("100"));
        assert_eq!(fitted(one, i32::MAX, 5, 2), zero);
        assert_eq!(fitted(one, i32::MIN, 5, 2), None);
        assert_eq!(fitted(i256::ZERO, i32::MIN, 5, 2), zero);
    }

    #[test]
    fn texts_stand_for_booleans_by_their_prefix() {
        assert!(is_prefix("true", "T") && is_prefix("yes", "yes") && !is_prefix("true", "truely"));
    }
}
