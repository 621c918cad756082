//! Avro schemas.

use std::collections::HashMap;

use super::{PARTS_MAX, SchemaError, array, decimal, fields, map, parts};
use crate::registry::Reference;
use crate::registry::avro::{AvroSchema, Field, Node, NodeId, Note};
use crate::types::{SqlType, StructField};

/// The type of the schema `text`; names that are not its own are in `references`.
pub(super) fn read(text: &str, references: &[Reference]) -> Result<SqlType, SchemaError> {
    let references: Vec<String> = references.iter().map(|(_, text)| text.clone()).collect();
    let malformed = |reason| SchemaError::Malformed { language: "AVRO", reason };
    let schema = AvroSchema::parse(text, &references).map_err(malformed)?;
    let mut reader = Reader { known: HashMap::new(), parts: 0, schema: &schema };
    let mut read = None;
    // What is named is read before: names that lead on and on take no stack.
    for root in schema.roots() {
        read = reader.read(*root)?;
    }
    read.ok_or_else(|| SchemaError::Unsupported { reason: "it is null, or leads back to itself".to_owned() })
}

struct Reader<'a> {
    schema: &'a AvroSchema,
    /// Types of records; `None` while one is being read, and for what SQL cannot hold.
    known: HashMap<NodeId, Option<SqlType>>,
    /// Parts of the types that names stood for so far.
    parts: usize,
}

/// More parts behind names are refused before they are there.
const NAMED_PARTS_MAX: usize = 10 * PARTS_MAX;

impl Reader<'_> {
    fn read(&mut self, id: NodeId) -> Result<Option<SqlType>, SchemaError> {
        Ok(match (self.schema.node(id), self.schema.note(id)) {
            (Node::Bytes { .. } | Node::Fixed { .. }, Some(Note::Decimal { precision, scale })) => {
                decimal(precision, scale).into_type()
            }
            (Node::Int, Some(Note::Date)) => Some(SqlType::Date),
            (Node::Int, Some(Note::Time)) => Some(SqlType::Time),
            (Node::Long, Some(Note::Timestamp)) => Some(SqlType::Timestamp),
            (Node::Null | Node::Open, _) => None,
            (Node::Boolean, _) => Some(SqlType::Boolean),
            (Node::Int, _) => Some(SqlType::Integer),
            (Node::Long, _) => Some(SqlType::Bigint),
            (Node::Float | Node::Double, _) => Some(SqlType::Double),
            (Node::String | Node::Enum(_), _) => Some(SqlType::String),
            (Node::Bytes { .. } | Node::Fixed { .. }, _) => Some(SqlType::Bytes),
            (Node::Map(values), _) => self.read(*values)?.and_then(|value| map(&SqlType::String, value)),
            (Node::Array(items), _) => match (self.read(*items)?, self.schema.note(*items)) {
                (Some(SqlType::Struct(fields)), Some(Note::MapEntry)) => entries(&fields),
                (element, _) => element.map(array),
            },
            (Node::Record(declared), _) => self.record(id, declared)?,
            (Node::Union(branches), _) => self.union(branches)?,
        })
    }

    /// A record that is read already stands here by its name.
    fn record(&mut self, id: NodeId, declared: &[Field]) -> Result<Option<SqlType>, SchemaError> {
        if let Some(known) = self.known.get(&id) {
            self.parts += known.as_ref().map_or(0, parts);
            if self.parts > NAMED_PARTS_MAX {
                let reason = format!("its names stand for more than {NAMED_PARTS_MAX} parts");
                return Err(SchemaError::Unsupported { reason });
            }
            return Ok(known.clone());
        }
        self.known.insert(id, None);
        let mut read = Vec::with_capacity(declared.len());
        for field in declared {
            read.push((field.name.clone(), self.read(field.node)?));
        }
        let record = Some(fields(read)?);
        self.known.insert(id, record.clone());
        Ok(record)
    }

    /// With null, a type that may be null; several types become a struct with a field for each.
    fn union(&mut self, branches: &[NodeId]) -> Result<Option<SqlType>, SchemaError> {
        let branches = branches.iter().copied().filter(|branch| *self.schema.node(*branch) != Node::Null);
        match branches.collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [only] => self.read(*only),
            several => {
                let mut read = Vec::with_capacity(several.len());
                for branch in several {
                    read.push((self.schema.branch_name(*branch).to_owned(), self.read(*branch)?));
                }
                Ok(Some(fields(read)?))
            }
        }
    }
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
            (r#"["int", {"type": {"type": "string"}}]"#, "STRUCT<`int` INTEGER, `string` STRING>"),
            (r#"{"type": "int", "connect.name": "org.apache.kafka.connect.data.Date"}"#, "DATE"),
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
        let twice = format!(
            r#"{{"type": "record", "name": "r", "fields": [
                {{"name": "a", "type": {{"type": "array", "items": {entry}}}}},
                {{"name": "b", "type": {{"type": "array", "items": "e"}}}}]}}"#
        );
        check(&twice, "STRUCT<`a` MAP<STRING, INTEGER>, `b` MAP<STRING, INTEGER>>");
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
    fn names_may_lead_on_and_on() {
        let record = |number: usize| {
            let before = if number == 0 { "\"int\"".to_owned() } else { format!(r#""r{}""#, number - 1) };
            format!(
                r#"{{"type": "record", "name": "r{number}", "fields": [{{"name": "f", "type": ["null", {before}]}}]}}"#
            )
        };
        let records: Vec<String> = (0..3_000).map(record).collect();
        let reference = ("chain".to_owned(), format!("[{}]", records.join(", ")));
        let error = read("r2999", &[reference]).expect_err("it is too large");
        assert_eq!(
            error.to_string(),
            "the schema cannot be held by columns: its names stand for more than 100000 parts"
        );
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
