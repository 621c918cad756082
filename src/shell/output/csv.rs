//! CSV as RFC 4180 quotes it, lines ended as the tools of the system expect: with a line feed.
//!
//! Null is an empty field; the empty text is `""`.

use std::io::{self, Write};

use arrow::array::{Array as _, RecordBatch};

use crate::engine::Listing;
use crate::types::Column;
use crate::types::json_value::write_text;

/// Writes the rows of `listing` below its headings; plain lines stay as they are.
pub(super) fn write_listing(out: &mut dyn Write, listing: &Listing) -> io::Result<()> {
    if listing.columns.is_empty() {
        return listing.rows.iter().flatten().try_for_each(|line| writeln!(out, "{line}"));
    }
    let (names, values): (Vec<String>, Vec<String>) = listing.about.iter().cloned().unzip();
    write_texts(out, &[&names[..], &listing.columns].concat())?;
    listing.rows.iter().try_for_each(|row| write_texts(out, &[&values[..], row].concat()))
}

/// Writes the names of `columns`.
pub(super) fn write_header(out: &mut dyn Write, columns: &[Column]) -> io::Result<()> {
    write_record(out, columns.len(), |out, i| write_field(out, columns[i].name.as_bytes()))
}

/// Writes the rows of `batch`.
pub(super) fn write_batch(out: &mut dyn Write, columns: &[Column], batch: &RecordBatch) -> io::Result<()> {
    let mut text = Vec::new();
    for row in 0..batch.num_rows() {
        write_record(out, columns.len(), |out, i| {
            let array = batch.column(i);
            if array.is_null(row) {
                return Ok(());
            }
            text.clear();
            write_text(&mut text, array, row, &columns[i].sql_type)?;
            write_field(out, &text)
        })?;
    }
    Ok(())
}

fn write_texts(out: &mut dyn Write, texts: &[String]) -> io::Result<()> {
    write_record(out, texts.len(), |out, i| write_field(out, texts[i].as_bytes()))
}

fn write_record(
    out: &mut dyn Write,
    count: usize,
    mut write: impl FnMut(&mut dyn Write, usize) -> io::Result<()>,
) -> io::Result<()> {
    for i in 0..count {
        if i > 0 {
            out.write_all(b",")?;
        }
        write(out, i)?;
    }
    out.write_all(b"\n")
}

/// Writes one field, in quotes where it needs them.
pub(super) fn write_field(out: &mut dyn Write, text: &[u8]) -> io::Result<()> {
    let quoted = text.is_empty() || text.iter().any(|byte| b",\"\r\n".contains(byte));
    if !quoted {
        return out.write_all(text);
    }
    out.write_all(b"\"")?;
    for (i, part) in text.split(|&byte| byte == b'"').enumerate() {
        if i > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part)?;
    }
    out.write_all(b"\"")
}
