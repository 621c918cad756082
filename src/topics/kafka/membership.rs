//! The servers of a service: who is there, and what they have agreed on.
//!
//! ```text
//! group of servers ── a server comes or goes ─▶ every member: hold, then a new generation
//!   leader (has the one partition of the topic): members ─ propose ─▶ record "generation, proposal" on the topic, in a transaction
//!                                                                      that only a member of that generation can commit
//!   everybody: reads the record of its generation ─▶ Agreement
//! ```
//!
//! The same topic has what servers tell each other, a record for each, by its identity: `server/<identity>`.
//!
//! Members are static (`group.instance.id` is the server's identity, kept in its data directory, unless it is set): one that is back
//! before its session has ended gets its place back and nobody else notices. With an empty `group.instance.id` a server
//! leaves at once when it stops. What is committed under an agreement carries its generation, so a
//! server that has missed the next one can do no harm.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::Array as _;
use rdkafka::ClientContext;
use rdkafka::bindings as native_calls;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use serde::{Deserialize, Serialize};

use super::producer::Producer;
use super::refusal::Needs;
use super::writer::{TRANSACTION_TIMEOUT, transaction_name};
use super::{KafkaTopics, TIMEOUT, cluster_error, native};
use crate::topics::{
    Agreement, Announced, Fence, Membership, PLACEMENT_LOG, Propose, TopicConfig, TopicError, TopicPartition,
    Topics as _, Transaction, service_topic,
};
use crate::types::{RecordChunk, RecordChunkBuilder};

/// How the members' names begin; behind it come the server and the number of its writers.
const CLIENT: &str = "levada-server";
const VERSION: u32 = 1;
/// How the keys of what servers tell begin; behind it comes who.
const TOLD: &[u8] = b"server/";
/// The key of what leaders write.
const PLACEMENT: &[u8] = b"placement";
/// A server that has been silent for this long has left.
const SESSION_TIMEOUT: &str = "6000";
const HEARTBEAT: &str = "500";
/// How long a server may take to hold before the others go on without it.
const HOLD_MAX: &str = "30000";

/// What the leader of a generation has written.
#[derive(Serialize, Deserialize)]
struct Proposal {
    version: u32,
    generation: i32,
    /// Servers, each with the number of its writers.
    servers: Vec<(String, usize)>,
    body: serde_json::Value,
}

/// Learns of changes while the consumer is polled.
struct GroupContext {
    hold: Box<dyn Fn() + Send + Sync>,
    changed: AtomicBool,
    leads: AtomicBool,
}

impl ClientContext for GroupContext {
    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        tracing::debug!("group of servers: {error}: {reason}");
    }
}

impl ConsumerContext for GroupContext {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(_) = rebalance {
            (self.hold)();
        }
    }

    fn post_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.leads.store(partitions.count() > 0, Ordering::Release);
            self.changed.store(true, Ordering::Release);
        }
    }
}

/// This server's part in the group.
pub(super) struct KafkaMembership {
    topics: Arc<KafkaTopics>,
    consumer: BaseConsumer<GroupContext>,
    log: TopicPartition,
    /// Offset of the next record of the log that is not read.
    offset: i64,
    newest: Option<Proposal>,
    announced: Announced,
    /// The generation that is not agreed on yet.
    open: Option<Arc<Fence>>,
}

impl KafkaMembership {
    pub(super) fn join(
        topics: Arc<KafkaTopics>,
        workers: usize,
        hold: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Self, TopicError> {
        let name = service_topic(&topics.service, PLACEMENT_LOG);
        topics.ensure(&name, &TopicConfig { compact: true, ..TopicConfig::with_partitions(1) })?;
        let mut config = topics.configs.consumer.clone();
        for (key, value) in [("session.timeout.ms", SESSION_TIMEOUT), ("heartbeat.interval.ms", HEARTBEAT)] {
            if config.get(key).is_none() {
                config.set(key, value);
            }
        }
        config
            .set("group.id", &name)
            .set("client.id", client_id(&topics.server, workers))
            .set("partition.assignment.strategy", "range")
            .set("max.poll.interval.ms", HOLD_MAX)
            .set("enable.partition.eof", "false")
            .set("auto.offset.reset", "latest");
        if let Some(instance) = &topics.instance {
            config.set("group.instance.id", instance);
        }
        let context = GroupContext { hold, changed: AtomicBool::new(false), leads: AtomicBool::new(false) };
        let consumer: BaseConsumer<GroupContext> = config
            .create_with_context(context)
            .map_err(|error| cluster_error("cannot join the servers of the service", error))?;
        consumer.subscribe(&[&name]).map_err(|error| cluster_error("cannot join the servers of the service", error))?;
        let log = TopicPartition { topic: name.into(), partition: 0 };
        let offset = topics.start_offset(&log)?;
        Ok(Self { topics, consumer, log, offset, newest: None, announced: Announced::default(), open: None })
    }

    /// Takes part in the group for about `timeout`, and takes all that has happened meanwhile. Brokers that cannot be reached are
    /// the client's affair, which goes on trying: what it says about them must not delay what comes after.
    fn serve(&self, mut timeout: Duration) -> Result<(), TopicError> {
        while let Some(polled) = self.consumer.poll(timeout) {
            match polled {
                Err(error @ KafkaError::MessageConsumptionFatal(_)) => {
                    return Err(cluster_error("the group of servers", error));
                }
                Err(KafkaError::MessageConsumption(
                    code @ (RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure),
                )) => tracing::debug!("group of servers: {code}"),
                Err(error) => tracing::warn!("group of servers: {error}"),
                Ok(_) => {}
            }
            timeout = Duration::ZERO;
        }
        Ok(())
    }

    /// The generation that this server is a member of.
    fn fence(&self) -> Result<Fence, TopicError> {
        let lost = || cluster_error("the group of servers", "this server is not a member");
        // SAFETY: the client is alive; the metadata is ours, its texts live as long as it.
        unsafe {
            let members = native_calls::rd_kafka_consumer_group_metadata(self.consumer.client().native_ptr());
            let members = NonNull::new(members).ok_or_else(lost)?;
            let text = |pointer| CStr::from_ptr(pointer).to_string_lossy().into_owned();
            let fence = Fence {
                group: self.log.topic.to_string(),
                generation: native_calls::rd_kafka_consumer_group_metadata_generation_id(members.as_ptr()),
                member: text(native_calls::rd_kafka_consumer_group_metadata_member_id(members.as_ptr())),
                instance: self.topics.instance.clone(),
            };
            native_calls::rd_kafka_consumer_group_metadata_destroy(members.as_ptr());
            Ok(fence)
        }
    }

    /// Reads the log to where it ends now.
    fn read_log(&mut self) -> Result<(), TopicError> {
        loop {
            let chunk = self.topics.fetch(&self.log, self.offset, 1024, 1 << 20)?;
            let Some(&last) = chunk.offsets.last() else { return Ok(()) };
            self.offset = last + 1;
            for row in 0..chunk.len() {
                self.take(&chunk, row)?;
            }
        }
    }

    /// Takes note of a record of the log.
    fn take(&mut self, chunk: &RecordChunk, row: usize) -> Result<(), TopicError> {
        let key = if chunk.keys.is_valid(row) { chunk.keys.value(row) } else { PLACEMENT };
        if let Some(server) = key.strip_prefix(TOLD) {
            let server = String::from_utf8_lossy(server).into_owned();
            Arc::make_mut(&mut self.announced).insert(server, chunk.values.value(row).into());
            return Ok(());
        }
        let proposal = read_proposal(chunk.values.value(row));
        self.newest =
            Some(proposal.map_err(|reason| cluster_error(&format!("cannot read topic {}", self.log.topic), reason))?);
        Ok(())
    }

    /// The members, each with the number of its writers; `None` while the group changes.
    fn members(&self) -> Result<Option<Vec<(String, usize)>>, TopicError> {
        let found = self.consumer.fetch_group_list(Some(&self.log.topic), TIMEOUT);
        let found = found.map_err(|error| cluster_error("cannot list the servers of the service", error))?;
        let Some(group) = found.groups().iter().find(|group| group.state() == "Stable") else { return Ok(None) };
        let mut servers: Vec<_> =
            group.members().iter().filter_map(|member| parse_client_id(member.client_id())).collect();
        servers.sort();
        Ok(Some(servers))
    }

    /// As leader: writes what the members shall agree on, unless it is there.
    fn propose(&mut self, fence: &Fence, propose: Propose<'_>) -> Result<(), TopicError> {
        let Some(servers) = self.members()? else { return Ok(()) };
        let previous = self.newest.as_ref();
        if previous.is_some_and(|previous| previous.generation == fence.generation && previous.servers == servers) {
            return Ok(());
        }
        for (server, writers) in previous.iter().flat_map(|previous| &previous.servers) {
            if !servers.iter().any(|(present, _)| present == server) {
                self.end_transactions(server, *writers)?;
            }
        }
        let names: Vec<String> = servers.iter().map(|(server, _)| server.clone()).collect();
        let last = previous.map(|previous| previous.body.to_string().into_bytes());
        let body = propose(last.as_deref(), &names);
        let body = serde_json::from_slice(&body).map_err(|error| cluster_error("the placement", error))?;
        let proposal = Proposal { version: VERSION, generation: fence.generation, servers, body };
        self.write(fence, &proposal)?;
        tracing::info!(generation = fence.generation, "tasks are placed on {} server(s)", names.len());
        Ok(())
    }

    /// Ends what a server has left open that is gone, so that nobody waits for it.
    fn end_transactions(&self, server: &str, writers: usize) -> Result<(), TopicError> {
        tracing::info!("server {server} is gone");
        if !self.topics.exactly_once {
            return Ok(());
        }
        for writer in 0..writers {
            self.producer(&transaction_name(&self.topics.service, server, &format!("worker-{writer}")))?;
        }
        Ok(())
    }

    fn producer(&self, name: &str) -> Result<Producer, TopicError> {
        let mut config = self.topics.configs.producer.clone();
        config.set("transactional.id", name).set("transaction.timeout.ms", TRANSACTION_TIMEOUT);
        Producer::new(&config)
    }

    fn write(&self, fence: &Fence, proposal: &Proposal) -> Result<(), TopicError> {
        let mut producer = self.producer(&self.log.topic)?;
        let mut chunk = RecordChunkBuilder::new();
        let value = serde_json::to_vec(proposal).map_err(|error| cluster_error("the placement", error))?;
        chunk.push(Some(PLACEMENT), Some(&value), 0);
        producer.begin()?;
        producer.append(&self.log, &chunk.finish(), false)?;
        producer.flush()?;
        let needs = Needs::group(&fence.group);
        producer
            .retried("cannot place tasks", needs, |client| native::send_fence(client, fence, &self.log, TIMEOUT))?;
        producer.commit()
    }
}

impl Membership for KafkaMembership {
    fn server(&self) -> &str {
        &self.topics.server
    }

    fn next(&mut self, timeout: Duration, propose: Propose<'_>) -> Result<Option<Agreement>, TopicError> {
        // Records come by the log's own reader; this only takes part in the group.
        self.serve(if self.open.is_some() { timeout / 10 } else { timeout })?;
        if self.consumer.context().changed.swap(false, Ordering::AcqRel) {
            self.open = Some(Arc::new(self.fence()?));
        }
        if self.open.is_none() {
            // Servers tell something at any time. What hinders reading hinders an agreement too, which says so.
            if let Err(error) = self.read_log() {
                tracing::debug!("what other servers tell cannot be read: {error}");
            }
        }
        let Some(fence) = self.open.clone() else { return Ok(None) };
        let (_, end) = self.topics.watermarks(&self.log)?;
        self.read_log()?;
        if !self.topics.has_reached(&self.log, self.offset, end)? {
            return Ok(None);
        }
        if self.consumer.context().leads.load(Ordering::Acquire) {
            match self.propose(&fence, propose) {
                // The group has changed again: there will be another generation.
                Err(TopicError::Fenced { .. } | TopicError::Outdated { .. }) => return Ok(None),
                proposed => proposed?,
            }
            self.read_log()?;
        }
        let own = |proposal: &&Proposal| {
            proposal.generation == fence.generation
                && proposal.servers.iter().any(|(server, _)| *server == self.topics.server)
        };
        let Some(proposal) = self.newest.as_ref().filter(own) else { return Ok(None) };
        self.open = None;
        Ok(Some(Agreement { fence, proposal: proposal.body.to_string().into_bytes() }))
    }

    fn announce(&mut self, word: &[u8]) -> Result<(), TopicError> {
        let key = [TOLD, self.topics.server.as_bytes()].concat();
        let mut chunk = RecordChunkBuilder::new();
        chunk.push(Some(&key), Some(word), 0);
        let appends = vec![(self.log.clone(), chunk.finish())];
        self.topics.commit(Transaction { appends, ..Transaction::default() })
    }

    fn announced(&self) -> &Announced {
        &self.announced
    }
}

/// The proposal in a record of the log.
///
/// # Errors
/// Why it cannot be understood.
fn read_proposal(bytes: &[u8]) -> Result<Proposal, String> {
    /// What records of all versions have.
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let Head { version } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!("version {version} was written by another levada, this one reads version {VERSION}"));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn client_id(server: &str, workers: usize) -> String {
    format!("{CLIENT}-{server}-{workers}")
}

fn parse_client_id(text: &str) -> Option<(String, usize)> {
    let (server, workers) = text.strip_prefix(CLIENT)?.strip_prefix('-')?.rsplit_once('-')?;
    Some((server.to_owned(), workers.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_member_says_which_server_it_is() {
        assert_eq!(parse_client_id(&client_id("a1-b2", 4)), Some(("a1-b2".to_owned(), 4)));
        assert_eq!(parse_client_id("rdkafka"), None);
    }

    #[test]
    fn a_proposal_of_another_version_is_refused() {
        let own = br#"{"version": 1, "generation": 4, "servers": [["a", 2]], "body": {}}"#;
        assert!(read_proposal(own).is_ok_and(|proposal| proposal.generation == 4));
        let refused = |bytes| read_proposal(bytes).err().unwrap_or_default();
        let newer = refused(br#"{"version": 2, "members": {}}"#);
        assert!(newer.contains("version 2") && newer.contains("reads version 1"), "{newer}");
        assert!(refused(b"{}").contains("missing field `version`"));
    }
}
