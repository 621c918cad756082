//! Reads texts.

use super::field::{Field, Fields};
use super::names;
use super::{Form, Item, Minutes, Number, Offset, Parsed, Sign, TimePattern};
use crate::types::Zone;

/// What has been read.
#[derive(Debug, Default, Clone)]
pub(super) struct Read {
    pub(super) fields: Fields,
    pub(super) zone: Option<Zone>,
}

impl TimePattern {
    /// What `text` says.
    ///
    /// # Errors
    /// A text that says where `text` does not fit, or why there is no such date or time.
    pub fn parse(&self, text: &str) -> Result<Parsed, String> {
        let mut read = Read::default();
        let end = read_items(&self.items, text, 0, &mut read)
            .map_err(|at| format!("'{text}' does not fit the format at '{}'", &text[at..]))?;
        if end < text.len() && !self.is_start {
            return Err(format!("'{text}' has unparsed text at its end: '{}'", &text[end..]));
        }
        Parsed::resolved(read).map_err(|reason| format!("'{text}': {reason}"))
    }
}

/// Reads `items` from `text`, beginning at `at`; where they end, or where the text does not fit.
fn read_items(items: &[Item], text: &str, mut at: usize, read: &mut Read) -> Result<usize, usize> {
    for item in items {
        at = match item {
            Item::Optional(inner) => {
                let mut tried = read.clone();
                match read_items(inner, text, at, &mut tried) {
                    Ok(end) => {
                        *read = tried;
                        end
                    }
                    Err(_) => at,
                }
            }
            item => read_item(item, text, at, read).ok_or(at)?,
        };
    }
    Ok(at)
}

/// Reads `item` from `text`, beginning at `at`; where it ends.
fn read_item(item: &Item, text: &str, at: usize, read: &mut Read) -> Option<usize> {
    let rest = &text[at..];
    match item {
        Item::Text(expected) => Some(at + same_text(expected, rest)?),
        Item::Number(number) => read_number(number, rest, &mut read.fields).map(|length| at + length),
        Item::Name(field, style) => {
            let (value, length) = names::read(*field, *style, rest)?;
            read.fields.set(*field, value).then_some(at + length)
        }
        Item::Offset(offset) => {
            let (seconds, length) = read_offset(offset, rest)?;
            read.fields.set(Field::OffsetSeconds, seconds).then_some(at + length)
        }
        Item::LocalOffset { full } => {
            let (seconds, length) = read_local_offset(*full, rest)?;
            read.fields.set(Field::OffsetSeconds, seconds).then_some(at + length)
        }
        Item::ZoneId | Item::ZoneName { .. } => {
            let named = matches!(item, Item::ZoneName { .. }).then(|| Zone::read_name(rest)).flatten();
            let (zone, after) = longest(named, Zone::read(rest))?;
            read.zone = Some(zone);
            Some(text.len() - after.len())
        }
        Item::Padded(width, inner) => {
            let end = at + rest.char_indices().nth(*width).map_or(rest.len(), |(index, _)| index);
            let padded = text.get(at..end).filter(|padded| padded.chars().count() == *width)?;
            let blanks = padded.len() - padded.trim_start_matches(' ').len();
            read_item(inner, &text[..end], at + blanks, read).filter(|after| *after == end)
        }
        Item::Optional(inner) => read_items(inner, text, at, read).ok(),
    }
}

/// Of two zones and what follows them, the one that takes more of the text; the first if they take the same.
fn longest<'a>(first: Option<(Zone, &'a str)>, second: Option<(Zone, &'a str)>) -> Option<(Zone, &'a str)> {
    match (first, second) {
        (Some(one), Some(other)) if other.1.len() < one.1.len() => Some(other),
        (one, other) => one.or(other),
    }
}

/// How long the beginning of `text` is that is `expected` but for case.
fn same_text(expected: &str, text: &str) -> Option<usize> {
    if text.as_bytes().starts_with(expected.as_bytes()) {
        return Some(expected.len());
    }
    let mut found = text.chars();
    for c in expected.chars() {
        let other = found.next()?;
        if c != other && !c.to_lowercase().eq(other.to_lowercase()) {
            return None;
        }
    }
    Some(text.len() - found.as_str().len())
}

/// How many digits `text` begins with, counted up to `max`.
fn digit_count(text: &str, max: usize) -> usize {
    text.bytes().take(max).take_while(u8::is_ascii_digit).count()
}

fn read_number(number: &Number, text: &str, fields: &mut Fields) -> Option<usize> {
    let Number { field, form, width_min, width_max, sign, follow } = *number;
    let signed = match text.bytes().next()? {
        b'-' if sign != Sign::Never => Some(b'-'),
        b'+' if sign == Sign::ExceedsPad => Some(b'+'),
        _ => None,
    };
    let start = usize::from(signed.is_some());
    let mut count = digit_count(&text[start..], width_max + follow);
    if count < width_min {
        return None;
    }
    if follow > 0 {
        // What is left for this number when those that follow have their digits.
        count = width_min.max(count.saturating_sub(follow));
    }
    let value: i64 = text[start..start + count].parse().ok()?;
    let value = match signed {
        Some(b'-') if value == 0 => return None,
        Some(b'-') => -value,
        // A plus stands before the numbers that are wider than they should be, and only there.
        _ if sign == Sign::ExceedsPad && signed.is_some() != (count > width_min) => return None,
        _ => value,
    };
    let value = match form {
        Form::Plain => value,
        Form::TwoDigits => 2000 + value,
        Form::Fraction => value * 10_i64.pow(9 - count as u32),
    };
    fields.set(field, value).then_some(start + count)
}

/// Seconds of an offset, and how long its text is.
fn read_offset(offset: &Offset, text: &str) -> Option<(i64, usize)> {
    if let Some(length) = same_text(offset.zero, text) {
        return Some((0, length));
    }
    let sign = sign(text)?;
    let mut reader = Digits { text, at: 1 };
    let hours = reader.two(false)?;
    let minutes = match offset.minutes {
        Minutes::Always => reader.two(offset.colons)?,
        Minutes::IfAny => reader.two(offset.colons).unwrap_or(0),
    };
    let seconds = if offset.seconds { reader.two(offset.colons).unwrap_or(0) } else { 0 };
    let is_offset = hours < 24 && minutes < 60 && seconds < 60;
    is_offset.then_some((sign * (hours * 3600 + minutes * 60 + seconds), reader.at))
}

/// As [`read_offset`], of `GMT`, `GMT+8` or `GMT+8:30`; in full `GMT+08:00`.
fn read_local_offset(full: bool, text: &str) -> Option<(i64, usize)> {
    let length = same_text("GMT", text)?;
    let Some(sign) = sign(&text[length..]) else { return Some((0, length)) };
    let mut reader = Digits { text, at: length + 1 };
    let (hours, minutes) = if full {
        (reader.two(false)?, reader.two(true)?)
    } else {
        let hours = reader.two(false).or_else(|| reader.one())?;
        (hours, reader.two(true).unwrap_or(0))
    };
    let seconds = reader.two(true).unwrap_or(0);
    Some((sign * (hours * 3600 + minutes * 60 + seconds), reader.at))
}

fn sign(text: &str) -> Option<i64> {
    match text.bytes().next()? {
        b'+' => Some(1),
        b'-' => Some(-1),
        _ => None,
    }
}

/// Digits of an offset.
struct Digits<'a> {
    text: &'a str,
    at: usize,
}

impl Digits<'_> {
    /// Two digits, after a colon if there must be one.
    fn two(&mut self, colon: bool) -> Option<i64> {
        let start = self.at + usize::from(colon);
        let digits = self.text.get(start..start + 2)?;
        let is_there = (!colon || self.text.as_bytes()[self.at] == b':') && digit_count(digits, 2) == 2;
        let value = digits.parse().ok().filter(|value| is_there && *value < 60)?;
        self.at = start + 2;
        Some(value)
    }

    fn one(&mut self) -> Option<i64> {
        let value = self.text.get(self.at..=self.at)?.parse().ok()?;
        self.at += 1;
        Some(value)
    }
}
