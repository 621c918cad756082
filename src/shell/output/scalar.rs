//! Texts of scalars that have more than one plausible text.

use std::io::{self, Write};

use chrono::{DateTime, NaiveTime, TimeDelta};

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `2013-01-31`
pub(super) fn write_date(out: &mut dyn Write, days: i32) -> io::Result<()> {
    match DateTime::from_timestamp_millis(i64::from(days) * MS_PER_DAY) {
        Some(date) => write!(out, "{}", date.format("%Y-%m-%d")),
        None => write!(out, "{days}"),
    }
}

/// `13:45:00.000`
pub(super) fn write_time(out: &mut dyn Write, ms: i32) -> io::Result<()> {
    let (time, _) = NaiveTime::MIN.overflowing_add_signed(TimeDelta::milliseconds(i64::from(ms)));
    write!(out, "{}", time.format("%H:%M:%S%.3f"))
}

/// `2013-01-31T13:45:00.000`, in UTC; the milliseconds as a number where a calendar does not reach.
pub(super) fn write_timestamp(out: &mut dyn Write, ms: i64) -> io::Result<()> {
    match DateTime::from_timestamp_millis(ms) {
        Some(time) => write!(out, "{}", time.format("%Y-%m-%dT%H:%M:%S%.3f")),
        None => write!(out, "{ms}"),
    }
}

/// `1.5`, `1.0E10`: as Java and ksqlDB print doubles.
pub(super) fn write_double(out: &mut dyn Write, value: f64) -> io::Result<()> {
    if !value.is_finite() {
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return out.write_all(name.as_bytes());
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return write!(out, "{value:?}");
    }
    let text = format!("{value:E}");
    let (digits, exponent) = text.split_once('E').expect("the format writes an exponent");
    let point = if digits.contains('.') { "" } else { ".0" };
    write!(out, "{digits}{point}E{exponent}")
}

/// Base64 with padding, as JSON carries bytes.
pub(super) fn write_base64(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | usize::from(group.get(i).copied().unwrap_or(0)));
        let mut text = [b'='; 4];
        for (i, letter) in text.iter_mut().enumerate().take(group.len() + 1) {
            *letter = BASE64[bits >> (18 - 6 * i) & 63];
        }
        out.write_all(&text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory takes every byte");
        String::from_utf8(out).expect("texts are UTF-8")
    }

    #[test]
    fn doubles_read_as_in_java() {
        let check = |value: f64, expected: &str| assert_eq!(text(|out| write_double(out, value)), expected);
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(0.001, "0.001");
        check(0.000_1, "1.0E-4");
        check(1.5, "1.5");
        check(9_999_999.0, "9999999.0");
        check(12_345_678.0, "1.2345678E7");
        check(1e10, "1.0E10");
        check(-1e300, "-1.0E300");
        check(f64::NAN, "NaN");
        check(f64::NEG_INFINITY, "-Infinity");
    }

    #[test]
    fn times_are_iso_in_utc() {
        assert_eq!(text(|out| write_date(out, 15_736)), "2013-01-31");
        assert_eq!(text(|out| write_date(out, -1)), "1969-12-31");
        assert_eq!(text(|out| write_time(out, 49_500_007)), "13:45:00.007");
        assert_eq!(text(|out| write_timestamp(out, 1_359_639_900_000)), "2013-01-31T13:45:00.000");
        assert_eq!(text(|out| write_timestamp(out, i64::MAX)), "9223372036854775807");
    }

    #[test]
    fn bytes_are_base64() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(text(|out| write_base64(out, bytes)), expected);
        check(b"", "");
        check(b"M", "TQ==");
        check(b"Ma", "TWE=");
        check(b"Man", "TWFu");
        check(&[0xff, 0xfe, 0xfd, 0xfc], "//79/A==");
    }
}
