//! How rows are framed: by endpoint, type and kind of query.

use serde_json::{Value, json};

use super::process::{EARLIEST, TestServer, statement};

const DELIMITED: &str = "application/vnd.ksqlapi.delimited.v1";
const PROTOBUF: &str = "application/vnd.ksql.v1+protobuf";

/// Header lines hold ids that differ from run to run.
fn without_ids(text: &str) -> String {
    let pattern = regex::Regex::new("\"queryId\":\"[^\"]*\"").expect("a pattern");
    pattern.replace_all(text, "\"queryId\":\"…\"").into_owned()
}

fn ask(server: &TestServer, path: &str, accept: &str, sql: &str) -> String {
    let answer = server.post(path, &[("accept", accept)], &statement(sql, EARLIEST));
    assert_eq!(answer.status, 200, "{sql}: {answer:?}");
    without_ids(&answer.text)
}

const PULL: &str = "SELECT k, n FROM t WHERE k = 'x';";
const PUSH: &str = "SELECT k, a, b FROM s EMIT CHANGES LIMIT 2;";

#[test]
fn query_answers_an_array_of_objects() {
    let server = TestServer::with_rows();
    assert_eq!(
        ask(&server, "/query", "application/json", PULL),
        "[{\"header\":{\"queryId\":\"…\",\"schema\":\"`K` STRING KEY, `N` BIGINT\"}},\n{\"row\":{\"columns\":[\"x\",2]}}]\n"
    );
    assert_eq!(
        ask(&server, "/query", "application/json", PUSH),
        "[{\"header\":{\"queryId\":\"…\",\"schema\":\"`K` STRING, `A` INTEGER, `B` DOUBLE\"}},\n\
         {\"row\":{\"columns\":[\"x\",1,1.5]}},\n{\"row\":{\"columns\":[\"y\",2,2.5]}},\n{\"finalMessage\":\"Limit Reached\"}]\n"
    );
    assert_eq!(
        ask(&server, "/query", "application/json", "SELECT k FROM t WHERE k = 'nobody';"),
        "[{\"header\":{\"queryId\":\"…\",\"schema\":\"`K` STRING KEY\"}}]\n"
    );
    let stream = ask(&server, "/query", "application/json", "SELECT a FROM s WHERE a > 1;");
    assert!(stream.ends_with("{\"row\":{\"columns\":[3]}},\n{\"finalMessage\":\"Query Completed\"}]\n"), "{stream}");
}

#[test]
fn query_stream_answers_lines() {
    let server = TestServer::with_rows();
    let head =
        |names: &str, types: &str| format!("{{\"queryId\":\"…\",\"columnNames\":{names},\"columnTypes\":{types}}}\n");
    assert_eq!(
        ask(&server, "/query-stream", DELIMITED, PULL),
        head("[\"K\",\"N\"]", "[\"STRING\",\"BIGINT\"]") + "[\"x\",2]\n"
    );
    assert_eq!(
        ask(&server, "/query-stream", DELIMITED, PUSH),
        head("[\"K\",\"A\",\"B\"]", "[\"STRING\",\"INTEGER\",\"DOUBLE\"]") + "[\"x\",1,1.5]\n[\"y\",2,2.5]\n"
    );
}

#[test]
fn reads_are_framed_as_pull_queries_of_streams() {
    const READ: &str = "SELECT t.n, s.a FROM t JOIN s ON s.k = t.k ORDER BY s.a DESC LIMIT 2;";
    let server = TestServer::with_rows();
    assert_eq!(
        ask(&server, "/query", "application/json", READ),
        "[{\"header\":{\"queryId\":\"…\",\"schema\":\"`N` BIGINT, `A` INTEGER\"}},\n\
         {\"row\":{\"columns\":[2,3]}},\n{\"row\":{\"columns\":[1,2]}},\n{\"finalMessage\":\"Query Completed\"}]\n"
    );
    let lines = ask(&server, "/query-stream", DELIMITED, READ);
    assert!(lines.ends_with("\"columnTypes\":[\"BIGINT\",\"INTEGER\"]}\n[2,3]\n[1,2]\n"), "{lines}");
    // More rows than are kept for an answer: they come as they are made.
    let sources: Vec<String> = (0..10).map(|number| format!("s s{number}")).collect();
    let many = ask(&server, "/query-stream", DELIMITED, &format!("SELECT s0.a FROM {};", sources.join(", ")));
    assert_eq!(many.lines().count(), 3usize.pow(10) + 1);
    let refused = server.post("/query", &[], &statement("SELECT a FROM s ORDER BY nothing;", EARLIEST));
    assert_eq!((refused.status, refused.json()["column"].as_u64()), (400, Some(26)), "{refused:?}");
    let statements = server.post("/ksql", &[], &json!({"ksql": READ}).to_string());
    assert_eq!(statements.status, 400, "{statements:?}");
}

#[test]
fn query_stream_answers_an_array_to_who_wants_json() {
    let server = TestServer::with_rows();
    for (sql, rows) in [(PULL, "[[\"x\",2]]"), (PUSH, "[[\"x\",1,1.5],[\"y\",2,2.5]]")] {
        let text = ask(&server, "/query-stream", "application/json", sql);
        let lines: Value = serde_json::from_str(&text).expect("an array");
        let (head, given) = lines.as_array().and_then(|lines| lines.split_first()).expect("a header");
        assert!(head["columnNames"].is_array(), "{text}");
        assert_eq!(Value::from(given.to_vec()).to_string(), rows);
    }
}

#[test]
fn query_stream_answers_messages_to_who_wants_protobuf() {
    let server = TestServer::with_rows();
    for (sql, last) in [(PULL, Value::Null), (PUSH, json!("Limit Reached"))] {
        let lines: Value = serde_json::from_str(&ask(&server, "/query-stream", PROTOBUF, sql)).expect("an array");
        let schema = lines[0]["header"]["protoSchema"].as_str().expect("a schema");
        assert!(schema.starts_with("syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  string K = 1;\n"), "{schema}");
        assert!(lines[1]["row"]["protobufBytes"].is_string(), "{lines}");
        let lines = lines.as_array().expect("an array");
        assert_eq!(lines[lines.len() - 1]["finalMessage"], last);
    }
}

#[test]
fn keys_that_are_gone_are_told_where_there_is_a_form_for_it() {
    let server = TestServer::start();
    server.run(
        "CREATE TABLE u (k STRING PRIMARY KEY, a INT) WITH (kafka_topic='u', value_format='json', partitions=1);
         CREATE STREAM raw (k STRING KEY, v STRING) WITH (kafka_topic='u', value_format='kafka');
         INSERT INTO u (k, a) VALUES ('x', 1); INSERT INTO raw (k) VALUES ('x'); INSERT INTO u (k, a) VALUES ('y', 2);",
    );
    let sql = "SELECT * FROM u EMIT CHANGES LIMIT 3;";
    let rows = ask(&server, "/query", "application/json", sql);
    assert!(rows.contains("{\"row\":{\"columns\":[\"x\",null],\"tombstone\":true}},\n"), "{rows}");
    assert_eq!(
        ask(&server, "/query-stream", DELIMITED, sql).lines().skip(1).collect::<Vec<_>>(),
        ["[\"x\",1]", "[\"y\",2]"]
    );
}

#[test]
fn values_are_written_as_ksqldb_writes_them() {
    let server = TestServer::start();
    server.run(
        "CREATE STREAM v (d DECIMAL(6, 3), y BYTES, t TIMESTAMP, da DATE, ti TIME, m MAP<STRING, INT>, l ARRAY<DOUBLE>,
            st STRUCT<a INT, b STRING>, bo BOOLEAN, bi BIGINT) WITH (kafka_topic='v', value_format='json', partitions=1);
         INSERT INTO v VALUES (1.5, 'YWI=', '2021-02-03T04:05:06.789', '2021-02-03', '04:05:06', MAP('a' := 1),
            ARRAY[1.0, 2.5e10], STRUCT(a := 1, b := 'é\"'), true, 9223372036854775807);",
    );
    let lines = ask(&server, "/query-stream", DELIMITED, "SELECT * FROM v;");
    assert_eq!(
        lines.lines().nth(1),
        Some(
            "[1.500,\"YWI=\",\"2021-02-03T04:05:06.789\",\"2021-02-03\",\"04:05:06\",{\"a\":1},[1.0,2.5E10],\
             {\"A\":1,\"B\":\"é\\\"\"},true,9223372036854775807]"
        )
    );
}

#[test]
fn a_topic_is_printed_as_text() {
    let server = TestServer::with_rows();
    let printed = ask(&server, "/query", "application/json", "PRINT 's' FROM BEGINNING LIMIT 2;");
    assert!(printed.contains("key: x, value: {\"A\":1,\"B\":1.5}"), "{printed}");
    assert!(printed.ends_with("Topic printing ceased\n"), "{printed}");
}
