//! Topics in the store of a data directory: what a transaction appends, the positions of those who read, and the state
//! that goes with them become durable in one write.
//!
//! Offsets are given under one lock, which is held over the write: whoever sees a record sees all before it. Encoding
//! happens before, outside the lock. Where things are kept is drawn in [`layout`].

mod layout;
mod maintain;
mod partition;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::append_signal::AppendSignal;
use super::chunk_encoding::{Offsets, encode};
use super::chunk_summary::ChunkSummary;
use super::gather::Gather;
use super::partitioner::Partitioner;
use super::{PlainWriter, Position, TopicConfig, TopicError, TopicInfo, TopicPartition, Topics, Transaction, Writer};
use crate::storage::{Family, KeyValue, RocksStorage, StorageError, WriteSet};
use crate::types::RecordChunk;
use partition::Partition;

/// Appends are stored in pieces of at most this: what one fetch wants, and what a look-up has to decode.
const CHUNK_ROWS_MAX: usize = 4096;
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// Topics in a data directory.
pub struct LocalTopics {
    storage: Arc<RocksStorage>,
    topics: RwLock<HashMap<Arc<str>, Arc<Topic>>>,
    /// Held while offsets are given and written.
    appending: Mutex<()>,
    /// Held by the one thread that runs retention and compaction.
    maintaining: Mutex<()>,
    signal: AppendSignal,
    partitioner: Partitioner,
}

struct Topic {
    id: u32,
    info: TopicInfo,
    partitions: Vec<Partition>,
}

/// What one transaction appends to one partition, encoded but for its offsets.
struct Append<'a> {
    partition: &'a Partition,
    pieces: Vec<Piece>,
}

struct Piece {
    encoded: Vec<u8>,
    /// With the index of the last record in place of its offset.
    summary: ChunkSummary,
}

impl LocalTopics {
    /// Opens the topics in the data directory `dir`, which is created where it does not exist.
    pub fn open(dir: &Path) -> Result<Arc<Self>, TopicError> {
        let storage = RocksStorage::open(dir)?;
        let mut topics = HashMap::new();
        storage.visit(Family::Meta, layout::TOPICS, layout::TOPICS_END, |key, value| {
            let name = String::from_utf8_lossy(&key[layout::TOPICS.len()..]).into_owned();
            let (id, config) = layout::decode_topic(value)?;
            topics.insert(Arc::from(name.as_str()), Arc::new(Topic::new(id, name, config)));
            Ok::<_, StorageError>(true)
        })?;
        Ok(Arc::new(Self {
            storage,
            topics: RwLock::new(topics),
            appending: Mutex::default(),
            maintaining: Mutex::default(),
            signal: AppendSignal::default(),
            partitioner: Partitioner::default(),
        }))
    }

    fn topics(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Arc<Topic>>> {
        // The map changes in one step, after the store has.
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn topics_mut(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Arc<Topic>>> {
        self.topics.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn append_lock(&self) -> MutexGuard<'_, ()> {
        self.appending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn topic(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        self.topics().get(name).cloned().ok_or_else(|| unknown_topic(name))
    }

    /// Calls `read` with a partition whose bounds are known.
    fn with_partition<T>(
        &self,
        id: &TopicPartition,
        read: impl FnOnce(&Partition) -> Result<T, TopicError>,
    ) -> Result<T, TopicError> {
        let topic = self.topic(&id.topic)?;
        let partition = topic.partition(id.partition)?;
        partition.load(&self.storage)?;
        read(partition)
    }

    /// Gives offsets to `appends` and writes them with `writes`; true if there was anything to append.
    fn write(&self, appends: Vec<Append<'_>>, mut writes: WriteSet) -> Result<bool, TopicError> {
        let _in_turn = self.append_lock();
        let mut ends = Vec::with_capacity(appends.len());
        for Append { partition, pieces } in appends {
            let mut end = partition.end();
            for Piece { encoded, mut summary } in pieces {
                summary.offset_last = end + i64::from(summary.rows) - 1;
                end = summary.offset_last + 1;
                writes.put(Family::Records, partition.id.chunk(summary.offset_last), encoded);
                let value = layout::encode_summary(&summary);
                writes.put(Family::Records, partition.id.summary(summary.offset_last), value);
            }
            ends.push((partition, end));
        }
        if !writes.is_empty() {
            self.storage.write(&writes)?;
        }
        for (partition, end) in &ends {
            partition.set_end(*end);
        }
        Ok(!ends.is_empty())
    }
}

impl Topics for LocalTopics {
    fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        config.check(name)?;
        let config = config.embedded(name)?;
        let mut topics = self.topics_mut();
        if topics.contains_key(name) {
            return Err(TopicError::TopicExists { topic: name.to_owned() });
        }
        let id = self.storage.get(Family::Meta, layout::NEXT_ID)?;
        let id = id.map_or(Ok(0), |value| layout::decode_id(&value))?;
        let mut writes = WriteSet::default();
        writes.put(Family::Meta, layout::NEXT_ID.to_vec(), (id + 1).to_le_bytes().to_vec());
        writes.put(Family::Meta, layout::topic_key(name), layout::encode_topic(id, &config));
        self.storage.write(&writes)?;
        topics.insert(name.into(), Arc::new(Topic::new(id, name.to_owned(), config)));
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), TopicError> {
        let mut topics = self.topics_mut();
        let topic = topics.get(name).ok_or_else(|| unknown_topic(name))?;
        let (records, meta) = layout::all_of_topic(topic.id);
        let mut writes = WriteSet::default();
        writes.delete(Family::Meta, layout::topic_key(name));
        for (from, to) in records {
            writes.delete_range(Family::Records, from, to);
        }
        for (from, to) in meta {
            writes.delete_range(Family::Meta, from, to);
        }
        self.storage.write(&writes)?;
        topics.remove(name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<TopicInfo>, TopicError> {
        let mut infos: Vec<TopicInfo> = self.topics().values().map(|topic| topic.info.clone()).collect();
        infos.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(infos)
    }

    fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError> {
        Ok(self.topics().get(name).map(|topic| topic.info.clone()))
    }

    fn identity(&self, name: &str) -> Result<Option<String>, TopicError> {
        Ok(self.topics().get(name).map(|topic| topic.id.to_string()))
    }

    fn fetch(
        &self,
        from: &TopicPartition,
        offset: i64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<RecordChunk, TopicError> {
        self.with_partition(from, |partition| {
            if offset >= partition.end() {
                return Ok(RecordChunk::empty());
            }
            let mut gather = Gather::new(offset.max(partition.start()), rows_max, bytes_max);
            partition.gather(&self.storage, &mut gather)?;
            gather.finish()
        })
    }

    fn start_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        self.with_partition(partition, |partition| Ok(partition.start()))
    }

    fn end_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        self.with_partition(partition, |partition| Ok(partition.end()))
    }

    fn offset_for_time(&self, partition: &TopicPartition, timestamp_ms: i64) -> Result<i64, TopicError> {
        self.with_partition(partition, |partition| partition.offset_for_time(&self.storage, timestamp_ms))
    }

    fn position(&self, group: &str, partition: &TopicPartition) -> Result<Option<Position>, TopicError> {
        let topic = self.topic(&partition.topic)?;
        let key = topic.partition(partition.partition)?.id.position(group);
        let value = self.storage.get(Family::Meta, &key)?;
        Ok(value.map(|value| layout::decode_position(&value)).transpose()?)
    }

    fn commit(&self, transaction: Transaction) -> Result<(), TopicError> {
        // Held to the end: no topic of this transaction is deleted under it.
        let topics = self.topics();
        let find = |id: &TopicPartition| -> Result<&Partition, TopicError> {
            topics.get(&id.topic).ok_or_else(|| unknown_topic(&id.topic))?.partition(id.partition)
        };
        let Transaction { appends, positions, mut writes, .. } = transaction;
        for (group, id, position) in &positions {
            writes.put(Family::Meta, find(id)?.id.position(group), layout::encode_position(*position));
        }
        let mut by_partition: Vec<(&Partition, Vec<RecordChunk>)> = Vec::new();
        let mut places = HashMap::new();
        for (id, chunk) in appends {
            let partition = find(&id)?;
            partition.load(&self.storage)?;
            if chunk.is_empty() {
                continue;
            }
            let place = *places.entry(partition.id).or_insert(by_partition.len());
            if place == by_partition.len() {
                by_partition.push((partition, Vec::new()));
            }
            by_partition[place].1.push(chunk);
        }
        let encoded = |(partition, chunks): (_, Vec<_>)| Append { partition, pieces: pieces(&chunks) };
        if self.write(by_partition.into_iter().map(encoded).collect(), writes)? {
            self.signal.raise();
        }
        Ok(())
    }

    fn version(&self) -> u64 {
        self.signal.version()
    }

    /// Applies retention and compaction to every topic; returns at once while another thread is at it. Readers and
    /// writers go on meanwhile.
    fn maintain(&self, now_ms: i64) -> Result<(), TopicError> {
        let Ok(_only_one) = self.maintaining.try_lock() else { return Ok(()) };
        let topics: Vec<Arc<Topic>> = self.topics().values().cloned().collect();
        for topic in topics {
            for partition in &topic.partitions {
                maintain::partition(self, &topic, partition, now_ms)?;
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
        self.partitioner.partition_for(key, partitions)
    }

    fn storage(&self) -> Arc<dyn KeyValue> {
        Arc::clone(&self.storage) as Arc<dyn KeyValue>
    }
}

impl Topic {
    fn new(id: u32, name: String, config: TopicConfig) -> Self {
        let partitions = (0..config.partitions).map(|partition| Partition::new(id, partition)).collect();
        Self { id, info: TopicInfo::new(name, config), partitions }
    }

    fn partition(&self, partition: u32) -> Result<&Partition, TopicError> {
        self.partitions.get(partition as usize).ok_or_else(|| TopicError::UnknownPartition {
            topic: self.info.name.clone(),
            partition,
            partitions: self.info.config.partitions,
        })
    }
}

/// Cuts and joins `chunks` into pieces of a good size and encodes each.
fn pieces(chunks: &[RecordChunk]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open: Vec<RecordChunk> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for chunk in chunks {
        let mut at = 0;
        while at < chunk.len() {
            if rows == CHUNK_ROWS_MAX || bytes >= CHUNK_BYTES_MAX {
                pieces.push(Piece::of(&open));
                open.clear();
                (rows, bytes) = (0, 0);
            }
            let slice = chunk.slice(at, rows_that_fit(chunk, at, CHUNK_ROWS_MAX - rows, CHUNK_BYTES_MAX - bytes));
            at += slice.len();
            rows += slice.len();
            bytes += slice.byte_size();
            open.push(slice);
        }
    }
    if !open.is_empty() {
        pieces.push(Piece::of(&open));
    }
    pieces
}

/// How many rows of `chunk` from `at` on a piece with so much room takes; at least one, which may overfill it.
fn rows_that_fit(chunk: &RecordChunk, at: usize, rows_max: usize, bytes_max: usize) -> usize {
    let (keys, values) = (chunk.keys.value_offsets(), chunk.values.value_offsets());
    let bytes_to = |row: usize| (keys[row] - keys[at]) as usize + (values[row] - values[at]) as usize;
    let available = rows_max.min(chunk.len() - at);
    if bytes_to(at + available) <= bytes_max {
        return available;
    }
    (1..available).find(|rows| bytes_to(at + rows) >= bytes_max).unwrap_or(available)
}

impl Piece {
    fn of(chunks: &[RecordChunk]) -> Self {
        let summary = ChunkSummary::of(chunks, 0, -1);
        Self { encoded: encode(chunks, Offsets::Consecutive), summary }
    }
}

fn unknown_topic(name: &str) -> TopicError {
    TopicError::UnknownTopic { topic: name.to_owned() }
}
