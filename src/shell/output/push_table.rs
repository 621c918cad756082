//! Rows that keep coming, as a table: the header once, then lines whose columns stay where they are.
//!
//! Widths come from the types, the first rows and the room there is; a wide value wraps within its column. Where there
//! is no terminal, nothing wraps: a wide value pushes the rest of its line aside.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use comfy_table::{ColumnConstraint, Width};

use super::layout::{Layout, write_table};
use super::table::{align, cells, headed, padded, write_records};
use crate::types::{Column, SqlType};

/// A value of the first rows widens its column no further than this.
const FIRST_ROWS_WIDTH_MAX: u16 = 40;

/// The table of one push query.
pub(super) struct PushTable<'a> {
    layout: Layout,
    columns: &'a [Column],
    shape: Option<Shape>,
    rows: u64,
}

enum Shape {
    /// Side by side, with these content widths.
    Columns(Vec<u16>),
    /// Too many columns for that: one below the other.
    Records,
}

impl<'a> PushTable<'a> {
    pub(super) fn new(layout: Layout, columns: &'a [Column]) -> Self {
        Self { layout, columns, shape: None, rows: 0 }
    }

    /// Rows written so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes the header if it has not been.
    pub(super) fn write_header(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.begin(out, None)
    }

    /// Writes the rows of `batch`.
    pub(super) fn write_batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()> {
        self.begin(out, Some(batch))?;
        match &self.shape {
            Some(Shape::Columns(widths)) => self.write_lines(out, widths, batch)?,
            _ => write_records(out, self.layout, self.columns, batch, self.rows)?,
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
        let mut header = headed(self.layout, self.columns);
        header.set_constraints(widths.iter().map(|&width| ColumnConstraint::Absolute(padded(width))));
        self.shape = Some(Shape::Columns(widths));
        write_table(out, &header)
    }

    fn write_lines(&self, out: &mut dyn Write, widths: &[u16], batch: &RecordBatch) -> io::Result<()> {
        let mut table = self.layout.table();
        for row in 0..batch.num_rows() {
            self.layout.add_row(&mut table, cells(self.layout, self.columns, batch, row));
        }
        let constraint: fn(Width) -> ColumnConstraint =
            if self.is_absolute() { ColumnConstraint::Absolute } else { ColumnConstraint::LowerBoundary };
        table.set_constraints(widths.iter().map(|&width| constraint(padded(width))));
        align(&mut table, self.columns);
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
