//! `/config` and `/mode`, of a subject or of all.

use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::problem::Problem;
use crate::registry::{Compatibility, Config, EmbeddedRegistry, Mode, Refusal};

/// `GET /config`, `GET /config/{subject}`
pub(super) fn config(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let config = registry.config(call.subject(), !call.is_set("defaultToGlobal"));
    let config = config.ok_or_else(|| Refusal::NoConfig(call.the_subject().to_owned()))?;
    Ok(Answer::Json(written(config, "compatibilityLevel")))
}

/// `PUT /config`, `PUT /config/{subject}`
pub(super) fn set_config(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let body = call.body()?;
    let config = read(&body)?;
    registry.set_config(call.subject(), config)?;
    Ok(Answer::Json(written(config, "compatibility")))
}

/// `DELETE /config`, `DELETE /config/{subject}`
pub(super) fn remove_config(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Json(written(registry.remove_config(call.subject())?, "compatibilityLevel")))
}

fn written(config: Config, level_name: &str) -> Value {
    let mut answer = Map::new();
    if let Some(level) = config.compatibility {
        answer.insert(level_name.to_owned(), json!(level.name()));
    }
    if let Some(normalize) = config.normalize {
        answer.insert("normalize".to_owned(), json!(normalize));
    }
    Value::Object(answer)
}

/// What clients send of settings that there are not, when they do not want them.
fn is_off(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false))
}

fn read(body: &Map<String, Value>) -> Result<Config, Problem> {
    let mut config = Config::default();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("compatibility" | "compatibilityLevel" | "normalize", Value::Null) => {}
            ("compatibility" | "compatibilityLevel", value) => {
                let word = value.as_str().unwrap_or_default();
                let level = Compatibility::of(word);
                config.compatibility = Some(level.ok_or_else(|| Refusal::InvalidCompatibility(word.to_owned()))?);
            }
            ("normalize", Value::Bool(normalize)) => config.normalize = Some(*normalize),
            (_, value) if is_off(value) => {}
            (name, _) => return Err(Problem::unprocessable(format!("this registry has no setting {name}"))),
        }
    }
    if config == Config::default() {
        return Err(Refusal::InvalidCompatibility(String::new()).into());
    }
    Ok(config)
}

/// `GET /mode`, `GET /mode/{subject}`
pub(super) fn mode(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let mode = registry.mode(call.subject(), !call.is_set("defaultToGlobal"));
    let mode = mode.ok_or_else(|| Refusal::NoMode(call.the_subject().to_owned()))?;
    Answer::json(json!({"mode": mode.name()}))
}

/// `PUT /mode`, `PUT /mode/{subject}`
pub(super) fn set_mode(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    let body = call.body()?;
    let word = body.get("mode").and_then(Value::as_str).unwrap_or_default();
    let mode = Mode::of(word).ok_or_else(|| Refusal::InvalidMode(word.to_owned()))?;
    registry.set_mode(call.subject(), mode, call.is_set("force"))?;
    Answer::json(json!({"mode": mode.name()}))
}

/// `DELETE /mode`, `DELETE /mode/{subject}`
pub(super) fn remove_mode(registry: &EmbeddedRegistry, call: &Call) -> Result<Answer, Problem> {
    Answer::json(json!({"mode": registry.remove_mode(call.subject())?.name()}))
}
