//! A registry elsewhere, over the HTTP API of Confluent's.
//!
//! ```text
//! ask ─▶ the address that answered last ─▶ the next ones ─▶ pause ─▶ again, a few times ─▶ Unavailable
//! ```
//!
//! What an id or a version stands for never changes: it is asked for once. What is the latest is asked each time.

mod settings;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Method, Request};

use super::{RegisteredSchema, RegistryError, SchemaDocument, SchemaReference, SchemaRegistry, SchemaType};
use crate::http::{Address, SettingError, path_segment, request_failure};
use settings::Settings;

/// A registry that answers over HTTP.
pub struct RemoteRegistry {
    agent: Agent,
    addresses: Vec<Address>,
    /// The address that answered last.
    preferred: AtomicUsize,
    retries: u32,
    retry_pause: Duration,
    known: Mutex<Known>,
}

/// What has been learnt.
#[derive(Default)]
struct Known {
    schemas: HashMap<u32, SchemaDocument>,
    versions: HashMap<(String, u32), RegisteredSchema>,
}

/// So many schemas are kept.
const KNOWN_MAX: usize = 10_000;
/// Longer answers are not read.
const ANSWER_BYTES_MAX: u64 = 32 << 20;
const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// An answer: its status, and what it holds.
struct Answer {
    status: u16,
    body: Value,
}

impl RemoteRegistry {
    /// The registry that `properties` name, if they name one. Nothing is asked yet.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Option<Self>, SettingError> {
        let Some(settings) = Settings::read(properties)? else { return Ok(None) };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_global(Some(settings.timeout + settings.connect_timeout))
            .tls_config(settings.tls)
            .user_agent(concat!("levada/", env!("CARGO_PKG_VERSION")));
        Ok(Some(Self {
            agent: config.build().new_agent(),
            addresses: settings.addresses,
            preferred: AtomicUsize::new(0),
            retries: settings.retries,
            retry_pause: settings.retry_pause,
            known: Mutex::default(),
        }))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.schemas.len() + known.versions.len() > KNOWN_MAX {
            *known = Known::default();
        }
        known
    }

    /// Asks until somebody answers.
    fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, RegistryError> {
        let mut faults = Vec::new();
        for round in 0..=self.retries {
            if round > 0 {
                std::thread::park_timeout(self.retry_pause.saturating_mul(round));
            }
            faults.clear();
            let preferred = self.preferred.load(Ordering::Relaxed);
            for turn in 0..self.addresses.len() {
                let index = (preferred + turn) % self.addresses.len();
                let address = &self.addresses[index];
                match self.ask_at(address, method, path, body) {
                    Ok(answer) if answer.status < 500 && answer.status != 429 => {
                        self.preferred.store(index, Ordering::Relaxed);
                        return answer.allowed(address);
                    }
                    Ok(answer) => faults.push(format!("the schema registry at {} has failed: {answer}", address.url)),
                    Err(error) => {
                        faults.push(format!("the schema registry at {} cannot be reached: {error}", address.url));
                    }
                }
            }
        }
        Err(RegistryError::Unavailable { reason: faults.join("; ") })
    }

    fn ask_at(&self, address: &Address, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", address.url));
        request = request.header("accept", format!("{CONTENT_TYPE}, application/json"));
        if let Some(secret) = &address.authorization {
            request = request.header("authorization", &secret.0);
        }
        let answered = match body {
            None => self.agent.run(request.body(()).map_err(|error| error.to_string())?),
            Some(body) => {
                let request = request.header("content-type", CONTENT_TYPE).body(body.to_string());
                self.agent.run(request.map_err(|error| error.to_string())?)
            }
        };
        let mut answer = answered.map_err(|error| request_failure(&error))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let text = text.map_err(|error| request_failure(&error))?;
        let body = serde_json::from_slice(&text);
        // What stands between us and the registry answers in other ways.
        let body = if status < 300 {
            body.map_err(|_| "it answers with no JSON".to_owned())?
        } else {
            body.unwrap_or_default()
        };
        Ok(Answer { status, body })
    }

    fn get(&self, path: &str) -> Result<Option<Value>, RegistryError> {
        self.ask(&Method::GET, path, None)?.found()
    }

    fn registered(&self, path: &str) -> Result<Option<(u32, RegisteredSchema)>, RegistryError> {
        let Some(body) = self.get(path)? else { return Ok(None) };
        let number = |name: &str| body[name].as_u64().and_then(|number| u32::try_from(number).ok());
        match (number("id"), number("version"), document(&body)) {
            (Some(id), Some(version), Some(schema)) => Ok(Some((version, RegisteredSchema { id, schema }))),
            _ => Err(strange(path)),
        }
    }
}

fn strange(path: &str) -> RegistryError {
    RegistryError::Unavailable { reason: format!("the schema registry answers {path} with something unexpected") }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "status {}", self.status)?;
        match self.body["message"].as_str() {
            Some(message) => write!(f, ", {message}"),
            None => Ok(()),
        }
    }
}

impl Answer {
    /// The answer, unless we may not ask.
    fn allowed(self, address: &Address) -> Result<Self, RegistryError> {
        if matches!(self.status, 401 | 403) {
            let what = if self.status == 401 { "does not know us" } else { "does not let us do this" };
            let reason = format!(
                "the schema registry at {} {what} ({self}); ksql.schema.registry.basic.auth.user.info and \
                 ksql.schema.registry.bearer.auth.token say who we are",
                address.url
            );
            return Err(RegistryError::Denied { reason });
        }
        Ok(self)
    }

    /// What was asked for, if it is there.
    fn found(self) -> Result<Option<Value>, RegistryError> {
        match self.status {
            200..300 => Ok(Some(self.body)),
            404 => Ok(None),
            _ => Err(RegistryError::Unavailable { reason: format!("the schema registry refuses to answer: {self}") }),
        }
    }
}

fn document(body: &Value) -> Option<SchemaDocument> {
    let schema_type = match body["schemaType"].as_str() {
        None => SchemaType::Avro,
        Some(word) => SchemaType::of(word)?,
    };
    let reference = |value: &Value| {
        Some(SchemaReference {
            name: value["name"].as_str()?.to_owned(),
            subject: value["subject"].as_str()?.to_owned(),
            version: u32::try_from(value["version"].as_u64()?).ok()?,
        })
    };
    let references = body["references"].as_array().into_iter().flatten().map(reference).collect::<Option<_>>()?;
    Some(SchemaDocument { schema_type, text: body["schema"].as_str()?.to_owned(), references })
}

fn names(body: &Value) -> Vec<String> {
    body.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect()
}

impl SchemaRegistry for RemoteRegistry {
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
        let found = self.registered(&format!("/subjects/{}/versions/latest", path_segment(subject)))?;
        Ok(found.map(|(_, registered)| registered))
    }

    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        let key = (subject.to_owned(), version);
        if let Some(known) = self.known().versions.get(&key) {
            return Ok(Some(known.clone()));
        }
        // One that was deleted may still be referred to.
        let found = self.registered(&format!("/subjects/{}/versions/{version}?deleted=true", path_segment(subject)))?;
        let found = found.map(|(_, registered)| registered);
        if let Some(registered) = &found {
            self.known().versions.insert(key, registered.clone());
        }
        Ok(found)
    }

    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
        if let Some(known) = self.known().schemas.get(&id) {
            return Ok(Some(known.clone()));
        }
        let path = format!("/schemas/ids/{id}");
        let Some(body) = self.get(&path)? else { return Ok(None) };
        let schema = document(&body).ok_or_else(|| strange(&path))?;
        self.known().schemas.insert(id, schema.clone());
        Ok(Some(schema))
    }

    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        Ok(self.get(&format!("/schemas/ids/{id}/subjects"))?.as_ref().map(names).unwrap_or_default())
    }

    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
        let mut body = json!({"schema": schema.text});
        if schema.schema_type != SchemaType::Avro {
            body["schemaType"] = json!(schema.schema_type.name());
        }
        if !schema.references.is_empty() {
            let references = schema.references.iter();
            let references =
                references.map(|one| json!({"name": one.name, "subject": one.subject, "version": one.version}));
            body["references"] = references.collect();
        }
        let path = format!("/subjects/{}/versions", path_segment(subject));
        let answer = self.ask(&Method::POST, &path, Some(&body))?;
        let id = answer.body["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        match (answer.status, id) {
            (200..300, Some(id)) => Ok(id),
            (200..300, None) => Err(strange(&path)),
            _ => {
                let message = answer.body["message"].as_str().map(ToOwned::to_owned);
                let reason = message.unwrap_or_else(|| answer.to_string());
                let schema = schema.text.clone();
                Err(RegistryError::Refused { subject: subject.to_owned(), reason, schema })
            }
        }
    }

    fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        Ok(self.get("/subjects")?.as_ref().map(names).unwrap_or_default())
    }

    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
        let answer = self.ask(&Method::DELETE, &format!("/subjects/{}", path_segment(subject)), None)?;
        self.known().versions.retain(|(known, _), _| known != subject);
        match answer.status {
            409 | 422 => {
                let reason = answer.to_string();
                Err(RegistryError::NotDeleted { subject: subject.to_owned(), reason })
            }
            _ => Ok(answer.found()?.is_some()),
        }
    }
}
