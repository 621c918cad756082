//! Rows as they are sent: framings of `/query` and of `/query-stream` (ksqldb-surface 6.2).
//!
//! ```text
//! /query                  [{"header":{"queryId":…,"schema":…}},⏎{"row":{"columns":[…]}},⏎…,{"finalMessage":…}]
//! /query-stream           {"queryId":…,"columnNames":[…],"columnTypes":[…]}⏎[…]⏎[…]⏎
//! /query-stream, JSON     [{"queryId":…},⏎[…],⏎[…]]
//! … , Protobuf            [{"header":{"queryId":…,"protoSchema":…}},⏎{"row":{"protobufBytes":…}},⏎…]
//! ```

use std::io::{self, Write};

use arrow::array::{Array as _, RecordBatch};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

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
}

/// Writes an answer piece by piece: header, rows, end.
pub struct RowWriter {
    framing: Framing,
    columns: Vec<Column>,
    messages: Option<Box<dyn Encoder>>,
}

impl RowWriter {
    /// A writer, and the header of its answer.
    pub fn begin(framing: Framing, header: &Header) -> Result<(Self, Vec<u8>), Problem> {
        let mut messages = None;
        let head = match framing {
            Framing::Query => json!({"header": {"queryId": header.query_id, "schema": header.schema}}),
            Framing::Lines | Framing::Array => {
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
        Ok((Self { framing, columns: header.columns.clone(), messages }, out))
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
            match self.framing {
                Framing::Query => out.extend_from_slice(b",\n{\"row\":{\"columns\":"),
                // Lines and arrays have no form for them.
                _ if gone => continue,
                Framing::Array => out.extend_from_slice(b",\n"),
                _ => {}
            }
            write_columns(out, &self.columns, batch, row)?;
            match self.framing {
                Framing::Query if gone => out.extend_from_slice(b",\"tombstone\":true}}"),
                Framing::Query => out.extend_from_slice(b"}}"),
                Framing::Lines => out.push(b'\n'),
                _ => {}
            }
        }
        Ok(())
    }

    fn write_messages(
        &mut self,
        out: &mut Vec<u8>,
        batch: &RecordBatch,
        is_tombstone: impl Fn(usize) -> bool,
    ) -> io::Result<()> {
        let Some(encoder) = &mut self.messages else { return Ok(()) };
        let encoded = encoder.encode(batch.columns(), batch.num_rows(), None);
        for row in (0..batch.num_rows()).filter(|row| !is_tombstone(*row)) {
            let bytes = if encoded.bytes.is_valid(row) { encoded.bytes.value(row) } else { &[] };
            write!(out, ",\n{{\"row\":{{\"protobufBytes\":\"{}\"}}}}", STANDARD.encode(bytes))?;
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
        let message = message.map(|text| json!({"finalMessage": text}).to_string());
        match (self.framing, message) {
            (Framing::Lines, _) => Vec::new(),
            (Framing::Query | Framing::Messages, Some(message)) => format!(",\n{message}]").into_bytes(),
            _ => b"]".to_vec(),
        }
    }

    /// The end of an answer that has failed on the way.
    fn failed(&self, problem: &Problem) -> Vec<u8> {
        match self.framing {
            Framing::Lines => format!("{}\n", problem.body()).into_bytes(),
            Framing::Array => format!(",\n{}]", problem.body()).into_bytes(),
            _ => format!(",\n{}]", json!({"errorMessage": problem.body()})).into_bytes(),
        }
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
