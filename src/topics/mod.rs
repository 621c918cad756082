//! Where records enter and leave: one trait at batch granularity.
//!
//! ```text
//!                 ┌── MemoryTopics   chunks as they came, for tests and benches
//! Topics (trait) ─┼── LocalTopics    chunks in the store of the data directory, beside state and positions
//!                 └── KafkaTopics    those of a cluster; state and positions beside them as `kafka` tells
//!
//! in memory and in the data directory:
//! append: RecordChunk ── chunk_encoding ──▶ one entry ─┐
//! positions, state ─────────────────────────────────────┴─▶ one atomic write ── AppendSignal ──▶ waiting readers
//! fetch:  entries from an offset on ── chunk_encoding ──▶ Gather (limits, small chunks joined) ──▶ RecordChunk
//! ```
//!
//! What keeps such topics small is written once for both: `retention` (what is too old or too much) and `compaction`
//! (what a newer record with the same key replaces). Both work on whole chunks and their `ChunkSummary`.

mod agreement;
mod append_signal;
mod chunk_encoding;
mod chunk_summary;
mod compaction;
mod error;
mod gather;
mod kafka;
mod local;
mod memory;
mod murmur2;
mod owner;
mod partitioner;
mod properties;
mod retention;
mod schema_validation;
mod time_order;
mod topic_config;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::storage::{KeyValue, MemoryStorage, RocksStorage, WriteSet};
use crate::types::RecordChunk;

pub use agreement::{
    Agreement, Announced, COMMANDS_LOG, Fence, Membership, PLACEMENT_LOG, Propose, SharedLog, service_topic,
};
pub use error::TopicError;
pub use kafka::KafkaTopics;
pub use local::LocalTopics;
pub use memory::MemoryTopics;
pub use murmur2::{murmur2, partition_of_key};
pub use time_order::{RecordRef, TimeOrder};
pub use topic_config::TopicConfig;

use chunk_summary::ChunkSummary;
use topic_config::RECORD_BYTES_MAX;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number, from 0.
    pub partition: u32,
}

/// A topic and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Topic name.
    pub name: String,
    /// Its settings.
    pub config: TopicConfig,
    /// Copies of each partition; empty where all have as many as the settings say.
    pub replicas: Vec<u16>,
}

impl TopicInfo {
    /// A topic all of whose partitions are as its settings say.
    pub fn new(name: impl Into<String>, config: TopicConfig) -> Self {
        Self { name: name.into(), config, replicas: Vec::new() }
    }
}

/// A group of consumers that reads a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConsumers {
    /// Topic name.
    pub topic: String,
    /// The group.
    pub group: String,
    /// How many of its members have a partition of the topic.
    pub consumers: usize,
}

/// A consumer's position in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Offset of the next record to read.
    pub offset: i64,
    /// Greatest record time read so far (partition time), -1 before the first.
    pub partition_time: i64,
}

/// Everything that one commit makes visible, atomically.
#[derive(Debug, Default)]
pub struct Transaction {
    /// Records to append, in order.
    pub appends: Vec<(TopicPartition, RecordChunk)>,
    /// Positions of consumer groups.
    pub positions: Vec<(Arc<str>, TopicPartition, Position)>,
    /// How many of the last appends go to changelogs.
    pub changelogs: usize,
    /// State and metadata that belong to these positions.
    pub writes: WriteSet,
}

impl Transaction {
    /// Adds what `other` commits. Changelogs stay last.
    pub fn extend(&mut self, mut other: Self) {
        let changelogs = other.appends.split_off(other.appends.len() - other.changelogs);
        let first = self.appends.len() - self.changelogs;
        self.appends.splice(first..first, other.appends);
        self.appends.extend(changelogs);
        self.changelogs += other.changelogs;
        self.positions.extend(other.positions);
        self.writes.extend(other.writes);
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.appends.is_empty() && self.positions.is_empty() && self.writes.is_empty()
    }
}

/// Commits what the tasks of one worker give it.
pub trait Writer: Send {
    /// Ends what an earlier writer of this name has left open. To be called before the positions are read that this one will move.
    fn prepare(&mut self) -> Result<(), TopicError> {
        Ok(())
    }

    /// From now on commits hold only as long as `fence` does.
    fn set_fence(&mut self, fence: Arc<Fence>) {
        let _ = fence;
    }

    /// Hands records over that need not wait for the commit, see [`Topics::sends_early`]. They are there for sure when the next
    /// commit has succeeded.
    fn send(&mut self, records: Vec<(TopicPartition, RecordChunk)>) -> Result<(), TopicError> {
        let _ = records;
        Ok(())
    }

    /// Applies `transaction` atomically. After an error nothing of it holds, and positions are those of the last commit that
    /// succeeded.
    fn commit(&mut self, transaction: Transaction) -> Result<(), TopicError>;
}

/// A writer for topics that commit without one.
struct PlainWriter<T>(Arc<T>);

impl<T: Topics> Writer for PlainWriter<T> {
    fn commit(&mut self, transaction: Transaction) -> Result<(), TopicError> {
        self.0.commit(transaction)
    }
}

/// The topics that `properties` choose: those of the cluster at `bootstrap.servers`, else those in the data directory `dir`. State is
/// in `dir` in either case.
pub fn open(dir: &Path, properties: &BTreeMap<String, String>) -> Result<Arc<dyn Topics>, TopicError> {
    let service = properties::property(properties, "ksql.service.id").unwrap_or("default_");
    if is_cluster(properties) {
        let storage: Arc<dyn KeyValue> = RocksStorage::open(dir)?;
        let topics = KafkaTopics::open(properties, Arc::clone(&storage))?;
        owner::claim(&*storage, dir, service, Some(topics.cluster_id()).filter(|id| !id.is_empty()))?;
        return Ok(topics);
    }
    let topics = LocalTopics::open(dir)?;
    owner::claim(&*topics.storage(), dir, service, None)?;
    Ok(topics)
}

/// As [`open`], for who has no state: a cluster's topics can be used while another process has `dir` open.
pub fn open_without_state(dir: &Path, properties: &BTreeMap<String, String>) -> Result<Arc<dyn Topics>, TopicError> {
    if is_cluster(properties) {
        return Ok(KafkaTopics::open(properties, Arc::new(MemoryStorage::default()))?);
    }
    Ok(LocalTopics::open(dir)?)
}

/// Whether `properties` name a cluster: topics are not embedded then.
pub fn is_cluster(properties: &BTreeMap<String, String>) -> bool {
    properties::property(properties, "bootstrap.servers").is_some()
}

/// Topics of one cluster, real or embedded. Shared by all threads.
pub trait Topics: Send + Sync {
    /// Creates a topic.
    fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError>;

    /// Creates a topic unless there is one of that name, however it is made.
    fn ensure(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        if self.describe(name)?.is_some() {
            return Ok(());
        }
        match self.create(name, config) {
            // Another server was faster.
            Ok(()) | Err(TopicError::TopicExists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes a topic with its records and the positions of all groups in it.
    fn delete(&self, name: &str) -> Result<(), TopicError>;

    /// Id of the cluster that has them.
    fn cluster_id(&self) -> String {
        "embedded".to_owned()
    }

    /// All topics, ordered by name.
    fn list(&self) -> Result<Vec<TopicInfo>, TopicError>;

    /// One topic, if it exists.
    fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError>;

    /// Tells a topic from an earlier or later one of the same name; `None` where it does not exist, or nobody knows.
    fn identity(&self, name: &str) -> Result<Option<String>, TopicError> {
        let _ = name;
        Ok(None)
    }

    /// Removes what the cluster keeps of a consumer group that is no more, its positions among it.
    fn forget_group(&self, group: &str) -> Result<(), TopicError> {
        let _ = group;
        Ok(())
    }

    /// Records from `offset` on (or from the first that is kept), until `rows_max` or about `bytes_max` is reached.
    /// Empty at the end of the partition; never waits. [`TopicError::Truncated`] where a cluster has lost records that
    /// were there: the partition ends before `offset`.
    fn fetch(
        &self,
        from: &TopicPartition,
        offset: i64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<RecordChunk, TopicError>;

    /// Offset of the first record that is kept. Retention moves it; compaction leaves gaps behind it.
    fn start_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError>;

    /// Offset that the next record will get.
    fn end_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError>;

    /// Offset of the first record whose time is at least `timestamp_ms`, or the end offset.
    fn offset_for_time(&self, partition: &TopicPartition, timestamp_ms: i64) -> Result<i64, TopicError>;

    /// Position that `group` committed last in `partition`.
    fn position(&self, group: &str, partition: &TopicPartition) -> Result<Option<Position>, TopicError>;

    /// First kept and next offset of each of `partitions`, for somebody who looks: `None` for one that is not there. Gives up
    /// after `timeout`.
    fn ranges(&self, partitions: &[TopicPartition], timeout: Duration) -> Result<Vec<Option<(i64, i64)>>, TopicError> {
        let _ = timeout;
        let range = |partition| match (self.start_offset(partition), self.end_offset(partition)) {
            (Ok(start), Ok(end)) => Ok(Some((start, end))),
            (Err(TopicError::UnknownTopic { .. } | TopicError::UnknownPartition { .. }), _) => Ok(None),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        partitions.iter().map(range).collect()
    }

    /// What `group` has committed in each of `partitions`, for somebody who looks: a transaction that is open does not count.
    /// Gives up after `timeout`.
    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<Option<i64>>, TopicError> {
        let _ = timeout;
        let offset = |partition| Ok(self.position(group, partition)?.map(|position| position.offset));
        partitions.iter().map(offset).collect()
    }

    /// Groups of consumers beside the queries of this service, for somebody who looks, by the topics that they read. Gives up after
    /// `timeout`.
    fn consumers(&self, timeout: Duration) -> Result<Vec<TopicConsumers>, TopicError> {
        let _ = timeout;
        Ok(Vec::new())
    }

    /// Applies `transaction` atomically, then wakes those who wait for records.
    fn commit(&self, transaction: Transaction) -> Result<(), TopicError>;

    /// What a worker commits with; `name` tells the workers of a service apart.
    fn writer(self: Arc<Self>, name: &str) -> Box<dyn Writer>;

    /// Whether there is a record at `offset` or after, as far as is known.
    fn has_more(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        Ok(self.end_offset(partition)? > offset)
    }

    /// Whether every record before the end that the partition has at this moment was fetched, and none is at `offset` or
    /// after. May ask the cluster, where [`Topics::has_more`] only knows what has come.
    fn is_drained(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        Ok(!self.has_more(partition, offset)?)
    }

    /// Whether every record of the partition before `end` was fetched, and none of them is at `offset` or after.
    fn has_reached(&self, partition: &TopicPartition, offset: i64, end: i64) -> Result<bool, TopicError> {
        let _ = partition;
        Ok(offset >= end)
    }

    /// `offset`, or a later one, if there is certainly no record in between: the marks of transactions have offsets too.
    fn without_marks(&self, partition: &TopicPartition, offset: i64) -> i64 {
        let _ = partition;
        offset
    }

    /// The end of the partition as far as is known without asking anybody.
    fn known_end(&self, partition: &TopicPartition) -> Result<Option<i64>, TopicError> {
        self.end_offset(partition).map(Some)
    }

    /// Whether a commit is dear, and worth waiting for the commit interval.
    fn commits_at_intervals(&self) -> bool {
        false
    }

    /// Whether results may be seen before they are committed, and so should be, at once.
    fn sends_early(&self) -> bool {
        false
    }

    /// Whether readers at one place of a partition get the same memory from [`Topics::fetch`], as a rule.
    fn shares_fetches(&self) -> bool {
        false
    }

    /// Whether state goes to changelog topics too, because the local store may be lost or fall behind.
    fn keeps_changelogs(&self) -> bool {
        false
    }

    /// Where the state in the local store stands: offset of the first record of `changelog` that it does not have.
    fn restored_to(&self, changelog: &TopicPartition) -> Result<Option<i64>, TopicError> {
        let _ = changelog;
        Ok(None)
    }

    /// Adds to `writes` that with them the state in the local store stands at `offset` of `changelog`.
    fn note_restored(&self, changelog: &TopicPartition, offset: i64, writes: &mut WriteSet) {
        let _ = (changelog, offset, writes);
    }

    /// Adds to `writes` that with them the local store has nothing of `changelog`.
    fn forget_restored(&self, changelog: &TopicPartition, writes: &mut WriteSet) {
        let _ = (changelog, writes);
    }

    /// As [`Topics::forget_restored`], for all changelogs of `group`.
    fn forget_changelogs(&self, group: &str, writes: &mut WriteSet) {
        let _ = (group, writes);
    }

    /// Joins the servers of the service, with `workers` writers `worker-0`, `worker-1` …; `None` where there is only one server. `hold` is called
    /// before the servers agree anew: what is not committed when it returns may be refused.
    fn join(
        self: Arc<Self>,
        workers: usize,
        hold: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Option<Box<dyn Membership>>, TopicError> {
        let _ = (workers, hold);
        Ok(None)
    }

    /// The log `name` of the servers of the service; `None` where there is one server only.
    fn shared_log(self: Arc<Self>, name: &str) -> Result<Option<Box<dyn SharedLog>>, TopicError> {
        let _ = name;
        Ok(None)
    }

    /// Whether the local store has all the state that `group` has committed by reading `inputs`.
    fn holds_all(&self, group: &str, inputs: &[TopicPartition]) -> Result<bool, TopicError> {
        let _ = (group, inputs);
        Ok(true)
    }

    /// Removes records beyond their topics' retention as of `now_ms`, where nobody else does. Cheap where there is nothing to do.
    fn maintain(&self, now_ms: i64) -> Result<(), TopicError> {
        let _ = now_ms;
        Ok(())
    }

    /// A number that grows with every commit that appends records, and with every [`Topics::wake`].
    fn version(&self) -> u64;

    /// Ends the waits of all, as an append does.
    fn wake(&self);

    /// Waits until [`Topics::version`] differs from `seen` or `timeout` has passed, and returns it.
    fn wait(&self, seen: u64, timeout: Duration) -> u64;

    /// The partition of a topic with `partitions` partitions to which a record with `key` goes: Java's murmur2 for a
    /// key, rotating for none.
    fn partition_for(&self, key: Option<&[u8]>, partitions: u32) -> u32;

    /// The store in which state and metadata live beside the topics.
    fn storage(&self) -> Arc<dyn KeyValue>;
}
