//! Topics of the cluster: made, found, removed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};
use rdkafka::types::{RDKafka, RDKafkaErrorCode};

use super::cluster_error;
use super::deadline::Deadline;
use super::lock;
use super::readers::Readers;
use super::refusal::{Caller, Needs, is_refusal};
use super::topic_id::topic_id;
use super::topic_settings::{InternalTopics, config_of};
use crate::topics::{TopicConfig, TopicError, TopicInfo, TopicPartition};

const TIMEOUT: Duration = Duration::from_secs(20);
/// How long the answer to a question about one topic is taken for true, unless the client looks more often.
const FRESH: Duration = Duration::from_secs(10);
/// How long a change may take to be known to all brokers.
const SETTLED: Duration = Duration::from_secs(30);

/// Administration of topics.
pub(super) struct Admin {
    client: AdminClient<DefaultClientContext>,
    known: Mutex<HashMap<String, Known>>,
    /// How long the answer to a question about one topic is taken for true.
    fresh: Duration,
    /// Topics that were found or made lately: a broker that does not know them yet will.
    expected: Mutex<HashMap<String, Deadline>>,
    internal: InternalTopics,
    caller: Caller,
    /// They have records of topics that may be deleted meanwhile.
    readers: Arc<Readers>,
}

/// What was found out about a topic, and until when it is taken for true.
struct Known {
    info: TopicInfo,
    id: Option<String>,
    until: Deadline,
}

/// What the metadata say of a topic.
struct Layout {
    /// Copies of each partition.
    replicas: Vec<u16>,
}

impl Admin {
    /// `internal`: what internal topics are made like. `readers` let go of topics that are gone.
    pub(super) fn new(
        config: &ClientConfig,
        internal: InternalTopics,
        readers: Arc<Readers>,
    ) -> Result<Self, TopicError> {
        let client = config.create().map_err(|error| cluster_error("cannot make a client", error))?;
        let age = config.get("metadata.max.age.ms").and_then(|age| age.parse().ok()).map(Duration::from_millis);
        let fresh = age.map_or(FRESH, |age| age.min(FRESH));
        Ok(Self {
            client,
            known: Mutex::default(),
            expected: Mutex::default(),
            fresh,
            internal,
            caller: Caller::of(config),
            readers,
        })
    }

    /// The client, for calls of its own.
    pub(super) fn ptr(&self) -> *mut RDKafka {
        self.client.inner().native_ptr()
    }

    pub(super) fn create(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        config.check(name)?;
        let settings = self.internal.settings(config);
        let replicas = TopicReplication::Fixed(self.internal.replicas(config));
        let mut topic = NewTopic::new(name, config.partitions as i32, replicas);
        for (key, value) in &settings {
            topic = topic.set(key, value);
        }
        lock(&self.expected).insert(name.to_owned(), Deadline::after(SETTLED));
        let (doing, needs) = (format!("cannot create topic {name}"), Needs::topic("Create", name));
        let made = block_on(self.client.create_topics(&[topic], &options()));
        match made.map_err(|error| self.caller.failed_client(&doing, needs, &error))?.pop() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => {
                // Another server may have been faster, by so little that not all brokers know.
                self.wait_until(name, true)?;
                return Err(TopicError::TopicExists { topic: name.to_owned() });
            }
            Some(Err((_, code))) => {
                lock(&self.expected).remove(name);
                return Err(self.caller.failed(&doing, needs, code));
            }
            _ => {}
        }
        self.wait_until(name, true)
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), TopicError> {
        let (doing, needs) = (format!("cannot delete topic {name}"), Needs::topic("Delete", name));
        let gone = block_on(self.client.delete_topics(&[name], &options()));
        lock(&self.expected).remove(name);
        self.doubt(name);
        match gone.map_err(|error| self.caller.failed_client(&doing, needs, &error))?.pop() {
            Some(Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic))) => {
                Err(TopicError::UnknownTopic { topic: name.to_owned() })
            }
            Some(Err((_, code))) => Err(self.caller.failed(&doing, needs, code)),
            _ => self.wait_until(name, false),
        }
    }

    /// Removes a consumer group that has no members; one that is not there is gone already.
    pub(super) fn delete_group(&self, group: &str) -> Result<(), TopicError> {
        let (doing, needs) = (format!("cannot delete consumer group {group}"), Needs::group(group));
        let gone = block_on(self.client.delete_groups(&[group], &options()));
        match gone.map_err(|error| self.caller.failed_client(&doing, needs, &error))?.pop() {
            Some(Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound))) | None => Ok(()),
            Some(Err((_, code))) => Err(self.caller.failed(&doing, needs, code)),
        }
    }

    /// Deletes the records before `offsets`.
    pub(super) fn delete_records(&self, offsets: &[(TopicPartition, i64)]) -> Result<(), TopicError> {
        let failed = |error: KafkaError| {
            let topic = offsets.first().map_or("*", |(partition, _)| &*partition.topic);
            self.caller.failed_client("records that were read cannot be deleted", Needs::topic("Delete", topic), &error)
        };
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let offset = Offset::Offset(*offset);
            list.add_partition_offset(&partition.topic, partition.partition as i32, offset).map_err(failed)?;
        }
        let done = block_on(self.client.delete_records(&list, &options())).map_err(failed)?;
        done.elements().iter().try_for_each(TopicPartitionListElem::error).map_err(failed)
    }

    /// Waits until the brokers agree that the topic is there, with leaders, or is not.
    fn wait_until(&self, name: &str, present: bool) -> Result<(), TopicError> {
        let deadline = Deadline::after(SETTLED);
        while self.layouts(Some(name))?.contains_key(name) != present {
            if !deadline.pause(Duration::from_millis(20)) {
                return Err(cluster_error(&format!("topic {name}"), "the brokers do not agree on the change in time"));
            }
        }
        Ok(())
    }

    /// One topic or all, where every partition has a leader.
    fn layouts(&self, name: Option<&str>) -> Result<BTreeMap<String, Layout>, TopicError> {
        let metadata = self.client.inner().fetch_metadata(name, TIMEOUT);
        let metadata = metadata.map_err(|error| cluster_error("no answer", error))?;
        let mut layouts = BTreeMap::new();
        for topic in metadata.topics() {
            if let (Some(name), Some(code)) = (name, topic.error().map(RDKafkaErrorCode::from))
                && is_refusal(code)
            {
                let doing = format!("cannot look at topic {name}");
                return Err(self.caller.failed(&doing, Needs::topic("Describe", name), code));
            }
            let has_leaders = topic.partitions().iter().all(|partition| partition.leader() >= 0);
            if topic.error().is_none() && !topic.partitions().is_empty() && has_leaders {
                let replicas = topic.partitions().iter().map(|partition| partition.replicas().len() as u16);
                layouts.insert(topic.name().to_owned(), Layout { replicas: replicas.collect() });
            }
        }
        Ok(layouts)
    }

    /// One topic, if it exists; the answer may be a few seconds old.
    pub(super) fn describe(&self, name: &str) -> Result<Option<TopicInfo>, TopicError> {
        Ok(self.look(name)?.map(|(info, _)| info))
    }

    /// The id of a topic, which another one of the same name has not; the answer may be a few seconds old.
    pub(super) fn identity(&self, name: &str) -> Result<Option<String>, TopicError> {
        Ok(self.look(name)?.and_then(|(_, id)| id))
    }

    fn look(&self, name: &str) -> Result<Option<(TopicInfo, Option<String>)>, TopicError> {
        if let Some(known) = lock(&self.known).get(name).filter(|known| !known.until.is_over()) {
            return Ok(Some((known.info.clone(), known.id.clone())));
        }
        let layouts = loop {
            let layouts = self.layouts(Some(name))?;
            let expected = lock(&self.expected).get(name).copied();
            if !layouts.is_empty() || !expected.is_some_and(|deadline| deadline.pause(Duration::from_millis(20))) {
                break layouts;
            }
        };
        let Some(info) = self.with_settings(&layouts)?.pop() else {
            lock(&self.expected).remove(name);
            if lock(&self.known).remove(name).is_some() {
                self.readers.forget(name);
            }
            return Ok(None);
        };
        let id = topic_id(self.ptr(), name, TIMEOUT).map_err(|error| {
            let doing = format!("cannot look at topic {name}");
            self.caller.failed_native(&doing, Needs::topic("Describe", name), error)
        })?;
        let now = Known { info: info.clone(), id: id.clone(), until: Deadline::after(self.fresh) };
        let mut known = lock(&self.known);
        if known.get(name).is_some_and(|before| before.id != id) {
            // What was fetched is of a topic that is no more.
            self.readers.forget(name);
        }
        known.insert(name.to_owned(), now);
        Ok(Some((info, id)))
    }

    /// All topics, ordered by name.
    pub(super) fn list(&self) -> Result<Vec<TopicInfo>, TopicError> {
        self.with_settings(&self.layouts(None)?)
    }

    fn with_settings(&self, layouts: &BTreeMap<String, Layout>) -> Result<Vec<TopicInfo>, TopicError> {
        if layouts.is_empty() {
            return Ok(Vec::new());
        }
        let resources: Vec<ResourceSpecifier<'_>> = layouts.keys().map(|name| ResourceSpecifier::Topic(name)).collect();
        let described = block_on(self.client.describe_configs(&resources, &options()));
        let described = described.map_err(|error| cluster_error("cannot read the settings of topics", error))?;
        let infos = layouts.iter().zip(described).map(|((name, layout), resource)| {
            // Who may not see the settings can still read and write.
            let entries = resource.map(|resource| resource.entries).unwrap_or_default();
            let config = config_of(layout.replicas.len() as u32, layout.replicas[0], &entries);
            TopicInfo { name: name.clone(), config, replicas: layout.replicas.clone() }
        });
        Ok(infos.collect())
    }

    /// Asks the cluster the next time.
    pub(super) fn doubt(&self, name: &str) {
        if let Some(known) = lock(&self.known).get_mut(name) {
            known.until = Deadline::after(Duration::ZERO);
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT))
}
