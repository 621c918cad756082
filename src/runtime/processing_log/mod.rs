//! The processing log: what went wrong with single records, as records of a topic, laid out as ksqlDB lays them out
//! (surface 9.3, semantics 8.6).
//!
//! ```text
//! tasks ── record() ──▶ entries, bounded ── write(), now and then, off the data path ──▶ topic
//!             └─ no room: counted, left out
//! ```
//!
//! Dead letters hold the same records with their bytes; this log is for who reads ksqlDB's.

mod message;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::clock::Clock;
use super::lock;
use crate::metrics::{Counter, Metric, Registry};
use crate::topics::{TopicError, TopicPartition, Topics, Transaction};
use crate::types::RecordChunkBuilder;

pub use message::{Logger, Message};

/// Entries between two writes; what comes beyond is counted and left out.
const ENTRIES_MAX: usize = 2_000;

const WRITTEN: Metric =
    Metric::counter("levada_processing_log_written_total", "Entries that were written to the processing log.");
const LEFT_OUT: Metric = Metric::counter(
    "levada_processing_log_left_out_total",
    "Entries that the processing log has left out, because there were too many at once or its topic could not be written.",
);

/// Where the log goes, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// The topic.
    pub topic: String,
    /// Whether entries hold what is in the records (`ksql.logging.processing.rows.include`).
    pub includes_rows: bool,
}

/// Collects entries for the log.
pub struct ProcessingLog {
    /// `None`: there is no log.
    to: Option<Target>,
}

struct Target {
    settings: LogSettings,
    clock: Arc<dyn Clock>,
    entries: Mutex<Vec<Entry>>,
    waiting: AtomicUsize,
    written: Counter,
    left_out: Counter,
    /// Whether it was said that entries are left out, since the last write without any.
    told: AtomicBool,
    /// Whether the last write has failed.
    failing: AtomicBool,
}

/// Something that went wrong.
struct Entry {
    logger: Logger,
    time_ms: i64,
    message: Message,
}

impl ProcessingLog {
    /// No log.
    pub fn off() -> Arc<Self> {
        Arc::new(Self { to: None })
    }

    /// A log as `settings` say, whose entries are counted in `metrics`.
    pub fn new(settings: LogSettings, clock: Arc<dyn Clock>, metrics: &Registry) -> Arc<Self> {
        let (written, left_out) = (metrics.counter(&WRITTEN, &[]), metrics.counter(&LEFT_OUT, &[]));
        let (entries, waiting) = (Mutex::default(), AtomicUsize::new(0));
        let (told, failing) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { to: Some(Target { settings, clock, entries, waiting, written, left_out, told, failing }) })
    }

    /// Whether there is a log.
    pub fn is_on(&self) -> bool {
        self.to.is_some()
    }

    /// Whether the log goes to `topic`.
    pub fn is_written_to(&self, topic: &str) -> bool {
        self.to.as_ref().is_some_and(|to| to.settings.topic == topic)
    }

    /// Takes an entry: `message` is made if there is room, and is told whether to hold what is in the record.
    pub fn record(&self, logger: &Logger, message: impl FnOnce(bool) -> Message) {
        let Some(to) = &self.to else { return };
        if to.waiting.fetch_add(1, Ordering::Relaxed) >= ENTRIES_MAX {
            to.left_out.increment();
            return;
        }
        let message = message(to.settings.includes_rows);
        let entry = Entry { logger: logger.clone(), time_ms: to.clock.now_ms(), message };
        lock(&to.entries).push(entry);
    }

    /// Writes the entries so far; returns how many.
    ///
    /// # Errors
    /// Where the topic cannot be written. The entries are counted as left out: they are in the server's own log, and their
    /// records among the dead letters.
    pub fn write(&self, topics: &dyn Topics) -> Result<usize, TopicError> {
        let Some(to) = &self.to else { return Ok(0) };
        let entries = std::mem::take(&mut *lock(&to.entries));
        let asked = to.waiting.swap(0, Ordering::Relaxed);
        to.tell(asked.saturating_sub(ENTRIES_MAX));
        if entries.is_empty() {
            return Ok(0);
        }
        let count = entries.len();
        let written = to.append(&entries, topics);
        let counter = if written.is_ok() { &to.written } else { &to.left_out };
        counter.add(count as u64);
        if let (Err(error), false) = (&written, to.failing.swap(written.is_err(), Ordering::Relaxed)) {
            let topic = &to.settings.topic;
            tracing::error!(topic, "entries of the processing log are left out until it can be written: {error}");
        }
        written.map(|()| count)
    }
}

impl Target {
    /// Says once that entries are left out, until none are.
    fn tell(&self, left_out: usize) {
        if left_out == 0 {
            self.told.store(false, Ordering::Relaxed);
        } else if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                topic = self.settings.topic,
                "the processing log leaves entries out, {left_out} so far: more than {ENTRIES_MAX} at a time are too many"
            );
        }
    }

    fn append(&self, entries: &[Entry], topics: &dyn Topics) -> Result<(), TopicError> {
        let topic = &self.settings.topic;
        let unknown = || TopicError::UnknownTopic { topic: topic.clone() };
        let partitions = topics.describe(topic)?.ok_or_else(unknown)?.config.partitions;
        let mut records = RecordChunkBuilder::new();
        for entry in entries {
            records.push(
                None,
                Some(message::json(entry.logger.name(), entry.time_ms, &entry.message).as_bytes()),
                entry.time_ms,
            );
        }
        let partition = topics.partition_for(None, partitions);
        let to = TopicPartition { topic: topic.as_str().into(), partition };
        topics.commit(Transaction { appends: vec![(to, records.finish())], ..Transaction::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::ManualClock;
    use crate::topics::{MemoryTopics, TopicConfig};

    fn log(topics: &MemoryTopics, registry: &Registry) -> Arc<ProcessingLog> {
        topics.create("log", &TopicConfig::with_partitions(1)).expect("a new topic");
        let settings = LogSettings { topic: "log".to_owned(), includes_rows: false };
        ProcessingLog::new(settings, Arc::new(ManualClock::default()), registry)
    }

    fn failed(_: bool) -> Message {
        Message::Production { reason: "the disk is full".to_owned() }
    }

    #[test]
    fn a_flood_is_cut_and_what_is_left_out_is_counted() {
        let (topics, registry) = (MemoryTopics::new(), Registry::default());
        let log = log(&topics, &registry);
        let logger = Logger::new("Q_1", "Project");
        (0..ENTRIES_MAX + 7).for_each(|_| log.record(&logger, failed));
        assert_eq!(log.write(&topics).expect("memory takes it"), ENTRIES_MAX);
        assert_eq!(registry.counter(&LEFT_OUT, &[]).get(), 7);
        log.record(&logger, failed);
        assert_eq!(log.write(&topics).expect("memory takes it"), 1, "there is room again");
        assert_eq!(registry.counter(&WRITTEN, &[]).get(), ENTRIES_MAX as u64 + 1);
    }

    #[test]
    fn without_its_topic_entries_are_left_out() {
        let (topics, registry) = (MemoryTopics::new(), Registry::default());
        let log = log(&topics, &registry);
        topics.delete("log").expect("it is there");
        log.record(&Logger::new("Q_1", "Project"), failed);
        assert!(log.write(&topics).is_err());
        assert_eq!(registry.counter(&LEFT_OUT, &[]).get(), 1);
    }

    #[test]
    fn no_log_takes_nothing() {
        let log = ProcessingLog::off();
        log.record(&Logger::new("Q_1", "Project"), |_| unreachable!("nobody reads it"));
        assert_eq!(log.write(&MemoryTopics::new()).expect("nothing to do"), 0);
    }
}
