//! Asking a Kafka Connect cluster.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Method, Request};

use super::answers::{Connector, ConnectorStatus, Plugin, faults};
use super::error::ConnectError;
use super::settings::Settings;
use crate::http::{Address, SettingError, path_segment, request_failure};

/// A Kafka Connect cluster elsewhere.
#[derive(Debug)]
pub struct ConnectClient {
    agent: Agent,
    addresses: Vec<Address>,
    /// The address that answered last.
    preferred: AtomicUsize,
    /// How often Connect is asked again while its workers agree on who does what.
    tries: u32,
    are_settings_reloaded: bool,
}

/// What has become of a connector that was to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It is there now.
    New(Connector),
    /// One of that name was there before.
    Exists,
}

/// What has become of a connector that was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It is gone.
    Gone,
    /// There was none.
    Missing,
}

/// Longer answers are not read.
const ANSWER_BYTES_MAX: u64 = 32 << 20;
/// How long a connection may take at most; the next address may be quicker.
const CONNECTING: Duration = Duration::from_secs(2);
/// How long to wait for workers that agree on who does what.
const AGREEING: Duration = Duration::from_millis(250);
/// How often to look for a connector that was just made.
const KNOWN_TRIES: u32 = 8;
const CONFLICT: u16 = 409;
const NOT_FOUND: u16 = 404;

/// An answer: its status, and what it holds.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    /// What was asked for.
    fn granted(self) -> Result<Value, ConnectError> {
        if self.status < 300 { Ok(self.body) } else { Err(self.refusal()) }
    }

    /// What was asked for, if it is there.
    fn found(self) -> Result<Option<Value>, ConnectError> {
        if self.status == NOT_FOUND { Ok(None) } else { self.granted().map(Some) }
    }

    /// Why it does not do what it was asked.
    fn refusal(&self) -> ConnectError {
        let said = self.body["message"].as_str().map(str::trim).filter(|message| !message.is_empty());
        let message =
            said.map_or_else(|| format!("Kafka Connect answers with the status {}", self.status), str::to_owned);
        ConnectError::Refused { status: self.status, message }
    }
}

/// Why there is no answer at an address.
enum Fault {
    /// Nothing was asked: the next address may be.
    NotConnected(String),
    /// It may have done what it was asked.
    Lost(String),
}

impl ConnectClient {
    /// The cluster that `properties` name. Nothing is asked yet.
    ///
    /// # Errors
    /// A property that cannot be used.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self, SettingError> {
        let Settings { addresses, tls, timeout, are_reloaded } = Settings::read(properties)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECTING.min(timeout)))
            .timeout_global(Some(timeout))
            .tls_config(tls)
            // Statements about connectors are rare: a connection that waits for the next one would be closed meanwhile.
            .max_idle_connections(0)
            .user_agent(concat!("levada/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            agent: config.build().new_agent(),
            addresses,
            preferred: AtomicUsize::new(0),
            tries: u32::try_from(timeout.as_millis() / AGREEING.as_millis()).unwrap_or(u32::MAX).max(1),
            are_settings_reloaded: are_reloaded,
        })
    }

    /// Whether properties and their files are to be read again for the next statement.
    pub fn are_settings_reloaded(&self) -> bool {
        self.are_settings_reloaded
    }

    /// What is wrong with the properties `config` of a connector of the class `class`, a line each.
    ///
    /// # Errors
    /// Connect does not say.
    pub fn validate(&self, class: &str, config: &Value) -> Result<Vec<String>, ConnectError> {
        let path = format!("/connector-plugins/{}/config/validate", path_segment(class));
        let answer = self.ask(&Method::PUT, &path, Some(config))?.granted()?;
        faults(&answer).ok_or_else(|| self.strange(&path))
    }

    /// Makes the connector `name`.
    ///
    /// # Errors
    /// Connect does not make it, or does not say.
    pub fn create(&self, name: &str, config: &Value) -> Result<Created, ConnectError> {
        let path = "/connectors";
        let body = json!({"name": name, "config": config});
        for _ in 0..self.tries {
            let answer = self.ask_once(&Method::POST, path, Some(&body))?;
            if answer.status == CONFLICT {
                // It exists, or workers are about to agree on who does what.
                if self.get(&format!("/connectors/{}", path_segment(name)))?.is_some() {
                    return Ok(Created::Exists);
                }
                std::thread::park_timeout(AGREEING);
                continue;
            }
            let made = answer.granted()?;
            let connector = Connector::read(&made).ok_or_else(|| self.strange(path))?;
            self.wait_for(name);
            return Ok(Created::New(connector));
        }
        Err(Self::busy())
    }

    /// Waits a moment until the connector `name`, which was made, is also known: a worker is told of it by a topic.
    fn wait_for(&self, name: &str) {
        let path = format!("/connectors/{}/status", path_segment(name));
        for _ in 0..KNOWN_TRIES {
            // It was made, whatever is answered here.
            if !matches!(self.get(&path), Ok(None)) {
                return;
            }
            std::thread::park_timeout(AGREEING);
        }
    }

    /// Removes the connector `name`.
    ///
    /// # Errors
    /// Connect does not remove it, or does not say.
    pub fn delete(&self, name: &str) -> Result<Dropped, ConnectError> {
        let path = format!("/connectors/{}", path_segment(name));
        let found = self.ask(&Method::DELETE, &path, None)?.found()?;
        Ok(found.map_or(Dropped::Missing, |_| Dropped::Gone))
    }

    /// All connectors by name, with how they are.
    ///
    /// # Errors
    /// Connect does not say.
    pub fn connectors(&self) -> Result<Vec<Connector>, ConnectError> {
        let path = "/connectors?expand=info&expand=status";
        let mut connectors = match self.ask(&Method::GET, path, None)?.granted()? {
            Value::Object(expanded) => {
                let connectors = expanded.values().map(Connector::read_expanded);
                connectors.collect::<Option<Vec<_>>>().ok_or_else(|| self.strange(path))?
            }
            // Before Kafka 2.3 only the names are answered.
            Value::Array(names) => {
                let mut connectors = Vec::new();
                for name in names.iter().filter_map(Value::as_str) {
                    connectors.extend(self.connector(name)?);
                }
                connectors
            }
            _ => return Err(self.strange(path)),
        };
        connectors.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(connectors)
    }

    /// The connector `name` with how it is, if there is one.
    ///
    /// # Errors
    /// Connect does not say.
    pub fn connector(&self, name: &str) -> Result<Option<Connector>, ConnectError> {
        let path = format!("/connectors/{}", path_segment(name));
        let Some(info) = self.get(&path)? else { return Ok(None) };
        let connector = Connector::read(&info).ok_or_else(|| self.strange(&path))?;
        let path = format!("{path}/status");
        // One that has just been made has none yet.
        let Some(status) = self.get(&path)? else { return Ok(Some(connector)) };
        let status = ConnectorStatus::read(&status).ok_or_else(|| self.strange(&path))?;
        Ok(Some(Connector { status, ..connector }))
    }

    /// The topics that the connector `name` has read or written since it was made; `None` where Connect does not note them.
    ///
    /// # Errors
    /// Connect does not say.
    pub fn topics(&self, name: &str) -> Result<Option<Vec<String>>, ConnectError> {
        let path = format!("/connectors/{}/topics", path_segment(name));
        let answer = self.ask(&Method::GET, &path, None)?;
        // Before Kafka 2.5 nothing is noted, and since then it can be switched off.
        if matches!(answer.status, 403 | NOT_FOUND) {
            return Ok(None);
        }
        let answer = answer.granted()?;
        let topics = answer[name]["topics"].as_array().ok_or_else(|| self.strange(&path))?;
        let mut topics: Vec<String> = topics.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        topics.sort();
        Ok(Some(topics))
    }

    /// The kinds of connectors that there are.
    ///
    /// # Errors
    /// Connect does not say.
    pub fn plugins(&self) -> Result<Vec<Plugin>, ConnectError> {
        let path = "/connector-plugins";
        let answer = self.ask(&Method::GET, path, None)?.granted()?;
        Vec::<Plugin>::deserialize(answer).map_err(|_| self.strange(path))
    }

    fn get(&self, path: &str) -> Result<Option<Value>, ConnectError> {
        self.ask(&Method::GET, path, None)?.found()
    }

    /// Asks, and again while workers agree on who does what. For what does no harm when it is done twice.
    fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, ConnectError> {
        for _ in 0..self.tries {
            let answer = self.ask_once(method, path, body)?;
            if answer.status != CONFLICT {
                return Ok(answer);
            }
            std::thread::park_timeout(AGREEING);
        }
        Err(Self::busy())
    }

    /// Asks at one address after the other until there is one to which there is a connection.
    fn ask_once(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, ConnectError> {
        let mut faults = Vec::new();
        let preferred = self.preferred.load(Ordering::Relaxed);
        for turn in 0..self.addresses.len() {
            let index = (preferred + turn) % self.addresses.len();
            let address = &self.addresses[index];
            match self.ask_at(address, method, path, body) {
                Ok(answer) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Fault::NotConnected(reason)) => {
                    faults.push(format!("Kafka Connect at {} cannot be reached: {reason}", address.url));
                }
                Err(Fault::Lost(reason)) => {
                    let reason = format!("Kafka Connect at {} has not answered: {reason}", address.url);
                    return Err(ConnectError::Unreachable { reason });
                }
            }
        }
        Err(ConnectError::Unreachable { reason: faults.join("; ") })
    }

    fn ask_at(&self, address: &Address, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, Fault> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", address.url));
        request = request.header("accept", "application/json");
        if let Some(secret) = &address.authorization {
            request = request.header("authorization", &secret.0);
        }
        let unsent = |error: ureq::http::Error| Fault::NotConnected(error.to_string());
        let answered = match body {
            None => self.agent.run(request.body(()).map_err(unsent)?),
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string());
                self.agent.run(request.map_err(unsent)?)
            }
        };
        let mut answer = answered.map_err(|error| fault(&error))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let text = text.map_err(|error| Fault::Lost(request_failure(&error)))?;
        // What is removed leaves nothing to say. What stands between us and Connect fails in other ways.
        let body = match serde_json::from_slice(&text) {
            Ok(body) => body,
            Err(_) if text.is_empty() || status >= 300 => Value::Null,
            Err(_) => return Err(Fault::Lost("what it says is no JSON: it may be another server".to_owned())),
        };
        Ok(Answer { status, body })
    }

    fn strange(&self, path: &str) -> ConnectError {
        let url = &self.addresses[self.preferred.load(Ordering::Relaxed) % self.addresses.len()].url;
        let reason =
            format!("Kafka Connect at {url} answers {path} with something unexpected: it may be another server");
        ConnectError::Unreachable { reason }
    }

    fn busy() -> ConnectError {
        let message = "the workers of Kafka Connect have not agreed yet on who does what: try again".to_owned();
        ConnectError::Refused { status: CONFLICT, message }
    }
}

/// Whether the next address may be asked instead.
fn fault(error: &ureq::Error) -> Fault {
    use std::io::ErrorKind;
    use ureq::{Error, Timeout};
    let reason = request_failure(error);
    match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::BadUri(_)
        | Error::Timeout(Timeout::Connect | Timeout::Resolve) => Fault::NotConnected(reason),
        Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => Fault::NotConnected(reason),
        _ => Fault::Lost(reason),
    }
}
