//! Topics as statements need them: what analysis asks about them, which a statement creates or deletes.

use std::cell::RefCell;

use super::EngineError;
use crate::plan::{Planned, SchemaValidation, TopicFacts, TopicLookup};
use crate::topics::{TopicConfig, TopicError, Topics};

/// Topics as analysis sees them. It takes one that cannot be asked about for one that does not exist; [`Known::check`] says
/// what was wrong.
pub(super) struct Known<'a> {
    topics: &'a dyn Topics,
    failure: RefCell<Option<TopicError>>,
}

impl<'a> Known<'a> {
    pub(super) fn new(topics: &'a dyn Topics) -> Self {
        Self { topics, failure: RefCell::default() }
    }

    /// Fails with the first question that was not answered.
    pub(super) fn check(self) -> Result<(), EngineError> {
        self.failure.into_inner().map_or(Ok(()), |error| Err(error.into()))
    }
}

impl TopicLookup for Known<'_> {
    fn find(&self, topic: &str) -> Option<TopicFacts> {
        match self.topics.describe(topic) {
            Ok(info) => info.map(|info| facts(&info.config)),
            Err(error) => {
                self.failure.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn shares_decodes(&self) -> bool {
        self.topics.shares_fetches()
    }
}

/// What analysis is told of a topic with the settings `config`.
pub(super) fn facts(config: &TopicConfig) -> TopicFacts {
    let &TopicConfig { partitions, replicas, retention_ms, .. } = config;
    let validation = SchemaValidation { keys: config.validates_keys(), values: config.validates_values() };
    // A cluster's brokers check records, and tell nobody which.
    let validation = replicas.is_none().then_some(validation);
    TopicFacts { partitions, replicas, retention_ms, validation }
}

/// The topic that `planned` creates, with its settings.
pub(super) fn created(planned: &Planned) -> Option<(&str, TopicConfig)> {
    match planned {
        Planned::CreateSource(create) => {
            let config = TopicConfig {
                replicas: create.replicas,
                retention_ms: create.retention_ms.filter(|retention| *retention >= 0),
                default_retention: create.retention_ms.is_none(),
                ..TopicConfig::with_partitions(create.partitions?)
            };
            let SchemaValidation { keys, values } = create.validation;
            Some((&create.source.topic, config.with_schema_validation(keys, values)))
        }
        Planned::CreateAs(create) if !create.topic.exists => {
            let config = TopicConfig {
                compact: create.topic.compact,
                replicas: create.topic.replicas,
                retention_ms: create.topic.retention_ms,
                ..TopicConfig::with_partitions(create.topic.partitions.unwrap_or(1))
            };
            let SchemaValidation { keys, values } = create.topic.validation;
            Some((&create.topic.name, config.with_schema_validation(keys, values)))
        }
        _ => None,
    }
}

/// Whether the topic that `planned` creates may be called and set up so.
pub(super) fn check(planned: &Planned) -> Result<(), EngineError> {
    created(planned).map_or(Ok(()), |(name, config)| Ok(config.check(name)?))
}

/// Creates the topic that `planned` needs; its name, if it was not there.
pub(super) fn create<'p>(topics: &dyn Topics, planned: &'p Planned) -> Result<Option<&'p str>, EngineError> {
    let Some((name, config)) = created(planned) else { return Ok(None) };
    match topics.create(name, &config) {
        Ok(()) => Ok(Some(name)),
        Err(TopicError::TopicExists { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the topic `created` again, for a statement that is refused after all.
pub(super) fn take_back(topics: &dyn Topics, created: Option<&str>) {
    if let Some(topic) = created
        && let Err(error) = topics.delete(topic)
    {
        tracing::warn!(topic, "a topic that was created for nothing is still there: {error}");
    }
}

/// Deletes `topic` of the stream or table `source`, which is dropped already; it may be gone.
pub(super) fn delete(topics: &dyn Topics, source: &str, topic: &str) -> Result<(), EngineError> {
    match topics.delete(topic) {
        Ok(()) | Err(TopicError::UnknownTopic { .. }) => Ok(()),
        Err(error) => Err(EngineError::new(format!("`{source}` was dropped, but its topic is still there: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics::MemoryTopics;

    #[test]
    fn a_topic_that_exists_is_known_with_its_retention() {
        let topics = MemoryTopics::new();
        let config = TopicConfig { retention_ms: Some(7), ..TopicConfig::with_partitions(3) };
        topics.create("a", &config).expect("a new topic");
        let known = Known::new(&topics);
        let validation = Some(SchemaValidation::default());
        let facts = TopicFacts { partitions: 3, replicas: None, retention_ms: Some(7), validation };
        assert_eq!(known.find("a"), Some(facts));
        assert_eq!(known.find("b"), None);
        known.check().expect("every question was answered");
    }

    #[test]
    fn a_topic_that_is_gone_is_no_failure() {
        delete(&MemoryTopics::new(), "A", "a").expect("there is nothing to delete");
    }
}
