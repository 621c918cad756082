//! How much a server is asked at most, for how long, and what clients may set.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use super::process::{Answer, EARLIEST, TestServer, statement};

const STREAM: &str = "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);";

fn code(answer: &Answer) -> (u16, Option<u64>) {
    (answer.status, answer.json()["error_code"].as_u64())
}

#[test]
fn a_query_that_takes_too_long_is_given_up() {
    let server = TestServer::start_with(&["levada.request.timeout.ms=0"]);
    server.run(&format!("{STREAM} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"));
    server.run("INSERT INTO s (k, v) VALUES ('a', 1);");
    for path in ["/query", "/query-stream"] {
        let answer = server.post(path, &[], &statement("SELECT * FROM s;", EARLIEST));
        assert_eq!(code(&answer), (503, Some(50305)), "{answer:?}");
        assert!(answer.text.contains("levada.request.timeout.ms"), "{answer:?}");
    }
    // However long a client would wait; this one waits for less than a day.
    let answer = server.refused("ASSERT TOPIC nowhere TIMEOUT 1 DAY;");
    assert_eq!(code(&answer), (417, Some(41700)), "{answer:?}");
}

#[test]
fn statements_that_change_something_are_counted() {
    let server = TestServer::start_with(&["ksql.server.command.topic.rate.limit=1"]);
    let answer = server.refused(&format!("{STREAM} DROP STREAM s;"));
    assert_eq!(code(&answer), (429, Some(42900)), "{answer:?}");
    assert_eq!(server.run("SHOW STREAMS; SHOW TABLES; SHOW QUERIES;").len(), 3);
}

#[test]
fn rows_of_pull_queries_are_counted() {
    let server = TestServer::start_with(&["ksql.query.pull.max.hourly.bandwidth.megabytes=0"]);
    server.run(STREAM);
    let answer = server.post("/query", &[], &statement("SELECT * FROM s;", &[]));
    assert_eq!(code(&answer), (429, Some(42900)), "{answer:?}");
}

#[test]
fn clients_set_what_they_may() {
    let denied = "ksql.properties.overrides.denylist=processing.guarantee,commit.interval.ms";
    let server = TestServer::start_with(&[denied]);
    server.run(STREAM);
    let set = |name: &str| server.post("/ksql", &[], &statement("SHOW STREAMS;", &[(name, "1")])).status;
    for name in ["ksql.streams.commit.interval.ms", "ksql.service.id", "ssl.keystore.password", "bootstrap.servers"] {
        assert_eq!(set(name), 400, "{name}");
        for path in ["/query", "/query-stream"] {
            let answer = server.post(path, &[], &statement("SELECT * FROM s;", &[(name, "1")]));
            assert_eq!(code(&answer), (400, Some(40000)), "{answer:?}");
            assert!(answer.text.contains(&format!("Cannot override property '{name}'")), "{answer:?}");
        }
    }
    assert_eq!((set("auto.offset.reset"), set("nobody.knows")), (200, 200));
    assert_eq!(server.refused("SET 'commit.interval.ms' = '5';").status, 400);
    assert_eq!(server.get("/is_valid_property/commit.interval.ms").status, 400);
    assert_eq!(server.get("/is_valid_property/auto.offset.reset").status, 200);
}

#[test]
fn a_connection_on_which_nothing_happens_ends() {
    let server = TestServer::start_with(&["ksql.idle.connection.timeout.seconds=1", "levada.connections.max=1"]);
    server.run(STREAM);
    let mut stream = server.connect();
    let body = statement("SELECT * FROM s EMIT CHANGES;", &[]);
    let length = body.len();
    let head = format!("POST /query-stream HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).expect("it reads");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a timeout can be set");
    let mut told = Vec::new();
    let ended = stream.read_to_end(&mut told);
    assert!(told.starts_with(b"HTTP/1.1 200"), "{ended:?}: {}", String::from_utf8_lossy(&told));
    // Its place, which is the only one, is another's.
    assert_eq!(server.get("/info").status, 200);
}
