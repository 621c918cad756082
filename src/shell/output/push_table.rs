//! Rows that keep coming, as a table: the header once, then lines whose columns stay where they are.
//!
//! Widths come from the types, the first rows and the room there is; a wide value wraps within its column. Where there
//! is no terminal, nothing wraps: a wide value pushes the rest of its line aside. On a terminal the header comes again
//! before it is out of sight.

use std::io::{self, Write};
use std::ops::Range;

use arrow::array::{Array as _, RecordBatch};
use comfy_table::{ColumnConstraint, Width};

use super::layout::{Layout, write_table};
use super::table::{align, cells, headed, padded, write_records};
use crate::types::{Column, SqlType};

/// Lines of the names and of what is below them.
const HEADER_LINES: usize = 2;
/// A value of the first rows widens its column no further than this.
const FIRST_ROWS_WIDTH_MAX: u16 = 40;

/// The table of one push query.
pub(super) struct PushTable<'a> {
    layout: Layout,
    columns: &'a [Column],
    shape: Option<Shape>,
    rows: u64,
    /// Lines since the header, which comes again before it has left the terminal.
    lines: usize,
}

enum Shape {
    /// Side by side, with these content widths.
    Columns(Vec<u16>),
    /// Too many columns for that: one below the other.
    Records,
}

impl<'a> PushTable<'a> {
    pub(super) fn new(layout: Layout, columns: &'a [Column]) -> Self {
        Self { layout, columns, shape: None, rows: 0, lines: 0 }
    }

    /// Rows written so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the header if it has not been.
    pub(super) fn write_header(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out, None)
    }

    /// Writes the rows of `batch`; `is_gone` says of which the key is gone.
    pub(super) fn write_batch(
        &mut self,
        out: &mut dyn Write,
        batch: &RecordBatch,
        is_gone: &dyn Fn(usize) -> bool,
    ) -> io::Result<()> {
        self.begin(out, Some(batch))?;
        match self.shape.take() {
            Some(Shape::Columns(widths)) => {
                self.write_lines(out, &widths, batch, is_gone)?;
                self.shape = Some(Shape::Columns(widths));
            }
            other => {
                write_records(out, self.layout, self.columns, batch, self.rows)?;
                self.shape = other;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn begin(&mut self, out: &mut dyn Write, first: Option<&RecordBatch>) -> io::Result<()> {
        if self.shape.is_some() {
            return Ok(());
        }
        let mut widths = match self.layout.column_width {
            Some(width) => vec![width; self.columns.len()],
            None => self.natural_widths(first),
        };
        if !self.layout.fits(&widths) {
            self.shape = Some(Shape::Records);
            return Ok(());
        }
        self.layout.shrink(&mut widths);
        self.write_heads(out, &widths)?;
        self.shape = Some(Shape::Columns(widths));
        Ok(())
    }

    fn write_heads(&mut self, out: &mut dyn Write, widths: &[u16]) -> io::Result<()> {
        let mut header = headed(self.layout, self.columns);
        header.set_constraints(widths.iter().map(|&width| ColumnConstraint::Absolute(padded(width))));
        self.lines = HEADER_LINES;
        write_table(out, &header)
    }

    fn write_lines(
        &mut self,
        out: &mut dyn Write,
        widths: &[u16],
        batch: &RecordBatch,
        is_gone: &dyn Fn(usize) -> bool,
    ) -> io::Result<()> {
        // As many rows together as fit between two headers.
        let most =
            self.layout.lines().map_or(usize::MAX, |lines| usize::from(lines).saturating_sub(HEADER_LINES + 1).max(1));
        let mut row = 0;
        while row < batch.num_rows() {
            if self.lines >= most.saturating_add(HEADER_LINES) {
                writeln!(out)?;
                self.write_heads(out, widths)?;
            }
            let end = batch.num_rows().min(row.saturating_add(most.saturating_add(HEADER_LINES) - self.lines));
            self.write_rows(out, widths, batch, row..end, is_gone)?;
            row = end;
        }
        Ok(())
    }

    fn write_rows(
        &mut self,
        out: &mut dyn Write,
        widths: &[u16],
        batch: &RecordBatch,
        rows: Range<usize>,
        is_gone: &dyn Fn(usize) -> bool,
    ) -> io::Result<()> {
        let mut table = self.layout.table();
        for row in rows {
            let mut shown = cells(self.layout, self.columns, batch, row);
            if is_gone(row) {
                let absent = shown.iter_mut().zip(batch.columns()).filter(|(_, array)| array.is_null(row));
                absent.for_each(|(cell, _)| *cell = self.layout.gone());
            }
            self.layout.add_row(&mut table, shown);
        }
        let constraint: fn(Width) -> ColumnConstraint =
            if self.is_absolute() { ColumnConstraint::Absolute } else { ColumnConstraint::LowerBoundary };
        table.set_constraints(widths.iter().map(|&width| constraint(padded(width))));
        align(&mut table, self.columns);
        self.lines += table.lines().count();
        write_table(out, &table)
    }

    /// Whether widths are kept whatever the values are.
    fn is_absolute(&self) -> bool {
        self.layout.columns().is_some() || self.layout.column_width.is_some()
    }

    /// Content widths that suit the names, the types and the first rows.
    fn natural_widths(&self, first: Option<&RecordBatch>) -> Vec<u16> {
        let mut sample = headed(self.layout, self.columns);
        let names = sample.column_max_content_widths();
        if let Some(batch) = first {
            sample.add_rows((0..batch.num_rows()).map(|row| cells(self.layout, self.columns, batch, row)));
        }
        let seen = sample.column_max_content_widths();
        let widths = self.columns.iter().zip(names).zip(seen);
        widths
            .map(|((column, name), seen)| name.max(type_width(&column.sql_type)).max(seen.min(FIRST_ROWS_WIDTH_MAX)))
            .collect()
    }
}

/// Characters of a common value.
fn type_width(sql_type: &SqlType) -> u16 {
    match sql_type {
        SqlType::Boolean => 5,
        SqlType::Integer => 8,
        SqlType::Bigint => 13,
        SqlType::Decimal { precision, .. } => u16::from(*precision).min(20) + 2,
        SqlType::String | SqlType::Bytes => 16,
        SqlType::Date => 10,
        SqlType::Double | SqlType::Time => 12,
        SqlType::Timestamp => 23,
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => 24,
    }
}
