//! Who asks must say who he is, and may do what his roles may; HTTPS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hostile::ENDPOINTS;
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
    for sql in ["SELECT * FROM t WHERE k = 'a';", "SELECT * FROM t WHERE k = 'EMIT';", "SELECT n AS emitted FROM t;"] {
        let answer = server.post("/query", &[], &statement(sql, &[]));
        assert_eq!((answer.status, answer.json()["error_code"].as_u64()), (429, Some(42900)), "{sql}: {answer:?}");
    }
    let pushed = server.post("/query", &[], &statement("SELECT * FROM s EMIT CHANGES LIMIT 0;", &[]));
    assert_eq!(pushed.status, 200, "{pushed:?}");
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
