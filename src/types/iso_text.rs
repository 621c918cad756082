//! ISO texts of times, as CAST, comparisons, INSERT VALUES and conditions of pull queries take them.

use chrono::NaiveDate;

use super::Zone;
use super::calendar::DAY_MS;

/// Milliseconds since the epoch from `yyyy[-MM[-dd[THH[:mm[:ss[.SSS]]]]]]` and a zone (`Z`, `+0100`, `Europe/Paris`); UTC
/// without one.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let local_ms = i64::from(parse_date(date)?) * DAY_MS;
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | ':' | '.')).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(end);
    let time_ms = if time.is_empty() { 0 } else { i64::from(time_of_day(time)?) };
    let zone = if zone.is_empty() { Zone::UTC } else { Zone::parse(zone.trim_start())? };
    Some(zone.to_utc_ms(local_ms + time_ms))
}

/// Days since 1970-01-01 from `yyyy[-MM[-dd]]`.
pub fn parse_date(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let year: i32 = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month: u32 = parts.next().map_or(Some(1), |month| month.parse().ok())?;
    let day: u32 = parts.next().map_or(Some(1), |day| day.parse().ok())?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Milliseconds of the day from `HH[:mm[:ss[.SSS]]]`.
pub fn parse_time(text: &str) -> Option<i32> {
    time_of_day(text).filter(|time_ms| i64::from(*time_ms) < DAY_MS)
}

/// As [`parse_time`]; the hour 24 is midnight at the day's end.
fn time_of_day(text: &str) -> Option<i32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':');
    let mut part = |limit: i32| -> Option<i32> {
        let Some(text) = parts.next() else { return Some(0) };
        let value = text.parse().ok()?;
        (0..limit).contains(&value).then_some(value)
    };
    let (hours, minutes, seconds) = (part(25)?, part(60)?, part(60)?);
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Digits behind the third are less than a millisecond.
    let millis: i32 = if fraction.is_empty() { 0 } else { format!("{fraction:0<3.3}").parse().ok()? };
    let time_ms = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
    (i64::from(time_ms) <= DAY_MS).then_some(time_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_from_prefixes() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(parse_timestamp(text), expected, "{text}");
        check("1970", Some(0));
        check("1970-01-02", Some(DAY_MS));
        check("1970-01-01T01", Some(3_600_000));
        check("1970-01-01T00:00:01.5", Some(1500));
        check("1970-01-01T01:00:00+0100", Some(0));
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01T01:00:00.250Europe/Paris", Some(250));
        check("1970-01-01T00:00:00.250America/Port-au-Prince", Some(5 * 3_600_000 + 250));
        check("1970-01-01T00:00:00.25x", None);
        check("1970-01-01T24", Some(DAY_MS));
        check("1970-01-01T24:01", None);
        check("1970-13-01", None);
        check("yesterday", None);
    }

    #[test]
    fn times_are_read_from_prefixes() {
        let check = |text: &str, expected: Option<i32>| assert_eq!(parse_time(text), expected, "{text}");
        check("13:14", Some(47_640_000));
        check("00:00:01.2", Some(1200));
        check("24:00", None);
        check("12:00:00.1x", None);
    }
}
