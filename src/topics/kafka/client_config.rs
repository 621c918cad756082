//! Properties as ksqlDB has them, to settings of librdkafka.
//!
//! | property | goes to |
//! |---|---|
//! | `bootstrap.servers`, `security.protocol`, `ssl.*` (where that is TLS), `sasl.*`, … | all clients |
//! | `compression.type`, `linger.ms`, `fetch.min.bytes`, … | the clients that have them |
//! | `consumer.x`, `main.consumer.x`, `producer.x`, `admin.x` | the clients of that kind |
//! | any of these behind `ksql.streams.` | the same |
//! | `ksql.*` and what only Kafka Streams knows | none |
//!
//! What is said for fewer clients counts more, then what has the prefix. Settings of Java's clients are [translated](super::java_settings). What librdkafka does not know is passed over: whoever loads
//! the properties tells names that nobody knows.

use std::collections::BTreeMap;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::cluster_error;
use super::java_settings::{Stores, Translated, translated};
use crate::topics::TopicError;
use crate::topics::properties::{in_order, property};

/// Settings by kind of client.
pub(super) struct ClientConfigs {
    pub(super) consumer: ClientConfig,
    pub(super) producer: ClientConfig,
    pub(super) admin: ClientConfig,
}

/// What is asked of every consumer, before the user's own settings.
const CONSUMER: [(&str, &str); 10] = [
    ("group.id", "levada-reader"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // Where to go on after lost records is decided, and told, in `readers`.
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
    ("fetch.wait.max.ms", "50"),
    ("queued.max.messages.kbytes", "16384"),
    // Of each partition, beyond which nothing more is fetched: the default is ten times what two batches take.
    ("queued.min.messages", "10000"),
    // A full queue is looked at again this soon; librdkafka's own second lets it run dry.
    ("fetch.queue.backoff.ms", "10"),
    ("allow.auto.create.topics", "false"),
];

const PRODUCER: [(&str, &str); 6] = [
    // Topics have the last word on what is too large.
    ("message.max.bytes", "67108864"),
    ("enable.idempotence", "true"),
    ("batch.num.messages", "10000"),
    ("queue.buffering.max.messages", "500000"),
    ("queue.buffering.max.kbytes", "65536"),
    ("compression.codec", "lz4"),
];

impl ClientConfigs {
    /// The settings that `properties` ask for; `exactly_once` tells when a record is seen.
    ///
    /// # Errors
    /// A value that librdkafka refuses, or a setting of Java's clients that cannot be said there.
    pub(super) fn new(properties: &BTreeMap<String, String>, exactly_once: bool) -> Result<Self, TopicError> {
        let (mut consumer, mut producer, mut admin) = (ClientConfig::new(), ClientConfig::new(), ClientConfig::new());
        consumer.extend(owned(&CONSUMER));
        producer.extend(owned(&PRODUCER));
        // In a transaction nobody sees a record before the commit, which sends what is left at once.
        producer.set("linger.ms", if exactly_once { "50" } else { "5" });
        for config in [&mut consumer, &mut producer, &mut admin] {
            config.set("client.id", "levada").set_log_level(RDKafkaLogLevel::Warning);
        }
        let property = |name: &str| property(properties, name);
        let stores = Stores { key: property("ssl.keystore.type"), trust: property("ssl.truststore.type") };
        let is_secure = property("security.protocol").is_some_and(|name| name.to_ascii_uppercase().contains("SSL"));
        let mut settings: Vec<(&str, &str)> = in_order(properties).collect();
        settings.sort_by_key(|(name, _)| specificity(name));
        for (name, value) in settings {
            let name = name.strip_prefix("main.").unwrap_or(name);
            let (kinds, name): (&mut [&mut ClientConfig], &str) = match name.split_once('.') {
                Some(("consumer", rest)) => (&mut [&mut consumer], rest),
                Some(("producer", rest)) => (&mut [&mut producer], rest),
                Some(("admin", rest)) => (&mut [&mut admin], rest),
                // Without TLS to the brokers these are for the server's own listeners.
                Some(("ssl", _)) if !is_secure => continue,
                _ if is_for_all(name) => (&mut [&mut consumer, &mut producer, &mut admin], name),
                _ if CONSUMER_NAMES.contains(&name) => (&mut [&mut consumer], name),
                _ if PRODUCER_NAMES.contains(&name) => (&mut [&mut producer], name),
                _ => continue,
            };
            set(kinds, name, value, stores)?;
        }
        Ok(Self { consumer, producer, admin })
    }
}

/// How few clients a property is for: what is said for fewer counts more.
fn specificity(name: &str) -> u8 {
    match name.split_once('.') {
        Some(("main", _)) => 2,
        Some(("consumer" | "producer" | "admin", _)) => 1,
        _ => 0,
    }
}

/// Sets what `name` means at clients of these `kinds`.
fn set(kinds: &mut [&mut ClientConfig], name: &str, value: &str, stores: Stores<'_>) -> Result<(), TopicError> {
    let settings = match translated(name, value, stores) {
        Translated::AsItIs => vec![(name, value.to_owned())],
        Translated::Instead(settings) => settings,
        Translated::Refused(reason) => {
            return Err(cluster_error(&format!("the property {name} cannot be used"), reason));
        }
    };
    for (name, value) in settings {
        if is_taken(name, &value)? {
            for config in kinds.iter_mut() {
                config.set(name, value.as_str());
            }
        }
    }
    Ok(())
}

fn owned(settings: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()))
}

/// Settings that mean the same for every kind of client.
fn is_for_all(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "bootstrap.servers",
        "security.protocol",
        "client.id",
        "client.dns.lookup",
        "connections.max.idle.ms",
        "debug",
        "metadata.max.age.ms",
        "receive.buffer.bytes",
        "reconnect.backoff.max.ms",
        "reconnect.backoff.ms",
        "retry.backoff.ms",
        "send.buffer.bytes",
    ];
    const PREFIXES: [&str; 4] = ["ssl.", "sasl.", "socket.", "broker."];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Settings of consumers that need no prefix.
const CONSUMER_NAMES: [&str; 6] = [
    "check.crcs",
    "client.rack",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "max.partition.fetch.bytes",
];

/// Settings of producers that need no prefix.
const PRODUCER_NAMES: [&str; 5] = ["batch.size", "buffer.memory", "compression.type", "linger.ms", "max.request.size"];

/// Whether librdkafka has the setting.
///
/// # Errors
/// It has, and refuses the value.
fn is_taken(name: &str, value: &str) -> Result<bool, TopicError> {
    let mut config = ClientConfig::new();
    config.set(name, value);
    match config.create_native_config() {
        Ok(_) => Ok(true),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            tracing::debug!("librdkafka has no setting {name}");
            Ok(false)
        }
        Err(error) => Err(cluster_error(&format!("the property {name} cannot be used"), error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configs(properties: &[(&str, &str)]) -> Result<ClientConfigs, TopicError> {
        let properties = properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        ClientConfigs::new(&properties.collect(), true)
    }

    #[test]
    fn properties_reach_the_clients_that_they_are_for() {
        let found = configs(&[
            ("bootstrap.servers", "a:1"),
            ("ksql.streams.producer.linger.ms", "7"),
            ("main.consumer.fetch.min.bytes", "9"),
            ("ksql.service.id", "x"),
            ("commit.interval.ms", "100"),
        ])
        .expect("valid settings");
        for config in [&found.consumer, &found.producer, &found.admin] {
            assert_eq!(config.get("bootstrap.servers"), Some("a:1"));
            assert_eq!((config.get("ksql.service.id"), config.get("commit.interval.ms")), (None, None));
        }
        assert_eq!((found.producer.get("linger.ms"), found.consumer.get("linger.ms")), (Some("7"), None));
        assert_eq!(found.consumer.get("fetch.min.bytes"), Some("9"));
    }

    #[test]
    fn what_is_said_for_fewer_clients_counts_more_then_what_has_the_prefix() {
        let found = configs(&[
            ("client.id", "all"),
            ("admin.client.id", "plain"),
            ("ksql.streams.admin.client.id", "prefixed"),
            ("ksql.streams.client.id", "all, prefixed"),
            ("ksql.streams.consumer.fetch.min.bytes", "2"),
            ("main.consumer.fetch.min.bytes", "3"),
            ("ksql.streams.fetch.min.bytes", "1"),
        ])
        .expect("valid settings");
        let ids = [&found.consumer, &found.producer, &found.admin].map(|config| config.get("client.id"));
        assert_eq!(ids, [Some("all, prefixed"), Some("all, prefixed"), Some("prefixed")]);
        assert_eq!(found.consumer.get("fetch.min.bytes"), Some("3"));
    }

    #[test]
    fn a_file_of_a_ksqldb_server_is_taken_as_it_is() {
        let found = configs(&[
            ("bootstrap.servers", "pkc.example:9092"),
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "PLAIN"),
            (
                "sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"KEY\" password=\"SECRET\";",
            ),
            ("ssl.endpoint.identification.algorithm", ""),
            ("ssl.client.authentication", "NONE"),
            ("compression.type", "zstd"),
            ("ksql.streams.producer.retries", "2147483647"),
            ("ksql.streams.producer.confluent.batch.expiry.ms", "9223372036854775807"),
            ("ksql.streams.producer.max.block.ms", "9223372036854775807"),
            ("ksql.streams.consumer.max.poll.records", "500"),
            ("ksql.streams.consumer.auto.offset.reset", "earliest"),
            ("listeners", "http://0.0.0.0:8088"),
        ])
        .expect("it is taken");
        for config in [&found.consumer, &found.producer, &found.admin] {
            assert_eq!((config.get("sasl.username"), config.get("sasl.password")), (Some("KEY"), Some("SECRET")));
            assert_eq!(config.get("ssl.endpoint.identification.algorithm"), Some("none"));
            assert_eq!((config.get("sasl.jaas.config"), config.get("listeners")), (None, None));
        }
        assert_eq!(
            (found.producer.get("compression.type"), found.consumer.get("compression.type")),
            (Some("zstd"), None)
        );
        assert_eq!(found.consumer.get("auto.offset.reset"), Some("error"));
        assert_eq!((found.producer.get("max.block.ms"), found.consumer.get("max.poll.records")), (None, None));
    }

    #[test]
    fn certificates_of_the_listeners_are_not_those_of_the_clients() {
        let store = ("ssl.keystore.location", "/etc/server.jks");
        let found = configs(&[("bootstrap.servers", "a:1"), store]).expect("brokers are asked in plain text");
        assert_eq!(found.consumer.get("ssl.keystore.location"), None);
        let error = configs(&[("security.protocol", "SSL"), store]).map(drop).expect_err("it is Java's").to_string();
        assert!(error.contains("ssl.keystore.location") && error.contains("PEM"), "{error}");
    }

    #[test]
    fn values_that_librdkafka_refuses_are_told() {
        let error = configs(&[("producer.linger.ms", "soon")]).map(drop).expect_err("no number").to_string();
        assert!(error.contains("linger.ms"), "{error}");
        assert!(configs(&[("producer.lingr.ms", "7")]).is_ok(), "who loads the properties has told it");
    }
}
