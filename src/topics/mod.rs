//! Where records enter and leave: one trait at batch granularity.
//!
//! ```text
//!                 ┌── MemoryTopics   chunks as they came, for tests and benches
//! Topics (trait) ─┤
//!                 └── LocalTopics    chunks in the store of the data directory, beside state and positions
//!
//! append: RecordChunk ── chunk_encoding ──▶ one entry ─┐
//! positions, state ─────────────────────────────────────┴─▶ one atomic write ── AppendSignal ──▶ waiting readers
//! fetch:  entries from an offset on ── chunk_encoding ──▶ Gather (limits, small chunks joined) ──▶ RecordChunk
//! ```
//!
//! What keeps topics small is written once for both: `retention` (what is too old or too much) and `compaction`
//! (what a newer record with the same key replaces). Both work on whole chunks and their `ChunkSummary`.

mod append_signal;
mod chunk_encoding;
mod chunk_summary;
mod compaction;
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

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::storage::{KeyValue, MemoryStorage, RocksStorage, StorageError, WriteSet};
use crate::types::RecordChunk;

pub use kafka::KafkaTopics;
pub use local::LocalTopics;
pub use memory::MemoryTopics;
pub use murmur2::{murmur2, partition_of_key};
pub use time_order::{RecordRef, TimeOrder};

use chunk_summary::ChunkSummary;

/// Name of the log of the statements that the servers of a service share.
pub const COMMANDS_LOG: &str = "commands";
/// Name of the log by which the servers of a service agree who runs what, and tell each other whom to believe.
pub const PLACEMENT_LOG: &str = "placement";

/// The topic of the log `name` that the servers of `service` keep for themselves.
pub fn service_topic(service: &str, name: &str) -> String {
    format!("_confluent-ksql-{service}levada-{name}")
}

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number, from 0.
    pub partition: u32,
}

/// How a topic is laid out and what happens to old records.
///
/// Embedded topics keep what is said of partitions, cleanup, retention and registered schemas; the rest is for a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfig {
    /// Number of partitions, at least 1.
    pub partitions: u32,
    /// Keep only the newest record per key (`cleanup.policy=compact`).
    pub compact: bool,
    /// Delete records older than this (`retention.ms`); `None` keeps them. With `compact`: `compact,delete`.
    pub retention_ms: Option<i64>,
    /// Delete the oldest chunks beyond this size of a partition (`retention.bytes`).
    pub retention_bytes: Option<u64>,
    /// Copies of each partition; `None`: as many as the cluster makes by default.
    pub replicas: Option<u16>,
    /// Where `retention_ms` says nothing, the cluster's own default holds instead of keeping all.
    pub default_retention: bool,
    /// A query keeps the topic for itself: what the server's properties say of internal topics holds.
    pub internal: bool,
    /// Further settings by Kafka's names.
    pub settings: BTreeMap<String, String>,
}

impl TopicConfig {
    /// Settings of a topic that keeps everything.
    pub fn with_partitions(partitions: u32) -> Self {
        Self {
            partitions,
            compact: false,
            retention_ms: None,
            retention_bytes: None,
            replicas: None,
            default_retention: false,
            internal: false,
            settings: BTreeMap::new(),
        }
    }

    /// Settings of a topic by which rows go from one part of a query to the next: all is kept until it was read.
    pub fn repartition(partitions: u32) -> Self {
        const SEGMENT_BYTES: u32 = 50 << 20;
        let mut config = Self { internal: true, ..Self::with_partitions(partitions) };
        config.settings.insert("segment.bytes".to_owned(), SEGMENT_BYTES.to_string());
        config.settings.insert("message.timestamp.type".to_owned(), "CreateTime".to_owned());
        config
    }

    /// Settings of the changelog of a store that keeps windows for `retention_ms`, or other rows for ever. A row may be as
    /// large as it is.
    pub fn changelog(partitions: u32, retention_ms: Option<i64>) -> Self {
        let mut config = Self { compact: true, retention_ms, internal: true, ..Self::with_partitions(partitions) };
        config.settings.insert(RECORD_BYTES_MAX.to_owned(), LARGE_RECORD_BYTES.to_string());
        config.settings.insert("message.timestamp.type".to_owned(), "CreateTime".to_owned());
        config
    }

    /// Settings of a topic for records of other topics, whatever they hold.
    pub fn dead_letters() -> Self {
        let mut config = Self::with_partitions(1);
        config.settings.insert(RECORD_BYTES_MAX.to_owned(), LARGE_RECORD_BYTES.to_string());
        config
    }

    /// How large a record may be, key and value and headers together; `None`: as large as it is.
    pub fn record_bytes_max(&self) -> Option<usize> {
        /// What a batch adds to its one record, at most.
        const ENVELOPE: usize = 128;
        let bytes: usize = self.settings.get(RECORD_BYTES_MAX)?.parse().ok()?;
        Some(bytes.min(LARGE_RECORD_BYTES).saturating_sub(ENVELOPE))
    }

    /// What embedded topics keep of these settings, which are those of a new topic `name`.
    fn embedded(&self, name: &str) -> Result<Self, TopicError> {
        self.check_schema_validation(name)?;
        let kept = Self {
            compact: self.compact,
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            ..Self::with_partitions(self.partitions)
        };
        Ok(kept.with_schema_validation(self.validates_keys(), self.validates_values()))
    }

    /// Checks `name` and these settings as the name and settings of a new topic.
    pub fn check(&self, name: &str) -> Result<(), TopicError> {
        let invalid_name = |reason| TopicError::InvalidName { topic: name.to_owned(), reason };
        let invalid_config = |reason| TopicError::InvalidConfig { topic: name.to_owned(), reason };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match name {
            "" => return Err(invalid_name("it is empty")),
            "." | ".." => return Err(invalid_name("it names a directory")),
            _ if name.len() > NAME_BYTES_MAX => return Err(invalid_name("it is longer than 249 characters")),
            _ if !name.bytes().all(legal) => {
                return Err(invalid_name("only ASCII letters, digits, '.', '_' and '-' are allowed"));
            }
            _ => {}
        }
        match self {
            Self { partitions: 0, .. } => Err(invalid_config("it needs at least one partition")),
            Self { partitions, .. } if *partitions > PARTITIONS_MAX => {
                Err(invalid_config("more than 10000 partitions are not supported"))
            }
            Self { retention_ms: Some(..0), .. } => Err(invalid_config("retention.ms is negative")),
            Self { replicas: Some(0), .. } => Err(invalid_config("it needs at least one replica")),
            _ => Ok(()),
        }
    }
}

/// Kafka's setting for the size of records.
const RECORD_BYTES_MAX: &str = "max.message.bytes";
/// Larger records are never written to a cluster.
const LARGE_RECORD_BYTES: usize = 64 << 20;
/// As in Kafka.
const NAME_BYTES_MAX: usize = 249;
const PARTITIONS_MAX: u32 = 10_000;

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

/// A server's membership in one agreement of the servers of its service. Once they have agreed anew, what is committed under the old
/// one is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    group: String,
    generation: i32,
    member: String,
    instance: Option<String>,
}

impl Fence {
    /// Number of the agreement: one more than that of the one before.
    pub fn generation(&self) -> i32 {
        self.generation
    }
}

/// What the servers of a service have agreed on.
#[derive(Debug)]
pub struct Agreement {
    /// What commits are made under.
    pub fence: Arc<Fence>,
    /// What the leader has proposed.
    pub proposal: Vec<u8>,
}

/// Makes the proposal of the leader: from the last one that was agreed on, if there is one, and the servers there are.
pub type Propose<'a> = &'a dyn Fn(Option<&[u8]>, &[String]) -> Vec<u8>;

/// A server's part in the group of the servers of its service.
pub trait Membership: Send {
    /// What tells this server from the others, the same whenever its data directory is opened.
    fn server(&self) -> &str;

    /// Takes part for about `timeout`; returns a new agreement when there is one.
    fn next(&mut self, timeout: Duration, propose: Propose<'_>) -> Result<Option<Agreement>, TopicError>;

    /// Tells `word` to all servers, those to come too, in place of what this one has told before.
    fn announce(&mut self, word: &[u8]) -> Result<(), TopicError>;

    /// What servers have told last, by their identities, as far as it has arrived; those that are gone among them.
    fn announced(&self) -> &Announced;
}

/// What servers have told, by their identities.
pub type Announced = Arc<BTreeMap<String, Arc<[u8]>>>;

/// A log that all servers of a service append to, one at a time.
pub trait SharedLog: Send {
    /// Whether there are records that were not read, as far as is known.
    fn has_more(&self) -> Result<bool, TopicError>;

    /// All records since the last call, to where the log ends now.
    fn read(&mut self) -> Result<Vec<RecordChunk>, TopicError>;

    /// Makes this server the only one that may append, until another takes over. True if it was not: what others have
    /// appended is to be read first.
    fn take_over(&mut self) -> Result<bool, TopicError>;

    /// Appends a record together with what `transaction` holds.
    ///
    /// # Errors
    /// [`TopicError::Fenced`] when another server has taken over; nothing holds then. After any other error that is open.
    fn append(&mut self, key: &[u8], value: &[u8], transaction: Transaction) -> Result<(), TopicError>;
}

/// A writer for topics that commit without one.
struct PlainWriter<T>(Arc<T>);

impl<T: Topics> Writer for PlainWriter<T> {
    fn commit(&mut self, transaction: Transaction) -> Result<(), TopicError> {
        self.0.commit(transaction)
    }
}

/// What went wrong with a topic.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// No such topic.
    #[error("topic {topic} does not exist")]
    UnknownTopic {
        /// Topic name.
        topic: String,
    },
    /// The topic is there already.
    #[error("topic {topic} exists already")]
    TopicExists {
        /// Topic name.
        topic: String,
    },
    /// The name cannot be used.
    #[error("topic name '{topic}' is not allowed: {reason}")]
    InvalidName {
        /// Topic name.
        topic: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The settings cannot be used.
    #[error("topic {topic} cannot be created: {reason}")]
    InvalidConfig {
        /// Topic name.
        topic: String,
        /// Which rule they break.
        reason: &'static str,
    },
    /// The partition is beyond the topic's partitions.
    #[error("topic {topic} has {partitions} partitions, there is no partition {partition}")]
    UnknownPartition {
        /// Topic name.
        topic: String,
        /// Requested partition.
        partition: u32,
        /// Partitions the topic has.
        partitions: u32,
    },
    /// The servers have agreed anew: the tasks may belong to another by now.
    #[error("the commit comes too late, tasks were placed anew: {reason}")]
    Outdated {
        /// What the client says.
        reason: String,
    },
    /// Another writer has taken this one's name.
    #[error("another writer has taken over: {reason}")]
    Fenced {
        /// What the client says.
        reason: String,
    },
    /// A right is missing.
    #[error("{doing}: {who} lacks the right {right}; whoever may grant it can do so with {grant}")]
    NotAllowed {
        /// What was being done.
        doing: String,
        /// Who did it: `user bob`.
        who: String,
        /// Which right it is: `Read on topic orders`.
        right: String,
        /// How it is granted.
        grant: String,
    },
    /// A data directory holds the state of somebody else.
    #[error(
        "data directory {path} belongs to {found}, this is {wanted}: queries would meet the state of others; give another data \
         directory, or the properties with which this one was made"
    )]
    ForeignDirectory {
        /// The data directory.
        path: String,
        /// Whose it is.
        found: String,
        /// Who opens it.
        wanted: String,
    },
    /// A record, or the batch that it is in, is larger than the topic takes.
    #[error(
        "topic {topic} takes no records as large as those that are to be written; raise its setting max.message.bytes"
    )]
    TooLarge {
        /// Topic name.
        topic: String,
    },
    /// The partition ends before the offset that was asked for.
    #[error(
        "topic {topic} partition {partition} ends at offset {end}, before the offset {offset} that was read already"
    )]
    Truncated {
        /// Topic name.
        topic: String,
        /// Partition number.
        partition: u32,
        /// Offset that was asked for.
        offset: i64,
        /// Offset that the next record will get.
        end: i64,
    },
    /// The cluster, or the way to it.
    #[error("{doing}: {reason}")]
    Cluster {
        /// What was being done.
        doing: String,
        /// What the client says.
        reason: String,
    },
    /// The store below failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
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
