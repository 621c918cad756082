//! Retention and compaction of local topics, chunk by chunk: each step is one atomic write, and a reader between two
//! steps sees records that are about to go, never a hole.

use std::sync::Arc;

use super::layout::{self, Bounds};
use super::partition::Partition;
use super::{CHUNK_BYTES_MAX, CHUNK_ROWS_MAX, LocalTopics, Topic};
use crate::storage::{Family, KeyValue, WriteSet};
use crate::topics::chunk_encoding::{Offsets, encode};
use crate::topics::compaction::{NewestOffsets, is_due, tombstones_are_over};
use crate::topics::retention::expired;
use crate::topics::{ChunkSummary, TopicError};
use crate::types::RecordChunk;

/// Survivors of chunks with fewer rows are joined with those of their neighbours.
const SMALL_CHUNK_ROWS: usize = 1024;

/// Applies retention, then compaction, to `partition` of `topic`.
pub(super) fn partition(
    topics: &LocalTopics,
    topic: &Arc<Topic>,
    partition: &Partition,
    now_ms: i64,
) -> Result<(), TopicError> {
    let config = &topic.info.config;
    if !config.compact && config.retention_ms.is_none() && config.retention_bytes.is_none() {
        return Ok(());
    }
    partition.load(&topics.storage)?;
    let pass = Pass { topics, topic, partition, now_ms };
    let summaries = partition.summaries(&topics.storage)?;
    let (gone, kept) = summaries.split_at(expired(&summaries, config, now_ms));
    pass.retire(gone)?;
    if config.compact && is_due(kept, partition.cleaned_to(), now_ms) {
        pass.compact(kept)?;
    }
    Ok(())
}

struct Pass<'a> {
    topics: &'a LocalTopics,
    topic: &'a Arc<Topic>,
    partition: &'a Partition,
    now_ms: i64,
}

/// Survivors of neighbouring chunks, to be stored in their place as one.
#[derive(Default)]
struct Group {
    sources: Vec<i64>,
    chunks: Vec<RecordChunk>,
    rows: usize,
    bytes: usize,
    cleaned_at_ms: i64,
    changed: bool,
}

impl Pass<'_> {
    fn retire(&self, gone: &[ChunkSummary]) -> Result<(), TopicError> {
        let Some(last) = gone.last() else { return Ok(()) };
        let mut writes = WriteSet::default();
        for summary in gone {
            self.delete(&mut writes, summary.offset_last);
        }
        let start = last.offset_last + 1;
        let bounds = Bounds { start, end: self.partition.end(), cleaned_to: self.partition.cleaned_to() };
        self.write_bounds(writes, bounds)
    }

    fn compact(&self, summaries: &[ChunkSummary]) -> Result<(), TopicError> {
        let cleaned_to = self.partition.cleaned_to();
        let mut newest = NewestOffsets::default();
        let mut seen = summaries.partition_point(|summary| summary.offset_last < cleaned_to);
        while seen < summaries.len() && !newest.is_full() {
            if let Some(chunk) = self.partition.chunk(&self.topics.storage, summaries[seen].offset_last)? {
                newest.note(&chunk);
            }
            seen += 1;
        }
        let Some(last) = summaries[..seen].last() else { return Ok(()) };
        let mut group = Group::default();
        for summary in &summaries[..seen] {
            group = self.rewrite(group, summary, &newest)?;
        }
        self.store(&group)?;
        let start = self.partition.start();
        let bounds = Bounds { start, end: self.partition.end(), cleaned_to: cleaned_to.max(last.offset_last + 1) };
        self.write_bounds(WriteSet::default(), bounds)
    }

    /// Adds the survivors of one chunk to `group`, storing it when it is full.
    fn rewrite(&self, group: Group, summary: &ChunkSummary, newest: &NewestOffsets) -> Result<Group, TopicError> {
        let Some(chunk) = self.partition.chunk(&self.topics.storage, summary.offset_last)? else { return Ok(group) };
        let drop_tombstones = tombstones_are_over(summary, self.now_ms);
        let survivors = newest.survivors(&chunk, drop_tombstones, self.partition.end() - 1)?;
        let changed = survivors.is_some() || (summary.cleaned_at_ms < 0 && summary.tombstones > 0);
        let chunk = survivors.unwrap_or(chunk);
        if !changed && chunk.len() >= SMALL_CHUNK_ROWS {
            self.store(&group)?;
            return Ok(Group::default());
        }
        let mut group = if group.has_room_for(&chunk) {
            group
        } else {
            self.store(&group)?;
            Group::default()
        };
        group.add(chunk, summary, changed, self.now_ms);
        Ok(group)
    }

    fn store(&self, group: &Group) -> Result<(), TopicError> {
        let Some((&offset_last, others)) = group.sources.split_last() else { return Ok(()) };
        if !group.changed && others.is_empty() {
            return Ok(());
        }
        let mut writes = WriteSet::default();
        for &other in others {
            self.delete(&mut writes, other);
        }
        if group.rows == 0 {
            self.delete(&mut writes, offset_last);
        } else {
            let id = self.partition.id;
            let summary = ChunkSummary::of(&group.chunks, offset_last, group.cleaned_at_ms);
            let encoded = encode(&group.chunks, Offsets::UpTo(offset_last));
            writes.put(Family::Records, id.chunk(offset_last), encoded);
            writes.put(Family::Records, id.summary(offset_last), layout::encode_summary(&summary));
        }
        self.write(&writes)?;
        Ok(())
    }

    fn delete(&self, writes: &mut WriteSet, offset_last: i64) {
        writes.delete(Family::Records, self.partition.id.chunk(offset_last));
        writes.delete(Family::Records, self.partition.id.summary(offset_last));
    }

    fn write_bounds(&self, mut writes: WriteSet, bounds: Bounds) -> Result<(), TopicError> {
        writes.put(Family::Meta, self.partition.id.bounds(), layout::encode_bounds(bounds));
        if self.write(&writes)? {
            self.partition.set_bounds(bounds);
        }
        Ok(())
    }

    /// Writes unless the topic was deleted meanwhile; nothing must come back of it.
    fn write(&self, writes: &WriteSet) -> Result<bool, TopicError> {
        let topics = self.topics.topics();
        let alive = topics.get(self.topic.info.name.as_str()).is_some_and(|found| Arc::ptr_eq(found, self.topic));
        if alive {
            self.topics.storage.write(writes)?;
        }
        Ok(alive)
    }
}

impl Group {
    fn has_room_for(&self, chunk: &RecordChunk) -> bool {
        self.sources.is_empty()
            || (self.rows + chunk.len() <= CHUNK_ROWS_MAX && self.bytes + chunk.byte_size() <= CHUNK_BYTES_MAX)
    }

    fn add(&mut self, chunk: RecordChunk, summary: &ChunkSummary, changed: bool, now_ms: i64) {
        let cleaned_at_ms = if summary.cleaned_at_ms < 0 { now_ms } else { summary.cleaned_at_ms };
        // Tombstones of a joined chunk stay until the youngest of its parts has served its time.
        self.cleaned_at_ms = self.cleaned_at_ms.max(cleaned_at_ms);
        self.sources.push(summary.offset_last);
        self.rows += chunk.len();
        self.bytes += chunk.byte_size();
        self.changed |= changed;
        self.chunks.push(chunk);
    }
}
