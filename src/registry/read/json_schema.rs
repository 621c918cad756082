//! JSON Schema.

use std::cell::Cell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Meaning, PARTS_MAX, SchemaError, array, decimal, fields, map};
use crate::registry::Reference;
use crate::registry::json_schema::{DECIMAL, JsonSchema, Shape, noted};
use crate::types::{SqlType, StructField};

/// The type of the schema `text`; what a `$ref` names is in it or in `references`.
pub(super) fn read(text: &str, references: &[Reference]) -> Result<SqlType, SchemaError> {
    let schema = JsonSchema::parse(text, references).map_err(malformed)?;
    let read = Reader { schema: &schema, steps: Cell::new(0) }.read(schema.root(), &mut Open::new())?;
    read.ok_or_else(|| SchemaError::Unsupported { reason: "it says nothing about its type".to_owned() })
}

fn malformed(reason: impl Into<String>) -> SchemaError {
    SchemaError::Malformed { language: "JSON", reason: reason.into() }
}

struct Reader<'a> {
    schema: &'a JsonSchema,
    /// Schemas that were looked at, each as often as others lead to it.
    steps: Cell<usize>,
}

/// Schemas that lead to each other more often are refused: there may be no end of it.
const STEPS_MAX: usize = 10 * PARTS_MAX;

/// The references that are being followed: one that leads back to itself has no type.
type Open<'s> = Vec<&'s str>;

impl Reader<'_> {
    fn read<'s>(&'s self, schema: &'s Value, open: &mut Open<'s>) -> Result<Option<SqlType>, SchemaError> {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return Err(SchemaError::Unsupported { reason: format!("it takes more than {STEPS_MAX} steps to read") });
        }
        match self.schema.shape(schema) {
            Shape::Reference(target) => {
                if open.contains(&target) {
                    return Ok(None);
                }
                let found = self.schema.resolve(target);
                let found = found.ok_or_else(|| malformed(format!("'{target}' leads nowhere")))?;
                open.push(target);
                let read = self.read(found, open);
                open.pop();
                read
            }
            Shape::Choice(branches) => self.choice(&branches, open),
            Shape::AllOf(parts) => self.all_of(parts, open),
            Shape::Enum => Ok(Some(SqlType::String)),
            Shape::Typed(kind, object) => self.typed(kind, object, open),
            Shape::Unknown => Ok(None),
        }
    }

    fn typed<'s>(
        &'s self,
        kind: &str,
        object: &'s Map<String, Value>,
        open: &mut Open<'s>,
    ) -> Result<Option<SqlType>, SchemaError> {
        if let Some(logical) = logical(object) {
            return Ok(logical.into_type());
        }
        let connect = noted(object, "connect.type").unwrap_or_default();
        Ok(match (kind, connect) {
            ("boolean", _) => Some(SqlType::Boolean),
            ("integer" | "number", "int8" | "int16" | "int32") => Some(SqlType::Integer),
            ("integer", _) | ("number", "int64") => Some(SqlType::Bigint),
            ("number", _) => Some(SqlType::Double),
            ("string", "bytes") => Some(SqlType::Bytes),
            ("string", _) => Some(SqlType::String),
            ("array", _) => {
                let items = object.get("items").ok_or_else(|| malformed("an array has no items"))?;
                match (self.read(items, open)?, connect) {
                    (Some(SqlType::Struct(fields)), "map") => entries(&fields),
                    (element, _) => element.map(array),
                }
            }
            ("object", "map") => self.map(object, open)?,
            ("object", _) if object.contains_key("properties") => Some(self.object(object, open)?),
            ("object", _) => self.map(object, open)?,
            _ => None,
        })
    }

    fn map<'s>(&'s self, object: &'s Map<String, Value>, open: &mut Open<'s>) -> Result<Option<SqlType>, SchemaError> {
        let Some(values) = object.get("additionalProperties") else { return Ok(None) };
        Ok(self.read(values, open)?.and_then(|value| map(&SqlType::String, value)))
    }

    /// Properties in the order that Connect has noted, else as they are written.
    fn object<'s>(&'s self, object: &'s Map<String, Value>, open: &mut Open<'s>) -> Result<SqlType, SchemaError> {
        let Some(Value::Object(properties)) = object.get("properties") else {
            return Err(malformed("the properties of an object are no object"));
        };
        let index = |schema: &Value| schema.get("connect.index").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let mut properties: Vec<(&String, &Value)> = properties.iter().collect();
        properties.sort_by_key(|(_, schema)| index(schema));
        let mut read = Vec::new();
        for (name, schema) in properties {
            read.push((name.clone(), self.read(schema, open)?));
        }
        fields(read)
    }

    /// With null, a type that may be null; several types become a struct with a field for each.
    fn choice<'s>(&'s self, branches: &[&'s Value], open: &mut Open<'s>) -> Result<Option<SqlType>, SchemaError> {
        match branches {
            [] => Ok(None),
            [only] => self.read(only, open),
            several => {
                let mut read = Vec::new();
                for (number, branch) in several.iter().enumerate() {
                    read.push((format!("connect_union_field_{number}"), self.read(branch, open)?));
                }
                Ok(Some(fields(read)?))
            }
        }
    }

    /// Objects that are all true of one value are one object.
    fn all_of<'s>(&'s self, parts: &'s [Value], open: &mut Open<'s>) -> Result<Option<SqlType>, SchemaError> {
        let mut together: Vec<StructField> = Vec::new();
        let mut names = HashSet::new();
        for part in parts {
            match self.read(part, open)? {
                Some(SqlType::Struct(fields)) => {
                    together.extend(fields.into_iter().filter(|field| names.insert(field.name.clone())));
                }
                Some(other) => return Ok(Some(other)),
                None => {}
            }
        }
        Ok((!together.is_empty()).then_some(SqlType::Struct(together)))
    }
}

/// The type that Connect has noted in the title.
fn logical(object: &Map<String, Value>) -> Option<Meaning> {
    Some(match noted(object, "title")? {
        DECIMAL => {
            let parameter = |name: &str| {
                object.get("connect.parameters").and_then(|parameters| parameters.get(name)?.as_str()?.parse().ok())
            };
            decimal(parameter("connect.decimal.precision"), parameter("scale").unwrap_or(0))
        }
        "org.apache.kafka.connect.data.Date" => Meaning::Type(SqlType::Date),
        "org.apache.kafka.connect.data.Time" => Meaning::Type(SqlType::Time),
        "org.apache.kafka.connect.data.Timestamp" => Meaning::Type(SqlType::Timestamp),
        _ => return None,
    })
}

fn entries(fields: &[StructField]) -> Option<SqlType> {
    let part = |name: &str| fields.iter().find(|field| field.name == name).map(|field| &field.sql_type);
    map(part("key")?, part("value")?.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: &str) {
        let read = read(schema, &[]).map_or_else(|error| error.to_string(), |sql_type| sql_type.to_string());
        assert_eq!(read, expected, "{schema}");
    }

    #[test]
    fn every_type_of_json_schema_has_its_column() {
        for (schema, expected) in [
            (r#"{"type": "boolean"}"#, "BOOLEAN"),
            (r#"{"type": "integer"}"#, "BIGINT"),
            (r#"{"type": "integer", "connect.type": "int32"}"#, "INTEGER"),
            (r#"{"type": "number"}"#, "DOUBLE"),
            (r#"{"type": "string"}"#, "STRING"),
            (r#"{"enum": ["A", "B"]}"#, "STRING"),
            (r#"{"type": "string", "connect.type": "bytes"}"#, "BYTES"),
            (r#"{"oneOf": [{"type": "null"}, {"type": "integer"}]}"#, "BIGINT"),
            (r#"{"type": ["null", "number"]}"#, "DOUBLE"),
            (
                r#"{"type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.type": "bytes",
                    "connect.parameters": {"scale": "2", "connect.decimal.precision": "4"}}"#,
                "DECIMAL(4, 2)",
            ),
            (r#"{"type": "integer", "title": "org.apache.kafka.connect.data.Date"}"#, "DATE"),
            (r#"{"type": "integer", "title": "org.apache.kafka.connect.data.Time"}"#, "TIME"),
            (r#"{"type": "integer", "title": "org.apache.kafka.connect.data.Timestamp"}"#, "TIMESTAMP"),
            (r#"{"type": "array", "items": {"type": "string"}}"#, "ARRAY<STRING>"),
            (r#"{"type": "object", "additionalProperties": {"type": "integer"}}"#, "MAP<STRING, BIGINT>"),
            (
                r#"{"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "object", "properties": {}}}}"#,
                "STRUCT<`b` STRING, `a` STRUCT<>>",
            ),
            (
                r#"{"oneOf": [{"type": "integer"}, {"type": "string"}]}"#,
                "STRUCT<`connect_union_field_0` BIGINT, `connect_union_field_1` STRING>",
            ),
        ] {
            check(schema, expected);
        }
    }

    #[test]
    fn properties_stand_in_the_order_that_connect_has_noted() {
        let schema = r#"{"type": "object", "properties": {
            "a": {"connect.index": 1, "type": "string"}, "b": {"connect.index": 0, "type": "boolean"}}}"#;
        check(schema, "STRUCT<`b` BOOLEAN, `a` STRING>");
    }

    #[test]
    fn references_are_followed_and_need_not_end() {
        let schema = r##"{"type": "object", "properties": {"a": {"$ref": "#/definitions/x"}, "b": {"$ref": "other"}},
            "definitions": {"x": {"type": "integer"}}}"##;
        check(schema, "the JSON schema cannot be read: 'other' leads nowhere");
        let other = ("other".to_owned(), r#"{"type": "string"}"#.to_owned());
        assert_eq!(read(schema, &[other]).expect("it is there").to_string(), "STRUCT<`a` BIGINT, `b` STRING>");
        let endless = r##"{"type": "object", "properties": {"next": {"type": "array", "items": {"$ref": "#"}}}}"##;
        check(endless, "STRUCT<`next` ARRAY<STRUCT<>>>");
    }

    #[test]
    fn schemas_that_lead_to_each_other_again_and_again_are_refused() {
        let twice = |next: usize| format!(r##"{{"allOf": [{{"$ref": "#/d/{next}"}}, {{"$ref": "#/d/{next}"}}]}}"##);
        let definitions: Vec<String> = (0..60).map(|number| format!(r#""{number}": {}"#, twice(number + 1))).collect();
        let schema = format!(r##"{{"$ref": "#/d/0", "d": {{{}, "60": {{}}}}}}"##, definitions.join(", "));
        check(&schema, "the schema cannot be held by columns: it takes more than 100000 steps to read");
    }

    #[test]
    fn parts_of_all_of_are_one_object() {
        let schema =
            r#"{"allOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"b": {"type": "string"}}}]}"#;
        check(schema, "STRUCT<`a` BIGINT, `b` STRING>");
    }
}
