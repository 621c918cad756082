//! What the cluster says no to, in words: which right is missing, for whom, on what, and how it is granted.

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::cluster_error;
use super::native::NativeError;
use crate::topics::TopicError;

/// In whose name a client speaks.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    user: Option<String>,
}

/// The rights that a call needs: the operation on the topic, and the names of the rest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs<'a> {
    pub(super) topic: Option<(&'a str, &'a str)>,
    pub(super) group: Option<&'a str>,
    pub(super) transactional_id: Option<&'a str>,
}

impl<'a> Needs<'a> {
    /// A right on a topic, by Kafka's name of the operation.
    pub(super) fn topic(operation: &'a str, topic: &'a str) -> Self {
        Self { topic: Some((operation, topic)), ..Self::default() }
    }

    /// The right to read and commit the offsets of a group.
    pub(super) fn group(group: &'a str) -> Self {
        Self { group: Some(group), ..Self::default() }
    }
}

impl Caller {
    /// The one whose credentials are in `config`.
    pub(super) fn of(config: &ClientConfig) -> Self {
        Self { user: config.get("sasl.username").map(ToOwned::to_owned) }
    }

    /// `user bob`, as far as is known.
    pub(super) fn name(&self) -> String {
        self.user.as_ref().map_or_else(|| "this client".to_owned(), |user| format!("user {user}"))
    }

    /// What was being done failed with `code`, having needed `needs`.
    pub(super) fn failed(&self, doing: &str, needs: Needs<'_>, code: RDKafkaErrorCode) -> TopicError {
        let Some((operation, kind, name)) = missing(needs, code) else { return cluster_error(doing, code) };
        let principal = self.user.as_deref().unwrap_or("NAME");
        let option = if kind == "cluster" { "--cluster".to_owned() } else { format!("--{kind} '{name}'") };
        TopicError::NotAllowed {
            doing: doing.to_owned(),
            who: self.name(),
            right: if kind == "cluster" {
                format!("{operation} on the cluster")
            } else {
                format!("{operation} on {} {name}", kind.replace('-', " "))
            },
            grant: format!("kafka-acls --add --allow-principal User:{principal} --operation {operation} {option}"),
        }
    }

    /// As [`Caller::failed`], for errors of rdkafka.
    pub(super) fn failed_client(&self, doing: &str, needs: Needs<'_>, error: &KafkaError) -> TopicError {
        match error.rdkafka_error_code() {
            Some(code) if is_refusal(code) => self.failed(doing, needs, code),
            _ => cluster_error(doing, error),
        }
    }

    /// As [`Caller::failed`], for errors of calls of our own.
    pub(super) fn failed_native(&self, doing: &str, needs: Needs<'_>, error: NativeError) -> TopicError {
        match error.code {
            Some(code) if is_refusal(code) => self.failed(doing, needs, code),
            _ => error.into_topic_error(doing),
        }
    }
}

/// Whether a right is missing: trying again does not help before somebody has granted it.
pub(super) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::ClusterAuthorizationFailed
    )
}

/// Operation, kind of resource and its name.
fn missing(needs: Needs<'_>, code: RDKafkaErrorCode) -> Option<(&str, &'static str, &str)> {
    use RDKafkaErrorCode as Code;
    match code {
        Code::TopicAuthorizationFailed => {
            let (operation, topic) = needs.topic.unwrap_or(("Read", "*"));
            Some((operation, "topic", topic))
        }
        Code::GroupAuthorizationFailed => Some(("Read", "group", needs.group.unwrap_or("*"))),
        Code::TransactionalIdAuthorizationFailed => {
            Some(("Write", "transactional-id", needs.transactional_id.unwrap_or("*")))
        }
        Code::ClusterAuthorizationFailed => match needs.topic {
            Some((operation @ "Create", _)) => Some((operation, "cluster", "")),
            _ => Some(("IdempotentWrite", "cluster", "")),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(user: Option<&str>, needs: Needs<'_>, code: RDKafkaErrorCode) -> String {
        Caller { user: user.map(ToOwned::to_owned) }.failed("cannot go on", needs, code).to_string()
    }

    #[test]
    fn a_missing_right_is_named_with_the_command_that_grants_it() {
        assert_eq!(
            text(Some("bob"), Needs::topic("Read", "orders"), RDKafkaErrorCode::TopicAuthorizationFailed),
            "cannot go on: user bob lacks the right Read on topic orders; whoever may grant it can do so with \
             kafka-acls --add --allow-principal User:bob --operation Read --topic 'orders'"
        );
        let needs = Needs { transactional_id: Some("t"), ..Needs::default() };
        let found = text(None, needs, RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
        assert!(found.contains("this client lacks the right Write on transactional id t"), "{found}");
        assert!(found.contains("--transactional-id 't'"), "{found}");
        let found = text(None, Needs::topic("Create", "x"), RDKafkaErrorCode::ClusterAuthorizationFailed);
        assert!(found.contains("Create on the cluster") && found.ends_with("--operation Create --cluster"), "{found}");
    }

    #[test]
    fn other_failures_are_told_as_they_are() {
        let found = text(Some("bob"), Needs::group("g"), RDKafkaErrorCode::RequestTimedOut);
        assert!(found.starts_with("cannot go on: ") && !found.contains("bob"), "{found}");
    }
}
