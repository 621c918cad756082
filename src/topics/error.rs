//! What goes wrong with topics.

use crate::storage::StorageError;

/// What went wrong with a topic.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// No such topic.
    #[error("topic {topic} does not exist")]
    UnknownTopic {
        /// Topic name.
        topic: String,
    },
    /// The topic is there already.
    #[error("topic {topic} exists already")]
    TopicExists {
        /// Topic name.
        topic: String,
    },
    /// The name cannot be used.
    #[error("topic name '{topic}' is not allowed: {reason}")]
    InvalidName {
        /// Topic name.
        topic: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The settings cannot be used.
    #[error("topic {topic} cannot be created: {reason}")]
    InvalidConfig {
        /// Topic name.
        topic: String,
        /// Which rule they break.
        reason: &'static str,
    },
    /// The partition is beyond the topic's partitions.
    #[error("topic {topic} has {partitions} partitions, there is no partition {partition}")]
    UnknownPartition {
        /// Topic name.
        topic: String,
        /// Requested partition.
        partition: u32,
        /// Partitions the topic has.
        partitions: u32,
    },
    /// The servers have agreed anew: the tasks may belong to another by now.
    #[error("the commit comes too late, tasks were placed anew: {reason}")]
    Outdated {
        /// What the client says.
        reason: String,
    },
    /// Another writer has taken this one's name.
    #[error("another writer has taken over: {reason}")]
    Fenced {
        /// What the client says.
        reason: String,
    },
    /// A right is missing.
    #[error("{doing}: {who} lacks the right {right}; whoever may grant it can do so with {grant}")]
    NotAllowed {
        /// What was being done.
        doing: String,
        /// Who did it: `user bob`.
        who: String,
        /// Which right it is: `Read on topic orders`.
        right: String,
        /// How it is granted.
        grant: String,
    },
    /// A data directory holds the state of somebody else.
    #[error(
        "data directory {path} belongs to {found}, this is {wanted}: queries would meet the state of others; give another data \
         directory, or the properties with which this one was made"
    )]
    ForeignDirectory {
        /// The data directory.
        path: String,
        /// Whose it is.
        found: String,
        /// Who opens it.
        wanted: String,
    },
    /// A record, or the batch that it is in, is larger than the topic takes.
    #[error(
        "topic {topic} takes no records as large as those that are to be written; raise its setting max.message.bytes"
    )]
    TooLarge {
        /// Topic name.
        topic: String,
    },
    /// The partition ends before the offset that was asked for.
    #[error(
        "topic {topic} partition {partition} ends at offset {end}, before the offset {offset} that was read already"
    )]
    Truncated {
        /// Topic name.
        topic: String,
        /// Partition number.
        partition: u32,
        /// Offset that was asked for.
        offset: i64,
        /// Offset that the next record will get.
        end: i64,
    },
    /// The cluster, or the way to it.
    #[error("{doing}: {reason}")]
    Cluster {
        /// What was being done.
        doing: String,
        /// What the client says.
        reason: String,
    },
    /// The store below failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
