//! Records on their way into a topic, collected into chunks.

use std::sync::Arc;

use super::inspect::partitions;
use super::{Records, TopicFailure};
use crate::cli::counted::counted;
use crate::formats::{RecordCheck, RecordRefusal, Schemas, Side, Subject};
use crate::topics::{TopicConfig, TopicPartition, Topics, Transaction};
use crate::types::RecordChunkBuilder;

/// A commit happens at the latest with so many rows per partition, or so many bytes in all.
const ROWS_MAX: usize = 4096;
const BYTES_MAX: usize = 4 << 20;

/// Appends records to one topic, in chunks per partition.
pub(in crate::cli) struct Appender<'a> {
    topics: &'a dyn Topics,
    topic: Arc<str>,
    pending: Vec<RecordChunkBuilder>,
    pending_rows: usize,
    pending_bytes: usize,
    appended: u64,
    /// Whether there was no such topic before.
    created: bool,
    /// Of keys and of values, where the topic takes only those of registered schemas.
    checks: [Option<RecordCheck>; 2],
}

impl<'a> Appender<'a> {
    /// An appender to the topic `name`, created first where there is none, with a notice. `wanted` partitions must be
    /// what an existing topic has.
    pub(in crate::cli) fn open(
        records: Records<'a>,
        name: &str,
        wanted: Option<u32>,
        notices: &mut dyn std::io::Write,
    ) -> Result<Self, TopicFailure> {
        let topics = records.topics;
        let there = topics.describe(name)?;
        let created = there.is_none();
        let config = match (there, wanted) {
            (Some(info), Some(wanted)) if info.config.partitions != wanted => {
                let there = partitions(info.config.partitions);
                return Err(TopicFailure::Options(format!("topic {name} exists already, with {there}, not {wanted}")));
            }
            (Some(info), _) => info.config,
            (None, wanted) => {
                let config = TopicConfig::with_partitions(wanted.unwrap_or(1));
                topics.create(name, &config)?;
                writeln!(notices, "created topic {name} with {}", partitions(config.partitions))?;
                config
            }
        };
        let pending = (0..config.partitions).map(|_| RecordChunkBuilder::new()).collect();
        let checks = checks(records, name, &config)?;
        Ok(Self {
            topics,
            topic: name.into(),
            pending,
            pending_rows: 0,
            pending_bytes: 0,
            appended: 0,
            created,
            checks,
        })
    }

    /// Takes a record; it is in the topic at the latest after the next [`Appender::commit`]. The inner error says why the topic
    /// does not take it.
    pub(in crate::cli) fn push(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        timestamp: i64,
    ) -> Result<Result<(), String>, TopicFailure> {
        for (check, bytes) in self.checks.iter_mut().zip([key, value]) {
            match check.as_mut().map_or(Ok(()), |check| check.check(bytes)) {
                Ok(()) => {}
                Err(RecordRefusal::NotTaken(reason)) => return Ok(Err(reason)),
                Err(RecordRefusal::Unknown(error)) => return Err(error.into()),
            }
        }
        let partition = self.topics.partition_for(key, self.pending.len() as u32);
        self.pending[partition as usize].push(key, value, timestamp);
        self.pending_rows += 1;
        self.pending_bytes += key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        if self.pending_rows >= ROWS_MAX * self.pending.len() || self.pending_bytes >= BYTES_MAX {
            self.commit()?;
        }
        Ok(Ok(()))
    }

    /// Appends all that was taken.
    pub(in crate::cli) fn commit(&mut self) -> Result<(), TopicFailure> {
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
    pub(in crate::cli) fn appended(&self) -> u64 {
        self.appended
    }

    /// Says how many records were appended. A topic that was made for them goes again when all of them were
    /// refused.
    pub(in crate::cli) fn finish(self, refused: bool, notices: &mut dyn std::io::Write) -> Result<(), TopicFailure> {
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

/// What keys and values of the topic `name` are checked by.
fn checks(records: Records<'_>, name: &str, config: &TopicConfig) -> Result<[Option<RecordCheck>; 2], TopicFailure> {
    if !config.validates_keys() && !config.validates_values() {
        return Ok([None, None]);
    }
    let schemas = Schemas::new(records.registry()?);
    let check = |side| RecordCheck::new(&schemas, Subject { topic: name, side });
    Ok([config.validates_keys().then(|| check(Side::Key)), config.validates_values().then(|| check(Side::Value))])
}
