//! A service of a test: several `levada server`s on one cluster, each with a data directory of its own, asked over HTTP.
#![expect(clippy::disallowed_methods, reason = "what a cluster takes is real time")]

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Broker;

/// Longer than anything here should take.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A server.
pub struct Node {
    /// Names its data directory and its log.
    pub name: String,
    arguments: Vec<String>,
    log: PathBuf,
    child: Child,
    /// What it says; kept, since a server ends whose output nobody takes.
    out: BufReader<ChildStdout>,
    /// `http://127.0.0.1:PORT`; another one after each start.
    pub url: String,
    agent: ureq::Agent,
    asking: Asking,
}

/// How clients ask: believing this certificate, as this user.
#[derive(Default, Clone)]
pub struct Asking {
    pub certificate: Option<String>,
    pub authorization: Option<String>,
}

impl Asking {
    /// A client that believes the certificate.
    fn agent(&self) -> ureq::Agent {
        let tls = self.certificate.as_ref().map(|pem| {
            let root = Certificate::from_pem(pem.as_bytes()).expect("a certificate").to_owned();
            TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).build()
        });
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        config.tls_config(tls.unwrap_or_default()).build().new_agent()
    }
}

impl Node {
    /// Starts a server that listens at `listen`, with further properties, and waits until it listens.
    pub fn start(broker: &Broker, name: &str, listen: &str, properties: &[String], asking: &Asking) -> Self {
        let data = broker.path(name).display().to_string();
        let mut arguments: Vec<String> =
            ["server", "--listen", listen, "--data-dir", &data].map(ToOwned::to_owned).to_vec();
        for property in properties.iter().chain(std::iter::once(&broker.property())) {
            arguments.extend(["--property".to_owned(), property.clone()]);
        }
        let file = format!("{name}.log");
        let log = std::env::var_os("LEVADA_CRASH_LOGS").map(|dir| PathBuf::from(dir).join(&file));
        let log = log.unwrap_or_else(|| broker.path(&file));
        let (child, out, url) = spawn(&arguments, &log);
        Self { name: name.to_owned(), arguments, log, child, out, url, agent: asking.agent(), asking: asking.clone() }
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill can be run").success(), "{} has ended by itself:\n{}", self.name, self.log_tail());
        let status = self.child.wait().expect("the process ends");
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.log_tail());
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process ends");
    }

    /// Starts it again, on the same data directory.
    pub fn start_again(&mut self) {
        (self.child, self.out, self.url) = spawn(&self.arguments, &self.log);
    }

    /// Who asks it, for another thread.
    pub fn client(&self) -> NodeClient {
        NodeClient { url: self.url.clone(), agent: self.agent.clone(), user: self.asking.authorization.clone() }
    }

    /// Who asks it without saying who he is, on a connection of his own: one that was refused may be closed.
    pub fn anonymous(&self) -> NodeClient {
        NodeClient { url: self.url.clone(), agent: self.asking.agent(), user: None }
    }

    /// Its status and body at `path`.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(user) = &self.asking.authorization {
            request = request.header("authorization", user);
        }
        let answer = request.call().unwrap_or_else(|error| panic!("{}: {path}: {error}", self.name));
        let status = answer.status().as_u16();
        (status, answer.into_body().read_to_string().expect("the body is whole"))
    }

    /// Waits until it is ready for clients.
    pub fn until_ready(&self) {
        wait_for(&format!("{} is ready:\n{}", self.name, self.log_tail()), || self.get("/chc/ready").0 == 200);
    }

    /// Sends statements.
    pub fn run(&self, statements: &str) {
        let properties = json!({"auto.offset.reset": "earliest"});
        let body = json!({"ksql": statements, "streamsProperties": properties});
        let (status, text) = self.client().post("/ksql", &[], &body).expect("it answers");
        assert_eq!(status, 200, "{statements}: {text}");
    }

    /// `/clusterStatus`.
    pub fn cluster(&self) -> Value {
        let (status, text) = self.get("/clusterStatus");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).expect("JSON")["clusterStatus"].clone()
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        self.url.rsplit("//").next().unwrap_or_default()
    }

    /// The last lines that it has logged.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} ---\n{}", self.name, self.log_tail());
        }
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks a server.
#[derive(Clone)]
pub struct NodeClient {
    url: String,
    agent: ureq::Agent,
    user: Option<String>,
}

impl NodeClient {
    /// Sends `body` with POST; status and body of the answer, or why there is none.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<(u16, String), String> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        for (name, value) in headers.iter().copied().chain(self.user.as_deref().map(|user| ("authorization", user))) {
            request = request.header(name, value);
        }
        let answer = request.send(body.to_string()).map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().read_to_string().map_err(|error| error.to_string())?))
    }

    /// The rows of a pull query, each as a JSON array; status and text where it is refused.
    pub fn rows(&self, sql: &str) -> Result<Vec<Value>, (u16, String)> {
        let asked = self.post("/query-stream", &[], &json!({"sql": sql}));
        let (status, text) = asked.map_err(|error| (0, error))?;
        if status != 200 {
            return Err((status, text));
        }
        Ok(text.lines().skip(1).map(|line| serde_json::from_str(line).expect("a row")).collect())
    }
}

fn spawn(arguments: &[String], log: &PathBuf) -> (Child, BufReader<ChildStdout>, String) {
    let log_file: File = OpenOptions::new().create(true).append(true).open(log).expect("the log can be written");
    let mut command = Command::new(super::LEVADA);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
    let mut child = command.spawn().expect("levada starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    out.read_line(&mut line).expect("the server says where it listens");
    let said = || std::fs::read_to_string(log).unwrap_or_default();
    assert!(line.contains("://"), "it does not say where it listens: {}", said());
    (child, out, line.trim().to_owned())
}

/// Waits until `is_so`.
pub fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
