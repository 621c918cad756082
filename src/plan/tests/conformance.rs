//! ksqlDB's own cases: every statement of formats that are built has a plan, or is refused with the expected text, or is
//! said to be not supported yet.
//!
//! The cases lie outside of the repository, in `../shared/conformance`; without them the test says so and passes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::World;
use crate::plan::{PlanErrorKind, Planned, declared_schemas};
use crate::registry::{SchemaDocument, SchemaReference, SchemaRegistry as _, SchemaType, key_subject, value_subject};
use crate::sql::{ParsedStatement, parse_statements};

/// What became of a case.
#[derive(Debug, PartialEq)]
enum Outcome {
    AsExpected,
    NotSupported(String),
    Fault(String),
}

fn run(case: &Value) -> Outcome {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let statements: Vec<String> = case["statements"].as_array().into_iter().flatten().map(text).collect();
    let error = case.get("expectedException").or_else(|| case.get("expectedError"));
    let expected = error.map(|error| text(&error["message"]));
    // Text that is no statement is the parser's concern.
    let Ok(parsed) = parse_statements(&statements.join("\n")) else { return Outcome::AsExpected };
    let mut world = world(case, &parsed);
    register_schemas(&world, case, &parsed);
    for (i, statement) in parsed.iter().enumerate() {
        create_topic(&mut world, statement);
        match (world.execute(statement), &expected) {
            (Ok(()), _) => {}
            (Err(error), _) if matches!(error.kind(), PlanErrorKind::NotSupported { .. }) => {
                return Outcome::NotSupported(error.to_string());
            }
            (Err(error), Some(expected)) if i + 1 == parsed.len() => {
                let shown = format!("{error}\nStatement: {}", statement.text);
                return if shown.contains(expected.as_str()) {
                    Outcome::AsExpected
                } else {
                    Outcome::Fault(format!("expected {expected:?}, got {:?}", error.to_string()))
                };
            }
            (Err(error), _) => return Outcome::Fault(format!("'{}': {error}", statement.text)),
        }
    }
    if expected.is_none()
        && let Some(difference) = wrong_schema(&world, case)
    {
        return Outcome::Fault(difference);
    }
    // Failures at run time have the text of another layer.
    let at_run_time = |message: &str| message.contains("Exception caught") || message.contains("Fatal user code");
    match expected {
        Some(message) if !at_run_time(&message) => Outcome::Fault(format!("planned, though: {message:?}")),
        _ => Outcome::AsExpected,
    }
}

/// A topic whose partitions nobody counts has as many as the statement over it asks for, or one.
fn world(case: &Value, statements: &[ParsedStatement]) -> World {
    let asked: Vec<(String, Option<u32>)> = statements.iter().filter_map(topic_of).collect();
    let mut world = World::new();
    for topic in case["topics"].as_array().into_iter().flatten() {
        if let Some(name) = topic["name"].as_str() {
            let asked = asked.iter().find(|(topic, _)| topic == name).and_then(|(_, count)| *count);
            let counted = topic["partitions"].as_u64().map(|count| count as u32);
            world.topics.insert(name.to_owned(), counted.or(asked).unwrap_or(1));
        }
    }
    for (name, value) in case["properties"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        world.properties.insert(name.clone(), value);
    }
    world
}

/// Schemas that statements declare come first, then those of the case's topics.
fn register_schemas(world: &World, case: &Value, statements: &[ParsedStatement]) {
    let topics: Vec<&Value> = case["topics"].as_array().into_iter().flatten().collect();
    let brings = |subject: &str| {
        topics.iter().any(|topic| {
            let name = topic["name"].as_str().unwrap_or_default();
            (subject == key_subject(name) && !topic["keySchema"].is_null())
                || (subject == value_subject(name) && !topic["valueSchema"].is_null())
        })
    };
    for statement in statements {
        let mut scratch = World::new();
        scratch.properties.clone_from(&world.properties);
        create_topic(&mut scratch, statement);
        if let Ok(Planned::CreateSource(create)) = scratch.analyze(statement) {
            for (subject, schema) in declared_schemas(&create.source).iter().filter(|(subject, _)| !brings(subject)) {
                world.registry.register(subject, schema).expect("any schema fits");
            }
        }
    }
    for topic in topics {
        let name = topic["name"].as_str().unwrap_or_default();
        for (side, subject) in [("key", key_subject(name)), ("value", value_subject(name))] {
            let member = |suffix: &str| &topic[format!("{side}{suffix}").as_str()];
            let Some(mut schema) = document(member("Schema"), member("Format")) else { continue };
            for reference in member("SchemaReferences").as_array().into_iter().flatten() {
                let name = reference["name"].as_str().unwrap_or_default().to_owned();
                let Some(referred) = document(&reference["schema"], &reference["format"]) else { continue };
                world.registry.register(&name, &referred).expect("any schema fits");
                schema.references.push(SchemaReference { subject: name.clone(), name, version: 1 });
            }
            match member("SchemaId").as_u64() {
                Some(id) => world.registry.register_as(&subject, &schema, id as u32).expect("the id is free"),
                None => drop(world.registry.register(&subject, &schema).expect("any schema fits")),
            }
        }
    }
}

fn document(schema: &Value, format: &Value) -> Option<SchemaDocument> {
    let schema_type = match format.as_str().unwrap_or("AVRO") {
        "PROTOBUF" => SchemaType::Protobuf,
        "JSON" | "JSON_SR" => SchemaType::Json,
        _ => SchemaType::Avro,
    };
    let text = schema.as_str().filter(|_| schema_type == SchemaType::Protobuf).map(str::to_owned);
    (!schema.is_null()).then(|| SchemaDocument::new(schema_type, text.unwrap_or_else(|| schema.to_string())))
}

/// The first source whose columns are not those that the case expects.
fn wrong_schema(world: &World, case: &Value) -> Option<String> {
    for expected in case["post"]["sources"].as_array()? {
        let (Some(name), Some(schema)) = (expected["name"].as_str(), expected["schema"].as_str()) else { continue };
        let found = world.catalog.source(name)?;
        let kind = if schema.contains("PRIMARY KEY") { "TABLE" } else { "STREAM" };
        let sql = format!("CREATE {kind} X ({schema}) WITH (kafka_topic='x', format='JSON', partitions=1);");
        let parsed = parse_statements(&sql).ok()?;
        let Ok(Planned::CreateSource(wanted)) = World::new().analyze(&parsed[0]) else { continue };
        if found.schema != wanted.source.schema {
            return Some(format!("{name}: got {}, expected {schema}", found.schema.display(found.is_table())));
        }
    }
    None
}

/// Topics of sources exist before the statements run.
fn create_topic(world: &mut World, parsed: &ParsedStatement) {
    if let Some((topic, partitions)) = topic_of(parsed) {
        world.topics.entry(topic).or_insert(partitions.unwrap_or(4));
    }
}

/// The topic of a source, and the partitions that its statement asks for.
fn topic_of(parsed: &ParsedStatement) -> Option<(String, Option<u32>)> {
    let crate::sql::ast::Statement::CreateSource(create) = &parsed.statement else { return None };
    let property = |wanted: &str| create.properties.iter().find(|property| property.name.eq_ignore_ascii_case(wanted));
    let value = |wanted: &str| property(wanted).map(|property| property.value.to_string());
    let partitions = value("PARTITIONS").and_then(|count| count.trim_matches('\'').parse().ok());
    Some((value("KAFKA_TOPIC")?.trim_matches('\'').to_owned(), partitions))
}

#[test]
fn cases_have_plans_or_the_expected_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    if !root.exists() {
        eprintln!("SKIPPED: no conformance cases at {}", root.display());
        return;
    }
    let (mut expected, mut not_supported, mut faults) = (0, Vec::new(), Vec::new());
    for suite in ["qtt", "rqtt"] {
        for entry in fs::read_dir(root.join(suite)).expect("a folder of cases") {
            let text = fs::read_to_string(entry.expect("a readable entry").path()).expect("a readable file of cases");
            let json: Value = serde_json::from_str(&text).expect("a file of cases is JSON");
            for case in json["tests"].as_array().into_iter().flatten() {
                let id = case["id"].as_str().unwrap_or_default();
                match run(case) {
                    Outcome::AsExpected => expected += 1,
                    Outcome::NotSupported(what) => not_supported.push(what),
                    Outcome::Fault(fault) => faults.push(format!("{id}: {fault}")),
                }
            }
        }
    }
    not_supported.sort();
    if let Ok(path) = std::env::var("LEVADA_PLAN_FAULTS") {
        let text = format!("{}\n\n{}", faults.join("\n"), not_supported.join("\n"));
        fs::write(path, text).expect("a writable file");
    }
    assert!(expected + not_supported.len() + faults.len() > 1_500, "too few cases: {expected} as expected");
    assert!(faults.len() <= FAULTS_MAX, "{} faults, first: {:#?}", faults.len(), &faults[..faults.len().min(40)]);
}

/// Cases that are neither planned nor refused as they should be; only ever goes down.
const FAULTS_MAX: usize = 53;
