//! The shell against a server that answers as one of ksqlDB does, in the parts where ours says more: what is asked, and what is shown.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::http_server::{HttpServer, Request};

/// What was asked: path and body.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// The server, and what it was asked.
struct StandIn {
    server: HttpServer,
    asked: Asked,
}

impl StandIn {
    fn start() -> Self {
        let asked = Asked::default();
        let heard = Arc::clone(&asked);
        let server = HttpServer::start(move |Request { path, body, .. }| {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push((path.clone(), body.clone()));
            said(path, body["ksql"].as_str().unwrap_or_default())
        });
        Self { server, asked }
    }

    /// Exit code, standard output and standard error of a shell that asks it.
    fn shell(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.args(["shell", "--server", &self.server.url()]).args(arguments);
        let output = command.stdin(Stdio::null()).env_remove("LEVADA_LOG").output().expect("the binary starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// What was asked at `path`, oldest first.
    fn asked(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(asked, _)| asked == path).map(|(_, body)| body.clone()).collect()
    }
}

/// What is answered to `statement` at `path`.
fn said(path: &str, statement: &str) -> (u16, String) {
    let ok = |content: &str| (200, content.to_owned());
    match (path, statement) {
        ("/info", _) => ok(r#"{"KsqlServerInfo":{"version":"7.9.0","kafkaClusterId":"x","ksqlServiceId":"shop_"}}"#),
        ("/is_valid_property/auto.offset.reset", _) => ok("true"),
        ("/query", text) if text.starts_with("PRINT") => ok("Key format: KAFKA_STRING\n\
             rowtime: 2020/05/04 23:53:29.935 Z, key: a, value: <null>, partition: 3\nTopic printing ceased\n"),
        ("/query", text) if text.contains("EMIT") => ok("[{\"header\":{\"queryId\":\"q\",\
             \"schema\":\"`ID` STRING, `M` MAP<STRING, DOUBLE>\"}},\n\
             {\"row\":{\"columns\":[\"a\",{\"x\":1.5}]}},\n\n{\"row\":{\"columns\":[\"b\",null],\"tombstone\":true}},\n\
             {\"finalMessage\":\"Limit Reached\"}]"),
        ("/query", _) => ok("[{\"header\":{\"queryId\":\"q\",\"schema\":\"`ID` STRING KEY, `D` DECIMAL(4, 2)\"}},\n\
             {\"row\":{\"columns\":[\"a\",1.50]}}]"),
        ("/ksql", text) if text.starts_with("CREATE STREAM slow") => ok(r#"[{"@type":"currentStatus",
             "commandId":"stream/`SLOW`/create","commandStatus":{"status":"EXECUTING","message":"Executing statement"},
             "commandSequenceNumber":8,"warnings":[]}]"#),
        ("/status/stream/%60SLOW%60/create", _) => ok(r#"{"status":"SUCCESS","message":"Stream created at last"}"#),
        ("/ksql", text) if text.starts_with("CREATE STREAM wrong") => ok(r#"[{"@type":"currentStatus",
             "commandId":"stream/`WRONG`/create","commandStatus":{"status":"ERROR","message":"There is no topic"},
             "commandSequenceNumber":9,"warnings":[]}]"#),
        ("/ksql", text) if text.starts_with("CREATE") => {
            ok(r#"[{"@type":"currentStatus","commandId":"stream/`S`/create",
             "commandStatus":{"status":"SUCCESS","message":"Stream created","queryId":null},"commandSequenceNumber":7,"warnings":[]}]"#)
        }
        ("/ksql", text) if text.starts_with("SHOW CONNECTORS") => ok(r#"[{"@type":"connector_list","warnings":[],
             "connectors":[{"name":"c","type":"SINK","className":"x.Y","state":"RUNNING (1/1 tasks RUNNING)"}]}]"#),
        ("/ksql", text) if text.starts_with("EXPLAIN") => {
            ok("[{\"@type\":\"queryDescription\",\"queryDescription\":{\"id\":\"Q_1\",\
             \"queryType\":\"PERSISTENT\",\"statementText\":\"x\",\"fields\":[],\"sources\":[\"A\"],\"sinks\":[\"B\"],\
             \"executionPlan\":\" > [ SINK ] | Schema: `A` INTEGER | Logger: Q_1.B\\n\
             \\t\\t > [ SOURCE ] | Schema: `A` INTEGER | Logger: Q_1.S\\n\",\
             \"topology\":\"Topologies:\\n\"}}]")
        }
        ("/ksql", _) => (
            400,
            "{\"@type\":\"statement_error\",\"error_code\":40001,\
             \"message\":\"line 1:6: Syntax Error\\nno\\nStatement: DROP x;\",\"entities\":[]}"
                .to_owned(),
        ),
        _ => (404, "{}".to_owned()),
    }
}

#[test]
fn what_it_answers_is_shown() {
    let server = StandIn::start();
    let shown = |form: &str, statement: &str| {
        let (code, out, err) = server.shell(&["--output", form, "-e", statement]);
        assert_eq!(code, Some(0), "{statement}: {err}");
        out
    };
    assert_eq!(shown("table", "SELECT * FROM t;"), " ID │    D\n────┼──────\n a  │ 1.50\n1 row\n\n");
    assert_eq!(
        shown("json", "SELECT * FROM t EMIT CHANGES;"),
        "{\"ID\":\"a\",\"M\":{\"x\":1.5}}\n{\"ID\":\"b\",\"M\":null}\n"
    );
    assert!(shown("table", "SELECT * FROM t EMIT CHANGES;").contains("<TOMBSTONE>"));
    let record = "{\"rowtime\":1588636409935,\"partition\":3,\"key\":\"a\",\"value\":null}\n";
    assert_eq!(shown("json", "PRINT 't' FROM BEGINNING;"), record);
    let printed = "Key format: KAFKA_STRING\n\
                   rowtime: 2020/05/04 23:53:29.935 Z, key: a, value: <null>, partition: 3\nTopic printing ceased\n";
    assert_eq!(shown("table", "PRINT 't' FROM BEGINNING;"), printed);
    let connectors = "Connector Name,Type,Class,Status\nc,SINK,x.Y,RUNNING (1/1 tasks RUNNING)\n";
    assert_eq!(shown("csv", "SHOW CONNECTORS;"), connectors);
    assert!(shown("table", "version").contains("server: ksqlDB 7.9.0 at http://127.0.0.1:"));
    let drawn = shown("table", "\\viz Q_1");
    assert!(drawn.contains("│ SOURCE ") && drawn.contains("│ SINK "), "{drawn}");
}

#[test]
fn what_it_refuses_is_shown_in_its_place() {
    let server = StandIn::start();
    let (code, out, err) = server.shell(&["-e", "CREATE STREAM s (a INT) WITH (kafka_topic = 's');\nDROP x;"]);
    assert_eq!((code, out.as_str()), (Some(1), "Stream created\n"));
    assert_eq!(err, "error: Syntax Error\nno\n2 | DROP x;\n         ^\n");
}

#[test]
fn the_session_is_sent_with_every_request() {
    let server = StandIn::start();
    let session = "SET 'auto.offset.reset' = 'earliest'; DEFINE Topic = 's'; \
                   CREATE STREAM s (a INT) WITH (kafka_topic = '${topic}'); SELECT * FROM s;";
    let (code, _, err) =
        server.shell(&["-d", "other=x", "--property", "ksql.streams.num.stream.threads=2", "-e", session]);
    assert_eq!(code, Some(0), "{err}");
    let (created, asked) = (&server.asked("/ksql")[0], &server.asked("/query")[0]);
    assert_eq!(
        created["ksql"], "CREATE STREAM s (a INT) WITH (kafka_topic = '${topic}');",
        "the server replaces variables"
    );
    for body in [created, asked] {
        assert_eq!(body["streamsProperties"]["auto.offset.reset"], "earliest");
        assert_eq!(body["streamsProperties"]["num.stream.threads"], "2");
        assert_eq!(body["sessionVariables"]["topic"], "s");
        assert_eq!(body["sessionVariables"]["other"], "x");
    }
    assert_eq!(created.get("commandSequenceNumber"), None);
    assert_eq!(asked["commandSequenceNumber"], 7, "it waits for what was created");
    let pipelined = "request-pipelining on\nCREATE STREAM s (a INT) WITH (kafka_topic = 's');\nSELECT * FROM s;";
    assert_eq!(server.shell(&["-e", pipelined]).0, Some(0));
    assert_eq!(server.asked("/query")[1].get("commandSequenceNumber"), None);
}

#[test]
fn commands_are_waited_for_and_may_fail() {
    let server = StandIn::start();
    let (code, out, err) =
        server.shell(&["-e", "CREATE STREAM slow (a INT) WITH (kafka_topic='a', value_format='json');"]);
    assert_eq!((code, out.as_str()), (Some(0), "Stream created at last\n"), "{err}");
    let (code, out, err) =
        server.shell(&["-e", "CREATE STREAM wrong (a INT) WITH (kafka_topic='a', value_format='json');"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("There is no topic"), "{err}");
}
