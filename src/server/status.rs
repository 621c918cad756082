//! What became of commands, for who asks later.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// Commands that are remembered: the newest.
const KEPT: usize = 10_000;

/// The newest commands of this server by their ids.
#[derive(Debug, Default)]
pub struct Statuses(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_id: BTreeMap<String, Value>,
    order: VecDeque<String>,
}

impl Statuses {
    /// Remembers what the command `id` has answered.
    pub fn note(&self, id: Option<String>, entities: &[Value]) {
        let status = entities.first().and_then(|entity| entity.get("commandStatus"));
        if let (Some(id), Some(status)) = (id, status) {
            self.keep(id, status.clone());
        }
    }

    /// Remembers that the command `id` was refused or has failed.
    pub fn failed(&self, id: Option<String>, message: &str) {
        if let Some(id) = id {
            self.keep(id, json!({"status": "ERROR", "message": message, "queryId": null}));
        }
    }

    fn keep(&self, id: String, status: Value) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_id.insert(id.clone(), status).is_none() {
            kept.order.push_back(id);
        }
        while kept.order.len() > KEPT {
            if let Some(oldest) = kept.order.pop_front() {
                kept.by_id.remove(&oldest);
            }
        }
    }

    /// The state of every command, by id.
    pub fn all(&self) -> Value {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let states = kept.by_id.iter().map(|(id, status)| (id.clone(), status["status"].clone()));
        json!({"commandStatuses": Value::Object(states.collect())})
    }

    /// What became of the command `id`, with or without back-ticks around its name.
    pub fn get(&self, id: &str) -> Option<Value> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plain = |text: &str| text.replace('`', "");
        let same = |known: &&String| plain(known) == plain(id);
        kept.by_id.get(id).or_else(|| kept.by_id.get(kept.by_id.keys().find(same)?)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_with_and_without_back_ticks() {
        let statuses = Statuses::default();
        let entity = json!({"commandStatus": {"status": "SUCCESS", "message": "Stream created", "queryId": null}});
        statuses.note(Some("stream/`S`/create".to_owned()), &[entity]);
        statuses.failed(Some("table/`T`/drop".to_owned()), "there is none");
        assert_eq!(statuses.get("stream/S/create").expect("it is known")["message"], "Stream created");
        assert_eq!(statuses.get("table/`T`/drop").expect("it is known")["status"], "ERROR");
        assert_eq!(statuses.get("stream/T/create"), None);
        let all = json!({"commandStatuses": {"stream/`S`/create": "SUCCESS", "table/`T`/drop": "ERROR"}});
        assert_eq!(statuses.all(), all);
    }
}
