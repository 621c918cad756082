//! Where answers go, and in which form.

use std::io::{self, Write};
use std::time::Duration;

use arrow::array::RecordBatch;

use super::layout::Layout;
use super::palette::Palette;
use super::problem::{Source, write_problem};
use super::push_table::PushTable;
use super::table::count_text;
use super::{csv, json, table};
use crate::engine::{EngineError, PushEvent, PushQuery, Response, ResultRows};
use crate::types::Column;

/// How often a running query asks whether it should stop.
const POLL: Duration = Duration::from_millis(50);

/// The form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OutputFormat {
    /// Tables for people
    #[default]
    Table,
    /// One JSON object per row and line
    Json,
    /// CSV with a header line; messages go to standard error
    Csv,
}

/// Where answers go, and in which form.
pub struct Screen<'a> {
    /// Takes results.
    pub out: &'a mut dyn Write,
    /// Takes errors and remarks.
    pub err: &'a mut dyn Write,
    /// The form of results.
    pub format: OutputFormat,
    /// Room and colours of tables.
    pub layout: Layout,
    /// Colours of errors.
    pub palette_err: Palette,
}

impl Screen<'_> {
    /// Shows `response`. Rows that keep coming are shown until their query ends or `stopped` says so.
    pub fn show(&mut self, response: &Response, stopped: &dyn Fn() -> bool) -> io::Result<()> {
        match response {
            Response::Message(text) => self.message(text)?,
            Response::Listing(listings) => {
                for listing in listings {
                    match self.format {
                        OutputFormat::Table => table::write_listing(self.out, self.layout, listing)?,
                        OutputFormat::Json => json::write_listing(self.out, listing)?,
                        OutputFormat::Csv => csv::write_listing(self.out, listing)?,
                    }
                }
            }
            Response::Rows(rows) => self.rows(rows)?,
            Response::Push(query) => self.push(query, stopped)?,
        }
        self.out.flush()
    }

    /// Shows a line of text.
    pub fn message(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            OutputFormat::Table => writeln!(self.out, "{text}"),
            OutputFormat::Json => json::write_message(self.out, text),
            OutputFormat::Csv => writeln!(self.err, "{text}"),
        }
    }

    /// Shows what is wrong with a statement of `source`.
    pub fn problem(&mut self, source: Source<'_>, error: &EngineError) -> io::Result<()> {
        // What was answered before belongs above the error, also where both go to one terminal.
        self.out.flush()?;
        write_problem(self.err, self.palette_err, self.layout.columns(), source, error)?;
        self.err.flush()
    }

    fn rows(&mut self, rows: &ResultRows) -> io::Result<()> {
        match self.format {
            OutputFormat::Table => return table::write_rows(self.out, self.layout, rows),
            OutputFormat::Json => {}
            OutputFormat::Csv => csv::write_header(self.out, &rows.columns)?,
        }
        rows.batches.iter().try_for_each(|batch| self.batch(&rows.columns, batch))
    }

    fn push(&mut self, query: &PushQuery, stopped: &dyn Fn() -> bool) -> io::Result<()> {
        if self.format == OutputFormat::Csv {
            csv::write_header(self.out, &query.columns)?;
        }
        let mut table = PushTable::new(self.layout, &query.columns);
        while !stopped() {
            match query.next(POLL) {
                PushEvent::Rows(batch) if self.format == OutputFormat::Table => table.write_batch(self.out, &batch)?,
                PushEvent::Rows(batch) => self.batch(&query.columns, &batch)?,
                PushEvent::Idle if self.format == OutputFormat::Table => table.write_header(self.out)?,
                PushEvent::Idle => {}
                PushEvent::End => break,
            }
            self.out.flush()?;
        }
        query.stop();
        if self.format == OutputFormat::Table {
            table.write_header(self.out)?;
            let how = if stopped() { ", stopped" } else { "" };
            let end = format!("{}{how}", count_text(table.rows()));
            writeln!(self.out, "{}\n", self.layout.palette.faint(&end))?;
        }
        Ok(())
    }

    /// Rows in a form without layout.
    fn batch(&mut self, columns: &[Column], batch: &RecordBatch) -> io::Result<()> {
        match self.format {
            OutputFormat::Csv => csv::write_batch(self.out, columns, batch),
            OutputFormat::Table | OutputFormat::Json => json::write_batch(self.out, columns, batch),
        }
    }
}
