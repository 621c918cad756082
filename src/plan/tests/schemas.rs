//! Columns that come from Schema Registry.

use super::*;
use crate::registry::{MemoryRegistry, SchemaDocument, SchemaRegistry as _, SchemaType};

const VALUE: &str = r#"{"type": "record", "name": "r", "fields": [
    {"name": "c1", "type": "int"}, {"name": "c2", "type": {"type": "array", "items": "string"}}]}"#;

/// Schema 1: the value of x, a record. 2: the key of x, an INTEGER. 3: JSON Schema. 4: Protobuf with two messages.
fn registry() -> MemoryRegistry {
    let registry = MemoryRegistry::new();
    for (subject, schema_type, text) in [
        ("x-value", SchemaType::Avro, VALUE),
        ("x-key", SchemaType::Avro, "\"int\""),
        ("j-value", SchemaType::Json, r#"{"type": "object", "properties": {"c1": {"type": "integer"}}}"#),
        ("p-value", SchemaType::Protobuf, "message A { int32 a = 1; } message B { string b = 1; }"),
    ] {
        registry.register(subject, &SchemaDocument::new(schema_type, text)).expect("any schema fits");
    }
    registry
}

/// The last statement of `sql` as it is after asking `registry`, which is none to ask where there is none.
fn completed(sql: &str, registry: Registry) -> Result<Option<String>, PlanError> {
    let mut world = World::after(SETUP);
    world.topics.extend(["p", "j", "y"].map(|topic| (topic.to_owned(), 4)));
    let statements = parse_statements(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let (last, before) = statements.split_last().expect("there is a statement");
    for parsed in before {
        world.execute(parsed).unwrap_or_else(|error| panic!("{}: {error}", parsed.text));
    }
    let topics = |topic: &str| world.topics.get(topic).copied().map(TopicFacts::with_partitions);
    let settings = Settings {
        properties: &world.properties,
        topics: &topics,
        plans: &NoPlans,
        libraries: &NoLibraries,
        query_number: 9,
    };
    let completed = complete(last, &world.catalog, &settings, registry)?;
    if let Some(completed) = &completed {
        let reparsed = parse_statements(&completed.text).expect("what is logged can be read again");
        assert_eq!(reparsed[0].statement, completed.statement);
    }
    let statement = completed.as_ref().unwrap_or(last);
    let planned = analyze(statement, &world.catalog, &settings)?;
    check_named_schemas(statement, &planned, registry)?;
    Ok(completed.map(|completed| completed.text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

fn check(sql: &str, expected: &str) {
    let registry = registry();
    let text = completed(sql, Ok(&registry)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let text = text.expect("columns are learnt");
    let columns = text.split_once(" (").and_then(|(_, rest)| rest.split_once(") WITH")).map(|(columns, _)| columns);
    assert_eq!(columns, Some(expected), "{sql}");
}

fn check_refused(sql: &str, expected: &str) {
    let registry = registry();
    let error = completed(sql, Ok(&registry)).expect_err(sql).to_string();
    assert!(error.starts_with(expected), "{sql}: {error}");
}

#[test]
fn columns_are_written_into_the_statement() {
    let c2 = "ARRAY<STRING>";
    for (sql, expected) in [
        ("CREATE STREAM A WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');", format!("C1 INTEGER, C2 {c2}")),
        ("CREATE STREAM A WITH (KAFKA_TOPIC='x', FORMAT='AVRO');", format!("ROWKEY INTEGER KEY, C1 INTEGER, C2 {c2}")),
        (
            "CREATE TABLE A WITH (KAFKA_TOPIC='x', FORMAT='AVRO');",
            format!("ROWKEY INTEGER PRIMARY KEY, C1 INTEGER, C2 {c2}"),
        ),
        (
            "CREATE STREAM A (ID INT KEY, H BYTES HEADER('h')) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');",
            format!("ID INTEGER KEY, H BYTES HEADER('h'), C1 INTEGER, C2 {c2}"),
        ),
        (
            "CREATE STREAM A (V STRING) WITH (KAFKA_TOPIC='x', KEY_FORMAT='AVRO', VALUE_FORMAT='JSON');",
            "ROWKEY INTEGER KEY, V STRING".to_owned(),
        ),
        (
            "CREATE STREAM A WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO', WRAP_SINGLE_VALUE=false);",
            format!("ROWVAL STRUCT<C1 INTEGER, C2 {c2}>"),
        ),
        ("CREATE STREAM A WITH (KAFKA_TOPIC='j', VALUE_FORMAT='JSON_SR');", "C1 BIGINT".to_owned()),
        ("CREATE STREAM A WITH (KAFKA_TOPIC='p', VALUE_FORMAT='PROTOBUF');", "A INTEGER".to_owned()),
        (
            "CREATE STREAM A WITH (KAFKA_TOPIC='p', VALUE_FORMAT='PROTOBUF', VALUE_SCHEMA_FULL_NAME='B');",
            "B STRING".to_owned(),
        ),
    ] {
        check(sql, &expected);
    }
}

#[test]
fn a_schema_named_by_its_id_keeps_its_names() {
    check(
        "CREATE STREAM A WITH (KAFKA_TOPIC='y', FORMAT='AVRO', KEY_SCHEMA_ID=2, VALUE_SCHEMA_ID='1');",
        "ROWKEY INTEGER KEY, `c1` INTEGER, `c2` ARRAY<STRING>",
    );
    check_refused(
        "CREATE STREAM A (C INT) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO', VALUE_SCHEMA_ID=1);",
        "Table elements and VALUE_SCHEMA_ID cannot both exist for create statement.",
    );
    check_refused(
        "CREATE STREAM A WITH (KAFKA_TOPIC='x', VALUE_FORMAT='KAFKA', VALUE_SCHEMA_ID=1);",
        "VALUE_FORMAT should support schema inference when VALUE_SCHEMA_ID is provided. Current format is KAFKA.",
    );
    check_refused(
        "CREATE STREAM A WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO', VALUE_SCHEMA_ID=77);",
        "Schema for message values on topic 'x' does not exist in the Schema Registry.\nSchema Id: 77",
    );
}

#[test]
fn schemas_that_do_not_fit_are_refused() {
    check_refused(
        "CREATE STREAM A WITH (KAFKA_TOPIC='y', VALUE_FORMAT='AVRO');",
        "Schema for message values on topic 'y' does not exist in the Schema Registry.\nSubject: y-value",
    );
    check_refused(
        "CREATE STREAM A WITH (KAFKA_TOPIC='j', VALUE_FORMAT='AVRO');",
        "Value schema is not in the expected format. You may want to set VALUE_FORMAT to 'JSON_SR'.",
    );
    check_refused(
        "CREATE STREAM A WITH (KAFKA_TOPIC='y', VALUE_FORMAT='AVRO', VALUE_SCHEMA_ID=2);",
        "Schema returned from schema registry is anonymous type.",
    );
    check_refused(
        "CREATE STREAM A WITH (KAFKA_TOPIC='p', VALUE_FORMAT='PROTOBUF', VALUE_SCHEMA_FULL_NAME='C');",
        "Schema for message values on topic 'p' does not exist in the Schema Registry.",
    );
    let sql = "CREATE STREAM A WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');";
    let error = completed(sql, Err(NO_REGISTRY)).expect_err("nobody to ask");
    assert_eq!(error.to_string(), NO_REGISTRY);
}

#[test]
fn a_query_writes_the_columns_that_its_schema_begins_with() {
    let select = |items: &str| {
        format!(
            "CREATE STREAM A WITH (KAFKA_TOPIC='y', VALUE_FORMAT='AVRO', VALUE_SCHEMA_ID=1) AS SELECT ID, {items} FROM S;"
        )
    };
    let registry = registry();
    assert_eq!(completed(&select("V AS `c1`"), Ok(&registry)), Ok(None));
    assert_eq!(completed(&select("V AS `c1`, TAGS AS `c2`"), Ok(&registry)), Ok(None));
    check_refused(
        &select("TAGS AS `c2`, V AS `c1`"),
        "The following value columns are changed, missing or reordered: [`c2` ARRAY<STRING>, `c1` INTEGER]. Schema from \
         schema registry is [`c1` INTEGER, `c2` ARRAY<STRING>]",
    );
}

#[test]
fn what_is_declared_is_registered_under_the_names_of_ksqldb() {
    let sql = "CREATE STREAM A (K INT KEY, V STRING) WITH (KAFKA_TOPIC='x', FORMAT='AVRO');";
    let Ok(Planned::CreateSource(create)) = planned(sql) else { panic!("the statement has a plan") };
    let schemas = declared_schemas(&create.source);
    let [(key, key_schema), (value, value_schema)] = schemas.as_slice() else { panic!("{schemas:?}") };
    assert_eq!((key.as_str(), key_schema.text.as_str(), value.as_str()), ("x-key", "\"int\"", "x-value"));
    assert!(value_schema.text.contains("KsqlDataSourceSchema"), "{}", value_schema.text);
    let sql = "CREATE STREAM A (V STRING) WITH (KAFKA_TOPIC='x', FORMAT='JSON');";
    let Ok(Planned::CreateSource(create)) = planned(sql) else { panic!("the statement has a plan") };
    assert_eq!(declared_schemas(&create.source), []);
}
