//! Topics of the cluster: made, found, removed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigEntry, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::types::{RDKafka, RDKafkaErrorCode};

use super::cluster_error;
use super::deadline::Deadline;
use crate::topics::{TopicConfig, TopicError, TopicInfo};

const TIMEOUT: Duration = Duration::from_secs(20);
/// How long the answer to a question about one topic is taken for true.
const FRESH: Duration = Duration::from_secs(10);
/// How long a change may take to be known to all brokers.
const SETTLED: Duration = Duration::from_secs(30);

/// Administration of topics.
pub(super) struct Admin {
    client: AdminClient<DefaultClientContext>,
    known: Mutex<HashMap<String, (TopicInfo, Deadline)>>,
    /// Topics that were found or made lately: a broker that does not know them yet will.
    expected: Mutex<HashMap<String, Deadline>>,
    replicas: i32,
}

impl Admin {
    /// `replicas`: replication factor of new topics, -1 for the brokers' default.
    pub(super) fn new(config: &ClientConfig, replicas: i32) -> Result<Self, TopicError> {
        let client = config.create().map_err(|error| cluster_error("cannot make a client", error))?;
        Ok(Self { client, known: Mutex::default(), expected: Mutex::default(), replicas })
    }

    /// The client, for calls of its own.
    pub(super) fn ptr(&self) -> *mut RDKafka {
        self.client.inner().native_ptr()
    }

    pub(super) fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        config.check(name)?;
        let settings = settings_of(config);
        let mut topic = NewTopic::new(name, config.partitions as i32, TopicReplication::Fixed(self.replicas));
        for (key, value) in &settings {
            topic = topic.set(key, value);
        }
        self.expected().insert(name.to_owned(), Deadline::after(SETTLED));
        let made = block_on(self.client.create_topics(&[topic], &options()));
        match made.map_err(|error| cluster_error(&format!("cannot create topic {name}"), error))?.pop() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {
                // Another server may have been faster, by so little that not all brokers know.
                self.wait_until(name, true)?;
                return Err(TopicError::TopicExists { topic: name.to_owned() });
            }
            Some(Err((_, code))) => {
                self.expected().remove(name);
                return Err(cluster_error(&format!("cannot create topic {name}"), code));
            }
            _ => {}
        }
        self.wait_until(name, true)
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), TopicError> {
        let gone = block_on(self.client.delete_topics(&[name], &options()));
        self.forget(name);
        match gone.map_err(|error| cluster_error(&format!("cannot delete topic {name}"), error))?.pop() {
            Some(Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic))) => {
                Err(TopicError::UnknownTopic { topic: name.to_owned() })
            }
            Some(Err((_, code))) => Err(cluster_error(&format!("cannot delete topic {name}"), code)),
            _ => self.wait_until(name, false),
        }
    }

    /// Waits until the brokers agree that the topic is there, with leaders, or is not.
    fn wait_until(&self, name: &str, present: bool) -> Result<(), TopicError> {
        let deadline = Deadline::after(SETTLED);
        while self.partition_counts(Some(name), TIMEOUT)?.contains_key(name) != present {
            if !deadline.pause(Duration::from_millis(20)) {
                return Err(cluster_error(&format!("topic {name}"), "the brokers do not agree on the change in time"));
            }
        }
        Ok(())
    }

    /// Number of partitions of one topic or all, where every partition has a leader.
    fn partition_counts(&self, name: Option<&str>, timeout: Duration) -> Result<BTreeMap<String, u32>, TopicError> {
        let metadata = self.client.inner().fetch_metadata(name, timeout);
        let metadata = metadata.map_err(|error| cluster_error("no answer", error))?;
        let is_there = |topic: &&rdkafka::metadata::MetadataTopic| {
            topic.error().is_none()
                && !topic.partitions().is_empty()
                && topic.partitions().iter().all(|partition| partition.leader() >= 0)
        };
        let topics = metadata.topics().iter().filter(is_there);
        Ok(topics.map(|topic| (topic.name().to_owned(), topic.partitions().len() as u32)).collect())
    }

    /// One topic, if it exists; the answer may be a few seconds old.
    pub(super) fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError> {
        if let Some((info, fresh)) = self.known().get(name)
            && !fresh.is_over()
        {
            return Ok(Some(info.clone()));
        }
        let partitions = loop {
            if let Some(&partitions) = self.partition_counts(Some(name), TIMEOUT)?.get(name) {
                break partitions;
            }
            let expected = self.expected().get(name).copied();
            if !expected.is_some_and(|deadline| deadline.pause(Duration::from_millis(20))) {
                return Ok(None);
            }
        };
        let info = self.with_settings(&BTreeMap::from([(name.to_owned(), partitions)]))?.pop();
        if let Some(info) = &info {
            self.known().insert(name.to_owned(), (info.clone(), Deadline::after(FRESH)));
        }
        Ok(info)
    }

    /// All topics, ordered by name.
    pub(super) fn list(&self) -> Result<Vec<TopicInfo>, TopicError> {
        let mut counts = self.partition_counts(None, TIMEOUT)?;
        counts.retain(|name, _| !name.starts_with("__"));
        self.with_settings(&counts)
    }

    fn with_settings(&self, counts: &BTreeMap<String, u32>) -> Result<Vec<TopicInfo>, TopicError> {
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let resources: Vec<ResourceSpecifier<'_>> = counts.keys().map(|name| ResourceSpecifier::Topic(name)).collect();
        let described = block_on(self.client.describe_configs(&resources, &options()));
        let described = described.map_err(|error| cluster_error("cannot read the settings of topics", error))?;
        let infos = counts.iter().zip(described).map(|((name, &partitions), resource)| {
            let entries = resource.map(|resource| resource.entries).unwrap_or_default();
            TopicInfo { name: name.clone(), config: config_of(partitions, &entries) }
        });
        Ok(infos.collect())
    }

    pub(super) fn forget(&self, name: &str) {
        self.known().remove(name);
        self.expected().remove(name);
    }

    fn expected(&self) -> std::sync::MutexGuard<'_, HashMap<String, Deadline>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, (TopicInfo, Deadline)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT))
}

/// The settings of Kafka for `config`.
fn settings_of(config: &TopicConfig) -> Vec<(&'static str, String)> {
    let policy = match (config.compact, config.retention_ms) {
        (true, Some(_)) => "compact,delete",
        (true, None) => "compact",
        (false, _) => "delete",
    };
    let mut settings = vec![("cleanup.policy", policy.to_owned())];
    settings.push(("retention.ms", config.retention_ms.unwrap_or(-1).to_string()));
    settings.extend(config.retention_bytes.map(|bytes| ("retention.bytes", bytes.to_string())));
    settings
}

fn config_of(partitions: u32, entries: &[ConfigEntry]) -> TopicConfig {
    let value = |name: &str| entries.iter().find(|entry| entry.name == name).and_then(|entry| entry.value.as_deref());
    let number = |name: &str| value(name).and_then(|value| value.parse::<i64>().ok()).filter(|number| *number >= 0);
    let policy = value("cleanup.policy").unwrap_or("delete");
    TopicConfig {
        partitions,
        compact: policy.contains("compact"),
        retention_ms: number("retention.ms").filter(|_| policy.contains("delete")),
        retention_bytes: number("retention.bytes").map(|bytes| bytes as u64),
    }
}
