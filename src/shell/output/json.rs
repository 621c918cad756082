//! One JSON object per row, one per line.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use serde_json::Value;

use crate::engine::Listing;
use crate::types::Column;
use crate::types::json_value::{write_items, write_json, write_json_string};

/// A text as JSON: objects and arrays as they are, everything else as a string, so that nothing looks like what it is not.
pub fn nested(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::from(text),
    }
}

/// Writes a line of text.
pub(super) fn write_message(out: &mut dyn Write, text: &str) -> io::Result<()> {
    write_object(out, 1, |_| "message", |out, _| write_json_string(out, text))
}

/// Writes the rows of `listing`, each with what it is about; plain lines have the name `line`.
pub(super) fn write_listing(out: &mut dyn Write, listing: &Listing) -> io::Result<()> {
    let name = |i: usize| listing.columns.get(i).map_or("line", String::as_str);
    for row in &listing.rows {
        let about = listing.about.iter().map(|(name, value)| (name.as_str(), value));
        let members: Vec<_> = about.chain(row.iter().enumerate().map(|(i, value)| (name(i), value))).collect();
        write_object(out, members.len(), |i| members[i].0, |out, i| write_json_string(out, members[i].1))?;
    }
    Ok(())
}

/// Writes the rows of `batch`.
pub(super) fn write_batch(out: &mut dyn Write, columns: &[Column], batch: &RecordBatch) -> io::Result<()> {
    for row in 0..batch.num_rows() {
        let name = |i: usize| columns[i].name.as_str();
        write_object(out, columns.len(), name, |out, i| write_json(out, batch.column(i), row, &columns[i].sql_type))?;
    }
    Ok(())
}

/// Writes one object of `count` members and the end of the line.
fn write_object<'a>(
    out: &mut dyn Write,
    count: usize,
    name: impl Fn(usize) -> &'a str,
    mut write_value: impl FnMut(&mut dyn Write, usize) -> io::Result<()>,
) -> io::Result<()> {
    write_items(out, *b"{}", count, |out, i| {
        write_json_string(out, name(i))?;
        out.write_all(b":")?;
        write_value(out, i)
    })?;
    out.write_all(b"\n")
}
