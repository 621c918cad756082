//! Requests that Schemathesis makes of docs/openapi.json: right ones and wrong ones, each answered as that says.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::hostile::is_well;
use super::process::TestServer;
use super::{is_required, say};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn script(arguments: &[&str]) -> Output {
    let mut command = Command::new(folder().join("tests/clients/python.sh"));
    // It keeps notes in the folder in which it is started.
    let notes = tempfile::tempdir().expect("a folder for the test");
    command.args(arguments).env("SCHEMATHESIS_HOOKS", "ksql_statements").current_dir(&notes).stdin(Stdio::null());
    command.output().expect("the script can be run")
}

/// Whether Schemathesis can be had here.
fn is_there() -> bool {
    let setup = script(&["setup", "schemathesis"]);
    if !setup.status.success() {
        let reason = String::from_utf8_lossy(&setup.stderr).into_owned();
        assert!(!is_required(), "no Schemathesis: {reason}");
        say(&format!("SKIPPED: Schemathesis cannot be run here: {reason}"));
    }
    setup.status.success()
}

/// Asks `server` what is described, as `more` restricts it.
fn ask(server: &TestServer, more: &[&str]) {
    let [config, description] =
        ["tests/clients/schemathesis.toml", "docs/openapi.json"].map(|file| folder().join(file).display().to_string());
    let url = server.url();
    let run =
        ["schemathesis", "schemathesis", "--config-file", &config, "run", &description, "--url", &url, "--no-color"];
    let output = script(&[&run[..], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn answers_are_those_that_are_described() {
    if !is_there() {
        return;
    }
    let mut server = TestServer::with_rows_and(&["ksql.server.command.response.timeout.ms=20"]);
    is_well(&mut server);
    let (connections, memory) = (server.connections(), server.memory());
    ask(&server, &["--exclude-path", "/ksql/terminate"]);
    is_well(&mut server);
    for _ in 0..100 {
        if server.connections() <= connections {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let grown = server.memory().saturating_sub(memory);
    assert!(server.connections() <= connections, "{} connections, before {connections}", server.connections());
    assert!(grown < 200 << 20, "{} MB more than before", grown >> 20);
    // The end of the service, and what is told after it.
    ask(&server, &["--include-path", "/ksql/terminate", "--max-examples", "20"]);
    assert_eq!(server.post("/ksql/terminate", &[], "{}").status, 503);
    ask(&server, &["--max-examples", "5", "--exclude-checks", "unsupported_method"]);
    assert!(server.is_alive() && !server.log().contains("panicked"), "{}", server.log());
}
