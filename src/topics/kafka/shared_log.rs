//! A topic that all servers of a service write, one at a time, each after it has read everything before.
//!
//! All use one name for their transactions: whoever takes over ends the others' right to append, and a transaction of theirs that is
//! under way. So an append that succeeds follows what was read before it.

use std::sync::Arc;

use super::producer::Producer;
use super::refusal::Needs;
use super::writer::TRANSACTION_TIMEOUT;
use super::{KafkaTopics, TIMEOUT, by_group, native};
use crate::topics::{SharedLog, TopicConfig, TopicError, TopicPartition, Topics as _, Transaction, service_topic};
use crate::types::{RecordChunk, RecordChunkBuilder};

const READ_ROWS: usize = 4096;
const READ_BYTES: usize = 16 << 20;

/// The log of one topic.
pub(super) struct KafkaSharedLog {
    topics: Arc<KafkaTopics>,
    log: TopicPartition,
    offset: i64,
    /// While it is here, nobody else has appended, as far as is known.
    producer: Option<Producer>,
}

impl KafkaSharedLog {
    /// The log `name` of the service, created when it is missing.
    pub(super) fn open(topics: Arc<KafkaTopics>, name: &str) -> Result<Self, TopicError> {
        let name = service_topic(&topics.service, name);
        topics.ensure(&name, &TopicConfig::with_partitions(1))?;
        let log = TopicPartition { topic: name.into(), partition: 0 };
        let offset = topics.start_offset(&log)?;
        Ok(Self { topics, log, offset, producer: None })
    }

    fn send(&self, producer: &mut Producer, transaction: &Transaction) -> Result<(), TopicError> {
        producer.begin()?;
        for (to, chunk) in &transaction.appends {
            producer.append(to, chunk, false)?;
        }
        producer.flush()?;
        for (group, positions) in by_group(&transaction.positions) {
            producer.retried(
                &format!("cannot commit the offsets of group {group}"),
                Needs::group(&group),
                |client| native::send_offsets(client, &group, &positions, TIMEOUT),
            )?;
        }
        // While another server takes over, a broker may answer with an error of its own. Whether the transaction was committed
        // is known to who takes over anew and reads the log.
        producer.commit().map_err(|error| TopicError::Fenced { reason: error.to_string() })
    }
}

impl SharedLog for KafkaSharedLog {
    fn has_more(&self) -> Result<bool, TopicError> {
        self.topics.has_more(&self.log, self.offset)
    }

    fn read(&mut self) -> Result<Vec<RecordChunk>, TopicError> {
        let end = self.topics.end_offset(&self.log)?;
        let mut chunks = Vec::new();
        while self.offset < end && !self.topics.has_reached(&self.log, self.offset, end)? {
            let version = self.topics.version();
            let chunk = self.topics.fetch(&self.log, self.offset, READ_ROWS, READ_BYTES)?;
            match chunk.offsets.last() {
                Some(last) => {
                    self.offset = last + 1;
                    chunks.push(chunk);
                }
                None => drop(self.topics.wait(version, std::time::Duration::from_millis(5))),
            }
        }
        Ok(chunks)
    }

    fn take_over(&mut self) -> Result<bool, TopicError> {
        if self.producer.is_some() {
            return Ok(false);
        }
        let mut config = self.topics.configs.producer.clone();
        config.set("transactional.id", &*self.log.topic).set("transaction.timeout.ms", TRANSACTION_TIMEOUT);
        self.producer = Some(Producer::new(&config)?);
        Ok(true)
    }

    fn append(&mut self, key: &[u8], value: &[u8], mut transaction: Transaction) -> Result<(), TopicError> {
        let fenced = || TopicError::Fenced { reason: "this server has not taken over the log".to_owned() };
        let mut producer = self.producer.take().ok_or_else(fenced)?;
        let mut record = RecordChunkBuilder::new();
        record.push(Some(key), Some(value), 0);
        transaction.appends.push((self.log.clone(), record.finish()));
        // After a failure somebody else may have taken over: only who takes over anew knows.
        self.send(&mut producer, &transaction)?;
        self.producer = Some(producer);
        if !transaction.writes.is_empty() {
            self.topics.storage.write(&transaction.writes)?;
        }
        self.topics.wake();
        Ok(())
    }
}
