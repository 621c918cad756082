//! Time zones as Java knows them: offsets, and regions by name.

use std::sync::{LazyLock, OnceLock};

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{OffsetComponents, Tz};

use super::calendar::{self, CivilDate};
use super::zone_names::{self, Names};

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

/// No region has a longer name.
const NAME_MAX: usize = 32;

/// Names of UTC that an offset may follow; what begins with another comes after it.
const GREENWICH: [&str; 4] = ["UTC", "GMT", "UT", "Z"];

/// Regions of tzdb that Java does not know.
const ABBREVIATIONS: [&str; 4] = ["EST", "MST", "HST", "ROC"];

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

    /// What clocks of the zone show at the moment `utc_ms`, in milliseconds since 1970-01-01T00:00 on that clock.
    pub fn to_local_ms(self, utc_ms: i64) -> i64 {
        utc_ms + i64::from(self.offset_at(utc_ms).seconds) * 1000
    }

    /// How far its clocks are from UTC at the moment `utc_ms`.
    fn offset_at(self, utc_ms: i64) -> ClockOffset {
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

/// The clock of a zone, for many moments: it remembers what it has shown, as one moment is mostly near another.
#[derive(Debug, Clone)]
pub struct ZoneClock {
    id: String,
    zone: Zone,
    /// Offsets at moments, by [`slot`].
    at_utc: [Option<(i64, ClockOffset)>; SLOTS],
    /// Offsets at times of the clock, of which there is one.
    at_local: [Option<(i64, ClockOffset)>; SLOTS],
    names: OnceLock<Names>,
}

/// Stretches of time that a clock remembers.
const SLOTS: usize = 16;

/// A stretch is so many milliseconds long, as a power of two: 18.6 hours. No clocks have been moved there and back in that time.
const STRETCH_BITS: u32 = 26;

/// The stretch of `ms`, and where it is remembered.
fn slot(ms: i64) -> (i64, usize) {
    let stretch = ms >> STRETCH_BITS;
    (stretch, stretch.rem_euclid(SLOTS as i64) as usize)
}

impl ZoneClock {
    /// The clock of the zone that Java knows as `id`: `Europe/Paris`, `UTC`, `+02:00`, `GMT+2`; case matters.
    ///
    /// # Errors
    /// There is no such zone.
    pub fn new(id: &str) -> Result<Self, String> {
        let unknown = || format!("Unknown time-zone ID: {id}");
        let prefix = GREENWICH[..3].iter().find(|prefix| {
            id.strip_prefix(**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-']))
        });
        let (zone, id) = match prefix {
            Some(prefix) if id.len() == prefix.len() => (Zone::UTC, id.to_owned()),
            Some(prefix) => {
                let seconds = whole_offset(&id[prefix.len()..]).ok_or_else(unknown)?;
                (Zone::Offset(seconds), format!("{prefix}{}", offset_id(seconds).trim_start_matches('Z')))
            }
            None if id == "Z" => (Zone::UTC, id.to_owned()),
            None if id.starts_with(['+', '-']) => {
                let seconds = whole_offset(id).ok_or_else(unknown)?;
                (Zone::Offset(seconds), offset_id(seconds))
            }
            None if ABBREVIATIONS.contains(&id) => return Err(unknown()),
            None => match id.parse().map_err(|_| unknown())? {
                Tz::UTC | Tz::Etc__UTC => (Zone::UTC, id.to_owned()),
                region => (Zone::Region(region), id.to_owned()),
            },
        };
        Ok(Self::of(zone, id))
    }

    /// The clock of Greenwich.
    pub fn utc() -> Self {
        Self::of(Zone::UTC, "UTC".to_owned())
    }

    /// The clock of the machine: of the zone that the environment variable `TZ` names, else the one that is set up.
    pub fn system() -> Self {
        static SYSTEM: LazyLock<ZoneClock> = LazyLock::new(|| {
            let named = std::env::var("TZ").ok().and_then(|id| ZoneClock::new(id.trim_start_matches(':')).ok());
            let linked = || {
                let path = std::fs::read_link("/etc/localtime").ok()?;
                let (_, id) = path.to_str()?.split_once("zoneinfo/")?;
                ZoneClock::new(id).ok()
            };
            named.or_else(linked).unwrap_or_else(ZoneClock::utc)
        });
        SYSTEM.clone()
    }

    fn of(zone: Zone, id: String) -> Self {
        Self { id, zone, at_utc: [None; SLOTS], at_local: [None; SLOTS], names: OnceLock::new() }
    }

    /// What Java calls the zone.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people call the zone, in full or short: in summer, in winter, or whatever the season is.
    pub fn name(&self, full: bool, is_dst: Option<bool>) -> &str {
        let names = self.names.get_or_init(|| self.id.parse().map_or_else(|_| Names::of_id(&self.id), Names::of));
        names.get(full, is_dst)
    }

    /// How far the clock is from UTC at the moment `utc_ms` after 1970-01-01T00:00 UTC.
    #[inline]
    pub fn offset_at(&mut self, utc_ms: i64) -> ClockOffset {
        if let Zone::Offset(seconds) = self.zone {
            return ClockOffset { seconds, is_dst: false };
        }
        let (stretch, slot) = slot(utc_ms);
        match self.at_utc[slot] {
            Some((known, offset)) if known == stretch => offset,
            _ => self.look_up(utc_ms),
        }
    }

    fn look_up(&mut self, utc_ms: i64) -> ClockOffset {
        let (stretch, slot) = slot(utc_ms);
        let [first, last] = ends(stretch).map(|ms| self.zone.offset_at(ms));
        if first == last {
            self.at_utc[slot] = Some((stretch, first));
            return first;
        }
        self.zone.offset_at(utc_ms)
    }

    /// What the clock shows at the moment `utc_ms`, as milliseconds since it showed 1970-01-01T00:00.
    pub fn to_local_ms(&mut self, utc_ms: i64) -> i64 {
        utc_ms.saturating_add(i64::from(self.offset_at(utc_ms).seconds) * 1000)
    }

    /// The moment at which the clock shows `local_ms`: see [`Zone::to_utc_ms`].
    pub fn to_utc_ms(&mut self, local_ms: i64) -> i64 {
        if let Zone::Offset(seconds) = self.zone {
            return local_ms.saturating_sub(i64::from(seconds) * 1000);
        }
        let (stretch, slot) = slot(local_ms);
        if let Some((known, offset)) = self.at_local[slot]
            && known == stretch
        {
            return local_ms - i64::from(offset.seconds) * 1000;
        }
        // Between two moments of one offset that are a day before and after the stretch it has no other.
        let [first, last] = ends(stretch);
        let [first, last] =
            [first.saturating_sub(DAY_MS), last.saturating_add(DAY_MS)].map(|ms| self.zone.offset_at(ms));
        if first == last {
            self.at_local[slot] = Some((stretch, first));
        }
        self.zone.to_utc_ms(local_ms)
    }
}

const DAY_MS: i64 = 86_400_000;

/// The first and the last millisecond of a stretch.
fn ends(stretch: i64) -> [i64; 2] {
    let first = stretch << STRETCH_BITS;
    [first, first | ((1 << STRETCH_BITS) - 1)]
}

/// Seconds of an offset that is all of `text`: `+2`, `+02`, `+02:00`, `+0200`, with seconds in the last two forms.
fn whole_offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?;
    let parts: Vec<&str> = if digits.contains(':') {
        digits.split(':').collect()
    } else {
        let ends: &[usize] = match digits.len() {
            1 => &[0, 1],
            2 => &[0, 2],
            4 => &[0, 2, 4],
            6 => &[0, 2, 4, 6],
            _ => return None,
        };
        ends.windows(2).map(|pair| digits.get(pair[0]..pair[1])).collect::<Option<_>>()?
    };
    let is_written_well = parts.iter().all(|part| part.bytes().all(|digit| digit.is_ascii_digit()))
        && (parts.len() == 1 || parts.iter().all(|part| part.len() == 2))
        && parts.len() <= 3;
    let mut numbers = parts.iter().map(|part| part.parse::<i32>().ok());
    let hours = numbers.next()??;
    let minutes = numbers.next().unwrap_or(Some(0))?;
    let seconds = numbers.next().unwrap_or(Some(0))?;
    let all = hours * 3600 + minutes * 60 + seconds;
    (is_written_well && minutes < 60 && seconds < 60 && all <= OFFSET_HOURS_MAX * 3600).then_some(sign * all)
}

/// What Java calls an offset.
fn offset_id(seconds: i32) -> String {
    let (sign, all) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    match (all, all % 60) {
        (0, _) => "Z".to_owned(),
        (_, 0) => format!("{sign}{:02}:{:02}", all / 3600, all / 60 % 60),
        (_, rest) => format!("{sign}{:02}:{:02}:{rest:02}", all / 3600, all / 60 % 60),
    }
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
