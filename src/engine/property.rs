//! The properties that ksqlDB knows: name, default, what values they take, whether a session may change them.
//!
//! Those of the engine are listed with their defaults and shown by SHOW PROPERTIES. Those of Kafka's clients and of Kafka Streams
//! are known by name, so that a misspelt one is noticed; the prefixes that ksqlDB allows in front of them are optional.

use super::config::canonical_name;
use crate::plan::RESERVED_TOPICS;
use crate::sql::similar_names;

/// What values a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number,
    /// Anything.
    Text,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
}

/// A property of the engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property {
    /// Its name.
    pub(super) name: &'static str,
    /// Its value when nothing is set; `None`: there is none.
    pub(super) default: Option<&'static str>,
    kind: Kind,
    /// Only the server's own properties may set it.
    is_fixed: bool,
}

const fn property(name: &'static str, default: Option<&'static str>, kind: Kind) -> Property {
    Property { name, default, kind, is_fixed: false }
}

const fn boolean(name: &'static str, default: &'static str) -> Property {
    property(name, Some(default), Kind::Boolean)
}

const fn number(name: &'static str, default: &'static str) -> Property {
    property(name, Some(default), Kind::Number)
}

const fn text(name: &'static str, default: &'static str) -> Property {
    property(name, Some(default), Kind::Text)
}

const fn unset(name: &'static str) -> Property {
    property(name, None, Kind::Text)
}

const fn fixed(property: Property) -> Property {
    Property { is_fixed: true, ..property }
}

const INT_MAX: &str = "2147483647";
const LONG_MAX: &str = "9223372036854775807";

/// Properties of the engine, by name.
pub(super) const PROPERTIES: [Property; 114] = [
    property("auto.offset.reset", Some("latest"), Kind::OneOf(&["latest", "earliest"])),
    number("cache.max.bytes.buffering", "10000000"),
    number("commit.interval.ms", "2000"),
    fixed(boolean("enable.fips", "false")),
    text("ksql.access.validator.enable", "auto"),
    number("ksql.admin.request.retry.timeout.ms", "2500"),
    number("ksql.assert.schema.default.timeout.ms", "1000"),
    number("ksql.assert.topic.default.timeout.ms", "1000"),
    number("ksql.authorization.cache.expiry.time.secs", "30"),
    number("ksql.authorization.cache.max.entries", "10000"),
    boolean("ksql.cast.strings.preserve.nulls", "true"),
    boolean("ksql.client.ip_port.configuration.enabled", "false"),
    text("ksql.connect.basic.auth.credentials.file", ""),
    boolean("ksql.connect.basic.auth.credentials.reload", "false"),
    text("ksql.connect.basic.auth.credentials.source", "NONE"),
    unset("ksql.connect.request.headers.plugin"),
    number("ksql.connect.request.timeout.ms", "5000"),
    text("ksql.connect.url", "http://localhost:8083"),
    text("ksql.connect.worker.config", ""),
    boolean("ksql.create.or.replace.enabled", "true"),
    boolean("ksql.create.topic.inherit.source.replicas.enabled", "true"),
    text("ksql.deployment.type", "selfManaged"),
    boolean("ksql.endpoint.migrate.query", "true"),
    text("ksql.error.classifier.regex", ""),
    fixed(text("ksql.extension.dir", "ext")),
    boolean("ksql.fail.on.deserialization.error", "false"),
    boolean("ksql.fail.on.production.error", "false"),
    number("ksql.fetch.remote.hosts.max.timeout.seconds", "10"),
    fixed(boolean("ksql.headers.columns.enabled", "true")),
    boolean("ksql.heartbeat.enable", "false"),
    fixed(text("ksql.hidden.topics", RESERVED_TOPICS)),
    boolean("ksql.insert.into.values.enabled", "true"),
    number("ksql.internal.topic.min.insync.replicas", "1"),
    number("ksql.internal.topic.replicas", "1"),
    boolean("ksql.json_sr.converter.deserializer.enabled", "true"),
    text("ksql.kafka.client.additional.config.prefixes", ""),
    boolean("ksql.lag.reporting.enable", "false"),
    boolean("ksql.lambdas.enabled", "true"),
    boolean("ksql.logging.processing.rows.include", "false"),
    boolean("ksql.logging.processing.stream.auto.create", "false"),
    text("ksql.logging.processing.stream.name", "KSQL_PROCESSING_LOG"),
    boolean("ksql.logging.processing.topic.auto.create", "false"),
    unset("ksql.logging.processing.topic.name"),
    number("ksql.logging.processing.topic.partitions", "1"),
    number("ksql.logging.processing.topic.replication.factor", "1"),
    number("ksql.max.push.queries", "100"),
    text("ksql.metastore.backup.location", ""),
    unset("ksql.metrics.extension"),
    text("ksql.metrics.tags.custom", ""),
    boolean("ksql.nested.error.set.null", "true"),
    boolean("ksql.new.query.planner.enabled", "false"),
    text("ksql.output.topic.name.prefix", ""),
    text("ksql.persistence.default.format.key", "KAFKA"),
    unset("ksql.persistence.default.format.value"),
    property("ksql.persistence.wrap.single.values", None, Kind::Boolean),
    text("ksql.persistent.prefix", "query_"),
    text("ksql.properties.overrides.allowlist", ""),
    text("ksql.properties.overrides.denylist", ""),
    boolean("ksql.properties.overrides.log", "false"),
    property("ksql.properties.overrides.validation.mode", Some("denylist"), Kind::OneOf(&["denylist", "allowlist"])),
    boolean("ksql.proxy.protocol.local.mode.enabled", "false"),
    fixed(boolean("ksql.pull.queries.enable", "true")),
    text("ksql.query.cleanup.shutdown.timeout.ms", "30000"),
    number("ksql.query.error.max.queue.size", "10"),
    fixed(number("ksql.query.persistent.active.limit", INT_MAX)),
    number("ksql.query.persistent.max.bytes.buffering.total", "-1"),
    number("ksql.query.pull.coordinator.queue.capacity", INT_MAX),
    boolean("ksql.query.pull.enable.standby.reads", "false"),
    number("ksql.query.pull.forwarding.timeout.ms", "20000"),
    boolean("ksql.query.pull.interpreter.enabled", "true"),
    boolean("ksql.query.pull.limit.clause.enabled", "true"),
    number("ksql.query.pull.max.allowed.offset.lag", LONG_MAX),
    number("ksql.query.pull.max.concurrent.requests", INT_MAX),
    number("ksql.query.pull.max.hourly.bandwidth.megabytes", INT_MAX),
    number("ksql.query.pull.max.qps", INT_MAX),
    boolean("ksql.query.pull.metrics.enabled", "true"),
    boolean("ksql.query.pull.range.scan.enabled", "true"),
    number("ksql.query.pull.router.queue.capacity", INT_MAX),
    number("ksql.query.pull.router.thread.pool.size", "50"),
    boolean("ksql.query.pull.stream.enabled", "true"),
    boolean("ksql.query.pull.table.scan.enabled", "true"),
    number("ksql.query.pull.thread.pool.size", "50"),
    boolean("ksql.query.push.v2.enabled", "false"),
    boolean("ksql.query.push.v2.registry.installed", "false"),
    number("ksql.query.retry.backoff.initial.ms", "15000"),
    number("ksql.query.retry.backoff.max.ms", "900000"),
    number("ksql.query.status.running.threshold.seconds", "300"),
    number("ksql.query.transient.max.bytes.buffering.total", "-1"),
    boolean("ksql.queryanonymizer.logs_enabled", "true"),
    fixed(text("ksql.readonly.topics", RESERVED_TOPICS)),
    fixed(boolean("ksql.runtime.feature.shared.enabled", "false")),
    text("ksql.schema.registry.url", ""),
    unset("ksql.security.extension.class"),
    fixed(text("ksql.service.id", "default_")),
    number("ksql.shared.runtimes.count", "2"),
    unset("ksql.sink.window.change.log.additional.retention"),
    fixed(boolean("ksql.source.table.materialization.enabled", "true")),
    number("ksql.streams.shutdown.timeout.ms", "300000"),
    number("ksql.suppress.buffer.size.bytes", "-1"),
    boolean("ksql.suppress.enabled", "true"),
    boolean("ksql.timestamp.throw.on.invalid", "false"),
    text("ksql.transient.prefix", "transient_"),
    boolean("ksql.udf.collect.metrics", "false"),
    boolean("ksql.udfs.enabled", "true"),
    boolean("ksql.variable.substitution.enable", "true"),
    number("ksql.websocket.connection.max.timeout.ms", "3600000"),
    fixed(number("levada.functions.slow.ms", "10000")),
    fixed(number("levada.push.client.timeout.ms", "60000")),
    fixed(unset("levada.schema.registry.listener")),
    boolean("levada.self.joins.enabled", "true"),
    fixed(unset("memory.limit")),
    number("num.standby.replicas", "0"),
    number("num.stream.threads", "4"),
    number("state.cleanup.delay.ms", "600000"),
];

/// Properties that begin so belong to functions, the registry or other parts with names of their own.
const OPEN_PREFIXES: [&str; 9] = [
    "ksql.functions.",
    "ksql.schema.registry.",
    "ksql.connect.",
    "ksql.query.push.v2.",
    "ksql.error.classifier.regex.",
    "ksql.transient.query.cleanup.service.",
    "ksql.properties.overrides.",
    "ksql.server.",
    "ksql.logging.",
];

/// Beginnings of what only the server's own properties may set.
const FIXED_PREFIXES: [&str; 2] = ["ssl.", "ksql.server."];

/// The same by their names.
const FIXED: [&str; 3] = ["bootstrap.servers", "application.id", "listeners"];

/// Properties of Kafka Streams that take only some values.
const CLIENT_CHOICES: [(&str, Kind); 1] =
    [("processing.guarantee", Kind::OneOf(&["at_least_once", "exactly_once", "exactly_once_beta", "exactly_once_v2"]))];

/// Prefixes that say which client a property is for.
const CLIENT_PREFIXES: [&str; 8] = [
    "consumer.",
    "producer.",
    "admin.",
    "main.consumer.",
    "restore.consumer.",
    "global.consumer.",
    "topic.",
    "producer.interceptor.",
];

/// Properties of Kafka Streams and of Kafka's clients.
const CLIENT_PROPERTIES: [&str; 116] = [
    "acceptable.recovery.lag",
    "acks",
    "allow.auto.create.topics",
    "application.id",
    "application.server",
    "auto.commit.interval.ms",
    "auto.include.jmx.reporter",
    "batch.size",
    "bootstrap.servers",
    "buffer.memory",
    "buffered.records.per.partition",
    "built.in.metrics.version",
    "check.crcs",
    "cleanup.policy",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.type",
    "connections.max.idle.ms",
    "default.api.timeout.ms",
    "default.client.supplier",
    "default.deserialization.exception.handler",
    "default.dsl.store",
    "default.key.serde",
    "default.list.key.serde.inner",
    "default.list.key.serde.type",
    "default.list.value.serde.inner",
    "default.list.value.serde.type",
    "default.production.exception.handler",
    "default.timestamp.extractor",
    "default.value.serde",
    "delivery.timeout.ms",
    "dsl.store.suppliers.class",
    "enable.auto.commit",
    "enable.idempotence",
    "enable.metrics.push",
    "exclude.internal.topics",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "interceptor.classes",
    "isolation.level",
    "key.deserializer",
    "key.serializer",
    "linger.ms",
    "log.summary.interval.ms",
    "max.block.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "max.task.idle.ms",
    "max.warmup.replicas",
    "message.timestamp.type",
    "metadata.max.age.ms",
    "metadata.max.idle.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "min.insync.replicas",
    "partition.assignment.strategy",
    "partitioner.adaptive.partitioning.enable",
    "partitioner.availability.timeout.ms",
    "partitioner.class",
    "partitioner.ignore.keys",
    "poll.ms",
    "probing.rebalance.interval.ms",
    "processing.exception.handler",
    "processing.guarantee",
    "rack.aware.assignment.non_overlap_cost",
    "rack.aware.assignment.strategy",
    "rack.aware.assignment.tags",
    "rack.aware.assignment.traffic_cost",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "repartition.purge.interval.ms",
    "replication.factor",
    "request.timeout.ms",
    "retention.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "rocksdb.config.setter",
    "sasl.client.callback.handler.class",
    "sasl.jaas.config",
    "sasl.kerberos.service.name",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.mechanism",
    "sasl.oauthbearer.token.endpoint.url",
    "security.protocol",
    "security.providers",
    "segment.bytes",
    "send.buffer.bytes",
    "session.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "state.dir",
    "statestore.cache.max.bytes",
    "task.assignor.class",
    "task.timeout.ms",
    "topology.optimization",
    "transaction.timeout.ms",
    "transactional.id",
    "upgrade.from",
    "value.deserializer",
    "value.serializer",
];

/// Why a property cannot be set to a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PropertyError {
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
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { similar, .. } => similar.as_ref().map(|similar| format!("did you mean {similar}?")),
            Self::Fixed { .. } => Some("set it in the server's properties, before it is started".to_owned()),
            Self::Invalid { .. } => None,
        }
    }
}

/// Whether a session may set the property `name` to `value`.
pub(super) fn check(name: &str, value: &str) -> Result<(), PropertyError> {
    check_name(name)?;
    let canonical = without_client(canonical_name(name));
    let known = find(name).or_else(|| find(canonical));
    let choice = CLIENT_CHOICES.iter().find(|(choice, _)| *choice == canonical).map(|(_, kind)| *kind);
    let kind = known.map(|known| known.kind).or(choice);
    kind.map_or(Ok(()), |kind| kind.check(value)).map_err(|reason| PropertyError::Invalid {
        name: name.to_owned(),
        value: value.to_owned(),
        reason,
    })
}

/// Whether a session may set the property `name`.
pub(super) fn check_name(name: &str) -> Result<(), PropertyError> {
    let canonical = without_client(canonical_name(name));
    let is_fixed = FIXED.contains(&canonical) || FIXED_PREFIXES.iter().any(|prefix| canonical.starts_with(prefix));
    let known = find(name).or_else(|| find(canonical));
    if is_fixed || known.is_some_and(|known| known.is_fixed) {
        return Err(PropertyError::Fixed { name: name.to_owned() });
    }
    let is_known = known.is_some()
        || CLIENT_CHOICES.iter().any(|(choice, _)| *choice == canonical)
        || CLIENT_PROPERTIES.contains(&canonical)
        || OPEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if is_known { Ok(()) } else { Err(PropertyError::Unknown { name: name.to_owned(), similar: similar(canonical) }) }
}

fn find(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

fn without_client(name: &str) -> &str {
    CLIENT_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// The known name that differs from `name` in little.
fn similar(name: &str) -> Option<String> {
    let names = PROPERTIES.iter().map(|property| property.name).chain(CLIENT_PROPERTIES);
    similar_names(name, names).into_iter().next()
}

impl Kind {
    fn check(self, value: &str) -> Result<(), String> {
        let is_one_of = |known: &[&str]| known.iter().any(|known| value.eq_ignore_ascii_case(known));
        match self {
            Self::Text => Ok(()),
            Self::Boolean if is_one_of(&["true", "false"]) => Ok(()),
            Self::Boolean => Err("Expected value to be either true or false".to_owned()),
            Self::Number if value.trim().parse::<i64>().is_ok() => Ok(()),
            Self::Number => Err("Not a number".to_owned()),
            Self::OneOf(known) if is_one_of(known) => Ok(()),
            Self::OneOf(known) => Err(format!("String must be one of: {}", known.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_are_in_order() {
        assert!(PROPERTIES.windows(2).all(|pair| pair[0].name < pair[1].name), "engine");
        assert!(CLIENT_PROPERTIES.windows(2).all(|pair| pair[0] < pair[1]), "clients");
    }

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
            assert_eq!(check(name, value), Ok(()), "{name}");
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
            let error = check(name, value).expect_err(name);
            assert_eq!((error.to_string().as_str(), error.hint().as_deref()), (message, hint));
        }
    }
}
