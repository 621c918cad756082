//! What is secret is told to nobody: not in answers, not in figures, not in the log, not in what is kept.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::identity::SigningKey;
use super::process::{TestServer, statement};

/// Words that stand nowhere but in secrets.
const SECRETS: [&str; 14] = [
    "quince-of-ada",
    "quince-registry-user",
    "quince-registry-url",
    "quince-bearer-token",
    "quince-keystore",
    "quince-truststore",
    "quince-key",
    "quince-jaas",
    "quince-sasl",
    "quince-jwks",
    "quince-of-function",
    "quince-of-session",
    "quince-of-connect",
    "quince-of-connector",
];

/// A server that was told all of them, and logs all that it has to say.
fn server(folder: &Path) -> TestServer {
    let (users, connect) = (folder.join("users"), folder.join("connect"));
    std::fs::write(&connect, format!("username=levada\npassword={}\n", SECRETS[12])).expect("it can be written");
    std::fs::write(&users, format!("ada: {}, admin\n", SECRETS[0])).expect("it can be written");
    let properties = [
        "authentication.method=BASIC".to_owned(),
        format!("levada.users.file={}", users.display()),
        format!("ksql.schema.registry.basic.auth.user.info=user:{}", SECRETS[1]),
        "ksql.schema.registry.basic.auth.credentials.source=USER_INFO".to_owned(),
        format!("ksql.schema.registry.url=http://user:{}@127.0.0.1:9", SECRETS[2]),
        format!("ksql.schema.registry.bearer.auth.token={}", SECRETS[3]),
        format!("ssl.keystore.password={}", SECRETS[4]),
        format!("ssl.truststore.password={}", SECRETS[5]),
        format!("ssl.key.password={}", SECRETS[6]),
        format!("ksql.streams.sasl.jaas.config=X required username=\"u\" password=\"{}\";", SECRETS[7]),
        format!("ksql.streams.consumer.sasl.password={}", SECRETS[8]),
        format!("oauthbearer.jwks.endpoint.url=http://user:{}@127.0.0.1:9/keys", SECRETS[9]),
        format!("ksql.functions.shop.secret={}", SECRETS[10]),
        "ksql.connect.basic.auth.credentials.source=FILE".to_owned(),
        format!("ksql.connect.basic.auth.credentials.file={}", connect.display()),
        "ksql.connect.url=http://127.0.0.1:9".to_owned(),
    ];
    TestServer::start_logging("trace", &properties.each_ref().map(String::as_str))
}

#[test]
fn no_secret_is_told() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let server = server(folder.path());
    let basic = format!("Basic {}", STANDARD.encode(format!("ada:{}", SECRETS[0])));
    let claims = json!({"sub": "tim", "exp": 4_000_000_000_u64});
    let token = SigningKey::new("a").token(&claims);
    let bearer = format!("Bearer {token}");
    let session = [("ksql.streams.sasl.password", SECRETS[11])];
    let mut told = Vec::new();
    let stream = "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);";
    let connector = format!("CREATE SOURCE CONNECTOR c WITH ('connector.class'='a.B', 'password'='{}');", SECRETS[13]);
    for sql in [
        stream,
        // Connect, which is not there, is asked; and what is no statement may hold a password all the same.
        &connector,
        &connector.replace("');", "', 'x' 'y');"),
        &connector.replace("');", ""),
        "CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;",
        "INSERT INTO s (k, v) VALUES ('a', 1);",
        // The registry, which is not there, is asked.
        "CREATE STREAM a WITH (kafka_topic='s', value_format='avro');",
        "ASSERT SCHEMA SUBJECT 'x' TIMEOUT 1 MILLISECONDS;",
        "SHOW PROPERTIES;",
        "SHOW QUERIES EXTENDED;",
        "SHOW FUNCTIONS;",
        "SHOW CONNECTORS;",
        "SHOW VARIABLES;",
        "DESCRIBE s EXTENDED;",
        "EXPLAIN SELECT * FROM s EMIT CHANGES;",
        "EXPLAIN CTAS_T_1;",
        "SET 'ssl.keystore.password' = 'x';",
        "SET 'sasl.mechanism' = 7;",
        "SELECT wrong FROM s;",
        "nonsense",
    ] {
        for path in ["/ksql", "/query", "/query-stream"] {
            let answer = server.post(path, &[("authorization", &basic)], &statement(sql, &session));
            assert_ne!(answer.status, 401, "{answer:?}");
            told.push(answer.text);
        }
    }
    for path in [
        "/info",
        "/healthcheck",
        "/metrics",
        "/status",
        "/clusterStatus",
        "/v1/metadata",
        "/is_valid_property/sasl.password",
    ] {
        let answer = server.get_with(path, &[("authorization", &basic)]);
        assert_ne!(answer.status, 401, "{answer:?}");
        told.push(answer.text);
        for unknown in [&*bearer, &*basic.replace("Basic ", "Basic x"), SECRETS[0]] {
            let refused = server.get_with(path, &[("authorization", unknown)]);
            assert_eq!(refused.status, 401, "{refused:?}");
            told.push(refused.text);
        }
    }
    for table in ["LEVADA_QUERIES", "LEVADA_ERRORS", "LEVADA_TOPICS", "LEVADA_METRICS", "LEVADA_FUNCTIONS"] {
        let sql = format!("SELECT * FROM {table};");
        told.push(server.post("/query", &[("authorization", &basic)], &statement(&sql, &[])).text);
    }
    let (_, credentials) = basic.split_once(' ').expect("a scheme");
    told.push(server.get_with(&format!("/ws/query?request=x&access_token={credentials}"), &[]).text);
    told.push(server.get_with(&format!("/ws/query?request=x&access_token={token}"), &[]).text);
    let log = server.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    let kept = server.kept();
    assert!(String::from_utf8_lossy(&kept).contains("CREATE STREAM s"), "the commands are there");
    let places = [
        ("an answer", told.join("\n")),
        ("the log", log),
        ("the data directory", String::from_utf8_lossy(&kept).into_owned()),
    ];
    for (place, text) in &places {
        for secret in SECRETS.iter().chain([&credentials, &&*token]) {
            let at = text.find(secret);
            let around =
                at.map(|at| text[..at].chars().rev().take(300).collect::<String>().chars().rev().collect::<String>());
            assert!(around.is_none(), "{place} has {secret} after {around:?}");
        }
    }
}
