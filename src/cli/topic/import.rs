//! `import`: one JSON record per row of a CSV file.
//!
//! The file is read twice: once for the types of its columns, once for its rows. So its size does not matter, and the
//! type of a column is right for its last row too.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum as _;
use csv::ByteRecord;

use super::appender::Appender;
use super::column_type::{ColumnType, column_of, is_null, parse_types};
use super::csv_file::{CsvFile, Row};
use super::json_row::JsonRow;
use super::key_format::KeyFormat;
use super::refusals::Refusals;
use super::{Records, Streams, TopicFailure, time_text};
use crate::cli::counted::counted;
use crate::cli::counter::Counter;
use crate::sql::quote_name;

const NOTES: &str = "\
The file may be plain, .gz or .zip, or a pipe; its first row names the columns. Types are found by reading the whole file unless \
they are given; empty cells and NA are null. Values are JSON objects with the header's names. The columns and their \
types are printed on standard error, ready for a CREATE STREAM.

The bytes of a key must be those of the KEY column in SQL: kafka:int for KEY_FORMAT='KAFKA' (the default) and INT, \
kafka:bigint for BIGINT, kafka:double for DOUBLE, json for KEY_FORMAT='JSON'. --print-sql prints a statement that fits.

A row that cannot become a record is reported with its line and left out; the others are appended, and the exit code \
is not 0.";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Import {
    /// Name of the topic; created when missing
    name: String,

    /// The CSV file; - for standard input
    file: PathBuf,

    /// Character between cells; \t for a tab
    #[arg(long, value_name = "C", default_value = ",", value_parser = parse_delimiter)]
    delimiter: u8,

    /// Types of some or all columns: 'col INT, col2 STRING'
    #[arg(long, value_name = "COLUMNS")]
    types: Option<String>,

    /// Column that is the key too
    #[arg(long, value_name = "COLUMN")]
    key_field: Option<String>,

    /// How the key's text becomes bytes: what the type of the KEY column asks for
    #[arg(long, value_name = "FORMAT", default_value = "kafka:string")]
    key_format: KeyFormat,

    /// Column with the record's time: milliseconds since 1970, or ISO-8601 text
    #[arg(long, value_name = "COLUMN")]
    timestamp_field: Option<String>,

    /// Time of all records, milliseconds since 1970; without it and --timestamp-field, now
    #[arg(long, value_name = "MS", conflicts_with = "timestamp_field", allow_negative_numbers = true)]
    timestamp: Option<i64>,

    /// Number of partitions of the topic
    #[arg(long, value_name = "N")]
    partitions: Option<u32>,

    /// Print a CREATE STREAM statement for the topic on standard output
    #[arg(long)]
    print_sql: bool,
}

/// Where the parts of a record come from.
struct Mapping {
    values: JsonRow,
    key: Option<usize>,
    key_format: KeyFormat,
    timestamp: Option<usize>,
}

/// How many rows pass between two questions whether to stop.
const STOP_ROWS: u64 = 4096;

impl Import {
    pub(super) fn run(self, records: Records<'_>, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let file = CsvFile::open(&self.file, self.delimiter, streams)?;
        if let Some(other) = file.likely_delimiter() {
            let other = other.escape_default();
            writeln!(
                streams.notices,
                "the header is one column with '{other}' in its name: try --delimiter '{other}'"
            )?;
        }
        let column = |name: &Option<String>| name.as_ref().map(|name| column_of(name, &file.header)).transpose();
        let key = column(&self.key_field).map_err(TopicFailure::Options)?;
        let timestamp = column(&self.timestamp_field).map_err(TopicFailure::Options)?;
        let types = self.types(&file, streams.stop)?;
        writeln!(streams.notices, "columns: {}", columns(&file.header, &types))?;

        let mut appender = Appender::open(records, &self.name, self.partitions, streams.notices)?;
        if self.print_sql {
            writeln!(streams.output, "{}", self.create_stream(&file.header, &types, key))?;
            self.explain_key(&file.header, &types, key, streams.notices)?;
        }
        let mapping =
            Mapping { values: JsonRow::new(&file.header, types), key, key_format: self.key_format, timestamp };
        let fixed = self.timestamp.unwrap_or_else(streams.now_ms);
        let refusals = append_all(&file, &mapping, fixed, &mut appender, streams)?;
        let appended = appender.appended();
        appender.finish(refusals.any(), streams.notices)?;
        refusals.outcome(appended)
    }

    /// The types of the columns: those given, and for the others the narrowest that holds all their cells.
    fn types(&self, file: &CsvFile, stop: &dyn Fn() -> bool) -> Result<Vec<ColumnType>, TopicFailure> {
        let given = parse_types(self.types.as_deref().unwrap_or_default(), &file.header);
        let given = given.map_err(TopicFailure::Options)?;
        let mut found = given.clone();
        if given.iter().any(Option::is_none) {
            let (mut counter, mut rows) = (Counter::new("looked at", |count| counted(count, "row")), 0);
            let mut stopped = false;
            file.rows(|Row { cells, .. }| {
                if let Ok(cells) = cells {
                    widen(&mut found, &given, cells);
                }
                rows += 1;
                if rows % STOP_ROWS == 0 {
                    counter.note_part(rows, file.part_read());
                    stopped = stop();
                }
                Ok(!stopped)
            })?;
            if stopped {
                return Err(TopicFailure::Stopped { appended: 0 });
            }
        }
        Ok(found.into_iter().map(|column| column.unwrap_or(ColumnType::String)).collect())
    }

    /// Says when the key's type in SQL is not the one that was found, and which key format keeps it.
    fn explain_key(
        &self,
        header: &[String],
        types: &[ColumnType],
        key: Option<usize>,
        notices: &mut dyn Write,
    ) -> io::Result<()> {
        let (Some(column), (_, Some(in_sql))) = (key, self.key_format.in_sql()) else { return Ok(()) };
        let (name, found) = (&header[column], types[column].to_string());
        if found == in_sql {
            return Ok(());
        }
        let format = |key_format: KeyFormat| key_format.to_possible_value().map(|value| value.get_name().to_owned());
        let keeps = |key_format: &KeyFormat| key_format.in_sql().1.unwrap_or(&found) == found;
        let other = KeyFormat::value_variants().iter().copied().find(keeps).and_then(format).unwrap_or_default();
        let given = format(self.key_format).unwrap_or_default();
        writeln!(notices, "key column {name} is {in_sql} because of --key-format {given}; {other} makes it {found}")
    }

    fn create_stream(&self, header: &[String], types: &[ColumnType], key: Option<usize>) -> String {
        let (key_format, key_type) = self.key_format.in_sql();
        let column = |index: usize| format!("{} {}", quoted(&header[index]), types[index]);
        let key_column = key.map(|index| {
            let sql_type = key_type.map_or_else(|| types[index].to_string(), str::to_owned);
            format!("{} {sql_type} KEY", quoted(&header[index]))
        });
        let others = (0..header.len()).filter(|index| Some(*index) != key).map(column);
        let columns: Vec<String> = key_column.into_iter().chain(others).collect();
        let key_format = key.map_or_else(String::new, |_| format!(", KEY_FORMAT = '{key_format}'"));
        let stream: String =
            self.name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
        format!(
            "CREATE STREAM {} ({}) WITH (KAFKA_TOPIC = '{}'{key_format}, VALUE_FORMAT = 'JSON');",
            quoted(&stream),
            columns.join(", "),
            self.name
        )
    }
}

/// One character of one byte, which is no quote and no end of a line.
fn parse_delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "\\t" => Ok(b'\t'),
        &[byte] if byte != b'"' && byte != b'\n' && byte != b'\r' => Ok(byte),
        _ => Err("write one ASCII character, such as ; or \\t for a tab".to_owned()),
    }
}

fn append_all(
    file: &CsvFile,
    mapping: &Mapping,
    fixed_timestamp: i64,
    appender: &mut Appender<'_>,
    streams: &mut Streams<'_>,
) -> Result<Refusals, TopicFailure> {
    let mut refusals = Refusals::of("row");
    let (mut value, mut key) = (Vec::new(), Vec::new());
    let (mut rows, mut stopped) = (0, false);
    let mut counter = Counter::new("appended", |count| counted(count, "row"));
    file.rows(|Row { line, cells }| {
        value.clear();
        match cells.and_then(|cells| mapping.record(cells, &mut key, &mut value)) {
            Ok((has_key, timestamp)) => {
                let key = has_key.then_some(key.as_slice());
                if let Err(reason) = appender.push(key, Some(&value), timestamp.unwrap_or(fixed_timestamp))? {
                    refusals.add(line, &reason, streams.notices)?;
                }
            }
            Err(reason) => refusals.add(line, &reason, streams.notices)?,
        }
        rows += 1;
        if rows % STOP_ROWS == 0 {
            counter.note_part(rows, file.part_read());
            stopped = (streams.stop)();
        }
        Ok(!stopped)
    })?;
    drop(counter);
    appender.commit()?;
    if stopped { Err(TopicFailure::Stopped { appended: appender.appended() }) } else { Ok(refusals) }
}

impl Mapping {
    /// Writes key and value of `cells`; whether there is a key, and the time if it comes from the row.
    fn record(
        &self,
        cells: &ByteRecord,
        key: &mut Vec<u8>,
        value: &mut Vec<u8>,
    ) -> Result<(bool, Option<i64>), String> {
        self.values.write(cells, value)?;
        let key_column = self.key.filter(|column| !is_null(&cells[*column]));
        if let Some(column) = key_column {
            key.clear();
            self.write_key(column, &cells[column], key)?;
        }
        let timestamp = self.timestamp.map(|column| timestamp_of(&cells[column])).transpose()?;
        Ok((key_column.is_some(), timestamp))
    }

    fn write_key(&self, column: usize, cell: &[u8], key: &mut Vec<u8>) -> Result<(), String> {
        match self.key_format {
            KeyFormat::KafkaString => key.extend_from_slice(cell),
            KeyFormat::Json => self.values.write_cell(column, cell, key)?,
            format => key.extend(format.encode(&String::from_utf8_lossy(cell))?),
        }
        Ok(())
    }
}

fn widen(found: &mut [Option<ColumnType>], given: &[Option<ColumnType>], cells: &ByteRecord) {
    for ((found, given), cell) in found.iter_mut().zip(given).zip(cells) {
        if given.is_none() && *found != Some(ColumnType::String) && !is_null(cell) {
            let cell = ColumnType::of(cell);
            *found = Some(found.map_or(cell, |before| before.widened(cell)));
        }
    }
}

fn timestamp_of(cell: &[u8]) -> Result<i64, String> {
    let text = String::from_utf8_lossy(cell);
    time_text::parse(&text).ok_or_else(|| format!("'{text}' is not a time"))
}

/// `year INT, carrier STRING`, as a CREATE STREAM has it.
fn columns(header: &[String], types: &[ColumnType]) -> String {
    let column = |(name, sql_type): (&String, &ColumnType)| format!("{} {sql_type}", quoted(name));
    header.iter().zip(types).map(column).collect::<Vec<_>>().join(", ")
}

/// `name` as SQL can have it: in backticks unless it is a plain word with no meaning of its own. Small letters need none,
/// for columns find their fields in capitals too.
fn quoted(name: &str) -> String {
    let capitals = name.to_ascii_uppercase();
    if quote_name(&capitals) == capitals { name.to_owned() } else { quote_name(name).into_owned() }
}
