//! Who asks must say who he is, and may do what his roles may; HTTPS.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::hostile::{ENDPOINTS, status_of};
use super::identity::{IdentityProvider, SigningKey};
use super::process::{Answer, TestServer, statement};

fn users(folder: &std::path::Path) -> String {
    let file = folder.join("users");
    std::fs::write(&file, "ada: s3cret, admin\nbob: pw, reader\n").expect("it can be written");
    file.display().to_string()
}

fn secured(more: &[&str]) -> (tempfile::TempDir, TestServer) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = format!("levada.users.file={}", users(folder.path()));
    let properties = [&["authentication.method=BASIC", &*file][..], more].concat();
    let server = TestServer::start_with(&properties);
    (folder, server)
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(user))
}

fn ask(server: &TestServer, user: &str, path: &str, sql: &str) -> Answer {
    server.post(path, &[("authorization", &basic(user))], &statement(sql, &[]))
}

#[test]
fn whoever_does_not_say_who_he_is_learns_nothing() {
    let (_folder, server) = secured(&[]);
    for (method, path) in ENDPOINTS.iter().filter(|(_, path)| !path.starts_with("/chc/")) {
        for authorization in
            [None, Some("Basic !"), Some("Bearer x"), Some(&*basic("ada:wrong")), Some(&*basic("eve:x"))]
        {
            let headers: Vec<_> = authorization.iter().map(|value| ("authorization", *value)).collect();
            let answer = match *method {
                "POST" => server.post(path, &headers, "{\"ksql\": \"SHOW STREAMS;\"}"),
                _ => server.get_with(path, &headers),
            };
            let code = answer.json()["error_code"].as_u64();
            assert_eq!((answer.status, code), (401, Some(40100)), "{method} {path}: {answer:?}");
            assert!(!answer.text.contains("ada"), "{answer:?}");
        }
    }
    assert_eq!(server.get("/chc/live").status, 200);
    assert_eq!(ask(&server, "ada:s3cret", "/ksql", "SHOW STREAMS;").status, 200);
}

#[test]
fn no_spelling_of_a_pull_query_passes_its_limits() {
    let server = TestServer::start_with(&["ksql.query.pull.max.qps=0"]);
    server.run(
        "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);
         CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;",
    );
    for sql in [
        "SELECT * FROM t WHERE k = 'a';",
        "SELECT * FROM t WHERE k = 'EMIT';",
        "SELECT n AS emitted FROM t;",
        "-- a comment\nselect * from t;",
    ] {
        let answer = server.post("/query", &[], &statement(sql, &[]));
        assert_eq!((answer.status, answer.json()["error_code"].as_u64()), (429, Some(42900)), "{sql}: {answer:?}");
    }
    let pushed = server.post("/query", &[], &statement("SELECT * FROM s EMIT CHANGES LIMIT 0;", &[]));
    assert_eq!(pushed.status, 200, "{pushed:?}");
}

#[test]
fn what_is_no_pull_query_is_not_counted_as_one() {
    let server = TestServer::start_with(&["ksql.query.pull.max.qps=0"]);
    server.run(
        "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);
         INSERT INTO s (k, v) VALUES ('a', 1);",
    );
    let printed = server.post("/query", &[], &statement("PRINT 's' FROM BEGINNING LIMIT 1;", &[]));
    assert!(printed.status == 200 && printed.text.contains("key: a"), "{printed:?}");
    let shown = server.post("/query", &[], &statement("SHOW STREAMS;", &[]));
    assert_eq!((shown.status, shown.json()["error_code"].as_u64()), (400, Some(40001)), "{shown:?}");
}

#[test]
fn who_may_only_read_changes_nothing() {
    let (_folder, server) = secured(&["levada.authorization.define=admin", "levada.authorization.write=admin"]);
    let setup = "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);
                 CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;";
    assert_eq!(ask(&server, "ada:s3cret", "/ksql", setup).status, 200);
    let look = || ask(&server, "bob:pw", "/ksql", "SHOW STREAMS; SHOW TABLES; SHOW QUERIES; SHOW TYPES;").text;
    let before = look();
    for sql in [
        "CREATE STREAM x (k STRING KEY) WITH (kafka_topic='x', value_format='json', partitions=1);",
        "CREATE STREAM x AS SELECT * FROM s;",
        "CREATE TYPE x AS INT;",
        "INSERT INTO s (k, v) VALUES ('a', 1);",
        "INSERT INTO s SELECT * FROM s;",
        "DROP TABLE t;",
        "TERMINATE ALL;",
        "PAUSE ALL;",
        "ALTER STREAM s ADD COLUMN w INT;",
        "CREATE FUNCTION f(x INT) RETURNS INT AS x + 1;",
        "SHOW STREAMS; DROP STREAM s;",
    ] {
        let answer = ask(&server, "bob:pw", "/ksql", sql);
        assert_eq!((answer.status, answer.json()["error_code"].as_u64()), (403, Some(40300)), "{sql}: {answer:?}");
    }
    assert_eq!(ask(&server, "bob:pw", "/ksql/terminate", "").status, 403);
    assert_eq!(look(), before);
    assert_eq!(ask(&server, "bob:pw", "/query", "SELECT * FROM s EMIT CHANGES LIMIT 0;").status, 200);
    assert_eq!(ask(&server, "ada:s3cret", "/ksql", "INSERT INTO s (k, v) VALUES ('a', 1);").status, 200);
}

#[test]
fn https_is_spoken_with_the_certificate_of_the_properties() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let file = folder.path().join("server.pem");
    std::fs::write(&file, own.cert.pem() + &own.signing_key.serialize_pem()).expect("it can be written");
    let properties = [format!("ssl.keystore.location={}", file.display()), "ssl.keystore.type=PEM".to_owned()];
    let server = TestServer::start_with_tls(&properties.each_ref().map(String::as_str), &own.cert.pem());
    assert_eq!(server.get("/info").status, 200);
    assert_eq!(server.run("SHOW STREAMS;").len(), 1);
    let shown = server.post("/ksql", &[], &statement("SHOW PROPERTIES;", &[])).text;
    assert!(shown.contains("ssl.keystore.location"), "{shown}");
}

/// The claims of `name`, who has the roles `roles`, for a long time to come.
fn claims(name: &str, roles: &[&str]) -> Value {
    json!({"sub": name, "groups": roles, "iss": "https://id", "aud": ["levada"], "exp": 4_000_000_000_u64})
}

const ISSUER: [&str; 2] = ["oauthbearer.expected.issuer=https://id", "oauthbearer.expected.audience=levada"];

fn with_token(server: &TestServer, token: &str, sql: &str) -> Answer {
    server.post("/ksql", &[("authorization", &format!("Bearer {token}"))], &statement(sql, &[]))
}

#[test]
fn a_token_says_who_asks_and_what_he_may() {
    let (key, another) = (SigningKey::new("a"), SigningKey::new("a"));
    let provider = IdentityProvider::start(&key);
    let keys = format!("oauthbearer.jwks.endpoint.url={}", provider.url());
    let properties = [&ISSUER[..], &[&*keys, "levada.authorization.define=admin"]].concat();
    let (_folder, server) = secured(&properties);
    let create = "CREATE STREAM s (k STRING KEY) WITH (kafka_topic='s', value_format='json', partitions=1);";
    let admin = key.token(&claims("tim", &["admin"]));
    assert_eq!(with_token(&server, &admin, create).status, 200);
    let reader = key.token(&claims("eva", &["reader"]));
    assert_eq!(with_token(&server, &reader, "SHOW STREAMS;").status, 200);
    assert_eq!(with_token(&server, &reader, "DROP STREAM s;").status, 403);
    // Users are known as well.
    assert_eq!(ask(&server, "ada:s3cret", "/ksql", "SHOW STREAMS;").status, 200);

    let with = |name: &str, value: Value| {
        let mut claims = claims("tim", &["admin"]);
        claims[name] = value;
        key.token(&claims)
    };
    let head = |algorithm: &str| json!({"alg": algorithm, "kid": "a"});
    let refused = [
        another.token(&claims("tim", &["admin"])),
        with("exp", json!(1_000_000_000)),
        with("nbf", json!(3_999_999_999_u64)),
        with("aud", json!("other")),
        with("iss", json!("https://other")),
        key.token_with(&head("HS256"), &claims("tim", &["admin"])),
        key.token_with(&head("RS256"), &claims("tim", &["admin"])),
        key.token_with(&head("none"), &claims("tim", &["admin"])),
        "x".to_owned(),
    ];
    let answers = refused.iter().map(|token| with_token(&server, token, "SHOW STREAMS;"));
    // All are told the same, whatever is wrong: no more than that they are not known.
    let none = server.post("/ksql", &[], &statement("SHOW STREAMS;", &[]));
    assert_eq!((none.status, none.json()["error_code"].as_u64()), (401, Some(40100)));
    assert!(
        answers.map(|answer| (answer.status, answer.text)).all(|answer| answer == (none.status, none.text.clone()))
    );
    let log = server.log();
    assert!(refused[..8].iter().chain([&admin, &reader]).all(|token| !log.contains(&**token)), "{log}");
}

#[test]
fn keys_may_change_and_their_server_may_be_down() {
    let (first, second, third) = (SigningKey::new("1"), SigningKey::new("2"), SigningKey::new("3"));
    let provider = IdentityProvider::start(&first);
    let server = TestServer::start_with(&[&format!("oauthbearer.jwks.endpoint.url={}", provider.url())]);
    let status = |key: &SigningKey| with_token(&server, &key.token(&claims("tim", &[])), "SHOW STREAMS;").status;
    assert_eq!((status(&first), provider.asked()), (200, 1));
    provider.rotate(&second);
    assert_eq!((status(&first), provider.asked()), (200, 1), "a key that is known is not asked for");
    assert_eq!((status(&second), provider.asked()), (200, 2));
    assert_eq!(status(&first), 401, "its key has gone");
    // Keys that nobody has are no reason to ask all the time.
    let statuses: Vec<u16> = (0..20).map(|_| status(&third)).collect();
    assert_eq!((statuses, provider.asked()), (vec![401; 20], 2));
    drop(provider);
    assert_eq!((status(&second), status(&third)), (200, 401));
    assert_eq!(server.post("/ksql", &[], &statement("SHOW STREAMS;", &[])).status, 401);
}

#[test]
fn a_server_starts_without_the_keys_and_has_them_later() {
    let key = SigningKey::new("a");
    let file = tempfile::NamedTempFile::new().expect("a file for the test");
    std::fs::write(file.path(), key.set()).expect("it can be written");
    let server = TestServer::start_with(&[&format!("oauthbearer.jwks.endpoint.url=file:{}", file.path().display())]);
    assert_eq!(with_token(&server, &key.token(&claims("tim", &[])), "SHOW STREAMS;").status, 200);
    let nowhere = TestServer::start_with(&["oauthbearer.jwks.endpoint.url=http://127.0.0.1:9/keys"]);
    assert_eq!(with_token(&nowhere, &key.token(&claims("tim", &[])), "SHOW STREAMS;").status, 401);
    assert!(nowhere.log().contains("cannot fetch the keys of tokens"), "{}", nowhere.log());
}

#[test]
fn a_web_socket_shows_its_token_in_its_address() {
    let key = SigningKey::new("a");
    let file = tempfile::NamedTempFile::new().expect("a file for the test");
    std::fs::write(file.path(), key.set()).expect("it can be written");
    let keys = format!("oauthbearer.jwks.endpoint.url={}", file.path().display());
    let (_folder, server) = secured(&[&keys]);
    let token = key.token(&claims("tim", &[]));
    let status = |path: &str| {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        status_of(&server, head.as_bytes())
    };
    let request = "/ws/query?request=%7B%22ksql%22%3A%22x%22%7D";
    let user = URL_SAFE_NO_PAD.encode("ada:s3cret");
    assert_eq!(status(&format!("{request}&access_token={token}")), Some(101));
    assert_eq!(status(&format!("{request}&access_token={user}%3D%3D")), Some(101));
    assert_eq!(status(&format!("{request}&access_token={token}x")), Some(401));
    assert_eq!(status(request), Some(401));
    assert_eq!(status(&format!("/info?access_token={token}")), Some(401), "pages can set headers there");
    assert!(!server.log().contains(&token) && !server.log().contains(&user), "{}", server.log());
}
