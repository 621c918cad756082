//! Clocks of time zones: what they show at many moments, one of which is mostly near another.

use std::sync::{LazyLock, OnceLock};

use chrono_tz::Tz;

use super::calendar::DAY_MS;
use super::zone::{ClockOffset, GREENWICH, OFFSET_HOURS_MAX, Zone};
use super::zone_names::Names;

/// Regions of tzdb that Java does not know.
const ABBREVIATIONS: [&str; 4] = ["EST", "MST", "HST", "ROC"];

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
