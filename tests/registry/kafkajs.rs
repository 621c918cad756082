//! KafkaJS's client against our registry.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use levada::registry::{EmbeddedRegistry, serve};

use super::{is_required, say};

fn script(arguments: &[&str]) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/kafkajs.sh"));
    command.args(arguments).stdin(Stdio::null()).output().expect("the script can be run")
}

#[test]
fn records_of_every_language_come_back() {
    let setup = script(&["setup"]);
    if !setup.status.success() {
        let reason = String::from_utf8_lossy(&setup.stderr).into_owned();
        assert!(!is_required(), "no client of KafkaJS: {reason}");
        say(&format!("SKIPPED: KafkaJS's client cannot be run here: {reason}"));
        return;
    }
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let server = serve(registry, "127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let output = script(&["run", &format!("http://{}", server.address())]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "records of every language came back\n");
}
