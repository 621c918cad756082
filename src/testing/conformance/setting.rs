//! What a case finds before its statements run: properties and topics.

use serde_json::Value;

use super::case::Case;
use crate::sql::ast::{CreateSource, Literal, Property, Statement};
use crate::sql::{ParsedStatement, parse_statements};
use crate::testing::driver::Driver;

/// Partitions of a topic that nobody describes.
const PARTITIONS_DEFAULT: u32 = 4;

/// Properties of ksqlDB's runner: read everything, emit every update.
const PROPERTIES: [(&str, &str); 4] = [
    ("ksql.service.id", "some.ksql.service.id"),
    ("auto.offset.reset", "earliest"),
    ("cache.max.bytes.buffering", "0"),
    ("ksql.fail.on.production.error", "true"),
];

/// A property of the runner, not of the engine: whether numbers are compared exactly.
pub const EXACT_NUMBERS: &str = "use.exact.numeric.comparison";

/// Formats that need Schema Registry or its encodings.
const REGISTRY_FORMATS: [&str; 4] = ["AVRO", "PROTOBUF", "PROTOBUF_NOSR", "JSON_SR"];

/// Sets the properties of the runner, then those of the case.
pub fn set_properties(case: &Case, driver: &mut dyn Driver) {
    for (name, value) in PROPERTIES {
        driver.set_property(name, value);
    }
    for (name, value) in case.properties.iter().filter(|(name, _)| *name != EXACT_NUMBERS) {
        driver.set_property(name, &property_text(value));
    }
}

/// Values may be strings, booleans or numbers; their text counts.
pub fn property_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Creates the topics that a case lists, that its statements declare, and that its records name, in this order.
pub fn create_topics(case: &Case, driver: &mut dyn Driver) -> Result<(), String> {
    let listed = case.topics.iter().map(|topic| (topic.name.clone(), topic.partitions));
    let named = case.inputs.iter().chain(&case.outputs).map(|record| (record.topic.clone(), PARTITIONS_DEFAULT));
    let mut there: Vec<String> = Vec::new();
    for (name, partitions) in listed.chain(declared_topics(case)).chain(named) {
        if there.contains(&name) {
            continue;
        }
        driver.create_topic(&name, partitions).map_err(|failure| format!("topic {name}: {failure}"))?;
        there.push(name);
    }
    Ok(())
}

/// Topics of all `CREATE STREAM` and `CREATE TABLE` with a column list.
fn declared_topics(case: &Case) -> Vec<(String, u32)> {
    let statements = readable(case);
    let sources = statements.iter().filter_map(|parsed| match &parsed.statement {
        Statement::CreateSource(source) if !source.columns.is_empty() => Some(source),
        _ => None,
    });
    sources.map(|source| (topic_of(source), partitions_of(source))).collect()
}

fn topic_of(source: &CreateSource) -> String {
    text_property(&source.properties, "KAFKA_TOPIC").unwrap_or_else(|| source.name.as_str().to_owned())
}

fn partitions_of(source: &CreateSource) -> u32 {
    match property(&source.properties, "PARTITIONS") {
        Some(&Literal::Integer(number)) if number > 0 => number.unsigned_abs(),
        _ => PARTITIONS_DEFAULT,
    }
}

fn property<'a>(properties: &'a [Property], name: &str) -> Option<&'a Literal> {
    properties.iter().find(|property| property.name.eq_ignore_ascii_case(name)).map(|property| &property.value)
}

fn text_property(properties: &[Property], name: &str) -> Option<String> {
    match property(properties, name) {
        Some(Literal::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The statements that can be read: a case may want one of them to be refused.
fn readable(case: &Case) -> Vec<ParsedStatement> {
    case.statements.iter().flat_map(|text| parse_statements(text).unwrap_or_default()).collect()
}

/// The first format of a case that is not there yet: its failure says nothing else.
pub fn unavailable_format(case: &Case) -> Option<String> {
    let statements = readable(case);
    let properties = statements.iter().flat_map(|parsed| match &parsed.statement {
        Statement::CreateSource(source) => source.properties.as_slice(),
        Statement::CreateAsSelect(create) => create.properties.as_slice(),
        _ => &[],
    });
    let names = properties.filter(|property| property.name.to_ascii_uppercase().ends_with("FORMAT"));
    let formats = names.filter_map(|property| match &property.value {
        Literal::String(format) => Some(format.to_ascii_uppercase()),
        _ => None,
    });
    let defaults = case.properties.iter().filter(|(name, _)| name.starts_with("ksql.persistence.default.format"));
    let mut formats = formats.chain(defaults.map(|(_, value)| property_text(value).to_ascii_uppercase()));
    formats.find(|format| REGISTRY_FORMATS.contains(&format.as_str()))
}
