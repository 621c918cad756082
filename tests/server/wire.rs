//! What clients of ksqlDB do that a server may not expect, each as it is on the wire.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use super::http2::Http2;
use super::process::{Answer, EARLIEST, TestServer, statement};

const STREAM: &str = "CREATE STREAM w (k STRING KEY, a INT) WITH (kafka_topic='w', value_format='json', partitions=1);";

/// Sends bytes and reads the whole answer of HTTP/1.1.
fn raw(server: &TestServer, request: &str) -> String {
    let mut stream = server.connect();
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn one_port_speaks_both_versions() {
    let server = TestServer::start();
    let old = raw(&server, "GET /info HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(old.starts_with("HTTP/1.1 200 OK\r\n") && old.contains("\"KsqlServerInfo\""), "{old}");
    let new = Http2::connect(server.address()).ask("GET", "/info", &[], "");
    assert_eq!((new.status, new.content_type.as_str()), (200, "application/json"));
    assert!(new.json()["KsqlServerInfo"]["version"].is_string());
}

#[test]
fn a_body_needs_no_content_type() {
    let server = TestServer::start();
    let client = Http2::connect(server.address());
    let list = statement("LIST STREAMS;", &[]);
    for headers in [
        &[][..],
        &[("content-type", "application/vnd.ksql.v1+json; charset=utf-8")],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
    ] {
        assert_eq!(client.ask("POST", "/ksql", headers, &list).status, 200, "{headers:?}");
        let length = list.len();
        let mut request =
            format!("POST /ksql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n");
        headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
        assert!(raw(&server, &format!("{request}\r\n{list}")).starts_with("HTTP/1.1 200 OK\r\n"), "{headers:?}");
    }
}

#[test]
fn info_may_be_asked_with_a_body() {
    let server = TestServer::start();
    let client = Http2::connect(server.address());
    assert_eq!(client.ask("GET", "/info", &[], "{\"some\": \"json\"}").status, 200);
    let request = "GET /info HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    // The body is not taken for the next request of the connection.
    let twice = raw(&server, &format!("{request}GET /info HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    assert_eq!(twice.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{twice}");
}

#[test]
fn a_statement_answers_one_entity() {
    let server = TestServer::start();
    for text in [
        STREAM,
        "CREATE STREAM IF NOT EXISTS w (k STRING KEY, a INT) WITH (kafka_topic='w', value_format='json');",
        "CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM w GROUP BY k;",
        "LIST STREAMS;",
        "LIST TABLES EXTENDED;",
        "LIST TOPICS;",
        "LIST QUERIES;",
        "LIST FUNCTIONS;",
        "LIST TYPES;",
        "LIST VARIABLES;",
        "SHOW PROPERTIES;",
        "DESCRIBE w;",
        "DESCRIBE c EXTENDED;",
        "DESCRIBE FUNCTION LEN;",
        "EXPLAIN SELECT * FROM w EMIT CHANGES;",
        "TERMINATE ALL;",
        "DROP TABLE c;",
        "DROP STREAM IF EXISTS w;",
        "DROP STREAM IF EXISTS w;",
    ] {
        let entities = server.run(text);
        assert_eq!(entities.len(), 1, "{text}: {entities:?}");
        let is_whole = |entity: &Value| {
            entity["@type"].is_string() && entity["statementText"].is_string() && entity["warnings"].is_array()
        };
        assert!(entities.iter().all(is_whole), "{text}: {entities:?}");
    }
}

#[test]
fn rows_are_acknowledged_while_the_request_is_open() {
    let server = TestServer::start();
    server.run(STREAM);
    let client = Http2::connect(server.address());
    let mut inserts = client.open("POST", "/inserts-stream", &[]);
    inserts.send("{\"target\":\"w\"}\n");
    assert_eq!(inserts.status(), 200);
    for number in 0..3 {
        inserts.send(&format!("{{\"k\":\"x\",\"A\":{number}}}\n"));
        let frame = inserts.next().expect("an acknowledgement");
        assert_eq!(frame, format!("{{\"status\":\"ok\",\"seq\":{number}}}\n"));
    }
    inserts.send("{\"K\":");
    inserts.send("\"y\",\"a\":null}\n{\"k\":\"z\"}");
    assert_eq!(inserts.next().as_deref(), Some("{\"status\":\"ok\",\"seq\":3}\n"));
    // A last line needs no end of its own.
    inserts.finish();
    assert_eq!(inserts.next().as_deref(), Some("{\"status\":\"ok\",\"seq\":4}\n"));
    assert_eq!(inserts.next(), None);
    let rows = server.post("/query", &[], &statement("SELECT * FROM w;", &[])).json();
    let rows: Vec<&Value> =
        rows.as_array().expect("an array")[1..].iter().map(|line| &line["row"]["columns"]).collect();
    let expected =
        [json!(["x", 0]), json!(["x", 1]), json!(["x", 2]), json!(["y", null]), json!(["z", null]), Value::Null];
    assert_eq!(rows, expected.iter().collect::<Vec<_>>());
}

#[test]
fn rows_may_come_faster_than_they_are_written() {
    let server = TestServer::start();
    server.run(STREAM);
    let client = Http2::connect(server.address());
    let mut inserts = client.open("POST", "/inserts-stream", &[]);
    inserts.send("{\"target\":\"w\"}\n");
    // Each row is a frame: the Java client sends them so.
    (0..20_000).for_each(|number| inserts.send(&format!("{{\"K\":\"x\",\"A\":{number}}}\n")));
    inserts.finish();
    let answer = inserts.answer();
    assert_eq!(answer.lines().len(), 20_000, "{:?}", answer.lines().last());
    assert_eq!(answer.lines().last(), Some(&"{\"status\":\"ok\",\"seq\":19999}"));
}

#[test]
fn every_error_is_json_with_code_message_and_stack_trace() {
    let server = TestServer::start();
    let client = Http2::connect(server.address());
    let check = |answer: Answer, status: u16, code: u64| {
        assert_eq!((answer.status, answer.content_type.as_str()), (status, "application/json"), "{answer:?}");
        let body = answer.json();
        assert_eq!(body["error_code"], code, "{body}");
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
        assert_eq!(body["stackTrace"], json!([]), "{body}");
        assert!(body["@type"].as_str().is_some_and(|kind| kind.ends_with("_error")), "{body}");
    };
    check(server.get("/nowhere"), 404, 40400);
    check(server.get("/ksql"), 405, 40500);
    for path in ["/ksql", "/query", "/query-stream", "/close-query"] {
        check(server.post(path, &[], "{"), 400, 40000);
        check(server.post(path, &[], "[]"), 400, 40000);
        check(client.ask("POST", path, &[], "{}"), 400, 40000);
    }
    for path in ["/query", "/query-stream"] {
        check(server.post(path, &[], &statement("SELECT * FROM nothing;", &[])), 400, 40001);
        check(server.post(path, &[], &statement("SELECT", &[])), 400, 40001);
        check(server.post(path, &[("accept", "text/html")], &statement("SELECT 1;", &[])), 406, 40600);
    }
    check(server.refused("SELECT * FROM nothing;"), 400, 40002);
    check(server.refused("DROP STREAM nothing;"), 400, 40001);
    check(server.refused("ASSERT TOPIC nothing TIMEOUT 0 SECONDS;"), 417, 41700);
    check(server.post("/inserts-stream", &[], "{\"target\":\"w\"}\n"), 400, 40004);
    check(client.ask("POST", "/inserts-stream", &[], "{\"target\":\"nothing\"}\n"), 400, 40001);
    check(server.get("/status/stream/NOTHING/create"), 404, 40400);
    check(server.get("/is_valid_property/nothing.of.the.kind"), 400, 40000);
    check(server.get("/ws/query"), 400, 40000);
}

#[test]
fn each_endpoint_answers_in_the_type_that_is_asked_for() {
    let server = TestServer::with_rows();
    let ksql = "application/vnd.ksql.v1+json";
    let accept = |media| [("accept", media)];
    let list = statement("LIST STREAMS;", &[]);
    let pull = statement("SELECT * FROM t;", &[]);
    for (path, body, media) in [
        ("/ksql", &list, "application/json"),
        ("/ksql", &list, ksql),
        ("/query", &pull, "application/json"),
        ("/query", &pull, ksql),
        ("/query-stream", &pull, "application/json"),
        ("/query-stream", &pull, "application/vnd.ksqlapi.delimited.v1"),
        ("/query-stream", &pull, "application/vnd.ksql.v1+protobuf"),
    ] {
        let answer = server.post(path, &accept(media), body);
        assert_eq!((answer.status, answer.content_type.as_str()), (200, media), "{path}");
    }
    let listed = server.run("LIST STREAMS;").remove(0)["streams"][0].clone();
    let expected = json!({
        "type": "STREAM", "name": "S", "topic": "s", "keyFormat": "KAFKA", "valueFormat": "JSON", "isWindowed": false,
    });
    assert_eq!(listed, expected);
}

#[test]
fn properties_go_by_either_name_and_unknown_ones_are_no_error() {
    let server = TestServer::with_rows();
    let unknown = [("auto.offset.reset", "earliest"), ("num.stream.threads", "7"), ("some.tool.setting", "x")];
    let rows = server.post("/query", &[], &statement("SELECT k FROM s EMIT CHANGES LIMIT 3;", &unknown));
    assert_eq!((rows.status, rows.json().as_array().map(Vec::len)), (200, Some(5)), "{rows:?}");
    let body = json!({"sql": "SELECT k FROM s EMIT CHANGES LIMIT 3;", "properties": {"auto.offset.reset": "earliest", "x": 1}});
    assert_eq!(server.post("/query-stream", &[], &body.to_string()).lines().len(), 4);
    let created = server.post("/ksql", &[], &statement("CREATE STREAM u AS SELECT * FROM s;", &unknown));
    assert_eq!(created.status, 200, "{created:?}");
}

#[test]
fn http2_that_is_offered_but_not_begun_is_answered_with_the_version_that_was_spoken() {
    let server = TestServer::start();
    server.run(STREAM);
    let body = "{\"target\":\"w\"}\n{\"k\":\"a\",\"a\":1}";
    let head = |offer: &str| {
        let length = body.len();
        format!("POST /inserts-stream HTTP/1.1\r\nhost: x\r\n{offer}content-length: {length}\r\n\r\n{body}")
    };
    let offer = "connection: close, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nHTTP2-Settings: AAQAAP__\r\n";
    let answer = raw(&server, &head(offer));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("{\"status\":\"ok\",\"seq\":0}"), "{answer}");
    let refused = raw(&server, &head("connection: close\r\n"));
    assert!(refused.starts_with("HTTP/1.1 400 Bad Request\r\n") && refused.contains("40004"), "{refused}");
}

#[test]
fn a_frame_is_a_row() {
    let server = TestServer::with_rows();
    let client = Http2::connect(server.address());
    let body = statement("SELECT k, a FROM s EMIT CHANGES LIMIT 3;", EARLIEST);
    let mut rows = client.open("POST", "/query-stream", &[]);
    rows.send(&body);
    rows.finish();
    let frames: Vec<String> = std::iter::from_fn(|| rows.next()).collect();
    assert_eq!(frames[1..], ["[\"x\",1]\n", "[\"y\",2]\n", "[\"x\",3]\n"]);
    // Who reads lines of /query has a whole row with each.
    let answer = server.post("/query", &[], &body);
    let lines = answer.lines();
    assert!(
        lines[0].ends_with("}},")
            && lines[1].ends_with("},")
            && lines.last() == Some(&"{\"finalMessage\":\"Limit Reached\"}]")
    );
    assert!(answer.text.ends_with("]\n") && answer.json().is_array());
}

#[test]
fn connections_that_say_nothing_are_no_trouble() {
    let server = TestServer::start();
    let silent: Vec<_> = (0..50).map(|_| server.connect()).collect();
    assert_eq!(Http2::connect(server.address()).ask("GET", "/info", &[], "").status, 200);
    drop(silent);
    assert_eq!(server.get("/info").status, 200);
}
