//! Where answers go, and in which form.

use std::io::{self, Write};
use std::time::Duration;

use arrow::array::RecordBatch;

use super::layout::Layout;
use super::palette::Palette;
use super::problem::{Source, write_problem};
use super::push_table::PushTable;
use super::table::count_text;
use super::{csv, json, print, table};
use crate::engine::{
    Done, EngineError, Listing, ListingForm, PrintEvent, PrintedFormats, PushEnd, PushEvent, PushQuery, Response,
    ResultRows, TopicPrint,
};
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
    /// Shows `response`. What keeps coming is shown until it ends or `stopped` says so; it may also fail.
    pub fn show(&mut self, response: &Response, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        let mut outcome = Ok(());
        match response {
            Response::Message(text) | Response::Done(Done { message: text, .. }) => self.message(text)?,
            Response::Listing(listings) => listings.iter().try_for_each(|listing| self.listing(listing))?,
            Response::Rows(rows) => self.rows(rows)?,
            Response::Push(query) => outcome = self.push(query, stopped)?,
            Response::Print(topic) => outcome = self.print(topic, stopped)?,
        }
        self.out.flush()?;
        Ok(outcome)
    }

    /// Shows a titled table of texts.
    pub fn listing(&mut self, listing: &Listing) -> io::Result<()> {
        match self.format {
            OutputFormat::Table => table::write_listing(self.out, self.layout, listing),
            _ if listing.form == ListingForm::Advice => Ok(()),
            OutputFormat::Json => json::write_listing(self.out, listing),
            OutputFormat::Csv => csv::write_listing(self.out, listing),
        }
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

    /// Shows rows until the query ends or `stopped` says so; what it has failed with.
    fn push(&mut self, query: &PushQuery, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        if self.format == OutputFormat::Csv {
            csv::write_header(self.out, &query.columns)?;
        }
        let mut table = PushTable::new(self.layout, &query.columns);
        let mut patience = Patience::new(self.tells_waiting && !query.reads_once);
        let mut failure = None;
        while !stopped() {
            let event = query.next(POLL);
            let is_waiting = patience.ends(matches!(event, PushEvent::Idle));
            match event {
                PushEvent::Rows(rows) if self.format == OutputFormat::Table => {
                    table.write_batch(self.out, rows.batch())?;
                }
                PushEvent::Rows(rows) => self.batch(&query.columns, rows.batch())?,
                PushEvent::Idle if self.format == OutputFormat::Table => table.write_header(self.out)?,
                PushEvent::Idle => {}
                PushEvent::End(PushEnd::Failed(reason)) => {
                    failure = Some(EngineError::new(reason));
                    break;
                }
                PushEvent::End(_) => break,
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
        Ok(failure.map_or(Ok(()), Err))
    }

    /// Prints a topic until as many records have come as were asked for, or `stopped` says so.
    fn print(&mut self, topic: &TopicPrint, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        print::write_header(self.out, self.format)?;
        let mut patience = Patience::new(self.tells_patience(topic));
        while !stopped() {
            let event = match topic.next(POLL) {
                Ok(event) => event,
                Err(error) => return Ok(Err(error)),
            };
            let is_waiting = patience.ends(matches!(event, PrintEvent::Idle));
            match event {
                PrintEvent::Records(formats, records) => {
                    if let Some(formats) = formats {
                        self.formats(&formats)?;
                    }
                    records.iter().try_for_each(|record| print::write_record(self.out, self.format, record))?;
                }
                PrintEvent::Idle => {}
                PrintEvent::End => break,
            }
            self.out.flush()?;
            if is_waiting {
                writeln!(self.err, "{}", self.palette_err.faint(print::WAITING))?;
            }
        }
        if self.format == OutputFormat::Table {
            writeln!(self.out, "{}", self.layout.palette.faint(print::CEASED))?;
        }
        Ok(Ok(()))
    }

    /// Whether somebody waits for records who may not know that only new ones are printed.
    fn tells_patience(&self, topic: &TopicPrint) -> bool {
        self.tells_waiting && topic.only_new
    }

    /// Forms that other programs read hold records and nothing else.
    fn formats(&mut self, formats: &PrintedFormats) -> io::Result<()> {
        match self.format {
            OutputFormat::Table => writeln!(self.out, "{formats}"),
            OutputFormat::Json | OutputFormat::Csv => writeln!(self.err, "{formats}"),
        }
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

    /// Takes note of what a poll has brought; whether it is the moment to say that nothing comes.
    fn ends(&mut self, was_idle: bool) -> bool {
        match (was_idle, self.left) {
            (true, Some(left)) => {
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
    use super::*;

    fn told(tells: bool, polls: &[bool]) -> usize {
        let mut patience = Patience::new(tells);
        polls.iter().filter(|was_idle| patience.ends(**was_idle)).count()
    }

    #[test]
    fn waiting_for_the_first_rows_is_told_once() {
        let idle = |polls: u32| vec![true; polls as usize];
        assert_eq!(told(true, &idle(100)), 1);
        assert_eq!(told(true, &idle(WAITING_POLLS - 1)), 0);
        assert_eq!(told(true, &[vec![false], idle(100)].concat()), 0, "rows have come");
        assert_eq!(told(false, &idle(100)), 0, "nobody is there, or all is read");
    }
}
