//! DELIMITED: one line of comma-separated values per record, as Apache Commons CSV reads and writes it by default.
//!
//! - Fields are split at the delimiter; one that starts with `"` runs to the closing quote, `""` inside being a quote.
//! - An empty field is null, so empty text comes back as null.
//! - Only the first line of a record counts; blank lines before it are skipped.
//! - Numbers, booleans and decimals are parsed as Java parses them; DATE, TIME and TIMESTAMP are integers, BYTES base64.

use arrow::array::{Array, ArrayRef, BinaryArray, new_null_array};
use arrow::buffer::BooleanBuffer;

use crate::types::number_text::{NumberText, parse_f64, parse_i32, parse_i64};
use crate::types::{Column, SqlType, java_text};

use super::rows::{RowMarks, RowsWriter, Utf8Check};
use super::scalar_cells::ScalarCells;
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
                let text = if let Field::Plain(text) = field { text } else { &self.unquoted };
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

/// A field as it stood in its line.
enum Field<'a> {
    Plain(&'a [u8]),
    Quoted,
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

    /// The next field; the text of a quoted one goes to `unquoted`.
    fn next_field(&mut self, unquoted: &mut Vec<u8>) -> Result<Option<Field<'a>>, String> {
        if !self.open {
            return Ok(None);
        }
        if self.rest.first() == Some(&QUOTE) && !self.rest.starts_with(self.delimiter) {
            self.quoted_field(unquoted)?;
            return Ok(Some(Field::Quoted));
        }
        let mut at = 0;
        while at < self.rest.len() && !self.ends_field(at) {
            at += 1;
        }
        let field = &self.rest[..at];
        self.step_over_end(at);
        Ok(Some(Field::Plain(field)))
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
    /// A cell on its way into quotes.
    cell: Vec<u8>,
}

/// One column of a batch.
struct Cells<'a> {
    array: &'a ArrayRef,
    values: ScalarCells<'a>,
}

impl DelimitedEncoder {
    /// An encoder of `columns`, whose types the format supports.
    pub(super) fn new(columns: &[Column], delimiter: char) -> Self {
        let types = columns.iter().map(|column| column.sql_type.clone()).collect();
        Self { types, delimiter: delimiter.to_string().into_bytes(), cell: Vec::new() }
    }

    fn write_row(&mut self, out: &mut Vec<u8>, columns: &[Cells<'_>], row: usize) {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(&self.delimiter);
            }
            if column.array.is_valid(row) {
                let start = out.len();
                column.values.write(out, row);
                if needs_quotes(&out[start..], &self.delimiter, index == 0) {
                    self.cell.clear();
                    self.cell.extend(out.drain(start..));
                    write_quoted(out, &self.cell);
                }
            }
        }
    }
}

impl Encoder for DelimitedEncoder {
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded {
        let cells = |(sql_type, array)| Cells { array, values: ScalarCells::new(sql_type, array) };
        let types = self.types.clone();
        let columns: Vec<Cells<'_>> = types.iter().zip(columns).map(cells).collect();
        let mut writer = RowsWriter::new(rows, rows * columns.len() * 8);
        for row in 0..rows {
            if nulls.is_some_and(|nulls| nulls.value(row)) {
                writer.null();
            } else {
                self.write_row(&mut writer.out, &columns, row);
                writer.end();
            }
        }
        writer.finish()
    }
}

/// Writes a cell in quotes, those inside doubled.
fn write_quoted(out: &mut Vec<u8>, cell: &[u8]) {
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

/// Whether Commons CSV 1.4 quotes a cell: beyond the need of reading it back, also for what the first character of the
/// line or of the cell is, or the last of the cell.
fn needs_quotes(cell: &[u8], delimiter: &[u8], first: bool) -> bool {
    let (Some(&start), Some(&end)) = (cell.first(), cell.last()) else { return first };
    let special = |at: usize| {
        matches!(cell[at], b'\n' | b'\r' | QUOTE) || cell[at] == delimiter[0] && cell[at..].starts_with(delimiter)
    };
    first && !start.is_ascii_alphanumeric() || start <= b'#' || end <= b' ' || (0..cell.len()).any(special)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, StringArray};
    use proptest::prelude::*;

    use super::*;

    const DECIMAL: SqlType = SqlType::Decimal { precision: 6, scale: 2 };

    fn columns(types: &[SqlType]) -> Vec<Column> {
        types.iter().enumerate().map(|(at, sql_type)| Column::new(format!("C{at}"), sql_type.clone())).collect()
    }

    fn decode(types: &[SqlType], delimiter: char, records: &[&[u8]]) -> Decoded {
        let needed = vec![true; types.len()];
        let mut decoder = DelimitedDecoder::new(&columns(types), &needed, delimiter);
        let decoded = decoder.decode(&BinaryArray::from(records.to_vec()));
        for array in &decoded.columns {
            assert_eq!(array.len(), records.len());
            array.to_data().validate_full().expect("decoded arrays are valid");
        }
        decoded
    }

    /// The cells of a line as text, or the error of the line.
    fn read(types: &[SqlType], delimiter: char, line: &str) -> Result<Vec<String>, String> {
        let decoded = decode(types, delimiter, &[line.as_bytes()]);
        if let Some(error) = decoded.errors.into_iter().next() {
            return Err(error.reason);
        }
        let shown = |(array, sql_type): (&ArrayRef, &SqlType)| {
            let mut out = Vec::new();
            java_text::write_value(&mut out, array.as_ref(), 0, sql_type);
            String::from_utf8_lossy(&out).into_owned()
        };
        Ok(decoded.columns.iter().zip(types).map(shown).collect())
    }

    #[test]
    fn lines_are_split_as_commons_csv_splits_them() {
        let cases = [
            ("a,b", ["a", "b"]),
            (" a , b ", [" a ", " b "]),
            (",", ["null", "null"]),
            ("\"\",b", ["null", "b"]),
            ("\"a,\"\"x\"\"\",b", ["a,\"x\"", "b"]),
            ("a\"b,\"c\"  ", ["a\"b", "c"]),
            ("\"a\nb\",c", ["a\nb", "c"]),
            ("a,b\nc,d,e", ["a", "b"]),
            ("\r\n\na,b\r\n", ["a", "b"]),
            ("é,ü", ["é", "ü"]),
        ];
        for (line, expected) in cases {
            let types = [SqlType::String, SqlType::String];
            assert_eq!(read(&types, ',', line), Ok(expected.map(str::to_owned).to_vec()), "{line}");
        }
    }

    #[test]
    fn wrong_lines_say_what_is_wrong() {
        let cases = [
            ("", "no fields in record"),
            ("\n", "no fields in record"),
            ("a", "Unexpected field count, csvFields:1 schemaFields:2"),
            ("a,1,", "Unexpected field count, csvFields:3 schemaFields:2"),
            ("\"a,1", "the quoted field has no closing quote"),
            ("\"a\"b,1", "unexpected text between a closing quote and the delimiter"),
            ("a,x", "cannot read x as INTEGER in column C1"),
            ("a, 1", "cannot read  1 as INTEGER in column C1"),
            ("a,2147483648", "cannot read 2147483648 as INTEGER in column C1"),
        ];
        for (line, expected) in cases {
            let types = [SqlType::String, SqlType::Integer];
            assert_eq!(read(&types, ',', line), Err(expected.to_owned()), "{line}");
        }
        let decoded = decode(&[SqlType::String], ',', &[b"\xff", b"a"]);
        assert_eq!(decoded.errors[0].reason, "invalid UTF-8");
        assert!(decoded.columns[0].is_null(0) && decoded.columns[0].is_valid(1));
    }

    #[test]
    fn values_are_parsed_as_java_parses_them() {
        let cases = [
            (SqlType::Boolean, "TRUE", Some("true")),
            (SqlType::Boolean, "yes", Some("false")),
            (SqlType::Bigint, "-9223372036854775808", Some("-9223372036854775808")),
            (SqlType::Double, " 1e3", Some("1000.0")),
            (DECIMAL, ".5", Some("0.50")),
            (DECIMAL, "1.234", None),
            (DECIMAL, "12345", None),
            (SqlType::Bytes, "Zm8=", Some("Zm8=")),
            (SqlType::Bytes, "?", None),
            (SqlType::Date, "1", Some("1970-01-02")),
            (SqlType::Time, "1000", Some("00:00:01")),
            (SqlType::Timestamp, "1", Some("1970-01-01T00:00:00.001")),
        ];
        for (sql_type, text, expected) in cases {
            let read = read(std::slice::from_ref(&sql_type), ',', text).ok();
            assert_eq!(read, expected.map(|expected| vec![expected.to_owned()]), "{text} as {sql_type}");
        }
    }

    /// Encodes one row of text cells.
    fn write(cells: &[Option<&str>], delimiter: char) -> String {
        let types = vec![SqlType::String; cells.len()];
        let array = |cell: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![cell])) };
        let arrays: Vec<ArrayRef> = cells.iter().copied().map(array).collect();
        let encoded = DelimitedEncoder::new(&columns(&types), delimiter).encode(&arrays, 1, None);
        String::from_utf8_lossy(encoded.bytes.value(0)).into_owned()
    }

    #[test]
    fn cells_are_quoted_where_commons_csv_quotes_them() {
        let cases = [
            (["a", "b"], "a,b"),
            (["-1", "-1"], "\"-1\",-1"),
            (["", ""], "\"\","),
            (["a,b", "c\"d"], "\"a,b\",\"c\"\"d\""),
            (["é", "é"], "\"é\",é"),
            (["a ", " b"], "\"a \",\" b\""),
            (["a#", "#b"], "a#,\"#b\""),
            (["a\n", "b\rc"], "\"a\n\",\"b\rc\""),
        ];
        for (cells, expected) in cases {
            assert_eq!(write(&cells.map(Some), ','), expected);
        }
        assert_eq!(write(&[None, Some("x"), None], '|'), "|x|");
        assert_eq!(write(&[Some("a b"), Some("c")], ' '), "\"a b\" c");
    }

    #[test]
    fn rows_that_are_null_have_no_bytes() {
        let array: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let nulls = BooleanBuffer::from(vec![false, true]);
        let columns = columns(&[SqlType::String]);
        let encoded = DelimitedEncoder::new(&columns, ',').encode(&[array], 2, Some(&nulls));
        let decoded = DelimitedDecoder::new(&columns, &[true], ',').decode(&encoded.bytes);
        assert_eq!(decoded.nulls, Some(nulls));
    }

    #[test]
    fn columns_that_are_not_needed_are_checked_and_null() {
        let columns = columns(&[SqlType::String, SqlType::Integer]);
        let records: Vec<&[u8]> = vec![b"a,1", b"b,x"];
        let decoded = DelimitedDecoder::new(&columns, &[false, false], ',').decode(&BinaryArray::from(records));
        assert!(decoded.columns.iter().all(|array| array.null_count() == 2));
        assert_eq!(decoded.errors.len(), 1);
    }

    proptest! {
        /// Text comes back from lines, but for empty text, which reads as null.
        #[test]
        fn lines_round_trip(cells in prop::collection::vec(any::<String>(), 1..5), delimiter in prop::sample::select(vec![',', '\t', ' ', '|', 'x', 'é'])) {
            let line = write(&cells.iter().map(|cell| Some(cell.as_str())).collect::<Vec<_>>(), delimiter);
            let decoded = decode(&vec![SqlType::String; cells.len()], delimiter, &[line.as_bytes()]);
            prop_assert_eq!(&decoded.errors, &[]);
            for (array, cell) in decoded.columns.iter().zip(&cells) {
                let text: &StringArray = array.as_string();
                prop_assert_eq!(text.iter().next().flatten(), (!cell.is_empty()).then_some(cell.as_str()));
            }
        }

        #[test]
        fn random_bytes_never_panic(records in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"a1,\"\n\r -\xff\xc3\xa9"[..]), 0..12), 0..5)) {
            let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
            decode(&[SqlType::String, DECIMAL, SqlType::Double], ',', &records);
            decode(&[SqlType::Bytes], 'é', &records);
        }
    }
}
