//! Writes texts.

use std::fmt::{self, Write};

use super::field::Field;
use super::names::{self, Style};
use super::resolve::date_value;
use super::{Form, Item, Minutes, Number, Offset, Sign, TimePattern};
use crate::types::calendar::{CivilDate, DAY_MS};
use crate::types::{ClockOffset, ZoneClock};

/// As many as a number has digits at most.
const ZEROS: &str = "0000000000000000000";

/// What a text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A moment: date and time in a zone.
    Timestamp,
}

impl Shows {
    /// Whether there is a value of `field` in it.
    fn has(self, field: Field) -> bool {
        match self {
            Self::Date => field.is_of_date(),
            Self::Time => field.is_of_time(),
            Self::Timestamp => true,
        }
    }
}

/// A pattern that dates, times or moments are written by.
#[derive(Debug, Clone)]
pub struct Formatter {
    /// Without optional ones: there is a value of each.
    items: Vec<Item>,
}

/// What is written.
struct Moment<'a> {
    date: CivilDate,
    /// Milliseconds of the day.
    ms: u32,
    offset: ClockOffset,
    clock: Option<&'a ZoneClock>,
}

impl TimePattern {
    /// Writes what `shows` says. Optional parts of the pattern that this has not are left out.
    ///
    /// # Errors
    /// The field that it has not.
    pub fn formatter(&self, shows: Shows) -> Result<Formatter, String> {
        let mut items = Vec::new();
        flatten(&self.items, shows, &mut items)?;
        Ok(Formatter { items })
    }
}

/// Adds `items` to `flat`; an error names the field that is missing.
fn flatten(items: &[Item], shows: Shows, flat: &mut Vec<Item>) -> Result<(), String> {
    for item in items {
        match item {
            Item::Optional(inner) => {
                let kept = flat.len();
                if flatten(inner, shows, flat).is_err() {
                    flat.truncate(kept);
                }
            }
            item => {
                check(item, shows)?;
                flat.push(item.clone());
            }
        }
    }
    Ok(())
}

fn check(item: &Item, shows: Shows) -> Result<(), String> {
    let field = match item {
        Item::Text(_) | Item::Optional(_) => return Ok(()),
        Item::Padded(_, inner) => return check(inner, shows),
        Item::ZoneId | Item::ZoneName { .. } if shows == Shows::Timestamp => return Ok(()),
        Item::ZoneId | Item::ZoneName { .. } => return Err("Unable to extract ZoneId from temporal".to_owned()),
        Item::Number(number) => number.field,
        Item::Name(field, _) => *field,
        Item::Offset(_) | Item::LocalOffset { .. } => Field::OffsetSeconds,
    };
    if shows.has(field) { Ok(()) } else { Err(format!("Unsupported field: {}", field.name())) }
}

impl Formatter {
    /// Writes the date of `days` since 1970-01-01. What has been written when it fails stays in `out`.
    ///
    /// # Errors
    /// A value that the pattern cannot show.
    pub fn write_date(&self, out: &mut impl Write, days: i64) -> Result<(), String> {
        self.write(out, &Moment { date: CivilDate::new(days), ms: 0, offset: ClockOffset::default(), clock: None })
    }

    /// As [`Self::write_date`], the time of day `ms` after midnight.
    ///
    /// # Errors
    /// A value that the pattern cannot show.
    pub fn write_time(&self, out: &mut impl Write, ms: i32) -> Result<(), String> {
        let ms = i64::from(ms).rem_euclid(DAY_MS) as u32;
        self.write(out, &Moment { date: CivilDate::new(0), ms, offset: ClockOffset::default(), clock: None })
    }

    /// As [`Self::write_date`], what `clock` shows at the moment `utc_ms` after 1970-01-01T00:00 UTC.
    ///
    /// # Errors
    /// A value that the pattern cannot show.
    pub fn write_timestamp(&self, out: &mut impl Write, utc_ms: i64, clock: &mut ZoneClock) -> Result<(), String> {
        let offset = clock.offset_at(utc_ms);
        let (days, ms) = (utc_ms.div_euclid(DAY_MS), utc_ms.rem_euclid(DAY_MS) + i64::from(offset.seconds) * 1000);
        let (days, ms) = (days + ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS) as u32);
        self.write(out, &Moment { date: CivilDate::new(days), ms, offset, clock: Some(clock) })
    }

    fn write(&self, out: &mut impl Write, moment: &Moment<'_>) -> Result<(), String> {
        self.items.iter().try_for_each(|item| write_item(item, out, moment))
    }
}

fn write_item(item: &Item, out: &mut impl Write, moment: &Moment<'_>) -> Result<(), String> {
    let written = match item {
        Item::Text(text) => out.write_str(text),
        Item::Number(number) => return write_number(number, out, moment.value(number.field)),
        Item::Name(field, style) => out.write_str(names::name(*field, *style, moment.value(*field))),
        Item::Offset(offset) => write_offset(offset, out, moment.offset.seconds),
        Item::LocalOffset { full } => write_local_offset(*full, out, moment.offset.seconds),
        Item::ZoneId => out.write_str(moment.clock.map_or("", |clock| clock.id())),
        Item::ZoneName { style, generic } => {
            let Some(clock) = moment.clock else { return Ok(()) };
            let is_dst = (!generic).then_some(moment.offset.is_dst);
            out.write_str(clock.name(*style == Style::Full, is_dst))
        }
        Item::Padded(width, inner) => {
            let mut text = String::new();
            // Not by calling the same function with another type of `out` in it, which would never end.
            write_inner(inner, &mut text, moment)?;
            let length = text.chars().count();
            if length > *width {
                return Err(format!("Cannot print as output of {length} characters exceeds pad width of {width}"));
            }
            write!(out, "{text:>width$}")
        }
        Item::Optional(_) => Ok(()),
    };
    written.map_err(|_| "the text cannot be written".to_owned())
}

fn write_inner(item: &Item, text: &mut String, moment: &Moment<'_>) -> Result<(), String> {
    write_item(item, text, moment)
}

impl Moment<'_> {
    /// The value of `field`.
    fn value(&self, field: Field) -> i64 {
        let ms = self.ms;
        let hour = ms / 3_600_000;
        let value = match field {
            Field::HalfDay => hour / 12,
            Field::HourOfHalfDay => hour % 12,
            Field::ClockHourOfHalfDay => (hour + 11) % 12 + 1,
            Field::Hour => hour,
            Field::ClockHour => (hour + 23) % 24 + 1,
            Field::Minute => ms / 60_000 % 60,
            Field::Second => ms / 1000 % 60,
            Field::NanoOfSecond => ms % 1000 * 1_000_000,
            Field::MilliOfDay => ms,
            Field::NanoOfDay => return i64::from(ms) * 1_000_000,
            Field::OffsetSeconds => return i64::from(self.offset.seconds),
            of_date => return date_value(&self.date, of_date),
        };
        i64::from(value)
    }
}

fn write_number(number: &Number, out: &mut impl Write, value: i64) -> Result<(), String> {
    let Number { form, width_min, width_max, sign, field, .. } = *number;
    let failed = |_: fmt::Error| "the text cannot be written".to_owned();
    if width_min == 2 && width_max == 2 {
        // Most are of two digits.
        let value = if form == Form::TwoDigits { value.abs() % 100 } else { value };
        if (0..100).contains(&value) {
            return out.write_str(two_digits(value as u32)).map_err(failed);
        }
    }
    if form == Form::Fraction {
        return write_fraction(out, value, width_min).map_err(failed);
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs());
    if digits.len() > width_max {
        let name = field.name();
        return Err(format!(
            "Field {name} cannot be printed as the value {value} exceeds the maximum print width of {width_max}"
        ));
    }
    let written = match sign {
        Sign::Never if value < 0 => {
            let name = field.name();
            return Err(format!(
                "Field {name} cannot be printed as the value {value} cannot be negative according to the SignStyle"
            ));
        }
        _ if value < 0 => out.write_char('-'),
        Sign::ExceedsPad if digits.len() > width_min => out.write_char('+'),
        _ => Ok(()),
    };
    written
        .and_then(|()| out.write_str(&ZEROS[..width_min.saturating_sub(digits.len())]))
        .and_then(|()| out.write_str(digits))
        .map_err(failed)
}

/// The first `width` of the nine digits of `nanos`.
fn write_fraction(out: &mut impl Write, nanos: i64, width: usize) -> fmt::Result {
    let mut digits = [b'0'; 9];
    let mut rest = nanos;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.write_str(str::from_utf8(&digits[..width]).unwrap_or_default())
}

/// `value`, which is below 100.
fn two_digits(value: u32) -> &'static str {
    const DIGITS: &str = "00010203040506070809\
                          10111213141516171819\
                          20212223242526272829\
                          30313233343536373839\
                          40414243444546474849\
                          50515253545556575859\
                          60616263646566676869\
                          70717273747576777879\
                          80818283848586878889\
                          90919293949596979899";
    let at = value as usize * 2;
    &DIGITS[at..at + 2]
}

fn write_offset(offset: &Offset, out: &mut impl Write, seconds: i32) -> fmt::Result {
    let Parts { sign, hours, minutes, seconds } = Parts::new(seconds);
    // Seconds that are not shown are none, and what is no offset as it is shown is none.
    if (hours, minutes) == (0, 0) && !(offset.seconds && seconds > 0) {
        return out.write_str(offset.zero);
    }
    let colon = if offset.colons { ":" } else { "" };
    out.write_str(sign)?;
    out.write_str(two_digits(hours))?;
    let has_seconds = offset.seconds && seconds > 0;
    if offset.minutes == Minutes::Always || minutes > 0 {
        out.write_str(colon)?;
        out.write_str(two_digits(minutes))?;
    }
    if has_seconds {
        out.write_str(colon)?;
        out.write_str(two_digits(seconds))?;
    }
    Ok(())
}

fn write_local_offset(full: bool, out: &mut impl Write, seconds: i32) -> fmt::Result {
    out.write_str("GMT")?;
    if seconds == 0 {
        return Ok(());
    }
    let Parts { sign, hours, minutes, seconds } = Parts::new(seconds);
    out.write_str(sign)?;
    if full {
        write!(out, "{hours:02}:{minutes:02}")?;
    } else {
        write!(out, "{hours}")?;
        if minutes > 0 || seconds > 0 {
            write!(out, ":{minutes:02}")?;
        }
    }
    if seconds > 0 { write!(out, ":{seconds:02}") } else { Ok(()) }
}

/// An offset in parts.
struct Parts {
    sign: &'static str,
    hours: u32,
    minutes: u32,
    seconds: u32,
}

impl Parts {
    fn new(seconds: i32) -> Self {
        let all = seconds.unsigned_abs();
        let sign = if seconds < 0 { "-" } else { "+" };
        Self { sign, hours: all / 3600, minutes: all / 60 % 60, seconds: all % 60 }
    }
}
