//! What a statement answers.

use arrow::array::RecordBatch;

use super::PushQuery;
use super::print::TopicPrint;
use super::push::PushEnd;
use crate::catalog::QueryId;
use crate::plan::ColumnRole;
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
    /// What each column is.
    pub roles: Vec<ColumnRole>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// How it ended, where that is said: of a stream's rows.
    pub end: Option<PushEnd>,
}

impl ResultRows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns as ksqlDB writes them where it says which are keys: `` `A` STRING KEY, `B` BIGINT``. Headers stand before the
    /// other values there, wherever they are in the rows.
    pub fn schema_text(&self) -> String {
        let (mut texts, mut headers) = (Vec::new(), 0);
        for (column, role) in self.columns.iter().zip(&self.roles) {
            match role {
                ColumnRole::Key => texts.push(format!("{column} KEY")),
                ColumnRole::Value => texts.push(column.to_string()),
                ColumnRole::Header(name) => {
                    let first_value = self.roles.iter().filter(|role| **role == ColumnRole::Key).count();
                    let header = name.as_ref().map_or("HEADERS".to_owned(), |name| format!("HEADER('{name}')"));
                    texts.insert((first_value + headers).min(texts.len()), format!("{column} {header}"));
                    headers += 1;
                }
            }
        }
        texts.join(", ")
    }
}
