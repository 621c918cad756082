//! Listings and finished results as tables that fit their room.

use std::io::{self, Write};

use arrow::array::{Array, RecordBatch};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, Table, Width};

use super::layout::{Layout, printable, write_table};
use crate::engine::{Listing, ListingForm, ResultRows};
use crate::types::json_value::write_text;
use crate::types::{Column, SqlType};

/// Writes `listing` with its title; an empty line follows unless it is plain lines.
pub(super) fn write_listing(out: &mut dyn Write, layout: Layout, listing: &Listing) -> io::Result<()> {
    if !listing.title.is_empty() {
        writeln!(out, "{}", layout.palette.strong(&listing.title))?;
    }
    if listing.columns.is_empty() {
        return listing.rows.iter().flatten().try_for_each(|line| writeln!(out, "{line}"));
    }
    if listing.form == ListingForm::Facts {
        return write_facts(out, layout, listing);
    }
    let mut table = layout.table();
    table.set_header(listing.columns.iter().map(|name| layout.heading(name)).collect::<Vec<_>>());
    for row in &listing.rows {
        layout.add_row(&mut table, row.iter().cloned().map(text_cell).collect());
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        if holds_numbers(listing, i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if layout.fits_listing(&table.column_max_content_widths()) {
        write_table(out, &table)?;
    } else {
        for (row, number) in listing.rows.iter().zip(1..) {
            let pairs = listing.columns.iter().map(String::as_str).zip(row.iter().cloned().map(text_cell));
            write_record(out, layout, number, &pairs.collect::<Vec<_>>())?;
        }
    }
    if listing.rows.is_empty() {
        writeln!(out, " {}", layout.palette.faint("none"))?;
    }
    writeln!(out)
}

/// Writes a line per name and value; an empty line follows.
fn write_facts(out: &mut dyn Write, layout: Layout, listing: &Listing) -> io::Result<()> {
    let width = listing.columns.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for row in &listing.rows {
        let facts = listing.columns.iter().zip(row).filter(|(_, value)| !value.is_empty());
        for (name, value) in facts {
            let name = layout.palette.strong(&format!("{name:<width$}"));
            writeln!(out, "{name} : {}", printable(value.clone()))?;
        }
    }
    writeln!(out)
}

/// Writes `rows`, how many there are, and an empty line.
pub(super) fn write_rows(out: &mut dyn Write, layout: Layout, rows: &ResultRows) -> io::Result<()> {
    let mut table = headed(layout, &rows.columns);
    for batch in &rows.batches {
        for row in 0..batch.num_rows() {
            layout.add_row(&mut table, cells(layout, &rows.columns, batch, row));
        }
    }
    if let Some(width) = layout.column_width {
        table.set_constraints(rows.columns.iter().map(|_| ColumnConstraint::Absolute(padded(width))));
    }
    if layout.fits(&table.column_max_content_widths()) {
        write_table(out, &table)?;
    } else {
        let mut number = 0;
        for batch in &rows.batches {
            write_records(out, layout, &rows.columns, batch, number)?;
            number += batch.num_rows() as u64;
        }
    }
    let count = rows.batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64;
    writeln!(out, "{}\n", layout.palette.faint(&count_text(count)))
}

/// `1 row`, `2 rows`.
pub(super) fn count_text(rows: u64) -> String {
    format!("{rows} row{}", if rows == 1 { "" } else { "s" })
}

/// A table with the names of `columns` above, numbers to the right.
pub(super) fn headed(layout: Layout, columns: &[Column]) -> Table {
    let mut table = layout.table();
    table.set_header(columns.iter().map(|column| layout.heading(&column.name)).collect::<Vec<_>>());
    align(&mut table, columns);
    table
}

/// Puts numbers to the right.
pub(super) fn align(table: &mut Table, columns: &[Column]) {
    for (drawn, column) in table.column_iter_mut().zip(columns) {
        if column.sql_type.is_numeric() {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// The cells of row `row`.
pub(super) fn cells(layout: Layout, columns: &[Column], batch: &RecordBatch, row: usize) -> Vec<Cell> {
    columns.iter().zip(batch.columns()).map(|(column, array)| cell(layout, array, row, &column.sql_type)).collect()
}

/// Writes the rows of `batch` one below the other, a line per column: for rows too wide to stand side by side. The first
/// has number `number` + 1.
pub(super) fn write_records(
    out: &mut dyn Write,
    layout: Layout,
    columns: &[Column],
    batch: &RecordBatch,
    number: u64,
) -> io::Result<()> {
    for row in 0..batch.num_rows() {
        let pairs = columns.iter().map(|column| column.name.as_str()).zip(cells(layout, columns, batch, row));
        write_record(out, layout, number + row as u64 + 1, &pairs.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Writes one row as names and cells, beside each other or, where there is no room for that, each pair as it is.
fn write_record(out: &mut dyn Write, layout: Layout, number: u64, pairs: &[(&str, Cell)]) -> io::Result<()> {
    let title = format!("── row {number} ──");
    writeln!(out, "{}", layout.palette.faint(&title))?;
    let mut table = layout.table();
    table.add_rows(pairs.iter().map(|(name, value)| vec![layout.heading(name), value.clone()]));
    table.set_constraints([ColumnConstraint::ContentWidth]);
    if table.column_max_content_widths().first().is_none_or(|&name_width| layout.fits_beside(name_width)) {
        return write_table(out, &table);
    }
    pairs.iter().try_for_each(|(name, value)| writeln!(out, " {}: {}", layout.heading(name).content(), value.content()))
}

fn cell(layout: Layout, array: &dyn Array, row: usize, sql_type: &SqlType) -> Cell {
    if array.is_null(row) {
        return layout.null();
    }
    let mut text = Vec::new();
    write_text(&mut text, array, row, sql_type).expect("memory takes every byte");
    text_cell(String::from_utf8_lossy(&text).into_owned())
}

/// The width of a column as comfy-table counts it, with a space on both sides.
pub(super) fn padded(width: u16) -> Width {
    Width::Fixed(width.saturating_add(2))
}

fn text_cell(text: String) -> Cell {
    Cell::new_owned(printable(text))
}

/// Whether every cell of a column of a listing is a number, or empty where others are numbers.
fn holds_numbers(listing: &Listing, column: usize) -> bool {
    let is_number = |text: &&String| text.parse::<f64>().is_ok_and(f64::is_finite);
    let mut filled = listing.rows.iter().filter_map(|row| row.get(column)).filter(|text| !text.is_empty()).peekable();
    filled.peek().is_some() && filled.all(|text| is_number(&text))
}
