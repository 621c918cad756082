//! Statements about connectors against a Kafka Connect that answers as a test says.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::connect::stand_in::{StandIn, info, status};
use crate::engine::{Engine, EngineError, EngineOptions, Response, Session};
use crate::topics::{MemoryTopics, TopicConfig, Topics};

fn engine(url: &str) -> Engine {
    let topics = MemoryTopics::new();
    topics.create("orders", &TopicConfig::with_partitions(1)).expect("a new topic");
    let properties = [("ksql.connect.url", url), ("ksql.connect.request.timeout.ms", "5000")];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = EngineOptions { properties, threads: false, ..EngineOptions::default() };
    Engine::with_options(Arc::new(topics) as Arc<dyn Topics>, options).expect("memory opens")
}

/// What statements answer: titles, headings and rows, a line each; cells with `|` between them.
fn answers(engine: &Engine, sql: &str) -> Result<Vec<String>, EngineError> {
    let mut lines = Vec::new();
    engine.execute(&mut Session::default(), sql, &mut |response| match response {
        Response::Listing(listings) => {
            for listing in listings {
                lines.extend([listing.title, listing.columns.join("|")]);
                lines.extend(listing.rows.iter().map(|row| row.join("|")));
            }
        }
        response => lines.push(response.message().unwrap_or_default().to_owned()),
    })?;
    lines.retain(|line| !line.is_empty());
    Ok(lines)
}

fn valid() -> (u16, Value) {
    (200, json!({"configs": []}))
}

#[test]
fn a_connector_is_checked_and_then_made() {
    let connect = StandIn::start(|what, _| match what {
        "POST /connectors" => (201, info("c", "source")),
        _ => valid(),
    });
    let engine = engine(&connect.url());
    let sql = "DEFINE place = '/tmp'; CREATE SOURCE CONNECTOR `c` WITH (\"connector.class\" = 'a.B', 'file' = '${place}/f', \
               'password' = '${file:/secrets:p}', 'tasks.max' = 2, 'rate' = 1.50, 'on' = true, mode = 'bulk');";
    assert_eq!(answers(&engine, sql).expect("Connect makes it"), ["Created connector c"]);
    let config = json!({
        "connector.class": "a.B", "file": "/tmp/f", "password": "${file:/secrets:p}", "tasks.max": "2", "rate": "1.50",
        "on": "true", "MODE": "bulk", "name": "c",
    });
    let asked: Vec<(String, Value)> = connect.asked().into_iter().map(|asked| (asked.what, asked.body)).collect();
    let expected = [
        ("PUT /connector-plugins/a.B/config/validate".to_owned(), config.clone()),
        ("POST /connectors".to_owned(), json!({"name": "c", "config": config})),
        ("GET /connectors/c/status".to_owned(), Value::Null),
    ];
    assert_eq!(asked, expected);
    assert_eq!(engine.next_command(), 0, "it is no command");
}

#[test]
fn what_connect_does_not_make_is_told() {
    let connect = StandIn::start(|what, config| match what {
        "PUT /connector-plugins/a.B/config/validate" if config["file"].is_null() => {
            (200, json!({"configs": [{"value": {"name": "file", "errors": ["it is missing"]}}]}))
        }
        "PUT /connector-plugins/a.B/config/validate" => valid(),
        "POST /connectors" => (409, json!({"message": "Connector C already exists"})),
        "GET /connectors/C" => (200, info("C", "source")),
        _ => (500, json!({"message": "Failed to find any class that implements Connector"})),
    });
    let engine = engine(&connect.url());
    for (sql, message, code) in [
        ("CREATE SOURCE CONNECTOR c WITH ('connector.class'='a.B');", "Validation error: file - it is missing", None),
        (
            "CREATE SOURCE CONNECTOR c WITH ('file'='f');",
            "Validation error: connector.class - it says what kind of connector it is, and is missing",
            None,
        ),
        (
            "CREATE SOURCE CONNECTOR c WITH ('connector.class'='a.B', 'file'='f');",
            "Failed to create connector: Connector C already exists",
            Some(40900),
        ),
        (
            "CREATE SOURCE CONNECTOR c WITH ('connector.class'='none');",
            "Failed to create connector: Failed to find any class that implements Connector",
            Some(50000),
        ),
    ] {
        let error = answers(&engine, sql).expect_err(sql);
        assert_eq!((error.message.as_str(), error.code), (message, code));
    }
    let hint = |sql: &str| answers(&engine, sql).expect_err("a file is missing").hint;
    assert_eq!(hint("CREATE SOURCE CONNECTOR c WITH ('connector.class'='a.B');"), None);
    let quotes = hint("CREATE SOURCE CONNECTOR c WITH ('connector.class'='a.B', file='f');").expect("it is not seen");
    assert!(quotes.contains("FILE") && quotes.contains("quotes"), "{quotes}");
    let sql = "CREATE SOURCE CONNECTOR IF NOT EXISTS c WITH ('connector.class'='a.B', 'file'='f');";
    assert_eq!(answers(&engine, sql).expect("that is allowed"), ["Connector C already exists"]);
}

#[test]
fn connectors_go_and_those_that_are_not_there_are_told() {
    let connect = StandIn::start(|what, _| match what {
        "DELETE /connectors/c" => (204, Value::Null),
        _ => (404, json!({"message": "Connector not found"})),
    });
    let engine = engine(&connect.url());
    assert_eq!(answers(&engine, "DROP CONNECTOR \"c\";").expect("it was there"), ["Dropped connector \"c\""]);
    let sql = "DROP CONNECTOR IF EXISTS c;";
    assert_eq!(answers(&engine, sql).expect("that is allowed"), ["Connector 'C' does not exist."]);
    let error = answers(&engine, "DROP CONNECTOR c;").expect_err("there is none");
    assert_eq!((error.message.as_str(), error.code), ("Failed to drop connector: Connector C not found", Some(40400)));
    let error = answers(&engine, "DESCRIBE CONNECTOR c;").expect_err("there is none");
    assert_eq!(
        (error.message.as_str(), error.code),
        ("Failed to describe connector: Connector C not found", Some(40400))
    );
}

#[test]
fn connectors_are_listed_as_ksqldb_lists_them() {
    let connect = StandIn::start(|what, _| match what {
        "GET /connector-plugins" => (200, json!([{"class": "a.B", "type": "source", "version": "1.0"}])),
        _ => (
            200,
            json!({
                "in": {"info": info("in", "source"), "status": status("in", &["RUNNING"])},
                "out": {"info": info("out", "sink"), "status": status("out", &["FAILED"])},
            }),
        ),
    });
    let engine = engine(&connect.url());
    let head = "Connector Name|Type|Class|Status";
    let (source, sink) = ("in|SOURCE|a.B|RUNNING (1/1 tasks RUNNING)", "out|SINK|a.B|WARNING (0/1 tasks RUNNING)");
    for (sql, expected) in [
        ("SHOW CONNECTORS;", &[head, source, sink][..]),
        ("LIST SOURCE CONNECTORS;", &[head, source]),
        ("SHOW SINK CONNECTORS;", &[head, sink]),
        ("LIST CONNECTOR PLUGINS;", &["Class|Type|Version", "a.B|SOURCE|1.0"]),
    ] {
        assert_eq!(answers(&engine, sql).expect(sql), expected);
    }
}

#[test]
fn a_description_has_the_sources_on_its_topics() {
    let connect = StandIn::start(|what, _| match what {
        "GET /connectors/c" => (200, info("c", "source")),
        "GET /connectors/c/status" => {
            let mut status = status("c", &["RUNNING", "FAILED"]);
            status["tasks"][1]["trace"] = json!("java.io.IOException: gone");
            (200, status)
        }
        _ => (200, json!({"c": {"topics": ["orders"]}})),
    });
    let engine = engine(&connect.url());
    let stream = "CREATE STREAM s (v INT) WITH (kafka_topic='orders', value_format='json', sourced_by_connector='c');";
    answers(&engine, stream).expect("the topic is there");
    let expected = [
        "Name|Class|Type|State|WorkerId|Trace",
        "c|a.B|source|RUNNING|w:8083|",
        "Task ID|State|Error Trace",
        "0|RUNNING|",
        "1|FAILED|java.io.IOException: gone",
        "ksqlDB Source Name|Kafka Topic|Type",
        "S|orders|STREAM",
        "Related Topics",
        "orders",
    ];
    assert_eq!(answers(&engine, "DESCRIBE CONNECTOR `c`;").expect("it is there"), expected);
}

#[test]
fn a_connect_that_does_not_answer_keeps_nobody_else_waiting() {
    let (asked, questions) = channel();
    let (may_answer, waits) = channel::<()>();
    let talk = Mutex::new((asked, waits));
    let connect = StandIn::start(move |_, _| {
        let talk = talk.lock().expect("nobody panics here");
        // The test may have ended.
        let _ = talk.0.send(());
        let _ = talk.1.recv();
        (200, json!({}))
    });
    let engine = engine(&connect.url());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| answers(&engine, "SHOW CONNECTORS;").map_err(|error| error.message));
        questions.recv().expect("Connect is asked");
        for sql in [
            "CREATE STREAM s (v INT) WITH (kafka_topic='orders', value_format='json');",
            "CREATE STREAM t AS SELECT * FROM s;",
            "INSERT INTO s VALUES (1);",
            "SHOW STREAMS;",
        ] {
            answers(&engine, sql).expect(sql);
        }
        may_answer.send(()).expect("Connect waits");
        let answered = waiting.join().expect("the statement does not panic");
        assert_eq!(answered, Ok(vec!["Connector Name|Type|Class|Status".to_owned()]));
    });
}

#[test]
fn nobody_there_is_told_with_the_property() {
    let engine = engine("http://127.0.0.1:9");
    let error = answers(&engine, "SHOW CONNECTORS;").expect_err("nobody is there");
    let text = "Failed to list connectors: Kafka Connect at http://127.0.0.1:9 cannot be reached: ";
    assert!(error.message.starts_with(text), "{error}");
    assert_eq!(error.code, Some(50000));
    assert!(error.hint.is_some_and(|hint| hint.contains("`ksql.connect.url`")));
    let wrong = self::engine("localhost:8083");
    let error = answers(&wrong, "SHOW CONNECTORS;").expect_err("that is no address");
    assert!(error.message.starts_with("ksql.connect.url cannot be used: "), "{error}");
}

#[test]
fn files_that_run_without_a_client_have_no_connectors() {
    let connect = StandIn::start(|_, _| (500, Value::Null));
    let engine = engine(&connect.url());
    let stream = "CREATE STREAM s (v INT) WITH (kafka_topic='orders', value_format='json');
        CREATE STREAM t AS SELECT * FROM s;";
    for sql in ["CREATE SINK CONNECTOR c WITH ('connector.class'='a.B');", "DROP CONNECTOR c;", "SHOW CONNECTORS;"] {
        let file = format!("{stream} {sql}");
        for refused in [
            engine.apply_file(&file, &mut |_| ()),
            engine.apply_whole_file(&file, &mut |_| ()).map(drop),
            engine.plan_file(&file).map(drop),
        ] {
            let error = refused.expect_err(sql);
            assert!(error.message.starts_with("connectors are made and looked at by clients: "), "{error}");
            assert_eq!(error.position.map(|(line, _)| line), Some(2), "{sql}");
        }
    }
    assert!(engine.catalog().source("S").is_none(), "nothing of such a file is done");
    assert!(connect.asked().is_empty());
}

#[test]
fn a_script_of_a_client_is_checked_with_its_connectors_first() {
    let connect = StandIn::start(|_, _| (200, json!({"configs": [{"value": {"name": "file", "errors": ["no"]}}]})));
    let engine = engine(&connect.url());
    let sql = "CREATE STREAM s (v INT) WITH (kafka_topic='orders', value_format='json'); SHOW CONNECTORS;
        CREATE SINK CONNECTOR c WITH ('connector.class'='a.B');";
    let statements = crate::sql::parse_statements(sql).expect("three statements");
    let error = engine.check(&Session::default(), &statements).expect_err("the connector cannot be made");
    assert_eq!(error.message, "Validation error: file - no");
    assert_eq!(connect.asked().len(), 1);
}
