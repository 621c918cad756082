//! A server of a test: `levada server` on a free port, with a data directory of its own, ended with the test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// No answer takes longer.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A running server.
pub struct TestServer {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
    scheme: String,
    agent: ureq::Agent,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its content type.
    pub content_type: String,
    /// Its body.
    pub text: String,
}

impl Answer {
    /// The body, which is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Lines of the body.
    pub fn lines(&self) -> Vec<&str> {
        self.text.lines().collect()
    }
}

impl TestServer {
    /// Starts a server.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with `properties`, written `name=value`.
    pub fn start_with(properties: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", properties, TlsConfig::default(), "warn")
    }

    /// Starts a server with `properties` that logs what is of the level `level` and above.
    pub fn start_logging(level: &str, properties: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", properties, TlsConfig::default(), level)
    }

    /// Starts a server with HTTPS, whose certificate `certificate` is believed, in PEM.
    pub fn start_with_tls(properties: &[&str], certificate: &str) -> Self {
        let root = Certificate::from_pem(certificate.as_bytes()).expect("a certificate").to_owned();
        let roots = RootCerts::new_with_certs(&[root]);
        Self::start_at("https://127.0.0.1:0", properties, TlsConfig::builder().root_certs(roots).build(), "warn")
    }

    fn start_at(listen: &str, properties: &[&str], tls: TlsConfig, level: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let log = File::create(folder.path().join("log")).expect("a file for the log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.current_dir(folder.path()).args(["server", "--data-dir", "data", "--listen", listen]);
        for property in properties {
            command.args(["--property", property]);
        }
        command.env("LEVADA_LOG", level).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the binary starts");
        let out = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        // A server that runs a file says first what that has done.
        let mut lines = out.lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("://")).unwrap_or_default();
        let (scheme, address) = line.trim().split_once("://").unwrap_or_default();
        let address = address.parse().unwrap_or_else(|_| panic!("it does not say where it listens: {line:?}"));
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let agent = config.tls_config(tls).build().new_agent();
        Self { child, folder, address, scheme: scheme.to_owned(), agent }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, for programs.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// What its data directory has, file by file.
    pub fn kept(&self) -> Vec<u8> {
        let (mut folders, mut bytes) = (vec![self.folder.path().join("data")], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").map_while(Result::ok) {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    // Files of the store come and go.
                    bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
                }
            }
        }
        bytes
    }

    /// Whether it is still there.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("the process is ours").is_none()
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill can be run").success(), "it has ended by itself");
    }

    /// Waits until it has ended; whether it says that all is well.
    pub fn has_ended_well(&mut self) -> bool {
        self.child.wait().expect("the process is ours").success()
    }

    /// Memory that it has now, in bytes.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kilobytes.unwrap_or_default() * 1024
    }

    /// Connections that it has now.
    pub fn connections(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("the process is there");
        let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
    }

    /// A connection of TCP.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream
    }

    /// Asks with GET.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// Asks with GET and further headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.call().unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Sends `body` with POST.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send(body).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Sends statements; the entities that they answer.
    pub fn run(&self, statements: &str) -> Vec<Value> {
        let answer = self.post("/ksql", &[], &statement(statements, &[]));
        assert_eq!(answer.status, 200, "{statements}: {answer:?}");
        answer.json().as_array().cloned().expect("an array of entities")
    }

    /// Sends statements that are refused.
    pub fn refused(&self, statements: &str) -> Answer {
        let answer = self.post("/ksql", &[], &statement(statements, &[]));
        assert_ne!(answer.status, 200, "{statements}: {answer:?}");
        answer
    }

    /// Asks `query` at `/query` until its answer is `is_wanted`: a table follows its topic.
    pub fn until(&self, query: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..400 {
            let answer = self.post("/query", &[], &statement(query, &[]));
            assert_eq!(answer.status, 200, "{query}: {answer:?}");
            let rows = answer.json();
            if is_wanted(&rows) {
                return rows;
            }
            std::thread::park_timeout(Duration::from_millis(25));
        }
        panic!("the answer to {query} has not come");
    }

    /// A stream `s` with three rows, and a table `t` of their number by key.
    pub fn with_rows() -> Self {
        Self::with_rows_and(&[])
    }

    /// The same with `properties`.
    pub fn with_rows_and(properties: &[&str]) -> Self {
        let server = Self::start_with(properties);
        server.run(
            "CREATE STREAM s (k STRING KEY, a INT, b DOUBLE) WITH (kafka_topic='s', value_format='json', partitions=1);
             SET 'auto.offset.reset' = 'earliest';
             CREATE TABLE t AS SELECT k, COUNT(*) AS n, SUM(a) AS total FROM s GROUP BY k EMIT CHANGES;
             INSERT INTO s (k, a, b) VALUES ('x', 1, 1.5);
             INSERT INTO s (k, a, b) VALUES ('y', 2, 2.5);
             INSERT INTO s (k, a, b) VALUES ('x', 3, NULL);",
        );
        server.until("SELECT * FROM t;", |rows| rows.as_array().is_some_and(|lines| lines.len() == 3) && has_all(rows));
        server
    }
}

fn has_all(rows: &Value) -> bool {
    rows.to_string().contains("[\"x\",2,4]")
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let newest: Vec<&str> = log.lines().rev().take(20).collect();
            super::say(&format!("the log of the server, newest first:\n{}", newest.join("\n")));
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answer(answer: ureq::http::Response<ureq::Body>) -> Answer {
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.to_owned();
    let text = answer.into_body().read_to_string().expect("the body is whole");
    Answer { status, content_type, text }
}

/// A request of `/ksql` and `/query`.
pub fn statement(text: &str, properties: &[(&str, &str)]) -> String {
    let properties: Value = properties.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    json!({"ksql": text, "streamsProperties": properties}).to_string()
}

/// Properties with which a query reads what there is.
pub const EARLIEST: &[(&str, &str)] = &[("auto.offset.reset", "earliest")];
