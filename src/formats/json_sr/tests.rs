//! What JSON_SR reads and writes, by example.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray};
use proptest::prelude::*;

use super::{JsonSrDecoder, encoder};
use crate::formats::json::{JsonDecoder, JsonEncoder};
use crate::formats::schemas::SchemaLookup;
use crate::formats::{Decoder, Encoder};
use crate::registry::json_schema::JsonSchema;
use crate::registry::{SchemaStyle, SchemaType, Side, write_schema};
use crate::types::{Column, SqlType, StructField};

fn parse(text: &str) -> JsonSchema {
    JsonSchema::parse(text, &[]).expect("a schema")
}

fn struct_of(fields: &[(&str, SqlType)]) -> SqlType {
    let field =
        |(name, sql_type): &(&str, SqlType)| StructField { name: (*name).to_owned(), sql_type: sql_type.clone() };
    SqlType::Struct(fields.iter().map(field).collect())
}

fn map(value: SqlType) -> SqlType {
    SqlType::Map(Box::new(SqlType::String), Box::new(value))
}

/// Columns from ksqlDB's JSON.
fn arrays_of(columns: &[Column], row: &str) -> Vec<ArrayRef> {
    let decoded =
        JsonDecoder::new(columns, &vec![true; columns.len()], false).decode(&BinaryArray::from(vec![row.as_bytes()]));
    assert_eq!(decoded.errors, vec![]);
    decoded.columns
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("JSON is text")
}

/// What a document by `schema` reads as, in ksqlDB's JSON, or the row's error.
fn read(schema: &str, columns: &[Column], document: &str) -> String {
    let schema = parse(schema);
    let lookup: SchemaLookup<JsonSchema> = Arc::new(move |id| Ok((id == 1).then(|| schema.clone())));
    let mut decoder = JsonSrDecoder::new(columns, &vec![true; columns.len()], false, lookup);
    let record = [&[0, 0, 0, 0, 1], document.as_bytes()].concat();
    let decoded = decoder.decode(&BinaryArray::from(vec![&record[..]]));
    match decoded.errors.first() {
        Some(error) => error.reason.clone(),
        None => text(JsonEncoder::new(columns, false).encode(&decoded.columns, 1, None).bytes.value(0)),
    }
}

/// The document that a row becomes by `schema`.
fn write(schema: &str, columns: &[Column], row: &str) -> Result<String, String> {
    let mut encoder = encoder(columns, false, 1, &parse(schema))?.encoder;
    let encoded = encoder.encode(&arrays_of(columns, row), 1, None);
    let (header, document) = encoded.bytes.value(0).split_at(5);
    assert_eq!(header, [0, 0, 0, 0, 1]);
    Ok(text(document))
}

fn object(properties: &str) -> String {
    format!(r#"{{"type": "object", "properties": {{{properties}}}}}"#)
}

/// A schema, columns, and a row as ksqlDB and as Connect write it.
fn check(schema: &str, sql_type: SqlType, row: &str, document: &str) {
    let columns = [Column::new("A", sql_type)];
    assert_eq!(read(schema, &columns, document), row, "{document}");
    assert_eq!(write(schema, &columns, row).as_deref(), Ok(document), "{row}");
}

#[test]
fn values_have_the_forms_that_the_schema_asks_for() {
    let object_map = r#""A": {"type": "object", "additionalProperties": {"type": "integer"}}"#;
    check(&object(object_map), map(SqlType::Integer), r#"{"A":{"k":1}}"#, r#"{"A":{"k":1}}"#);
    let entries = r#""A": {"type": "array", "connect.type": "map", "items": {"type": "object",
        "properties": {"key": {"type": "string"}, "value": {"oneOf": [{"type": "null"}, {"type": "integer"}]}}}}"#;
    check(
        &object(entries),
        map(SqlType::Integer),
        r#"{"A":{"k":1,"l":null}}"#,
        r#"{"A":[{"key":"k","value":1},{"key":"l","value":null}]}"#,
    );
    let decimal = SqlType::Decimal { precision: 6, scale: 2 };
    let title = r#""title": "org.apache.kafka.connect.data.Decimal""#;
    check(
        &object(&format!(r#""A": {{"type": "number", {title}}}"#)),
        decimal.clone(),
        r#"{"A":-1.28}"#,
        r#"{"A":-1.28}"#,
    );
    check(&object(&format!(r#""A": {{"type": "string", {title}}}"#)), decimal, r#"{"A":-1.28}"#, r#"{"A":"gA=="}"#);
    let referred =
        r##"{"properties": {"A": {"$ref": "#/definitions/d"}}, "definitions": {"d": {"type": ["null", "integer"]}}}"##;
    check(referred, SqlType::Date, r#"{"A":5}"#, r#"{"A":5}"#);
    let parts =
        r#"{"allOf": [{"properties": {"A": {"enum": ["x", "y"]}}}, {"properties": {"B": {"type": "string"}}}]}"#;
    check(parts, SqlType::String, r#"{"A":"x"}"#, r#"{"A":"x"}"#);
}

#[test]
fn one_of_several_types_stands_by_itself() {
    let union = struct_of(&[
        ("CONNECT_UNION_FIELD_0", SqlType::Bigint),
        ("CONNECT_UNION_FIELD_1", SqlType::String),
        ("CONNECT_UNION_FIELD_2", struct_of(&[("X", SqlType::Boolean)])),
    ]);
    let schema = object(
        r#""A": {"oneOf": [{"type": "null"}, {"type": "integer"}, {"type": "string"},
           {"type": "object", "properties": {"X": {"type": "boolean"}}}]}"#,
    );
    let row = |member: usize, value: &str| {
        let members: Vec<String> = (0..3)
            .map(|i| format!("\"CONNECT_UNION_FIELD_{i}\":{}", if i == member { value } else { "null" }))
            .collect();
        format!("{{\"A\":{{{}}}}}", members.join(","))
    };
    for (member, value) in [(0, "5"), (1, "\"5\""), (2, "{\"X\":true}")] {
        check(&schema, union.clone(), &row(member, value), &format!("{{\"A\":{value}}}"));
    }
    check(&schema, union.clone(), "{\"A\":null}", "{\"A\":null}");
    let columns = [Column::new("A", union)];
    let error = read(&schema, &columns, "{\"A\":[1]}");
    assert!(error.starts_with("cannot read [1] as STRUCT<"), "{error}");
}

#[test]
fn numbers_without_digits_are_texts_among_several_types_too() {
    let union = struct_of(&[("CONNECT_UNION_FIELD_0", SqlType::Boolean), ("CONNECT_UNION_FIELD_1", SqlType::Double)]);
    let schema = object(r#""A": {"oneOf": [{"type": "boolean"}, {"type": "number"}]}"#);
    let row = r#"{"A":{"CONNECT_UNION_FIELD_0":null,"CONNECT_UNION_FIELD_1":"NaN"}}"#;
    check(&schema, union, row, r#"{"A":"NaN"}"#);
    let with_text =
        struct_of(&[("CONNECT_UNION_FIELD_0", SqlType::Double), ("CONNECT_UNION_FIELD_1", SqlType::String)]);
    let schema = object(r#""A": {"oneOf": [{"type": "number"}, {"type": "string"}]}"#);
    let row = r#"{"A":{"CONNECT_UNION_FIELD_0":null,"CONNECT_UNION_FIELD_1":"NaN"}}"#;
    check(&schema, with_text, row, r#"{"A":"NaN"}"#);
}

#[test]
fn a_schema_without_room_says_for_what() {
    let columns = [Column::new("A", SqlType::Integer)];
    let new = |schema: &str| encoder(&columns, false, 1, &parse(schema)).err().unwrap_or_default();
    assert_eq!(new(&object(r#""B": {"type": "integer"}"#)), "the schema has no field A");
    assert_eq!(new(&object(r#""A": {"type": "string"}"#)), "field A: the schema has no room for INTEGER");
    assert_eq!(new(r#"{"type": "string"}"#), "the schema is no object");
    let required = r#"{"properties": {"A": {"type": "integer"}, "B": {}}, "required": ["B"]}"#;
    assert!(!encoder(&columns, false, 1, &parse(required)).expect("it has room").is_filled);
    let other_case = encoder(&columns, false, 1, &parse(&object(r#""a": {"type": "integer"}"#)));
    assert!(!other_case.expect("it has room").is_filled, "the name is another one");
}

#[test]
fn every_type_comes_back_by_the_schema_of_the_columns() {
    let types = [
        SqlType::Boolean,
        SqlType::Integer,
        SqlType::Bigint,
        SqlType::Double,
        SqlType::Decimal { precision: 40, scale: 2 },
        SqlType::String,
        SqlType::Bytes,
        SqlType::Date,
        SqlType::Time,
        SqlType::Timestamp,
        SqlType::Array(Box::new(map(SqlType::String))),
        map(struct_of(&[("X", SqlType::Integer)])),
    ];
    let columns: Vec<Column> =
        types.into_iter().enumerate().map(|(i, sql_type)| Column::new(format!("C{i}"), sql_type)).collect();
    let schema = write_schema(SchemaType::Json, &columns, false, Side::Value, "S", SchemaStyle::default()).text;
    let full = r#"{"C0":true,"C1":-1,"C2":5000000000,"C3":1.5,"C4":-0.50,"C5":"é\"","C6":"AQI=","C7":3,"C8":4,"C9":5,"C10":[{"a":"b"},null],"C11":{"k":{"X":1},"l":null}}"#;
    let nulls = r#"{"C0":null,"C1":null,"C2":null,"C3":null,"C4":null,"C5":null,"C6":null,"C7":null,"C8":null,"C9":null,"C10":null,"C11":null}"#;
    for row in [full, nulls] {
        let document = write(&schema, &columns, row).expect("the schema is that of the columns");
        assert_eq!(read(&schema, &columns, &document), row);
    }
}

#[test]
fn entries_that_are_none_are_errors_of_their_rows() {
    let columns = [Column::new("A", map(SqlType::Integer))];
    for (document, expected) in [
        (r#"{"A":[{"key":"k"}]}"#, r#"{"A":{"k":null}}"#),
        (r#"{"A":[{"value":1}]}"#, r#"{"A":{}}"#),
        (r#"{"A":[{"key":"k","value":1,"key":"l","more":[{}]}]}"#, r#"{"A":{"l":1}}"#),
        (r#"{"A":[5]}"#, "cannot read 5 as MAP<STRING, INTEGER> at $.A[0]"),
        (r#"{"A":[{"key":"k","value":"x"}]}"#, "cannot read \"x\" as INTEGER at $.A[0].value"),
        (r#"{"A":[{"key":"k""#, "malformed JSON at byte 16: expected ',' or '}'"),
    ] {
        assert_eq!(read("{}", &columns, document), expected, "{document}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_break_the_decoder(pieces in prop::collection::vec(prop_oneof![
        Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("null"), Just("\"key\""), Just("\"value\""),
        Just("\"M\""), Just("\"U\""), Just("\"D\""), Just("1"), Just("\"AQI=\""), Just("true"), Just("\u{e9}"),
    ], 0..30)) {
        let union = struct_of(&[("connect_union_field_0", SqlType::Bigint), ("connect_union_field_1", map(SqlType::String))]);
        let columns = [
            Column::new("M", map(SqlType::Integer)),
            Column::new("U", union),
            Column::new("D", SqlType::Decimal { precision: 6, scale: 2 }),
        ];
        let schema = object(r#""D": {"type": "string", "title": "org.apache.kafka.connect.data.Decimal"}, "U": {"oneOf": [{}, {"x": 1}]}"#);
        read(&schema, &columns, &format!("{{\"M\":[{}", pieces.concat()));
        read(&schema, &columns, &format!("{{\"U\":{}", pieces.concat()));
        read(&schema, &columns, &pieces.concat());
    }
}

#[test]
fn a_union_may_be_one_of_several_types_of_another() {
    let schema = object(
        r#""A": {"oneOf": [{"oneOf": [{"type": "integer"}, {"type": "boolean"}]}, {"type": "array", "items": {"type": "string"}}]}"#,
    );
    let inner = struct_of(&[("CONNECT_UNION_FIELD_0", SqlType::Bigint), ("CONNECT_UNION_FIELD_1", SqlType::Boolean)]);
    let list = SqlType::Array(Box::new(SqlType::String));
    let union = struct_of(&[("CONNECT_UNION_FIELD_0", inner), ("CONNECT_UNION_FIELD_1", list)]);
    let none = r#""CONNECT_UNION_FIELD_1":null"#;
    for (value, row) in [
        ("5", format!(r#"{{"CONNECT_UNION_FIELD_0":{{"CONNECT_UNION_FIELD_0":5,{none}}},{none}}}"#)),
        (
            "true",
            format!(
                r#"{{"CONNECT_UNION_FIELD_0":{{"CONNECT_UNION_FIELD_0":null,"CONNECT_UNION_FIELD_1":true}},{none}}}"#
            ),
        ),
        (r#"["x"]"#, r#"{"CONNECT_UNION_FIELD_0":null,"CONNECT_UNION_FIELD_1":["x"]}"#.to_owned()),
    ] {
        check(&schema, union.clone(), &format!(r#"{{"A":{row}}}"#), &format!(r#"{{"A":{value}}}"#));
    }
}

#[test]
fn unions_in_unions_are_tried_once_each() {
    let mut union = SqlType::Double;
    for _ in 0..60 {
        union = struct_of(&[("CONNECT_UNION_FIELD_0", union), ("CONNECT_UNION_FIELD_1", SqlType::Double)]);
    }
    let columns = [Column::new("A", union)];
    let refused = read(&object(r#""A": {}"#), &columns, r#"{"A": "x"}"#);
    assert!(refused.starts_with("cannot read \"x\" as STRUCT<"), "{refused}");
}
