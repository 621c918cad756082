//! `levada registry` as people start it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// A registry in a process of its own.
pub struct Served {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Served {
    pub fn start(dir: &Path) -> Self {
        let mut command = Command::new(LEVADA);
        command.args(["registry", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("levada starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next()).expect("an address");
        Self { child, address: address.to_owned() }
    }

    fn ask(&self, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let length = body.len();
        let text =
            format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
    }

    /// Ends it with a signal, and says whether it ended well.
    fn signal(mut self, signal: i32) -> bool {
        // SAFETY: the process is our child and was not waited for.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn schemas_survive_a_stop_and_a_kill() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let register = |served: &Served, subject: &str| {
        served.ask(&format!("POST /subjects/{subject}/versions"), r#"{"schema": "\"int\""}"#)
    };
    let served = Served::start(dir.path());
    assert_eq!(register(&served, "a"), r#"{"id":1,"version":1}"#);
    assert!(served.signal(libc::SIGTERM), "it ends well when it is told to");
    let served = Served::start(dir.path());
    assert_eq!(register(&served, "b"), r#"{"id":1,"version":1}"#);
    assert!(!served.signal(libc::SIGKILL));
    let served = Served::start(dir.path());
    assert_eq!(served.ask("GET /subjects", ""), r#"["a","b"]"#);
}

#[test]
fn properties_that_cannot_be_used_are_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let told = |properties: &[&str]| {
        let mut command = Command::new(LEVADA);
        command.arg("registry").arg("--data-dir").arg(dir.path());
        for property in properties {
            command.args(["--property", property]);
        }
        let output = command.stdin(Stdio::null()).output().expect("levada runs");
        assert!(!output.status.success(), "{properties:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let https = told(&["listeners=https://127.0.0.1:0", "authentication.metod=BASIC", "ksql.service.id=a_"]);
    for part in [
        "HTTPS needs the property ssl.keystore.location",
        "unknown property 'authentication.metod' (argument); did you mean authentication.method?",
        "a registry has no use for the property 'ksql.service.id' (argument)",
    ] {
        assert!(https.contains(part), "'{part}' in {https}");
    }
    let users = told(&["listeners=127.0.0.1:0", "authentication.method=BASIC"]);
    assert!(users.contains("authentication.method=BASIC needs the property levada.users.file"), "{users}");
}

#[test]
fn an_address_that_is_taken_or_none_is_told() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let served = Served::start(&dir.path().join("one"));
    for (listen, text) in [(served.address.as_str(), "cannot listen at"), ("8081", "write it as HOST:PORT")] {
        let mut command = Command::new(LEVADA);
        command.args(["registry", "--listen", listen, "--data-dir"]).arg(dir.path().join("two"));
        let output = command.stdin(Stdio::null()).output().expect("levada runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && err.contains(text), "{err}");
    }
}
