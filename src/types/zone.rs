//! Time zones as Java knows them: offsets, and regions by name.

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// What a zone's text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A fixed distance from UTC in seconds, east positive.
    Offset(i32),
    /// A region with its history of offsets: `Europe/Paris`.
    Region(Tz),
}

/// Offsets reach 18 hours either way.
const OFFSET_HOURS_MAX: i32 = 18;

/// Names of UTC that an offset may follow; what begins with another comes after it.
const GREENWICH: [&str; 4] = ["UTC", "GMT", "UT", "Z"];

impl Zone {
    /// Greenwich.
    pub const UTC: Self = Self::Offset(0);

    /// The zone that all of `text` names: `Z`, `UTC`, `+2`, `+0200`, `+02:00`, `UTC+2`, `Europe/Paris`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text).filter(|(_, rest)| rest.is_empty()).map(|(zone, _)| zone)
    }

    /// The zone at the beginning of `text`, and what follows it.
    pub fn read(text: &str) -> Option<(Self, &str)> {
        if let Some(found) = read_offset(text) {
            return Some(found);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        let name = &text[..end];
        // `Z` is a zone, and `Zulu` is another.
        if !GREENWICH.iter().any(|greenwich| name.eq_ignore_ascii_case(greenwich))
            && let Ok(region) = Tz::from_str_insensitive(name)
        {
            return Some((Self::Region(region), &text[end..]));
        }
        for name in GREENWICH {
            if let Some(head) = text.get(..name.len())
                && head.eq_ignore_ascii_case(name)
            {
                let rest = &text[name.len()..];
                return read_offset(rest).or(Some((Self::UTC, rest)));
            }
        }
        None
    }

    /// The moment at which clocks of the zone show `local_ms` (milliseconds since 1970-01-01T00:00 on that clock), in
    /// milliseconds since the epoch. Of two such moments it is the earlier; a time that clocks skip is moved on by
    /// the gap, both as java.time does.
    pub fn to_utc_ms(self, local_ms: i64) -> i64 {
        let region = match self {
            Self::Offset(seconds) => return local_ms - i64::from(seconds) * 1000,
            Self::Region(region) => region,
        };
        let Some(local) = DateTime::from_timestamp_millis(local_ms).map(|time| time.naive_utc()) else {
            return local_ms;
        };
        match region.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.timestamp_millis(),
            LocalResult::None => local_ms - offset_before(region, local) * 1000,
        }
    }

    /// What clocks of the zone show at the moment `utc_ms`, in milliseconds since 1970-01-01T00:00 on that clock.
    pub fn to_local_ms(self, utc_ms: i64) -> i64 {
        let seconds = match self {
            Self::Offset(seconds) => i64::from(seconds),
            Self::Region(region) => match DateTime::from_timestamp_millis(utc_ms) {
                Some(time) => i64::from(region.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc()),
                None => 0,
            },
        };
        utc_ms + seconds * 1000
    }
}

/// Seconds east of UTC before the gap in which `local` lies.
fn offset_before(region: Tz, local: NaiveDateTime) -> i64 {
    // No zone has moved its clocks by more than a day.
    let before = region.offset_from_utc_datetime(&(local - TimeDelta::days(1)));
    i64::from(before.fix().local_minus_utc())
}

/// `+h`, `+hh`, `+hhmm` or `+hh:mm`.
fn read_offset(text: &str) -> Option<(Zone, &str)> {
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = read_digits(&text[1..], 1)?;
    let after_colon = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = read_digits(after_colon, 2).unwrap_or((0, rest));
    let fits = hours <= OFFSET_HOURS_MAX && minutes < 60;
    fits.then_some((Zone::Offset(sign * (hours * 3600 + minutes * 60)), rest))
}

/// One or two digits, at least `min`.
fn read_digits(text: &str, min: usize) -> Option<(i32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if digits < min {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn zones_have_offsets_or_names() {
        let check = |text: &str, expected: Option<Zone>| assert_eq!(Zone::parse(text), expected, "{text}");
        check("Z", Some(Zone::UTC));
        check("utc", Some(Zone::UTC));
        check("GMT+2", Some(Zone::Offset(7200)));
        check("+02", Some(Zone::Offset(7200)));
        check("-0130", Some(Zone::Offset(-5400)));
        check("+05:30", Some(Zone::Offset(19_800)));
        check("Europe/Paris", Some(Zone::Region(Tz::Europe__Paris)));
        check("america/port-au-prince", Some(Zone::Region(Tz::America__PortauPrince)));
        check("+19:00", None);
        check("Mars/Olympus", None);
        check("", None);
    }

    #[test]
    fn regions_follow_their_clocks() {
        let paris = Zone::Region(Tz::Europe__Paris);
        let check = |local: &str, utc: &str| {
            let ms = |text: &str| crate::types::iso_text::parse_timestamp(text).expect("a timestamp");
            assert_eq!(paris.to_utc_ms(ms(local)), ms(utc), "{local}");
        };
        check("2021-01-01T12:00", "2021-01-01T11:00");
        check("2021-07-01T12:00", "2021-07-01T10:00");
        // Clocks go from 02:00 to 03:00, and from 03:00 back to 02:00.
        check("2021-03-28T02:30", "2021-03-28T01:30");
        check("2021-10-31T02:30", "2021-10-31T00:30");
        assert_eq!(paris.to_local_ms(0), HOUR_MS);
        assert_eq!(Zone::Offset(-3600).to_local_ms(0), -HOUR_MS);
    }
}
