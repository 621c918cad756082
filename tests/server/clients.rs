//! Programs that others have written for ksqlDB, as they are: Python's `ksql` and `ksqldb`, Node.js's `ksqldb-client`, and the requests
//! of ksqlDB's Java client and of Kafka UI.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::process::TestServer;
use super::{is_required, say};

fn script(language: &str, arguments: &[&str]) -> Output {
    let name = format!("tests/clients/{language}.sh");
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    command.args(arguments).stdin(Stdio::null()).output().expect("the script can be run")
}

/// Runs a step of `program`, which is in `language` and wants the packages `set`, against a server of its own, unless these cannot be had
/// here.
fn passes(language: &str, set: &str, program: &str, step: &str) {
    let setup = script(language, &["setup", set]);
    if !setup.status.success() {
        let reason = String::from_utf8_lossy(&setup.stderr).into_owned();
        assert!(!is_required(), "no clients: {reason}");
        say(&format!("SKIPPED: clients in {language} cannot be run here: {reason}"));
        return;
    }
    let server = TestServer::start();
    let output = script(language, &[set, program, step, server.url().as_str()]);
    assert!(output.status.success(), "{program} {step}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "every call was answered\n");
}

#[test]
fn pythons_ksql() {
    passes("python", "ksql", "ksqldb_clients.py", "ksql");
}

#[test]
fn pythons_ksqldb() {
    passes("python", "ksqldb", "ksqldb_clients.py", "ksqldb");
}

#[test]
fn nodes_ksqldb_client() {
    passes("node", "ksqldb", "ksqldb_clients.js", "client");
}

#[test]
fn what_the_java_client_sends() {
    passes("node", "ksqldb", "ksqldb_clients.js", "java");
}

#[test]
fn what_kafka_ui_sends() {
    passes("node", "ksqldb", "ksqldb_clients.js", "kafka-ui");
}
