//! Topics in memory: for tests, benches and anything that need not outlive the process.
//!
//! Chunks are kept as they were appended and fetched as slices, without copying. One lock covers topics, positions and
//! the store beside them, so a transaction is seen as a whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::append_signal::AppendSignal;
use super::compaction::{NewestOffsets, is_due, tombstones_are_over};
use super::gather::Gather;
use super::partitioner::Partitioner;
use super::retention::expired;
use super::{
    ChunkSummary, PlainWriter, Position, TopicConfig, TopicError, TopicInfo, TopicPartition, Topics, Transaction,
    Writer,
};
use crate::storage::{KeyValue, MemoryStorage, StorageError};
use crate::types::RecordChunk;

/// Topics in memory.
#[derive(Default)]
pub struct MemoryTopics {
    state: RwLock<State>,
    storage: Arc<MemoryStorage>,
    signal: AppendSignal,
    partitioner: Partitioner,
    single_partition: bool,
}

#[derive(Default)]
struct State {
    /// How many topics there ever were.
    topics_made: u64,
    topics: BTreeMap<Arc<str>, Topic>,
    positions: HashMap<TopicPartition, HashMap<Arc<str>, Position>>,
}

struct Topic {
    id: u64,
    config: TopicConfig,
    partitions: Vec<Partition>,
}

#[derive(Default)]
struct Partition {
    chunks: Vec<RecordChunk>,
    summaries: Vec<ChunkSummary>,
    start: i64,
    end: i64,
    cleaned_to: i64,
}

impl MemoryTopics {
    /// No topics yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Topics whose records all go to partition 0, whatever their keys: the order of a whole topic is then known.
    pub fn with_single_partition() -> Self {
        Self { single_partition: true, ..Self::default() }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        // What changes the state checks everything before it starts.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn topic(&self, name: &str) -> Result<&Topic, TopicError> {
        self.topics.get(name).ok_or_else(|| TopicError::UnknownTopic { topic: name.to_owned() })
    }

    fn partition(&self, id: &TopicPartition) -> Result<&Partition, TopicError> {
        let topic = self.topic(&id.topic)?;
        topic.partitions.get(id.partition as usize).ok_or_else(|| TopicError::UnknownPartition {
            topic: id.topic.to_string(),
            partition: id.partition,
            partitions: topic.config.partitions,
        })
    }

    fn append(&mut self, id: &TopicPartition, chunk: RecordChunk) {
        let topic = self.topics.get_mut(&id.topic).expect("the transaction was checked");
        topic.partitions[id.partition as usize].append(chunk);
    }
}

impl Topics for MemoryTopics {
    fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        config.check(name)?;
        let config = config.embedded(name)?;
        let mut state = self.state_mut();
        if state.topics.contains_key(name) {
            return Err(TopicError::TopicExists { topic: name.to_owned() });
        }
        let partitions = (0..config.partitions).map(|_| Partition::default()).collect();
        let id = state.topics_made;
        state.topics_made += 1;
        state.topics.insert(name.into(), Topic { id, config, partitions });
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), TopicError> {
        let mut state = self.state_mut();
        state.topic(name)?;
        state.topics.remove(name);
        state.positions.retain(|id, _| &*id.topic != name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<TopicInfo>, TopicError> {
        let info = |(name, topic): (&Arc<str>, &Topic)| TopicInfo::new(&**name, topic.config.clone());
        Ok(self.state().topics.iter().map(info).collect())
    }

    fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError> {
        let info = |topic: &Topic| TopicInfo::new(name, topic.config.clone());
        Ok(self.state().topics.get(name).map(info))
    }

    fn identity(&self, name: &str) -> Result<Option<String>, TopicError> {
        Ok(self.state().topics.get(name).map(|topic| topic.id.to_string()))
    }

    fn fetch(
        &self,
        from: &TopicPartition,
        offset: i64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<RecordChunk, TopicError> {
        let mut gather = Gather::new(offset, rows_max, bytes_max);
        {
            let state = self.state();
            let partition = state.partition(from)?;
            let first = partition.summaries.partition_point(|summary| summary.offset_last < offset);
            for (chunk, summary) in partition.chunks.iter().zip(&partition.summaries).skip(first) {
                if !gather.wants_more() {
                    break;
                }
                gather.push(chunk.clone(), summary.offset_last);
            }
        }
        gather.finish()
    }

    fn shares_fetches(&self) -> bool {
        true
    }

    fn start_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        Ok(self.state().partition(partition)?.start)
    }

    fn end_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        Ok(self.state().partition(partition)?.end)
    }

    fn offset_for_time(&self, partition: &TopicPartition, timestamp_ms: i64) -> Result<i64, TopicError> {
        let state = self.state();
        let partition = state.partition(partition)?;
        let late_enough = |summary: &ChunkSummary| summary.timestamp_max >= timestamp_ms;
        let Some(index) = partition.summaries.iter().position(late_enough) else { return Ok(partition.end) };
        let chunk = &partition.chunks[index];
        let row = chunk.timestamps.iter().position(|&timestamp| timestamp >= timestamp_ms);
        Ok(row.map_or(partition.end, |row| chunk.offsets[row]))
    }

    fn position(&self, group: &str, partition: &TopicPartition) -> Result<Option<Position>, TopicError> {
        let state = self.state();
        state.partition(partition)?;
        Ok(state.positions.get(partition).and_then(|groups| groups.get(group)).copied())
    }

    fn commit(&self, transaction: Transaction) -> Result<(), TopicError> {
        let mut state = self.state_mut();
        for (id, _) in &transaction.appends {
            state.partition(id)?;
        }
        for (_, id, _) in &transaction.positions {
            state.partition(id)?;
        }
        if !transaction.writes.is_empty() {
            self.storage.write_owned(transaction.writes)?;
        }
        let mut appended = false;
        for (id, chunk) in transaction.appends {
            appended |= !chunk.is_empty();
            state.append(&id, chunk);
        }
        for (group, id, position) in transaction.positions {
            state.positions.entry(id).or_default().insert(group, position);
        }
        drop(state);
        if appended {
            self.signal.raise();
        }
        Ok(())
    }

    fn version(&self) -> u64 {
        self.signal.version()
    }

    fn maintain(&self, now_ms: i64) -> Result<(), TopicError> {
        for topic in self.state_mut().topics.values_mut() {
            for partition in &mut topic.partitions {
                partition.retire(expired(&partition.summaries, &topic.config, now_ms));
                if topic.config.compact && is_due(&partition.summaries, partition.cleaned_to, now_ms) {
                    partition.compact(now_ms)?;
                }
            }
        }
        Ok(())
    }

    fn writer(self: Arc<Self>, _: &str) -> Box<dyn Writer> {
        Box::new(PlainWriter(self))
    }

    fn wake(&self) {
        self.signal.raise();
    }

    fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        self.signal.wait(seen, timeout)
    }

    fn partition_for(&self, key: Option<&[u8]>, partitions: u32) -> u32 {
        if self.single_partition { 0 } else { self.partitioner.partition_for(key, partitions) }
    }

    fn storage(&self) -> Arc<dyn KeyValue> {
        Arc::clone(&self.storage) as Arc<dyn KeyValue>
    }
}

impl Partition {
    fn append(&mut self, chunk: RecordChunk) {
        if chunk.is_empty() {
            return;
        }
        let end = self.end + chunk.len() as i64;
        let chunk = RecordChunk { offsets: (self.end..end).collect(), ..chunk };
        self.summaries.push(ChunkSummary::of(std::slice::from_ref(&chunk), end - 1, -1));
        self.chunks.push(chunk);
        self.end = end;
    }

    fn retire(&mut self, count: usize) {
        let gone = self.summaries.drain(..count).next_back();
        self.chunks.drain(..count);
        self.start = gone.map_or(self.start, |last| last.offset_last + 1);
    }

    fn compact(&mut self, now_ms: i64) -> Result<(), StorageError> {
        let mut newest = NewestOffsets::default();
        let dirty = self.summaries.partition_point(|summary| summary.offset_last < self.cleaned_to);
        self.chunks[dirty..].iter().for_each(|chunk| newest.note(chunk));
        let chunks = std::mem::take(&mut self.chunks);
        for (chunk, summary) in chunks.into_iter().zip(std::mem::take(&mut self.summaries)) {
            let survivors = newest.survivors(&chunk, tombstones_are_over(&summary, now_ms), self.end - 1)?;
            let chunk = survivors.unwrap_or(chunk);
            if !chunk.is_empty() {
                let cleaned_at_ms = if summary.cleaned_at_ms < 0 { now_ms } else { summary.cleaned_at_ms };
                self.summaries.push(ChunkSummary::of(std::slice::from_ref(&chunk), summary.offset_last, cleaned_at_ms));
                self.chunks.push(chunk);
            }
        }
        self.cleaned_to = self.end;
        Ok(())
    }
}
