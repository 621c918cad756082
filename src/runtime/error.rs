//! What goes wrong with a query that is set up or runs.

use crate::formats::FormatError;
use crate::registry::RegistryError;
use crate::state::StateError;
use crate::topics::TopicError;

/// What went wrong while a query was set up or run.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A topic failed.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// State failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A format cannot carry the schema.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The schema registry cannot be asked.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A source topic does not exist.
    #[error("topic {topic} does not exist; the query goes on when it is there again")]
    SourceGone {
        /// Topic name.
        topic: String,
    },
    /// An internal topic has another number of partitions than the query needs.
    #[error(
        "internal topic {topic} has {found} partitions, the query needs {wanted}: the topics that it reads have another \
         number of partitions than when it was created, or somebody has changed this one; nothing was lost; drop the query and \
         create it again"
    )]
    InternalPartitions {
        /// Topic name.
        topic: String,
        /// Partitions it has.
        found: u32,
        /// Partitions it should have.
        wanted: u32,
    },
    /// A source topic has another number of partitions than when the query was created.
    #[error(
        "topic {topic} has {now} partitions, when the query was created it had {before}: its state is laid out for {before}, so \
         that keys would meet the state of others; nothing was lost and nothing more is read; drop what the query fills and \
         create it again, or put the records into a topic with {before} partitions"
    )]
    SourcePartitions {
        /// Topic name.
        topic: String,
        /// Partitions it had.
        before: u32,
        /// Partitions it has.
        now: u32,
    },
    /// The changelog of a store was deleted or has lost records, and the local store cannot replace it.
    #[error(
        "changelog topic {topic} was deleted or has lost records, and the state here is not that of the last commit, so that it \
         cannot be written anew; results so far stay in the query's topic; drop what the query fills and create it again"
    )]
    ChangelogLost {
        /// Topic name.
        topic: String,
    },
    /// A function that the query calls cannot be used.
    #[error("{0}")]
    Function(String),
    /// A `TIMESTAMP_FORMAT` that is no pattern.
    #[error("invalid TIMESTAMP_FORMAT: {0}")]
    TimestampFormat(String),
    /// An event time column holds no time, and the query is to end then.
    #[error(
        "Fatal user code error in TimestampExtractor callback for record at offset {offset} of topic {topic} partition \
         {partition}: {reason} (such records are left out unless ksql.timestamp.throw.on.invalid is true)"
    )]
    InvalidTime {
        /// Topic name.
        topic: String,
        /// Partition.
        partition: u32,
        /// Offset of the record.
        offset: i64,
        /// What the column holds.
        reason: String,
    },
    /// A task failed; it was logged.
    #[error("{0}")]
    Failed(String),
    /// Something the planner should have refused.
    #[error("this is a bug in levada, please report it: {0}")]
    Bug(String),
}
