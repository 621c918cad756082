//! What a topic holds, committed, read with a bare client.
#![expect(clippy::disallowed_methods, reason = "what a cluster takes is real time")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the cluster may take for anything.
const PATIENCE: Duration = Duration::from_mins(2);
const LITTLE: Duration = Duration::from_millis(200);

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub partition: i32,
    pub offset: i64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

/// A record as it was read.
pub struct Record<'a> {
    pub place: Place,
    pub key: &'a [u8],
    pub value: Option<serde_json::Value>,
    pub time_ms: i64,
}

/// Reads all partitions of a topic, from the beginning on, `read_committed`.
pub struct Reader {
    consumer: BaseConsumer,
    bootstrap: String,
    topic: String,
    partitions: i32,
    ended: BTreeSet<i32>,
}

impl Reader {
    /// A reader of `topic`, which may have to be waited for.
    pub fn new(bootstrap: &str, topic: &str) -> Self {
        let consumer = consumer(bootstrap, "read_committed");
        let partitions = wait_for(&format!("topic {topic}"), || partitions(&consumer, topic));
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, Offset::Beginning).expect("a valid offset");
        }
        consumer.assign(&list).expect("partitions can be assigned");
        Self { consumer, bootstrap: bootstrap.to_owned(), topic: topic.to_owned(), partitions, ended: BTreeSet::new() }
    }

    /// Reads what is there; returns how many records that was.
    pub fn read(&mut self, take: &mut dyn FnMut(&Record<'_>)) -> u64 {
        let mut count = 0;
        while let Some(polled) = self.consumer.poll(LITTLE) {
            match polled {
                Ok(message) => {
                    take(&record(&message));
                    count += 1;
                }
                Err(KafkaError::PartitionEOF(partition)) => drop(self.ended.insert(partition)),
                // The client tries again; if that does not help, records are missed in the end.
                Err(_) => {}
            }
        }
        count
    }

    /// Reads everything there is, when nobody writes any more.
    pub fn read_all(&mut self, take: &mut dyn FnMut(&Record<'_>)) {
        wait_for(&format!("the transactions in topic {} to end", self.topic), || self.is_settled().then_some(()));
        wait_for(&format!("the end of topic {}", self.topic), || {
            self.read(take);
            (self.ended.len() == self.partitions as usize).then_some(())
        });
    }

    /// Whether no transaction is open in any partition: what is committed ends where the log ends.
    fn is_settled(&self) -> bool {
        let log = consumer(&self.bootstrap, "read_uncommitted");
        let end = |consumer: &BaseConsumer, partition| {
            consumer.fetch_watermarks(&self.topic, partition, TIMEOUT).ok().map(|(_, end)| end)
        };
        (0..self.partitions).all(|partition| {
            let committed = end(&self.consumer, partition);
            committed.is_some() && committed == end(&log, partition)
        })
    }
}

fn consumer(bootstrap: &str, isolation: &str) -> BaseConsumer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", "crash-verifier").set("isolation.level", isolation);
    config.set("enable.partition.eof", "true").set("enable.auto.commit", "false");
    config.create().expect("the settings are valid")
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Option<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).ok()?;
    let found = metadata.topics().first().filter(|topic| topic.error().is_none())?;
    Some(found.partitions().len() as i32).filter(|count| *count > 0)
}

fn record<'a>(message: &'a BorrowedMessage<'_>) -> Record<'a> {
    let parse = |bytes| serde_json::from_slice(bytes).expect("values are JSON");
    Record {
        place: Place { partition: message.partition(), offset: message.offset() },
        key: message.key().unwrap_or_default(),
        value: message.payload().map(parse),
        time_ms: message.timestamp().to_millis().unwrap_or(-1),
    }
}

/// Asks until there is an answer.
///
/// # Panics
/// When that takes minutes.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(LITTLE);
    }
}
