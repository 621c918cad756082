//! Avro schemas.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Meaning, PARTS_MAX, SchemaError, array, decimal, fields, map, parts};
use crate::registry::Reference;
use crate::types::{SqlType, StructField};

/// The type of the schema `text`; names that are not its own are in `references`.
pub(super) fn read(text: &str, references: &[Reference]) -> Result<SqlType, SchemaError> {
    let mut reader = Reader::default();
    for (_, text) in references {
        reader.read(&parse(text)?, "")?;
    }
    let read = reader.read(&parse(text)?, "")?;
    read.ok_or_else(|| SchemaError::Unsupported { reason: "it is null, or leads back to itself".to_owned() })
}

fn parse(text: &str) -> Result<Value, SchemaError> {
    // A bare word is the name of a type.
    let is_word = !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    if is_word {
        return Ok(Value::String(text.to_owned()));
    }
    serde_json::from_str(text).map_err(|error| malformed(error.to_string()))
}

fn malformed(reason: impl Into<String>) -> SchemaError {
    SchemaError::Malformed { language: "AVRO", reason: reason.into() }
}

/// Reads schemas in the order of their texts: a name is known after its definition.
#[derive(Default)]
struct Reader {
    /// Types by full name; `None` while a definition is open, and for what SQL cannot hold.
    named: BTreeMap<String, Option<SqlType>>,
    /// Parts of the types that names stood for so far.
    parts: usize,
}

/// More parts behind names are refused before they are there.
const NAMED_PARTS_MAX: usize = 10 * PARTS_MAX;

impl Reader {
    fn read(&mut self, schema: &Value, namespace: &str) -> Result<Option<SqlType>, SchemaError> {
        match schema {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => self.union(branches, namespace),
            Value::Object(object) => self.object(object, namespace),
            other => Err(malformed(format!("{other} is no schema"))),
        }
    }

    fn by_name(&mut self, name: &str, namespace: &str) -> Result<Option<SqlType>, SchemaError> {
        if let Some(primitive) = primitive(name) {
            return Ok(primitive.into_type());
        }
        let known = self.named.get(&full_name(name, namespace)).or_else(|| self.named.get(name));
        let known = known.ok_or_else(|| malformed(format!("the type {name} is not defined")))?;
        self.parts += known.as_ref().map_or(0, parts);
        if self.parts > NAMED_PARTS_MAX {
            let reason = format!("its names stand for more than {NAMED_PARTS_MAX} parts");
            return Err(SchemaError::Unsupported { reason });
        }
        Ok(known.clone())
    }

    fn object(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<Option<SqlType>, SchemaError> {
        let Some(kind) = object.get("type") else { return Err(malformed("a schema has no type")) };
        let Value::String(kind) = kind else { return self.read(kind, namespace) };
        if let Some(logical) = logical(kind, object) {
            let logical = logical.into_type();
            if kind == "fixed" {
                self.define(object, namespace, logical.clone());
            }
            return Ok(logical);
        }
        match kind.as_str() {
            "record" => self.record(object, namespace),
            "enum" => {
                self.define(object, namespace, Some(SqlType::String));
                Ok(Some(SqlType::String))
            }
            "fixed" => {
                self.define(object, namespace, Some(SqlType::Bytes));
                Ok(Some(SqlType::Bytes))
            }
            "array" => {
                let items = object.get("items").ok_or_else(|| malformed("an array has no items"))?;
                let element = self.read(items, namespace)?;
                if is_map_entry(items)
                    && let Some(SqlType::Struct(fields)) = &element
                {
                    return Ok(entries(fields));
                }
                Ok(element.map(array))
            }
            "map" => {
                let values = object.get("values").ok_or_else(|| malformed("a map has no values"))?;
                Ok(self.read(values, namespace)?.and_then(|value| map(&SqlType::String, value)))
            }
            name => self.by_name(name, namespace),
        }
    }

    fn define(&mut self, object: &Map<String, Value>, namespace: &str, sql_type: Option<SqlType>) -> Option<String> {
        let name = full_name(text(object, "name")?, text(object, "namespace").unwrap_or(namespace));
        self.named.insert(name.clone(), sql_type);
        Some(name)
    }

    fn record(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<Option<SqlType>, SchemaError> {
        let name = self.define(object, namespace, None).ok_or_else(|| malformed("a record has no name"))?;
        let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let Some(Value::Array(declared)) = object.get("fields") else {
            return Err(malformed(format!("the record {name} has no fields")));
        };
        let mut read = Vec::new();
        for field in declared {
            let (Some(field_name), Some(schema)) = (field.get("name").and_then(Value::as_str), field.get("type"))
            else {
                return Err(malformed(format!("a field of the record {name} has no name or no type")));
            };
            read.push((field_name.to_owned(), self.read(schema, inner)?));
        }
        let record = Some(fields(read)?);
        self.named.insert(name, record.clone());
        Ok(record)
    }

    /// With null, a type that may be null; several types become a struct with a field for each.
    fn union(&mut self, branches: &[Value], namespace: &str) -> Result<Option<SqlType>, SchemaError> {
        let branches: Vec<&Value> = branches.iter().filter(|branch| branch.as_str() != Some("null")).collect();
        match branches.as_slice() {
            [] => Ok(None),
            [only] => self.read(only, namespace),
            several => {
                let mut read = Vec::new();
                for branch in several {
                    read.push((branch_name(branch), self.read(branch, namespace)?));
                }
                Ok(Some(fields(read)?))
            }
        }
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

fn primitive(name: &str) -> Option<Meaning> {
    Some(Meaning::Type(match name {
        "null" => return Some(Meaning::NotInSql),
        "boolean" => SqlType::Boolean,
        "int" => SqlType::Integer,
        "long" => SqlType::Bigint,
        "float" | "double" => SqlType::Double,
        "string" => SqlType::String,
        "bytes" => SqlType::Bytes,
        _ => return None,
    }))
}

/// The type of a logical type. Others than these count as what they are made of, as in Connect.
fn logical(kind: &str, object: &Map<String, Value>) -> Option<Meaning> {
    let number = |name: &str| object.get(name).and_then(Value::as_u64);
    let connect = text(object, "connect.name").unwrap_or_default();
    let logical = text(object, "logicalType").unwrap_or_default();
    match (kind, logical, connect) {
        ("bytes" | "fixed", "decimal", _) => {
            let in_parameters = object
                .get("connect.parameters")
                .and_then(|parameters| parameters.get("connect.decimal.precision")?.as_str()?.parse().ok());
            Some(decimal(number("precision").or(in_parameters), number("scale").unwrap_or(0)))
        }
        ("int", "date", _) | ("int", _, "org.apache.kafka.connect.data.Date") => Some(Meaning::Type(SqlType::Date)),
        ("int", "time-millis", _) | ("int", _, "org.apache.kafka.connect.data.Time") => {
            Some(Meaning::Type(SqlType::Time))
        }
        ("long", "timestamp-millis", _) | ("long", _, "org.apache.kafka.connect.data.Timestamp") => {
            Some(Meaning::Type(SqlType::Timestamp))
        }
        _ => None,
    }
}

/// Whether the items of an array are the entries of a map whose keys may be null.
fn is_map_entry(items: &Value) -> bool {
    const ENTRY: &str = "MapEntry";
    let text = |name: &str| items.get(name).and_then(Value::as_str).unwrap_or_default();
    text("connect.internal.type") == ENTRY
        || (text("namespace"), text("name")) == ("io.confluent.connect.avro", ENTRY)
        || text("name") == "io.confluent.connect.avro.MapEntry"
}

fn entries(fields: &[StructField]) -> Option<SqlType> {
    let part = |name: &str| fields.iter().find(|field| field.name == name).map(|field| &field.sql_type);
    map(part("key")?, part("value")?.clone())
}

/// The name of a union's branch: its type, without namespace.
fn branch_name(branch: &Value) -> String {
    let kind = match branch {
        Value::Object(object) => match text(object, "type") {
            Some("record" | "enum" | "fixed") => text(object, "name"),
            kind => kind,
        },
        other => other.as_str(),
    };
    let name = kind.unwrap_or_default();
    name.rsplit_once('.').map_or(name, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: &str) {
        let read = read(schema, &[]).map_or_else(|error| error.to_string(), |sql_type| sql_type.to_string());
        assert_eq!(read, expected, "{schema}");
    }

    fn record(field: &str) -> String {
        format!(
            r#"{{"type": "record", "name": "r", "namespace": "n.s", "fields": [{{"name": "f", "type": {field}}}]}}"#
        )
    }

    #[test]
    fn every_type_of_avro_has_its_column() {
        for (field, expected) in [
            ("\"boolean\"", "BOOLEAN"),
            ("\"int\"", "INTEGER"),
            ("\"long\"", "BIGINT"),
            ("\"float\"", "DOUBLE"),
            ("[\"null\", \"double\"]", "DOUBLE"),
            ("\"string\"", "STRING"),
            ("\"bytes\"", "BYTES"),
            (r#"{"type": "fixed", "name": "x", "size": 4}"#, "BYTES"),
            (r#"{"type": "enum", "name": "x", "symbols": ["A"]}"#, "STRING"),
            (r#"{"type": "array", "items": "int"}"#, "ARRAY<INTEGER>"),
            (r#"{"type": "map", "values": ["null", "long"]}"#, "MAP<STRING, BIGINT>"),
            (r#"{"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}"#, "DECIMAL(6, 2)"),
            (r#"{"type": "bytes", "logicalType": "decimal", "scale": 2}"#, "DECIMAL(64, 2)"),
            (r#"{"type": "int", "logicalType": "date"}"#, "DATE"),
            (r#"{"type": "int", "logicalType": "time-millis"}"#, "TIME"),
            (r#"{"type": "long", "logicalType": "timestamp-millis"}"#, "TIMESTAMP"),
            (r#"{"type": "long", "logicalType": "timestamp-micros"}"#, "BIGINT"),
            (r#"["int", "string"]"#, "STRUCT<`int` INTEGER, `string` STRING>"),
        ] {
            check(&record(field), &format!("STRUCT<`f` {expected}>"));
        }
        check("int", "INTEGER");
        check("\"string\"", "STRING");
    }

    #[test]
    fn entries_of_a_map_are_a_map() {
        let entry = r#"{"type": "record", "name": "e", "connect.internal.type": "MapEntry", "fields": [
            {"name": "key", "type": ["null", "string"]}, {"name": "value", "type": "int"}]}"#;
        check(&format!(r#"{{"type": "array", "items": {entry}}}"#), "MAP<STRING, INTEGER>");
        let plain = entry.replace("MapEntry", "other");
        let expected = "ARRAY<STRUCT<`key` STRING, `value` INTEGER>>";
        check(&format!(r#"{{"type": "array", "items": {plain}}}"#), expected);
    }

    #[test]
    fn names_are_known_after_their_definition() {
        let schema = r#"{"type": "record", "name": "r", "namespace": "n", "fields": [
            {"name": "a", "type": {"type": "enum", "name": "e", "symbols": ["X"]}},
            {"name": "b", "type": "e"}, {"name": "c", "type": ["null", "n.e"]}]}"#;
        check(schema, "STRUCT<`a` STRING, `b` STRING, `c` STRING>");
        check(&record("\"unheard\""), "the AVRO schema cannot be read: the type unheard is not defined");
        let address =
            r#"{"type": "record", "name": "Address", "namespace": "n", "fields": [{"name": "zip", "type": "int"}]}"#;
        let read = read(&record("\"n.Address\""), &[("n.Address".to_owned(), address.to_owned())])
            .expect("the reference is there");
        assert_eq!(read.to_string(), "STRUCT<`f` STRUCT<`zip` INTEGER>>");
    }

    #[test]
    fn what_sql_cannot_hold_is_left_out() {
        let schema = r#"{"type": "record", "name": "r", "fields": [
            {"name": "next", "type": ["null", "r"]}, {"name": "nothing", "type": "null"}, {"name": "v", "type": "int"}]}"#;
        check(schema, "STRUCT<`v` INTEGER>");
    }

    #[test]
    fn names_that_stand_for_much_are_refused_before_it_is_there() {
        let list = |count: usize, field: &dyn Fn(usize) -> String| (0..count).map(field).collect::<Vec<_>>().join(", ");
        let inner = list(5_000, &|number| format!(r#"{{"name": "f{number}", "type": "int"}}"#));
        let inner = format!(r#"{{"name": "a", "type": {{"type": "record", "name": "big", "fields": [{inner}]}}}}"#);
        let outer = list(5_000, &|number| format!(r#"{{"name": "o{number}", "type": "big"}}"#));
        let schema = format!(r#"{{"type": "record", "name": "r", "fields": [{inner}, {outer}]}}"#);
        let error = read(&schema, &[]).expect_err("25 million parts");
        let text = "the schema cannot be held by columns: its names stand for more than 100000 parts";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn no_two_fields_have_one_name() {
        let schema = r#"{"type": "record", "name": "r", "fields": [{"name": "u", "type": "int"}, {"name": "u", "type": "string"}]}"#;
        check(schema, "the schema cannot be held by columns: two fields are called u");
    }

    #[test]
    fn what_is_no_schema_is_an_error() {
        for (schema, reason) in [
            ("{\"name\": 1}", "a schema has no type"),
            ("3", "the type 3 is not defined"),
            (r#"{"type": "record", "name": "r"}"#, "the record r has no fields"),
            (r#"{"type": "array"}"#, "an array has no items"),
        ] {
            check(schema, &format!("the AVRO schema cannot be read: {reason}"));
        }
    }
}
