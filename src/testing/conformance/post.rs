//! Conditions that hold after a run: what the catalog and the list of topics must say.

use serde_json::Value;

use super::case::{Post, PostFormat, PostSource, PostTopic, PostTopicFormat};
use super::relaxation::Relaxation;
use crate::plan::primitive_type;
use crate::registry::{SchemaType, key_subject, value_subject};
use crate::sql::ast::{ColumnRole, Statement, TypeExpr};
use crate::sql::parse_statements;
use crate::testing::driver::{Driver, SourceInfo};
use crate::types::{Column, Schema, SqlType, StructField};

/// Checks all conditions.
pub fn check(post: &Post, relaxation: &Relaxation, driver: &dyn Driver) -> Result<(), String> {
    let sources = driver.sources();
    for expected in &post.sources {
        let actual = sources.iter().find(|source| source.name == expected.name);
        let actual = actual.ok_or_else(|| format!("there is no source {}", expected.name))?;
        check_source(expected, actual).map_err(|reason| format!("source {}: {reason}", expected.name))?;
    }
    let Some(topics) = &post.topics else { return Ok(()) };
    let names = driver.topics();
    if let Some(pattern) = &topics.blacklist {
        let pattern = Pattern::parse(pattern)?;
        if let Some(name) = names.iter().find(|name| pattern.is_in(name)) {
            return Err(format!("topic {name} must not exist"));
        }
    }
    for expected in
        topics.topics.iter().filter(|topic| !relaxation.skips_internal_topics() || !is_internal(&topic.name))
    {
        if !names.contains(&expected.name) {
            return Err(format!("there is no topic {}", expected.name));
        }
        let source = sources.iter().find(|source| source.topic == expected.name);
        check_topic(expected, source, driver).map_err(|reason| format!("topic {}: {reason}", expected.name))?;
    }
    Ok(())
}

fn is_internal(topic: &str) -> bool {
    topic.starts_with("_confluent")
        && topic.contains("query_")
        && (topic.ends_with("-repartition") || topic.ends_with("-changelog"))
}

fn check_source(expected: &PostSource, actual: &SourceInfo) -> Result<(), String> {
    let kind = if actual.is_table { "table" } else { "stream" };
    if expected.kind.as_deref().is_some_and(|expected| !expected.eq_ignore_ascii_case(kind)) {
        return Err(format!("it is a {kind}"));
    }
    if let Some(schema) = &expected.schema {
        let expected = parse_schema(schema)?;
        if expected != actual.schema {
            let [got, want] = [&actual.schema, &expected].map(|schema| schema.display(actual.is_table).to_string());
            return Err(format!("schema: got {got}, expected {want}"));
        }
    }
    if let Some(format) = &expected.key_format {
        check_key_format(format, actual)?;
    }
    if let Some(format) = &expected.value_format {
        same_text("value format", actual.value_serde.format.name(), format)?;
    }
    match expected.is_source {
        Some(is_source) if is_source != actual.is_source => Err(format!("read-only: expected {is_source}")),
        _ => Ok(()),
    }
}

fn check_key_format(expected: &PostFormat, actual: &SourceInfo) -> Result<(), String> {
    same_text("key format", actual.key_serde.format.name(), &expected.format)?;
    let size = match actual.window {
        Some(crate::types::WindowKind::Time { size_ms }) => Some(size_ms),
        _ => None,
    };
    let got = (actual.window_type, size);
    let want = (expected.window_type.as_deref(), expected.window_size);
    if got == want { Ok(()) } else { Err(format!("window of the key: got {got:?}, expected {want:?}")) }
}

fn same_text(what: &str, got: &str, want: &str) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got}, expected {want}")) }
}

/// An internal topic has no source to ask for its formats: that it exists under its name is all that is checked.
fn check_topic(expected: &PostTopic, source: Option<&SourceInfo>, driver: &dyn Driver) -> Result<(), String> {
    let subjects = [
        (key_subject(&expected.name), &expected.key_schema, "key schema"),
        (value_subject(&expected.name), &expected.value_schema, "value schema"),
    ];
    for (subject, wanted, what) in subjects.into_iter().filter(|(_, wanted, _)| !wanted.is_null()) {
        let found = driver
            .registry()
            .latest(&subject)
            .ok()
            .flatten()
            .map(|latest| latest.schema)
            .ok_or_else(|| format!("{what}: there is none"))?;
        let same = match wanted {
            Value::String(text) if found.schema_type == SchemaType::Protobuf => *text == found.text,
            json => serde_json::from_str::<Value>(&found.text).is_ok_and(|found| found == *json),
        };
        if !same {
            return Err(format!("{what}: got {}, expected {wanted}", found.text));
        }
    }
    let Some(source) = source else { return Ok(()) };
    let check = |what, expected: &Option<PostTopicFormat>, got| match expected {
        Some(expected) => same_text(what, got, &expected.format),
        None => Ok(()),
    };
    check("key format", &expected.key_format, source.key_serde.format.name())?;
    check("value format", &expected.value_format, source.value_serde.format.name())
}

/// Reads a column list. The key word does not tell streams from tables here.
fn parse_schema(text: &str) -> Result<Schema, String> {
    let wrong = || format!("the case's schema is none: {text}");
    let statement = |kind: &str| format!("CREATE {kind} X ({text}) WITH (kafka_topic='x', value_format='JSON');");
    let parsed = parse_statements(&statement("STREAM")).or_else(|_| parse_statements(&statement("TABLE")));
    let parsed = parsed.map_err(|_| wrong())?;
    let Some(Statement::CreateSource(source)) = parsed.first().map(|parsed| &parsed.statement) else {
        return Err(wrong());
    };
    let mut schema = Schema::default();
    for definition in &source.columns {
        let sql_type = sql_type(&definition.data_type).ok_or_else(wrong)?;
        let column = Column::new(definition.name.as_str(), sql_type);
        match definition.role {
            ColumnRole::Key | ColumnRole::PrimaryKey => schema.key.push(column),
            ColumnRole::Value | ColumnRole::Headers | ColumnRole::Header(_) => schema.value.push(column),
        }
    }
    Ok(schema)
}

/// `None` for names of custom types, which no case uses here.
fn sql_type(written: &TypeExpr) -> Option<SqlType> {
    Some(match written {
        TypeExpr::Primitive(primitive) => primitive_type(*primitive),
        TypeExpr::Decimal { precision, scale, .. } => {
            SqlType::Decimal { precision: u8::try_from(*precision).ok()?, scale: u8::try_from(*scale).ok()? }
        }
        TypeExpr::Array(element) => SqlType::Array(Box::new(sql_type(element)?)),
        TypeExpr::Map { key, value } => SqlType::Map(Box::new(sql_type(key)?), Box::new(sql_type(value)?)),
        TypeExpr::Struct(fields) => {
            let field = |field: &crate::sql::ast::StructField| {
                Some(StructField { name: field.name.as_str().to_owned(), sql_type: sql_type(&field.data_type)? })
            };
            SqlType::Struct(fields.iter().map(field).collect::<Option<_>>()?)
        }
        TypeExpr::Custom(_) => return None,
    })
}

/// The part of regular expressions that topic black lists use: literal text and `.*`.
struct Pattern<'a> {
    pieces: Vec<&'a str>,
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let pieces: Vec<&str> = text.split(".*").collect();
        if pieces.iter().any(|piece| piece.contains(['[', '(', '|', '^', '$', '+', '?', '\\', '{'])) {
            return Err(format!("the black list is beyond this runner: {text}"));
        }
        Ok(Self { pieces })
    }

    fn is_in(&self, name: &str) -> bool {
        let mut rest = name;
        self.pieces.iter().all(|piece| match rest.find(piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_lists_find_anywhere() {
        let pattern = Pattern::parse(".*-repartition").expect("understood");
        assert!(pattern.is_in("query_1-x-repartition") && !pattern.is_in("query_1-x-changelog"));
        assert!(Pattern::parse("a|b").is_err());
    }

    #[test]
    fn schemas_are_column_lists() {
        let schema = parse_schema("k INT KEY, `f 1` STRUCT<a DECIMAL(4, 2)>").expect("a schema");
        assert_eq!(schema.display(false).to_string(), "`K` INTEGER KEY, `f 1` STRUCT<`A` DECIMAL(4, 2)>");
        assert!(parse_schema("id BIGINT PRIMARY KEY, v ARRAY<STRING>").is_ok());
    }
}
