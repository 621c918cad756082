//! Dates and times as texts, by the patterns of Java's `DateTimeFormatter`: of functions, and of `TIMESTAMP_FORMAT`.
//!
//! ```text
//! pattern ── TimePattern::new ──▶ TimePattern ── parse ──▶ Parsed (a date, a time, a moment)
//!                                     └── formatter ──▶ Formatter ── write_date, write_time, write_timestamp ──▶ text
//! ```
//!
//! | letters | stand for | letters | stand for |
//! |---|---|---|---|
//! | `G` | era | `a` | AM or PM |
//! | `u`, `y` | year, year of the era | `h`, `K` | hour of the half day, from 1 or from 0 |
//! | `Y`, `w`, `W` | year of the week, week of it, week of the month | `k`, `H` | hour of the day, from 1 or from 0 |
//! | `M`, `L` | month | `m`, `s`, `S` | minute, second, fraction of it |
//! | `Q`, `q` | quarter | `A`, `n`, `N` | millisecond of the day, nanosecond of the second, of the day |
//! | `d`, `D`, `g` | day of the month, of the year, modified Julian day | `V`, `z`, `v` | zone by identifier, by name |
//! | `E`, `e`, `c` | day of the week | `X`, `x`, `Z`, `O` | offset from UTC |
//! | `F` | day of weeks that begin with the month | `p` | width of what comes next, filled with blanks |
//!
//! How often a letter stands says how wide a number is, or how long a name. `'text'` and other characters stand for
//! themselves, `[ ]` is optional. Names are English, weeks begin on Sunday; case does not matter where a text is read.

mod field;
mod format;
mod names;
mod parse;
mod resolve;
#[cfg(test)]
mod tests;

use field::Field;
pub use format::{Formatter, Shows};
use names::Style;
pub use resolve::Parsed;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct TimePattern {
    items: Vec<Item>,
    /// A text may go on behind what the pattern says.
    is_start: bool,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Text(String),
    Number(Number),
    Name(Field, Style),
    Offset(Offset),
    /// `GMT+8`; in full `GMT+08:00`.
    LocalOffset {
        full: bool,
    },
    ZoneId,
    ZoneName {
        style: Style,
        /// `PT`, whether clocks are moved forward or not.
        generic: bool,
    },
    /// An item that is as wide as this, with blanks before it.
    Padded(usize, Box<Item>),
    Optional(Vec<Item>),
}

/// A field in digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    field: Field,
    form: Form,
    width_min: usize,
    width_max: usize,
    sign: Sign,
    /// Digits of the numbers of fixed width that follow without anything between.
    follow: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// The last two digits of a year from 2000 to 2099.
    TwoDigits,
    /// The first digits of a fraction of a second.
    Fraction,
}

/// Whether a number has a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// If it is negative.
    Normal,
    /// It is not negative.
    Never,
    /// If it is negative, or wider than it should be.
    ExceedsPad,
}

/// How an offset looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offset {
    colons: bool,
    minutes: Minutes,
    seconds: bool,
    /// The text of no offset.
    zero: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Minutes {
    Always,
    IfAny,
}

/// Optional parts in each other: a pattern is read and dropped by calls in each other.
const DEPTH_MAX: usize = 64;

/// Digits that a number has at most.
const WIDTH_MAX: usize = 19;

impl TimePattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// What Java says of it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut chars = pattern.chars().peekable();
        let mut sections = vec![Section::default()];
        while let Some(c) = chars.next() {
            let last = sections.len() - 1;
            match c {
                'a'..='z' | 'A'..='Z' => {
                    let mut count = run(&mut chars, c);
                    let mut letter = c;
                    let mut pad = None;
                    if letter == 'p' {
                        pad = Some(count);
                        letter = chars.next().filter(char::is_ascii_alphabetic).ok_or_else(|| {
                            format!("Pad letter 'p' must be followed by valid pad pattern: {pattern}")
                        })?;
                        count = run(&mut chars, letter);
                    }
                    let item = item(letter, count)?;
                    sections[last].push(match pad {
                        Some(width) => Item::Padded(width, Box::new(item)),
                        None => item,
                    });
                }
                '\'' => {
                    let text = quoted(&mut chars)
                        .ok_or_else(|| format!("Pattern ends with an incomplete string literal: {pattern}"))?;
                    sections[last].push(Item::Text(text));
                }
                '[' if sections.len() > DEPTH_MAX => return Err("Too many optional sections in each other".to_owned()),
                '[' => {
                    sections[last].number = None;
                    sections.push(Section::default());
                }
                ']' if sections.len() == 1 => {
                    return Err("Pattern invalid as it contains ] without previous [".to_owned());
                }
                ']' => close(&mut sections),
                '{' | '}' | '#' => return Err(format!("Pattern includes reserved character: '{c}'")),
                other => sections[last].push(Item::Text(other.to_string())),
            }
        }
        while sections.len() > 1 {
            close(&mut sections);
        }
        Ok(Self { items: sections.swap_remove(0).items, is_start: false })
    }

    /// The pattern of texts that only begin like this one, as Java's older `DateFormat` takes them.
    #[must_use]
    pub fn of_start(self) -> Self {
        Self { is_start: true, ..self }
    }

    /// Whether it has a field of a date.
    pub fn has_date_fields(&self) -> bool {
        any_field(&self.items, &Field::is_of_date)
    }

    /// Whether it has a field of a time of day.
    pub fn has_time_fields(&self) -> bool {
        any_field(&self.items, &Field::is_of_time)
    }
}

fn any_field(items: &[Item], holds: &impl Fn(Field) -> bool) -> bool {
    items.iter().any(|item| match item {
        Item::Number(number) => holds(number.field),
        Item::Name(field, _) => holds(*field),
        Item::Padded(_, inner) => any_field(std::slice::from_ref(inner), holds),
        Item::Optional(inner) => any_field(inner, holds),
        _ => false,
    })
}

/// A pattern or an optional part of it while it is compiled.
#[derive(Default)]
struct Section {
    items: Vec<Item>,
    /// The number whose width depends on those that follow.
    number: Option<usize>,
}

impl Section {
    fn push(&mut self, item: Item) {
        let Item::Number(next) = item else {
            self.number = None;
            return match (self.items.last_mut(), item) {
                (Some(Item::Text(before)), Item::Text(text)) => before.push_str(&text),
                (_, item) => self.items.push(item),
            };
        };
        let is_fixed = next.width_min == next.width_max && next.sign == Sign::Never;
        if let Some(Item::Number(first)) = self.number.and_then(|index| self.items.get_mut(index)) {
            if is_fixed {
                first.follow += next.width_max;
                return self.items.push(Item::Number(next));
            }
            first.follow = 0;
        }
        self.number = Some(self.items.len());
        self.items.push(Item::Number(next));
    }
}

/// Ends the innermost optional part.
fn close(sections: &mut Vec<Section>) {
    if let Some(inner) = sections.pop()
        && let Some(outer) = sections.last_mut()
    {
        outer.push(Item::Optional(inner.items));
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// How often `letter`, which has been read once, stands there.
fn run(chars: &mut Chars<'_>, letter: char) -> usize {
    let mut count = 1;
    while chars.next_if_eq(&letter).is_some() {
        count += 1;
    }
    count
}

/// The text up to the closing quote; `''` is a quote.
fn quoted(chars: &mut Chars<'_>) -> Option<String> {
    if chars.next_if_eq(&'\'').is_some() {
        return Some("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            c => text.push(c),
        }
    }
}

/// What `count` of `letter` stand for.
fn item(letter: char, count: usize) -> Result<Item, String> {
    let too_many = || Err(format!("Too many pattern letters: {letter}"));
    let number = |field| match count {
        1 => Ok(number(field, 1, WIDTH_MAX, Sign::Normal)),
        2 => Ok(fixed(field, 2)),
        _ => too_many(),
    };
    let wide = |field| match count {
        ..=WIDTH_MAX => Ok(self::number(field, count, WIDTH_MAX, Sign::Never)),
        _ => Err(format!("The minimum width must be from 1 to 19 inclusive but was {count}")),
    };
    let named = |field, short| match count {
        _ if count <= short => Ok(Item::Name(field, Style::Short)),
        4 => Ok(Item::Name(field, Style::Full)),
        5 => Ok(Item::Name(field, Style::Narrow)),
        _ => too_many(),
    };
    match letter {
        'G' => named(Field::Era, 3),
        'u' => year(Field::Year, count),
        'y' => year(Field::YearOfEra, count),
        'Y' => year(Field::WeekYear, count),
        'Q' | 'q' if count <= 2 => number(Field::Quarter),
        'Q' | 'q' => named(Field::Quarter, 3),
        'M' | 'L' if count <= 2 => number(Field::Month),
        'M' | 'L' => named(Field::Month, 3),
        'w' if count <= 2 => Ok(self::number(Field::Week, count, 2, Sign::Never)),
        'W' if count == 1 => Ok(fixed(Field::WeekOfMonth, 1)),
        'd' => number(Field::Day),
        'D' => match count {
            1 => number(Field::DayOfYear),
            2 => Ok(self::number(Field::DayOfYear, 2, 3, Sign::Never)),
            3 => Ok(fixed(Field::DayOfYear, 3)),
            _ => too_many(),
        },
        'g' => wide(Field::JulianDay).map(|item| match item {
            Item::Number(number) => Item::Number(Number { sign: Sign::Normal, ..number }),
            other => other,
        }),
        'F' if count == 1 => number(Field::AlignedDay),
        'E' => named(Field::DayOfWeek, 3),
        'c' if count == 2 => Err("Invalid pattern \"cc\"".to_owned()),
        'e' | 'c' if count <= 2 => Ok(fixed(Field::LocalDayOfWeek, count)),
        'e' | 'c' => named(Field::DayOfWeek, 3),
        'a' if count == 1 => named(Field::HalfDay, 1),
        'h' => number(Field::ClockHourOfHalfDay),
        'K' => number(Field::HourOfHalfDay),
        'k' => number(Field::ClockHour),
        'H' => number(Field::Hour),
        'm' => number(Field::Minute),
        's' => number(Field::Second),
        'S' if count <= 9 => {
            Ok(Item::Number(Number { form: Form::Fraction, ..digits(Field::NanoOfSecond, count, count, Sign::Never) }))
        }
        'S' => Err(format!("Minimum width must be from 0 to 9 inclusive but was {count}")),
        'A' => wide(Field::MilliOfDay),
        'n' => wide(Field::NanoOfSecond),
        'N' => wide(Field::NanoOfDay),
        'V' if count == 2 => Ok(Item::ZoneId),
        'V' => Err("Pattern letter count must be 2: V".to_owned()),
        'z' | 'v' => match (letter, count) {
            ('z', 1..=3) | ('v', 1) => Ok(Item::ZoneName { style: Style::Short, generic: letter == 'v' }),
            (_, 4) => Ok(Item::ZoneName { style: Style::Full, generic: letter == 'v' }),
            ('v', _) => Err("Wrong number of pattern letters: v".to_owned()),
            _ => too_many(),
        },
        'O' => match count {
            1 | 4 => Ok(Item::LocalOffset { full: count == 4 }),
            _ => Err("Pattern letter count must be 1 or 4: O".to_owned()),
        },
        'Z' if count == 4 => Ok(Item::LocalOffset { full: true }),
        'X' | 'x' | 'Z' if count <= 5 => Ok(Item::Offset(offset(letter, count))),
        'w' | 'W' | 'F' | 'a' | 'X' | 'x' | 'Z' => too_many(),
        other => Err(format!("Unknown pattern letter: {other}")),
    }
}

fn offset(letter: char, count: usize) -> Offset {
    // Up to three of `Z` are two of `x`.
    let form = if letter == 'Z' && count < 4 { 2 } else { count };
    let zero = match (letter, form) {
        ('X', _) | ('Z', 5) => "Z",
        (_, 1) => "+00",
        (_, 2 | 4) => "+0000",
        _ => "+00:00",
    };
    let minutes = if form == 1 { Minutes::IfAny } else { Minutes::Always };
    Offset { colons: form == 3 || form == 5, minutes, seconds: form >= 4, zero }
}

fn year(field: Field, count: usize) -> Result<Item, String> {
    match count {
        2 => Ok(Item::Number(Number { form: Form::TwoDigits, ..digits(field, 2, 2, Sign::Never) })),
        1 | 3 => Ok(number(field, count, WIDTH_MAX, Sign::Normal)),
        ..=WIDTH_MAX => Ok(number(field, count, WIDTH_MAX, Sign::ExceedsPad)),
        _ => Err(format!("The minimum width must be from 1 to 19 inclusive but was {count}")),
    }
}

fn fixed(field: Field, width: usize) -> Item {
    number(field, width, width, Sign::Never)
}

fn number(field: Field, width_min: usize, width_max: usize, sign: Sign) -> Item {
    Item::Number(digits(field, width_min, width_max, sign))
}

fn digits(field: Field, width_min: usize, width_max: usize, sign: Sign) -> Number {
    Number { field, form: Form::Plain, width_min, width_max, sign, follow: 0 }
}
