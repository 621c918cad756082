//! Rules of Avro's schema resolution, one by one; and the form in which schemas are kept.

use super::{AvroSchema, read_faults};
use crate::registry::compatibility::Sides;

fn parse(text: &str) -> AvroSchema {
    AvroSchema::parse(text, &[], true).unwrap_or_else(|reason| panic!("{reason}: {text}"))
}

/// What keeps `reader` from reading what `writer` has written: kinds and paths.
fn faults(reader: &str, writer: &str) -> Vec<String> {
    let faults = read_faults(&parse(reader), &parse(writer), Sides::BACKWARD);
    faults.iter().map(|fault| format!("{} {}", fault.kind, fault.path)).collect()
}

fn check(reader: &str, writer: &str, expected: &[&str]) {
    assert_eq!(faults(reader, writer), expected, "{reader} reads {writer}");
}

fn record(fields: &str) -> String {
    format!(r#"{{"type": "record", "name": "r", "fields": [{fields}]}}"#)
}

#[test]
fn numbers_are_promoted_and_bytes_are_texts() {
    for (reader, writers) in [
        ("null", ["null"].as_slice()),
        ("boolean", &["boolean"]),
        ("int", &["int"]),
        ("long", &["int", "long"]),
        ("float", &["int", "long", "float"]),
        ("double", &["int", "long", "float", "double"]),
        ("bytes", &["bytes", "string"]),
        ("string", &["bytes", "string"]),
    ] {
        for writer in ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] {
            let expected: &[&str] = if writers.contains(&writer) { &[] } else { &["TYPE_MISMATCH /"] };
            check(&format!("\"{reader}\""), &format!("\"{writer}\""), expected);
        }
    }
}

#[test]
fn a_field_that_was_not_written_needs_a_default() {
    let old = record(r#"{"name": "a", "type": "int"}"#);
    let with = |field: &str| record(&format!(r#"{{"name": "a", "type": "int"}}, {field}"#));
    check(&with(r#"{"name": "b", "type": "int", "default": 0}"#), &old, &[]);
    check(&with(r#"{"name": "b", "type": ["null", "int"], "default": null}"#), &old, &[]);
    let missing = ["READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"];
    check(&with(r#"{"name": "b", "type": "int"}"#), &old, &missing);
    check(&with(r#"{"name": "b", "type": ["null", "int"]}"#), &old, &missing);
    check(&old, &with(r#"{"name": "b", "type": "int"}"#), &[]);
    check(&record(r#"{"name": "a", "type": "string"}"#), &old, &["TYPE_MISMATCH /fields/0/type"]);
}

#[test]
fn fields_and_records_are_known_by_their_aliases() {
    let old = record(r#"{"name": "a", "type": "int"}"#);
    check(&record(r#"{"name": "b", "aliases": ["a"], "type": "long"}"#), &old, &[]);
    let other = r#"{"type": "record", "name": "s", "ALIASES": [], "fields": []}"#;
    check(other, &old, &["NAME_MISMATCH /name"]);
    check(&other.replace(r#""ALIASES": []"#, r#""aliases": ["r"]"#), &old, &[]);
    let in_space = r#"{"type": "record", "name": "x.r", "fields": []}"#;
    check(in_space, &old, &[]);
}

#[test]
fn symbols_of_an_enum_may_only_go_where_it_has_a_default() {
    let symbols =
        |symbols: &str, more: &str| format!(r#"{{"type": "enum", "name": "e", "symbols": [{symbols}]{more}}}"#);
    check(&symbols(r#""A", "B""#, ""), &symbols(r#""A""#, ""), &[]);
    check(&symbols(r#""A""#, ""), &symbols(r#""A", "B""#, ""), &["MISSING_ENUM_SYMBOLS /symbols"]);
    check(&symbols(r#""A""#, r#", "default": "A""#), &symbols(r#""A", "B""#, ""), &[]);
}

#[test]
fn fixed_has_one_size_and_one_name() {
    let fixed = |name: &str, size: u32| format!(r#"{{"type": "fixed", "name": "{name}", "size": {size}}}"#);
    check(&fixed("f", 4), &fixed("f", 4), &[]);
    check(&fixed("f", 4), &fixed("f", 8), &["FIXED_SIZE_MISMATCH /size"]);
    check(&fixed("g", 4), &fixed("f", 4), &["NAME_MISMATCH /name"]);
    check("\"bytes\"", &fixed("f", 4), &["TYPE_MISMATCH /"]);
}

#[test]
fn every_branch_that_may_have_been_written_is_read() {
    check(r#"["null", "int"]"#, "\"int\"", &[]);
    check(r#"["null", "long"]"#, "\"int\"", &[]);
    check(r#"["null", "int"]"#, "\"string\"", &["MISSING_UNION_BRANCH /"]);
    check(r#"["null", "int", "string"]"#, r#"["null", "int"]"#, &[]);
    check(r#"["null", "int"]"#, r#"["null", "int", "string"]"#, &["MISSING_UNION_BRANCH /2"]);
    check("\"long\"", r#"["int", "long"]"#, &[]);
    check("\"int\"", r#"["null", "int"]"#, &["TYPE_MISMATCH /"]);
}

#[test]
fn items_and_values_follow_the_same_rules() {
    let array = |items: &str| format!(r#"{{"type": "array", "items": "{items}"}}"#);
    let map = |values: &str| format!(r#"{{"type": "map", "values": "{values}"}}"#);
    check(&array("long"), &array("int"), &[]);
    check(&array("int"), &array("long"), &["TYPE_MISMATCH /items"]);
    check(&map("double"), &map("float"), &[]);
    check(&map("int"), &map("string"), &["TYPE_MISMATCH /values"]);
    check(&map("int"), &array("int"), &["TYPE_MISMATCH /"]);
}

#[test]
fn recursive_schemas_are_compared_to_their_end() {
    let list = |item: &str| {
        record(&format!(r#"{{"name": "next", "type": ["null", "r"]}}, {{"name": "item", "type": "{item}"}}"#))
    };
    check(&list("long"), &list("int"), &[]);
    let expected = ["TYPE_MISMATCH /fields/1/type"];
    check(&list("int"), &list("long"), &expected);
}

#[test]
fn long_chains_of_names_and_deep_texts_are_refused_or_compared() {
    let chain: Vec<String> = (1..20_000)
        .map(|number| {
            format!(
                r#"{{"name": "f{number}", "type": {{"type": "record", "name": "n{number}", "fields": [
                    {{"name": "x", "type": "{}"}}]}}}}"#,
                if number == 1 { "int".to_owned() } else { format!("n{}", number - 1) }
            )
        })
        .collect();
    let schema = record(&chain.join(","));
    assert_eq!(faults(&schema, &schema).len(), 0);
    let backwards = |last: &str| {
        let mut fields = chain.clone();
        fields[0] = fields[0].replace("\"int\"", last);
        record(&format!("{},{{\"name\": \"last\", \"type\": \"n19999\"}}", fields.join(",")))
    };
    assert!(!faults(&backwards("\"int\""), &backwards("\"string\"")).is_empty());
    let deep = format!("{}\"int\"{}", r#"{"type": "array", "items": "#.repeat(10_000), "}".repeat(10_000));
    assert!(AvroSchema::parse(&deep, &[], true).is_err());
}

#[test]
fn what_differs_in_form_only_is_kept_in_one_form() {
    for (text, expected) in [
        (r#" { "type" : "string" } "#, r#""string""#),
        (r#"{"type": "string", "x": 1}"#, r#"{"type":"string","x":1}"#),
        (
            r#"{"name": "a.b.R", "fields": [{"type": "int", "name": "f", "default": 1.50}], "type": "record", "doc": "d"}"#,
            r#"{"type":"record","name":"R","namespace":"a.b","doc":"d","fields":[{"name":"f","type":"int","default":1}]}"#,
        ),
        (
            r#"{"type": "record", "namespace": "a", "name": "R", "aliases": ["S", "b.T"], "fields": [
                {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["X"]}, "order": "ignore"},
                {"name": "again", "type": "a.E", "aliases": ["f"], "order": "ascending"},
                {"name": "n", "type": ["null", "R"], "default": null}]}"#,
            r#"{"type":"record","name":"R","namespace":"a","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["X"]},"order":"ignore"},{"name":"again","type":"E","aliases":["f"]},{"name":"n","type":["null","R"],"default":null}],"aliases":["S","b.T"]}"#,
        ),
        (r#"{"type": "fixed", "size": 3, "name": "F"}"#, r#"{"type":"fixed","name":"F","size":3}"#),
    ] {
        let text = text.replace("1.50", "1");
        assert_eq!(parse(&text).canonical_text(false), expected);
        assert_eq!(parse(expected).canonical_text(false), expected, "it stays as it is");
    }
    let (left, right) = (r#"{"type": "int", "b": 1, "a": 2}"#, r#"{"type": "int", "a": 2, "b": 1}"#);
    assert_ne!(parse(left).canonical_text(false), parse(right).canonical_text(false));
    assert_eq!(parse(left).canonical_text(true), parse(right).canonical_text(true));
}

#[test]
fn what_references_define_is_used_by_name() {
    let reference = r#"{"type": "record", "name": "x.Part", "fields": []}"#.to_owned();
    let text = r#"{"type":"record","name":"Whole","fields":[{"name":"p","type":"x.Part"}]}"#;
    let schema = AvroSchema::parse(text, &[reference], true).expect("the name is known");
    assert_eq!(schema.canonical_text(false), text);
    assert_eq!(AvroSchema::parse(text, &[], true).err().as_deref(), Some("undefined name: \"x.Part\""));
}

#[test]
fn what_is_no_schema_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "it is not JSON"),
        ("1", "1 is no schema"),
        ("\"strong\"", "undefined name: \"strong\""),
        ("{}", "no type"),
        (r#"{"type": "record", "fields": []}"#, "no name"),
        (r#"{"type": "record", "name": "r"}"#, "record r has no fields"),
        (r#"{"type": "record", "name": "1r", "fields": []}"#, "illegal initial character: 1r"),
        (r#"{"type": "record", "name": "r-s", "fields": []}"#, "illegal character '-' in: r-s"),
        (r#"["int", "int"]"#, "duplicate in union: int"),
        (r#"["int", ["null"]]"#, "a union stands directly in a union"),
        (r#"{"type": "enum", "name": "e", "symbols": ["A", "A"]}"#, "duplicate enum symbol: A"),
        (r#"{"type": "enum", "name": "e", "symbols": ["A"], "default": "B"}"#, "the enum default B is not among"),
        (r#"{"type": "fixed", "name": "f", "size": -1}"#, "invalid or no size of fixed f"),
        (r#"{"type": "array"}"#, "array has no items type"),
        (r#"{"type": "map"}"#, "map has no values type"),
    ] {
        let found = AvroSchema::parse(text, &[], true).expect_err(text);
        assert!(found.starts_with(reason), "{found}");
    }
    for (field, reason) in [
        (r#"{"name": "a"}"#, "no type for field a of r"),
        (r#"{"name": "a", "type": "int"}, {"name": "a", "type": "int"}"#, "duplicate field a in record r"),
        (r#"{"name": "a", "type": "int", "default": "x"}"#, "invalid default for field a: \"x\" is no int"),
        (r#"{"name": "a", "type": "int", "order": "up"}"#, "field a: there is no order up"),
        (r#"{"name": "a", "type": "r", "default": {}}"#, "invalid default for field a"),
    ] {
        let found = AvroSchema::parse(&record(field), &[], true).expect_err(field);
        assert!(found.starts_with(reason), "{found}");
    }
    let wrong_default = record(r#"{"name": "a", "type": "int", "default": "x"}"#);
    assert!(AvroSchema::parse(&wrong_default, &[], false).is_ok(), "older schemas may have it");
}
