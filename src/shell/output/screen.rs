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

/// What a person is told who waits for rows and sees none.
const WAITING: &str = "waiting for new records; SET 'auto.offset.reset' = 'earliest' also reads what is there";
/// Told after so many polls: about a second.
const WAITING_POLLS: u32 = 20;

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
    /// Whether to say after a while why a query that reads new records only shows nothing.
    pub tells_waiting: bool,
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
        let mut patience = Patience::new(self.tells_waiting);
        while !stopped() {
            let event = query.next(POLL);
            let is_waiting = patience.ends(&event);
            match event {
                PushEvent::Rows(batch) if self.format == OutputFormat::Table => table.write_batch(self.out, &batch)?,
                PushEvent::Rows(batch) => self.batch(&query.columns, &batch)?,
                PushEvent::Idle if self.format == OutputFormat::Table => table.write_header(self.out)?,
                PushEvent::Idle => {}
                PushEvent::End => break,
            }
            self.out.flush()?;
            if is_waiting {
                writeln!(self.err, "{}", self.palette_err.faint(WAITING))?;
            }
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

/// How long somebody has waited for the first rows of a query.
struct Patience {
    /// Polls to go; `None` when there is nothing to tell (any more).
    left: Option<u32>,
}

impl Patience {
    fn new(tells: bool) -> Self {
        Self { left: tells.then_some(WAITING_POLLS) }
    }

    /// Takes note of `event`; whether it is the moment to say that nothing comes.
    fn ends(&mut self, event: &PushEvent) -> bool {
        match (event, self.left) {
            (PushEvent::Idle, Some(left)) => {
                self.left = left.checked_sub(1).filter(|&left| left > 0);
                self.left.is_none()
            }
            _ => {
                self.left = None;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;

    use super::*;

    fn told(tells: bool, events: &[PushEvent]) -> usize {
        let mut patience = Patience::new(tells);
        events.iter().filter(|event| patience.ends(event)).count()
    }

    #[test]
    fn waiting_for_the_first_rows_is_told_once() {
        let idle = |polls: u32| (0..polls).map(|_| PushEvent::Idle);
        let rows = || PushEvent::Rows(RecordBatch::new_empty(Arc::new(Schema::empty())));
        assert_eq!(told(true, &idle(100).collect::<Vec<_>>()), 1);
        assert_eq!(told(true, &idle(WAITING_POLLS - 1).collect::<Vec<_>>()), 0);
        assert_eq!(told(true, &std::iter::once(rows()).chain(idle(100)).collect::<Vec<_>>()), 0, "rows have come");
        assert_eq!(told(false, &idle(100).collect::<Vec<_>>()), 0, "nobody is there, or all is read");
    }
}
