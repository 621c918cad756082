//! What decoders and encoders of all formats share: marks on rows, checks of text, offsets of output.

use arrow::array::{Array, BinaryArray, NullBufferBuilder};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};

use crate::types::RowError;

use super::Encoded;

/// Collects which rows of a batch are null or wrong. Costs nothing for rows that are neither.
#[derive(Default)]
pub(super) struct RowMarks {
    nulls: Vec<u32>,
    pub(super) errors: Vec<RowError>,
}

impl RowMarks {
    pub(super) fn null(&mut self, row: usize) {
        self.nulls.push(row as u32);
    }

    #[cold]
    pub(super) fn error(&mut self, row: usize, reason: impl Into<String>) {
        self.errors.push(RowError::new(row, reason));
    }

    /// Null rows as bits; `None` when there is none.
    pub(super) fn null_bits(&self, rows: usize) -> Option<BooleanBuffer> {
        if self.nulls.is_empty() {
            return None;
        }
        let mut next = self.nulls.iter().peekable();
        Some((0..rows as u32).map(|row| next.next_if_eq(&&row).is_some()).collect())
    }
}

/// Answers whether records are UTF-8, after one check of the whole batch.
pub(super) struct Utf8Check {
    all: bool,
}

impl Utf8Check {
    pub(super) fn new(bytes: &BinaryArray) -> Self {
        let offsets = bytes.value_offsets();
        let span = &bytes.value_data()[offsets[0] as usize..offsets[bytes.len()] as usize];
        Self { all: simdutf8::basic::from_utf8(span).is_ok() }
    }

    /// Whether `record`, a record of the batch, is UTF-8 of its own.
    #[inline]
    pub(super) fn is_utf8(&self, record: &[u8]) -> bool {
        // A valid batch may still be cut inside a character, but not next to an ASCII one.
        let cut_cleanly = record.first().is_none_or(u8::is_ascii) && record.last().is_none_or(u8::is_ascii);
        self.all && cut_cleanly || simdutf8::basic::from_utf8(record).is_ok()
    }
}

/// Rows of bytes under construction.
pub(super) struct RowsWriter {
    /// Bytes of all rows; those past the last closed row belong to the one being written.
    pub(super) out: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    errors: Vec<RowError>,
}

impl RowsWriter {
    pub(super) fn new(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { out: Vec::with_capacity(bytes), offsets, nulls: NullBufferBuilder::new(rows), errors: Vec::new() }
    }

    /// Closes a row.
    #[inline]
    pub(super) fn end(&mut self) {
        match i32::try_from(self.out.len()) {
            Ok(end) => {
                self.offsets.push(end);
                self.nulls.append_non_null();
            }
            Err(_) => self.fail("the batch's output is larger than two gigabytes"),
        }
    }

    /// Makes the row null, whatever was written of it.
    pub(super) fn null(&mut self) {
        let start = self.offsets[self.offsets.len() - 1];
        self.out.truncate(start as usize);
        self.offsets.push(start);
        self.nulls.append_null();
    }

    /// Makes the row an error.
    #[cold]
    pub(super) fn fail(&mut self, reason: impl Into<String>) {
        self.errors.push(RowError::new(self.offsets.len() - 1, reason));
        self.null();
    }

    pub(super) fn finish(mut self) -> Encoded {
        let offsets = OffsetBuffer::new(self.offsets.into());
        Encoded { bytes: BinaryArray::new(offsets, self.out.into(), self.nulls.finish()), errors: self.errors }
    }
}
