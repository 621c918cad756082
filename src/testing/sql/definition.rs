//! ASSERT STREAM and ASSERT TABLE: whether a source is defined as a test says.

use crate::catalog::{Catalog, DataSource};
use crate::plan::{self, PlanError, Planned, Settings, TopicFacts};
use crate::sql::ast::{AssertSource, CreateSource, Literal, Property, Statement};
use crate::sql::{parse_statements, quote_name};

/// Properties of topics, which no source has.
const OF_TOPICS: [&str; 2] = ["PARTITIONS", "REPLICAS"];

/// Checks the source that `assert` names; the error says which of its properties is another.
pub fn check(
    assert: &AssertSource,
    catalog: &Catalog,
    settings: &Settings<'_>,
) -> Result<Result<(), String>, PlanError> {
    let name = assert.name.as_str();
    let Some(actual) = catalog.source(name) else {
        return Ok(Err(format!("{name} does not exist.")));
    };
    let kind = actual.collection.keyword();
    if assert.kind.name() != kind {
        return Ok(Err(mismatch("type", name, assert.kind.name(), kind)));
    }
    let expected = expected(assert, actual, catalog, settings)?;
    let differing = facts(&expected).into_iter().zip(facts(actual)).find(|((_, expected), (_, got))| expected != got);
    Ok(match differing {
        Some(((what, expected), (_, got))) => Err(mismatch(what, name, &expected, &got)),
        None => Ok(()),
    })
}

fn mismatch(what: &str, name: &str, expected: &str, got: &str) -> String {
    format!("Expected {what} does not match actual for source {name}.\nExpected: {expected}\nActual: {got}")
}

/// What of a source is compared, by ksqlDB's names, in its order.
fn facts(source: &DataSource) -> Vec<(&'static str, String)> {
    let text = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let timestamp = source.timestamp.as_ref();
    let size = match source.window {
        Some(crate::types::WindowKind::Time { size_ms }) => Some(format!("{size_ms} ms")),
        _ => None,
    };
    vec![
        ("schema", source.schema.display(source.is_table()).to_string()),
        ("kafka topic", source.topic.clone()),
        ("key format", source.key_serde.format.name().to_owned()),
        ("value format", source.value_serde.format.name().to_owned()),
        ("value format properties", format!("{:?}", source.value_serde)),
        ("window type", text(source.window_type.map(crate::catalog::WindowType::name))),
        ("window size", text(size.as_deref())),
        ("timestamp column", text(source.timestamp_column().map(|column| column.name.as_str()))),
        ("timestamp format", text(timestamp.and_then(|timestamp| timestamp.format.as_deref()))),
    ]
}

/// The source that CREATE would make of what `assert` says. What it leaves out that CREATE must have is as it is.
fn expected(
    assert: &AssertSource,
    actual: &DataSource,
    catalog: &Catalog,
    settings: &Settings<'_>,
) -> Result<DataSource, PlanError> {
    let create = Statement::CreateSource(CreateSource {
        kind: assert.kind,
        name: assert.name.clone(),
        or_replace: false,
        if_not_exists: false,
        is_source: false,
        columns: if assert.columns.is_empty() { columns_of(actual) } else { assert.columns.clone() },
        properties: properties(assert, actual),
        span: assert.span,
    });
    let topics = |topic: &str| settings.topics.find(topic).or(Some(TopicFacts::with_partitions(1)));
    let settings = Settings { topics: &topics, ..*settings };
    match plan::analyze_statement(&create, "", &types_only(catalog), &settings)? {
        Planned::CreateSource(create) => Ok(create.source),
        other => Err(PlanError::refused(format!("this is no definition of a source: {other:?}"), assert.span)),
    }
}

fn properties(assert: &AssertSource, actual: &DataSource) -> Vec<Property> {
    let is_one_of = |property: &Property, names: &[&str]| names.contains(&property.name.to_uppercase().as_str());
    let mut properties = assert.properties.clone();
    properties.retain(|property| !is_one_of(property, &OF_TOPICS));
    let mut complete = |names: &[&str], value: &str| {
        if !properties.iter().any(|property| is_one_of(property, names)) {
            let (name, value) = (names[0].to_owned(), Literal::String(value.to_owned()));
            properties.push(Property { name, value, span: assert.span });
        }
    };
    complete(&["KAFKA_TOPIC"], &actual.topic);
    complete(&["VALUE_FORMAT", "FORMAT"], actual.value_serde.format.name());
    properties
}

/// The columns of a source as they would be written.
fn columns_of(source: &DataSource) -> Vec<crate::sql::ast::ColumnDefinition> {
    let (kind, name) = (source.collection.keyword(), quote_name(&source.name));
    let text = format!("CREATE {kind} {name} ({});", source.schema.display(source.is_table()));
    match parse_statements(&text).ok().and_then(|mut parsed| parsed.pop()).map(|parsed| parsed.statement) {
        Some(Statement::CreateSource(create)) => create.columns,
        _ => Vec::new(),
    }
}

/// A catalog in which the name is free.
fn types_only(catalog: &Catalog) -> Catalog {
    let mut types = Catalog::new();
    for (name, sql_type) in catalog.custom_types() {
        // The catalog is empty: no name is taken.
        let _ = types.add_type(name, sql_type.clone());
    }
    types
}
