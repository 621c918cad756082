//! Timestamps as texts, by java.time patterns: `TIMESTAMP_FORMAT`.
//!
//! Letters: `y u` year, `M L` month (by number, `MMM` short name, `MMMM` full name), `d` day, `D` day of year, `H` hour of
//! day, `k` hour 1 to 24, `h K` hour of half day, `a` AM/PM, `m` minute, `s` second, `S` fraction, `A` millisecond of day,
//! `n` nanosecond, `E` day of week (read, not checked), `X x Z` offset, `V z O` zone (an offset, or a region's name);
//! `'text'` and other characters stand for themselves, `[ ]` is optional. Names are English, case does not matter.
//! Fields that the text lacks default to 1970-01-01 00:00:00.000, the zone to UTC. Semantics 2.1 rule 3.

use chrono::{Datelike, NaiveDate};

use super::Zone;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct TimestampPattern {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    Field(Field, usize),
    Optional(Vec<Item>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    ClockHour,
    HalfDayHour,
    HalfDay,
    Minute,
    Second,
    Fraction,
    MilliOfDay,
    Nano,
    DayOfWeek,
    Zone,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What was read.
#[derive(Debug, Default, Clone)]
struct Fields {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    half_day_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    nanos: Option<i64>,
    milli_of_day: Option<i64>,
    zone: Option<Zone>,
}

impl TimestampPattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// A text that names the letter without meaning, or the bracket or quote that is not closed.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut chars = pattern.chars().peekable();
        let items = parse_items(&mut chars, false)?;
        Ok(Self { items })
    }

    /// Milliseconds since the epoch that `text` means.
    ///
    /// # Errors
    /// A text that says where `text` does not fit.
    pub fn parse(&self, text: &str) -> Result<i64, String> {
        let mut fields = Fields::default();
        let rest = read_items(&self.items, text, &mut fields)
            .map_err(|rest| format!("'{text}' does not fit the format at '{rest}'"))?;
        if !rest.is_empty() {
            return Err(format!("'{text}' has unparsed text at its end: '{rest}'"));
        }
        fields.epoch_ms().ok_or_else(|| format!("'{text}' is no valid date or time"))
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn parse_items(chars: &mut Chars<'_>, nested: bool) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            ']' if nested => return Ok(items),
            ']' => return Err("']' without '['".to_owned()),
            '[' => items.push(Item::Optional(parse_items(chars, true)?)),
            '\'' => items.push(Item::Text(quoted(chars)?)),
            letter if letter.is_ascii_alphabetic() => {
                let mut width = 1;
                while chars.next_if_eq(&letter).is_some() {
                    width += 1;
                }
                items.push(Item::Field(field(letter)?, width));
            }
            '{' | '}' | '#' => return Err(format!("'{c}' is reserved")),
            other => items.push(Item::Text(other.to_string())),
        }
    }
    if nested { Err("'[' is not closed".to_owned()) } else { Ok(items) }
}

/// The text up to the closing quote; `''` is a quote.
fn quoted(chars: &mut Chars<'_>) -> Result<String, String> {
    if chars.next_if_eq(&'\'').is_some() {
        return Ok("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match chars.next() {
            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') => return Ok(text),
            Some(c) => text.push(c),
            None => return Err("a quote is not closed".to_owned()),
        }
    }
}

fn field(letter: char) -> Result<Field, String> {
    Ok(match letter {
        'y' | 'u' => Field::Year,
        'M' | 'L' => Field::Month,
        'd' => Field::Day,
        'D' => Field::DayOfYear,
        'H' => Field::Hour,
        'k' => Field::ClockHour,
        'h' | 'K' => Field::HalfDayHour,
        'a' => Field::HalfDay,
        'm' => Field::Minute,
        's' => Field::Second,
        'S' => Field::Fraction,
        'A' => Field::MilliOfDay,
        'n' => Field::Nano,
        'E' | 'e' => Field::DayOfWeek,
        'X' | 'x' | 'Z' | 'V' | 'z' | 'O' => Field::Zone,
        other => return Err(format!("the letter '{other}' has no meaning")),
    })
}

/// Reads `items` off `text`; the rest of it, or where it does not fit.
fn read_items<'a>(items: &[Item], text: &'a str, fields: &mut Fields) -> Result<&'a str, &'a str> {
    let mut rest = text;
    for (index, item) in items.iter().enumerate() {
        rest = match item {
            Item::Text(expected) => {
                let head = rest.get(..expected.len()).ok_or(rest)?;
                if !head.eq_ignore_ascii_case(expected) {
                    return Err(rest);
                }
                &rest[expected.len()..]
            }
            Item::Optional(inner) => {
                let mut tried = fields.clone();
                match read_items(inner, rest, &mut tried) {
                    Ok(after) => {
                        *fields = tried;
                        after
                    }
                    Err(_) => rest,
                }
            }
            Item::Field(field, width) => {
                let adjacent = matches!(items.get(index + 1), Some(Item::Field(..)));
                read_field(*field, *width, adjacent, rest, fields).ok_or(rest)?
            }
        };
    }
    Ok(rest)
}

fn read_field<'a>(field: Field, width: usize, adjacent: bool, text: &'a str, fields: &mut Fields) -> Option<&'a str> {
    // A field before another one takes exactly its width; one letter alone takes all digits there are.
    let max = if adjacent || width > 1 { width } else { 19 };
    let number = |target: &mut Option<i64>, max: usize| -> Option<&'a str> {
        let (value, rest) = read_number(text, width, max)?;
        *target = Some(value);
        Some(rest)
    };
    match field {
        Field::Year if width == 2 => {
            let (value, rest) = read_number(text, 2, 2)?;
            fields.year = Some(2000 + value);
            Some(rest)
        }
        Field::Year => number(&mut fields.year, if adjacent { width } else { 19 }),
        Field::Month if width >= 3 => {
            let (index, rest) = read_name(text, &MONTHS, width == 3)?;
            fields.month = Some(index + 1);
            Some(rest)
        }
        Field::Month => number(&mut fields.month, max),
        Field::Day => number(&mut fields.day, max),
        Field::DayOfYear => number(&mut fields.day_of_year, max),
        Field::Hour => number(&mut fields.hour, max),
        Field::ClockHour => {
            let rest = number(&mut fields.hour, max)?;
            fields.hour = fields.hour.map(|hour| hour % 24);
            Some(rest)
        }
        Field::HalfDayHour => number(&mut fields.half_day_hour, max),
        Field::Minute => number(&mut fields.minute, max),
        Field::Second => number(&mut fields.second, max),
        Field::MilliOfDay => number(&mut fields.milli_of_day, max),
        Field::Nano => number(&mut fields.nanos, max),
        Field::HalfDay => {
            let head = text.get(..2)?;
            fields.afternoon = Some(match head.to_ascii_lowercase().as_str() {
                "am" => false,
                "pm" => true,
                _ => return None,
            });
            Some(&text[2..])
        }
        Field::Fraction => {
            let (value, rest) = read_number(text, width, width)?;
            fields.nanos = Some(value * 10_i64.pow(9_u32.checked_sub(width as u32)?));
            Some(rest)
        }
        Field::DayOfWeek => read_name(text, &DAYS, width <= 3).map(|(_, rest)| rest),
        Field::Zone => {
            let (zone, rest) = Zone::read(text)?;
            fields.zone = Some(zone);
            Some(rest)
        }
    }
}

fn read_number(text: &str, min: usize, max: usize) -> Option<(i64, &str)> {
    let digits = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if digits < min.min(max) || digits == 0 {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

fn read_name<'a>(text: &'a str, names: &[&str], short: bool) -> Option<(i64, &'a str)> {
    names.iter().enumerate().find_map(|(index, name)| {
        let name = if short { &name[..3] } else { name };
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (index as i64, &text[name.len()..]))
    })
}

impl Fields {
    fn epoch_ms(&self) -> Option<i64> {
        let days = self.date()?.signed_duration_since(NaiveDate::default()).num_days();
        let time_ms = match self.milli_of_day {
            Some(millis) => millis,
            None => self.time_ms()?,
        };
        Some(self.zone.unwrap_or(Zone::UTC).to_utc_ms(days * 86_400_000 + time_ms))
    }

    fn date(&self) -> Option<NaiveDate> {
        let year = i32::try_from(self.year.unwrap_or(1970)).ok()?;
        if let Some(day) = self.day_of_year {
            return NaiveDate::from_yo_opt(year, u32::try_from(day).ok()?);
        }
        let month = u32::try_from(self.month.unwrap_or(1)).ok()?;
        let day = u32::try_from(self.day.unwrap_or(1)).ok()?;
        if day > 31 {
            return None;
        }
        // A day beyond the month's end means its last day, as Java's smart resolution has it.
        (28..=day.max(28))
            .rev()
            .find_map(|last| NaiveDate::from_ymd_opt(year, month, day.min(last)))
            .filter(|date| date.day() <= day)
    }

    fn time_ms(&self) -> Option<i64> {
        let hour = match (self.hour, self.half_day_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if self.afternoon == Some(true) { 12 } else { 0 },
            (None, None) => 0,
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let in_day = (0..24).contains(&hour) || (hour == 24 && minute == 0 && second == 0);
        if !in_day || !(0..60).contains(&minute) || !(0..60).contains(&second) {
            return None;
        }
        Some(((hour * 60 + minute) * 60 + second) * 1000 + self.nanos.unwrap_or(0) / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_their_pattern() {
        let check = |pattern: &str, text: &str, expected: Option<i64>| {
            let compiled = TimestampPattern::new(pattern).expect("a pattern");
            assert_eq!(compiled.parse(text).ok(), expected, "{text} by {pattern}");
        };
        check("yyyy-MM-dd'T'HH:mm:ss'Z'", "2013-01-01T05:00:00Z", Some(1_357_016_400_000));
        check("yyyy-MM-dd HH:mm:ss.SSS", "1970-01-01 00:00:01.250", Some(1250));
        check("yyyy-MM-dd'T'HH:mm:ssX", "1970-01-01T01:00:00+01", Some(0));
        check("yyyy-MM-dd'T'HH:mm:ssXXX", "1970-01-01T00:00:00-01:30", Some(5_400_000));
        check("yyyy-MM-dd'T'HH:mm VV", "1970-01-01T01:00 Europe/Paris", Some(0));
        check("dd MMM yyyy", "02 jan 1970", Some(86_400_000));
        check("MMMM d, yyyy h:mm a", "January 1, 1970 1:05 PM", Some(47_100_000));
        check("yyyyMMdd", "19700103", Some(172_800_000));
        check("yyyy-MM-dd[ HH:mm]", "1970-01-01", Some(0));
        check("yyyy-MM-dd[ HH:mm]", "1970-01-01 00:01", Some(60_000));
        check("HH:mm", "00:02", Some(120_000));
        check("yyyy-DDD", "1970-002", Some(86_400_000));
        check("DDD", "366", None);
        check("yyyy-MM-dd", "1970-01-01x", None);
        check("yyyy-MM-dd", "1970-13-01", None);
        check("yyyy-MM-dd", "01.01.1970", None);
        check("yyyy-MM-dd", "1970-02-31", Some(58 * 86_400_000 - 86_400_000 + 86_400_000));
        check("yyyy-MM-dd HH", "1970-01-01 25", None);
    }

    #[test]
    fn wrong_patterns_say_why() {
        let check = |pattern: &str, word: &str| {
            let error = TimestampPattern::new(pattern).expect_err("no pattern");
            assert!(error.contains(word), "{pattern}: {error}");
        };
        check("yyyy-ii", "'i'");
        check("yyyy[MM", "'['");
        check("yyyy'T", "quote");
    }
}
