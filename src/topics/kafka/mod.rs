//! Topics of a Kafka cluster.
//!
//! ```text
//! fetch ─▶ Readers ─▶ Cursor (window of chunks) ─▶ PartitionQueue ◀── librdkafka consumer
//! Writer::commit: begin ─▶ Producer::append … ─▶ flush ─▶ positions of groups ─▶ commit ─▶ state, with the offsets of the changelogs
//! ```
//!
//! With `processing.guarantee = exactly_once_v2` (the default) all records and positions of a commit are one Kafka
//! transaction; state follows it in one write to the local store, so it is never ahead of what is committed. What a crash between
//! the two has left out is read back from the changelog.

mod admin;
mod admin_request;
mod client_config;
mod deadline;
mod group_client;
mod group_members;
mod group_offsets;
mod java_settings;
mod membership;
mod native;
mod offset_metadata;
mod partition_queue;
mod partition_ranges;
mod producer;
mod purge;
mod readers;
mod refusal;
mod shared_log;
mod topic_id;
mod topic_settings;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::append_signal::AppendSignal;
use super::partitioner::Partitioner;
use super::properties::property;
use super::{
    Membership, Position, SharedLog, TopicConfig, TopicConsumers, TopicError, TopicInfo, TopicPartition, Topics,
    Transaction, Writer,
};
use crate::storage::{Family, KeyValue, WriteSet};
use crate::types::RecordChunk;

use admin::Admin;
use client_config::ClientConfigs;
use deadline::Deadline;
use group_client::GroupClient;
use group_offsets::Stability;
use membership::KafkaMembership;
use native::NativeError;
use producer::Producer;
use purge::Purge;
use readers::Readers;
use refusal::{Caller, Needs};
use shared_log::KafkaSharedLog;
use topic_settings::InternalTopics;
use writer::KafkaWriter;

/// How long a question to the cluster may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a partition may be without a leader before that counts as a failure, and how often to ask: Kafka takes nine seconds
/// to find out that a broker is gone.
const LEADERLESS: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(100);
/// How long the cluster may take to say that it is there.
const GREETING: Duration = Duration::from_secs(10);

/// Topics of a cluster, and the local store beside them.
pub struct KafkaTopics {
    configs: ClientConfigs,
    admin: Admin,
    readers: Arc<Readers>,
    /// Answers questions about offsets of partitions.
    consumer: BaseConsumer<Complaints>,
    groups: GroupClient,
    /// For records that belong to no task; made when it is needed.
    producer: Mutex<Option<Producer>>,
    storage: Arc<dyn KeyValue>,
    signal: Arc<AppendSignal>,
    partitioner: Partitioner,
    /// Prefix of the names of transactions.
    service: String,
    /// What tells this server from others of the service.
    server: String,
    exactly_once: bool,
    purge: Purge,
    caller: Caller,
    /// By which name the others keep this server's place for a while when it is gone; `None`: they do not.
    instance: Option<String>,
    housekeeping: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

/// How often the clients' events are served.
const HOUSEKEEPING: Duration = Duration::from_millis(100);

impl KafkaTopics {
    /// Connects to the cluster that `properties` name (`bootstrap.servers` and others, with ksqlDB's prefixes). State is kept in
    /// `storage`.
    ///
    /// # Errors
    /// A property that cannot be used; no answer from the cluster within ten seconds, naming its address.
    pub fn open(properties: &BTreeMap<String, String>, storage: Arc<dyn KeyValue>) -> Result<Arc<Self>, TopicError> {
        let property = |name: &str| property(properties, name);
        let exactly_once = match property("processing.guarantee") {
            None | Some("exactly_once_v2" | "exactly_once_beta" | "exactly_once") => true,
            Some("at_least_once") => false,
            Some(other) => {
                let reason = format!("'{other}' is neither exactly_once_v2 nor at_least_once");
                return Err(cluster_error("the property processing.guarantee cannot be used", reason));
            }
        };
        let mut configs = ClientConfigs::new(properties, exactly_once)?;
        configs.consumer.set("isolation.level", if exactly_once { "read_committed" } else { "read_uncommitted" });
        let purge_ms = property("repartition.purge.interval.ms").and_then(|text| text.parse().ok());
        // Ends are those of the log: what is committed may become readable a little later, and is waited for.
        let mut questions = configs.consumer.clone();
        questions.set("isolation.level", "read_uncommitted");
        let consumer = questions
            .create_with_context(Complaints::default())
            .map_err(|error| cluster_error("cannot make a consumer", error))?;
        let caller = Caller::of(&configs.consumer);
        greet(&consumer, configs.consumer.get("bootstrap.servers").unwrap_or("no address"), &caller)?;
        let signal = Arc::new(AppendSignal::default());
        let readers = Arc::new(Readers::new(configs.consumer.clone(), Arc::clone(&signal)));
        let admin = Admin::new(&configs.admin, InternalTopics::new(properties), Arc::clone(&readers))?;
        let housekeeping = housekeeping(&readers);
        let server = server_id(&*storage)?;
        let instance = property("group.instance.id").unwrap_or(&server).to_owned();
        Ok(Arc::new(Self {
            server,
            service: property("ksql.service.id").unwrap_or("default_").to_owned(),
            configs,
            admin,
            readers,
            groups: GroupClient::new(questions),
            consumer,
            producer: Mutex::default(),
            storage,
            signal,
            partitioner: Partitioner::default(),
            exactly_once,
            purge: Purge::new(purge_ms.map_or(purge::INTERVAL, Duration::from_millis)),
            caller,
            instance: Some(instance).filter(|name| !name.is_empty()),
            housekeeping: Some(housekeeping),
        }))
    }

    /// Writes the records of a transaction that belongs to no task.
    fn append(&self, transaction: &Transaction) -> Result<(), TopicError> {
        if transaction.appends.is_empty() {
            return Ok(());
        }
        let mut shared = lock(&self.producer);
        // A failure throws the client away: it may have given up for good, and what it says later of these records is not
        // about those of the next call.
        let mut producer = shared.take().map_or_else(|| Producer::new(&self.configs.producer), Ok)?;
        let changelogs = transaction.appends.len() - transaction.changelogs;
        for (index, (to, chunk)) in transaction.appends.iter().enumerate() {
            producer.append(to, chunk, index >= changelogs)?;
        }
        producer.flush()?;
        producer.delivered();
        *shared = Some(producer);
        Ok(())
    }

    fn watermarks(&self, partition: &TopicPartition) -> Result<(i64, i64), TopicError> {
        let deadline = Deadline::after(LEADERLESS);
        loop {
            match self.consumer.fetch_watermarks(&partition.topic, partition.partition as i32, TIMEOUT) {
                Ok(found) => return Ok(found),
                Err(KafkaError::MetadataFetch(code)) if is_moving(code) && deadline.pause(AGAIN) => {}
                Err(error) => {
                    let doing = format!("cannot read the offsets of topic {}", partition.topic);
                    return Err(self.caller.failed_client(&doing, Needs::topic("Describe", &partition.topic), &error));
                }
            }
        }
    }

    fn offsets_failed(&self, doing: &str, group: &str, error: NativeError) -> TopicError {
        self.caller.failed_native(&format!("cannot {doing} the offsets of group {group}"), Needs::group(group), error)
    }

    fn offset_at(&self, key: &[u8]) -> Result<Option<i64>, TopicError> {
        let value = self.storage.get(Family::Meta, key)?;
        Ok(value.and_then(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes))
    }
}

/// Where the offset of `input` is noted up to which the local store has what `group` has committed.
fn applied_key(group: &str, input: &TopicPartition) -> Vec<u8> {
    let mut key = [b"applied/", group.as_bytes(), &[0], input.topic.as_bytes(), &[0]].concat();
    key.extend_from_slice(&input.partition.to_be_bytes());
    key
}

/// Whether the partition is on its way from one leader to the next, its broker is starting, or the one that was asked does not
/// know the topic yet.
fn is_moving(code: Code) -> bool {
    matches!(
        code,
        Code::NotLeaderForPartition
            | Code::LeaderNotAvailable
            | Code::ReplicaNotAvailable
            | Code::BrokerNotAvailable
            | Code::BrokerTransportFailure
            | Code::DestroyBroker
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
    )
}

/// Where the offset is noted up to which the local store has the records of `changelog`.
fn changelog_key(changelog: &TopicPartition) -> Vec<u8> {
    let mut key = b"changelog/".to_vec();
    key.extend_from_slice(changelog.topic.as_bytes());
    key.push(0);
    key.extend_from_slice(&changelog.partition.to_be_bytes());
    key
}

/// What tells this data directory from others, made when it is first used.
fn server_id(storage: &dyn KeyValue) -> Result<String, TopicError> {
    const KEY: &[u8] = b"server/id";
    if let Some(known) = storage.get(Family::Meta, KEY)?.and_then(|bytes| String::from_utf8(bytes).ok()) {
        return Ok(known);
    }
    let random = || RandomState::new().build_hasher().finish();
    let id = format!("{:016x}{:016x}", random(), random());
    let mut writes = WriteSet::default();
    writes.put(Family::Meta, KEY.to_vec(), id.clone().into_bytes());
    storage.write(&writes)?;
    Ok(id)
}

impl Drop for KafkaTopics {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.housekeeping.take() {
            stop.store(true, Ordering::Release);
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the thread that serves Kafka's events has died");
            }
        }
    }
}

/// What a client complains about: the first complaint says most, unless a later one is about who we are.
#[derive(Default)]
struct Complaints(Mutex<Option<Complaint>>);

#[derive(Clone)]
struct Complaint {
    reason: String,
    /// Trying again does not help.
    is_final: bool,
}

impl ClientContext for Complaints {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!("Kafka consumer: {error}: {reason}");
        let is_final = matches!(
            error.rdkafka_error_code(),
            Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL)
        );
        let mut first = lock(&self.0);
        if first.as_ref().is_none_or(|known| is_final && !known.is_final) {
            *first = Some(Complaint { reason: reason.to_owned(), is_final });
        }
    }
}

impl ConsumerContext for Complaints {}

/// Asks the cluster something; fails with its address, and with what the client has to say, when nothing answers or we are not
/// let in.
fn greet(consumer: &BaseConsumer<Complaints>, address: &str, caller: &Caller) -> Result<(), TopicError> {
    let said = || lock(&consumer.context().0).clone();
    let deadline = Deadline::after(GREETING);
    let mut patience = Duration::from_millis(500);
    let error = loop {
        let Err(error) = consumer.fetch_metadata(None, patience) else { return Ok(()) };
        // Complaints come with events.
        while consumer.poll(Duration::from_millis(20)).is_some() {}
        if let Some(complaint) = said().filter(|complaint| complaint.is_final) {
            let who = format!("the Kafka broker at {address} does not let {} in", caller.name());
            let reason = format!("{}; look at security.protocol, sasl.* and ssl.*", complaint.reason);
            return Err(cluster_error(&who, reason));
        }
        if deadline.is_over() {
            break error;
        }
        patience = (patience * 2).min(Duration::from_secs(4));
    };
    let reason = said().map_or_else(|| error.to_string(), |complaint| complaint.reason);
    Err(cluster_error(&format!("no Kafka broker answers at {address}"), reason))
}

fn housekeeping(readers: &Arc<Readers>) -> (Arc<AtomicBool>, JoinHandle<()>) {
    let (stop, readers) = (Arc::new(AtomicBool::new(false)), Arc::clone(readers));
    let flag = Arc::clone(&stop);
    let serve = move || {
        while !flag.load(Ordering::Acquire) {
            readers.maintain();
            std::thread::park_timeout(HOUSEKEEPING);
        }
    };
    let thread = std::thread::Builder::new().name("kafka-events".to_owned()).spawn(serve);
    (stop, thread.expect("the system can start a thread"))
}

/// What a mutex here guards: it is consistent between two statements, whatever thread has died there.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What went wrong with the cluster.
fn cluster_error(doing: &str, reason: impl Display) -> TopicError {
    TopicError::Cluster { doing: doing.to_owned(), reason: reason.to_string() }
}

impl Topics for KafkaTopics {
    fn cluster_id(&self) -> String {
        self.consumer.client().fetch_cluster_id(TIMEOUT).unwrap_or_default()
    }

    fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        self.admin.create(name, config)
    }

    fn delete(&self, name: &str) -> Result<(), TopicError> {
        self.readers.forget(name);
        self.purge.forget(name);
        self.admin.delete(name)?;
        let mut writes = WriteSet::default();
        let position = |end: u8| [b"changelog/", name.as_bytes(), &[end]].concat();
        writes.delete_range(Family::Meta, position(0), position(1));
        Ok(self.storage.write(&writes)?)
    }

    fn list(&self) -> Result<Vec<TopicInfo>, TopicError> {
        self.admin.list()
    }

    fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError> {
        self.admin.describe(name)
    }

    fn identity(&self, name: &str) -> Result<Option<String>, TopicError> {
        self.admin.identity(name)
    }

    fn forget_group(&self, group: &str) -> Result<(), TopicError> {
        let mut writes = WriteSet::default();
        let applied = |end: u8| [b"applied/", group.as_bytes(), &[end]].concat();
        writes.delete_range(Family::Meta, applied(0), applied(1));
        self.storage.write(&writes)?;
        self.admin.delete_group(group)
    }

    fn fetch(
        &self,
        from: &TopicPartition,
        offset: i64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<RecordChunk, TopicError> {
        self.readers.fetch(from, offset, rows_max, bytes_max).inspect_err(|_| self.admin.doubt(&from.topic))
    }

    fn maintain(&self, _now_ms: i64) -> Result<(), TopicError> {
        self.purge.run(&self.admin)
    }

    fn has_more(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        self.readers.has_more(partition, offset)
    }

    fn is_drained(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        if self.has_more(partition, offset)? {
            return Ok(false);
        }
        let (_, end) = self.watermarks(partition)?;
        Ok(self.readers.has_reached(partition, offset, end))
    }

    fn without_marks(&self, partition: &TopicPartition, offset: i64) -> i64 {
        self.readers.without_marks(partition, offset)
    }

    fn known_end(&self, partition: &TopicPartition) -> Result<Option<i64>, TopicError> {
        Ok(self.readers.known_end(partition))
    }

    fn start_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        Ok(self.watermarks(partition)?.0)
    }

    fn end_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        Ok(self.watermarks(partition)?.1)
    }

    fn offset_for_time(&self, partition: &TopicPartition, timestamp_ms: i64) -> Result<i64, TopicError> {
        let failed = |error| cluster_error(&format!("cannot find a time in topic {}", partition.topic), error);
        let mut wanted = TopicPartitionList::new();
        let number = partition.partition as i32;
        wanted.add_partition_offset(&partition.topic, number, Offset::Offset(timestamp_ms)).map_err(failed)?;
        let found = self.consumer.offsets_for_times(wanted, TIMEOUT).map_err(failed)?;
        match found.find_partition(&partition.topic, number).map(|entry| entry.offset()) {
            Some(Offset::Offset(offset)) => Ok(offset),
            _ => self.end_offset(partition),
        }
    }

    fn position(&self, group: &str, partition: &TopicPartition) -> Result<Option<Position>, TopicError> {
        let deadline = Deadline::after(TIMEOUT);
        let wanted = std::slice::from_ref(partition);
        loop {
            match self
                .groups
                .call(|client| group_offsets::group_offsets(client, group, wanted, TIMEOUT, Stability::Settled))
            {
                Ok(found) => {
                    let position = |(offset, metadata): &(i64, String)| Position {
                        offset: *offset,
                        partition_time: offset_metadata::decode(metadata),
                    };
                    return Ok(found.first().and_then(|(_, offset)| offset.as_ref().map(position)));
                }
                Err(error) if error.retriable && deadline.pause(Duration::from_millis(100)) => {}
                Err(error) => {
                    return Err(self.offsets_failed("read", group, error));
                }
            }
        }
    }

    fn ranges(&self, partitions: &[TopicPartition], timeout: Duration) -> Result<Vec<Option<(i64, i64)>>, TopicError> {
        partition_ranges::ranges(self.admin.ptr(), partitions, timeout)
            .map_err(|error| cluster_error("cannot read the offsets of topics", error.reason))
    }

    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<Option<i64>>, TopicError> {
        let found = self
            .groups
            .call(|client| group_offsets::group_offsets(client, group, partitions, timeout, Stability::AsItIs))
            .map_err(|error| cluster_error(&format!("cannot read the offsets of group {group}"), error.reason))?;
        let offset = |wanted: &TopicPartition| {
            let entry = found.iter().find(|(partition, _)| partition == wanted);
            entry.and_then(|(_, offset)| offset.as_ref().map(|(offset, _)| *offset))
        };
        Ok(partitions.iter().map(offset).collect())
    }

    fn consumers(&self, timeout: Duration) -> Result<Vec<TopicConsumers>, TopicError> {
        let groups = self.consumer.fetch_group_list(None, timeout);
        groups
            .map(|groups| group_members::consumers(&groups))
            .map_err(|error| self.caller.failed_client("cannot list consumer groups", Needs::group("*"), &error))
    }

    fn commit(&self, transaction: Transaction) -> Result<(), TopicError> {
        self.append(&transaction)?;
        for (group, positions) in by_group(&transaction.positions) {
            self.groups
                .call(|client| group_offsets::alter_group_offsets(client, &group, &positions, TIMEOUT))
                .map_err(|error| self.offsets_failed("commit", &group, error))?;
        }
        if !transaction.writes.is_empty() {
            self.storage.write(&transaction.writes)?;
        }
        self.signal.raise();
        Ok(())
    }

    fn writer(self: Arc<Self>, name: &str) -> Box<dyn Writer> {
        Box::new(KafkaWriter::new(self, name))
    }

    fn commits_at_intervals(&self) -> bool {
        true
    }

    fn sends_early(&self) -> bool {
        !self.exactly_once
    }

    fn shares_fetches(&self) -> bool {
        true
    }

    fn keeps_changelogs(&self) -> bool {
        true
    }

    fn restored_to(&self, changelog: &TopicPartition) -> Result<Option<i64>, TopicError> {
        self.offset_at(&changelog_key(changelog))
    }

    fn note_restored(&self, changelog: &TopicPartition, offset: i64, writes: &mut WriteSet) {
        writes.put(Family::Meta, changelog_key(changelog), offset.to_le_bytes().to_vec());
    }

    fn forget_restored(&self, changelog: &TopicPartition, writes: &mut WriteSet) {
        writes.delete(Family::Meta, changelog_key(changelog));
    }

    fn forget_changelogs(&self, group: &str, writes: &mut WriteSet) {
        let prefix = |end: char| format!("changelog/{group}{end}").into_bytes();
        writes.delete_range(Family::Meta, prefix('-'), prefix('.'));
    }

    fn has_reached(&self, partition: &TopicPartition, offset: i64, end: i64) -> Result<bool, TopicError> {
        Ok(self.readers.has_reached(partition, offset, end))
    }

    fn join(
        self: Arc<Self>,
        workers: usize,
        hold: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Option<Box<dyn Membership>>, TopicError> {
        Ok(Some(Box::new(KafkaMembership::join(self, workers, hold)?)))
    }

    fn shared_log(self: Arc<Self>, name: &str) -> Result<Option<Box<dyn SharedLog>>, TopicError> {
        Ok(Some(Box::new(KafkaSharedLog::open(self, name)?)))
    }

    fn holds_all(&self, group: &str, inputs: &[TopicPartition]) -> Result<bool, TopicError> {
        for input in inputs {
            let committed = self.position(group, input)?.map(|position| position.offset);
            if committed.is_some() && committed != self.offset_at(&applied_key(group, input))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn version(&self) -> u64 {
        self.signal.version()
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
        Arc::clone(&self.storage)
    }
}

type GroupPositions = HashMap<Arc<str>, Vec<(TopicPartition, Position)>>;

fn by_group(positions: &[(Arc<str>, TopicPartition, Position)]) -> GroupPositions {
    let mut groups = GroupPositions::new();
    for (group, partition, position) in positions {
        groups.entry(Arc::clone(group)).or_default().push((partition.clone(), *position));
    }
    groups
}
