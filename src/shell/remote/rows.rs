//! The answer of `/query`, line by line: a header, rows, an end; or the text of PRINT.
//!
//! ```text
//! [{"header":{"queryId":"q","schema":"`K` STRING KEY"}},      ─▶ Element::Header
//! {"row":{"columns":["x"]}},                                  ─▶ Element::Row
//! {"finalMessage":"Limit Reached"}]                           ─▶ Element::Final
//! ```

use std::io::{self, BufRead, BufReader, Read};

use arrow::array::{BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use serde_json::Value;

use super::connection::error_of;
use super::schema::parse_columns;
use super::values;
use crate::engine::{EngineError, PushEnd};
use crate::plan::ColumnRole;
use crate::types::Column;

/// Rows that are made one batch at most.
const ROWS_AT_ONCE: usize = 1_000;
/// Bytes of the answer that are read at once.
const BUFFER: usize = 1 << 16;

/// What the header tells of a query.
pub(super) struct Header {
    pub(super) id: String,
    pub(super) columns: Vec<Column>,
    pub(super) roles: Vec<ColumnRole>,
}

/// What came next.
pub(super) enum Chunk {
    /// Rows, and which of them say that their key is gone.
    Rows(RecordBatch, Option<BooleanBuffer>),
    /// That was all; what the server said of it.
    End(Option<PushEnd>),
}

/// An answer that is being read.
pub(super) struct RowReader<R: Read> {
    lines: BufReader<R>,
    line: String,
    /// What was read and not given yet.
    ahead: Option<Element>,
}

/// One element of the array.
enum Element {
    Header(Header),
    Row(Vec<Value>, bool),
    Final(String),
    Failed(EngineError),
    End,
}

/// Why reading ended early.
pub(super) enum Broken {
    /// The connection.
    Lost(io::Error),
    /// The server says why.
    Failed(EngineError),
}

impl<R: Read> RowReader<R> {
    pub(super) fn new(answer: R) -> Self {
        Self { lines: BufReader::with_capacity(BUFFER, answer), line: String::new(), ahead: None }
    }

    /// Reads the header, which comes first.
    pub(super) fn header(&mut self) -> Result<Header, Broken> {
        match self.element()? {
            Element::Header(header) => Ok(header),
            Element::Failed(error) => Err(Broken::Failed(error)),
            _ => Err(Broken::Failed(EngineError::new("the server has answered with rows that have no header"))),
        }
    }

    /// Reads what there is, waiting for the first row only.
    pub(super) fn chunk(&mut self, columns: &[Column]) -> Result<Chunk, Broken> {
        let (mut rows, mut gone) = (Vec::new(), BooleanBufferBuilder::new(0));
        loop {
            match self.element()? {
                Element::Row(row, is_gone) => {
                    rows.push(row);
                    gone.append(is_gone);
                    if rows.len() < ROWS_AT_ONCE && self.has_more() {
                        continue;
                    }
                }
                Element::Header(_) => continue,
                end if !rows.is_empty() => self.ahead = Some(end),
                Element::Final(text) => return Ok(Chunk::End(Some(end_of(&text)))),
                Element::End => return Ok(Chunk::End(None)),
                Element::Failed(error) => return Err(Broken::Failed(error)),
            }
            let batch = values::batch(columns, &rows).map_err(|error| {
                Broken::Failed(EngineError::new(format!("the rows of the server cannot be shown: {error}")))
            })?;
            let gone = gone.finish();
            return Ok(Chunk::Rows(batch, (gone.count_set_bits() > 0).then_some(gone)));
        }
    }

    /// Whether a whole line has arrived that nobody has taken.
    fn has_more(&self) -> bool {
        self.lines.buffer().contains(&b'\n')
    }

    fn element(&mut self) -> Result<Element, Broken> {
        if let Some(element) = self.ahead.take() {
            return Ok(element);
        }
        loop {
            self.line.clear();
            if self.lines.read_line(&mut self.line).map_err(Broken::Lost)? == 0 {
                return Ok(Element::End);
            }
            if let Some(element) = element(&self.line) {
                return Ok(element);
            }
        }
    }
}

/// The element that stands in a line, if one does: servers send empty lines to see whether we are there.
fn element(line: &str) -> Option<Element> {
    let text = line.trim();
    let text = text.strip_prefix('[').unwrap_or(text);
    let text = text.strip_suffix(',').unwrap_or(text);
    if text.is_empty() || text == "]" {
        return None;
    }
    // The `]` of the last line belongs to the array, unless the element is not complete without it.
    let value: Value = serde_json::from_str(text)
        .or_else(|error| text.strip_suffix(']').map_or(Err(error), serde_json::from_str))
        .ok()?;
    if let Some(header) = value.get("header") {
        let (columns, roles) = parse_columns(header["schema"].as_str().unwrap_or_default());
        let id = header["queryId"].as_str().unwrap_or_default().to_owned();
        return Some(Element::Header(Header { id, columns, roles }));
    }
    if let Some(row) = value.get("row") {
        let columns = row["columns"].as_array().cloned().unwrap_or_default();
        return Some(Element::Row(columns, row["tombstone"].as_bool().unwrap_or(false)));
    }
    if let Some(text) = value["finalMessage"].as_str() {
        return Some(Element::Final(text.to_owned()));
    }
    let problem = value.get("errorMessage").unwrap_or(&value);
    let error = error_of(problem).unwrap_or_else(|| EngineError::new(format!("the server has said: {problem}")));
    Some(Element::Failed(error))
}

fn end_of(message: &str) -> PushEnd {
    if message == "Limit Reached" { PushEnd::LimitReached } else { PushEnd::Completed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows and the end of an answer.
    fn read(answer: &str) -> (Vec<usize>, String) {
        let mut reader = RowReader::new(answer.as_bytes());
        let header = match reader.header() {
            Ok(header) => header,
            Err(Broken::Failed(error)) => return (Vec::new(), error.message),
            Err(Broken::Lost(error)) => return (Vec::new(), error.to_string()),
        };
        let mut sizes = Vec::new();
        loop {
            match reader.chunk(&header.columns) {
                Ok(Chunk::Rows(batch, gone)) => sizes.push(batch.num_rows() + gone.map_or(0, |gone| 10 * gone.len())),
                Ok(Chunk::End(end)) => return (sizes, format!("{end:?}")),
                Err(Broken::Failed(error)) => return (sizes, error.message),
                Err(Broken::Lost(error)) => return (sizes, error.to_string()),
            }
        }
    }

    const HEADER: &str = "[{\"header\":{\"queryId\":\"q\",\"schema\":\"`K` STRING KEY, `N` ARRAY<INTEGER>\"}},\n";

    #[test]
    fn rows_that_have_arrived_come_together() {
        let rows = "{\"row\":{\"columns\":[\"x\",[1]]}},\n\n{\"row\":{\"columns\":[\"y\",null]}},\n";
        assert_eq!(
            read(&format!("{HEADER}{rows}{{\"finalMessage\":\"Limit Reached\"}}]")),
            (vec![2], "Some(LimitReached)".into())
        );
        assert_eq!(read(&format!("{HEADER}{rows}]")), (vec![2], "None".into()));
        let last = "{\"row\":{\"columns\":[\"x\",[1]]}}]";
        assert_eq!(read(&format!("{HEADER}{last}")), (vec![1], "None".into()), "the bracket is the array's");
        assert_eq!(read(&format!("{HEADER}]")), (vec![], "None".into()));
    }

    #[test]
    fn keys_that_are_gone_are_told() {
        let gone = "{\"row\":{\"columns\":[\"x\",null],\"tombstone\":true}},\n";
        assert_eq!(read(&format!("{HEADER}{gone}]")), (vec![11], "None".into()));
    }

    #[test]
    fn what_goes_wrong_on_the_way_is_told_after_the_rows() {
        let rows = "{\"row\":{\"columns\":[\"x\",[1]]}},\n";
        let failed = "{\"errorMessage\":{\"@type\":\"generic_error\",\"message\":\"no more\"}}]";
        assert_eq!(read(&format!("{HEADER}{rows}{failed}")), (vec![1], "no more".into()));
        assert_eq!(read("[{\"@type\":\"generic_error\",\"message\":\"not at all\"}]"), (vec![], "not at all".into()));
    }
}
