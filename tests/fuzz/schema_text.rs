//! Texts of schemas: what their readers must do with any text, and codecs with any schema.

use std::sync::Arc;

use levada::formats::{Format, SchemaSettings, Serde};
use levada::registry::{MemoryRegistry, Names, SchemaDocument, SchemaStyle, SchemaType, Side, read_type, write_schema};
use levada::types::{Column, SqlType};

use super::codec::{Codec, parts};
use super::rows;
use crate::oracle::random::Random;

/// Texts that people write, beside those that columns become.
pub fn examples(language: SchemaType) -> &'static [&'static str] {
    match language {
        SchemaType::Avro => &[
            r#"{"type":"record","name":"n.Node","fields":[{"name":"id","type":"int"},{"name":"next","type":["null","Node"],"default":null}]}"#,
            r#"{"type":"record","name":"r","fields":[{"name":"e","type":{"type":"enum","name":"k","symbols":["A","B"]}},{"name":"f","type":{"type":"fixed","name":"x","size":16}},
               {"name":"u","type":["null","int","string",{"type":"array","items":"k"}]},{"name":"d","type":{"type":"fixed","name":"y","size":8,"logicalType":"decimal","precision":10,"scale":2}},
               {"name":"m","type":{"type":"map","values":{"type":"bytes","logicalType":"decimal","precision":4,"scale":4}}},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#,
            r#"{"type":"array","items":{"type":"record","name":"e","fields":[{"name":"key","type":["null","string"]},{"name":"value","type":"float"}]}}"#,
            r#""string""#,
        ],
        SchemaType::Json => &[
            r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/d"},"b":{"type":["null","integer"]},"c":{"enum":["x","y"]}},"definitions":{"d":{"oneOf":[{"type":"null"},{"type":"string"},{"type":"integer"}]}},"required":["a"]}"##,
            r#"{"allOf":[{"properties":{"A":{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2","connect.decimal.precision":"6"}}}},{"properties":{"B":{"type":"array","items":{"type":"boolean"}}}}]}"#,
            r#"{"type":"object","properties":{"M":{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"number"}}}},"O":{"type":"object","additionalProperties":{"type":"string"}}}}"#,
            r##"{"type":"object","properties":{"loop":{"$ref":"#"},"i":{"type":"integer","connect.type":"int8"}}}"##,
        ],
        SchemaType::Protobuf => &[
            r#"syntax = "proto3"; package p.q; import "google/protobuf/timestamp.proto"; message M { int32 a = 1; repeated string b = 2 [packed=false]; map<string, N> m = 3;
               oneof o { int64 x = 4; N y = 5; } optional E e = 6; google.protobuf.Timestamp t = 7; google.protobuf.Int64Value w = 8; message N { double z = 1; M back = 2; } reserved 100 to 200, 300; reserved "old"; }
               enum E { option allow_alias = true; NONE = 0; ONE = 1; UNO = 1; }"#,
            r#"message P { required int32 a = 1 [default = -7]; optional string s = 2 [default = 'x\n\x41\101']; optional group G = 3 { optional int32 i = 1; } repeated sint64 p = 4 [packed = true]; extensions 1000 to max;
               optional bytes by = 5 [default = "\377"]; optional double d = 6 [default = inf]; optional confluent.type.Decimal c = 7; optional google.type.Date g = 8; }"#,
            r#"syntax = 'proto3'; /* c */ option java_package = "x"; message A { message B { message C { fixed32 f = 536870911; } C c = 1; } repeated B b = 1; // end
               uint64 u = 2; } service S { rpc R(A) returns (stream A) { option deprecated = true; } } extend A { int32 q = 9; }"#,
        ],
    }
}

/// Words of the language.
pub fn tokens(language: SchemaType) -> &'static [&'static [u8]] {
    match language {
        SchemaType::Avro => &[
            b"\"null\"",
            b"\"int\"",
            b"\"string\"",
            b"\"bytes\"",
            b"\"fixed\"",
            b"\"size\":",
            b"\"decimal\"",
            b"\"scale\":",
            b"\"precision\":",
            b"\"default\":",
            b"\"record\"",
            b"\"fields\":[]",
            b"\"symbols\":[]",
            b"\"type\":",
            b"\"logicalType\":",
            b"\"name\":\"r\"",
            b"\"namespace\":\"n\"",
            b"[",
            b"]",
            b"{",
            b"}",
            b",",
        ],
        SchemaType::Json => &[
            b"\"$ref\":\"#\"",
            b"\"#/properties/a\"",
            b"\"type\":",
            b"\"object\"",
            b"\"array\"",
            b"\"integer\"",
            b"\"number\"",
            b"\"oneOf\":",
            b"\"allOf\":",
            b"\"anyOf\":",
            b"\"enum\":",
            b"\"items\":",
            b"\"properties\":",
            b"\"additionalProperties\":",
            b"\"connect.type\":\"map\"",
            b"true",
            b"{}",
            b"[]",
            b"[",
            b"]",
            b"{",
            b"}",
            b",",
        ],
        SchemaType::Protobuf => &[
            b"message",
            b"enum",
            b"oneof",
            b"map<",
            b">",
            b"repeated",
            b"optional",
            b"required",
            b"group",
            b"{",
            b"}",
            b";",
            b"=",
            b"M",
            b".M",
            b"reserved",
            b"to",
            b"max",
            b"[",
            b"]",
            b"default",
            b"packed",
            b"option",
            b"import",
            b"extend",
            b"\"",
            b"'",
            b"\\",
            b"/*",
            b"//",
            b"<",
            b"-",
            b"inf",
            b"nan",
            b"0x",
            b"1e999",
            b"google.protobuf.Any",
            b"stream",
        ],
    }
}

/// What nests in the language.
pub fn brackets(language: SchemaType) -> &'static [(&'static [u8], &'static [u8])] {
    match language {
        SchemaType::Avro => &[(b"[", b"]"), (b"{\"type\":", b"}"), (b"{\"type\":\"array\",\"items\":", b"}")],
        SchemaType::Json => {
            &[(b"[", b"]"), (b"{\"items\":", b"}"), (b"{\"oneOf\":[", b"]}"), (b"{\"properties\":{\"a\":", b"}}")]
        }
        SchemaType::Protobuf => &[
            (b"{", b"}"),
            (b"message A {", b"}"),
            (b"oneof o {", b"}"),
            (b"map<string,", b">"),
            (b"[", b"]"),
            (b"optional group G = 1 {", b"}"),
        ],
    }
}

/// Valid texts.
pub fn seeds(language: SchemaType, random: &mut Random) -> Vec<Vec<u8>> {
    let columns = rows::columns(random, 4, 3);
    let own = write_schema(language, &columns, false, Side::Value, "SOURCE", SchemaStyle::default());
    let examples = examples(language).iter().map(|text| text.as_bytes().to_vec());
    std::iter::once(own.text.into_bytes()).chain(examples).collect()
}

/// The format whose records follow schemas of this language.
fn format(language: SchemaType, settings: SchemaSettings) -> Format {
    match language {
        SchemaType::Avro => Format::Avro(settings),
        SchemaType::Json => Format::JsonSr(settings),
        SchemaType::Protobuf => Format::Protobuf(settings),
    }
}

/// Types with more parts are read and no more: rows of them take long.
const PARTS_MAX: usize = 200;

/// Elements of a datum that take no bytes, at most.
const EMPTY_ELEMENTS_MAX: usize = 65_536;

/// Reads `text` as a schema; if it is one, writes and reads records of its columns, and reads other records by it. Says
/// whether it is one.
pub fn check(language: SchemaType, random: &mut Random, text: &str) -> bool {
    let registry = Arc::new(MemoryRegistry::new());
    let document = SchemaDocument::new(language, text);
    registry.register_as("t-value", &document, 1).expect("the id is free");
    let read = read_type(&document, &*registry, None, random.pick(&[Names::Upper, Names::AsWritten]));
    let named = SchemaSettings { schema_id: Some(1), ..SchemaSettings::default() };
    let foreign = rows::columns(random, 4, 2);
    let codec = |columns, wrap_single| {
        let serde = Serde { format: format(language, named.clone()), wrap_single };
        Codec::new(serde, columns, Arc::clone(&registry), EMPTY_ELEMENTS_MAX)
    };
    // A schema may have room for columns that it is not of, and hold values that they cannot hold.
    let _ = codec(foreign.clone(), true).check_written(random);
    let records: Vec<Vec<u8>> = (0..4).map(|_| record(random)).collect();
    let decode = |codec: &Codec| codec.decode(&records.iter().map(Some).collect(), &vec![true; codec.columns.len()]);
    assert_eq!(decode(&codec(foreign, true)).columns[0].len(), records.len());
    let Ok(sql_type) = read else { return false };
    if parts(&sql_type) > PARTS_MAX || has_like_names(&sql_type) {
        return true;
    }
    let (columns, wrapped) = match sql_type {
        SqlType::Struct(fields) if !fields.is_empty() => {
            (fields.into_iter().map(|field| Column::new(field.name, field.sql_type)).collect(), true)
        }
        SqlType::Struct(_) => return true,
        other => (vec![Column::new("VALUE", other)], language == SchemaType::Protobuf),
    };
    let own = codec(columns, wrapped);
    assert_eq!(own.check_written(random), Ok(()), "what was written cannot be read");
    assert_eq!(decode(&own).columns[0].len(), records.len());
    true
}

/// Whether two fields differ by nothing but capitals: rows of them have no JSON.
fn has_like_names(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Array(element) => has_like_names(element),
        SqlType::Map(_, value) => has_like_names(value),
        SqlType::Struct(fields) => {
            let mut names: Vec<String> = fields.iter().map(|field| field.name.to_uppercase()).collect();
            names.sort();
            names.windows(2).any(|pair| pair[0] == pair[1])
                || fields.iter().any(|field| has_like_names(&field.sql_type))
        }
        _ => false,
    }
}

/// A record of the schema 1 with any datum.
fn record(random: &mut Random) -> Vec<u8> {
    let few = random.chance(50);
    let mut bytes = vec![0, 0, 0, 0, 1];
    bytes.extend((0..random.between(0, 40)).map(|_| random.between(0, if few { 10 } else { 255 }) as u8));
    bytes
}
