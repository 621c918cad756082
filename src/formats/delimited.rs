//! DELIMITED: one line of comma-separated values per record, as Apache Commons CSV reads and writes it by default.
//!
//! - Fields are split at the delimiter; one that starts with `"` runs to the closing quote, `""` inside being a quote.
//! - An empty field is null, so empty text comes back as null.
//! - Only the first line of a record counts; blank lines before it are skipped.
//! - Numbers, booleans and decimals are parsed as Java parses them; DATE, TIME and TIMESTAMP are integers, BYTES base64.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Date32Type, Time32MillisecondType, TimestampMillisecondType};

use crate::types::{Column, SqlType, java_text};

use super::number_text::{NumberText, parse_f64, parse_i32, parse_i64};
use super::rows::{RowMarks, RowsWriter, Utf8Check};
use super::scalar_column::{ScalarColumn, decimal_parameters};
use super::{Decoded, Decoder, Encoded, Encoder};

const QUOTE: u8 = b'"';

/// Decodes lines.
pub(super) struct DelimitedDecoder {
    columns: Vec<CellReader>,
    delimiter: Vec<u8>,
    /// A quoted field without its quotes.
    unquoted: Vec<u8>,
}

struct CellReader {
    column: Column,
    cells: ScalarColumn,
    needed: bool,
}

impl DelimitedDecoder {
    /// A decoder of `columns`, whose types the format supports.
    pub(super) fn new(columns: &[Column], needed: &[bool], delimiter: char) -> Self {
        let reader = |(column, needed): (&Column, &bool)| CellReader {
            column: column.clone(),
            cells: ScalarColumn::new(&column.sql_type).expect("supported types are scalar"),
            needed: *needed,
        };
        Self {
            columns: columns.iter().zip(needed).map(reader).collect(),
            delimiter: delimiter.to_string().into_bytes(),
            unquoted: Vec::new(),
        }
    }

    /// Reads the fields of `record`, all of them counted before any of them is blamed.
    fn read(&mut self, record: &[u8]) -> Result<(), String> {
        let mut line = Line::new(record, &self.delimiter).ok_or("no fields in record")?;
        let mut wrong = None;
        let mut count = 0;
        while let Some(field) = line.next_field(&mut self.unquoted)? {
            if let Some(reader) = self.columns.get_mut(count)
                && wrong.is_none()
            {
                let text = field.unwrap_or(&self.unquoted);
                wrong = reader.read(text).err();
            }
            count += 1;
        }
        if count != self.columns.len() {
            return Err(format!("Unexpected field count, csvFields:{count} schemaFields:{}", self.columns.len()));
        }
        wrong.map_or(Ok(()), Err)
    }

    fn push_null(&mut self) {
        self.columns.iter_mut().for_each(|reader| reader.cells.push_null());
    }
}

impl Decoder for DelimitedDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let rows = bytes.len();
        let utf8 = Utf8Check::new(bytes);
        let mut marks = RowMarks::default();
        for row in 0..rows {
            if bytes.is_null(row) {
                self.push_null();
                marks.null(row);
                continue;
            }
            let record = bytes.value(row);
            let read = if utf8.is_utf8(record) { self.read(record) } else { Err("invalid UTF-8".into()) };
            if let Err(reason) = read {
                self.columns.iter_mut().for_each(|reader| reader.cells.truncate(row));
                self.push_null();
                marks.error(row, reason);
            }
        }
        let finish = |reader: &mut CellReader| {
            let array = reader.cells.finish();
            if reader.needed { array } else { new_null_array(array.data_type(), rows) }
        };
        let columns = self.columns.iter_mut().map(finish).collect();
        Decoded { columns, nulls: marks.null_bits(rows), errors: marks.errors }
    }
}

impl CellReader {
    fn read(&mut self, text: &[u8]) -> Result<(), String> {
        if text.is_empty() {
            self.cells.push_null();
            return Ok(());
        }
        if push(&mut self.cells, &self.column.sql_type, text, self.needed).is_some() {
            return Ok(());
        }
        let Column { name, sql_type } = &self.column;
        Err(format!("cannot read {} as {sql_type} in column {name}", String::from_utf8_lossy(text)))
    }
}

/// Appends what `text` stands for; `None` if it is no `sql_type`. Text that nobody needs is not copied.
fn push(cells: &mut ScalarColumn, sql_type: &SqlType, text: &[u8], needed: bool) -> Option<()> {
    match cells {
        ScalarColumn::Boolean(cells) => cells.push(text.eq_ignore_ascii_case(b"true")),
        ScalarColumn::Integer(cells) => cells.push(parse_i32(text)?),
        ScalarColumn::Date(cells) => cells.push(parse_i32(text)?),
        ScalarColumn::Time(cells) => cells.push(parse_i32(text)?),
        ScalarColumn::Bigint(cells) => cells.push(parse_i64(text)?),
        ScalarColumn::Timestamp(cells) => cells.push(parse_i64(text)?),
        ScalarColumn::Double(cells) => cells.push(parse_f64(text)?),
        ScalarColumn::Decimal128(cells) => {
            let (precision, scale) = decimal_parameters(sql_type);
            cells.push(NumberText::parse(text)?.to_decimal128(precision, scale)?);
        }
        ScalarColumn::Decimal256(cells) => {
            let (precision, scale) = decimal_parameters(sql_type);
            cells.push(NumberText::parse(text)?.to_decimal256(precision, scale)?);
        }
        ScalarColumn::Text(cells) => {
            if needed {
                cells.data.extend_from_slice(text);
            }
            return cells.end().then_some(());
        }
        ScalarColumn::Bytes(cells) => {
            let read = java_text::read_base64(&mut cells.data, text);
            return (read && cells.end()).then_some(());
        }
    }
    Some(())
}

/// A cursor over the fields of a record's first line.
struct Line<'a> {
    rest: &'a [u8],
    delimiter: &'a [u8],
    /// Whether another field follows: at the start and after a delimiter.
    open: bool,
}

impl<'a> Line<'a> {
    /// The first line of `record` that is not blank.
    fn new(record: &'a [u8], delimiter: &'a [u8]) -> Option<Self> {
        let start = record.iter().position(|byte| !matches!(byte, b'\n' | b'\r'))?;
        Some(Self { rest: &record[start..], delimiter, open: true })
    }

    /// The next field: its text, or `None` inside where it was quoted and now stands in `unquoted`.
    fn next_field(&mut self, unquoted: &mut Vec<u8>) -> Result<Option<Option<&'a [u8]>>, String> {
        if !self.open {
            return Ok(None);
        }
        if self.rest.first() == Some(&QUOTE) && !self.rest.starts_with(self.delimiter) {
            self.quoted_field(unquoted)?;
            return Ok(Some(None));
        }
        let mut at = 0;
        while at < self.rest.len() && !self.ends_field(at) {
            at += 1;
        }
        let field = &self.rest[..at];
        self.step_over_end(at);
        Ok(Some(Some(field)))
    }

    fn ends_field(&self, at: usize) -> bool {
        let byte = self.rest[at];
        byte == b'\n' || byte == b'\r' || byte == self.delimiter[0] && self.rest[at..].starts_with(self.delimiter)
    }

    /// Steps over the delimiter at `at`, if there is one; else the line ends there.
    fn step_over_end(&mut self, at: usize) {
        let rest = &self.rest[at..];
        self.open = rest.starts_with(self.delimiter);
        self.rest = rest.strip_prefix(self.delimiter).unwrap_or(rest);
    }

    fn quoted_field(&mut self, unquoted: &mut Vec<u8>) -> Result<(), String> {
        unquoted.clear();
        let mut rest = &self.rest[1..];
        loop {
            let Some(quote) = memchr::memchr(QUOTE, rest) else {
                return Err("the quoted field has no closing quote".into());
            };
            unquoted.extend_from_slice(&rest[..quote]);
            rest = &rest[quote + 1..];
            if rest.first() != Some(&QUOTE) {
                break;
            }
            unquoted.push(QUOTE);
            rest = &rest[1..];
        }
        self.rest = rest;
        let mut at = 0;
        while at < rest.len() && !self.ends_field(at) {
            if !rest[at].is_ascii_whitespace() {
                return Err("unexpected text between a closing quote and the delimiter".into());
            }
            at += 1;
        }
        self.step_over_end(at);
        Ok(())
    }
}

/// Encodes lines.
pub(super) struct DelimitedEncoder {
    types: Vec<SqlType>,
    delimiter: Vec<u8>,
    cell: Vec<u8>,
}

impl DelimitedEncoder {
    /// An encoder of `columns`, whose types the format supports.
    pub(super) fn new(columns: &[Column], delimiter: char) -> Self {
        let types = columns.iter().map(|column| column.sql_type.clone()).collect();
        Self { types, delimiter: delimiter.to_string().into_bytes(), cell: Vec::new() }
    }

    fn write_row(&mut self, out: &mut Vec<u8>, columns: &[ArrayRef], row: usize) {
        for (index, (sql_type, column)) in self.types.iter().zip(columns).enumerate() {
            if index > 0 {
                out.extend_from_slice(&self.delimiter);
            }
            if column.is_valid(row) {
                self.cell.clear();
                write_cell(&mut self.cell, sql_type, column, row);
                write_quoted(out, &self.cell, &self.delimiter, index == 0);
            }
        }
    }
}

impl Encoder for DelimitedEncoder {
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded {
        let mut writer = RowsWriter::new(rows, rows * self.types.len() * 8);
        for row in 0..rows {
            if nulls.is_some_and(|nulls| nulls.value(row)) {
                writer.null();
            } else {
                self.write_row(&mut writer.out, columns, row);
                writer.end();
            }
        }
        writer.finish()
    }
}

fn write_cell(out: &mut Vec<u8>, sql_type: &SqlType, column: &ArrayRef, row: usize) {
    match sql_type {
        SqlType::Date => java_text::write_integer(out, column.as_primitive::<Date32Type>().value(row).into()),
        SqlType::Time => {
            java_text::write_integer(out, column.as_primitive::<Time32MillisecondType>().value(row).into())
        }
        SqlType::Timestamp => {
            java_text::write_integer(out, column.as_primitive::<TimestampMillisecondType>().value(row));
        }
        other => java_text::write_value(out, column.as_ref(), row, other),
    }
}

/// Writes a cell, quoted where Commons CSV 1.4 quotes it: beyond the need of reading it back, also for what the first
/// character of the line or of the cell is, or the last of the cell.
fn write_quoted(out: &mut Vec<u8>, cell: &[u8], delimiter: &[u8], first: bool) {
    if !needs_quotes(cell, delimiter, first) {
        return out.extend_from_slice(cell);
    }
    out.push(QUOTE);
    let mut rest = cell;
    while let Some(quote) = memchr::memchr(QUOTE, rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(QUOTE);
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(QUOTE);
}

fn needs_quotes(cell: &[u8], delimiter: &[u8], first: bool) -> bool {
    let (Some(&start), Some(&end)) = (cell.first(), cell.last()) else { return first };
    let special = |at: usize| {
        matches!(cell[at], b'\n' | b'\r' | QUOTE) || cell[at] == delimiter[0] && cell[at..].starts_with(delimiter)
    };
    first && !start.is_ascii_alphanumeric() || start <= b'#' || end <= b' ' || (0..cell.len()).any(special)
}
