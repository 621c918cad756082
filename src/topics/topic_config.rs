//! How a topic is laid out, and whether that is possible.

use std::collections::BTreeMap;

use super::TopicError;

/// Kafka's setting for the size of records.
pub(super) const RECORD_BYTES_MAX: &str = "max.message.bytes";
/// Larger records are never written to a cluster.
const LARGE_RECORD_BYTES: usize = 64 << 20;
/// As in Kafka.
const NAME_BYTES_MAX: usize = 249;
const PARTITIONS_MAX: u32 = 10_000;

/// How a topic is laid out and what happens to old records.
///
/// Embedded topics keep what is said of partitions, cleanup, retention and registered schemas; the rest is for a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfig {
    /// Number of partitions, at least 1.
    pub partitions: u32,
    /// Keep only the newest record per key (`cleanup.policy=compact`).
    pub compact: bool,
    /// Delete records older than this (`retention.ms`); `None` keeps them. With `compact`: `compact,delete`.
    pub retention_ms: Option<i64>,
    /// Delete the oldest chunks beyond this size of a partition (`retention.bytes`).
    pub retention_bytes: Option<u64>,
    /// Copies of each partition; `None`: as many as the cluster makes by default.
    pub replicas: Option<u16>,
    /// Where `retention_ms` says nothing, the cluster's own default holds instead of keeping all.
    pub default_retention: bool,
    /// A query keeps the topic for itself: what the server's properties say of internal topics holds.
    pub internal: bool,
    /// Further settings by Kafka's names.
    pub settings: BTreeMap<String, String>,
}

impl TopicConfig {
    /// Settings of a topic that keeps everything.
    pub fn with_partitions(partitions: u32) -> Self {
        Self {
            partitions,
            compact: false,
            retention_ms: None,
            retention_bytes: None,
            replicas: None,
            default_retention: false,
            internal: false,
            settings: BTreeMap::new(),
        }
    }

    /// Settings of a topic by which rows go from one part of a query to the next: all is kept until it was read.
    pub fn repartition(partitions: u32) -> Self {
        const SEGMENT_BYTES: u32 = 50 << 20;
        let mut config = Self { internal: true, ..Self::with_partitions(partitions) };
        config.settings.insert("segment.bytes".to_owned(), SEGMENT_BYTES.to_string());
        config.settings.insert("message.timestamp.type".to_owned(), "CreateTime".to_owned());
        config
    }

    /// Settings of the changelog of a store that keeps windows for `retention_ms`, or other rows for ever. A row may be as
    /// large as it is.
    pub fn changelog(partitions: u32, retention_ms: Option<i64>) -> Self {
        let mut config = Self { compact: true, retention_ms, internal: true, ..Self::with_partitions(partitions) };
        config.settings.insert(RECORD_BYTES_MAX.to_owned(), LARGE_RECORD_BYTES.to_string());
        config.settings.insert("message.timestamp.type".to_owned(), "CreateTime".to_owned());
        config
    }

    /// Settings of a topic for records of other topics, whatever they hold.
    pub fn dead_letters() -> Self {
        let mut config = Self::with_partitions(1);
        config.settings.insert(RECORD_BYTES_MAX.to_owned(), LARGE_RECORD_BYTES.to_string());
        config
    }

    /// How large a record may be, key and value and headers together; `None`: as large as it is.
    pub fn record_bytes_max(&self) -> Option<usize> {
        /// What a batch adds to its one record, at most.
        const ENVELOPE: usize = 128;
        let bytes: usize = self.settings.get(RECORD_BYTES_MAX)?.parse().ok()?;
        Some(bytes.min(LARGE_RECORD_BYTES).saturating_sub(ENVELOPE))
    }

    /// What embedded topics keep of these settings, which are those of a new topic `name`.
    pub(super) fn embedded(&self, name: &str) -> Result<Self, TopicError> {
        self.check_schema_validation(name)?;
        let kept = Self {
            compact: self.compact,
            retention_ms: self.retention_ms,
            retention_bytes: self.retention_bytes,
            ..Self::with_partitions(self.partitions)
        };
        Ok(kept.with_schema_validation(self.validates_keys(), self.validates_values()))
    }

    /// Checks `name` and these settings as the name and settings of a new topic.
    pub fn check(&self, name: &str) -> Result<(), TopicError> {
        let invalid_name = |reason| TopicError::InvalidName { topic: name.to_owned(), reason };
        let invalid_config = |reason| TopicError::InvalidConfig { topic: name.to_owned(), reason };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match name {
            "" => return Err(invalid_name("it is empty")),
            "." | ".." => return Err(invalid_name("it names a directory")),
            _ if name.len() > NAME_BYTES_MAX => return Err(invalid_name("it is longer than 249 characters")),
            _ if !name.bytes().all(legal) => {
                return Err(invalid_name("only ASCII letters, digits, '.', '_' and '-' are allowed"));
            }
            _ => {}
        }
        match self {
            Self { partitions: 0, .. } => Err(invalid_config("it needs at least one partition")),
            Self { partitions, .. } if *partitions > PARTITIONS_MAX => {
                Err(invalid_config("more than 10000 partitions are not supported"))
            }
            Self { retention_ms: Some(..0), .. } => Err(invalid_config("retention.ms is negative")),
            Self { replicas: Some(0), .. } => Err(invalid_config("it needs at least one replica")),
            _ => Ok(()),
        }
    }
}
