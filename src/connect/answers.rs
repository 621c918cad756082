//! What Kafka Connect answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The state of what no worker has taken yet.
pub const UNASSIGNED: &str = "UNASSIGNED";
/// The state of what works.
const RUNNING: &str = "RUNNING";

/// A connector.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Connector {
    /// Its name.
    pub name: String,
    /// Its properties. They may be passwords.
    #[serde(default)]
    pub config: BTreeMap<String, Option<String>>,
    /// Numbers of its tasks.
    #[serde(default, deserialize_with = "task_numbers")]
    pub tasks: Vec<i64>,
    /// `source`, `sink`, or `unknown` where Connect does not say.
    #[serde(rename = "type", default = "unknown")]
    pub kind: String,
    /// How it is, where that was asked.
    #[serde(skip)]
    pub status: ConnectorStatus,
}

/// How a connector is, and its tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorStatus {
    /// `RUNNING`, `PAUSED`, `FAILED`, …
    pub state: String,
    /// The worker that has it.
    pub worker: String,
    /// Why it has failed.
    pub trace: Option<String>,
    /// Its tasks.
    pub tasks: Vec<TaskStatus>,
}

/// How a task of a connector is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TaskStatus {
    /// Its number.
    pub id: i64,
    /// `RUNNING`, `PAUSED`, `FAILED`, …
    #[serde(default = "unassigned")]
    pub state: String,
    /// The worker that has it.
    #[serde(rename = "worker_id", default)]
    pub worker: String,
    /// Why it has failed.
    #[serde(default)]
    pub trace: Option<String>,
}

/// A kind of connector that Connect has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Plugin {
    /// Its class.
    pub class: String,
    /// `source`, `sink`, …
    #[serde(rename = "type", default = "unknown")]
    pub kind: String,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn unassigned() -> String {
    UNASSIGNED.to_owned()
}

/// Tasks are named by their connector and their number.
fn task_numbers<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    #[derive(Deserialize)]
    struct TaskId {
        task: i64,
    }
    Ok(Vec::<TaskId>::deserialize(from)?.into_iter().map(|id| id.task).collect())
}

impl Default for ConnectorStatus {
    /// Of a connector of which Connect knows nothing yet.
    fn default() -> Self {
        Self { state: unassigned(), worker: String::new(), trace: None, tasks: Vec::new() }
    }
}

impl ConnectorStatus {
    /// What `/connectors/NAME/status` has answered.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        #[derive(Deserialize)]
        struct Answer {
            connector: Own,
            #[serde(default)]
            tasks: Vec<TaskStatus>,
        }
        #[derive(Deserialize)]
        struct Own {
            state: String,
            #[serde(rename = "worker_id", default)]
            worker: String,
            #[serde(default)]
            trace: Option<String>,
        }
        let Answer { connector, tasks } = Answer::deserialize(answer).ok()?;
        Some(Self { state: connector.state, worker: connector.worker, trace: connector.trace, tasks })
    }
}

impl Connector {
    /// What `/connectors/NAME` has answered.
    pub(super) fn read(answer: &Value) -> Option<Self> {
        Self::deserialize(answer).ok()
    }

    /// What `/connectors?expand=info&expand=status` has answered of one connector.
    pub(super) fn read_expanded(answer: &Value) -> Option<Self> {
        let status = ConnectorStatus::read(&answer["status"]).unwrap_or_default();
        Some(Self { status, ..Self::read(&answer["info"])? })
    }

    /// Its class.
    pub fn class(&self) -> &str {
        self.config.get("connector.class").and_then(Option::as_deref).unwrap_or_default()
    }

    /// How it is, in a word, and how many of its tasks run, as ksqlDB says it: `RUNNING (1/1 tasks RUNNING)`.
    pub fn summary(&self) -> String {
        let ConnectorStatus { state, tasks, .. } = &self.status;
        let running = tasks.iter().filter(|task| task.state == RUNNING).count();
        // One that runs and does nothing is not well.
        let state = if state == RUNNING && running == 0 { "WARNING" } else { state };
        format!("{state} ({running}/{} tasks RUNNING)", tasks.len())
    }
}

/// What is wrong with a connector's properties, a line each, in what `/connector-plugins/CLASS/config/validate` has answered;
/// `None` if it is something else.
pub(super) fn faults(answer: &Value) -> Option<Vec<String>> {
    let configs = answer["configs"].as_array()?;
    let values = configs.iter().map(|config| &config["value"]);
    let of = |value: &Value| {
        let errors = value["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let errors = errors.collect::<Vec<_>>().join(", ");
        let name = value["name"].as_str().unwrap_or("?");
        (!errors.is_empty()).then(|| format!("{name} - {errors}"))
    };
    Some(values.filter_map(of).collect())
}
