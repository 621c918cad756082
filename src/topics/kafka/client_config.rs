//! Properties as ksqlDB has them, to settings of librdkafka.
//!
//! | property | goes to |
//! |---|---|
//! | `bootstrap.servers`, `security.protocol`, `ssl.*`, `sasl.*`, … | all clients |
//! | `consumer.x`, `main.consumer.x`, `producer.x`, `admin.x` | the clients of that kind |
//! | any of these behind `ksql.streams.` | the same |
//! | `ksql.*` and what only Kafka Streams knows | none |

use std::collections::BTreeMap;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::cluster_error;
use crate::topics::TopicError;

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
    /// A setting for one kind of client that librdkafka does not have, or a value that it refuses.
    pub(super) fn new(properties: &BTreeMap<String, String>, exactly_once: bool) -> Result<Self, TopicError> {
        let (mut consumer, mut producer, mut admin) = (ClientConfig::new(), ClientConfig::new(), ClientConfig::new());
        consumer.extend(owned(&CONSUMER));
        producer.extend(owned(&PRODUCER));
        // In a transaction nobody sees a record before the commit, which sends what is left at once.
        producer.set("linger.ms", if exactly_once { "50" } else { "5" });
        for config in [&mut consumer, &mut producer, &mut admin] {
            config.set("client.id", "levada").set_log_level(RDKafkaLogLevel::Warning);
        }
        for (name, value) in properties {
            let name = name.strip_prefix("ksql.streams.").unwrap_or(name);
            let name = name.strip_prefix("main.").unwrap_or(name);
            let (kinds, name): (&mut [&mut ClientConfig], &str) = match name.split_once('.') {
                Some(("consumer", rest)) => (&mut [&mut consumer], rest),
                Some(("producer", rest)) => (&mut [&mut producer], rest),
                Some(("admin", rest)) => (&mut [&mut admin], rest),
                _ if is_for_all(name) => (&mut [&mut consumer, &mut producer, &mut admin], name),
                _ => continue,
            };
            check(name, value)?;
            for config in kinds {
                config.set(name, value);
            }
        }
        Ok(Self { consumer, producer, admin })
    }
}

fn owned(settings: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()))
}

/// Settings that mean the same for every kind of client.
fn is_for_all(name: &str) -> bool {
    const NAMES: [&str; 6] =
        ["bootstrap.servers", "security.protocol", "client.id", "client.dns.lookup", "debug", "metadata.max.age.ms"];
    const PREFIXES: [&str; 4] = ["ssl.", "sasl.", "socket.", "broker."];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether librdkafka takes the setting.
fn check(name: &str, value: &str) -> Result<(), TopicError> {
    let mut config = ClientConfig::new();
    config.set(name, value);
    let checked = config.create_native_config();
    checked.map(drop).map_err(|error| cluster_error(&format!("the property {name} cannot be used"), error))
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
    fn settings_that_no_client_has_are_refused_by_name() {
        let error = configs(&[("producer.lingr.ms", "7")]).map(drop).expect_err("no such setting").to_string();
        assert!(error.contains("lingr.ms"), "{error}");
    }
}
