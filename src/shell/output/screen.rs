//! Where answers go, and in which form.

use std::io::{self, Write};
use std::time::Duration;

use arrow::array::RecordBatch;

use super::array::ArrayLines;
use super::layout::Layout;
use super::limits::{Left, Limits, Patience};
use super::pager::Pager;
use super::palette::{Palette, is_dumb};
use super::problem::{Source, write_problem};
use super::push_table::PushTable;
use super::spool::Spool;
use super::table::count_text;
use super::{csv, json, print, table};
use crate::engine::{
    Done, EngineError, Listing, ListingForm, PrintEvent, PrintedFormats, PushEnd, PushEvent, PushQuery, Response,
    ResultRows, TopicPrint,
};
use crate::shell::Answer;
use crate::shell::answer::{LineEvent, PrintedLines};
use crate::types::Column;

/// How often a running query asks whether it should stop.
const POLL: Duration = Duration::from_millis(50);

/// What a person is told who waits for rows and sees none.
const WAITING: &str = "waiting for new records; SET 'auto.offset.reset' = 'earliest' also reads what is there";

/// The form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum OutputFormat {
    /// Tables for people
    #[default]
    #[value(alias = "tabular")]
    Table,
    /// Rows one below the other, a line per column
    Expanded,
    /// One JSON object per row and line (NDJSON)
    #[value(alias = "ndjson")]
    Json,
    /// One JSON array per answer
    JsonArray,
    /// CSV with a header line; messages go to standard error
    Csv,
}

impl OutputFormat {
    /// Whether people read it.
    pub(super) fn is_for_people(self) -> bool {
        matches!(self, Self::Table | Self::Expanded)
    }

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Expanded => "expanded",
            Self::Json => "json",
            Self::JsonArray => "json-array",
            Self::Csv => "csv",
        }
    }
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
    /// How much is shown of rows that keep coming.
    pub limits: Limits,
    /// Shows results that are longer than the terminal.
    pub pager: Option<Pager>,
    /// The file that a session is copied into.
    pub spool: Spool,
}

impl<'a> Screen<'a> {
    /// A screen of tables without colours for what is not a result, limits and pager.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, layout: Layout) -> Self {
        Self {
            out,
            err,
            format: OutputFormat::Table,
            layout,
            palette_err: Palette::PLAIN,
            tells_waiting: false,
            limits: Limits::default(),
            pager: None,
            spool: Spool::default(),
        }
    }

    /// Shows `answer`. What keeps coming is shown until it ends or `stopped` says so; it may also fail.
    pub fn show(&mut self, answer: &Answer, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        if self.format == OutputFormat::JsonArray {
            return self.show_array(answer, stopped);
        }
        let mut outcome = Ok(());
        match answer {
            Answer::Printed(lines) => outcome = self.printed(lines, stopped)?,
            Answer::Response(response) => match response {
                Response::Message(text) | Response::Done(Done { message: text, .. }) => self.message(text)?,
                Response::Listing(listings) => {
                    self.paged(|screen| listings.iter().try_for_each(|listing| screen.listing(listing)))?;
                }
                Response::Rows(rows) => self.paged(|screen| screen.rows(rows))?,
                Response::Push(query) => outcome = self.push(query, stopped)?,
                Response::Print(topic) => outcome = self.print(topic, stopped)?,
            },
        }
        self.out.flush()?;
        Ok(outcome)
    }

    fn show_array(&mut self, answer: &Answer, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        let mut array = ArrayLines::new(self.out);
        let mut lines = Screen::new(&mut array, self.err, self.layout);
        (lines.format, lines.limits, lines.tells_waiting) = (OutputFormat::Json, self.limits, self.tells_waiting);
        lines.palette_err = self.palette_err;
        let outcome = lines.show(answer, stopped)?;
        array.finish()?;
        self.out.flush()?;
        Ok(outcome)
    }

    /// Has `write` write; what is longer than the terminal is shown by the pager, if there is one.
    fn paged(&mut self, write: impl FnOnce(&mut Screen<'_>) -> io::Result<()>) -> io::Result<()> {
        let lines = self.layout.lines().filter(|_| self.format.is_for_people());
        let (Some(pager), Some(lines)) = (self.pager.clone().filter(Pager::is_on), lines) else { return write(self) };
        let mut text = Vec::new();
        let mut paper = Screen::new(&mut text, self.err, self.layout);
        paper.format = self.format;
        write(&mut paper)?;
        // The prompt takes a line.
        let is_long = memchr::memchr_iter(b'\n', &text).count() >= usize::from(lines);
        self.out.flush()?;
        if is_long && pager.show(&text).unwrap_or(false) {
            return Ok(());
        }
        self.out.write_all(&text)
    }

    /// Whether it is a terminal that can be painted over.
    pub(in crate::shell) fn clears(&self) -> bool {
        self.layout.lines().is_some() && !is_dumb()
    }

    fn layout(&self) -> Layout {
        Layout { expanded: self.layout.expanded || self.format == OutputFormat::Expanded, ..self.layout }
    }

    /// Shows a titled table of texts.
    pub fn listing(&mut self, listing: &Listing) -> io::Result<()> {
        let layout = self.layout();
        match self.format {
            OutputFormat::Table | OutputFormat::Expanded => table::write_listing(self.out, layout, listing),
            _ if listing.form == ListingForm::Advice => Ok(()),
            OutputFormat::Json | OutputFormat::JsonArray => json::write_listing(self.out, listing),
            OutputFormat::Csv => csv::write_listing(self.out, listing),
        }
    }

    /// Shows a line of text.
    pub fn message(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            OutputFormat::Table | OutputFormat::Expanded => writeln!(self.out, "{text}"),
            OutputFormat::Json | OutputFormat::JsonArray => json::write_message(self.out, text),
            OutputFormat::Csv => writeln!(self.err, "{text}"),
        }
    }

    /// Says how long a statement has taken.
    pub fn timing(&mut self, taken: Duration) -> io::Result<()> {
        let text = format!("Time: {:.3} ms", taken.as_secs_f64() * 1000.0);
        if self.format.is_for_people() {
            writeln!(self.out, "{}", self.layout.palette.faint(&text))?;
            return self.out.flush();
        }
        writeln!(self.err, "{text}")
    }

    /// Shows what is wrong with a statement of `source`.
    pub fn problem(&mut self, source: Source<'_>, error: &EngineError) -> io::Result<()> {
        // What was answered before belongs above the error, also where both go to one terminal.
        self.out.flush()?;
        write_problem(self.err, self.palette_err, self.layout.columns(), source, error)?;
        self.err.flush()
    }

    fn rows(&mut self, rows: &ResultRows) -> io::Result<()> {
        let layout = self.layout();
        match self.format {
            OutputFormat::Table | OutputFormat::Expanded => return table::write_rows(self.out, layout, rows),
            OutputFormat::Json | OutputFormat::JsonArray => {}
            OutputFormat::Csv => csv::write_header(self.out, &rows.columns)?,
        }
        rows.batches.iter().try_for_each(|batch| self.batch(&rows.columns, batch))
    }

    /// Shows rows until the query ends, `stopped` says so or a limit is reached; what it has failed with.
    fn push(&mut self, query: &PushQuery, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        let for_people = self.format.is_for_people();
        if self.format == OutputFormat::Csv {
            csv::write_header(self.out, &query.columns)?;
        }
        let mut table = PushTable::new(self.layout(), &query.columns);
        let mut patience = Patience::new(self.tells_waiting && !query.reads_once);
        let mut left = Left::new(self.limits);
        let mut failure = None;
        while !stopped() && !left.is_none() {
            let event = query.next(POLL);
            let is_waiting = patience.ends(matches!(event, PushEvent::Idle));
            match event {
                PushEvent::Rows(rows) => {
                    let batch = left.cut(rows.batch());
                    if for_people {
                        table.write_batch(self.out, &batch, &|row| rows.is_tombstone(row))?;
                    } else {
                        self.batch(&query.columns, &batch)?;
                    }
                }
                PushEvent::Idle if for_people => table.write_header(self.out)?,
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
        if for_people {
            table.write_header(self.out)?;
            let how = if stopped() { ", stopped" } else { left.said() };
            let end = format!("{}{how}", count_text(table.rows()));
            writeln!(self.out, "{}\n", self.layout.palette.faint(&end))?;
        }
        Ok(failure.map_or(Ok(()), Err))
    }

    /// Prints what another server prints of a topic.
    fn printed(&mut self, lines: &PrintedLines, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        print::write_header(self.out, self.format)?;
        let mut patience = Patience::new(self.tells_waiting && lines.only_new);
        while !stopped() {
            let event = match lines.next(POLL) {
                Ok(event) => event,
                Err(error) => return Ok(Err(error)),
            };
            let is_waiting = patience.ends(matches!(event, LineEvent::Idle));
            match event {
                // It is said below, of whatever server.
                LineEvent::Line(line) if line == print::CEASED => {}
                LineEvent::Line(line) => print::write_line(self.out, self.err, self.format, &line)?,
                LineEvent::Idle => self.out.flush()?,
                LineEvent::End => break,
            }
            if is_waiting {
                writeln!(self.err, "{}", self.palette_err.faint(print::WAITING))?;
            }
        }
        self.ceased()?;
        Ok(Ok(()))
    }

    /// Prints a topic until as many records have come as were asked for, or `stopped` says so.
    fn print(&mut self, topic: &TopicPrint, stopped: &dyn Fn() -> bool) -> io::Result<Result<(), EngineError>> {
        print::write_header(self.out, self.format)?;
        let mut patience = Patience::new(self.tells_waiting && topic.only_new);
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
        self.ceased()?;
        Ok(Ok(()))
    }

    /// Says that no more is printed.
    fn ceased(&mut self) -> io::Result<()> {
        if !self.format.is_for_people() {
            return Ok(());
        }
        writeln!(self.out, "{}", self.layout.palette.faint(print::CEASED))
    }

    /// Forms that other programs read hold records and nothing else.
    fn formats(&mut self, formats: &PrintedFormats) -> io::Result<()> {
        if self.format.is_for_people() { writeln!(self.out, "{formats}") } else { writeln!(self.err, "{formats}") }
    }

    /// Rows in a form without layout.
    fn batch(&mut self, columns: &[Column], batch: &RecordBatch) -> io::Result<()> {
        match self.format {
            OutputFormat::Csv => csv::write_batch(self.out, columns, batch),
            _ => json::write_batch(self.out, columns, batch),
        }
    }
}
