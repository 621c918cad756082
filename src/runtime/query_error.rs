//! What is kept of a query's failure, and who has to do something about it (semantics 8.7).

use super::RuntimeError;
use crate::registry::RegistryError;
use crate::topics::TopicError;

/// A failure of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// When, in milliseconds since the epoch.
    pub time_ms: i64,
    /// Whose it is.
    pub class: ErrorClass,
    /// What and where, for a person.
    pub message: String,
}

/// Whose a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Of whoever wrote the statement, or runs the cluster: it stays until they change something.
    User,
    /// Of what the server stands on: its disk, its memory.
    System,
    /// Anything else; trying again may help.
    Unknown,
}

impl ErrorClass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::User, Self::System, Self::Unknown];

    /// The word that ksqlDB shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::System => "SYSTEM",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The class of `error`.
    pub fn of(error: &RuntimeError) -> Self {
        match error {
            RuntimeError::Topic(error) => Self::of_topic(error),
            RuntimeError::State(_) => Self::System,
            RuntimeError::Format(_)
            | RuntimeError::Function(_)
            | RuntimeError::TimestampFormat(_)
            | RuntimeError::SourceGone { .. }
            | RuntimeError::SourcePartitions { .. }
            | RuntimeError::InternalPartitions { .. }
            | RuntimeError::ChangelogLost { .. }
            | RuntimeError::InvalidTime { .. } => Self::User,
            RuntimeError::Registry(RegistryError::Unavailable { .. }) => Self::Unknown,
            RuntimeError::Registry(_) => Self::User,
            RuntimeError::Failed(_) | RuntimeError::Bug(_) => Self::Unknown,
        }
    }

    fn of_topic(error: &TopicError) -> Self {
        match error {
            TopicError::UnknownTopic { .. }
            | TopicError::UnknownPartition { .. }
            | TopicError::InvalidName { .. }
            | TopicError::InvalidConfig { .. }
            | TopicError::NotAllowed { .. }
            | TopicError::TooLarge { .. } => Self::User,
            TopicError::Storage(_) => Self::System,
            TopicError::Cluster { reason, .. } if is_for_the_user(reason) => Self::User,
            _ => Self::Unknown,
        }
    }
}

/// Whether the client's text is about who one is, or what one may.
fn is_for_the_user(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["authoriz", "authentication"].iter().any(|sign| reason.contains(sign))
}

impl QueryError {
    /// `error`, which came at `time_ms`.
    pub fn new(error: &RuntimeError, time_ms: i64) -> Self {
        Self { time_ms, class: ErrorClass::of(error), message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StorageError;

    #[test]
    fn errors_say_who_has_to_act() {
        let check = |error: TopicError, class| assert_eq!(ErrorClass::of(&error.into()), class);
        let cluster = |reason: &str| TopicError::Cluster { doing: "cannot read".into(), reason: reason.into() };
        check(TopicError::UnknownTopic { topic: "a".into() }, ErrorClass::User);
        check(cluster("Broker: Topic authorization failed"), ErrorClass::User);
        check(cluster("Local: All broker connections are down"), ErrorClass::Unknown);
        check(TopicError::Storage(StorageError::Io("no space left on device".into())), ErrorClass::System);
    }
}
