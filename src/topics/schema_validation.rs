//! Topics that take only records of registered schemas: the settings that ask for it, by Confluent Server's names.
//!
//! | setting | |
//! |---|---|
//! | `confluent.key.schema.validation`, `confluent.value.schema.validation` | `true`: keys, values begin with the id of a schema of their subject |
//! | `confluent.key.subject.name.strategy`, `confluent.value.subject.name.strategy` | which subject that is: `TopicNameStrategy` |
//!
//! The names may stand without `confluent.`. Brokers of Confluent Server check what is written; embedded topics keep the settings, and
//! whoever writes to them checks.

use super::{TopicConfig, TopicError};

const PREFIX: &str = "confluent.";
const OF_KEYS: &str = "confluent.key.schema.validation";
const OF_VALUES: &str = "confluent.value.schema.validation";
const STRATEGIES: [&str; 2] = ["confluent.key.subject.name.strategy", "confluent.value.subject.name.strategy"];

impl TopicConfig {
    /// These settings, and further ones by Kafka's names.
    #[must_use]
    pub fn with_settings(mut self, settings: impl IntoIterator<Item = (String, String)>) -> Self {
        self.settings.extend(settings.into_iter().map(|(name, value)| (full_name(name), value)));
        self
    }

    /// These settings for a topic that takes only keys, only values of registered schemas.
    #[must_use]
    pub fn with_schema_validation(mut self, keys: bool, values: bool) -> Self {
        for (name, _) in [(OF_KEYS, keys), (OF_VALUES, values)].into_iter().filter(|(_, is_on)| *is_on) {
            self.settings.insert(name.to_owned(), "true".to_owned());
        }
        self
    }

    /// Whether keys must be of registered schemas.
    pub fn validates_keys(&self) -> bool {
        self.is_on(OF_KEYS)
    }

    /// Whether values must be of registered schemas.
    pub fn validates_values(&self) -> bool {
        self.is_on(OF_VALUES)
    }

    fn is_on(&self, name: &str) -> bool {
        self.settings.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Checks the settings of a new topic `name` that no broker will check.
    pub(super) fn check_schema_validation(&self, name: &str) -> Result<(), TopicError> {
        let invalid = |reason| Err(TopicError::InvalidConfig { topic: name.to_owned(), reason });
        let value = |name: &str| self.settings.get(name).map(|value| value.trim());
        let is_boolean = |value: &str| ["true", "false"].iter().any(|known| known.eq_ignore_ascii_case(value));
        if value(OF_KEYS).is_some_and(|value| !is_boolean(value)) {
            return invalid("confluent.key.schema.validation is true or false");
        }
        if value(OF_VALUES).is_some_and(|value| !is_boolean(value)) {
            return invalid("confluent.value.schema.validation is true or false");
        }
        // With or without the package that Java's class is in.
        let is_of_topics = |strategy: &str| strategy.rsplit('.').next() == Some("TopicNameStrategy");
        if STRATEGIES.iter().filter_map(|name| value(name)).any(|strategy| !is_of_topics(strategy)) {
            return invalid(
                "the only subject.name.strategy is TopicNameStrategy: subjects are <topic>-key and <topic>-value",
            );
        }
        Ok(())
    }
}

/// Confluent's name of a setting that may stand without `confluent.`.
fn full_name(name: String) -> String {
    let full = format!("{PREFIX}{name}");
    let is_known = [OF_KEYS, OF_VALUES].iter().chain(&STRATEGIES).any(|known| *known == full);
    if is_known { full } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> TopicConfig {
        let settings = settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        TopicConfig::with_partitions(1).with_settings(settings)
    }

    #[test]
    fn both_spellings_of_a_setting_are_one() {
        for name in ["value.schema.validation", "confluent.value.schema.validation"] {
            let config = config(&[(name, "TRUE")]);
            assert!(config.validates_values() && !config.validates_keys());
            assert_eq!(config.settings.keys().collect::<Vec<_>>(), ["confluent.value.schema.validation"]);
        }
        assert!(!config(&[("key.schema.validation", "false")]).validates_keys());
        assert!(config(&[]).with_schema_validation(true, false).validates_keys());
        assert_eq!(config(&[("segment.bytes", "7")]).settings.keys().collect::<Vec<_>>(), ["segment.bytes"]);
    }

    #[test]
    fn settings_that_ask_for_what_is_not_there_are_refused() {
        let check = |name: &str, value: &str| config(&[(name, value)]).check_schema_validation("t");
        let of_topics = "io.confluent.kafka.serializers.subject.TopicNameStrategy";
        assert!(check("value.subject.name.strategy", of_topics).is_ok());
        let message = |outcome: Result<(), TopicError>| outcome.expect_err("no such value").to_string();
        let strategy = check("confluent.key.subject.name.strategy", &of_topics.replace("Topic", "TopicRecord"));
        assert!(message(strategy).contains("the only subject.name.strategy is TopicNameStrategy"));
        let text = "topic t cannot be created: confluent.key.schema.validation is true or false";
        assert_eq!(message(check("key.schema.validation", "yes")), text);
    }
}
