//! KafkaJS's client against our registry.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, OnceLock};

use levada::registry::{EmbeddedRegistry, serve};

use super::{is_required, say};

/// Whether the client can be run here.
pub fn is_there() -> bool {
    static SETUP: OnceLock<Output> = OnceLock::new();
    let output = SETUP.get_or_init(|| node(&["setup", "kafkajs"], ""));
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!is_required(), "no client of KafkaJS: {reason}");
        say(&format!("SKIPPED: KafkaJS's client cannot be run here: {reason}"));
    }
    output.status.success()
}

/// Runs a program of KafkaJS.
pub fn script(arguments: &[&str], input: &str) -> Output {
    node(&[&["kafkajs"], arguments].concat(), input)
}

fn node(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/node.sh"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the script can be run");
    // A program that reads nothing may have ended.
    drop(child.stdin.take().expect("piped").write_all(input.as_bytes()));
    child.wait_with_output().expect("the script ends")
}

#[test]
fn records_of_every_language_come_back() {
    if !is_there() {
        return;
    }
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let server = serve(registry, "127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let output = script(&["registry.js", &format!("http://{}", server.address())], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "records of every language came back\n");
}
