//! ASSERT VALUES and ASSERT NULL VALUES: whether a record holds what a test expects.

use arrow::array::{Array as _, ArrayRef, BinaryArray};
use serde_json::Value;

use crate::catalog::DataSource;
use crate::formats::{Format, Serde, decoder, encoder};
use crate::plan::AssertedRow;
use crate::testing::driver::TestRecord;
use crate::testing::windowed_key::{self, Window};
use crate::types::java_text::write_value;
use crate::types::{Column, SqlType};

/// What doubles may differ by, for numbers around 1; larger ones by as much more.
const CLOSE: f64 = 0.000_001;

/// Checks a record of `source` against the row that is expected; says where they differ.
pub fn check(source: &DataSource, row: &AssertedRow, record: &TestRecord, is_tombstone: bool) -> Result<(), String> {
    let (key, window) = split_key(source, record)?;
    let mut faults = Vec::new();
    let key = read(&source.key_serde, &source.schema.key, key)?;
    compare(&source.schema.key, &row.key, key.as_deref(), "no key", &mut faults);
    if is_tombstone {
        if let Some(value) = &record.value {
            faults.push(format!("value: expected none, got {}", String::from_utf8_lossy(value)));
        }
    } else {
        let value = read(&source.value_serde, &source.schema.value, record.value.as_deref())?;
        compare(&source.schema.value, &row.value, value.as_deref(), "no value, a tombstone", &mut faults);
    }
    let bounds = [
        ("ROWTIME", row.rowtime, Some(record.timestamp)),
        ("WINDOWSTART", row.window_start, window.map(|window| window.start)),
        ("WINDOWEND", row.window_end, window.map(|window| window.end)),
    ];
    for (name, expected, got) in bounds {
        if expected.is_some() && expected != got {
            faults.push(format!("{name}: expected {}, got {}", shown(expected), shown(got)));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn shown(time: Option<i64>) -> String {
    time.map_or_else(|| "none".to_owned(), |time| time.to_string())
}

fn split_key<'r>(source: &DataSource, record: &'r TestRecord) -> Result<(Option<&'r [u8]>, Option<Window>), String> {
    let (Some(kind), Some(key)) = (source.window, &record.key) else { return Ok((record.key.as_deref(), None)) };
    let (key, window) = windowed_key::split(key, kind).ok_or("the key is too short to hold a window")?;
    Ok((Some(key), Some(window)))
}

/// The columns of one side of a record; `None` where it has no bytes.
fn read(serde: &Serde, columns: &[Column], bytes: Option<&[u8]>) -> Result<Option<Vec<ArrayRef>>, String> {
    let Some(bytes) = bytes else { return Ok(None) };
    let needed = vec![true; columns.len()];
    let mut decoder = decoder(serde, columns, &needed).map_err(|error| error.to_string())?;
    let decoded = decoder.decode(&BinaryArray::from(vec![bytes]));
    match decoded.errors.first() {
        Some(error) => Err(format!("the record cannot be read: {}", error.reason)),
        None => Ok(Some(decoded.columns)),
    }
}

/// Compares the columns of one side; a side without bytes has no columns, and is what NULLs alone expect.
fn compare(
    columns: &[Column],
    expected: &[ArrayRef],
    got: Option<&[ArrayRef]>,
    absent: &str,
    faults: &mut Vec<String>,
) {
    let Some(got) = got else {
        if expected.iter().any(|column| column.is_valid(0)) {
            faults.push(format!("there is {absent}"));
        }
        return;
    };
    for ((column, expected), got) in columns.iter().zip(expected).zip(got) {
        let (expected, got) = (json(column, expected), json(column, got));
        if !same(&expected, &got, &column.sql_type) {
            faults.push(format!("{}: expected {expected}, got {got}", column.name));
        }
    }
}

/// The first row of `array` as JSON; in Java's text where JSON has no such value.
fn json(column: &Column, array: &ArrayRef) -> Value {
    if array.is_null(0) {
        return Value::Null;
    }
    let serde = Serde { format: Format::Json, wrap_single: false };
    let encoded = encoder(&serde, std::slice::from_ref(column))
        .ok()
        .map(|mut encoder| encoder.encode(std::slice::from_ref(array), 1, None))
        .filter(|encoded| encoded.errors.is_empty() && encoded.bytes.is_valid(0));
    let value = encoded.and_then(|encoded| serde_json::from_slice(encoded.bytes.value(0)).ok());
    value.unwrap_or_else(|| {
        let mut text = Vec::new();
        write_value(&mut text, array, 0, &column.sql_type);
        String::from_utf8_lossy(&text).into_owned().into()
    })
}

/// Whether two values are the same; doubles may differ a little, members may stand in any order.
fn same(expected: &Value, got: &Value, sql_type: &SqlType) -> bool {
    match (sql_type, expected, got) {
        (SqlType::Double, Value::Number(expected), Value::Number(got)) => {
            let numbers = expected.to_string().parse::<f64>().ok().zip(got.to_string().parse::<f64>().ok());
            numbers.is_some_and(|(expected, got)| is_close(expected, got))
        }
        (SqlType::Array(element), Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(a, b)| same(a, b, element))
        }
        (SqlType::Map(_, value), Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len()
                && expected.iter().all(|(name, a)| got.get(name).is_some_and(|b| same(a, b, value)))
        }
        (SqlType::Struct(fields), Value::Object(expected), Value::Object(got)) => fields.iter().all(|field| {
            let member = |object: &serde_json::Map<String, Value>| object.get(&field.name).cloned().unwrap_or_default();
            same(&member(expected), &member(got), &field.sql_type)
        }),
        _ => expected == got,
    }
}

fn is_close(expected: f64, got: f64) -> bool {
    expected.to_bits() == got.to_bits() || (expected - got).abs() <= CLOSE * expected.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_may_differ_a_little_at_any_depth() {
        let list = SqlType::Array(Box::new(SqlType::Double));
        let value = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        assert!(same(&value("[0.3]"), &value("[0.30000000000000004]"), &list));
        assert!(!same(&value("[0.3]"), &value("[0.31]"), &list));
        assert!(!same(&value("[0.3]"), &value("[0.3, null]"), &list));
        assert!(is_close(1e300, 1.000_000_000_1e300) && !is_close(1e300, 1.1e300));
        let decimal = SqlType::Decimal { precision: 4, scale: 2 };
        assert!(!same(&value("1.50"), &value("1.500000001"), &decimal), "decimals may not");
    }
}
