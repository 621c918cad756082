//! The story `secured`: its script starts all that it needs, so it is run as it is, and what it shows is what its page says.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{LEVADA, folder, succeeded};

#[test]
fn secured_runs_on_embedded_topics() {
    check(&["--embedded"]);
}

#[test]
fn secured_runs_on_a_kafka_with_tls_and_passwords() {
    // A test with a broker has its turn.
    let Some(_broker) = crate::kafka::Broker::start() else { return };
    check(&[]);
}

/// Runs the script with `arguments`.
fn check(arguments: &[&str]) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut script = Command::new("sh");
    script.arg(folder("secured").join("run.sh")).args(arguments).stdin(Stdio::null());
    let output = script.env("LEVADA", LEVADA).env("LEVADA_SECURED_DIR", dir.path()).output().expect("there is a shell");
    let said = succeeded(&output, "secured");
    let page = std::fs::read_to_string(folder("secured/README.md")).expect("it has a page");
    let shown = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page shows it");
    // Without Kafka there is no password for it.
    let is_shown = |line: &&str| arguments.is_empty() || !line.contains("sasl.password");
    let shown: Vec<&str> = shown.trim().lines().filter(is_shown).collect();
    assert_eq!(said.trim().lines().collect::<Vec<_>>(), shown);
    for process in ["registry", "server"] {
        assert!(!is_running(&dir.path().join(format!("{process}.pid"))), "the {process} has ended");
    }
    assert!(!dir.path().join("kafka").exists(), "Kafka has ended, and its data are gone");
}

/// Whether the process is there whose id the file `pid` holds.
fn is_running(pid: &Path) -> bool {
    let text = std::fs::read_to_string(pid).expect("the script has written it");
    let id: libc::pid_t = text.trim().parse().expect("a process id");
    // SAFETY: signal 0 only asks.
    unsafe { libc::kill(id, 0) == 0 }
}
