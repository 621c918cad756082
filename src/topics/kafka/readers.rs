//! Records in: who reads a partition at the same place shares one fetch.
//!
//! A consumer of librdkafka has one position per partition, readers have many. The readers at the head of a partition share
//! a *cursor* and the chunks that it fetched last; a reader that is elsewhere, say a new query that starts at the
//! beginning, gets a cursor of its own in another consumer (a *lane*), until it has caught up. Nothing here knows readers:
//! a cursor is found by partition, thread and offset, and goes when nobody has asked for a while.
//!
//! Each thread has its own cursors. The tasks of one worker take a chunk each in turn, and so stay together; those of
//! two workers do not, since each waits for its own commits.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::ThreadId;
use std::time::Duration;

use arrow::array::{Array as _, BinaryArray};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::cluster_error;
use super::deadline::Deadline;
use super::lock;
use super::partition_queue::{PartitionQueue, Taken};
use super::refusal::{Caller, Needs};
use crate::topics::append_signal::AppendSignal;
use crate::topics::{TopicError, TopicPartition};
use crate::types::{RecordChunk, RecordChunkBuilder};

/// Bytes that a cursor keeps for readers a little behind.
const WINDOW_BYTES: usize = 4 << 20;
/// A cursor that nobody has used for this long goes.
const UNUSED_MAX: Duration = Duration::from_secs(30);
/// How long the question after a partition's offsets may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// All cursors.
pub(super) struct Readers {
    config: ClientConfig,
    caller: Caller,
    arrived: Arc<AppendSignal>,
    lanes: Mutex<Vec<Arc<BaseConsumer>>>,
    partitions: Mutex<HashMap<TopicPartition, Arc<Mutex<Vec<Cursor>>>>>,
}

/// A place in a partition that moves on as records are fetched.
struct Cursor {
    owner: ThreadId,
    lane: usize,
    queue: PartitionQueue,
    /// The chunks fetched last, in order, and their size.
    window: VecDeque<RecordChunk>,
    window_bytes: usize,
    /// All offsets from here to `next` are in the window, or do not exist.
    first: i64,
    /// Offset of the next record that is not fetched.
    next: i64,
    /// The end of the partition was reached and nothing has come since.
    at_end: bool,
    failure: Option<Code>,
    /// Without another use until then it goes.
    unused: Deadline,
}

impl Readers {
    /// Readers whose consumers have the settings of `config`. `arrived` is raised when there is something to read.
    pub(super) fn new(config: ClientConfig, arrived: Arc<AppendSignal>) -> Self {
        Self { caller: Caller::of(&config), config, arrived, lanes: Mutex::default(), partitions: Mutex::default() }
    }

    /// Records of `from` at `offset` and after; empty when none is here yet.
    pub(super) fn fetch(
        &self,
        from: &TopicPartition,
        offset: i64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<RecordChunk, TopicError> {
        let cursors = self.cursors(from);
        let mut cursors = lock(&cursors);
        let cursor = self.cursor_at(&mut cursors, from, offset)?;
        if let Some(chunk) = cursor.kept(offset, rows_max) {
            return Ok(chunk);
        }
        let chunk = cursor.take(offset, rows_max, bytes_max);
        match cursor.failure.take() {
            Some(code) if chunk.is_empty() => self.failed(cursors, from, offset, code),
            _ => Ok(chunk),
        }
    }

    /// What follows from a failure to read at `offset`: records that are gone are left out, everything else is an error.
    fn failed(
        &self,
        mut cursors: MutexGuard<'_, Vec<Cursor>>,
        from: &TopicPartition,
        offset: i64,
        code: Code,
    ) -> Result<RecordChunk, TopicError> {
        let TopicPartition { topic, partition } = from;
        match code {
            Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation => {}
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicId => {
                self.close(&mut cursors, from, offset);
                return Err(TopicError::UnknownTopic { topic: topic.to_string() });
            }
            code => {
                let needs = Needs::topic("Read", topic);
                return Err(self.caller.failed(&format!("cannot read topic {topic}"), needs, code));
            }
        }
        let Some((next, lane)) = self.close(&mut cursors, from, offset) else { return Ok(RecordChunk::empty()) };
        let (start, end) = self
            .lane(lane)?
            .fetch_watermarks(topic, *partition as i32, TIMEOUT)
            .map_err(|error| cluster_error(&format!("cannot read the offsets of topic {topic}"), error))?;
        if next > end {
            return Err(TopicError::Truncated { topic: topic.to_string(), partition: *partition, offset: next, end });
        }
        let mut cursor = self.open(from, next.max(start), lane)?;
        if next < start {
            let gone = start - next;
            tracing::warn!(
                "topic {topic} partition {partition}: {gone} offsets from {next} on are gone, they were deleted before they \
                 were read; going on at {start}"
            );
            // Nothing will ever be between the two.
            cursor.first = offset.min(next);
        }
        cursors.push(cursor);
        Ok(RecordChunk::empty())
    }

    /// Lets go of this thread's cursor at `offset`; returns its next offset and its lane.
    fn close(&self, cursors: &mut Vec<Cursor>, from: &TopicPartition, offset: i64) -> Option<(i64, usize)> {
        let index = cursors.iter().position(|cursor| cursor.is_mine() && cursor.covers(offset))?;
        let cursor = cursors.remove(index);
        self.unassign(from, cursor.lane);
        Some((cursor.next, cursor.lane))
    }

    /// Whether there is a record at `offset` or after, as far as is known: a cursor that has not seen the end says yes.
    pub(super) fn has_more(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        let cursors = self.cursors(partition);
        let mut cursors = lock(&cursors);
        let cursor = self.cursor_at(&mut cursors, partition, offset)?;
        if cursor.window.back().and_then(|chunk| chunk.offsets.last()).is_some_and(|last| *last >= offset) {
            return Ok(true);
        }
        if !cursor.at_end || cursor.queue.len() > 0 {
            // What has come may be the end again: look. A failure is for who fetches.
            let chunk = cursor.take(offset, 1024, WINDOW_BYTES);
            return Ok(!chunk.is_empty() || !cursor.at_end || cursor.failure.is_some());
        }
        Ok(false)
    }

    /// Whether everything before `end` was fetched, and nothing of it is at `offset` or after. Whoever asks need not be a reader.
    pub(super) fn has_reached(&self, partition: &TopicPartition, offset: i64, end: i64) -> bool {
        self.without_marks(partition, offset) >= end
    }

    /// `offset`, or the place up to which a reader there has been if there was no record.
    pub(super) fn without_marks(&self, partition: &TopicPartition, offset: i64) -> i64 {
        let cursors = self.cursors(partition);
        let cursors = lock(&cursors);
        let is_behind_all = |cursor: &&Cursor| {
            let last = cursor.window.back().and_then(|chunk| chunk.offsets.last());
            cursor.covers(offset) && last.is_none_or(|last| *last < offset)
        };
        cursors.iter().filter(is_behind_all).map(|cursor| cursor.next).max().unwrap_or(offset)
    }

    /// The end of the partition as the consumer saw it last; `None` before it has read anything.
    pub(super) fn known_end(&self, partition: &TopicPartition) -> Option<i64> {
        let cursors = self.cursors(partition);
        lock(&cursors).first().and_then(|cursor| cursor.queue.known_end())
    }

    fn cursors(&self, partition: &TopicPartition) -> Arc<Mutex<Vec<Cursor>>> {
        let mut partitions = lock(&self.partitions);
        if let Some(cursors) = partitions.get(partition) {
            return Arc::clone(cursors);
        }
        Arc::clone(partitions.entry(partition.clone()).or_default())
    }

    /// The cursor whose window reaches `offset`, made where there is none.
    fn cursor_at<'a>(
        &self,
        cursors: &'a mut Vec<Cursor>,
        partition: &TopicPartition,
        offset: i64,
    ) -> Result<&'a mut Cursor, TopicError> {
        let index = match cursors.iter().position(|cursor| cursor.is_mine() && cursor.covers(offset)) {
            Some(index) => index,
            None => {
                self.drop_unused(cursors, partition);
                let lane =
                    (0..=cursors.len()).find(|lane| cursors.iter().all(|cursor| cursor.lane != *lane)).unwrap_or(0);
                cursors.push(self.open(partition, offset, lane)?);
                cursors.len() - 1
            }
        };
        let cursor = &mut cursors[index];
        cursor.unused = Deadline::after(UNUSED_MAX);
        Ok(cursor)
    }

    fn open(&self, partition: &TopicPartition, offset: i64, lane: usize) -> Result<Cursor, TopicError> {
        let consumer = self.lane(lane)?;
        let queue = PartitionQueue::new(&consumer, &partition.topic, partition.partition, Arc::clone(&self.arrived));
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.topic, partition.partition as i32, Offset::Offset(offset))
            .and_then(|()| consumer.incremental_assign(&list))
            .map_err(|error| cluster_error(&format!("cannot read topic {}", partition.topic), error))?;
        Ok(Cursor {
            owner: std::thread::current().id(),
            lane,
            queue,
            window: VecDeque::new(),
            window_bytes: 0,
            first: offset,
            next: offset,
            at_end: false,
            failure: None,
            unused: Deadline::after(UNUSED_MAX),
        })
    }

    fn lane(&self, index: usize) -> Result<Arc<BaseConsumer>, TopicError> {
        let mut lanes = lock(&self.lanes);
        while lanes.len() <= index {
            let consumer: BaseConsumer =
                self.config.create().map_err(|error| cluster_error("cannot make a consumer", error))?;
            lanes.push(Arc::new(consumer));
        }
        Ok(Arc::clone(&lanes[index]))
    }

    fn drop_unused(&self, cursors: &mut Vec<Cursor>, partition: &TopicPartition) {
        cursors.retain(|cursor| {
            let used = !cursor.unused.is_over();
            if !used {
                self.unassign(partition, cursor.lane);
            }
            used
        });
    }

    fn unassign(&self, partition: &TopicPartition, lane: usize) {
        let mut list = TopicPartitionList::new();
        list.add_partition(&partition.topic, partition.partition as i32);
        if let Some(consumer) = lock(&self.lanes).get(lane)
            && let Err(error) = consumer.incremental_unassign(&list)
        {
            tracing::warn!("topic {} could not be let go: {error}", partition.topic);
        }
    }

    /// Serves the consumers' own events, and lets go of what nobody reads any more.
    pub(super) fn maintain(&self) {
        let lanes = lock(&self.lanes).clone();
        for lane in lanes {
            while let Some(event) = lane.poll(Duration::ZERO) {
                if let Err(error) = event {
                    tracing::warn!("Kafka consumer: {error}");
                }
            }
        }
        let partitions: Vec<_> = lock(&self.partitions)
            .iter()
            .map(|(partition, cursors)| (partition.clone(), Arc::clone(cursors)))
            .collect();
        for (partition, cursors) in partitions {
            self.drop_unused(&mut lock(&cursors), &partition);
        }
    }

    /// Lets go of all partitions of `topic`, which is no more.
    pub(super) fn forget(&self, topic: &str) {
        let mut partitions = lock(&self.partitions);
        let gone: Vec<TopicPartition> =
            partitions.keys().filter(|partition| *partition.topic == *topic).cloned().collect();
        for partition in gone {
            if let Some(cursors) = partitions.remove(&partition) {
                for cursor in lock(&cursors).drain(..) {
                    self.unassign(&partition, cursor.lane);
                }
            }
        }
    }
}

impl Cursor {
    /// Whether this thread reads by it.
    fn is_mine(&self) -> bool {
        self.owner == std::thread::current().id()
    }

    fn covers(&self, offset: i64) -> bool {
        (self.first..=self.next).contains(&offset)
    }

    /// Records that were fetched before.
    fn kept(&self, offset: i64, rows_max: usize) -> Option<RecordChunk> {
        let index = self.window.partition_point(|chunk| chunk.offsets.last().is_some_and(|last| *last < offset));
        let chunk = self.window.get(index)?;
        let start = chunk.offsets.partition_point(|known| *known < offset);
        Some(chunk.slice(start, (chunk.len() - start).min(rows_max)))
    }

    /// Fetches what has come since, and keeps it for others.
    fn take(&mut self, offset: i64, rows_max: usize, bytes_max: usize) -> RecordChunk {
        let mut builder = self.builder(rows_max, bytes_max);
        let taken = self.queue.take(self.next, rows_max, bytes_max, &mut builder);
        let chunk = builder.finish();
        if let Some(last) = chunk.offsets.last() {
            self.next = last + 1;
            self.at_end = false;
            self.keep(chunk.clone());
        }
        match taken {
            Taken::Records => {}
            Taken::End(end) => {
                self.next = self.next.max(end);
                self.at_end = true;
            }
            Taken::Failed(error) => self.failure = Some(error),
        }
        let start = chunk.offsets.partition_point(|known| *known < offset);
        chunk.slice(start, chunk.len() - start)
    }

    /// A builder with room for what has come, if it is like the last chunk.
    fn builder(&self, rows_max: usize, bytes_max: usize) -> RecordChunkBuilder {
        let rows = self.queue.len().min(rows_max);
        let Some(last) = self.window.back().filter(|last| !last.is_empty()) else { return RecordChunkBuilder::new() };
        let span = |array: &BinaryArray| (array.value_offsets()[array.len()] - array.value_offsets()[0]) as usize;
        // An eighth more: a little short would be grown to twice the size.
        let room = |array: &BinaryArray| (span(array) * rows / last.len() * 9 / 8).min(bytes_max);
        RecordChunkBuilder::with_capacity(rows, room(&last.keys), room(&last.values))
    }

    fn keep(&mut self, chunk: RecordChunk) {
        self.window_bytes += chunk.byte_size();
        self.window.push_back(chunk);
        while self.window.len() > 1 && self.window_bytes > WINDOW_BYTES {
            if let Some(oldest) = self.window.pop_front() {
                self.window_bytes -= oldest.byte_size();
                self.first = oldest.offsets.last().map_or(self.first, |last| last + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_how_far_a_reader_has_come_opens_none() {
        let readers = Readers::new(ClientConfig::new(), Arc::default());
        let partition = TopicPartition { topic: "orders".into(), partition: 0 };
        assert!(!readers.has_reached(&partition, 3, 5));
        assert_eq!(readers.without_marks(&partition, 3), 3);
        assert_eq!(readers.known_end(&partition), None);
        assert_eq!(lock(&readers.lanes).len(), 0, "a consumer has threads and buffers of its own");
    }

    #[test]
    fn a_reader_that_fails_lets_go_of_its_own_cursor() {
        let mut config = ClientConfig::new();
        // Nobody answers there, and nobody is asked.
        config.set("bootstrap.servers", "127.0.0.1:9").set("group.id", "spec");
        let readers = Readers::new(config, Arc::default());
        let partition = TopicPartition { topic: "orders".into(), partition: 0 };
        let open = |lane| readers.open(&partition, 0, lane).expect("a partition is assigned without a broker");
        let other = std::thread::scope(|scope| scope.spawn(|| open(0)).join().expect("it opens"));
        let mut cursors = vec![other, open(1)];
        assert_eq!(readers.close(&mut cursors, &partition, 0), Some((0, 1)));
        assert!(cursors.len() == 1 && !cursors[0].is_mine(), "the other thread reads on");
        assert_eq!(readers.close(&mut cursors, &partition, 0), None);
    }
}
