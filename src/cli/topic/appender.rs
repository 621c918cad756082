//! Records on their way into a topic, collected into chunks.

use std::sync::Arc;

use super::TopicFailure;
use super::inspect::partitions;
use crate::cli::counted::counted;
use crate::topics::{TopicConfig, TopicPartition, Topics, Transaction};
use crate::types::RecordChunkBuilder;

/// A commit happens at the latest with so many rows per partition, or so many bytes in all.
const ROWS_MAX: usize = 4096;
const BYTES_MAX: usize = 4 << 20;

/// Appends records to one topic, in chunks per partition.
pub(super) struct Appender<'a> {
    topics: &'a dyn Topics,
    topic: Arc<str>,
    pending: Vec<RecordChunkBuilder>,
    pending_rows: usize,
    pending_bytes: usize,
    appended: u64,
    /// Whether there was no such topic before.
    created: bool,
}

impl<'a> Appender<'a> {
    /// An appender to the topic `name`, created first where there is none, with a notice. `wanted` partitions must be
    /// what an existing topic has.
    pub(super) fn open(
        topics: &'a dyn Topics,
        name: &str,
        wanted: Option<u32>,
        notices: &mut dyn std::io::Write,
    ) -> Result<Self, TopicFailure> {
        let there = topics.describe(name)?;
        let created = there.is_none();
        let count = match (there, wanted) {
            (Some(info), Some(wanted)) if info.config.partitions != wanted => {
                let there = partitions(info.config.partitions);
                return Err(TopicFailure::Options(format!("topic {name} exists already, with {there}, not {wanted}")));
            }
            (Some(info), _) => info.config.partitions,
            (None, wanted) => {
                let count = wanted.unwrap_or(1);
                topics.create(name, &TopicConfig::with_partitions(count))?;
                writeln!(notices, "created topic {name} with {}", partitions(count))?;
                count
            }
        };
        let pending = (0..count).map(|_| RecordChunkBuilder::new()).collect();
        Ok(Self { topics, topic: name.into(), pending, pending_rows: 0, pending_bytes: 0, appended: 0, created })
    }

    /// Takes a record; it is in the topic at the latest after the next [`Appender::commit`].
    pub(super) fn push(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: i64,
    ) -> Result<(), TopicFailure> {
        let partition = self.topics.partition_for(key, self.pending.len() as u32);
        self.pending[partition as usize].push(key, value, timestamp);
        self.pending_rows += 1;
        self.pending_bytes += key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        if self.pending_rows >= ROWS_MAX * self.pending.len() || self.pending_bytes >= BYTES_MAX {
            self.commit()?;
        }
        Ok(())
    }

    /// Appends all that was taken.
    pub(super) fn commit(&mut self) -> Result<(), TopicFailure> {
        if self.pending_rows == 0 {
            return Ok(());
        }
        let taken = self.pending.iter_mut().map(std::mem::take).zip(0..);
        let appends = taken
            .filter(|(builder, _)| !builder.is_empty())
            .map(|(builder, partition)| (TopicPartition { topic: self.topic.clone(), partition }, builder.finish()))
            .collect();
        self.topics.commit(Transaction { appends, ..Transaction::default() })?;
        self.appended += self.pending_rows as u64;
        (self.pending_rows, self.pending_bytes) = (0, 0);
        Ok(())
    }

    /// Records appended so far.
    pub(super) fn appended(&self) -> u64 {
        self.appended
    }

    /// Says how many records were appended. A topic that was made for them goes again when all of them were
    /// refused.
    pub(super) fn finish(self, refused: bool, notices: &mut dyn std::io::Write) -> Result<(), TopicFailure> {
        let Self { topics, topic, appended, created, .. } = self;
        if created && refused && appended == 0 {
            topics.delete(&topic)?;
            writeln!(notices, "deleted topic {topic} again")?;
            return Ok(());
        }
        writeln!(notices, "appended {} to topic {topic}", counted(appended, "record"))?;
        Ok(())
    }
}
