//! Keys and values between the text of a spec and bytes, by the formats of the stream or table on the topic.
//!
//! | text | bytes |
//! |---|---|
//! | `null` | none: a null key, a tombstone |
//! | `0x00ff`, `0x` | these bytes, no bytes |
//! | anything else | what the declared format makes of it; JSON and DELIMITED take the text as it stands |
//!
//! A key that is no JSON may stand in double quotes, for the blanks in it.

use std::io;

use serde::Serialize as _;
use serde_json::Value;

use super::line::{Fields, Line, json_word, word};
use super::parse::Text;
use super::time;
use crate::formats::{Format, Serde};
use crate::testing::driver::{SourceInfo, TestRecord};
use crate::testing::kafka_bytes;
use crate::testing::windowed_key::{self, Window};
use crate::types::{Column, Header, SqlType, WindowKind};

/// The record of a line whose topic holds the records of `source`.
pub fn to_record(line: &Text, fields: &Fields<'_>, source: Option<&SourceInfo>) -> Result<TestRecord, String> {
    let (key, rest) = json_word(fields.rest);
    let (window, rest) = match source.and_then(|source| source.window) {
        Some(kind) => {
            let (window, rest) = word(rest);
            (Some((parse_window(window).ok_or_else(|| line.fault("the window START..END is missing"))?, kind)), rest)
        }
        None => (None, rest),
    };
    let serde = |side: fn(&SourceInfo) -> (&Serde, &[Column])| source.map(side);
    let has_json_key = source.is_some_and(|source| source.key_serde.format == Format::Json);
    let key = if has_json_key { key.to_owned() } else { unquoted(key) };
    let key_bytes = encode(&key, serde(|source| (&source.key_serde, &source.schema.key)));
    let value = encode(rest, serde(|source| (&source.value_serde, &source.schema.value)));
    let key_bytes = key_bytes.map_err(|reason| line.fault(&reason))?;
    Ok(TestRecord {
        partition: fields.partition,
        key: match (key_bytes, window) {
            (Some(bytes), Some((window, kind))) => Some(windowed_key::join(bytes, window, kind)),
            (bytes, _) => bytes,
        },
        value: value.map_err(|reason| line.fault(&reason))?,
        timestamp: fields.timestamp,
        headers: fields.headers.iter().map(|(name, text)| header(name, text)).collect(),
    })
}

fn header(name: &str, text: &str) -> Header {
    Header { key: name.to_owned(), value: (text != "null").then(|| text.as_bytes().to_vec()) }
}

fn parse_window(text: &str) -> Option<Window> {
    let (start, end) = text.split_once("..")?;
    Some(Window { start: time::parse(start)?, end: time::parse(end)? })
}

fn encode(text: &str, side: Option<(&Serde, &[Column])>) -> Result<Option<Vec<u8>>, String> {
    if text == "null" {
        return Ok(None);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return bytes_of_hex(hex).map(Some).ok_or_else(|| "no hexadecimal bytes".to_owned());
    }
    let column = |columns: &[Column]| columns.first().map(|column| column.sql_type.clone());
    match side {
        Some((Serde { format: Format::Kafka, .. }, columns)) => {
            kafka_bytes::encode(text, column(columns).as_ref()).map(Some)
        }
        _ => Ok(Some(text.as_bytes().to_vec())),
    }
}

/// Text in double quotes may hold blanks; the quotes are not part of it.
fn unquoted(text: &str) -> String {
    serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())
}

fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok()).collect()
}

fn hex_of_bytes(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The `out` line of a record.
pub fn out_line(topic: &str, record: &TestRecord, source: Option<&SourceInfo>) -> Line {
    let place = match record.partition {
        None | Some(0) => topic.to_owned(),
        Some(partition) => format!("{topic}/{partition}"),
    };
    let mut time = format!("@{}", time::show(record.timestamp));
    for header in &record.headers {
        let text = header.value.as_deref().map_or("null".into(), String::from_utf8_lossy);
        time = format!("{time} #{}={text}", header.key);
    }
    let (key, window) = split_window(record.key.as_deref(), source.and_then(|source| source.window));
    let mut key = show_key(key, source);
    if let Some(window) = window {
        key = format!("{key} {}..{}", time::show(window.start), time::show(window.end));
    }
    let side = source.map(|source| (&source.value_serde, source.schema.value.as_slice()));
    Line::new(["out".to_owned(), place, time, key, decode(record.value.as_deref(), side)])
}

fn split_window(key: Option<&[u8]>, kind: Option<WindowKind>) -> (Option<&[u8]>, Option<Window>) {
    match key.zip(kind).and_then(|(key, kind)| windowed_key::split(key, kind)) {
        Some((key, window)) => (Some(key), Some(window)),
        None => (key, None),
    }
}

fn show_key(key: Option<&[u8]>, source: Option<&SourceInfo>) -> String {
    let text = decode(key, source.map(|source| (&source.key_serde, source.schema.key.as_slice())));
    let is_json = source.is_some_and(|source| source.key_serde.format == Format::Json);
    if is_json || !text.contains([' ', '"']) { text } else { Value::String(text).to_string() }
}

fn decode(bytes: Option<&[u8]>, side: Option<(&Serde, &[Column])>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    let sql_type = side.and_then(|(_, columns)| columns.first()).map(|column| &column.sql_type);
    let number = match side {
        Some((Serde { format: Format::Kafka, .. }, _)) => match sql_type {
            Some(SqlType::Integer) => bytes.try_into().ok().map(|bytes| i32::from_be_bytes(bytes).to_string()),
            Some(SqlType::Bigint) => bytes.try_into().ok().map(|bytes| i64::from_be_bytes(bytes).to_string()),
            Some(SqlType::Double) => bytes.try_into().ok().map(|bytes| format!("{:?}", f64::from_be_bytes(bytes))),
            _ => None,
        },
        _ => None,
    };
    let is_number = matches!(sql_type, Some(SqlType::Integer | SqlType::Bigint | SqlType::Double))
        && matches!(side, Some((Serde { format: Format::Kafka, .. }, _)));
    match number {
        Some(number) => number,
        None if is_number => hex_of_bytes(bytes),
        None => match side {
            Some((Serde { format: Format::Json, .. }, _)) => spaced_json(bytes),
            _ => plain(bytes),
        },
    }
}

/// Text that reads back as itself, or hexadecimal bytes.
fn plain(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if is_plain(text) => text.to_owned(),
        _ => hex_of_bytes(bytes),
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text != "null"
        && text.trim() == text
        && !text.starts_with("0x")
        && !text.contains(" --")
        && !text.contains(char::is_control)
}

fn spaced_json(bytes: &[u8]) -> String {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Null) | Err(_) => plain(bytes),
        Ok(json) => {
            let mut out = Vec::with_capacity(bytes.len() * 2);
            let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
            match json.serialize(&mut serializer) {
                Ok(()) => String::from_utf8_lossy(&out).into_owned(),
                Err(_) => plain(bytes),
            }
        }
    }
}

/// JSON on one line with a blank after `:` and `,`.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Schema;

    fn source(key: Format, key_type: SqlType, window: Option<WindowKind>) -> SourceInfo {
        SourceInfo {
            name: "T".to_owned(),
            is_table: true,
            topic: "t".to_owned(),
            schema: Schema {
                key: vec![Column::new("K", key_type)],
                value: vec![Column::new("A", SqlType::Bigint), Column::new("B", SqlType::String)],
            },
            key_serde: Serde { format: key, wrap_single: false },
            value_serde: Serde { format: Format::Json, wrap_single: true },
            window,
            window_type: None,
            is_source: false,
        }
    }

    fn check(source: &SourceInfo, written: &str, canonical: &str, key: &[u8]) {
        let line = Text { number: 1, content: format!("out t {written}") };
        let fields = super::super::line::fields(&line).expect("complete");
        let record = to_record(&line, &fields, Some(source)).expect("fits");
        assert_eq!(record.key.as_deref(), Some(key), "{written}");
        assert_eq!(out_line("t", &record, Some(source)).canonical(), format!("out t {canonical}"));
    }

    #[test]
    fn lines_become_bytes_and_lines_again() {
        let strings = source(Format::Kafka, SqlType::String, None);
        check(&strings, "@5s  ann {\"A\":1,\"B\":\"x\"}", "@5s ann {\"A\": 1, \"B\": \"x\"}", b"ann");
        check(&strings, "@5s \"ann lee\" null", "@5s \"ann lee\" null", b"ann lee");
        check(&strings, "@5s #h=v 0xff00 {\"A\": 1.10", "@5s #h=v 0xff00 {\"A\": 1.10", &[255, 0]);
        check(&strings, "@0s 0x 0x6e756c6c", "@0s 0x 0x6e756c6c", b"");
        check(&strings, r#"@0s "a\"b" {}"#, r#"@0s "a\"b" {}"#, b"a\"b");
        check(&source(Format::Kafka, SqlType::Integer, None), "@0s 7 {}", "@0s 7 {}", &[0, 0, 0, 7]);
        check(&source(Format::Json, SqlType::String, None), "@0s \"a b\" {}", "@0s \"a b\" {}", b"\"a b\"");
        let windowed = source(Format::Kafka, SqlType::String, Some(WindowKind::Time { size_ms: 60_000 }));
        check(&windowed, "@5s ann 0s..1m {}", "@5s ann 0s..60s {}", b"ann\0\0\0\0\0\0\0\0");
    }
}
