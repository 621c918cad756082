//! Records of cases between JSON as cases write it and JSON as Connect writes it by a schema.

use serde_json::{Map, Value};

use super::json;
use crate::registry::json_schema::{DECIMAL, JsonSchema, Shape, noted};

/// `json` as a document of `schema`, whose every property is there.
pub fn to_document(schema: &JsonSchema, node: &Value, json: &Value) -> Result<Value, String> {
    convert(schema, node, json, Direction::Write)
}

/// A document of `schema` as cases write it.
pub fn from_document(schema: &JsonSchema, node: &Value, document: &Value) -> Result<Value, String> {
    convert(schema, node, document, Direction::Read)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Write,
    Read,
}

fn convert(schema: &JsonSchema, node: &Value, json: &Value, direction: Direction) -> Result<Value, String> {
    let inner = |node: &Value, json: &Value| convert(schema, node, json, direction);
    Ok(match (schema.settled(node), json) {
        (_, Value::Null) => Value::Null,
        (Shape::Typed("array", object), _) => {
            let items = object.get("items").ok_or("an array has no items")?;
            array(schema, items, noted(object, "connect.type") == Some("map"), json, direction)?
        }
        (Shape::Typed("object", object), Value::Object(members)) => {
            let mut converted = Map::new();
            if let Some(properties) = schema.properties(node) {
                for (name, node) in properties {
                    let found = json::member(members, name).unwrap_or(&Value::Null);
                    converted.insert(name.to_owned(), inner(node, found)?);
                }
            } else {
                let values = object.get("additionalProperties").ok_or("an object has no properties")?;
                for (key, value) in members {
                    converted.insert(key.clone(), inner(values, value)?);
                }
            }
            converted.into()
        }
        (Shape::Typed("integer" | "number", object), Value::String(text)) if direction == Direction::Write => {
            let number = serde_json::from_str(text).map_err(|_| format!("{text} is no number"))?;
            if noted(object, "title") == Some(DECIMAL) { number } else { inner(node, &number)? }
        }
        (Shape::Typed("string", _), Value::Number(number)) => number.to_string().into(),
        (_, other) => other.clone(),
    })
}

fn array(
    schema: &JsonSchema,
    items: &Value,
    is_map: bool,
    json: &Value,
    direction: Direction,
) -> Result<Value, String> {
    let inner = |json: &Value| convert(schema, items, json, direction);
    match json {
        Value::Array(elements) if is_map => {
            let mut entries = Map::new();
            for element in elements {
                let mut entry = inner(element)?;
                let key = entry["key"].as_str().ok_or("an entry has no key")?.to_owned();
                entries.insert(key, entry["value"].take());
            }
            Ok(entries.into())
        }
        Value::Array(elements) => elements.iter().map(inner).collect(),
        Value::Object(members) if is_map => {
            members.iter().map(|(key, value)| inner(&serde_json::json!({"key": key, "value": value}))).collect()
        }
        other => Err(format!("{other} is no array")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_arrays_of_entries_and_members_are_all_there() {
        let text = r#"{"type": "object", "properties": {"A": {"oneOf": [{"type": "null"}, {"type": "integer"}]},
            "M": {"type": "array", "connect.type": "map", "items": {"type": "object",
              "properties": {"key": {"type": "string"}, "value": {"type": "number"}}}}, "S": {"type": "string"}}}"#;
        let schema = JsonSchema::parse(text, &[]).expect("JSON");
        let json = serde_json::json!({"a": "5", "m": {"k": 1}, "S": 7});
        let document = to_document(&schema, schema.root(), &json).expect("it fits");
        assert_eq!(document.to_string(), r#"{"A":5,"M":[{"key":"k","value":1}],"S":"7"}"#);
        let read = from_document(&schema, schema.root(), &document).expect("it was written so");
        assert_eq!(read.to_string(), r#"{"A":5,"M":{"k":1},"S":"7"}"#);
    }
}
