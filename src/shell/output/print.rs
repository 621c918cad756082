//! Records of a topic as PRINT shows them.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::OutputFormat;
use super::json::nested;
use super::layout::printable;
use crate::engine::PrintedRecord;

/// Said below the last record.
pub(super) const CEASED: &str = "Topic printing ceased";

/// What somebody is told who waits for records and sees none.
pub(super) const WAITING: &str = "waiting for new records; PRINT … FROM BEGINNING also prints those that are there";

const COLUMNS: &str = "rowtime,partition,offset,key,value";

/// Writes what stands above the records, if the form has such a thing.
pub(super) fn write_header(out: &mut dyn Write, format: OutputFormat) -> io::Result<()> {
    match format {
        OutputFormat::Csv => writeln!(out, "{COLUMNS}"),
        _ => Ok(()),
    }
}

/// Writes a line as another server prints it: a record, or what its bytes seem to be.
pub(super) fn write_line(out: &mut dyn Write, err: &mut dyn Write, format: OutputFormat, line: &str) -> io::Result<()> {
    if format.is_for_people() {
        return writeln!(out, "{}", printable(line.to_owned()));
    }
    match PrintedRecord::parse(line) {
        Some(record) => write_record(out, format, &record),
        None => writeln!(err, "{line}"),
    }
}

/// Writes one record: a line.
pub(super) fn write_record(out: &mut dyn Write, format: OutputFormat, record: &PrintedRecord) -> io::Result<()> {
    match format {
        OutputFormat::Table | OutputFormat::Expanded => {
            writeln!(out, "{}", printable(record.to_string()).replace('\n', "\\n"))
        }
        OutputFormat::Json | OutputFormat::JsonArray => writeln!(out, "{}", json(record)),
        OutputFormat::Csv => csv(out, record),
    }
}

fn json(record: &PrintedRecord) -> Value {
    let mut members = Map::new();
    members.insert("rowtime".into(), record.timestamp.into());
    members.insert("partition".into(), record.partition.into());
    // Servers print no offsets.
    if record.offset >= 0 {
        members.insert("offset".into(), record.offset.into());
    }
    members.insert("key".into(), record.key.clone().map_or(Value::Null, nested));
    members.insert("value".into(), record.value.clone().map_or(Value::Null, nested));
    Value::Object(members)
}

/// No key and no value are empty fields.
fn csv(out: &mut dyn Write, record: &PrintedRecord) -> io::Result<()> {
    let offset = if record.offset >= 0 { record.offset.to_string() } else { String::new() };
    write!(out, "{},{},{offset},", record.timestamp, record.partition)?;
    let field = |out: &mut dyn Write, text: &Option<String>| match text {
        Some(text) => super::csv::write_field(out, text.as_bytes()),
        None => Ok(()),
    };
    field(out, &record.key)?;
    out.write_all(b",")?;
    field(out, &record.value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: OutputFormat, key: Option<&str>, value: Option<&str>, expected: &str) {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let record = PrintedRecord { timestamp: 1, key: text(key), value: text(value), partition: 2, offset: 3 };
        let mut out = Vec::new();
        write_record(&mut out, format, &record).expect("memory takes every byte");
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn a_record_is_a_line_in_every_form() {
        let time = "rowtime: 1970/01/01 00:00:00.001 Z";
        let line = format!("{time}, key: a, value: two\\nlines\\u{{1b}}, partition: 2\n");
        check(OutputFormat::Table, Some("a"), Some("two\nlines\u{1b}"), &line);
        let json = "{\"rowtime\":1,\"partition\":2,\"offset\":3,\"key\":\"7\",\"value\":{\"b\":1.10}}\n";
        check(OutputFormat::Json, Some("7"), Some("{\"b\":1.10}"), json);
        check(OutputFormat::Csv, None, Some("a,b"), "1,2,3,,\"a,b\"\n");
    }
}
