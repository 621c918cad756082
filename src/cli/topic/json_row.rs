//! CSV rows as JSON objects.

use csv::ByteRecord;
use serde_json::Value;

use super::column_type::{ColumnType, is_integer, is_null, number_of};

/// Writes rows with given columns as JSON text.
pub(super) struct JsonRow {
    /// What stands before each cell: `{"first":`, `,"second":`.
    prefixes: Vec<Vec<u8>>,
    types: Vec<ColumnType>,
    header: Vec<String>,
}

impl JsonRow {
    /// A writer for rows with these columns.
    pub(super) fn new(header: &[String], types: Vec<ColumnType>) -> Self {
        let prefix = |(index, name): (usize, &String)| {
            format!("{}{}:", if index == 0 { '{' } else { ',' }, Value::from(name.as_str())).into_bytes()
        };
        Self { prefixes: header.iter().enumerate().map(prefix).collect(), types, header: header.to_vec() }
    }

    /// Appends the object of `row` to `json`; on an error, which says what is wrong, `json` holds a part.
    pub(super) fn write(&self, row: &ByteRecord, json: &mut Vec<u8>) -> Result<(), String> {
        for ((cell, prefix), column) in row.iter().zip(&self.prefixes).zip(0..) {
            json.extend_from_slice(prefix);
            if is_null(cell) {
                json.extend_from_slice(b"null");
            } else {
                self.write_cell(column, cell, json)?;
            }
        }
        json.push(b'}');
        Ok(())
    }

    /// Appends the JSON text of `cell`, which is not null, of the column with index `column`.
    pub(super) fn write_cell(&self, column: usize, cell: &[u8], json: &mut Vec<u8>) -> Result<(), String> {
        let sql_type = self.types[column];
        let written = match sql_type {
            ColumnType::Integer => put_integer::<i32>(cell, json),
            ColumnType::Bigint => put_integer::<i64>(cell, json),
            ColumnType::Double => put_double(cell, json),
            ColumnType::Boolean => put_boolean(cell, json),
            ColumnType::String => put_string(cell, json),
        };
        written.ok_or_else(|| match std::str::from_utf8(cell) {
            Ok(text) => format!("'{text}' in column {} is not of type {sql_type}", self.header[column]),
            Err(_) => format!("the text in column {} is not UTF-8", self.header[column]),
        })
    }
}

fn put_integer<T: std::str::FromStr + itoa::Integer>(cell: &[u8], json: &mut Vec<u8>) -> Option<()> {
    let number: T = std::str::from_utf8(cell).ok()?.parse().ok()?;
    json.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    Some(())
}

/// Keeps the digits of the file where JSON allows them.
fn put_double(cell: &[u8], json: &mut Vec<u8>) -> Option<()> {
    if is_json_number(cell) {
        json.extend_from_slice(cell);
        return Some(());
    }
    let number = number_of(cell).filter(|number| number.is_finite())?;
    json.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    Some(())
}

/// Whether `cell` is an integer of JSON, alone or before a point and digits. Rarer forms go the long way.
fn is_json_number(cell: &[u8]) -> bool {
    match memchr::memchr(b'.', cell) {
        None => is_integer(cell) && cell.len() < 16,
        Some(point) => {
            let fraction = &cell[point + 1..];
            is_integer(&cell[..point]) && !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit)
        }
    }
}

fn put_boolean(cell: &[u8], json: &mut Vec<u8>) -> Option<()> {
    let text: &[u8] = match cell {
        _ if cell.eq_ignore_ascii_case(b"true") => b"true",
        _ if cell.eq_ignore_ascii_case(b"false") => b"false",
        _ => return None,
    };
    json.extend_from_slice(text);
    Some(())
}

fn put_string(cell: &[u8], json: &mut Vec<u8>) -> Option<()> {
    let text = std::str::from_utf8(cell).ok()?;
    if cell.iter().all(|&byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        json.push(b'"');
        json.extend_from_slice(cell);
        json.push(b'"');
    } else {
        serde_json::to_writer(json, text).expect("a text can be written to memory");
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql_type: ColumnType, cell: &str, expected: Option<&str>) {
        let rows = JsonRow::new(&["a\"".to_owned()], vec![sql_type]);
        let mut json = Vec::new();
        let written = rows.write(&ByteRecord::from(vec![cell]), &mut json);
        let json = written.map(|()| String::from_utf8(json).expect("JSON is text")).ok();
        assert_eq!(json, expected.map(|value| format!(r#"{{"a\"":{value}}}"#)), "{cell}");
    }

    #[test]
    fn cells_become_json() {
        check(ColumnType::Integer, "-0", Some("0"));
        check(ColumnType::Integer, "2147483648", None);
        check(ColumnType::Integer, "1.0", None);
        check(ColumnType::Bigint, "007", Some("7"));
        check(ColumnType::Double, "3", Some("3"));
        check(ColumnType::Double, "-0.50", Some("-0.50"));
        check(ColumnType::Double, ".5", Some("0.5"));
        check(ColumnType::Double, "1e3", Some("1000.0"));
        check(ColumnType::Double, "x", None);
        check(ColumnType::Double, "inf", None);
        check(ColumnType::Boolean, "TRUE", Some("true"));
        check(ColumnType::Boolean, "1", None);
        check(ColumnType::String, "12", Some("\"12\""));
        check(ColumnType::String, "a \"b\"\n\\ é\u{1}", Some(r#""a \"b\"\n\\ é\u0001""#));
        check(ColumnType::String, "NA", Some("null"));
        check(ColumnType::Integer, "", Some("null"));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let rows = JsonRow::new(&["a".to_owned()], vec![ColumnType::String]);
        let error = rows.write(&ByteRecord::from(vec![b"\xff".as_slice()]), &mut Vec::new());
        assert_eq!(error, Err("the text in column a is not UTF-8".to_owned()));
    }
}
