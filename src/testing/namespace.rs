//! Topics of one case on a cluster that other cases use at the same time: every name has a prefix there.

use std::sync::Arc;
use std::time::Duration;

use crate::storage::{KeyValue, WriteSet};
use crate::topics::{
    Position, TopicConfig, TopicConsumers, TopicError, TopicInfo, TopicPartition, Topics, Transaction, Writer,
};
use crate::types::RecordChunk;

/// The topics of a cluster whose names begin with a prefix, without it.
pub struct Namespace {
    topics: Arc<dyn Topics>,
    prefix: String,
}

/// A writer that gives names their prefix.
struct NamespaceWriter {
    writer: Box<dyn Writer>,
    prefix: String,
}

impl Namespace {
    /// The topics of `topics` that begin with `prefix`.
    pub fn new(topics: Arc<dyn Topics>, prefix: impl Into<String>) -> Self {
        Self { topics, prefix: prefix.into() }
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn full_partition(&self, partition: &TopicPartition) -> TopicPartition {
        full_partition(&self.prefix, partition)
    }

    fn own(&self, info: TopicInfo) -> Option<TopicInfo> {
        let name = info.name.strip_prefix(&self.prefix)?.to_owned();
        Some(TopicInfo { name, ..info })
    }
}

fn full_partition(prefix: &str, partition: &TopicPartition) -> TopicPartition {
    TopicPartition { topic: format!("{prefix}{}", partition.topic).into(), partition: partition.partition }
}

fn full_transaction(prefix: &str, mut transaction: Transaction) -> Transaction {
    for (to, _) in &mut transaction.appends {
        *to = full_partition(prefix, to);
    }
    for (_, partition, _) in &mut transaction.positions {
        *partition = full_partition(prefix, partition);
    }
    transaction
}

impl Writer for NamespaceWriter {
    fn send(&mut self, mut records: Vec<(TopicPartition, RecordChunk)>) -> Result<(), TopicError> {
        for (to, _) in &mut records {
            *to = full_partition(&self.prefix, to);
        }
        self.writer.send(records)
    }

    fn prepare(&mut self) -> Result<(), TopicError> {
        self.writer.prepare()
    }

    fn commit(&mut self, transaction: Transaction) -> Result<(), TopicError> {
        self.writer.commit(full_transaction(&self.prefix, transaction))
    }
}

impl Topics for Namespace {
    fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        self.topics.create(&self.full(name), config)
    }

    fn delete(&self, name: &str) -> Result<(), TopicError> {
        self.topics.delete(&self.full(name))
    }

    fn list(&self) -> Result<Vec<TopicInfo>, TopicError> {
        Ok(self.topics.list()?.into_iter().filter_map(|info| self.own(info)).collect())
    }

    fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError> {
        Ok(self.topics.describe(&self.full(name))?.and_then(|info| self.own(info)))
    }

    fn identity(&self, name: &str) -> Result<Option<String>, TopicError> {
        self.topics.identity(&self.full(name))
    }

    fn forget_group(&self, group: &str) -> Result<(), TopicError> {
        self.topics.forget_group(group)
    }

    fn consumers(&self, timeout: Duration) -> Result<Vec<TopicConsumers>, TopicError> {
        let own = |mut found: TopicConsumers| {
            found.topic = found.topic.strip_prefix(&self.prefix)?.to_owned();
            Some(found)
        };
        Ok(self.topics.consumers(timeout)?.into_iter().filter_map(own).collect())
    }

    fn fetch(
        &self,
        from: &TopicPartition,
        offset: i64,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<RecordChunk, TopicError> {
        self.topics.fetch(&self.full_partition(from), offset, rows_max, bytes_max)
    }

    fn start_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        self.topics.start_offset(&self.full_partition(partition))
    }

    fn end_offset(&self, partition: &TopicPartition) -> Result<i64, TopicError> {
        self.topics.end_offset(&self.full_partition(partition))
    }

    fn offset_for_time(&self, partition: &TopicPartition, timestamp_ms: i64) -> Result<i64, TopicError> {
        self.topics.offset_for_time(&self.full_partition(partition), timestamp_ms)
    }

    fn position(&self, group: &str, partition: &TopicPartition) -> Result<Option<Position>, TopicError> {
        self.topics.position(group, &self.full_partition(partition))
    }

    fn commit(&self, transaction: Transaction) -> Result<(), TopicError> {
        self.topics.commit(full_transaction(&self.prefix, transaction))
    }

    fn writer(self: Arc<Self>, name: &str) -> Box<dyn Writer> {
        let writer = Arc::clone(&self.topics).writer(name);
        Box::new(NamespaceWriter { writer, prefix: self.prefix.clone() })
    }

    fn has_more(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        self.topics.has_more(&self.full_partition(partition), offset)
    }

    fn is_drained(&self, partition: &TopicPartition, offset: i64) -> Result<bool, TopicError> {
        self.topics.is_drained(&self.full_partition(partition), offset)
    }

    fn known_end(&self, partition: &TopicPartition) -> Result<Option<i64>, TopicError> {
        self.topics.known_end(&self.full_partition(partition))
    }

    fn commits_at_intervals(&self) -> bool {
        self.topics.commits_at_intervals()
    }

    fn sends_early(&self) -> bool {
        self.topics.sends_early()
    }

    fn keeps_changelogs(&self) -> bool {
        self.topics.keeps_changelogs()
    }

    fn restored_to(&self, changelog: &TopicPartition) -> Result<Option<i64>, TopicError> {
        self.topics.restored_to(&self.full_partition(changelog))
    }

    fn note_restored(&self, changelog: &TopicPartition, offset: i64, writes: &mut WriteSet) {
        self.topics.note_restored(&self.full_partition(changelog), offset, writes);
    }

    fn forget_restored(&self, changelog: &TopicPartition, writes: &mut WriteSet) {
        self.topics.forget_restored(&self.full_partition(changelog), writes);
    }

    fn has_reached(&self, partition: &TopicPartition, offset: i64, end: i64) -> Result<bool, TopicError> {
        self.topics.has_reached(&self.full_partition(partition), offset, end)
    }

    fn holds_all(&self, group: &str, inputs: &[TopicPartition]) -> Result<bool, TopicError> {
        let inputs: Vec<TopicPartition> = inputs.iter().map(|input| self.full_partition(input)).collect();
        self.topics.holds_all(group, &inputs)
    }

    fn version(&self) -> u64 {
        self.topics.version()
    }

    fn wake(&self) {
        self.topics.wake();
    }

    fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        self.topics.wait(seen, timeout)
    }

    fn partition_for(&self, key: Option<&[u8]>, partitions: u32) -> u32 {
        self.topics.partition_for(key, partitions)
    }

    fn storage(&self) -> Arc<dyn KeyValue> {
        self.topics.storage()
    }
}
