//! What Protobuf reads and writes, by example and by chance.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::datatypes::Int64Type;
use proptest::prelude::*;

use super::{Framing, ProtobufDecoder, ProtobufEncoder};
use crate::formats::json::{JsonDecoder, JsonEncoder};
use crate::formats::schemas::SchemaLookup;
use crate::formats::{Decoded, Decoder, Encoder, Format, NullableRepresentation, SchemaSettings, Serde};
use crate::registry::protobuf::ProtobufSchema;
use crate::types::{Column, SqlType, StructField};

fn parse(text: &str) -> ProtobufSchema {
    ProtobufSchema::parse(text, &[]).unwrap_or_else(|reason| panic!("{reason}: {text}"))
}

fn struct_of(fields: &[(&str, SqlType)]) -> SqlType {
    let field =
        |(name, sql_type): &(&str, SqlType)| StructField { name: (*name).to_owned(), sql_type: sql_type.clone() };
    SqlType::Struct(fields.iter().map(field).collect())
}

fn list(element: SqlType) -> SqlType {
    SqlType::Array(Box::new(element))
}

fn map(value: SqlType) -> SqlType {
    SqlType::Map(Box::new(SqlType::String), Box::new(value))
}

fn columns(columns: &[(&str, SqlType)]) -> Vec<Column> {
    columns.iter().map(|(name, sql_type)| Column::new(*name, sql_type.clone())).collect()
}

/// Columns from JSON, one document per row.
fn arrays_of(columns: &[Column], rows: &[&str]) -> Vec<ArrayRef> {
    let bytes: BinaryArray = rows.iter().map(|row| Some(row.as_bytes())).collect();
    let decoded = JsonDecoder::new(columns, &vec![true; columns.len()], false).decode(&bytes);
    assert_eq!(decoded.errors, vec![]);
    decoded.columns
}

/// Rows as JSON.
fn rows_of(columns: &[Column], arrays: &[ArrayRef]) -> Vec<String> {
    for (array, column) in arrays.iter().zip(columns) {
        assert_eq!(array.data_type(), &column.sql_type.arrow());
        array.to_data().validate_full().expect("decoded arrays are valid");
    }
    let encoded = JsonEncoder::new(columns, false).encode(arrays, arrays[0].len(), None);
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.expect("a row").to_vec()).expect("JSON is text");
    encoded.bytes.iter().map(text).collect()
}

/// Decodes messages that nothing stands in front of.
fn decode(schema: &str, columns: &[Column], records: &[Option<&[u8]>]) -> Decoded {
    let framing = Framing::Bare(Box::new(parse(schema)), 0);
    ProtobufDecoder::new(columns, &vec![true; columns.len()], framing).decode(&BinaryArray::from(records.to_vec()))
}

/// What a message reads as, or the row's error.
fn read(schema: &str, columns: &[Column], message: &[u8]) -> String {
    let decoded = decode(schema, columns, &[Some(message)]);
    match decoded.errors.first() {
        Some(error) => error.reason.clone(),
        None => rows_of(columns, &decoded.columns).remove(0),
    }
}

/// The message that a row becomes, or the row's error.
fn write(schema: &str, columns: &[Column], row: &str) -> Result<Vec<u8>, String> {
    let mut encoder = ProtobufEncoder::new(columns, &parse(schema), 0, None)?;
    let encoded = encoder.encode(&arrays_of(columns, &[row]), 1, None);
    match encoded.errors.first() {
        Some(error) => Err(error.reason.clone()),
        None => Ok(encoded.bytes.value(0).to_vec()),
    }
}

const PROTO3: &str = "syntax = 'proto3';";

/// A message `M` of the fields, with what it may name.
fn proto3(fields: &str) -> String {
    format!(
        "{PROTO3} message M {{ {fields} }} enum E {{ NONE = 0; B = 1; }} message N {{ int32 x = 1; string y = 2; }}"
    )
}

#[test]
fn bytes_are_those_of_the_encoding_guide() {
    let cases: [(&str, SqlType, &str, &[u8]); 16] = [
        ("int32 f = 1", SqlType::Integer, "150", &[0x08, 0x96, 0x01]),
        ("int32 f = 1", SqlType::Integer, "-1", &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
        ("sint64 f = 1", SqlType::Bigint, "-2", &[8, 3]),
        ("uint32 f = 1", SqlType::Bigint, "4294967295", &[8, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("fixed32 f = 1", SqlType::Bigint, "1", &[0x0d, 1, 0, 0, 0]),
        ("sfixed64 f = 1", SqlType::Bigint, "-1", &[9, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("double f = 1", SqlType::Double, "1.0", &[9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]),
        ("float f = 1", SqlType::Double, "1.5", &[0x0d, 0, 0, 0xc0, 0x3f]),
        ("bool f = 1", SqlType::Boolean, "true", &[8, 1]),
        ("string f = 2", SqlType::String, "\"testing\"", b"\x12\x07testing"),
        ("bytes f = 1", SqlType::Bytes, "\"AQI=\"", &[0x0a, 2, 1, 2]),
        ("E f = 16", SqlType::String, "\"B\"", &[0x80, 0x01, 1]),
        ("repeated int32 f = 4", list(SqlType::Integer), "[3,270,86942]", &[0x22, 6, 3, 0x8e, 2, 0x9e, 0xa7, 5]),
        ("repeated string f = 4", list(SqlType::String), "[\"a\",\"\"]", &[0x22, 1, b'a', 0x22, 0]),
        ("map<string, int32> f = 1", map(SqlType::Integer), "{\"k\":1}", &[10, 5, 10, 1, b'k', 16, 1]),
        ("N f = 3", struct_of(&[("x", SqlType::Integer)]), "{\"x\":150}", &[0x1a, 3, 8, 0x96, 1]),
    ];
    for (field, sql_type, value, bytes) in cases {
        let (schema, columns) = (proto3(&format!("{field};")), [Column::new("f", sql_type)]);
        let row = format!("{{\"f\":{value}}}");
        assert_eq!(write(&schema, &columns, &row).as_deref(), Ok(bytes), "{field}");
        assert_eq!(read(&schema, &columns, bytes), row, "{field}");
    }
}

#[test]
fn dates_times_and_decimals_are_messages_of_their_own() {
    let cases: [(&str, SqlType, &str, &[u8]); 9] = [
        ("google.type.Date f = 1", SqlType::Date, "18628", &[10, 7, 8, 0xe5, 0x0f, 16, 1, 24, 1]),
        (
            "google.type.TimeOfDay f = 1",
            SqlType::Time,
            "3723004",
            &[10, 10, 8, 1, 16, 2, 24, 3, 32, 0x80, 0x92, 0xf4, 1],
        ),
        ("google.protobuf.Timestamp f = 1", SqlType::Timestamp, "1500", &[10, 8, 8, 1, 16, 0x80, 0xca, 0xb5, 0xee, 1]),
        ("google.protobuf.Timestamp f = 1", SqlType::Timestamp, "0", &[10, 0]),
        ("google.protobuf.Timestamp f = 1", SqlType::Timestamp, "null", &[]),
        (
            "confluent.type.Decimal f = 1",
            SqlType::Decimal { precision: 6, scale: 2 },
            "-1.28",
            &[10, 7, 10, 1, 0x80, 16, 3, 24, 2],
        ),
        ("google.protobuf.Int32Value f = 1", SqlType::Integer, "5", &[10, 2, 8, 5]),
        ("google.protobuf.Int32Value f = 1", SqlType::Integer, "0", &[10, 0]),
        ("google.protobuf.StringValue f = 1", SqlType::String, "\"\"", &[10, 0]),
    ];
    for (field, sql_type, value, bytes) in cases {
        let (schema, columns) = (proto3(&format!("{field};")), [Column::new("f", sql_type)]);
        let row = format!("{{\"f\":{value}}}");
        let written = write(&schema, &columns, &row).expect("it fits");
        assert_eq!(read(&schema, &columns, &written), row, "{field}");
        if !field.contains("TimeOfDay") {
            assert_eq!(written, bytes, "{field} {value}");
        }
    }
    let date = [Column::new("f", SqlType::Date)];
    let schema = proto3("google.type.Date f = 1;");
    assert_eq!(read(&schema, &date, &[10, 6, 8, 0xe5, 0x0f, 16, 2, 24]), "the bytes end too early");
    assert_eq!(read(&schema, &date, &[10, 7, 8, 0xe5, 0x0f, 16, 2, 24, 30]), "there is no date 2021-2-30");
    let time = [Column::new("f", SqlType::Timestamp)];
    let schema = proto3("google.protobuf.Timestamp f = 1;");
    assert_eq!(
        write(&schema, &time, "{\"f\":253402300800000}"),
        Err("Unable to serialize record: field f: the time 253402300800000 is not in the years 1 to 9999".to_owned())
    );
}

#[test]
fn what_does_not_come_has_its_default_value_unless_the_schema_says_null() {
    let columns = columns(&[
        ("i", SqlType::Integer),
        ("s", SqlType::String),
        ("e", SqlType::String),
        ("l", list(SqlType::Integer)),
        ("m", map(SqlType::Integer)),
        ("n", struct_of(&[("x", SqlType::Integer), ("y", SqlType::String)])),
        ("t", SqlType::Timestamp),
        ("gone", SqlType::Double),
    ]);
    let fields = |label: &str| {
        proto3(&format!(
            "{label} int32 i = 1; {label} string s = 2; {label} E e = 3; repeated int32 l = 4;
             map<string, int32> m = 5; {label} N n = 6; {label} google.protobuf.Timestamp t = 7;"
        ))
    };
    let defaults = r#"{"i":0,"s":"","e":"NONE","l":[],"m":{},"n":null,"t":null,"gone":null}"#;
    assert_eq!(read(&fields(""), &columns, &[]), defaults);
    let nulls = r#"{"i":null,"s":null,"e":null,"l":[],"m":{},"n":null,"t":null,"gone":null}"#;
    assert_eq!(read(&fields("optional"), &columns, &[]), nulls);
    assert_eq!(read(&fields("optional").replace(PROTO3, ""), &columns, &[]), defaults, "proto2");
    let declared =
        "message M { optional int32 i = 1 [default = -7]; optional string s = 2 [default = 'x']; optional E e = 3; }
                    enum E { FIRST = 5; OTHER = 0; }";
    let expected = r#"{"i":-7,"s":"x","e":"FIRST"}"#;
    assert_eq!(read(declared, &columns[..3], &[]), expected);
    let empty = read(&fields(""), &columns, &[0x32, 0]);
    assert!(empty.contains(r#""n":{"x":0,"y":""}"#), "{empty}");
}

#[test]
fn fields_come_in_any_order_and_others_are_skipped() {
    let columns = columns(&[("i", SqlType::Integer), ("l", list(SqlType::Integer)), ("s", SqlType::String)]);
    let schema = proto3("int32 i = 1; repeated int32 l = 2; string s = 300; N other = 3;");
    let message: &[u8] = &[
        0xe2, 0x12, 1, b'a', // s
        0x10, 1, // l, not packed
        0x1a, 2, 8, 1, // other, which nobody asked for
        0x12, 2, 2, 3, // l, packed
        0x9b, 0x3e, 0x08, 1, 0x9c, 0x3e, // a group 995
        0x08, 5, // i
        0x10, 4, // l
        0x08, 6, // i: the last one counts
        0x0d, 1, 2, 3, 4, // i with another wire type is another field
    ];
    assert_eq!(read(&schema, &columns, message), r#"{"i":6,"l":[1,2,3,4],"s":"a"}"#);
    let packed =
        read(&schema.replace("repeated int32 l = 2", "repeated int32 l = 2 [packed = false]"), &columns, message);
    assert_eq!(packed, r#"{"i":6,"l":[1,2,3,4],"s":"a"}"#);
}

#[test]
fn messages_that_come_in_parts_are_put_together() {
    let inner = struct_of(&[("x", SqlType::Integer), ("y", SqlType::String)]);
    let columns = columns(&[("n", inner), ("t", SqlType::Timestamp)]);
    let schema = proto3("N n = 1; google.protobuf.Timestamp t = 2;");
    let message: &[u8] = &[0x0a, 2, 8, 1, 0x12, 2, 8, 1, 0x0a, 3, 0x12, 1, b'a', 0x12, 0, 0x0a, 2, 8, 2];
    assert_eq!(read(&schema, &columns, message), r#"{"n":{"x":2,"y":"a"},"t":1000}"#);
    let cut = [0x0a, 2, 8, 1, 0x0a, 2, 0x12, 1, 0x0a, 1, b'a'];
    assert_eq!(read(&schema, &columns, &cut), "the bytes end too early", "no field goes on in the next part");
    let parts = [0x0a, 0].repeat(5_000);
    assert_eq!(read(&schema, &columns, &parts), r#"{"n":{"x":0,"y":""},"t":null}"#);
}

#[test]
fn of_equal_keys_the_last_entry_counts() {
    let columns = columns(&[("m", map(SqlType::Integer))]);
    let entry = |key: u8, value: u8| [0x0a, 5, 0x0a, 1, key, 0x10, value];
    let message = [entry(b'a', 1), entry(b'b', 2), entry(b'a', 3)].concat();
    assert_eq!(read(&proto3("map<string, int32> m = 1;"), &columns, &message), r#"{"m":{"b":2,"a":3}}"#);
    // Ksqldb's own entries are messages, whose keys may be wrapped and missing.
    let wrapped = "repeated XEntry m = 1; message XEntry { google.protobuf.StringValue key = 1; google.protobuf.Int32Value value = 2; }";
    let message =
        [&[0x0a, 0][..], &[0x0a, 7, 0x0a, 3, 0x0a, 1, b'k', 0x12, 0], &[0x0a, 5, 0x0a, 3, 0x0a, 1, b'j']].concat();
    assert_eq!(read(&proto3(wrapped), &columns, &message), r#"{"m":{"k":0,"j":null}}"#);
}

#[test]
fn of_a_oneof_one_field_is_set() {
    let choice =
        struct_of(&[("a", SqlType::Integer), ("b", SqlType::String), ("n", struct_of(&[("x", SqlType::Integer)]))]);
    let columns = columns(&[("o_0", choice), ("i", SqlType::Integer)]);
    let schema = proto3("int32 i = 1; oneof o { int32 a = 2; string b = 3; N n = 4; }");
    for (row, message) in [
        (r#"{"o_0":{"a":0,"b":null,"n":null},"i":1}"#, &[0x08, 1, 0x10, 0][..]),
        (r#"{"o_0":{"a":null,"b":"x","n":null},"i":0}"#, &[0x1a, 1, b'x']),
        (r#"{"o_0":{"a":null,"b":null,"n":{"x":5}},"i":0}"#, &[0x22, 2, 8, 5]),
        (r#"{"o_0":null,"i":0}"#, &[]),
    ] {
        assert_eq!(read(&schema, &columns, message), row);
        assert_eq!(write(&schema, &columns, row).as_deref(), Ok(message), "{row}");
    }
    let last = read(&schema, &columns, &[0x10, 7, 0x1a, 1, b'x', 0x10, 8]);
    assert_eq!(last, r#"{"o_0":{"a":8,"b":null,"n":null},"i":0}"#);
}

#[test]
fn names_of_enums_are_texts() {
    let columns = columns(&[("e", SqlType::String), ("l", list(SqlType::String))]);
    let schema = proto3("E e = 1; repeated E l = 2;");
    let row = r#"{"e":"B","l":["NONE","B"]}"#;
    assert_eq!(read(&schema, &columns, &write(&schema, &columns, row).expect("they are names")), row);
    let unknown = read(&schema, &columns, &[8, 9, 0x12, 1, 9]);
    assert_eq!(unknown, r#"{"e":"UNKNOWN_ENUM_VALUE_E_9","l":["UNKNOWN_ENUM_VALUE_E_9"]}"#);
    // proto2 takes a number that it does not know for a field that it does not know.
    let closed = schema.replace(PROTO3, "").replace("E e", "optional E e");
    assert_eq!(read(&closed, &columns, &[8, 1, 8, 9, 0x10, 9]), r#"{"e":"NONE","l":[]}"#);
    let error = write(&schema, &columns, r#"{"e":"C","l":[]}"#).expect_err("no such name");
    assert_eq!(error, "Unable to serialize record: field e: 'C' is no name of the enum");
}

#[test]
fn nulls_in_lists_and_maps_are_default_values() {
    let columns = columns(&[
        ("l", list(SqlType::Double)),
        ("n", list(struct_of(&[("x", SqlType::Integer)]))),
        ("m", map(SqlType::String)),
    ]);
    let schema = proto3("repeated double l = 1; repeated N n = 2; map<string, string> m = 3;");
    let message = write(&schema, &columns, r#"{"l":[1.5,null],"n":[null,{"x":1}],"m":{"k":null}}"#).expect("it fits");
    assert_eq!(read(&schema, &columns, &message), r#"{"l":[1.5,0.0],"n":[{"x":0},{"x":1}],"m":{"k":""}}"#);
}

#[test]
fn nulls_in_lists_of_dates_and_decimals_can_be_read() {
    let columns = columns(&[
        ("d", list(SqlType::Date)),
        ("n", list(SqlType::Decimal { precision: 4, scale: 2 })),
        ("t", list(SqlType::Timestamp)),
    ]);
    let schema = proto3(
        "repeated google.type.Date d = 1; repeated confluent.type.Decimal n = 2; repeated google.protobuf.Timestamp t = 3;",
    );
    let message = write(&schema, &columns, r#"{"d":[5,null],"n":[1.5,null],"t":[7,null]}"#).expect("it fits");
    // There is no day 0 of a month 0, and other readers want digits of a number.
    let nulls: [&[u8]; 2] = [&[0x0a, 7, 8, 0xb2, 0x0f, 16, 1, 24, 1], &[0x12, 7, 0x0a, 1, 0, 16, 1, 24, 2]];
    for null in nulls {
        assert!(message.windows(null.len()).any(|bytes| bytes == null), "{message:?}");
    }
    assert_eq!(read(&schema, &columns, &message), r#"{"d":[5,0],"n":[1.50,0.00],"t":[7,0]}"#);
}

#[test]
fn columns_that_the_message_cannot_hold_are_named() {
    let new = |schema: &str, sql_type: SqlType| {
        ProtobufEncoder::new(&[Column::new("f", sql_type)], &parse(schema), 0, None).err().unwrap_or_default()
    };
    assert_eq!(new(&proto3("int32 g = 1;"), SqlType::Integer), "the schema has no field f");
    assert_eq!(new(&proto3("int32 f = 1;"), SqlType::Bigint), "field f: the schema has no room for BIGINT");
    assert_eq!(
        new("message M { required int32 r = 1; optional int32 f = 2; }", SqlType::Integer),
        "the field r must have a value"
    );
    let columns = columns(&[("f", SqlType::Bigint)]);
    let error = write(&proto3("uint32 f = 1;"), &columns, r#"{"f":-1}"#).expect_err("it has a sign");
    assert_eq!(error, "Unable to serialize record: field f: -1 does not fit uint32");
    let required = "message M { required int64 f = 1; }";
    let error = write(required, &columns, r#"{"f":null}"#).expect_err("it is required");
    assert_eq!(error, "Unable to serialize record: field f: it must have a value");
}

/// Decodes records whose schemas are known by id.
fn decode_registered(schemas: &'static [(u32, &'static str)], columns: &[Column], records: &[&[u8]]) -> Decoded {
    let lookup: SchemaLookup<ProtobufSchema> =
        Arc::new(|id| Ok(schemas.iter().find(|(known, _)| *known == id).map(|(_, text)| parse(text))));
    let mut decoder = ProtobufDecoder::new(columns, &vec![true; columns.len()], Framing::Registered(lookup));
    decoder.decode(&BinaryArray::from(records.to_vec()))
}

#[test]
fn every_writer_has_its_message_and_columns_their_last_form() {
    let columns = columns(&[("A", SqlType::Bigint), ("B", SqlType::String)]);
    let schemas: &[(u32, &str)] = &[
        (1, "syntax = 'proto3'; message Old { int32 a = 1; }"),
        (
            2,
            "syntax = 'proto3'; message Other { message New { string b = 1; int64 a = 9; bytes c = 3; } } message Last {}",
        ),
        (3, "syntax = 'proto3'; message M { string a = 1; }"),
    ];
    let records: [&[u8]; 9] = [
        &[0, 0, 0, 0, 1, 0, 8, 5],
        &[0, 0, 0, 0, 2, 4, 0, 0, 0x0a, 1, b'x', 0x48, 6],
        &[0, 0, 0, 0, 1, 2, 0, 8, 7],
        &[0, 0, 0, 0, 2, 2, 2],
        &[0, 0, 0, 0, 2, 2, 4],
        &[0, 0, 0, 0, 3, 0],
        &[0, 0, 0, 0, 4, 0],
        &[0, 0, 0, 0, 1, 9],
        b"{\"A\": 1}",
    ];
    let decoded = decode_registered(schemas, &columns, &records);
    let rows = rows_of(&columns, &decoded.columns);
    let expected = [r#"{"A":5,"B":null}"#, r#"{"A":6,"B":"x"}"#, r#"{"A":7,"B":null}"#, r#"{"A":null,"B":null}"#];
    assert_eq!(rows[..4], expected);
    let reasons: Vec<(u32, &str)> = decoded.errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
    let expected = [
        (4, "schema 2 has no message at [2]"),
        (5, "schema 3 does not fit the columns: field a: string cannot be read as BIGINT"),
        (6, "there is no schema with the id 4"),
        (7, "the bytes do not begin with the place of a message"),
        (8, "the bytes do not begin with the id of a schema"),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn wrong_records_are_told_and_the_others_read() {
    let columns =
        columns(&[("s", SqlType::String), ("l", list(SqlType::Integer)), ("n", struct_of(&[("x", SqlType::Integer)]))]);
    let schema = proto3("string s = 1; repeated int32 l = 2; N n = 3;");
    let huge = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    let records: [Option<&[u8]>; 10] = [
        Some(&[0x0a, 1, b'a', 0x10, 1]),
        Some(&[0x0a, 2, b'a']),
        Some(&[0x0a, 1, 0xff]),
        Some(&huge),
        Some(&[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        Some(&[0x12, 2, 1, 0x80]),
        Some(&[0x1a, 1, 8]),
        Some(&[0x00]),
        None,
        Some(&[0x10, 2, 0x0a, 1, b'b']),
    ];
    let decoded = decode(&schema, &columns, &records);
    let reasons: Vec<(u32, &str)> = decoded.errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
    let short = "the bytes end too early";
    let expected = [
        (1, short),
        (2, "a string is no UTF-8"),
        (3, short),
        (4, "a number has too many bytes"),
        (5, short),
        (6, short),
        (7, "a field has the number 0"),
    ];
    assert_eq!(reasons, expected);
    assert_eq!(decoded.nulls.map(|nulls| nulls.set_indices().collect()), Some(vec![8]));
    let rows = rows_of(&columns, &decoded.columns);
    assert_eq!(
        (rows[0].as_str(), rows[9].as_str()),
        (r#"{"s":"a","l":[1],"n":null}"#, r#"{"s":"b","l":[2],"n":null}"#)
    );
    assert_eq!(rows[1], r#"{"s":null,"l":null,"n":null}"#);
}

#[test]
fn a_small_record_cannot_fill_the_memory() {
    let fields: Vec<(String, SqlType)> = (0..1_000).map(|i| (format!("f{i}"), SqlType::String)).collect();
    let fields: Vec<(&str, SqlType)> =
        fields.iter().map(|(name, sql_type)| (name.as_str(), sql_type.clone())).collect();
    let columns = columns(&[("w", list(struct_of(&fields)))]);
    let wide: Vec<String> = (0..1_000).map(|i| format!("string f{i} = {};", i + 1)).collect();
    let wide = wide.concat();
    let schema = format!("{PROTO3} message M {{ repeated W w = 1; message W {{ {wide} }} }}");
    let bomb = [0x0a, 0].repeat(100_000);
    assert_eq!(read(&schema, &columns, &bomb), "too many values for its size are left out");
    assert_eq!(decode(&schema, &columns, &[Some(&[0x0a, 0].repeat(50))]).errors, vec![]);
}

#[test]
fn columns_that_nobody_needs_are_not_built() {
    let columns = columns(&[("s", SqlType::String), ("i", SqlType::Bigint), ("l", list(SqlType::Integer))]);
    let schema = parse(&proto3("string s = 1; int64 i = 2; repeated int32 l = 3;"));
    let framing = Framing::Bare(Box::new(schema), 0);
    let mut decoder = ProtobufDecoder::new(&columns, &[false, true, false], framing);
    let records: [Option<&[u8]>; 3] = [Some(&[0x0a, 1, b'a', 0x10, 7, 0x1a, 1, 9]), Some(&[0x10]), Some(&[])];
    let decoded = decoder.decode(&BinaryArray::from(records.to_vec()));
    let numbers = decoded.columns[1].as_primitive::<Int64Type>();
    assert_eq!(numbers.iter().collect::<Vec<_>>(), [Some(7), None, Some(0)]);
    assert_eq!((decoded.columns[0].null_count(), decoded.columns[2].len()), (3, 3));
}

/// A type that Protobuf can hold, and values of it as JSON.
fn types() -> impl Strategy<Value = SqlType> {
    let scalar = || {
        prop_oneof![
            Just(SqlType::Boolean),
            Just(SqlType::Integer),
            Just(SqlType::Bigint),
            Just(SqlType::Double),
            Just(SqlType::String),
            Just(SqlType::Bytes),
            Just(SqlType::Date),
            Just(SqlType::Time),
            Just(SqlType::Timestamp),
            (1_u8..=60, 0_u8..=20)
                .prop_map(|(precision, scale)| SqlType::Decimal { precision, scale: scale.min(precision) }),
        ]
    };
    scalar().prop_recursive(3, 12, 4, move |inner| {
        let record = prop::collection::vec(inner.clone(), 1..4).prop_map(|types| {
            let field = |(i, sql_type)| StructField { name: format!("F{i}"), sql_type };
            SqlType::Struct(types.into_iter().enumerate().map(field).collect())
        });
        let element = prop_oneof![scalar(), record.clone()];
        prop_oneof![record, element.prop_map(list), inner.prop_map(map)]
    })
}

fn value(sql_type: &SqlType, nulls: bool) -> BoxedStrategy<String> {
    let present = match sql_type {
        SqlType::Boolean => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        SqlType::Integer => prop_oneof![Just(0), any::<i32>()].prop_map(|value| value.to_string()).boxed(),
        SqlType::Bigint => prop_oneof![Just(0), any::<i64>()].prop_map(|value| value.to_string()).boxed(),
        SqlType::Date => (-1_000_000_i32..1_000_000).prop_map(|value| value.to_string()).boxed(),
        SqlType::Time => (0_i32..86_400_000).prop_map(|value| value.to_string()).boxed(),
        SqlType::Timestamp => {
            (-62_135_596_800_000_i64..253_402_300_800_000).prop_map(|value| value.to_string()).boxed()
        }
        SqlType::Double => prop_oneof![
            Just("0.0".to_owned()),
            Just("-0.0".to_owned()),
            any::<i32>().prop_map(|value| format!("{:?}", f64::from(value) / 8.0))
        ]
        .boxed(),
        SqlType::Decimal { precision, scale } => {
            let digits = format!("-?[1-9][0-9]{{0,{}}}|0", precision - 1);
            let scale = *scale;
            proptest::string::string_regex(&digits)
                .expect("a pattern")
                .prop_map(move |digits| format!("{digits}e-{scale}"))
                .boxed()
        }
        SqlType::String => "[a-z é\u{1f600}]{0,6}".prop_map(|text| format!("\"{text}\"")).boxed(),
        SqlType::Bytes => prop::collection::vec(any::<u8>(), 0..5)
            .prop_map(|bytes| {
                let mut text = Vec::new();
                crate::types::java_text::write_base64(&mut text, &bytes);
                format!("\"{}\"", String::from_utf8(text).expect("base64 is text"))
            })
            .boxed(),
        // There are no nulls in lists, and no lists or maps that are null.
        SqlType::Array(element) => {
            let elements = prop::collection::vec(value(element, false), 0..4);
            return elements.prop_map(|elements| format!("[{}]", elements.join(","))).boxed();
        }
        SqlType::Map(_, element) => {
            let entries = prop::collection::btree_map("[a-z]{0,3}", value(element, nulls), 0..4);
            return entries
                .prop_map(|entries| {
                    let entries: Vec<String> =
                        entries.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                    format!("{{{}}}", entries.join(","))
                })
                .boxed();
        }
        SqlType::Struct(fields) => {
            let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
            let values: Vec<BoxedStrategy<String>> = fields.iter().map(|field| value(&field.sql_type, nulls)).collect();
            values
                .prop_map(move |values| {
                    let members: Vec<String> =
                        names.iter().zip(&values).map(|(name, value)| format!("\"{name}\":{value}")).collect();
                    format!("{{{}}}", members.join(","))
                })
                .boxed()
        }
    };
    if nulls { prop_oneof![1 => Just("null".to_owned()), 4 => present].boxed() } else { present }
}

/// Columns, and rows of them as JSON.
fn tables(nulls: bool) -> impl Strategy<Value = (Vec<Column>, Vec<String>)> {
    prop::collection::vec(types(), 1..5).prop_flat_map(move |types| {
        let columns: Vec<Column> =
            types.into_iter().enumerate().map(|(i, sql_type)| Column::new(format!("C{i}"), sql_type)).collect();
        let fields =
            columns.iter().map(|column| StructField { name: column.name.clone(), sql_type: column.sql_type.clone() });
        let row = match value(&SqlType::Struct(fields.collect()), nulls) {
            row if nulls => row.prop_filter("a row is no null", |row| row != "null").boxed(),
            row => row,
        };
        prop::collection::vec(row, 1..5).prop_map(move |rows| (columns.clone(), rows))
    })
}

fn round_trip(columns: &[Column], rows: &[String], nullable: Option<NullableRepresentation>) {
    let settings = SchemaSettings { nullable, ..SchemaSettings::default() };
    let serde = Serde { format: Format::ProtobufNoSr(settings), wrap_single: true };
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let arrays = arrays_of(columns, &rows);
    let encoded = crate::formats::encoder(&serde, columns).expect("it can hold them").encode(&arrays, rows.len(), None);
    assert_eq!(encoded.errors, vec![]);
    let mut decoder = crate::formats::decoder(&serde, columns, &vec![true; columns.len()]).expect("it can hold them");
    let decoded = decoder.decode(&encoded.bytes);
    assert_eq!(decoded.errors, vec![]);
    assert_eq!(rows_of(columns, &decoded.columns), rows_of(columns, &arrays));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn rows_without_nulls_come_back((columns, rows) in tables(false)) {
        // A struct of which nothing is null is always there.
        round_trip(&columns, &rows, None);
    }

    #[test]
    fn rows_with_nulls_come_back_where_they_are_told_apart((columns, rows) in tables(true), wraps in any::<bool>()) {
        let nullable = if wraps { NullableRepresentation::Wrapper } else { NullableRepresentation::Optional };
        round_trip(&columns, &rows, Some(nullable));
    }

    #[test]
    fn no_bytes_break_the_decoder((columns, rows) in tables(true), noise in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6), cut in any::<usize>(), random in prop::collection::vec(any::<u8>(), 0..200)) {
        let settings = SchemaSettings::default();
        let serde = Serde { format: Format::ProtobufNoSr(settings), wrap_single: true };
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let arrays = arrays_of(&columns, &rows);
        let encoded = crate::formats::encoder(&serde, &columns).expect("it can hold them").encode(&arrays, rows.len(), None);
        let mut records: Vec<Vec<u8>> = encoded.bytes.iter().flatten().map(<[u8]>::to_vec).collect();
        for record in &mut records {
            for (at, byte) in &noise {
                if !record.is_empty() {
                    let at = at % record.len();
                    record[at] = *byte;
                }
            }
            record.truncate(cut % (record.len() + 1));
        }
        records.push(random);
        let records: BinaryArray = records.iter().map(Some).collect();
        let mut decoder = crate::formats::decoder(&serde, &columns, &vec![true; columns.len()]).expect("it can hold them");
        let decoded = decoder.decode(&records);
        prop_assert_eq!(rows_of(&columns, &decoded.columns).len(), records.len());
    }
}
