//! Records of several partitions of a topic, as somebody reads them who looks: those that are there in order of time.

use std::time::Duration;

use arrow::array::Array as _;

use super::{TopicError, TopicPartition, Topics};
use crate::types::RecordChunk;

const FETCH_ROWS: usize = 1024;
const FETCH_BYTES: usize = 1 << 20;
/// How long to wait for records that are there and have not come yet.
const ON_THEIR_WAY: Duration = Duration::from_millis(10);

/// Reads partitions together. Within a partition the order is that of offsets; among the next records of all partitions, the
/// earliest comes first.
#[derive(Debug, Default)]
pub struct TimeOrder {
    cursors: Vec<Cursor>,
}

/// A record in the chunk that it came with.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    /// Partition number.
    pub partition: u32,
    /// The chunk.
    pub chunk: &'a RecordChunk,
    /// Where in the chunk.
    pub row: usize,
}

/// How far one partition was read.
#[derive(Debug)]
struct Cursor {
    partition: TopicPartition,
    offset_next: i64,
    /// Where to stop; nowhere for who follows.
    offset_end: Option<i64>,
    chunk: RecordChunk,
    row: usize,
}

impl TimeOrder {
    /// Reads `partition` too, from offset `from` up to `end`; without `end`, whatever comes.
    pub fn add(&mut self, partition: TopicPartition, from: i64, end: Option<i64>) {
        self.cursors.push(Cursor {
            partition,
            offset_next: from,
            offset_end: end,
            chunk: RecordChunk::empty(),
            row: 0,
        });
    }

    /// The next record; of equally early ones, that of the partition added first. `None` when there is none (yet). Never waits
    /// for records beyond those that are there. No more than `rows_max` are fetched at once.
    pub fn next(&mut self, topics: &dyn Topics, rows_max: usize) -> Result<Option<RecordRef<'_>>, TopicError> {
        for cursor in &mut self.cursors {
            cursor.fill(topics, rows_max)?;
        }
        let unread = self.cursors.iter_mut().filter(|cursor| cursor.row < cursor.chunk.len());
        let earliest = unread.min_by_key(|cursor| cursor.chunk.timestamps[cursor.row]);
        Ok(earliest.map(|cursor| {
            cursor.row += 1;
            RecordRef { partition: cursor.partition.partition, chunk: &cursor.chunk, row: cursor.row - 1 }
        }))
    }
}

impl Cursor {
    /// Fetches when all that was fetched is read.
    fn fill(&mut self, topics: &dyn Topics, rows_max: usize) -> Result<(), TopicError> {
        if self.row < self.chunk.len() || self.offset_end.is_some_and(|end| self.offset_next >= end) {
            return Ok(());
        }
        let chunk = loop {
            let version = topics.version();
            let chunk = topics.fetch(&self.partition, self.offset_next, rows_max.min(FETCH_ROWS), FETCH_BYTES)?;
            let follows = self.offset_end.is_none();
            if !chunk.is_empty() || follows || topics.is_drained(&self.partition, self.offset_next)? {
                break chunk;
            }
            topics.wait(version, ON_THEIR_WAY);
        };
        let end = self.offset_end.unwrap_or(i64::MAX);
        let before_end = chunk.offsets.partition_point(|&offset| offset < end);
        self.offset_next = chunk.offsets.last().map_or(self.offset_next, |last| last + 1);
        self.chunk = chunk.slice(0, before_end);
        self.row = 0;
        Ok(())
    }
}

impl<'a> RecordRef<'a> {
    /// Key bytes; `None` where the record has no key.
    pub fn key(self) -> Option<&'a [u8]> {
        self.chunk.keys.is_valid(self.row).then(|| self.chunk.keys.value(self.row))
    }

    /// Value bytes; `None` for a tombstone.
    pub fn value(self) -> Option<&'a [u8]> {
        self.chunk.values.is_valid(self.row).then(|| self.chunk.values.value(self.row))
    }

    /// Milliseconds since the epoch.
    pub fn timestamp(self) -> i64 {
        self.chunk.timestamps[self.row]
    }

    /// Offset in the partition.
    pub fn offset(self) -> i64 {
        self.chunk.offsets[self.row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics::{MemoryTopics, TopicConfig, Transaction};
    use crate::types::RecordChunkBuilder;

    fn partition(partition: u32) -> TopicPartition {
        TopicPartition { topic: "t".into(), partition }
    }

    fn append(topics: &dyn Topics, to: u32, times: &[i64]) {
        let mut records = RecordChunkBuilder::new();
        times.iter().for_each(|&time| records.push(None, Some(b"v"), time));
        let appends = vec![(partition(to), records.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("the topic is there");
    }

    fn read(reader: &mut TimeOrder, topics: &dyn Topics) -> Vec<(u32, i64)> {
        let mut read = Vec::new();
        while let Some(record) = reader.next(topics, 2).expect("the topic is there") {
            read.push((record.partition, record.timestamp()));
        }
        read
    }

    #[test]
    fn partitions_are_merged_by_time_and_keep_their_own_order() {
        let topics = MemoryTopics::new();
        topics.create("t", &TopicConfig::with_partitions(2)).expect("a new topic");
        append(&topics, 0, &[5, 3, 9]);
        append(&topics, 1, &[4, 5, 6]);
        let mut reader = TimeOrder::default();
        reader.add(partition(0), 0, None);
        reader.add(partition(1), 0, Some(2));
        assert_eq!(read(&mut reader, &topics), [(1, 4), (0, 5), (0, 3), (1, 5), (0, 9)]);
        append(&topics, 0, &[1]);
        append(&topics, 1, &[1]);
        assert_eq!(read(&mut reader, &topics), [(0, 1)], "what has an end is read up to it");
    }
}
