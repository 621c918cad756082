//! Java's text forms: how numbers, times and nested values read as text. They are part of the language (CAST to STRING,
//! CONCAT) and of the formats (JSON, DELIMITED).
//!
//! Everything appends to a byte buffer that the caller keeps, and everything written is UTF-8.

use std::io::Write as _;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType, i256,
};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::calendar::{CivilDate, DAY_MS};
use super::{SqlType, StructField};

/// The double that has as few digits as tell `value` from other numbers of four bytes.
pub fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// Java's `Double.toString` since JDK 19: the shortest digits that read back as `value`, always with a digit after the
/// point, and an exponent below 1.0E-3 and from 1.0E7 on.
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else if magnitude == 0.0 || (1.0e-3..1.0e7).contains(&magnitude) {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else {
        write_scientific(out, value);
    }
}

/// `value` as `d.dddE±n`.
fn write_scientific(out: &mut Vec<u8>, value: f64) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value.abs()).as_bytes();
    let mut digits = [0_u8; 24];
    let (mut count, mut exponent) = significant_digits(text, &mut digits);
    if count == 1 && value.abs() < 1.0e-300 {
        // Java takes the closest of all two-digit forms where one digit would do: 4.9E-324, not 5.0E-324. That differs
        // only where doubles are as sparse as two-digit decimals.
        let two = format!("{:.1e}", value.abs());
        if two.parse() == Ok(value.abs()) {
            (count, exponent) = significant_digits(two.as_bytes(), &mut digits);
        }
    }
    if value < 0.0 {
        out.push(b'-');
    }
    out.extend_from_slice(&[digits[0], b'.']);
    out.extend_from_slice(if count > 1 { &digits[1..count] } else { b"0" });
    out.push(b'E');
    out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
}

/// The digits of a positive decimal text without leading and trailing zeros, and the power of ten of the first one.
fn significant_digits(text: &[u8], digits: &mut [u8; 24]) -> (usize, i32) {
    let (mantissa, exponent) = match text.iter().position(|&byte| byte == b'e') {
        Some(at) => (&text[..at], std::str::from_utf8(&text[at + 1..]).ok().and_then(|text| text.parse().ok())),
        None => (text, None),
    };
    let point = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len()) as i32;
    let mut count = 0;
    let mut first = None;
    for (at, &digit) in mantissa.iter().filter(|&&byte| byte != b'.').enumerate() {
        if first.is_none() && digit == b'0' {
            continue;
        }
        first.get_or_insert(at as i32);
        digits[count] = digit;
        count += 1;
    }
    while count > 1 && digits[count - 1] == b'0' {
        count -= 1;
    }
    (count, exponent.unwrap_or(0) + point - 1 - first.unwrap_or(0))
}

/// Java's `BigDecimal.toPlainString` of `unscaled` · 10^-`scale`.
pub fn write_decimal128(out: &mut Vec<u8>, unscaled: i128, scale: u8) {
    let mut buffer = itoa::Buffer::new();
    write_plain(out, unscaled < 0, buffer.format(unscaled.unsigned_abs()).as_bytes(), usize::from(scale));
}

/// As [`write_decimal128`], for decimals past 38 digits.
pub fn write_decimal256(out: &mut Vec<u8>, unscaled: i256, scale: u8) {
    let text = unscaled.to_string();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    write_plain(out, unscaled.is_negative(), digits.as_bytes(), usize::from(scale));
}

fn write_plain(out: &mut Vec<u8>, negative: bool, digits: &[u8], scale: usize) {
    if negative {
        out.push(b'-');
    }
    if scale == 0 {
        out.extend_from_slice(digits);
    } else if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + scale - digits.len(), b'0');
        out.extend_from_slice(digits);
    }
}

/// Java's `BigDecimal.toString` of `digits` · 10^-`scale`: plain while the scale is not negative and the first digit is
/// not below the sixth place after the point, else scientific (`1E+3`, `1.2E-7`). `digits` has no leading zeros, but may
/// be `0`.
pub fn write_big_decimal(out: &mut Vec<u8>, negative: bool, digits: &[u8], scale: i64) {
    let adjusted = (digits.len() as i64 - 1).saturating_sub(scale);
    if scale >= 0 && adjusted >= -6 {
        return write_plain(out, negative, digits, scale as usize);
    }
    if negative {
        out.push(b'-');
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    if adjusted != 0 {
        out.extend_from_slice(if adjusted > 0 { b"E+" } else { b"E" });
        out.extend_from_slice(itoa::Buffer::new().format(adjusted).as_bytes());
    }
}

/// A date as `yyyy-MM-dd`; `days` since 1970-01-01. Years past 9999 have a sign, as in Java's `LocalDate.toString`.
pub fn write_date(out: &mut Vec<u8>, days: i64) {
    let CivilDate { year, month, day, .. } = CivilDate::new(days);
    write_year(out, year);
    write_padded(out, b'-', month);
    write_padded(out, b'-', day);
}

/// A time of day as Java's `LocalTime.toString`: `HH:mm`, with seconds and milliseconds only where they are not zero.
/// `ms` is taken modulo one day.
pub fn write_time(out: &mut Vec<u8>, ms: i32) {
    let ms = i64::from(ms).rem_euclid(DAY_MS) as u32;
    write_hours_minutes(out, ms);
    let (seconds, millis) = (ms / 1000 % 60, ms % 1000);
    if seconds > 0 || millis > 0 {
        write_padded(out, b':', seconds);
    }
    if millis > 0 {
        write_millis(out, millis);
    }
}

/// A timestamp as `yyyy-MM-ddTHH:mm:ss.SSS`; `ms` since 1970-01-01T00:00Z.
pub fn write_timestamp(out: &mut Vec<u8>, ms: i64) {
    write_date(out, ms.div_euclid(DAY_MS));
    out.push(b'T');
    let of_day = ms.rem_euclid(DAY_MS) as u32;
    write_hours_minutes(out, of_day);
    write_padded(out, b':', of_day / 1000 % 60);
    write_millis(out, of_day % 1000);
}

fn write_hours_minutes(out: &mut Vec<u8>, ms: u32) {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    out.extend_from_slice(&[digit(hours / 10), digit(hours % 10)]);
    write_padded(out, b':', minutes);
}

fn write_millis(out: &mut Vec<u8>, millis: u32) {
    out.extend_from_slice(&[b'.', digit(millis / 100), digit(millis / 10 % 10), digit(millis % 10)]);
}

fn write_padded(out: &mut Vec<u8>, separator: u8, value: u32) {
    out.extend_from_slice(&[separator, digit(value / 10), digit(value % 10)]);
}

fn digit(value: u32) -> u8 {
    b'0' + value as u8
}

fn write_year(out: &mut Vec<u8>, year: i64) {
    match year {
        0..=9999 => {}
        ..0 => out.push(b'-'),
        _ => out.push(b'+'),
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(year.unsigned_abs());
    out.extend_from_slice(&b"0000"[digits.len().min(4)..]);
    out.extend_from_slice(digits.as_bytes());
}

/// Row `row` of `array`, whose type is `sql_type`, as Java's `String.valueOf`: numbers and text bare, `[1, 3]`, `{a=1}`,
/// `Struct{A=bar}` (null fields left out), `null`. BYTES are base64.
pub fn write_value(out: &mut Vec<u8>, array: &dyn Array, row: usize, sql_type: &SqlType) {
    if array.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match sql_type {
        SqlType::Boolean => out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" }),
        SqlType::Integer => write_integer(out, i64::from(array.as_primitive::<Int32Type>().value(row))),
        SqlType::Bigint => write_integer(out, array.as_primitive::<Int64Type>().value(row)),
        SqlType::Double => write_double(out, array.as_primitive::<Float64Type>().value(row)),
        SqlType::Decimal { precision, scale } if *precision <= 38 => {
            write_decimal128(out, array.as_primitive::<Decimal128Type>().value(row), *scale);
        }
        SqlType::Decimal { scale, .. } => {
            write_decimal256(out, array.as_primitive::<Decimal256Type>().value(row), *scale);
        }
        SqlType::String => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        SqlType::Bytes => write_base64(out, array.as_binary::<i32>().value(row)),
        SqlType::Date => write_date(out, i64::from(array.as_primitive::<Date32Type>().value(row))),
        SqlType::Time => write_time(out, array.as_primitive::<Time32MillisecondType>().value(row)),
        SqlType::Timestamp => write_timestamp(out, array.as_primitive::<TimestampMillisecondType>().value(row)),
        SqlType::Array(element) => write_list(out, array, row, element),
        SqlType::Map(key, value) => write_map(out, array, row, key, value),
        SqlType::Struct(fields) => write_struct(out, array, row, fields),
    }
}

/// `value` in decimal digits.
pub fn write_integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_list(out: &mut Vec<u8>, array: &dyn Array, row: usize, element: &SqlType) {
    let list = array.as_list::<i32>();
    let (start, end) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
    out.push(b'[');
    for at in start..end {
        if at > start {
            out.extend_from_slice(b", ");
        }
        write_value(out, list.values().as_ref(), at, element);
    }
    out.push(b']');
}

fn write_map(out: &mut Vec<u8>, array: &dyn Array, row: usize, key: &SqlType, value: &SqlType) {
    let map = array.as_map();
    let (start, end) = (map.value_offsets()[row] as usize, map.value_offsets()[row + 1] as usize);
    out.push(b'{');
    for at in start..end {
        if at > start {
            out.extend_from_slice(b", ");
        }
        write_value(out, map.keys().as_ref(), at, key);
        out.push(b'=');
        write_value(out, map.values().as_ref(), at, value);
    }
    out.push(b'}');
}

fn write_struct(out: &mut Vec<u8>, array: &dyn Array, row: usize, fields: &[StructField]) {
    let columns = array.as_struct().columns();
    let present = fields.iter().zip(columns).filter(|(_, column)| !column.is_null(row));
    out.extend_from_slice(b"Struct{");
    for (at, (field, column)) in present.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let _ = write!(out, "{}=", field.name);
        write_value(out, column.as_ref(), row, &field.sql_type);
    }
    out.push(b'}');
}

/// As Java reads it: bits at the end that belong to no byte may be anything.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// `bytes` in base64 with padding, without line breaks.
pub fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let (start, length) = (out.len(), base64::encoded_len(bytes.len(), true).expect("what is in memory has a length"));
    out.resize(start + length, 0);
    BASE64.encode_slice(bytes, &mut out[start..]).expect("there is room for all of it");
}

/// Appends what base64 `text` (padded, blanks ignored) stands for; false, with nothing appended, if it is not base64.
pub fn read_base64(out: &mut Vec<u8>, text: &[u8]) -> bool {
    let start = out.len();
    let is_blank = |byte: &u8| *byte <= b' ';
    let read = if text.iter().any(is_blank) {
        let bare: Vec<u8> = text.iter().copied().filter(|byte| !is_blank(byte)).collect();
        BASE64.decode_vec(bare, out)
    } else {
        BASE64.decode_vec(text, out)
    };
    if read.is_err() {
        out.truncate(start);
    }
    read.is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int32Array, ListArray, MapBuilder, StringBuilder, StructArray};
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("only UTF-8 is written")
    }

    #[test]
    fn doubles_read_as_java_prints_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (0.000_123, "1.23E-4"),
            (9_999_999.0, "9999999.0"),
            (9_999_999.999, "9999999.999"),
            (1.0e7, "1.0E7"),
            (1.2e7, "1.2E7"),
            (12_345_678.9, "1.23456789E7"),
            (-1.0e10, "-1.0E10"),
            (1.0e21, "1.0E21"),
            (2.0e-3, "0.002"),
            (2.0e23, "2.0E23"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (5e-324, "4.9E-324"),
            (1e-323, "9.9E-324"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(|out| write_double(out, value)), expected);
        }
    }

    #[test]
    fn decimals_keep_their_scale() {
        let cases = [(0, 0, "0"), (0, 2, "0.00"), (5, 2, "0.05"), (-5, 1, "-0.5"), (1234, 2, "12.34"), (-7, 0, "-7")];
        for (unscaled, scale, expected) in cases {
            assert_eq!(text(|out| write_decimal128(out, unscaled, scale)), expected);
            assert_eq!(text(|out| write_decimal256(out, i256::from_i128(unscaled), scale)), expected);
        }
        let widest = text(|out| write_decimal128(out, i128::MIN, 38));
        assert_eq!(widest, "-1.70141183460469231731687303715884105728");
    }

    #[test]
    fn big_decimals_turn_scientific_as_in_java() {
        let cases = [
            ("15", 1, "1.5"),
            ("1", 6, "0.000001"),
            ("1", 7, "1E-7"),
            ("12", 8, "1.2E-7"),
            ("1", -3, "1E+3"),
            ("10", -9, "1.0E+10"),
            ("0", 3, "0.000"),
            ("0", -2, "0E+2"),
        ];
        for (digits, scale, expected) in cases {
            assert_eq!(text(|out| write_big_decimal(out, false, digits.as_bytes(), scale)), expected);
        }
        assert_eq!(text(|out| write_big_decimal(out, true, b"15", 1)), "-1.5");
    }

    #[test]
    fn dates_and_times_are_iso() {
        let dates = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (2_932_897, "+10000-01-01"),
            (-719_529, "-0001-12-31"),
        ];
        for (days, expected) in dates {
            assert_eq!(text(|out| write_date(out, days)), expected);
        }
        let times =
            [(0, "00:00"), (60_000, "00:01"), (1_000, "00:00:01"), (1, "00:00:00.001"), (86_399_999, "23:59:59.999")];
        for (ms, expected) in times {
            assert_eq!(text(|out| write_time(out, ms)), expected);
        }
        assert_eq!(text(|out| write_timestamp(out, 0)), "1970-01-01T00:00:00.000");
        assert_eq!(text(|out| write_timestamp(out, -1)), "1969-12-31T23:59:59.999");
        text(|out| write_timestamp(out, i64::MIN));
    }

    #[test]
    fn dates_agree_with_the_calendar_library() {
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("a valid date");
        for days in (-719_000..2_900_000).step_by(97) {
            let expected = epoch + chrono::Duration::days(days);
            assert_eq!(text(|out| write_date(out, days)), expected.to_string());
        }
    }

    #[test]
    fn nested_values_read_as_java_collections() {
        let integers = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), Some(vec![])]);
        let list_type = SqlType::Array(Box::new(SqlType::Integer));
        assert_eq!(text(|out| write_value(out, &list, 0, &list_type)), "[1, null]");
        assert_eq!(text(|out| write_value(out, &list, 1, &list_type)), "[]");

        let doubles = Arc::new(Float64Array::from(vec![Some(0.5), Some(2.0), None]));
        let record = StructArray::from(vec![
            (Arc::new(Field::new("A", DataType::Int32, true)), integers as ArrayRef),
            (Arc::new(Field::new("b", DataType::Float64, true)), doubles as ArrayRef),
        ]);
        let field = |name: &str, sql_type| StructField { name: name.into(), sql_type };
        let record_type = SqlType::Struct(vec![field("A", SqlType::Integer), field("b", SqlType::Double)]);
        assert_eq!(text(|out| write_value(out, &record, 0, &record_type)), "Struct{A=1,b=0.5}");
        assert_eq!(text(|out| write_value(out, &record, 1, &record_type)), "Struct{b=2.0}");

        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("a");
        map.values().append_value("x y");
        map.keys().append_value("b");
        map.values().append_null();
        map.append(true).expect("keys and values have equal lengths");
        map.append(false).expect("keys and values have equal lengths");
        let map_type = SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::String));
        let map = map.finish();
        assert_eq!(text(|out| write_value(out, &map, 0, &map_type)), "{a=x y, b=null}");
        assert_eq!(text(|out| write_value(out, &map, 1, &map_type)), "null");
    }

    #[test]
    fn base64_round_trips_and_rejects_noise() {
        for (bytes, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("\u{ff}~?", "w79+Pw==")] {
            assert_eq!(text(|out| write_base64(out, bytes.as_bytes())), expected);
            let mut back = Vec::new();
            assert!(read_base64(&mut back, expected.as_bytes()));
            assert_eq!(back, bytes.as_bytes());
        }
        for (text, expected) in [("Zm\n9v", "foo"), ("Zh==", "f")] {
            let mut out = Vec::new();
            assert!(read_base64(&mut out, text.as_bytes()), "{text}");
            assert_eq!(out, expected.as_bytes());
        }
        for wrong in ["Z", "Zg", "Zg=", "Z===", "====", "Zm9v!", "Zg==Zg==", "=g=="] {
            let mut out = vec![7];
            assert!(!read_base64(&mut out, wrong.as_bytes()), "{wrong}");
            assert_eq!(out, [7]);
        }
    }
}
