//! What retention, compaction and look-ups by time need to know of a chunk without reading it.

use arrow::array::Array;

use crate::types::RecordChunk;

/// Facts about one stored chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChunkSummary {
    /// Greatest offset that the chunk stands for, though compaction may have removed the record there.
    pub(super) offset_last: i64,
    /// Number of records.
    pub(super) rows: u32,
    /// Bytes of keys and values.
    pub(super) bytes: u64,
    /// Greatest record time.
    pub(super) timestamp_max: i64,
    /// Records with a key and no value.
    pub(super) tombstones: u32,
    /// When compaction first passed over the chunk, milliseconds since the epoch; -1 before.
    pub(super) cleaned_at_ms: i64,
}

impl ChunkSummary {
    /// Summarises `chunks`, stored as one chunk that ends at `offset_last`.
    pub(super) fn of(chunks: &[RecordChunk], offset_last: i64, cleaned_at_ms: i64) -> Self {
        let mut summary =
            Self { offset_last, rows: 0, bytes: 0, timestamp_max: i64::MIN, tombstones: 0, cleaned_at_ms };
        for chunk in chunks {
            summary.rows += chunk.len() as u32;
            summary.bytes += chunk.byte_size() as u64;
            summary.timestamp_max = chunk.timestamps.iter().copied().fold(summary.timestamp_max, i64::max);
            summary.tombstones += tombstones(chunk);
        }
        summary
    }
}

fn tombstones(chunk: &RecordChunk) -> u32 {
    let Some(values) = chunk.values.nulls() else { return 0 };
    (0..chunk.len()).filter(|&row| values.is_null(row) && chunk.keys.is_valid(row)).count() as u32
}
