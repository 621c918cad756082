//! The other side: `jdk.sh` answers all calls in one process of a JDK.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::call::Call;

/// Whether there is a JDK here; says why not. Installs one where that can be done.
pub fn set_up() -> Result<(), String> {
    let output = script("setup").stdin(Stdio::null()).output().expect("the script can be run");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// What each of `calls` gives.
pub fn answers(calls: &[Call]) -> Vec<String> {
    let mut command = script("run");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the script can be run");
    // It answers when it has read all: one pipe is served after the other.
    let text: String = calls.iter().map(|call| call.text() + "\n").collect();
    let written = child.stdin.take().expect("piped").write_all(text.as_bytes());
    let output = child.wait_with_output().expect("the script ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && written.is_ok(), "Calls.java has failed: {errors}");
    let answers = String::from_utf8(output.stdout).expect("results are text");
    let answers: Vec<String> = answers.split_terminator('\n').map(str::to_owned).collect();
    assert_eq!(answers.len(), calls.len(), "a result for every call: {errors}");
    answers
}

fn script(action: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/jdk.sh"));
    command.arg(action);
    command
}
