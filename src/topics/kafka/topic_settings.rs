//! Settings of topics: ours to Kafka's and back, and what the server's properties say of internal topics.
//!
//! | property | for internal topics |
//! |---|---|
//! | `ksql.streams.replication.factor` | copies of each partition |
//! | `ksql.streams.topic.x` | the setting `x`, over what Levada asks for |
//! | `ksql.streams.windowstore.changelog.additional.retention.ms` | how much longer changelogs keep windows than their stores |

use std::collections::BTreeMap;

use rdkafka::admin::ConfigEntry;

use crate::topics::properties::in_order;
use crate::topics::{RECORD_BYTES_MAX, TopicConfig};

/// As in Kafka Streams: a day.
const ADDITIONAL_RETENTION_MS: i64 = 86_400_000;

/// What is asked of internal topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InternalTopics {
    replicas: i32,
    additional_retention_ms: i64,
    settings: BTreeMap<String, String>,
}

impl InternalTopics {
    /// What `properties` ask for.
    pub(super) fn new(properties: &BTreeMap<String, String>) -> Self {
        let mut found =
            Self { replicas: -1, additional_retention_ms: ADDITIONAL_RETENTION_MS, settings: BTreeMap::new() };
        for (name, value) in in_order(properties) {
            match (name, value.trim().parse::<i64>()) {
                ("replication.factor", Ok(replicas)) => found.replicas = replicas as i32,
                ("windowstore.changelog.additional.retention.ms", Ok(retention)) => {
                    found.additional_retention_ms = retention;
                }
                _ => {
                    if let Some(setting) = name.strip_prefix("topic.") {
                        found.settings.insert(setting.to_owned(), value.to_owned());
                    }
                }
            }
        }
        found
    }

    /// Copies of each partition of a topic with `config`; -1: as many as the brokers make by default.
    pub(super) fn replicas(&self, config: &TopicConfig) -> i32 {
        let default = if config.internal { self.replicas } else { -1 };
        config.replicas.map_or(default, i32::from)
    }

    /// The settings of a new topic.
    pub(super) fn settings(&self, config: &TopicConfig) -> BTreeMap<String, String> {
        let additional = if config.internal && config.compact { self.additional_retention_ms } else { 0 };
        let retention_ms = config.retention_ms.map(|retention| retention.saturating_add(additional));
        let mut settings = config.settings.clone();
        let policy = match (config.compact, retention_ms) {
            (true, Some(_)) => "compact,delete",
            (true, None) => "compact",
            (false, _) => "delete",
        };
        settings.insert("cleanup.policy".to_owned(), policy.to_owned());
        if retention_ms.is_some() || !(config.compact || config.default_retention) {
            settings.insert("retention.ms".to_owned(), retention_ms.unwrap_or(-1).to_string());
        }
        if let Some(bytes) = config.retention_bytes {
            settings.insert("retention.bytes".to_owned(), bytes.to_string());
        }
        if config.internal {
            settings.extend(self.settings.clone());
        }
        settings
    }
}

/// The settings of a topic as the cluster tells them.
pub(super) fn config_of(partitions: u32, replicas: u16, entries: &[ConfigEntry]) -> TopicConfig {
    let value = |name: &str| entries.iter().find(|entry| entry.name == name).and_then(|entry| entry.value.as_deref());
    let number = |name: &str| value(name).and_then(|value| value.parse::<i64>().ok()).filter(|number| *number >= 0);
    let policy = value("cleanup.policy").unwrap_or("delete");
    let settings = value(RECORD_BYTES_MAX).map(|bytes| (RECORD_BYTES_MAX.to_owned(), bytes.to_owned()));
    TopicConfig {
        compact: policy.contains("compact"),
        retention_ms: number("retention.ms").filter(|_| policy.contains("delete")),
        retention_bytes: number("retention.bytes").map(|bytes| bytes as u64),
        replicas: Some(replicas),
        settings: settings.into_iter().collect(),
        ..TopicConfig::with_partitions(partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)], config: &TopicConfig) -> String {
        let properties = properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let internal = InternalTopics::new(&properties);
        let settings: Vec<String> =
            internal.settings(config).iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} x{}", settings.join(" "), internal.replicas(config))
    }

    #[test]
    fn topics_of_users_are_as_they_ask_for() {
        let plain = TopicConfig::with_partitions(1);
        assert_eq!(settings(&[], &plain), "cleanup.policy=delete retention.ms=-1 x-1");
        let short = TopicConfig { retention_ms: Some(5), replicas: Some(3), ..plain.clone() };
        let properties = [("ksql.streams.replication.factor", "2"), ("ksql.streams.topic.min.insync.replicas", "2")];
        assert_eq!(settings(&properties, &short), "cleanup.policy=delete retention.ms=5 x3");
        assert_eq!(settings(&properties, &plain), "cleanup.policy=delete retention.ms=-1 x-1");
        let unsaid = TopicConfig { default_retention: true, ..plain };
        assert_eq!(settings(&[], &unsaid), "cleanup.policy=delete x-1");
        let table = TopicConfig { compact: true, ..TopicConfig::with_partitions(1) };
        assert_eq!(settings(&[], &table), "cleanup.policy=compact x-1");
    }

    #[test]
    fn repartition_topics_keep_all_until_it_was_read() {
        assert_eq!(
            settings(&[], &TopicConfig::repartition(2)),
            "cleanup.policy=delete message.timestamp.type=CreateTime retention.ms=-1 segment.bytes=52428800 x-1"
        );
        let properties =
            [("ksql.streams.topic.segment.bytes", "7"), ("topic.segment.bytes", "5"), ("replication.factor", "2")];
        assert_eq!(
            settings(&properties, &TopicConfig::repartition(2)),
            "cleanup.policy=delete message.timestamp.type=CreateTime retention.ms=-1 segment.bytes=7 x2"
        );
    }

    #[test]
    fn changelogs_keep_windows_a_day_longer_than_their_stores() {
        let create_time = "message.timestamp.type=CreateTime";
        assert_eq!(
            settings(&[], &TopicConfig::changelog(2, None)),
            format!("cleanup.policy=compact max.message.bytes=67108864 {create_time} x-1")
        );
        assert_eq!(
            settings(&[], &TopicConfig::changelog(2, Some(1000))),
            format!("cleanup.policy=compact,delete max.message.bytes=67108864 {create_time} retention.ms=86401000 x-1")
        );
        let longer = [("ksql.streams.windowstore.changelog.additional.retention.ms", "5")];
        assert_eq!(
            settings(&longer, &TopicConfig::changelog(2, Some(1000))),
            format!("cleanup.policy=compact,delete max.message.bytes=67108864 {create_time} retention.ms=1005 x-1")
        );
    }
}
