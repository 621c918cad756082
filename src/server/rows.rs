//! Rows as they are sent: framings of `/query` and of `/query-stream`.
//!
//! ```text
//! /query                  [{"header":{"queryId":…,"schema":…}},⏎{"row":{"columns":[…]}},⏎…,⏎{"finalMessage":…}]⏎
//! /query-stream           {"queryId":…,"columnNames":[…],"columnTypes":[…]}⏎[…]⏎[…]⏎
//! /query-stream, JSON     [{"queryId":…},⏎[…],⏎[…]]
//! … , Protobuf            [{"header":{"queryId":…,"protoSchema":…}},⏎{"row":{"protobufBytes":…}},⏎…]⏎
//! ```
//!
//! Some clients read lines, whatever the framing. So what may take long to go on ends with its comma and the end of its line: a
//! row is there for them when it is sent, not when the next one is.

use std::io::{self, Write};

use arrow::array::{Array as _, RecordBatch};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::problem::{Code, Problem};
use crate::engine::PushEnd;
use crate::formats::{Encoder, answer_encoder};
use crate::types::Column;
use crate::types::json_value::{write_items, write_json};

/// What rows are of: told before the first one.
#[derive(Debug, Clone)]
pub struct Header {
    /// Id of the query.
    pub query_id: String,
    /// Names and types.
    pub columns: Vec<Column>,
    /// The same as text: `` `A` STRING KEY, `B` BIGINT``.
    pub schema: String,
}

/// How rows are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Of `/query`.
    Query,
    /// Lines, of `/query-stream`.
    Lines,
    /// A JSON array, of `/query-stream`.
    Array,
    /// A JSON array of messages, of `/query-stream`.
    Messages,
    /// Arrow's IPC format, of `/query-stream`; not written here.
    Arrow,
}

/// Writes an answer piece by piece: header, rows, end.
pub struct RowWriter {
    framing: Framing,
    columns: Vec<Column>,
    messages: Option<Box<dyn Encoder>>,
    /// Whether something always follows, if only an end with a message.
    goes_on: bool,
}

/// Between two elements of an array.
const COMMA: &[u8] = b",\n";

impl RowWriter {
    /// A writer of rows that keep coming, and the header of its answer.
    pub fn begin_pushed(framing: Framing, header: &Header) -> Result<(Self, Vec<u8>), Problem> {
        let (mut writer, mut head) = Self::begin(framing, header)?;
        writer.goes_on = matches!(framing, Framing::Query | Framing::Messages);
        if writer.goes_on {
            head.extend_from_slice(COMMA);
        }
        Ok((writer, head))
    }

    /// A writer of rows that are all there, and the header of its answer.
    pub fn begin(framing: Framing, header: &Header) -> Result<(Self, Vec<u8>), Problem> {
        let mut messages = None;
        let head = match framing {
            Framing::Query => json!({"header": {"queryId": header.query_id, "schema": header.schema}}),
            Framing::Lines | Framing::Array | Framing::Arrow => {
                let names: Vec<&str> = header.columns.iter().map(|column| column.name.as_str()).collect();
                let types: Vec<String> = header.columns.iter().map(|column| column.sql_type.to_string()).collect();
                json!({"queryId": header.query_id, "columnNames": names, "columnTypes": types})
            }
            Framing::Messages => {
                let encoder = answer_encoder(&header.columns);
                let (text, encoder) = encoder.map_err(|error| Problem::bad_request(error.to_string()))?;
                messages = Some(encoder);
                json!({"header": {"queryId": header.query_id, "protoSchema": text}})
            }
        };
        let mut out = Vec::new();
        if framing != Framing::Lines {
            out.push(b'[');
        }
        out.extend_from_slice(head.to_string().as_bytes());
        if framing == Framing::Lines {
            out.push(b'\n');
        }
        Ok((Self { framing, columns: header.columns.clone(), messages, goes_on: false }, out))
    }

    /// Rows of `batch`; `is_tombstone` tells those that say their key has no row any more.
    pub fn rows(&mut self, batch: &RecordBatch, is_tombstone: impl Fn(usize) -> bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(batch.num_rows() * 64);
        let written = match self.framing {
            Framing::Messages => self.write_messages(&mut out, batch, is_tombstone),
            _ => self.write_rows(&mut out, batch, is_tombstone),
        };
        debug_assert!(written.is_ok(), "memory can be written to");
        out
    }

    fn write_rows(
        &self,
        out: &mut Vec<u8>,
        batch: &RecordBatch,
        is_tombstone: impl Fn(usize) -> bool,
    ) -> io::Result<()> {
        for row in 0..batch.num_rows() {
            let gone = is_tombstone(row);
            // Lines and arrays have no form for them.
            if gone && self.framing != Framing::Query {
                continue;
            }
            self.before_element(out);
            if self.framing == Framing::Query {
                out.extend_from_slice(b"{\"row\":{\"columns\":");
            }
            write_columns(out, &self.columns, batch, row)?;
            match self.framing {
                Framing::Query if gone => out.extend_from_slice(b",\"tombstone\":true}}"),
                Framing::Query => out.extend_from_slice(b"}}"),
                _ => {}
            }
            self.after_element(out);
        }
        Ok(())
    }

    fn before_element(&self, out: &mut Vec<u8>) {
        if self.framing != Framing::Lines && !self.goes_on {
            out.extend_from_slice(COMMA);
        }
    }

    fn after_element(&self, out: &mut Vec<u8>) {
        match self.framing {
            Framing::Lines => out.push(b'\n'),
            _ if self.goes_on => out.extend_from_slice(COMMA),
            _ => {}
        }
    }

    fn write_messages(
        &mut self,
        out: &mut Vec<u8>,
        batch: &RecordBatch,
        is_tombstone: impl Fn(usize) -> bool,
    ) -> io::Result<()> {
        let Some(encoder) = &mut self.messages else { return Ok(()) };
        let encoded = encoder.encode(batch.columns(), batch.num_rows(), None);
        let this = &*self;
        for row in (0..batch.num_rows()).filter(|row| !is_tombstone(*row)) {
            let bytes = if encoded.bytes.is_valid(row) { encoded.bytes.value(row) } else { &[] };
            this.before_element(out);
            write!(out, "{{\"row\":{{\"protobufBytes\":\"{}\"}}}}", STANDARD.encode(bytes))?;
            this.after_element(out);
        }
        Ok(())
    }

    /// The end of an answer that ended as `end` says, if it says so.
    pub fn end(&self, end: Option<&PushEnd>) -> Vec<u8> {
        let message = match end {
            Some(PushEnd::Failed(reason)) => return self.failed(&Problem::new(Code::SERVER_ERROR, reason.as_str())),
            Some(PushEnd::LimitReached) => Some("Limit Reached"),
            Some(PushEnd::Completed | PushEnd::Stopped) => Some("Query Completed"),
            None => None,
        };
        let message = message.map(|text| json!({"finalMessage": text}));
        match self.framing {
            Framing::Lines | Framing::Arrow => Vec::new(),
            Framing::Query | Framing::Messages => self.last(message.as_ref()),
            Framing::Array => self.last(None),
        }
    }

    /// The end of an answer that has failed on the way.
    fn failed(&self, problem: &Problem) -> Vec<u8> {
        match self.framing {
            Framing::Lines => format!("{}\n", problem.body()).into_bytes(),
            Framing::Array => self.last(Some(&problem.body())),
            _ => self.last(Some(&json!({"errorMessage": problem.body()}))),
        }
    }

    /// The last element of an array, if there is one, and its end.
    fn last(&self, element: Option<&Value>) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(element) = element {
            self.before_element(&mut out);
            out.extend_from_slice(element.to_string().as_bytes());
        }
        out.extend_from_slice(b"]\n");
        out
    }

    /// What is sent now and then when there are no rows, so that a client that has gone is noticed. Who reads lines takes each
    /// for a row.
    pub fn keep_alive(&self) -> Option<&'static [u8]> {
        (self.framing != Framing::Lines).then_some(b"\n")
    }
}

/// Row `row` of `batch` as a JSON array.
pub fn write_columns(out: &mut Vec<u8>, columns: &[Column], batch: &RecordBatch, row: usize) -> io::Result<()> {
    write_items(out, *b"[]", columns.len(), |out, i| write_json(out, batch.column(i), row, &columns[i].sql_type))
}
