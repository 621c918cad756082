//! What cases write as JSON, read as their runner reads it.

use serde_json::{Map, Value};

/// The text of a value that may be written with or without quotes.
pub fn text(json: &Value) -> String {
    match json {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The member of `object` with this name, or else with one that differs by case only.
pub fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let other = || object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    object.get(name).or_else(other)
}
