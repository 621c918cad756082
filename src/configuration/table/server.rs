//! What the HTTP server obeys.

use super::super::property::Unit::{Count, Megabytes, Milliseconds, Seconds};
use super::super::property::{INT_MAX, LONG_MAX, Property, boolean, choice, number, text, unset};

/// Properties by name.
pub(super) const SERVER: &[Property] = &[
    text("access.control.allow.headers", "", "headers that pages of other origins may send, with commas between them")
        .fixed(),
    text("access.control.allow.methods", "", "methods that pages of other origins may use, with commas between them")
        .fixed(),
    text("access.control.allow.origin", "", "origin whose pages may ask the server; `*` is any, empty is none").fixed(),
    choice(
        "authentication.method",
        "NONE",
        &["NONE", "BASIC", "BEARER"],
        "how clients say who they are; with `oauthbearer.jwks.endpoint.url` they may always show tokens",
    )
    .fixed(),
    text("authentication.realm", "", "the section of the JAAS file with users and passwords").fixed(),
    text("authentication.roles", "*", "roles that may use the server, with commas between them; `*` is any").fixed(),
    text(
        "authentication.skip.paths",
        "",
        "paths that ask nobody who he is, with commas between them; `*` stands for any text",
    )
    .fixed(),
    unset("java.security.auth.login.config", "the JAAS file, with the users of `authentication.realm`").fixed(),
    unset("ksql.advertised.listener", "address at which other servers reach this one; unless set, that of `ksql.internal.listener` or the first listener")
        .fixed(),
    number("ksql.heartbeat.check.interval.ms", "200", Milliseconds, "how often a server looks who has gone silent")
        .fixed(),
    boolean("ksql.heartbeat.enable", "false", "whether servers tell each other that they are alive"),
    number("ksql.heartbeat.missed.threshold.ms", "3", Count, "missed heartbeats after which a server counts as gone")
        .fixed(),
    number("ksql.heartbeat.send.interval.ms", "100", Milliseconds, "how often a server says that it is alive").fixed(),
    number("ksql.heartbeat.window.ms", "2000", Milliseconds, "heartbeats of so long ago count").fixed(),
    number(
        "ksql.idle.connection.timeout.seconds",
        "86400",
        Seconds,
        "a connection on which nothing is sent for so long, in either direction, is closed",
    )
    .fixed(),
    unset("ksql.internal.listener", "a further address, for other servers; `/heartbeat` and `/lag` are answered there only").fixed(),
    choice(
        "ksql.internal.ssl.client.authentication",
        "NONE",
        &["NONE", "REQUESTED", "REQUIRED"],
        "whether those who connect to `ksql.internal.listener` show a certificate",
    )
    .fixed(),
    boolean(
        "ksql.lag.reporting.enable",
        "false",
        "whether servers tell each other how far the state is that they keep",
    ),
    number("ksql.lag.reporting.send.interval.ms", "5000", Milliseconds, "how often they do").fixed(),
    boolean("ksql.logging.processing.rows.include", "false", "whether the processing log holds the rows that failed"),
    boolean(
        "ksql.logging.processing.stream.auto.create",
        "false",
        "whether a stream over the processing log is created",
    ),
    text("ksql.logging.processing.stream.name", "KSQL_PROCESSING_LOG", "name of that stream"),
    boolean("ksql.logging.processing.topic.auto.create", "false", "whether the topic of the processing log is created"),
    unset(
        "ksql.logging.processing.topic.name",
        "name of that topic; unless set, `ksql.service.id` and `ksql_processing_log` behind it",
    ),
    number("ksql.logging.processing.topic.partitions", "1", Count, "partitions of that topic"),
    number("ksql.logging.processing.topic.replication.factor", "1", Count, "copies of each of its partitions"),
    number("ksql.max.push.queries", "100", Count, "how many push queries may run at once"),
    text(
        "ksql.properties.overrides.allowlist",
        "",
        "properties that clients may set, with commas between them, where the mode is `allowlist`",
    )
    .fixed(),
    text(
        "ksql.properties.overrides.denylist",
        "",
        "properties that clients may not set, with commas between them, where the mode is `denylist`",
    )
    .fixed(),
    choice(
        "ksql.properties.overrides.validation.mode",
        "denylist",
        &["denylist", "allowlist"],
        "which of the two lists holds",
    )
    .fixed(),
    unset("ksql.queries.file", "file of statements that the server runs, headless; it takes none from clients then")
        .fixed(),
    boolean(
        "ksql.query.pull.enable.standby.reads",
        "false",
        "whether a server that keeps state at hand answers while the one that runs the task cannot",
    ),
    number(
        "ksql.query.pull.forwarding.timeout.ms",
        "20000",
        Milliseconds,
        "how long another server may take to answer",
    ),
    number(
        "ksql.query.pull.max.allowed.offset.lag",
        LONG_MAX,
        Count,
        "records that such an answer may lack",
    )
    .session(),
    number("ksql.query.pull.max.concurrent.requests", INT_MAX, Count, "pull queries that are answered at once"),
    number(
        "ksql.query.pull.max.hourly.bandwidth.megabytes",
        INT_MAX,
        Megabytes,
        "what pull queries may answer in an hour",
    ),
    number("ksql.query.pull.max.qps", INT_MAX, Count, "pull queries that are answered in a second"),
    number(
        "ksql.server.command.response.timeout.ms",
        "5000",
        Milliseconds,
        "how long a request waits for the command that it must see",
    )
    .fixed(),
    unset(
        "ksql.server.command.topic.rate.limit",
        "statements that change something which are taken in a second; unless set, any number",
    )
    .fixed(),
    number(
        "ksql.websocket.connection.max.timeout.ms",
        "3600000",
        Milliseconds,
        "how long a WebSocket may be open at most",
    ),
    text(
        "levada.authorization.define",
        "*",
        "roles that may create, change and end streams, tables and queries, with commas between them; `*` is any",
    )
    .fixed(),
    text("levada.authorization.read", "*", "roles that may read rows and facts").fixed(),
    text("levada.authorization.write", "*", "roles that may write records").fixed(),
    number("levada.connections.max", "16384", Count, "connections at the same time; others wait until one ends")
        .fixed(),
    number(
        "levada.request.timeout.ms",
        "300000",
        Milliseconds,
        "how long a pull query may take, and an ASSERT may wait, whatever its TIMEOUT says",
    )
    .fixed(),
    number("levada.shutdown.delay.ms", "0", Milliseconds, "how long a server goes on answering that is to stop and says that it is not ready").fixed(),
    unset("levada.users.file", "file of users, lines of `name: password, role, …`; for `authentication.method=BASIC`")
        .fixed(),
    text(
        "listeners",
        "http://0.0.0.0:8088",
        "addresses of the server, with commas between them; `https` needs `ssl.keystore.location`",
    )
    .fixed(),
    number(
        "oauthbearer.clock.skew.seconds",
        "30",
        Seconds,
        "how far the clock of who signs tokens may be from the server's",
    )
    .fixed(),
    unset("oauthbearer.expected.audience", "whom tokens must be for: one of these, with commas between them").fixed(),
    unset("oauthbearer.expected.issuer", "who must have issued tokens").fixed(),
    text(
        "oauthbearer.groups.claim.name",
        "groups",
        "claim of tokens with the roles, an array or a text; a dot leads to a member of a member",
    )
    .fixed(),
    number(
        "oauthbearer.jwks.endpoint.refresh.ms",
        "3600000",
        Milliseconds,
        "how often the keys of who signs tokens are fetched; and when one is missing",
    )
    .fixed(),
    unset(
        "oauthbearer.jwks.endpoint.url",
        "keys of who signs tokens (JWKS): a file, or an address of HTTP or HTTPS; clients must show who they are then",
    )
    .fixed(),
    text("oauthbearer.sub.claim.name", "sub", "claim of tokens with the name of who shows them").fixed(),
    number(
        "query.stream.disconnect.check",
        "1000",
        Milliseconds,
        "how often is looked whether the reader of a push query has gone",
    )
    .fixed(),
    text(
        "ssl.cipher.suites",
        "",
        "cipher suites of HTTPS by the names of TLS, with commas between them; empty: those of the TLS library",
    )
    .fixed(),
    boolean("ssl.client.auth", "false", "older form of `ssl.client.authentication`: `true` is REQUIRED").fixed(),
    choice(
        "ssl.client.authentication",
        "NONE",
        &["NONE", "REQUESTED", "REQUIRED"],
        "whether clients show a certificate that `ssl.truststore.location` trusts",
    )
    .fixed(),
    text("ssl.enabled.protocols", "TLSv1.2,TLSv1.3", "versions of TLS of HTTPS; older ones are not spoken").fixed(),
    unset("ssl.key.location", "private key of the server, PEM, where it is not in `ssl.keystore.location`").fixed(),
    unset("ssl.key.password", "password of the private key").fixed(),
    unset("ssl.keystore.location", "certificate chain and private key of the server, PEM or PKCS#12").fixed(),
    unset("ssl.keystore.password", "password of that file").fixed(),
    boolean("ssl.keystore.reload", "false", "whether certificates and key are read again when their file has changed")
        .fixed(),
    text("ssl.keystore.type", "JKS", "form of that file: Levada reads PEM and PKCS#12, whatever this says").fixed(),
    unset("ssl.keystore.watch.location", "file whose change counts, with `ssl.keystore.reload`; unless set, that file")
        .fixed(),
    unset("ssl.truststore.location", "certificates that are trusted, PEM or PKCS#12").fixed(),
    unset("ssl.truststore.password", "password of that file").fixed(),
    text("ssl.truststore.type", "JKS", "form of that file: Levada reads PEM and PKCS#12, whatever this says").fixed(),
];
