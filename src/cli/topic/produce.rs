//! `produce`: one record per line of standard input.

use std::borrow::Cow;

use serde_json::Value;

use super::appender::Appender;
use super::json_fields::fields;
use super::key_format::KeyFormat;
use super::lines::{Lines, Next};
use super::refusals::Refusals;
use super::value_format::ValueFormat;
use super::{Records, Streams, TopicFailure, time_text};
use crate::cli::counted::counted;
use crate::cli::counter::Counter;

const NOTES: &str = "\
The line is the value, its time is now, and there is no key, unless options say otherwise. Empty lines are passed over.

With --key-separator, the text before the first separator is the key and the rest is the value. An empty key means no \
key, an empty value a null value: a tombstone, which deletes the key from a table.

The bytes of a key must be those of the KEY column in SQL: kafka:int for KEY_FORMAT='KAFKA' (the default) and INT, \
kafka:bigint for BIGINT, kafka:double for DOUBLE, json for KEY_FORMAT='JSON'. A key in another form is rejected by \
every query.

With --value-format hex, and --key-format hex, lines hold digits of bytes, 0x00ff, as consume prints them with the same \
options: so records of any format can be written, and go from one topic to another.

With --key-format json, a key that is JSON is taken as it is, any other becomes a JSON string.

A line that cannot become a record is reported with its number and left out; the others are appended, and the exit \
code is not 0.";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Produce {
    /// Name of the topic; created with one partition when missing
    name: String,

    /// Text between key and value
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new(), conflicts_with = "key_field")]
    key_separator: Option<String>,

    /// Field of the JSON value that is the key too
    #[arg(long, value_name = "FIELD")]
    key_field: Option<String>,

    /// How the key's text becomes bytes: what the type of the KEY column asks for
    #[arg(long, value_name = "FORMAT", default_value = "kafka:string")]
    key_format: KeyFormat,

    /// How the value's text becomes bytes; fields are looked up in values that are text
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    value_format: ValueFormat,

    /// Field of the JSON value with the record's time: milliseconds since 1970, or ISO-8601 text
    #[arg(long, value_name = "FIELD")]
    timestamp_field: Option<String>,
}

/// A line as a record.
#[derive(Debug, PartialEq)]
struct Record<'a> {
    key: Option<Vec<u8>>,
    value: Option<Cow<'a, [u8]>>,
    timestamp: Option<i64>,
}

/// How many lines pass, at most, between two questions whether to stop.
const STOP_LINES: u64 = 4096;

impl Produce {
    pub(super) fn run(self, records: Records<'_>, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        if self.value_format == ValueFormat::Hex && (self.key_field.is_some() || self.timestamp_field.is_some()) {
            let reason = "--value-format hex does not go with --key-field and --timestamp-field: bytes have no fields";
            return Err(TopicFailure::Options(reason.to_owned()));
        }
        let mut appender = Appender::open(records, &self.name, None, streams.notices)?;
        let mut refusals = Refusals::of("line");
        let mut counter = (!streams.is_typed).then(|| Counter::new("appended", |count| counted(count, "record")));
        let mut lines = Lines::of(std::mem::replace(&mut streams.input, Box::new(std::io::empty())));
        loop {
            let pauses = match lines.next()? {
                Next::Line(_, []) => continue,
                Next::Line(number, line) => {
                    match self.record(line) {
                        Ok(Record { key, value, timestamp }) => {
                            let timestamp = timestamp.unwrap_or_else(streams.now_ms);
                            if let Err(reason) = appender.push(key.as_deref(), value.as_deref(), timestamp)? {
                                refusals.add(number, &reason, streams.notices)?;
                            }
                        }
                        Err(reason) => refusals.add(number, &reason, streams.notices)?,
                    }
                    if number % STOP_LINES != 0 {
                        continue;
                    }
                    false
                }
                Next::Pause => true,
                Next::End => break,
            };
            if (streams.stop)() {
                break;
            }
            if pauses {
                appender.commit()?;
            }
            if let Some(counter) = &mut counter {
                counter.note(appender.appended());
            }
        }
        drop(counter);
        appender.commit()?;
        let appended = appender.appended();
        appender.finish(false, streams.notices)?;
        refusals.outcome(appended)
    }

    fn record<'a>(&self, line: &'a [u8]) -> Result<Record<'a>, String> {
        let (key_text, value) = match &self.key_separator {
            None => (None, Some(line)),
            Some(separator) => split(line, separator)?,
        };
        let mut key = key_text.map(|text| self.key_of_text(text)).transpose()?;
        let mut timestamp = None;
        if self.key_field.is_some() || self.timestamp_field.is_some() {
            let names = [&self.key_field, &self.timestamp_field].map(|name| name.as_deref().unwrap_or_default());
            let [key_value, time] = fields(value.unwrap_or_default(), names)?;
            if let Some(name) = &self.key_field {
                key = self.key_format.encode_value(&key_value.ok_or_else(|| missing(name))?)?;
            }
            if let Some(name) = &self.timestamp_field {
                timestamp = Some(timestamp_of(name, &time.ok_or_else(|| missing(name))?)?);
            }
        }
        let value = value.map(|value| self.value_format.bytes(value)).transpose()?;
        Ok(Record { key, value, timestamp })
    }

    fn key_of_text(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let text = std::str::from_utf8(text).map_err(|_| "the key is not UTF-8 text".to_owned())?;
        self.key_format.encode(text)
    }
}

type KeyAndValue<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Key and value around the first `separator`; an empty one is none.
fn split<'a>(line: &'a [u8], separator: &str) -> Result<KeyAndValue<'a>, String> {
    let at = memchr::memmem::find(line, separator.as_bytes());
    let at = at.ok_or_else(|| format!("there is no key separator '{separator}'"))?;
    let some = |text: &'a [u8]| (!text.is_empty()).then_some(text);
    Ok((some(&line[..at]), some(&line[at + separator.len()..])))
}

fn timestamp_of(name: &str, value: &Value) -> Result<i64, String> {
    match value {
        Value::String(text) => time_text::parse(text).ok_or_else(|| format!("'{text}' is not a time")),
        // Its text here need not be the one of the line: 1e3 has become 1e+3.
        other => time_text::parse(&other.to_string())
            .ok_or_else(|| format!("field '{name}' is neither whole milliseconds nor a text with a time")),
    }
}

fn missing(name: &str) -> String {
    format!("there is no field '{name}'")
}
