//! Keys and small values of local topics in the store.
//!
//! ```text
//! family   key                                                     value
//! Meta     "topic/" name                                           topic:   id u32 │ partitions u32 │ flags u8 │ retention ms i64 │ retention bytes u64
//! Meta     "topic-next/"                                           id u32 of the next topic
//! Meta     "partition/" id u32 │ partition u32                     bounds:  start i64 │ end i64 │ cleaned to i64
//! Meta     "position/" id u32 │ partition u32 │ group              position: offset i64 │ partition time i64
//! Records  'c' │ id u32 │ partition u32 │ last offset u64          chunk, see chunk_encoding
//! Records  's' │ id u32 │ partition u32 │ last offset u64          summary: rows u32 │ bytes u64 │ greatest time i64 │ tombstones u32 │ cleaned at i64
//!
//! flags := 1: compact, 2: has retention ms, 4: has retention bytes, 8: keys, 16: values must be of registered schemas
//! ```
//!
//! Numbers in keys are big-endian, so that keys of a partition sort by offset and a seek to an offset finds the chunk
//! that holds it; numbers in values are little-endian. The version of all of this is the store's format version.
//! Ids are never used twice: what a deleted topic may have left behind is nobody's. Bounds are written by retention
//! and compaction only; the end of a partition is the greater of the one noted there and the one of its last chunk.

use crate::storage::StorageError;
use crate::topics::{ChunkSummary, Position, TopicConfig};

pub(super) const TOPICS: &[u8] = b"topic/";
pub(super) const TOPICS_END: &[u8] = b"topic0";
pub(super) const NEXT_ID: &[u8] = b"topic-next/";

const CHUNKS: u8 = b'c';
const SUMMARIES: u8 = b's';

/// Which partition of which topic, as keys name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PartitionId {
    pub(super) topic: u32,
    pub(super) partition: u32,
}

/// A range of keys, from the first (inclusive) to the second (exclusive).
pub(super) type KeyRange = (Vec<u8>, Vec<u8>);

impl PartitionId {
    pub(super) fn chunk(self, offset_last: i64) -> Vec<u8> {
        self.record_key(CHUNKS, offset_last)
    }

    pub(super) fn summary(self, offset_last: i64) -> Vec<u8> {
        self.record_key(SUMMARIES, offset_last)
    }

    /// Keys of the chunks that may hold `offset` and those behind it.
    pub(super) fn chunks_from(self, offset: i64) -> KeyRange {
        (self.chunk(offset), self.chunk(i64::MAX))
    }

    /// Keys of all summaries.
    pub(super) fn summaries(self) -> KeyRange {
        (self.summary(0), self.summary(i64::MAX))
    }

    pub(super) fn bounds(self) -> Vec<u8> {
        self.meta_key(b"partition/")
    }

    pub(super) fn position(self, group: &str) -> Vec<u8> {
        let mut key = self.meta_key(b"position/");
        key.extend(group.as_bytes());
        key
    }

    fn record_key(self, kind: u8, offset: i64) -> Vec<u8> {
        let mut key = Vec::with_capacity(17);
        key.push(kind);
        key.extend(self.topic.to_be_bytes());
        key.extend(self.partition.to_be_bytes());
        key.extend((offset.max(0) as u64).to_be_bytes());
        key
    }

    fn meta_key(self, prefix: &[u8]) -> Vec<u8> {
        let mut key = prefix.to_vec();
        key.extend(self.topic.to_be_bytes());
        key.extend(self.partition.to_be_bytes());
        key
    }
}

/// The last offset that a key of a chunk or summary names.
pub(super) fn offset_of(key: &[u8]) -> Result<i64, StorageError> {
    let offset = key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes) as i64);
    offset.filter(|offset| *offset >= 0).ok_or_else(|| corrupt("a chunk's key", key))
}

/// Keys in `Records` and in `Meta` that belong to the topic with `id`, its name aside.
pub(super) fn all_of_topic(id: u32) -> ([KeyRange; 2], [KeyRange; 2]) {
    let id_range = |prefix: &[u8]| {
        let from = [prefix, &id.to_be_bytes()].concat();
        let to = [prefix, &(id + 1).to_be_bytes()].concat();
        (from, to)
    };
    ([id_range(&[CHUNKS]), id_range(&[SUMMARIES])], [id_range(b"partition/"), id_range(b"position/")])
}

pub(super) fn topic_key(name: &str) -> Vec<u8> {
    [TOPICS, name.as_bytes()].concat()
}

pub(super) fn encode_topic(id: u32, config: &TopicConfig) -> Vec<u8> {
    let flag = |flag: u8, set: bool| if set { flag } else { 0 };
    let flags = flag(1, config.compact)
        | flag(2, config.retention_ms.is_some())
        | flag(4, config.retention_bytes.is_some())
        | flag(8, config.validates_keys())
        | flag(16, config.validates_values());
    let mut value = Vec::with_capacity(25);
    value.extend(id.to_le_bytes());
    value.extend(config.partitions.to_le_bytes());
    value.push(flags);
    value.extend(config.retention_ms.unwrap_or_default().to_le_bytes());
    value.extend(config.retention_bytes.unwrap_or_default().to_le_bytes());
    value
}

pub(super) fn decode_topic(value: &[u8]) -> Result<(u32, TopicConfig), StorageError> {
    let mut fields = Fields::of("a topic", value);
    let id = fields.u32()?;
    let partitions = fields.u32()?;
    let [flags] = fields.array()?;
    let retention_ms = fields.i64()?;
    let retention_bytes = fields.i64()? as u64;
    fields.end()?;
    let config = TopicConfig {
        compact: flags & 1 != 0,
        retention_ms: (flags & 2 != 0).then_some(retention_ms),
        retention_bytes: (flags & 4 != 0).then_some(retention_bytes),
        ..TopicConfig::with_partitions(partitions)
    };
    let config = config.with_schema_validation(flags & 8 != 0, flags & 16 != 0);
    Ok((id, config))
}

pub(super) fn decode_id(value: &[u8]) -> Result<u32, StorageError> {
    let mut fields = Fields::of("the next topic id", value);
    let id = fields.u32()?;
    fields.end()?;
    Ok(id)
}

/// What retention and compaction remember of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bounds {
    /// Offset of the first record that is kept.
    pub(super) start: i64,
    /// Offset of the next record, as far as known when this was written.
    pub(super) end: i64,
    /// Offset up to which (exclusive) compaction has passed.
    pub(super) cleaned_to: i64,
}

pub(super) fn encode_bounds(bounds: Bounds) -> Vec<u8> {
    [bounds.start, bounds.end, bounds.cleaned_to].iter().flat_map(|offset| offset.to_le_bytes()).collect()
}

pub(super) fn decode_bounds(value: &[u8]) -> Result<Bounds, StorageError> {
    let mut fields = Fields::of("the bounds of a partition", value);
    let bounds = Bounds { start: fields.i64()?, end: fields.i64()?, cleaned_to: fields.i64()? };
    fields.end()?;
    Ok(bounds)
}

pub(super) fn encode_position(position: Position) -> Vec<u8> {
    [position.offset, position.partition_time].iter().flat_map(|number| number.to_le_bytes()).collect()
}

pub(super) fn decode_position(value: &[u8]) -> Result<Position, StorageError> {
    let mut fields = Fields::of("a position", value);
    let position = Position { offset: fields.i64()?, partition_time: fields.i64()? };
    fields.end()?;
    Ok(position)
}

pub(super) fn encode_summary(summary: &ChunkSummary) -> Vec<u8> {
    let mut value = Vec::with_capacity(32);
    value.extend(summary.rows.to_le_bytes());
    value.extend(summary.bytes.to_le_bytes());
    value.extend(summary.timestamp_max.to_le_bytes());
    value.extend(summary.tombstones.to_le_bytes());
    value.extend(summary.cleaned_at_ms.to_le_bytes());
    value
}

pub(super) fn decode_summary(key: &[u8], value: &[u8]) -> Result<ChunkSummary, StorageError> {
    let mut fields = Fields::of("a chunk's summary", value);
    let summary = ChunkSummary {
        offset_last: offset_of(key)?,
        rows: fields.u32()?,
        bytes: fields.i64()? as u64,
        timestamp_max: fields.i64()?,
        tombstones: fields.u32()?,
        cleaned_at_ms: fields.i64()?,
    };
    fields.end()?;
    Ok(summary)
}

/// Little-endian fields of a value, read one after the other.
struct Fields<'a> {
    what: &'static str,
    whole: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(what: &'static str, value: &'a [u8]) -> Self {
        Self { what, whole: value, rest: value }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StorageError> {
        let (field, rest) = self.rest.split_first_chunk().ok_or_else(|| corrupt(self.what, self.whole))?;
        self.rest = rest;
        Ok(*field)
    }

    fn u32(&mut self) -> Result<u32, StorageError> {
        self.array().map(u32::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, StorageError> {
        self.array().map(i64::from_le_bytes)
    }

    fn end(self) -> Result<(), StorageError> {
        if self.rest.is_empty() { Ok(()) } else { Err(corrupt(self.what, self.whole)) }
    }
}

fn corrupt(what: &str, bytes: &[u8]) -> StorageError {
    StorageError::Corrupt(format!("{what} does not have {} bytes", bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_come_back_as_they_were() {
        let plain = TopicConfig::with_partitions(3);
        let full = TopicConfig {
            compact: true,
            retention_ms: Some(0),
            retention_bytes: Some(u64::MAX),
            ..TopicConfig::with_partitions(1)
        };
        let validated = plain.clone().with_schema_validation(false, true);
        let both = full.clone().with_schema_validation(true, true);
        for config in [plain, full, validated, both] {
            assert_eq!(decode_topic(&encode_topic(7, &config)).expect("own bytes decode"), (7, config));
        }
    }

    #[test]
    fn values_of_another_length_are_corrupt() {
        let position = encode_position(Position { offset: 1, partition_time: 2 });
        assert!(decode_position(&position[1..]).is_err());
        assert!(decode_position(&[position.as_slice(), &[0]].concat()).is_err());
        assert!(decode_topic(&[]).is_err());
        assert!(decode_bounds(&[0; 23]).is_err());
        assert!(decode_summary(b"short", &[0; 32]).is_err());
        assert!(decode_id(&[0; 5]).is_err());
    }

    #[test]
    fn keys_of_a_partition_sort_by_offset_and_stay_together() {
        let id = |topic, partition| PartitionId { topic, partition };
        assert!(id(1, 0).chunk(255) < id(1, 0).chunk(256));
        assert!(id(1, 0).chunk(i64::MAX) < id(1, 1).chunk(0));
        let ([chunks, _], _) = all_of_topic(1);
        for (key, inside) in
            [(id(1, u32::MAX).chunk(i64::MAX), true), (id(2, 0).chunk(0), false), (id(0, 9).chunk(9), false)]
        {
            assert_eq!(chunks.0 <= key && key < chunks.1, inside);
        }
        assert_eq!(offset_of(&id(1, 2).summary(77)).expect("an own key"), 77);
    }
}
