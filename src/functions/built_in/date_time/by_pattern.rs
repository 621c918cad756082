//! What functions with patterns share: patterns and zones are looked up once a batch, not once a row.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use hashbrown::HashMap;
use levada_udf::{Batch, Build, Column, Read, Write};

use crate::types::ZoneClock;
use crate::types::time_pattern::{Formatter, Parsed, Shows, TimePattern};

/// What texts mean, for the texts that a batch has.
pub(super) struct Meanings<'a, T> {
    find: fn(&str) -> Result<T, String>,
    found: HashMap<&'a str, Result<T, String>>,
    /// A constant is looked up once.
    last: Option<(&'a str, Result<T, String>)>,
}

impl<'a, T> Meanings<'a, T> {
    pub(super) fn new(find: fn(&str) -> Result<T, String>) -> Self {
        Self { find, found: HashMap::new(), last: None }
    }

    /// What `text` means.
    pub(super) fn get(&mut self, text: &'a str) -> Result<&mut T, String> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != text) {
            let meaning = self.found.remove(text).unwrap_or_else(|| (self.find)(text));
            if let Some((before, meant)) = self.last.replace((text, meaning)) {
                self.found.insert(before, meant);
            }
        }
        match &mut self.last {
            Some((_, Ok(meaning))) => Ok(meaning),
            Some((_, Err(reason))) => Err(reason.clone()),
            None => Err(format!("'{text}' means nothing")),
        }
    }
}

/// `(value, format) -> STRING`: each value as `write` writes it.
pub(super) fn formatted<'a, T: Read<'a>>(
    batch: &mut Batch<'a>,
    find: fn(&str) -> Result<Formatter, String>,
    mut write: impl FnMut(&Formatter, &mut StringBuilder, T) -> Result<(), String>,
) -> ArrayRef {
    let arguments = batch.arguments();
    let values = Column::<T>::new(&arguments[0]);
    let formats = Column::<&str>::new(&arguments[1]);
    let mut formatters = Meanings::new(find);
    let mut texts = StringBuilder::new();
    for row in 0..batch.rows() {
        let (Some(value), Some(format)) = (values.value(row), formats.value(row)) else {
            texts.append_null();
            continue;
        };
        match formatters.get(format).and_then(|formatter| write(formatter, &mut texts, value)) {
            Ok(()) => texts.append_value(""),
            Err(reason) => {
                texts.append_null();
                batch.fail(row, reason);
            }
        }
    }
    Arc::new(texts.finish())
}

/// `(millis, format[, zone]) -> STRING`: each moment in the zone, which is that of `default` if it is not given.
pub(super) fn formatted_moments<'a, T: Read<'a>>(
    batch: &mut Batch<'a>,
    default: ZoneClock,
    utc_ms: impl Fn(T) -> i64,
) -> ArrayRef {
    let arguments = batch.arguments();
    let Some(zones) = arguments.get(2).map(Column::<&str>::new) else {
        let mut clock = default;
        return formatted(batch, moment_formatter, |formatter, out, moment: T| {
            formatter.write_timestamp(out, utc_ms(moment), &mut clock)
        });
    };
    let mut clocks = Meanings::new(ZoneClock::new);
    let values = Column::<T>::new(&arguments[0]);
    let formats = Column::<&str>::new(&arguments[1]);
    let mut formatters = Meanings::new(moment_formatter);
    let mut texts = StringBuilder::new();
    for row in 0..batch.rows() {
        let (Some(value), Some(format), Some(zone)) = (values.value(row), formats.value(row), zones.value(row)) else {
            texts.append_null();
            continue;
        };
        let written = clocks
            .get(zone)
            .and_then(|clock| formatters.get(format)?.write_timestamp(&mut texts, utc_ms(value), clock));
        match written {
            Ok(()) => texts.append_value(""),
            Err(reason) => {
                texts.append_null();
                batch.fail(row, reason);
            }
        }
    }
    Arc::new(texts.finish())
}

/// A format of dates.
pub(super) fn date_formatter(format: &str) -> Result<Formatter, String> {
    TimePattern::new(format)?.formatter(Shows::Date)
}

/// A format of times of day.
pub(super) fn time_formatter(format: &str) -> Result<Formatter, String> {
    TimePattern::new(format)?.formatter(Shows::Time)
}

fn moment_formatter(format: &str) -> Result<Formatter, String> {
    TimePattern::new(format)?.formatter(Shows::Timestamp)
}

/// `(text, format[, zone])`: what `value` makes of each text and the zone, which is that of `default` if it is not given.
pub(super) fn parsed<W: Write>(
    batch: &mut Batch<'_>,
    find: fn(&str) -> Result<TimePattern, String>,
    mut default: ZoneClock,
    value: impl Fn(&Parsed, &mut ZoneClock) -> Result<W, String>,
) -> ArrayRef {
    let arguments = batch.arguments();
    let texts = Column::<&str>::new(&arguments[0]);
    let formats = Column::<&str>::new(&arguments[1]);
    let zones = arguments.get(2).map(Column::<&str>::new);
    let mut clocks = Meanings::new(ZoneClock::new);
    let mut patterns = Meanings::new(find);
    let mut results = W::Builder::default();
    for row in 0..batch.rows() {
        let is_missing = zones.as_ref().is_some_and(|zones| zones.is_missing(row));
        let (Some(text), Some(format), false) = (texts.value(row), formats.value(row), is_missing) else {
            results.append_null();
            continue;
        };
        let clock = match zones.as_ref().and_then(|zones| zones.value(row)) {
            Some(zone) => clocks.get(zone),
            None => Ok(&mut default),
        };
        let result = clock.and_then(|clock| value(&patterns.get(format)?.parse(text)?, clock));
        if let Err(reason) = result.write(&mut results) {
            batch.fail(row, reason);
        }
    }
    results.finish()
}
