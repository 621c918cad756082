//! One value of a column as text, and as JSON.

use std::io::{self, Write};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::{SqlType, java_text};

/// Writes row `row` of `array`, whose values have type `sql_type`: texts as they are, nested values as JSON, null as
/// `null`.
pub fn write_text(out: &mut dyn Write, array: &dyn Array, row: usize, sql_type: &SqlType) -> io::Result<()> {
    if array.is_null(row) {
        return out.write_all(b"null");
    }
    match sql_type {
        SqlType::String => out.write_all(array.as_string::<i32>().value(row).as_bytes()),
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => write_json(out, array, row, sql_type),
        _ => {
            let mut text = Vec::new();
            java_text::write_value(&mut text, array, row, sql_type);
            out.write_all(&text)
        }
    }
}

/// Writes row `row` of `array` as a JSON value. Numbers keep all their digits; what JSON has no type for is a string.
pub fn write_json(out: &mut dyn Write, array: &dyn Array, row: usize, sql_type: &SqlType) -> io::Result<()> {
    if array.is_null(row) {
        return out.write_all(b"null");
    }
    match sql_type {
        SqlType::Double if !array.as_primitive::<Float64Type>().value(row).is_finite() => {
            write_quoted(out, array, row, sql_type)
        }
        SqlType::Boolean | SqlType::Integer | SqlType::Bigint | SqlType::Double | SqlType::Decimal { .. } => {
            write_text(out, array, row, sql_type)
        }
        SqlType::String => write_json_string(out, array.as_string::<i32>().value(row)),
        SqlType::Bytes | SqlType::Date | SqlType::Time | SqlType::Timestamp => write_quoted(out, array, row, sql_type),
        SqlType::Array(element) => {
            let elements = array.as_list::<i32>().value(row);
            write_items(out, *b"[]", elements.len(), |out, i| write_json(out, &elements, i, element))
        }
        SqlType::Map(key, value) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            write_items(out, *b"{}", entries.len(), |out, i| {
                write_map_key(out, keys, i, key)?;
                out.write_all(b":")?;
                write_json(out, values, i, value)
            })
        }
        SqlType::Struct(fields) => {
            let members = array.as_struct();
            write_items(out, *b"{}", fields.len(), |out, i| {
                write_json_string(out, &fields[i].name)?;
                out.write_all(b":")?;
                write_json(out, members.column(i), row, &fields[i].sql_type)
            })
        }
    }
}

/// Writes `text` as a JSON string.
pub fn write_json_string(out: &mut dyn Write, text: &str) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

/// Writes `count` items between two brackets, with commas.
pub fn write_items(
    out: &mut dyn Write,
    [open, close]: [u8; 2],
    count: usize,
    mut write_item: impl FnMut(&mut dyn Write, usize) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(&[open])?;
    for i in 0..count {
        if i > 0 {
            out.write_all(b",")?;
        }
        write_item(out, i)?;
    }
    out.write_all(&[close])
}

/// Keys of JSON objects are strings, whatever the keys of the map are.
fn write_map_key(out: &mut dyn Write, array: &dyn Array, row: usize, sql_type: &SqlType) -> io::Result<()> {
    let mut text = Vec::new();
    write_text(&mut text, array, row, sql_type)?;
    write_json_string(out, &String::from_utf8_lossy(&text))
}

/// A value whose text holds nothing to escape, as a string.
fn write_quoted(out: &mut dyn Write, array: &dyn Array, row: usize, sql_type: &SqlType) -> io::Result<()> {
    out.write_all(b"\"")?;
    write_text(out, array, row, sql_type)?;
    out.write_all(b"\"")
}
