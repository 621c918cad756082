//! Records that a query could not use: counted, logged and kept with their bytes.
//!
//! They go to the topic [`TOPIC`] with their key, value and time; headers say where each came from and what was wrong.

use std::sync::Arc;

use arrow::array::Array;

use crate::topics::TopicPartition;
use crate::types::{Header, RecordChunk, RecordChunkBuilder};

/// The topic of dead letters.
pub const TOPIC: &str = "levada_dead_letters";

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The key's bytes are not what its format and type ask for.
    Key,
    /// The value's bytes are not what its format and type ask for.
    Value,
    /// The record, or the result that follows from it, has no valid event time.
    Timestamp,
    /// An operator or expression rejected the row, or gave NULL in place of a failure.
    Process,
    /// The result could not be written.
    Encode,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Key, Self::Value, Self::Timestamp, Self::Process, Self::Encode];

    /// The name in the header `levada.stage`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Timestamp => "timestamp",
            Self::Process => "process",
            Self::Encode => "encode",
        }
    }
}

/// Collects the dead letters of one task between two commits.
pub struct DeadLetters {
    query: Arc<str>,
    letters: RecordChunkBuilder,
    logged: u32,
    suppressed: u64,
}

/// Reasons logged in full between two commits.
const LOGGED_MAX: u32 = 5;

impl DeadLetters {
    /// Dead letters of `query`.
    pub fn new(query: Arc<str>) -> Self {
        Self { query, letters: RecordChunkBuilder::new(), logged: 0, suppressed: 0 }
    }

    /// Keeps the record at `row` of `chunk`.
    pub fn add(&mut self, from: &TopicPartition, chunk: &RecordChunk, row: usize, stage: Stage, reason: &str) {
        let offset = chunk.offsets[row];
        if self.is_logged() {
            let (topic, partition) = (&*from.topic, from.partition);
            tracing::warn!(query = %self.query, stage = stage.name(), topic, partition, offset, "rejected: {reason}");
        }
        let header = |key: &str, value: String| Header { key: key.to_owned(), value: Some(value.into_bytes()) };
        let mut headers = chunk.headers_at(row).to_vec();
        headers.extend([
            header("levada.query", self.query.to_string()),
            header("levada.topic", from.topic.to_string()),
            header("levada.partition", from.partition.to_string()),
            header("levada.offset", offset.to_string()),
            header("levada.stage", stage.name().to_owned()),
            header("levada.reason", reason.to_owned()),
        ]);
        let key = chunk.keys.is_valid(row).then(|| chunk.keys.value(row));
        let value = chunk.values.is_valid(row).then(|| chunk.values.value(row));
        self.letters.push_full(key, value, chunk.timestamps[row], 0, headers.into());
    }

    /// Keeps a failure that follows from no single record: only its reason.
    pub fn add_without_record(&mut self, stage: Stage, reason: &str) {
        if self.is_logged() {
            let stage = stage.name();
            tracing::warn!(query = %self.query, stage, "rejected, a result held back until the commit: {reason}");
        }
        let header = |key: &str, value: &str| Header { key: key.to_owned(), value: Some(value.into()) };
        let headers = [
            header("levada.query", &self.query),
            header("levada.stage", stage.name()),
            header("levada.reason", reason),
        ];
        self.letters.push_full(None, None, 0, 0, headers.into());
    }

    /// Whether one more is logged in full.
    fn is_logged(&mut self) -> bool {
        let is_logged = self.logged < LOGGED_MAX;
        self.logged += u32::from(is_logged);
        self.suppressed += u64::from(!is_logged);
        is_logged
    }

    /// The letters since the last call, if any.
    pub fn take(&mut self) -> Option<RecordChunk> {
        if self.suppressed > 0 {
            tracing::warn!(query = %self.query, "rejected {} more records, see topic {TOPIC}", self.suppressed);
        }
        (self.logged, self.suppressed) = (0, 0);
        (!self.letters.is_empty()).then(|| std::mem::take(&mut self.letters).finish())
    }
}
