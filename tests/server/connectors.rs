//! Statements about connectors over HTTP, against a stand-in for Kafka Connect that keeps what it is given.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::process::{Answer, TestServer, statement};
use crate::http_server::{HttpServer, Request};

/// A Kafka Connect that has one kind of connector: from a file, which it asks for, into a topic.
struct Connect(HttpServer);

const CLASS: &str = "org.example.FileSource";

impl Connect {
    fn start() -> Self {
        // Properties of connectors by name.
        let mut connectors = BTreeMap::new();
        Self(HttpServer::start(move |Request { method, path, body }| {
            let (status, body) = said(method, path, body, &mut connectors);
            (status, if body.is_null() { String::new() } else { body.to_string() })
        }))
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn property(&self) -> String {
        format!("ksql.connect.url={}", self.url())
    }
}

fn said(method: &str, path: &str, body: &Value, connectors: &mut BTreeMap<String, Value>) -> (u16, Value) {
    let missing = |name: &str| (404, json!({"error_code": 404, "message": format!("Connector {name} not found")}));
    let parts: Vec<&str> = path.trim_start_matches('/').split(['/', '?']).collect();
    match (method, parts.as_slice()) {
        ("PUT", ["connector-plugins", CLASS, "config", "validate"]) => {
            let errors: &[&str] = if body["file"].is_string() { &[] } else { &["a file is needed"] };
            let file = json!({"definition": {}, "value": {"name": "file", "errors": errors}});
            (200, json!({"name": CLASS, "error_count": errors.len(), "groups": [], "configs": [file]}))
        }
        ("GET", ["connector-plugins"]) => (200, json!([{"class": CLASS, "type": "source", "version": "1.0"}])),
        ("POST", ["connectors"]) => {
            let name = body["name"].as_str().expect("a connector has a name");
            if connectors.contains_key(name) {
                return (409, json!({"error_code": 409, "message": format!("Connector {name} already exists")}));
            }
            connectors.insert(name.to_owned(), body["config"].clone());
            (201, info(name, &body["config"]))
        }
        ("GET", ["connectors", "expand=info&expand=status"]) => {
            let expanded = |(name, config): (&String, &Value)| {
                (name.clone(), json!({"info": info(name, config), "status": status(name)}))
            };
            (200, Value::Object(connectors.iter().map(expanded).collect()))
        }
        ("GET", ["connectors", name]) => match connectors.get(*name) {
            Some(config) => (200, info(name, config)),
            None => missing(name),
        },
        ("GET", ["connectors", name, "status"]) => (200, status(name)),
        ("GET", ["connectors", name, "topics"]) => (200, json!({*name: {"topics": ["lines"]}})),
        ("DELETE", ["connectors", name]) => match connectors.remove(*name) {
            Some(_) => (204, Value::Null),
            None => missing(name),
        },
        _ => (500, json!({"error_code": 500, "message": format!("{method} {path}")})),
    }
}

fn info(name: &str, config: &Value) -> Value {
    json!({"name": name, "config": config, "tasks": [{"connector": name, "task": 0}], "type": "source"})
}

fn status(name: &str) -> Value {
    let worker = "127.0.0.1:8083";
    json!({
        "name": name, "connector": {"state": "RUNNING", "worker_id": worker},
        "tasks": [{"id": 0, "state": "RUNNING", "worker_id": worker}], "type": "source",
    })
}

const CREATE: &str =
    "CREATE SOURCE CONNECTOR c WITH ('connector.class'='org.example.FileSource', 'file'='f', 'password'='pw');";

fn ask(server: &TestServer, sql: &str) -> Answer {
    server.post("/ksql", &[], &statement(sql, &[]))
}

/// The one entity of an answer.
fn entity(server: &TestServer, sql: &str) -> Value {
    let answer = ask(server, sql);
    assert_eq!(answer.status, 200, "{sql}: {answer:?}");
    let mut entities = answer.json();
    assert_eq!(entities.as_array().map(Vec::len), Some(1), "{entities}");
    entities[0].take()
}

#[test]
fn connectors_come_are_seen_and_go() {
    let connect = Connect::start();
    let server = TestServer::start_with(&[&connect.property()]);
    server.run("CREATE STREAM s (line STRING) WITH (kafka_topic='lines', value_format='kafka', partitions=1);");
    // Passwords are in no answer: neither in the statement nor in the properties.
    let masked = "CREATE SOURCE CONNECTOR c WITH ('connector.class'='org.example.FileSource', 'file'='[string]', 'password'='[string]');";
    let config = json!({"connector.class": CLASS, "file": "f", "password": "[hidden]", "name": "C"});
    assert_eq!(
        entity(&server, CREATE),
        json!({
            "@type": "connector_info", "statementText": masked, "warnings": [],
            "info": {"name": "C", "config": config, "tasks": [{"connector": "C", "task": 0}], "type": "source"},
        })
    );
    let listed = json!({
        "@type": "connector_list", "statementText": "LIST SOURCE CONNECTORS;", "warnings": [],
        "connectors": [{"name": "C", "type": "source", "className": CLASS, "state": "RUNNING (1/1 tasks RUNNING)"}],
    });
    assert_eq!(entity(&server, "LIST SOURCE CONNECTORS;"), listed);
    assert_eq!(entity(&server, "SHOW SINK CONNECTORS;")["connectors"], json!([]));
    let plugins = json!([{"className": CLASS, "type": "source", "version": "1.0"}]);
    assert_eq!(entity(&server, "SHOW CONNECTOR PLUGINS;")["connectorsPlugins"], plugins);
    let described = entity(&server, "DESCRIBE CONNECTOR c;");
    assert_eq!((&described["@type"], &described["connectorClass"]), (&json!("connector_description"), &json!(CLASS)));
    let worker = "127.0.0.1:8083";
    assert_eq!(
        described["status"],
        json!({
            "name": "C", "connector": {"state": "RUNNING", "worker_id": worker, "trace": null},
            "tasks": [{"id": 0, "state": "RUNNING", "worker_id": worker, "trace": null}], "type": "source",
        })
    );
    let source = &described["sources"][0];
    assert_eq!((&source["name"], &source["topic"], &source["type"]), (&json!("S"), &json!("lines"), &json!("STREAM")));
    assert_eq!(described["topics"], json!(["lines"]));
    let dropped =
        json!({"@type": "drop_connector", "statementText": "DROP CONNECTOR c;", "connectorName": "C", "warnings": []});
    assert_eq!(entity(&server, "DROP CONNECTOR c;"), dropped);
    assert_eq!(entity(&server, "SHOW CONNECTORS;")["connectors"], json!([]));
}

#[test]
fn what_cannot_be_done_has_the_status_that_connect_gives() {
    let connect = Connect::start();
    let server = TestServer::start_with(&[&connect.property()]);
    let refused = |sql: &str, status: u16, code: u64, message: &str| {
        let answer = ask(&server, sql);
        let body = answer.json();
        assert_eq!((answer.status, body["error_code"].as_u64()), (status, Some(code)), "{sql}: {answer:?}");
        assert_eq!(body["message"], message, "{sql}");
        assert!(!answer.text.contains("'pw'"), "{answer:?}");
    };
    let without_file = CREATE.replace("'file'='f', ", "");
    refused(&without_file, 400, 40001, "Validation error: file - a file is needed");
    // All are checked before the first is carried out.
    refused(&format!("{CREATE} {without_file}"), 400, 40001, "Validation error: file - a file is needed");
    refused("DROP CONNECTOR c;", 404, 40400, "Failed to drop connector: Connector C not found");
    refused("DESCRIBE CONNECTOR c;", 404, 40400, "Failed to describe connector: Connector C not found");
    let warned = |sql: &str, message: &str| {
        let warning = entity(&server, sql);
        assert_eq!((&warning["@type"], &warning["message"]), (&json!("warning_entity"), &json!(message)), "{sql}");
    };
    warned("DROP CONNECTOR IF EXISTS c;", "Connector 'C' does not exist.");
    assert_eq!(entity(&server, CREATE)["@type"], "connector_info");
    refused(CREATE, 409, 40900, "Failed to create connector: Connector C already exists");
    warned(&CREATE.replace("CONNECTOR c", "CONNECTOR IF NOT EXISTS c"), "Connector C already exists");
    let other = CREATE.replace(CLASS, "org.example.Other");
    refused(&other, 500, 50000, "Failed to create connector: PUT /connector-plugins/org.example.Other/config/validate");
}

#[test]
fn without_kafka_connect_the_property_is_named() {
    let server = TestServer::start_with(&["ksql.connect.url=http://127.0.0.1:9"]);
    for sql in [CREATE, "DROP CONNECTOR c;", "SHOW CONNECTORS;", "SHOW CONNECTOR PLUGINS;", "DESCRIBE CONNECTOR c;"] {
        let answer = ask(&server, sql);
        let body = answer.json();
        assert_eq!((answer.status, body["error_code"].as_u64()), (500, Some(50000)), "{sql}: {answer:?}");
        let message = body["message"].as_str().unwrap_or_default();
        assert!(message.contains("Kafka Connect at http://127.0.0.1:9 cannot be reached"), "{message}");
        assert!(body["hint"].as_str().is_some_and(|hint| hint.contains("`ksql.connect.url`")), "{body}");
    }
}

#[test]
fn to_look_is_to_read_and_to_make_is_to_define() {
    let (connect, folder) = (Connect::start(), tempfile::tempdir().expect("a folder for the test"));
    let users = folder.path().join("users");
    std::fs::write(&users, "ada: s3cret, admin\nbob: pw, reader\n").expect("it can be written");
    let users = format!("levada.users.file={}", users.display());
    let define = "levada.authorization.define=admin";
    let server = TestServer::start_with(&["authentication.method=BASIC", &users, define, &connect.property()]);
    let status = |user: &str, sql: &str| {
        let authorization = format!("Basic {}", STANDARD.encode(user));
        server.post("/ksql", &[("authorization", &authorization)], &statement(sql, &[])).status
    };
    assert_eq!(status("bob:pw", CREATE), 403);
    assert_eq!(status("ada:s3cret", CREATE), 200);
    for sql in ["SHOW CONNECTORS;", "SHOW CONNECTOR PLUGINS;", "DESCRIBE CONNECTOR c;"] {
        assert_eq!(status("bob:pw", sql), 200, "{sql}");
    }
    assert_eq!(status("bob:pw", "DROP CONNECTOR c;"), 403);
    assert_eq!(status("ada:s3cret", "DROP CONNECTOR c;"), 200);
}

#[test]
fn a_server_that_runs_a_file_makes_no_connectors() {
    let (connect, folder) = (Connect::start(), tempfile::tempdir().expect("a folder for the test"));
    let file = folder.path().join("queries.sql");
    let stream = "CREATE STREAM s (v INT) WITH (kafka_topic='s', value_format='json', partitions=1);
        CREATE STREAM t AS SELECT * FROM s;";
    std::fs::write(&file, stream).expect("it can be written");
    let server = TestServer::start_with(&[&format!("ksql.queries.file={}", file.display()), &connect.property()]);
    assert_eq!(ask(&server, CREATE).status, 403);
    assert_eq!(entity(&server, "SHOW CONNECTORS;")["connectors"], json!([]));
}

#[test]
fn shells_show_the_same_of_a_server_and_of_their_own() {
    let connect = Connect::start();
    let server = TestServer::start_with(&[&connect.property()]);
    let folder = tempfile::tempdir().expect("a folder for the test");
    let script = format!("{CREATE} SHOW CONNECTORS; DESCRIBE CONNECTOR c; SHOW CONNECTOR PLUGINS; DROP CONNECTOR c;");
    let shown = |format: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.arg("shell").args(arguments).args(["--output", format, "-e", &script]);
        let output = command.output().expect("the binary starts");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{err}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let data = folder.path().display().to_string();
    for format in ["table", "json", "csv"] {
        let own = shown(format, &["--data-dir", &data, "--property", &connect.property()]);
        assert_eq!(own, shown(format, &["--server", &server.url()]), "{format}");
        assert!(own.contains("RUNNING (1/1 tasks RUNNING)") && own.contains(CLASS), "{own}");
    }
}
