//! What Levada's clients of Kafka obey. They take all settings of librdkafka beside these.

use super::super::property::Unit::{Bytes, Milliseconds};
use super::super::property::{Property, choice, number, text, unset};

/// Properties by name.
pub(super) const KAFKA: &[Property] = &[
    unset(
        "bootstrap.servers",
        "brokers of the cluster, with commas between them; unless set, topics are in the data directory",
    )
    .fixed(),
    text("client.id", "levada", "name by which brokers know the clients"),
    unset("compression.type", "how producers compress; unless set, `lz4`"),
    number("fetch.min.bytes", "1", Bytes, "least that a broker gathers before it answers a consumer"),
    unset(
        "group.instance.id",
        "name by which the other servers keep this one's place while it restarts; unless set, one that the data directory has; empty: none",
    ),
    number("linger.ms", "50", Milliseconds, "how long a producer gathers records; 5 with `at_least_once`"),
    number("reconnect.backoff.max.ms", "10000", Milliseconds, "longest pause before a broker is tried again"),
    number("reconnect.backoff.ms", "100", Milliseconds, "shortest pause before a broker is tried again"),
    unset("replication.factor", "copies of each partition of internal topics; unless set, as the brokers have it"),
    unset(
        "sasl.jaas.config",
        "user and password, as Java's clients have them: `… required username=\"u\" password=\"p\";`",
    ),
    text(
        "sasl.mechanism",
        "GSSAPI",
        "how clients say who they are: `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`",
    ),
    unset("sasl.password", "the password, where `sasl.jaas.config` does not say"),
    unset("sasl.username", "the user, where `sasl.jaas.config` does not say"),
    choice(
        "security.protocol",
        "PLAINTEXT",
        &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        "how brokers are spoken to",
    ),
    number("socket.connection.setup.timeout.ms", "30000", Milliseconds, "how long a connection to a broker may take"),
    unset("ssl.ca.location", "certificates that brokers are checked against, PEM"),
    unset("ssl.certificate.location", "certificate of the clients, PEM"),
    text(
        "ssl.endpoint.identification.algorithm",
        "https",
        "`https`: a broker's certificate has its name; empty: it need not",
    ),
];
