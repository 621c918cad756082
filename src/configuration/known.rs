//! Which names are known, and what a session may set.

use super::client_names::{CLIENT_PREFIXES, JAVA, LIBRDKAFKA};
use super::property::{Kind, Property, Scope};
use super::table::{find, is_of_server, properties};
use crate::sql::similar_names;

/// What ksqlDB puts in front of the properties of Kafka Streams and its clients.
pub const STREAMS_PREFIX: &str = "ksql.streams.";

/// Properties that begin so belong to functions, the registry or other parts with names of their own.
pub(super) const OPEN_PREFIXES: [(&str, &str); 10] = [
    ("ksql.functions.", "of functions: [functions of one's own](own-functions.md)"),
    ("ksql.schema.registry.", "of the client of the registry: [the schema registry](schema-registry.md)"),
    ("ksql.connect.", "of the client of Kafka Connect: [connectors](statements/connectors.md)"),
    ("ksql.query.push.v2.", "of ksqlDB's scalable push queries"),
    ("ksql.error.classifier.regex.", "which errors are the user's"),
    ("ksql.transient.query.cleanup.service.", "of ksqlDB's search for what push queries have left"),
    ("ksql.properties.overrides.", "which properties clients may set"),
    ("ksql.server.", "of ksqlDB's server"),
    ("ksql.logging.", "of ksqlDB's logs"),
    ("confluent.", "of Confluent's telemetry, licences and metrics"),
];

/// Beginnings of what only the server's own properties may set.
const FIXED_PREFIXES: [&str; 2] = ["ssl.", "ksql.server."];

/// Beginnings of settings of librdkafka that are known without a list.
const CLIENT_OPEN_PREFIXES: [&str; 4] = ["ssl.", "sasl.", "socket.", "broker."];

/// A property without the prefix that ksqlDB allows in front of it.
pub fn canonical_name(name: &str) -> &str {
    name.strip_prefix(STREAMS_PREFIX).unwrap_or(name)
}

/// The name of a property as ksqlDB shows it: what it hands to Kafka Streams has its prefix.
pub fn shown_name(name: &str) -> String {
    let is_own = ["ksql.", "levada.", "memory."].iter().any(|prefix| name.starts_with(prefix));
    if is_own || is_of_server(name) { name.to_owned() } else { format!("{STREAMS_PREFIX}{name}") }
}

/// Why a property cannot be set to a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// There is no such property.
    #[error("Unknown property: {name}")]
    Unknown {
        /// As it was written.
        name: String,
        /// The most similar one.
        similar: Option<String>,
    },
    /// A session cannot change it.
    #[error("Cannot override property '{name}': it cannot be changed while the server runs")]
    Fixed {
        /// Its name.
        name: String,
    },
    /// The server lets no client change it.
    #[error("Cannot override property '{name}': {list} says which ones clients may set")]
    Denied {
        /// Its name.
        name: String,
        /// The property that says so.
        list: &'static str,
    },
    /// The value makes no sense.
    #[error("Invalid property '{name}': Invalid value {value} for configuration {name}: {reason}")]
    Invalid {
        /// Its name.
        name: String,
        /// The value.
        value: String,
        /// What is expected.
        reason: String,
    },
}

impl PropertyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { similar, .. } => similar.as_ref().map(|similar| format!("did you mean {similar}?")),
            Self::Fixed { .. } => Some("set it in the server's properties, before it is started".to_owned()),
            Self::Denied { .. } | Self::Invalid { .. } => None,
        }
    }
}

/// Whether a session may set the property `name` to `value`.
///
/// # Errors
/// There is no such property, only the server may set it, or the value makes no sense.
pub fn check_session(name: &str, value: &str) -> Result<(), PropertyError> {
    check_name(name)?;
    check_value(name, value)
}

/// Whether a session may set the property `name`.
///
/// # Errors
/// There is no such property, or only the server may set it.
pub fn check_name(name: &str) -> Result<(), PropertyError> {
    if is_fixed(name) {
        return Err(PropertyError::Fixed { name: name.to_owned() });
    }
    if described(name).is_some() || is_known(name) {
        return Ok(());
    }
    Err(PropertyError::Unknown { name: name.to_owned(), similar: similar(name) })
}

/// Whether only the server's own properties may set `name`.
pub(super) fn is_fixed(name: &str) -> bool {
    let canonical = without_client(canonical_name(name));
    FIXED_PREFIXES.iter().any(|prefix| canonical.starts_with(prefix))
        || canonical == "application.id"
        || described(name).is_some_and(|known| known.scope == Scope::Server)
}

/// Whether `value` is one that the property `name` takes, as far as that is known.
///
/// # Errors
/// What is expected.
pub(super) fn check_value(name: &str, value: &str) -> Result<(), PropertyError> {
    let kind = described(name).map_or(Kind::Text, |known| known.kind);
    kind.check(value).map_err(|reason| PropertyError::Invalid {
        name: name.to_owned(),
        value: super::shown_value(name, value),
        reason,
    })
}

/// What is known of the property `name`, whatever prefixes it has.
pub fn described(name: &str) -> Option<&'static Property> {
    find(name).or_else(|| find(without_client(canonical_name(name))))
}

/// Whether there is a property `name`.
pub fn is_known(name: &str) -> bool {
    let canonical = without_client(canonical_name(name));
    let is_clients = JAVA.contains(&canonical)
        || LIBRDKAFKA.contains(&canonical)
        || canonical_name(name).starts_with("topic.")
        || canonical.starts_with("confluent.")
        || CLIENT_OPEN_PREFIXES.iter().any(|prefix| canonical.starts_with(prefix));
    described(name).is_some() || is_clients || OPEN_PREFIXES.iter().any(|(prefix, _)| name.starts_with(prefix))
}

fn without_client(name: &str) -> &str {
    CLIENT_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// The known name that differs from `name` in little.
pub(super) fn similar(name: &str) -> Option<String> {
    let names = || properties().map(|property| property.name).chain(JAVA.iter().copied());
    let bare = similar_names(without_client(canonical_name(name)), names()).into_iter().next();
    // A slip in the prefix itself.
    bare.or_else(|| {
        let prefixed: Vec<String> = names().map(|name| format!("{STREAMS_PREFIX}{name}")).collect();
        similar_names(name, prefixed.iter().map(String::as_str)).into_iter().next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_known_with_and_without_prefixes() {
        for (name, value) in [
            ("auto.offset.reset", "Earliest"),
            ("ksql.streams.auto.offset.reset", "latest"),
            ("ksql.streams.consumer.max.poll.records", "5"),
            ("producer.linger.ms", "5"),
            ("ksql.functions.my_function.limit", "5"),
            ("ksql.query.pull.table.scan.enabled", "false"),
        ] {
            assert_eq!(check_session(name, value), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        for (name, value, message, hint) in [
            ("auto.ofset.reset", "x", "Unknown property: auto.ofset.reset", Some("did you mean auto.offset.reset?")),
            ("nonsense", "x", "Unknown property: nonsense", None),
            (&"a".repeat(1_000_000), "x", &format!("Unknown property: {}", "a".repeat(1_000_000)), None),
            (
                "ksql.service.id",
                "x",
                "Cannot override property 'ksql.service.id': it cannot be changed while the server runs",
                Some("set it in the server's properties, before it is started"),
            ),
            (
                "ssl.keystore.location",
                "x",
                "Cannot override property 'ssl.keystore.location': it cannot be changed while the server runs",
                Some("set it in the server's properties, before it is started"),
            ),
            (
                "auto.offset.reset",
                "none",
                "Invalid property 'auto.offset.reset': Invalid value none for configuration auto.offset.reset: String must be \
                 one of: latest, earliest",
                None,
            ),
            (
                "commit.interval.ms",
                "soon",
                "Invalid property 'commit.interval.ms': Invalid value soon for configuration commit.interval.ms: Not a number",
                None,
            ),
            (
                "ksql.streams.processing.guarantee",
                "sometimes",
                "Invalid property 'ksql.streams.processing.guarantee': Invalid value sometimes for configuration \
                 ksql.streams.processing.guarantee: String must be one of: at_least_once, exactly_once, exactly_once_beta, \
                 exactly_once_v2",
                None,
            ),
            (
                "ksql.suppress.enabled",
                "perhaps",
                "Invalid property 'ksql.suppress.enabled': Invalid value perhaps for configuration ksql.suppress.enabled: \
                 Expected value to be either true or false",
                None,
            ),
        ] {
            let error = check_session(name, value).expect_err(name);
            assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, hint));
        }
    }

    #[test]
    fn only_the_server_may_set_what_it_is_started_with() {
        for name in
            ["bootstrap.servers", "listeners", "ssl.key.password", "ksql.streams.ssl.ca.location", "memory.limit"]
        {
            assert!(matches!(check_session(name, "x"), Err(PropertyError::Fixed { .. })), "{name}");
        }
    }

    #[test]
    fn a_slip_in_a_prefix_is_seen() {
        assert_eq!(similar("ksql.stream.auto.offset.reset").as_deref(), Some("ksql.streams.auto.offset.reset"));
        assert_eq!(similar("nothing.like.it.anywhere"), None);
    }
}
