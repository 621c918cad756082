//! What a statement answers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;

use super::print::TopicPrint;
use crate::catalog::QueryId;
use crate::types::Column;

/// The effect of one statement, for a front end to show.
#[derive(Debug)]
pub enum Response {
    /// One line: `Topic orders exists.`
    Message(String),
    /// A statement of the command log was carried out.
    Done(Done),
    /// A list of named things: `SHOW STREAMS`, `DESCRIBE`.
    Listing(Vec<Listing>),
    /// All rows of a pull query.
    Rows(ResultRows),
    /// Rows that keep coming until the query is stopped or ends.
    Push(PushQuery),
    /// Records of a topic, as long as somebody wants more.
    Print(TopicPrint),
}

impl Response {
    /// What it says, where it is no more than that.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Message(text) => Some(text),
            Self::Done(done) => Some(&done.message),
            _ => None,
        }
    }
}

/// What a statement of the command log has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// One line: `Stream created`.
    pub message: String,
    /// Sequence number of the command.
    pub number: u64,
    /// The persistent query that it has started.
    pub query: Option<QueryId>,
}

/// A titled table of texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// How it is laid out for a person.
    pub form: ListingForm,
    /// What the rows are about, where other rows of the same answer are about something else: names and values. A title says it to
    /// a person; other forms of output have it in each row.
    pub about: Vec<(String, String)>,
    /// Title line, empty for none.
    pub title: String,
    /// Column headings; empty when the rows are plain lines of text.
    pub columns: Vec<String>,
    /// Cells, as many per row as there are columns (one when there are none).
    pub rows: Vec<Vec<String>>,
}

/// How a [`Listing`] is laid out for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListingForm {
    /// Rows below headings.
    #[default]
    Table,
    /// A line per column of the only row: its name and its value. Empty values are left out.
    Facts,
    /// Lines that tell a person where to look further. Other forms of output leave them out.
    Advice,
}

impl Listing {
    /// A table.
    pub fn table(title: impl Into<String>, columns: &[&str], rows: Vec<Vec<String>>) -> Self {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.into(), columns, rows, ..Self::default() }
    }

    /// Names and values, one below the other.
    pub fn facts(facts: impl IntoIterator<Item = (impl Into<String>, String)>) -> Self {
        let (columns, row) = facts.into_iter().map(|(name, value)| (name.into(), value)).unzip();
        Self { form: ListingForm::Facts, columns, rows: vec![row], ..Self::default() }
    }

    /// The table as one that is about these names and values.
    #[must_use]
    pub fn about<'a>(mut self, about: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.about = about.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self
    }
}

/// Typed rows. Column `i` of every batch has the Arrow type of `columns[i]`.
#[derive(Debug)]
pub struct ResultRows {
    /// Names and types.
    pub columns: Vec<Column>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

/// A running push query: the reading end. Dropping it stops the query.
#[derive(Debug)]
pub struct PushQuery {
    /// What it is called by, in `SHOW QUERIES`.
    pub id: String,
    /// Names and types of the rows.
    pub columns: Vec<Column>,
    queue: Arc<PushQueue>,
}

/// What came next from a push query.
#[derive(Debug)]
pub enum PushEvent {
    /// Some rows.
    Rows(RecordBatch),
    /// Nothing within the time given.
    Idle,
    /// The query has ended: limit reached, or stopped.
    End,
}

/// Rows on their way from tasks to one reader, bounded.
#[derive(Debug)]
pub struct PushQueue {
    state: Mutex<PushState>,
    changed: Condvar,
    rows_max: usize,
}

#[derive(Debug, Default)]
struct PushState {
    batches: VecDeque<RecordBatch>,
    rows: usize,
    rows_left: Option<u64>,
    closed: bool,
}

impl PushQueue {
    /// A queue that asks tasks to pause beyond `rows_max` rows, and ends after `limit` rows.
    pub fn new(rows_max: usize, limit: Option<u64>) -> Arc<Self> {
        let state = PushState { rows_left: limit, closed: limit == Some(0), ..PushState::default() };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), rows_max })
    }

    /// Adds rows, cut at the limit. Never waits: a task asks [`PushQueue::is_full`] before it processes more.
    pub fn push(&self, batch: &RecordBatch) {
        let mut state = self.lock();
        if state.closed || batch.num_rows() == 0 {
            return;
        }
        let rows = match state.rows_left {
            Some(left) => batch.num_rows().min(left as usize),
            None => batch.num_rows(),
        };
        state.batches.push_back(batch.slice(0, rows));
        state.rows += rows;
        if let Some(left) = &mut state.rows_left {
            *left -= rows as u64;
            state.closed = *left == 0;
        }
        self.changed.notify_all();
    }

    /// Whether the reader should catch up first.
    pub fn is_full(&self) -> bool {
        self.lock().rows >= self.rows_max
    }

    /// Whether the query has ended.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Ends the query; rows already queued can still be read.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn next(&self, timeout: Duration) -> PushEvent {
        let mut state = self.lock();
        if state.batches.is_empty() && !state.closed {
            state = self.changed.wait_timeout(state, timeout).unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        match state.batches.pop_front() {
            Some(batch) => {
                state.rows -= batch.num_rows();
                PushEvent::Rows(batch)
            }
            None if state.closed => PushEvent::End,
            None => PushEvent::Idle,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, PushState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl PushQuery {
    /// The reading end of `queue`.
    pub fn new(id: String, columns: Vec<Column>, queue: Arc<PushQueue>) -> Self {
        Self { id, columns, queue }
    }

    /// The next rows, waiting at most `timeout`.
    pub fn next(&self, timeout: Duration) -> PushEvent {
        self.queue.next(timeout)
    }

    /// Ends the query; safe from any thread.
    pub fn stop(&self) {
        self.queue.close();
    }
}

impl Drop for PushQuery {
    fn drop(&mut self) {
        self.queue.close();
    }
}
