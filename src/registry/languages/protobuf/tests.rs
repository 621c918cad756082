//! Rules of compatibility for Protobuf, one by one; and the form in which files are kept.

use super::{ProtobufFile, read_faults};
use crate::registry::compatibility::Sides;

fn parse(text: &str) -> ProtobufFile {
    ProtobufFile::parse(text, &[]).unwrap_or_else(|reason| panic!("{reason}: {text}"))
}

fn message(body: &str) -> String {
    format!("syntax = \"proto3\"; message M {{ {body} }} message N {{ int32 n = 1; }} enum E {{ X = 0; }}")
}

/// What keeps `new` from reading what `old` has written: kinds and paths.
fn faults(new: &str, old: &str) -> Vec<String> {
    let faults = read_faults(&parse(new), &parse(old), Sides::BACKWARD);
    faults.iter().map(|fault| format!("{} {}", fault.kind, fault.path)).collect()
}

/// What is said of a message whose body changes.
fn check(old: &str, new: &str, expected: &[&str]) {
    assert_eq!(faults(&message(new), &message(old)), expected, "from {old} to {new}");
}

#[test]
fn types_that_are_written_alike_may_follow_each_other() {
    let groups = [
        ["int32", "uint32", "int64", "uint64", "bool", "E"].as_slice(),
        &["sint32", "sint64"],
        &["string", "bytes"],
        &["fixed32", "sfixed32"],
        &["fixed64", "sfixed64"],
        &["float"],
        &["double"],
    ];
    for (index, group) in groups.iter().enumerate() {
        for old in *group {
            for (other, others) in groups.iter().enumerate() {
                for new in *others {
                    let expected: &[&str] = if index == other { &[] } else { &["FIELD_SCALAR_KIND_CHANGED #/M/1"] };
                    check(&format!("{old} f = 1;"), &format!("{new} f = 1;"), expected);
                }
            }
        }
    }
    check("int32 f = 1;", "N f = 1;", &["FIELD_KIND_CHANGED #/M/1"]);
    check("N f = 1;", "string f = 1;", &["FIELD_KIND_CHANGED #/M/1"]);
    check("N f = 1;", "M f = 1;", &["FIELD_NAMED_TYPE_CHANGED #/M/1"]);
    check("map<string, int32> f = 1;", "map<bytes_, int32> f = 1;".replace("bytes_", "string").as_str(), &[]);
    check("map<string, int32> f = 1;", "map<string, double> f = 1;", &["FIELD_SCALAR_KIND_CHANGED #/M/1/value"]);
    check("map<string, int32> f = 1;", "int32 f = 1;", &["FIELD_KIND_CHANGED #/M/1"]);
}

#[test]
fn fields_come_and_go_and_change_their_names() {
    check("int32 a = 1;", "int32 a = 1; string b = 2;", &[]);
    check("int32 a = 1; string b = 2;", "int32 a = 1;", &[]);
    check("int32 a = 1; string b = 2;", "int32 a = 1; reserved 2; reserved \"b\";", &[]);
    check("int32 a = 1;", "int32 b = 1;", &[]);
    check("int32 a = 1;", "string a = 2;", &[]);
    check("string a = 1;", "repeated string a = 1;", &[]);
    check("int32 a = 1;", "repeated int32 a = 1;", &["FIELD_NUMERIC_LABEL_CHANGED #/M/1"]);
    check("repeated int32 a = 1;", "int32 a = 1;", &["FIELD_NUMERIC_LABEL_CHANGED #/M/1"]);
    check("int32 a = 1;", "optional int32 a = 1;", &[]);
}

#[test]
fn required_fields_neither_come_nor_go() {
    let text = |body: &str| format!("syntax = \"proto2\"; message M {{ {body} }}");
    let (none, required, optional) =
        (text("optional int32 b = 2;"), text("required int32 a = 1;"), text("optional int32 a = 1;"));
    assert_eq!(faults(&required, &none), ["REQUIRED_FIELD_ADDED #/M/1"]);
    assert_eq!(faults(&none, &required), ["REQUIRED_FIELD_REMOVED #/M/1"]);
    assert_eq!(faults(&required, &optional), ["REQUIRED_FIELD_ADDED #/M/1"]);
    assert_eq!(faults(&optional, &required), ["REQUIRED_FIELD_REMOVED #/M/1"]);
}

#[test]
fn fields_move_into_a_oneof_one_at_a_time() {
    check("int32 a = 1;", "oneof o { int32 a = 1; }", &[]);
    check("oneof o { int32 a = 1; }", "oneof o { int32 a = 1; int32 b = 2; }", &[]);
    check("oneof o { int32 a = 1; int32 b = 2; }", "oneof o { int32 a = 1; }", &["ONEOF_FIELD_REMOVED #/M/o"]);
    check("oneof o { int32 a = 1; }", "int32 a = 1;", &[]);
    let several = ["MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/o"];
    check("int32 a = 1; int32 b = 2;", "oneof o { int32 a = 1; int32 b = 2; }", &several);
    let existing = ["FIELD_MOVED_TO_EXISTING_ONEOF #/M/o"];
    check("oneof o { int32 a = 1; } int32 b = 2;", "oneof o { int32 a = 1; int32 b = 2; }", &existing);
}

#[test]
fn messages_stay_and_packages_may_change() {
    let (one, two) = ("message A { int32 a = 1; }", "message A { int32 a = 1; } message B { A a = 1; }");
    assert_eq!(faults(one, two), ["MESSAGE_REMOVED #/B"]);
    assert!(faults(two, one).is_empty());
    let nested = "message A { int32 a = 1; message C {} }";
    assert_eq!(faults(one, nested), ["MESSAGE_REMOVED #/A/C"]);
    let packed = |package: &str| format!("package {package}; {two}");
    assert!(faults(&packed("p.q"), &packed("r")).is_empty());
    let with_enum = format!("{one} enum E {{ X = 0; Y = 1; }}");
    assert!(faults(&with_enum, one).is_empty() && faults(one, &with_enum).is_empty());
    assert!(faults(&with_enum.replace("Y = 1", "Z = 2"), &with_enum).is_empty());
}

const FILE: &str = r#"syntax = "proto3";
package a.b;

import "confluent/meta.proto";
import "google/protobuf/timestamp.proto";

option java_package = "a.b.c";
option java_multiple_files = true;

message Outer {
  option deprecated = true;
  reserved 20, 30 to 32, 40 to max;
  reserved "gone", "lost";
  repeated Inner many = 1;
  map<string, a.b.E> by_name = 3;
  oneof choice {
    string s = 7;
    int64 l = 8 [deprecated = true];
  }
  optional int32 o = 9 [json_name = "other"];
  google.protobuf.Timestamp at = 10 [(confluent.field_meta) = { doc: "when \"it\" was", params: [{ key: "k", value: "v" }] }];

  message Inner {
    int32 i = 1;
    Outer back = 2;
  }

  enum E {
    Y = 0;
  }
}

enum E {
  option allow_alias = true;
  reserved 5, 7 to 9;
  X = 0;
  XX = 0 [deprecated = true];
}

service S {
  rpc Ask (Outer) returns (stream Outer.Inner);
}
"#;

#[test]
fn a_file_is_printed_as_it_is_written() {
    assert_eq!(parse(FILE).canonical_text(), FILE);
    let messy = FILE.replace('\n', "\n  // comment\n").replace("Outer back", ".a.b.Outer back");
    assert_eq!(parse(&messy).canonical_text(), FILE);
}

#[test]
fn older_files_are_printed_as_they_are_written() {
    let text = "syntax = \"proto2\";\n\nmessage M {\n  required string s = 1 [default = \"a\\nb\"];\n  \
                optional int32 i = 2 [default = -7];\n  repeated int32 many = 3 [packed = true];\n  \
                extensions 100 to 199;\n}\n\nextend M {\n  optional int32 more = 100;\n}\n";
    assert_eq!(parse(text).canonical_text(), text);
}

#[test]
fn a_serialized_descriptor_says_the_same() {
    let serialized = parse(FILE).serialized();
    assert_eq!(parse(&serialized).canonical_text(), FILE);
}

#[test]
fn imports_are_references_or_known_to_everybody() {
    let part = ("x/part.proto".to_owned(), "package x; message Part { int32 i = 1; }".to_owned());
    let text = "import \"x/part.proto\"; import \"google/type/date.proto\"; message M { x.Part p = 1; google.type.Date d = 2; }";
    let file = ProtobufFile::parse(text, std::slice::from_ref(&part)).expect("the import is there");
    assert!(file.canonical_text().contains("x.Part p = 1;"));
    let serialized = ProtobufFile::parse(&file.serialized(), &[part]).expect("the import is there");
    assert_eq!(serialized.canonical_text(), file.canonical_text());
    let missing = ProtobufFile::parse(text, &[]).err();
    assert_eq!(missing.as_deref(), Some("the import \"x/part.proto\" is neither a reference nor known to everybody"));
}

#[test]
fn what_is_no_file_is_refused() {
    for text in [
        "",
        "syntax = \"proto3\";",
        "message M { int32 a = 1; int32 b = 1; }",
        "message M { Unknown a = 1; }",
        "message M {",
        "AAAA",
        &"message M {".repeat(100_000),
        &format!("message M {{ int32 a = 1 [(x) = {}1{}]; }}", "{ a: ".repeat(100_000), "}".repeat(100_000)),
    ] {
        assert!(ProtobufFile::parse(text, &[]).is_err(), "{}", &text[..text.len().min(100)]);
    }
}
