//! Time zones as Java knows them: offsets, and regions by name.

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{OffsetComponents, Tz};

use super::calendar::{self, CivilDate, DAY_MS};
use super::zone_names;

/// What a zone's text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A fixed distance from UTC in seconds, east positive.
    Offset(i32),
    /// A region with its history of offsets: `Europe/Paris`.
    Region(Tz),
}

/// Offsets reach 18 hours either way.
pub(super) const OFFSET_HOURS_MAX: i32 = 18;

/// No region has a longer name.
const NAME_MAX: usize = 32;

/// Names of UTC that an offset may follow; what begins with another comes after it.
pub(super) const GREENWICH: [&str; 4] = ["UTC", "GMT", "UT", "Z"];

impl Zone {
    /// Greenwich.
    pub const UTC: Self = Self::Offset(0);

    /// The zone that all of `text` names: `Z`, `UTC`, `+2`, `+0200`, `+02:00`, `UTC+2`, `Europe/Paris`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read_with(text, read_offset).filter(|(_, rest)| rest.is_empty()).map(|(zone, _)| zone)
    }

    /// The zone at the beginning of `text`, and what follows it. Unlike in [`parse`](Self::parse), offsets are written `+02:00`.
    pub fn read(text: &str) -> Option<(Self, &str)> {
        Self::read_with(text, read_full_offset)
    }

    fn read_with(text: &str, read_offset: fn(&str) -> Option<(Self, &str)>) -> Option<(Self, &str)> {
        if let Some(found) = read_offset(text) {
            return Some(found);
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
        // `Z` is a zone, and `Zulu` is another. What follows a name may look as if it went on.
        let regions = (1..=end.min(NAME_MAX)).rev().find_map(|end| {
            let name = &text[..end];
            let is_greenwich = GREENWICH.iter().any(|greenwich| name.eq_ignore_ascii_case(greenwich));
            let region = Tz::from_str_insensitive(name).ok().filter(|_| !is_greenwich)?;
            Some((Self::Region(region), &text[end..]))
        });
        if regions.is_some() {
            return regions;
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
        let shift = known_shift(local_ms);
        let Some(local) = DateTime::from_timestamp_millis(local_ms + shift).map(|time| time.naive_utc()) else {
            return local_ms;
        };
        match region.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.timestamp_millis() - shift,
            LocalResult::None => local_ms - offset_before(region, local) * 1000,
        }
    }

    /// The zone whose name `text` begins with, as people say it (`PST`, `Pacific Time`), and what follows it.
    pub fn read_name(text: &str) -> Option<(Self, &str)> {
        let (region, length) = zone_names::read(text)?;
        Some((Self::Region(region), &text[length..]))
    }

    /// How far its clocks are from UTC at the moment `utc_ms`.
    pub(super) fn offset_at(self, utc_ms: i64) -> ClockOffset {
        let region = match self {
            Self::Offset(seconds) => return ClockOffset { seconds, is_dst: false },
            Self::Region(region) => region,
        };
        let Some(time) = DateTime::from_timestamp_millis(utc_ms + known_shift(utc_ms)) else {
            return ClockOffset::default();
        };
        let offset = region.offset_from_utc_datetime(&time.naive_utc());
        let seconds = offset.fix().local_minus_utc();
        // Where tzdb says that clocks are moved back in winter, Java says forward in summer.
        let is_dst = match region {
            Tz::Europe__Dublin | Tz::Eire | Tz::Africa__Casablanca | Tz::Africa__El_Aaiun => seconds > 0,
            _ => !offset.dst_offset().is_zero(),
        };
        ClockOffset { seconds, is_dst }
    }
}

/// How far the clocks of a zone are from UTC at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockOffset {
    /// East positive.
    pub seconds: i32,
    /// They have been moved for the summer.
    pub is_dst: bool,
}

/// How far to move a time so that tzdb's tables, which end with this century, say how it is then: to a year with the same days of
/// the week. Rules of today go on for ever.
fn known_shift(ms: i64) -> i64 {
    const YEAR_KNOWN: i64 = 2099;
    let days = ms.div_euclid(DAY_MS);
    if ms < 0 {
        // Before all tables there is one offset; chrono does not reach further.
        return ms.max(-8_000_000_000_000_000) - ms;
    }
    let year = CivilDate::new(days).year;
    if year <= YEAR_KNOWN {
        return 0;
    }
    let first = |year| calendar::days_from_civil(year, 1, 1);
    // Within 28 years of a century there is each kind of year.
    let same =
        |other: &i64| calendar::is_leap(*other) == calendar::is_leap(year) && (first(*other) - first(year)) % 7 == 0;
    (YEAR_KNOWN - 27..=YEAR_KNOWN).find(same).map_or(0, |other| (first(other) - first(year)) * DAY_MS)
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

/// `+02:00` or `-02:00:30`.
fn read_full_offset(text: &str) -> Option<(Zone, &str)> {
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = read_digits(&text[1..], 2)?;
    let (minutes, rest) = read_digits(rest.strip_prefix(':')?, 2)?;
    let (seconds, rest) = rest.strip_prefix(':').and_then(|rest| read_digits(rest, 2)).unwrap_or((0, rest));
    let seconds = hours * 3600 + minutes * 60 + seconds;
    let fits = minutes < 60 && seconds <= OFFSET_HOURS_MAX * 3600;
    fits.then_some((Zone::Offset(sign * seconds), rest))
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
    }
}
