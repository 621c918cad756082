//! KafkaJS's client against our registry.

use std::process::Output;
use std::sync::{Arc, OnceLock};

use levada::registry::{EmbeddedRegistry, serve};

use super::{Locked, client, is_required, say};

/// Whether the client can be run here.
pub fn is_there() -> bool {
    static SETUP: OnceLock<Output> = OnceLock::new();
    let output = SETUP.get_or_init(|| client("node", &["setup", "kafkajs"], "", None));
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!is_required(), "no client of KafkaJS: {reason}");
        say(&format!("SKIPPED: KafkaJS's client cannot be run here: {reason}"));
    }
    output.status.success()
}

/// Runs a program of KafkaJS.
pub fn script(arguments: &[&str], input: &str) -> Output {
    client("node", &[&["kafkajs"], arguments].concat(), input, None)
}

#[test]
fn records_of_every_language_come_back() {
    if !is_there() {
        return;
    }
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let server = serve(registry, "127.0.0.1:0".parse().expect("an address")).expect("a free port");
    check(&script(&["registry.js", &server.url()], ""));
}

#[test]
fn they_do_so_over_https_with_a_password() {
    if !is_there() {
        return;
    }
    let locked = Locked::start();
    check(&client("node", &["kafkajs", "registry.js", &locked.url("ada:quince")], "", Some(&locked.certificate)));
    let refused = client("node", &["kafkajs", "registry.js", &locked.url("ada:plum")], "", Some(&locked.certificate));
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("Unauthorized"));
}

fn check(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "records of every language came back\n");
}
