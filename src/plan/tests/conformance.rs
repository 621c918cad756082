//! ksqlDB's own cases: every statement of formats that are built has a plan, or is refused with the expected text, or is
//! said to be not supported yet.
//!
//! The cases lie outside of the repository, in `../shared/conformance`; without them the test says so and passes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::World;
use crate::plan::PlanErrorKind;
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
    let mut world = world(case);
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
    // Failures at run time have the text of another layer.
    let at_run_time = |message: &str| message.contains("Exception caught") || message.contains("Fatal user code");
    match expected {
        Some(message) if !at_run_time(&message) => Outcome::Fault(format!("planned, though: {message:?}")),
        _ => Outcome::AsExpected,
    }
}

fn world(case: &Value) -> World {
    let mut world = World::new();
    for topic in case["topics"].as_array().into_iter().flatten() {
        if let Some(name) = topic["name"].as_str() {
            world.topics.insert(name.to_owned(), topic["partitions"].as_u64().unwrap_or(1) as u32);
        }
    }
    for (name, value) in case["properties"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        world.properties.insert(name.clone(), value);
    }
    world
}

/// Topics of sources exist before the statements run.
fn create_topic(world: &mut World, parsed: &ParsedStatement) {
    let crate::sql::ast::Statement::CreateSource(create) = &parsed.statement else { return };
    let property = |wanted: &str| create.properties.iter().find(|property| property.name.eq_ignore_ascii_case(wanted));
    let value = |wanted: &str| property(wanted).map(|property| property.value.to_string());
    let Some(topic) = value("KAFKA_TOPIC") else { return };
    let partitions = value("PARTITIONS").and_then(|count| count.trim_matches('\'').parse().ok()).unwrap_or(4);
    world.topics.entry(topic.trim_matches('\'').to_owned()).or_insert(partitions);
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
const FAULTS_MAX: usize = 75;
