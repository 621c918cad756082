//! The same on a real Apache Kafka: every spec, and servers and brokers that are killed at random moments.
//!
//! `tools/kafka/kafka.sh` fetches and starts the broker. Where it cannot be had the tests say so and pass, unless
//! `LEVADA_KAFKA=required`.

mod admin;
mod broker;
mod connect;
mod crash;
mod failover;
mod lag;
mod network;
mod proxy;
mod reader;
mod rolling;
mod routing;
mod server;
mod servers;
mod service;
mod sinks;
mod transfers;
mod watcher;
mod watching;

use std::process::{Command, Output};

pub use broker::Broker;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn succeeded(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_spec_holds_on_kafka() {
    let Some(broker) = Broker::start() else { return };
    let mut command = Command::new(LEVADA);
    command.args(["test", &format!("{ROOT}/tests/specs"), "--verbose"]);
    let output = command.env("LEVADA_TEST_BOOTSTRAP", &broker.bootstrap).output().expect("levada starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains(" passed, 0 failed"), "{text}");
}

#[test]
fn a_broker_that_does_not_answer_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("a.sql");
    std::fs::write(&file, "SHOW TOPICS;").expect("a file is written");
    let output = Command::new(LEVADA)
        .args(["run", "--until-idle", "0", "--property", "bootstrap.servers=127.0.0.1:9", "--data-dir"])
        .arg(dir.path().join("data"))
        .arg(&file)
        .output()
        .expect("levada starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && err.contains("no Kafka broker answers at 127.0.0.1:9"), "{err}");
}
