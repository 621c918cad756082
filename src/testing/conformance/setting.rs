//! What a case finds before its statements run: properties, topics and schemas.

use serde_json::Value;

use super::case::{Case, CaseReference, CaseTopic};
use super::json;
use crate::catalog::Catalog;
use crate::plan::{self, Planned, Settings, TopicFacts};
use crate::registry::{SchemaDocument, SchemaReference, SchemaType, key_subject, value_subject};
use crate::sql::ast::{CreateSource, Literal, Property, Statement};
use crate::sql::{ParsedStatement, parse_statements};
use crate::testing::driver::Driver;

/// Partitions of a topic that nobody describes.
const PARTITIONS_DEFAULT: u32 = 4;

/// Properties of ksqlDB's runner: read everything, emit every update. What only Levada has is off.
const PROPERTIES: [(&str, &str); 6] = [
    ("ksql.service.id", "some.ksql.service.id"),
    ("auto.offset.reset", "earliest"),
    ("cache.max.bytes.buffering", "0"),
    ("ksql.fail.on.production.error", "true"),
    ("levada.self.joins.enabled", "false"),
    ("levada.whole.sql.enabled", "false"),
];

/// A property of the runner, not of the engine: whether numbers are compared exactly.
pub const EXACT_NUMBERS: &str = "use.exact.numeric.comparison";

/// Sets the properties of the runner, then those of the case.
pub fn set_properties(case: &Case, driver: &mut dyn Driver) {
    for (name, value) in PROPERTIES {
        driver.set_property(name, value);
    }
    for (name, value) in case.properties.iter().filter(|(name, _)| *name != EXACT_NUMBERS) {
        driver.set_property(name, &json::text(value));
    }
}

/// Creates the topics that a case lists, that its statements declare, and that its records name, in this order.
pub fn create_topics(case: &Case, driver: &mut dyn Driver) -> Result<(), String> {
    let (declared, asked) = (declared_topics(case, true), declared_topics(case, false));
    // A count that nobody gives is that of the statement, if there is one.
    let partitions = |topic: &CaseTopic| {
        let of_statement = asked.iter().find(|(name, _)| *name == topic.name).and_then(|(_, count)| *count);
        topic.partitions.or(of_statement).unwrap_or(1)
    };
    let listed = case.topics.iter().map(|topic| (topic.name.clone(), partitions(topic)));
    let declared = declared.iter().map(|(name, count)| (name.clone(), count.unwrap_or(PARTITIONS_DEFAULT)));
    let named = case.inputs.iter().chain(&case.outputs).map(|record| (record.topic.clone(), PARTITIONS_DEFAULT));
    let mut there: Vec<String> = Vec::new();
    for (name, partitions) in listed.chain(declared).chain(named) {
        if there.contains(&name) {
            continue;
        }
        driver.create_topic(&name, partitions).map_err(|failure| format!("topic {name}: {failure}"))?;
        there.push(name);
    }
    Ok(())
}

/// Topics of all `CREATE STREAM` and `CREATE TABLE`, or of those `with_columns` only, with the partitions that these ask for.
fn declared_topics(case: &Case, with_columns: bool) -> Vec<(String, Option<u32>)> {
    let statements = readable(case);
    let sources = statements.iter().filter_map(|parsed| match &parsed.statement {
        Statement::CreateSource(source) if !with_columns || !source.columns.is_empty() => Some(source),
        _ => None,
    });
    sources.map(|source| (topic_of(source), partitions_of(source))).collect()
}

fn topic_of(source: &CreateSource) -> String {
    text_property(&source.properties, "KAFKA_TOPIC").unwrap_or_else(|| source.name.as_str().to_owned())
}

fn partitions_of(source: &CreateSource) -> Option<u32> {
    match property(&source.properties, "PARTITIONS") {
        Some(&Literal::Integer(number)) if number > 0 => Some(number.unsigned_abs()),
        _ => None,
    }
}

/// Registers the schemas that the statements declare by their columns, then those that the topics of the case bring.
pub fn register_schemas(case: &Case, driver: &mut dyn Driver) -> Result<(), String> {
    let subjects: Vec<String> = case.topics.iter().flat_map(|topic| sides(topic).map(|side| side.subject)).collect();
    for (subject, schema) in declared_schemas(case).into_iter().filter(|(subject, _)| !subjects.contains(subject)) {
        register(&subject, &schema, None, driver)?;
    }
    for topic in &case.topics {
        for side in sides(topic) {
            let mut references = Vec::new();
            for reference in side.references {
                let Some(schema) = document(&reference.schema, reference.format.as_deref(), Vec::new()) else {
                    continue;
                };
                register(&reference.name, &schema, None, driver)?;
                let (name, subject) = (reference.name.clone(), reference.name.clone());
                references.push(SchemaReference { name, subject, version: 1 });
            }
            if let Some(schema) = document(side.schema, side.format, references) {
                register(&side.subject, &schema, side.id, driver)?;
            }
        }
    }
    Ok(())
}

fn register(subject: &str, schema: &SchemaDocument, id: Option<u32>, driver: &mut dyn Driver) -> Result<(), String> {
    driver.register_schema(subject, schema, id).map_err(|failure| format!("schema of {subject}: {failure}"))
}

/// The schema of one side of a topic.
struct TopicSide<'a> {
    subject: String,
    schema: &'a Value,
    format: Option<&'a str>,
    id: Option<u32>,
    references: &'a [CaseReference],
}

/// The sides of a topic that have a schema, keys first.
fn sides(topic: &CaseTopic) -> impl Iterator<Item = TopicSide<'_>> {
    let key = TopicSide {
        subject: key_subject(&topic.name),
        schema: &topic.key_schema,
        format: topic.key_format.as_deref(),
        id: topic.key_schema_id,
        references: &topic.key_schema_references,
    };
    let value = TopicSide {
        subject: value_subject(&topic.name),
        schema: &topic.value_schema,
        format: topic.value_format.as_deref(),
        id: topic.value_schema_id,
        references: &topic.value_schema_references,
    };
    [key, value].into_iter().filter(|side| !side.schema.is_null())
}

/// A schema as a case writes it: AVRO unless it says another language.
fn document(schema: &Value, format: Option<&str>, references: Vec<SchemaReference>) -> Option<SchemaDocument> {
    let schema_type = match format.unwrap_or("AVRO").to_ascii_uppercase().as_str() {
        "PROTOBUF" => SchemaType::Protobuf,
        "JSON" | "JSON_SR" => SchemaType::Json,
        _ => SchemaType::Avro,
    };
    let text = match schema {
        Value::Null => return None,
        Value::String(text) if schema_type == SchemaType::Protobuf => text.clone(),
        other => other.to_string(),
    };
    Some(SchemaDocument { schema_type, text, references })
}

/// The schemas of all sources that list their columns, as far as they can be planned on their own.
fn declared_schemas(case: &Case) -> Vec<(String, SchemaDocument)> {
    let properties = case.properties.iter().map(|(name, value)| (name.clone(), json::text(value))).collect();
    let topics = |_: &str| Some(TopicFacts::with_partitions(PARTITIONS_DEFAULT));
    let settings = Settings {
        properties: &properties,
        topics: &topics,
        plans: &plan::NoPlans,
        libraries: &plan::NoLibraries,
        query_number: 0,
    };
    let statements = readable(case);
    let sources = statements.iter().filter_map(|parsed| {
        let Statement::CreateSource(create) = &parsed.statement else { return None };
        // The count of partitions is checked when the statement is executed.
        let is_count = |property: &Property| property.name.eq_ignore_ascii_case("PARTITIONS");
        let properties = create.properties.iter().filter(|property| !is_count(property)).cloned().collect();
        let create = Statement::CreateSource(CreateSource { properties, ..create.clone() });
        match plan::analyze_statement(&create, &parsed.text, &Catalog::new(), &settings) {
            Ok(Planned::CreateSource(planned)) => Some(planned.source),
            _ => None,
        }
    });
    sources.flat_map(|source| plan::declared_schemas(&source)).collect()
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
