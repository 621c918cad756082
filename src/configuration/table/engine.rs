//! What the engine obeys.

use super::super::RESERVED_TOPICS;
use super::super::property::Unit::{Bytes, Count, Milliseconds};
use super::super::property::{INT_MAX, Kind, Property, boolean, choice, number, property, text, unset};

/// Properties by name.
pub(super) const ENGINE: &[Property] = &[
    choice(
        "auto.offset.reset",
        "latest",
        &["latest", "earliest"],
        "where queries begin that are created from now on: at records to come, or at the first one that is there",
    )
    .session(),
    number(
        "cache.max.bytes.buffering",
        "10000000",
        Bytes,
        "0: aggregates, tables and results of joined tables emit every change; otherwise the last one of each key and commit",
    )
    .session(),
    number("commit.interval.ms", "2000", Milliseconds, "how often results, positions and state are committed"),
    number("ksql.assert.schema.default.timeout.ms", "1000", Milliseconds, "how long ASSERT SCHEMA waits that does not say")
        .session(),
    number("ksql.assert.topic.default.timeout.ms", "1000", Milliseconds, "how long ASSERT TOPIC waits that does not say")
        .session(),
    text(
        "ksql.connect.basic.auth.credentials.file",
        "",
        "file with the `username` and the `password` that Kafka Connect is told, as Java's properties",
    ),
    boolean(
        "ksql.connect.basic.auth.credentials.reload",
        "false",
        "whether that file, and all else about Kafka Connect, is read again for each statement",
    ),
    choice(
        "ksql.connect.basic.auth.credentials.source",
        "NONE",
        &["NONE", "FILE"],
        "where the user is named that Levada is to Kafka Connect: nowhere, or in a file",
    ),
    number("ksql.connect.request.timeout.ms", "5000", Milliseconds, "how long an answer of Kafka Connect may take"),
    text(
        "ksql.connect.url",
        "http://localhost:8083",
        "Kafka Connect, or several of its workers with commas between: [connectors](statements/connectors.md)",
    ),
    boolean("ksql.create.or.replace.enabled", "true", "whether CREATE OR REPLACE is allowed").session(),
    boolean(
        "ksql.create.topic.inherit.source.replicas.enabled",
        "true",
        "whether the topic of a result has as many copies as that of its source",
    )
    .session(),
    text("ksql.extension.dir", "ext", "folder of the libraries of functions that are loaded at the start").fixed(),
    boolean(
        "ksql.fail.on.production.error",
        "false",
        "whether a result that cannot be written ends its query; otherwise it goes to the dead letters (in ksqlDB the default is true)",
    )
    .session(),
    boolean("ksql.headers.columns.enabled", "true", "whether columns may be declared HEADER or HEADERS").fixed(),
    text("ksql.hidden.topics", RESERVED_TOPICS, "patterns of topics that only SHOW ALL TOPICS lists").fixed(),
    boolean("ksql.insert.into.values.enabled", "true", "whether INSERT VALUES is allowed").session(),
    boolean("ksql.lambdas.enabled", "true", "whether functions may be given lambdas").session(),
    text("ksql.output.topic.name.prefix", "", "what topics of results begin with whose statement names none").session(),
    text("ksql.persistence.default.format.key", "KAFKA", "format of keys where a statement names none").session(),
    unset("ksql.persistence.default.format.value", "format of values where a statement names none").session(),
    property(
        "ksql.persistence.wrap.single.values",
        None,
        Kind::Boolean,
        "whether a value of one column is written as a record; unless set, the format decides",
    )
    .session(),
    boolean("ksql.pull.queries.enable", "true", "whether pull queries are answered").fixed(),
    number("ksql.query.persistent.active.limit", INT_MAX, Count, "how many persistent queries there may be").fixed(),
    boolean("ksql.query.pull.table.scan.enabled", "true", "whether a pull query may read a whole table").session(),
    text("ksql.readonly.topics", RESERVED_TOPICS, "patterns of topics that no statement writes").fixed(),
    text(
        "ksql.schema.registry.url",
        "",
        "the schema registry, or several with commas between: [the schema registry](schema-registry.md)",
    ),
    text("ksql.service.id", "default_", "the name that servers of one cluster share; groups and internal topics begin with it").fixed(),
    boolean("ksql.source.table.materialization.enabled", "true", "whether CREATE SOURCE TABLE keeps a table for pull queries").fixed(),
    boolean("ksql.suppress.enabled", "true", "whether EMIT FINAL is allowed").session(),
    boolean("ksql.timestamp.throw.on.invalid", "false", "whether a record without a valid event time ends its query").session(),
    boolean("ksql.udfs.enabled", "true", "whether libraries of functions are loaded at the start"),
    boolean("ksql.variable.substitution.enable", "true", "whether `${name}` is replaced by the value of a variable").session(),
    number("levada.functions.slow.ms", "10000", Milliseconds, "a call of a function of a library that runs longer is told").fixed(),
    number("levada.push.client.timeout.ms", "60000", Milliseconds, "how long a push query waits for a client that takes no rows").fixed(),
    unset(
        "levada.schema.registry.listener",
        "address at which the schema registry of the data directory is served: `127.0.0.1:8081`",
    )
    .fixed(),
    boolean("levada.self.joins.enabled", "true", "whether a source may be joined with itself, which ksqlDB refuses").session(),
    boolean("levada.whole.sql.enabled", "true", "whether a SELECT without EMIT may have more than ksqlDB's pull queries: joins, GROUP BY, ORDER BY, …").session(),
    number("levada.whole.sql.timeout.ms", "600000", Milliseconds, "how long such a SELECT may take; 0: as long as it takes").session(),
    unset("memory.limit", "how much memory the process may take: `512MB`, `4GB`; unless set, half of the machine's").fixed(),
    number("metadata.max.age.ms", "30000", Milliseconds, "how often topics are looked at that change under queries, at most"),
    number("num.standby.replicas", "0", Count, "servers that keep the state of a task at hand besides the one that runs it"),
    property("num.stream.threads", None, Kind::Number, "worker threads of the server; unless set, one per core"),
    choice(
        "processing.guarantee",
        "exactly_once_v2",
        &["at_least_once", "exactly_once", "exactly_once_beta", "exactly_once_v2"],
        "whether results, positions and state are committed in one transaction (in ksqlDB the default is at_least_once)",
    ),
    number("repartition.purge.interval.ms", "30000", Milliseconds, "how often records of internal topics are deleted that were read"),
    number("state.cleanup.delay.ms", "600000", Milliseconds, "how long the state of a task is kept that runs on another server"),
    number("statestore.cache.max.bytes", "10000000", Bytes, "as `cache.max.bytes.buffering`, which it replaces").session(),
    number(
        "windowstore.changelog.additional.retention.ms",
        "86400000",
        Milliseconds,
        "how much longer changelogs keep windows than stores do",
    ),
];
