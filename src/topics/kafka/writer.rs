//! What the tasks of one worker commit: one transaction, then the state.

use std::sync::Arc;

use super::producer::Producer;
use super::refusal::Needs;
use super::{KafkaTopics, TIMEOUT, applied_key, by_group, changelog_key, cluster_error, group_offsets, native};
use crate::storage::Family;
use crate::topics::{Fence, TopicError, TopicPartition, Topics as _, Transaction, Writer};
use crate::types::RecordChunk;

/// How long a transaction may stay open whose server says nothing more.
pub(super) const TRANSACTION_TIMEOUT: &str = "10000";

/// Name of the transactions of the writer `writer` of `server`.
pub(super) fn transaction_name(service: &str, server: &str, writer: &str) -> String {
    format!("_confluent-ksql-{service}{server}-{writer}")
}

/// The writer of one worker. Its name fences an earlier writer of that name.
pub(super) struct KafkaWriter {
    topics: Arc<KafkaTopics>,
    name: String,
    fence: Option<Arc<Fence>>,
    /// Made on first use, and again after a failure that it cannot recover from.
    producer: Option<Producer>,
    /// Each record is a batch of its own: a topic takes smaller batches than usual.
    one_by_one: bool,
}

impl KafkaWriter {
    pub(super) fn new(topics: Arc<KafkaTopics>, name: &str) -> Self {
        let name = transaction_name(&topics.service, &topics.server, name);
        Self { topics, name, fence: None, producer: None, one_by_one: false }
    }

    fn producer(&mut self) -> Result<&mut Producer, TopicError> {
        if self.producer.is_none() {
            let mut config = self.topics.configs.producer.clone();
            if self.topics.exactly_once {
                config.set("transactional.id", &self.name).set("transaction.timeout.ms", TRANSACTION_TIMEOUT);
            }
            if self.one_by_one {
                config.set("batch.num.messages", "1");
            }
            self.producer = Some(Producer::new(&config)?);
        }
        self.producer.as_mut().ok_or_else(|| cluster_error("producer", "it has vanished"))
    }

    /// Records and positions, in a transaction or one after the other.
    fn send(&mut self, transaction: &Transaction) -> Result<(), TopicError> {
        let exactly_once = self.topics.exactly_once;
        let topics = Arc::clone(&self.topics);
        let fence = self.fence.clone();
        let producer = self.producer()?;
        if exactly_once {
            producer.begin()?;
        }
        let changelogs = transaction.changelogs;
        for (index, (to, chunk)) in transaction.appends.iter().enumerate() {
            producer.append(to, chunk, index >= transaction.appends.len() - changelogs)?;
        }
        producer.flush()?;
        for (group, positions) in by_group(&transaction.positions) {
            if exactly_once {
                let doing = format!("cannot commit the offsets of group {group}");
                let needs =
                    Needs { topic: positions.first().map(|(at, _)| ("Read", &*at.topic)), ..Needs::group(&group) };
                producer.retried(&doing, needs, |client| native::send_offsets(client, &group, &positions, TIMEOUT))?;
            } else {
                topics
                    .groups
                    .call(|client| group_offsets::alter_group_offsets(client, &group, &positions, TIMEOUT))
                    .map_err(|error| topics.offsets_failed("commit", &group, error))?;
            }
        }
        if !exactly_once {
            return Ok(());
        }
        // Last: who takes the tasks over waits for the positions above, whether this is refused or not.
        if let Some(fence) = fence {
            let log = TopicPartition { topic: fence.group.as_str().into(), partition: 0 };
            producer.retried("cannot commit", Needs::group(&fence.group), |client| {
                native::send_fence(client, &fence, &log, TIMEOUT)
            })?;
        }
        producer.commit()
    }

    /// After a failure: what was sent is taken back. Where that fails too, the next producer of this name does it.
    fn recover(&mut self, error: &TopicError) {
        if matches!(error, TopicError::TooLarge { .. }) && !self.one_by_one {
            tracing::warn!("{}: {error}; trying records one by one", self.name);
            self.one_by_one = true;
            self.producer = None;
            return;
        }
        if !self.topics.exactly_once {
            self.producer = None;
            return;
        }
        if let Some(producer) = &self.producer
            && let Err(error) = producer.abort()
        {
            tracing::warn!("{}: {error}", self.name);
            self.producer = None;
        }
    }
}

impl Writer for KafkaWriter {
    fn prepare(&mut self) -> Result<(), TopicError> {
        if self.topics.exactly_once { self.producer().map(drop) } else { Ok(()) }
    }

    fn set_fence(&mut self, fence: Arc<Fence>) {
        self.fence = Some(fence);
    }

    fn send(&mut self, records: Vec<(TopicPartition, RecordChunk)>) -> Result<(), TopicError> {
        let producer = self.producer()?;
        records.iter().try_for_each(|(to, chunk)| producer.append(to, chunk, false))
    }

    fn commit(&mut self, mut transaction: Transaction) -> Result<(), TopicError> {
        if !transaction.appends.is_empty() || !transaction.positions.is_empty() {
            if let Err(error) = self.send(&transaction) {
                self.recover(&error);
                return Err(error);
            }
            self.topics.purge.note(&transaction.positions);
            for (changelog, offset) in self.producer()?.delivered() {
                let key = changelog_key(&changelog);
                transaction.writes.put(Family::Meta, key, (offset + 1).to_le_bytes().to_vec());
            }
            for (group, input, position) in &transaction.positions {
                let key = applied_key(group, input);
                transaction.writes.put(Family::Meta, key, position.offset.to_le_bytes().to_vec());
            }
        }
        if !transaction.writes.is_empty() {
            self.topics.storage.write(&transaction.writes)?;
        }
        self.topics.wake();
        Ok(())
    }
}
