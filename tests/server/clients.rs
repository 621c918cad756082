//! Programs that others have written for ksqlDB, as they are: Python's `ksql` and `ksqldb`, Node.js's `ksqldb-client`, and the requests
//! of ksqlDB's Java client and of Kafka UI.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::process::TestServer;
use super::{is_required, say};

fn script(arguments: &[&str]) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/ksqldb_clients.sh"));
    command.args(arguments).stdin(Stdio::null()).output().expect("the script can be run")
}

/// Runs a step against a server of its own, unless what it needs cannot be had here.
fn passes(kind: &str, step: &[&str]) {
    let setup = script(&["setup", kind]);
    if !setup.status.success() {
        let reason = String::from_utf8_lossy(&setup.stderr).into_owned();
        assert!(!is_required(), "no clients: {reason}");
        say(&format!("SKIPPED: clients of {kind} cannot be run here: {reason}"));
        return;
    }
    let server = TestServer::start();
    let url = server.url();
    let output = script(&[&[kind], step, &[url.as_str()]].concat());
    assert!(output.status.success(), "{kind} {step:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "every call was answered\n");
}

#[test]
fn pythons_ksql() {
    passes("ksql", &[]);
}

#[test]
fn pythons_ksqldb() {
    passes("ksqldb", &[]);
}

#[test]
fn nodes_ksqldb_client() {
    passes("node", &["client"]);
}

#[test]
fn what_the_java_client_sends() {
    passes("node", &["java"]);
}

#[test]
fn what_kafka_ui_sends() {
    passes("node", &["kafka-ui"]);
}
