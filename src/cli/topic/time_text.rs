//! Times as people and files write them.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Milliseconds since the epoch of a whole number (which is that already) or an ISO-8601 text: a date, with or without
/// a time after `T` or a space, with or without seconds and a fraction, with or without a zone. Without a zone the
/// time is UTC. A fraction is cut after milliseconds.
pub(in crate::cli) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let mut rest = Rest(text.as_bytes());
    let (year, month, day) = (rest.digits(4)?, rest.after(b"-")?.digits(2)?, rest.after(b"-")?.digits(2)?);
    let date = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)?;
    let midnight = date.signed_duration_since(NaiveDate::default()).num_days() * DAY_MS;
    if rest.0.is_empty() {
        return Some(midnight);
    }
    let time_of_day = rest.after(b"Tt ")?.time()?;
    let zone = rest.zone()?;
    rest.0.is_empty().then_some(midnight + time_of_day - zone)
}

/// The same, for what stands on a command line.
pub(in crate::cli) fn parse_argument(text: &str) -> Result<i64, String> {
    parse(text).ok_or_else(|| "write milliseconds since 1970, or a time such as 2013-01-01T10:00:00Z".to_owned())
}

/// `timestamp_ms` as ISO-8601 text in UTC; the number itself where the calendar ends.
pub(super) fn shown(timestamp_ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(timestamp_ms)
        .map_or_else(|| timestamp_ms.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn after(&mut self, any_of: &[u8]) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        any_of.contains(first).then_some(self)
    }

    fn next_is(&self, any_of: &[u8]) -> bool {
        self.0.first().is_some_and(|first| any_of.contains(first))
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    }

    fn time(&mut self) -> Option<i64> {
        let (hour, minute) = (self.digits(2)?, self.after(b":")?.digits(2)?);
        let second = if self.next_is(b":") { self.after(b":")?.digits(2)? } else { 0 };
        let fraction = if self.next_is(b".,") { self.after(b".,")?.fraction()? } else { 0 };
        let valid = hour < 24 && minute < 60 && second < 60;
        valid.then_some(((hour * 60 + minute) * 60 + second) * 1000 + fraction)
    }

    fn fraction(&mut self) -> Option<i64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let digit = |index: usize| digits.get(index).map_or(0, |digit| i64::from(digit - b'0'));
        (count > 0).then_some(digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    /// How far local time is ahead of UTC, in milliseconds.
    fn zone(&mut self) -> Option<i64> {
        if self.0.is_empty() {
            return Some(0);
        }
        if self.next_is(b"Zz") {
            return self.after(b"Zz").map(|_| 0);
        }
        let sign = if self.next_is(b"-") { -1 } else { 1 };
        let hours = self.after(b"+-")?.digits(2)?;
        let minutes = match self.0 {
            [] => 0,
            [b':', ..] => self.after(b":")?.digits(2)?,
            _ => self.digits(2)?,
        };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let cases = [
            ("0", 0),
            ("-5", -5),
            ("1357034400000", 1_357_034_400_000),
            ("1970-01-01", 0),
            ("2013-01-01T10:00:00Z", 1_357_034_400_000),
            ("2013-01-01 10:00:00", 1_357_034_400_000),
            ("2013-01-01T10:00", 1_357_034_400_000),
            ("2013-01-01T05:00:00-05:00", 1_357_034_400_000),
            ("2013-01-01t12:30:00+0230", 1_357_034_400_000),
            ("2013-01-01T11:00:00+01", 1_357_034_400_000),
            ("2013-01-01T10:00:00.5Z", 1_357_034_400_500),
            ("2013-01-01T10:00:00,123456789", 1_357_034_400_123),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2012-02-29", 1_330_473_600_000),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let cases = [
            "",
            "NA",
            "yesterday",
            "2013-1-1",
            "2013-13-01",
            "2013-02-29",
            "2013-01-01T",
            "2013-01-01T25:00",
            "2013-01-01T10:00:00X",
            "2013-01-01T10:00:00.Z",
            "2013-01-01T10:00:00Z ago",
            "2013/01/01",
            "2013-01-01é",
        ];
        for text in cases {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn shown_times_are_read_back() {
        for timestamp in [0, -1, 1_357_034_400_123, i64::MAX, i64::MIN] {
            assert_eq!(parse(&shown(timestamp)), Some(timestamp), "{}", shown(timestamp));
        }
        assert_eq!(shown(1_357_034_400_000), "2013-01-01T10:00:00.000Z");
    }
}
