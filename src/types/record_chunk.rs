//! Records as they stand in a topic: bytes, in columns.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, BinaryBuilder};
use arrow::buffer::ScalarBuffer;

/// One header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Header name; names may repeat.
    pub key: String,
    /// Header bytes; null is allowed.
    pub value: Option<Vec<u8>>,
}

/// Headers of one record, in order. Shared: most records have none.
pub type Headers = Arc<[Header]>;

/// Consecutive records of one partition: what one fetch returns and one append takes. Columns have equal lengths.
#[derive(Debug, Clone)]
pub struct RecordChunk {
    /// Key bytes; null where the record has no key.
    pub keys: BinaryArray,
    /// Value bytes; null for a tombstone.
    pub values: BinaryArray,
    /// Record times, milliseconds since the epoch.
    pub timestamps: ScalarBuffer<i64>,
    /// Offsets, ascending, with gaps where compaction removed records. Ignored by append, which assigns them.
    pub offsets: ScalarBuffer<i64>,
    /// Headers per record; `None` when no record of the chunk has any.
    pub headers: Option<Arc<[Headers]>>,
}

impl RecordChunk {
    /// A chunk without records.
    pub fn empty() -> Self {
        RecordChunkBuilder::new().finish()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Bytes of keys and values together.
    pub fn byte_size(&self) -> usize {
        let span = |array: &BinaryArray| (array.value_offsets()[array.len()] - array.value_offsets()[0]) as usize;
        span(&self.keys) + span(&self.values)
    }

    /// `length` records from index `offset` on; shares memory.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            keys: self.keys.slice(offset, length),
            values: self.values.slice(offset, length),
            timestamps: self.timestamps.slice(offset, length),
            offsets: self.offsets.slice(offset, length),
            headers: self.headers.as_ref().map(|all| all[offset..offset + length].into()),
        }
    }

    /// Headers of the record at index `row`.
    pub fn headers_at(&self, row: usize) -> &[Header] {
        self.headers.as_ref().map_or(&[], |all| &all[row])
    }
}

/// Collects records into a [`RecordChunk`].
#[derive(Debug, Default)]
pub struct RecordChunkBuilder {
    keys: BinaryBuilder,
    values: BinaryBuilder,
    timestamps: Vec<i64>,
    offsets: Vec<i64>,
    /// Empty until a record has some.
    headers: Vec<Headers>,
}

impl RecordChunkBuilder {
    /// A builder without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// A builder with room for `rows` records with so many bytes of keys and values.
    pub fn with_capacity(rows: usize, key_bytes: usize, value_bytes: usize) -> Self {
        Self {
            keys: BinaryBuilder::with_capacity(rows, key_bytes),
            values: BinaryBuilder::with_capacity(rows, value_bytes),
            timestamps: Vec::with_capacity(rows),
            offsets: Vec::with_capacity(rows),
            headers: Vec::new(),
        }
    }

    /// Adds a record without headers; its offset is its index.
    pub fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, timestamp: i64) {
        let offset = self.offsets.len() as i64;
        self.push_at(key, value, timestamp, offset);
    }

    /// Adds a record without headers.
    pub fn push_at(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, timestamp: i64, offset: i64) {
        self.keys.append_option(key);
        self.values.append_option(value);
        self.timestamps.push(timestamp);
        self.offsets.push(offset);
        if !self.headers.is_empty() {
            self.headers.push(Arc::default());
        }
    }

    /// Adds a record with all its parts.
    pub fn push_full(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: i64,
        offset: i64,
        headers: Headers,
    ) {
        if !headers.is_empty() {
            self.headers.resize(self.len(), Arc::default());
        }
        self.push_at(key, value, timestamp, offset);
        if !headers.is_empty() {
            self.headers.truncate(self.len() - 1);
            self.headers.push(headers);
        }
    }

    /// Number of records so far.
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Whether no record was added.
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// The chunk of all records added.
    pub fn finish(mut self) -> RecordChunk {
        RecordChunk {
            keys: self.keys.finish(),
            values: self.values.finish(),
            timestamps: self.timestamps.into(),
            offsets: self.offsets.into(),
            headers: (!self.headers.is_empty()).then(|| self.headers.into()),
        }
    }
}
