//! Rows as records of several schemas, and back.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};

use super::{AvroDecoder, AvroEncoder};
use crate::formats::json::{JsonDecoder, JsonEncoder};
use crate::formats::schemas::SchemaLookup;
use crate::formats::{Decoder, Encoder};
use crate::registry::avro::AvroSchema;
use crate::types::{Column, SqlType, StructField};

fn struct_of(fields: &[(&str, SqlType)]) -> SqlType {
    let field =
        |(name, sql_type): &(&str, SqlType)| StructField { name: (*name).to_owned(), sql_type: sql_type.clone() };
    SqlType::Struct(fields.iter().map(field).collect())
}

fn lookup(schemas: &[(u32, &str)]) -> SchemaLookup<AvroSchema> {
    let known: Vec<(u32, String)> = schemas.iter().map(|(id, text)| (*id, (*text).to_owned())).collect();
    Arc::new(move |id| {
        let found = known.iter().find(|(known, _)| *known == id);
        Ok(found.map(|(_, text)| parse(text)))
    })
}

fn parse(text: &str) -> AvroSchema {
    AvroSchema::parse(text, &[]).expect("a schema")
}

/// Columns from JSON, one document per row.
fn columns_of(columns: &[Column], rows: &[&str]) -> Vec<ArrayRef> {
    let bytes: BinaryArray = rows.iter().map(|row| Some(row.as_bytes())).collect();
    let decoded = JsonDecoder::new(columns, &vec![true; columns.len()], false).decode(&bytes);
    assert_eq!(decoded.errors, vec![]);
    decoded.columns
}

/// Rows as JSON.
fn rows_of(columns: &[Column], arrays: &[ArrayRef]) -> Vec<String> {
    let encoded = JsonEncoder::new(columns, false).encode(arrays, arrays[0].len(), None);
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.expect("a row").to_vec()).expect("JSON is text");
    encoded.bytes.iter().map(text).collect()
}

const ALL: &str = r#"{"type": "record", "name": "all", "fields": [
    {"name": "b", "type": ["null", "boolean"]}, {"name": "i", "type": ["null", "int"]},
    {"name": "L", "type": "long"}, {"name": "d", "type": ["double", "null"]},
    {"name": "m", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}]},
    {"name": "s", "type": ["null", "string"]}, {"name": "y", "type": ["null", "bytes"]},
    {"name": "a", "type": ["null", {"type": "array", "items": ["null", "int"]}]},
    {"name": "p", "type": ["null", {"type": "array", "items": {"type": "record", "name": "e", "fields": [
        {"name": "key", "type": ["null", "string"]}, {"name": "value", "type": ["null", "long"]}]}}]},
    {"name": "q", "type": ["null", {"type": "map", "values": "int"}]},
    {"name": "t", "type": ["null", {"type": "record", "name": "n", "fields": [{"name": "x", "type": ["null", "int"]}]}]}]}"#;

fn all_columns() -> Vec<Column> {
    let map = |value: SqlType| SqlType::Map(Box::new(SqlType::String), Box::new(value));
    vec![
        Column::new("B", SqlType::Boolean),
        Column::new("I", SqlType::Integer),
        Column::new("L", SqlType::Bigint),
        Column::new("D", SqlType::Double),
        Column::new("M", SqlType::Decimal { precision: 6, scale: 2 }),
        Column::new("S", SqlType::String),
        Column::new("Y", SqlType::Bytes),
        Column::new("A", SqlType::Array(Box::new(SqlType::Integer))),
        Column::new("P", map(SqlType::Bigint)),
        Column::new("Q", map(SqlType::Integer)),
        Column::new("T", struct_of(&[("X", SqlType::Integer)])),
    ]
}

const ROWS: [&str; 3] = [
    r#"{"B":true,"I":-1,"L":5000000000,"D":1.5,"M":-1.28,"S":"é","Y":"AQI=","A":[1,null,3],"P":{"k":7},"Q":{"a":1,"b":2},"T":{"X":9}}"#,
    r#"{"B":null,"I":null,"L":0,"D":null,"M":null,"S":null,"Y":null,"A":null,"P":null,"Q":null,"T":null}"#,
    r#"{"B":false,"I":0,"L":-7,"D":-0.0,"M":327.68,"S":"","Y":"","A":[],"P":{},"Q":{},"T":{"X":null}}"#,
];

fn encoded(rows: &[&str]) -> BinaryArray {
    let columns = all_columns();
    let arrays = columns_of(&columns, rows);
    let mut encoder = AvroEncoder::new(&columns, false, 7, &parse(ALL)).expect("the schema fits");
    let encoded = encoder.encode(&arrays, rows.len(), None);
    assert_eq!(encoded.errors, vec![]);
    encoded.bytes
}

#[test]
fn every_type_comes_back() {
    let columns = all_columns();
    let mut decoder = AvroDecoder::new(&columns, &[true; 11], false, lookup(&[(7, ALL)]));
    let decoded = decoder.decode(&encoded(&ROWS));
    assert_eq!((decoded.errors, decoded.nulls), (vec![], None));
    assert_eq!(rows_of(&columns, &decoded.columns), ROWS);
}

#[test]
fn columns_that_nobody_needs_are_not_built() {
    let columns = all_columns();
    let needed: Vec<bool> = columns.iter().map(|column| column.name == "L").collect();
    let mut decoder = AvroDecoder::new(&columns, &needed, false, lookup(&[(7, ALL)]));
    let decoded = decoder.decode(&encoded(&ROWS));
    assert_eq!(decoded.columns[2].as_primitive::<Int64Type>().values(), &[5_000_000_000, 0, -7]);
    assert_eq!(decoded.columns[5].null_count(), 3);
}

#[test]
fn bytes_are_those_of_the_specification() {
    let columns = [Column::new("S", SqlType::String), Column::new("I", SqlType::Integer)];
    let schema = r#"{"type": "record", "name": "r", "fields": [
        {"name": "I", "type": "int"}, {"name": "S", "type": ["null", "string"]}]}"#;
    let arrays = columns_of(&columns, &[r#"{"S": "foo", "I": 64}"#]);
    let encoded = AvroEncoder::new(&columns, false, 258, &parse(schema)).expect("it fits").encode(&arrays, 1, None);
    assert_eq!(encoded.bytes.value(0), [0, 0, 0, 1, 2, 0x80, 0x01, 2, 6, b'f', b'o', b'o']);
}

#[test]
fn a_field_without_a_column_must_take_null() {
    let columns = [Column::new("A", SqlType::Integer)];
    let schema = |kind: &str| {
        let fields = format!(r#"[{{"name": "A", "type": "int"}}, {{"name": "B", "type": {kind}}}]"#);
        parse(&format!(r#"{{"type": "record", "name": "r", "fields": {fields}}}"#))
    };
    let arrays = columns_of(&columns, &[r#"{"A": 1}"#]);
    let encode =
        |kind: &str| AvroEncoder::new(&columns, false, 1, &schema(kind)).expect("it fits").encode(&arrays, 1, None);
    assert_eq!(encode(r#"["null", "int"]"#).bytes.value(0), [0, 0, 0, 0, 1, 2, 0]);
    let errors = encode("\"double\"").errors;
    assert_eq!(errors[0].reason, "Unable to serialize record: field B: the schema takes no null");
    let unfit = AvroEncoder::new(&[Column::new("C", SqlType::Integer)], false, 1, &schema("\"int\"")).err();
    assert_eq!(unfit.as_deref(), Some("the schema has no field C"));
}

#[test]
fn a_field_without_a_value_has_its_default() {
    let columns = [Column::new("A", SqlType::Integer)];
    let schema = r#"{"type": "record", "name": "r", "fields": [
        {"name": "A", "type": "int", "default": 5}, {"name": "B", "type": "string", "default": "x"}]}"#;
    let arrays = columns_of(&columns, &[r#"{"A": 1}"#, r#"{"A": null}"#]);
    let encoded = AvroEncoder::new(&columns, false, 1, &parse(schema)).expect("it fits").encode(&arrays, 2, None);
    assert_eq!(encoded.errors, vec![]);
    assert_eq!(encoded.bytes.value(0)[5..], [2, 2, b'x']);
    assert_eq!(encoded.bytes.value(1)[5..], [10, 2, b'x']);
}

#[test]
fn writers_may_know_other_fields_and_narrower_types() {
    let schema = r#"{"type": "record", "name": "r", "fields": [
        {"name": "old", "type": {"type": "array", "items": "string"}}, {"name": "n", "type": "int"},
        {"name": "e", "type": {"type": "enum", "name": "k", "symbols": ["UP", "DOWN"]}}]}"#;
    let columns =
        [Column::new("N", SqlType::Bigint), Column::new("E", SqlType::String), Column::new("NEW", SqlType::String)];
    let record: &[u8] = &[0, 0, 0, 0, 3, 2, 2, b'x', 0, 13, 2];
    let mut decoder = AvroDecoder::new(&columns, &[true; 3], false, lookup(&[(3, schema)]));
    let decoded = decoder.decode(&BinaryArray::from(vec![record]));
    assert_eq!(rows_of(&columns, &decoded.columns), [r#"{"N":-7,"E":"DOWN","NEW":null}"#]);
}

const EVENTS: &str = r#"[{"type": "record", "name": "shop.Opened", "fields": [
        {"name": "id", "type": {"type": "fixed", "name": "Id", "size": 2}}, {"name": "owner", "type": "string"}]},
    "null", {"type": "record", "name": "shop.Paid", "fields": [
        {"name": "id", "type": "Id"}, {"name": "cents", "type": "long"}]}]"#;
const OPENED: &[u8] = &[0, 0, 0, 0, 4, 0, 1, 2, 2, b'x'];
const NOTHING: &[u8] = &[0, 0, 0, 0, 4, 2];
const PAID: &[u8] = &[0, 0, 0, 0, 4, 4, 1, 3, 14];

#[test]
fn records_of_a_union_have_a_column_each() {
    let columns = [
        Column::new("PAID", struct_of(&[("ID", SqlType::Bytes), ("CENTS", SqlType::Bigint)])),
        Column::new("OPENED", struct_of(&[("ID", SqlType::Bytes), ("OWNER", SqlType::String)])),
    ];
    let records = BinaryArray::from(vec![OPENED, NOTHING, PAID]);
    let mut decoder = AvroDecoder::new(&columns, &[true; 2], false, lookup(&[(4, EVENTS)]));
    let decoded = decoder.decode(&records);
    assert_eq!(decoded.errors, vec![]);
    let rows = [
        r#"{"PAID":null,"OPENED":{"ID":"AQI=","OWNER":"x"}}"#,
        r#"{"PAID":null,"OPENED":null}"#,
        r#"{"PAID":{"ID":"AQM=","CENTS":7},"OPENED":null}"#,
    ];
    assert_eq!(rows_of(&columns, &decoded.columns), rows);
    let mut encoder = AvroEncoder::new(&columns, false, 4, &parse(EVENTS)).expect("the schema fits");
    let encoded = encoder.encode(&decoded.columns, 3, None);
    assert_eq!((encoded.errors, encoded.bytes), (vec![], records.clone()));
    let both =
        columns_of(&columns, &[r#"{"PAID": {"ID": "AQM=", "CENTS": 7}, "OPENED": {"ID": "AQI=", "OWNER": "x"}}"#]);
    let errors = encoder.encode(&both, 1, None).errors;
    assert_eq!(
        errors[0].reason,
        "Unable to serialize record: several branches of a union have a value, and it holds one"
    );
    let mut decoder = AvroDecoder::new(&columns, &[true, false], false, lookup(&[(4, EVENTS)]));
    let decoded = decoder.decode(&records);
    assert_eq!((decoded.columns[0].null_count(), decoded.columns[1].null_count()), (2, 3));
    let other = [Column::new("LOST", SqlType::Bigint)];
    let unfit = AvroEncoder::new(&other, false, 4, &parse(EVENTS)).err();
    assert_eq!(unfit.as_deref(), Some("the union has no branch LOST: it has Opened, null, Paid"));
}

#[test]
fn columns_that_are_called_as_no_record_of_a_union_are_fields_of_all() {
    let columns = [Column::new("ID", SqlType::Bytes), Column::new("CENTS", SqlType::Bigint)];
    let mut decoder = AvroDecoder::new(&columns, &[true; 2], false, lookup(&[(4, EVENTS)]));
    let decoded = decoder.decode(&BinaryArray::from(vec![OPENED, NOTHING, PAID]));
    assert_eq!(decoded.errors, vec![]);
    let rows = [r#"{"ID":"AQI=","CENTS":null}"#, r#"{"ID":null,"CENTS":null}"#, r#"{"ID":"AQM=","CENTS":7}"#];
    assert_eq!(rows_of(&columns, &decoded.columns), rows);
}

#[test]
fn a_union_within_a_record_has_a_field_for_each_type() {
    let schema = r#"{"type": "record", "name": "r", "fields": [{"name": "v", "type": ["null", "int",
        {"type": "record", "name": "n.Place", "fields": [{"name": "city", "type": "string"}]}]}]}"#;
    let place = struct_of(&[("CITY", SqlType::String)]);
    let columns = [Column::new("V", struct_of(&[("int", SqlType::Integer), ("PLACE", place)]))];
    let rows = [r#"{"V":{"int":3,"PLACE":null}}"#, r#"{"V":{"int":null,"PLACE":{"CITY":"Faro"}}}"#, r#"{"V":null}"#];
    let arrays = columns_of(&columns, &rows);
    let encoded = AvroEncoder::new(&columns, false, 1, &parse(schema)).expect("it fits").encode(&arrays, 3, None);
    assert_eq!(encoded.errors, vec![]);
    let datums: Vec<&[u8]> = encoded.bytes.iter().flatten().map(|record| &record[5..]).collect();
    assert_eq!(datums, [&[2, 6][..], &[4, 8, b'F', b'a', b'r', b'o'], &[0]]);
    let mut decoder = AvroDecoder::new(&columns, &[true], false, lookup(&[(1, schema)]));
    let decoded = decoder.decode(&encoded.bytes);
    assert_eq!(rows_of(&columns, &decoded.columns), rows);
}

#[test]
fn a_schema_that_comes_later_is_found() {
    let known = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let there = Arc::clone(&known);
    let lookup: SchemaLookup<AvroSchema> = Arc::new(move |_| {
        let there = there.load(std::sync::atomic::Ordering::Relaxed);
        Ok(there.then(|| parse("\"string\"")))
    });
    let mut decoder = AvroDecoder::new(&[Column::new("S", SqlType::String)], &[true], true, lookup);
    let record = BinaryArray::from(vec![&[0, 0, 0, 0, 5, 2, b'a'][..]]);
    assert_eq!(decoder.decode(&record).errors[0].reason, "there is no schema with the id 5");
    known.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(decoder.decode(&record).errors, vec![]);
}

#[test]
fn wrong_records_are_told_and_the_others_read() {
    let columns = [Column::new("S", SqlType::String)];
    let mut decoder = AvroDecoder::new(&columns, &[true], true, lookup(&[(1, "\"string\""), (2, "\"double\"")]));
    let record = |id: u8, datum: &[u8]| Some([&[0, 0, 0, 0, id], datum].concat());
    let rows: Vec<Option<Vec<u8>>> = vec![
        record(1, &[2, b'a']),
        record(1, &[4, b'a']),
        record(1, &[2, 0xff]),
        record(1, &[2, b'a', 0]),
        record(2, &[2]),
        record(9, &[2, b'a']),
        Some(vec![1, 0]),
        None,
        record(1, &[0]),
    ];
    let decoded = decoder.decode(&rows.iter().map(|row| row.as_deref()).collect());
    let texts: &StringArray = decoded.columns[0].as_string();
    let expected = [Some("a"), None, None, None, None, None, None, None, Some("")];
    assert_eq!(texts.iter().collect::<Vec<_>>(), expected);
    assert_eq!(*texts.data_type(), DataType::Utf8);
    let reasons: Vec<(u32, &str)> = decoded.errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
    let expected = [
        (1, "the bytes end too early"),
        (2, "a string is no UTF-8"),
        (3, "bytes are left over"),
        (4, "schema 2 does not fit the columns: double cannot be read as STRING"),
        (5, "there is no schema with the id 9"),
        (6, "the bytes do not begin with the id of a schema"),
    ];
    assert_eq!(reasons, expected);
}
