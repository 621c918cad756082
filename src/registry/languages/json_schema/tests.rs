//! Rules of compatibility for JSON schemas, one by one.

use super::{JsonSchema, read_faults};
use crate::registry::compatibility::Sides;

fn parse(text: &str) -> JsonSchema {
    JsonSchema::parse(text, &[]).unwrap_or_else(|reason| panic!("{reason}: {text}"))
}

/// What `new` does not take of what `old` takes: kinds and paths.
fn faults(new: &str, old: &str) -> Vec<String> {
    let faults = read_faults(&parse(new), &parse(old), Sides::BACKWARD);
    faults.iter().map(|fault| format!("{} {}", fault.kind, fault.path)).collect()
}

/// `new` is refused for `fault`, and `old` may follow `new`.
fn narrows(old: &str, new: &str, fault: &str) {
    assert_eq!(faults(new, old), [fault], "from {old} to {new}");
    assert_eq!(faults(old, new), Vec::<String>::new(), "from {new} to {old}");
}

/// Either may follow the other.
fn equals(old: &str, new: &str) {
    for (old, new) in [(old, new), (new, old)] {
        assert_eq!(faults(new, old), Vec::<String>::new(), "from {old} to {new}");
    }
}

/// Neither may follow the other.
fn differs(old: &str, new: &str) {
    for (old, new) in [(old, new), (new, old)] {
        assert_ne!(faults(new, old), Vec::<String>::new(), "from {old} to {new}");
    }
}

#[test]
fn types_may_be_extended() {
    narrows(r#"{"type": "number"}"#, r#"{"type": "integer"}"#, "TYPE_NARROWED #/");
    narrows(r#"{"type": ["string", "null"]}"#, r#"{"type": "string"}"#, "TYPE_NARROWED #/");
    narrows("{}", r#"{"type": "string"}"#, "TYPE_NARROWED #/");
    narrows(r#"{"type": "string"}"#, "false", "TYPE_NARROWED #/");
    differs(r#"{"type": "string"}"#, r#"{"type": "integer"}"#);
    equals("true", r#"{"title": "anything", "description": "at all", "default": 1}"#);
}

#[test]
fn lengths_and_patterns_of_texts() {
    let text = |keywords: &str| format!(r#"{{"type": "string"{keywords}}}"#);
    narrows(&text(""), &text(r#", "maxLength": 5"#), "MAX_LENGTH_ADDED #/maxLength");
    narrows(&text(r#", "maxLength": 6"#), &text(r#", "maxLength": 5"#), "MAX_LENGTH_DECREASED #/maxLength");
    narrows(&text(""), &text(r#", "minLength": 1"#), "MIN_LENGTH_ADDED #/minLength");
    narrows(&text(r#", "minLength": 1"#), &text(r#", "minLength": 2"#), "MIN_LENGTH_INCREASED #/minLength");
    narrows(&text(""), &text(r#", "pattern": "a+""#), "PATTERN_ADDED #/pattern");
    differs(&text(r#", "pattern": "a+""#), &text(r#", "pattern": "a*""#));
}

#[test]
fn bounds_of_numbers() {
    let number = |keywords: &str| format!(r#"{{"type": "number"{keywords}}}"#);
    narrows(&number(""), &number(r#", "maximum": 5"#), "MAXIMUM_ADDED #/maximum");
    narrows(&number(r#", "maximum": 6"#), &number(r#", "maximum": 5"#), "MAXIMUM_DECREASED #/maximum");
    narrows(&number(""), &number(r#", "minimum": 5"#), "MINIMUM_ADDED #/minimum");
    narrows(&number(r#", "minimum": 4"#), &number(r#", "minimum": 5"#), "MINIMUM_INCREASED #/minimum");
    let exclusive = "EXCLUSIVE_MAXIMUM_ADDED #/exclusiveMaximum";
    narrows(&number(""), &number(r#", "exclusiveMaximum": 5"#), exclusive);
    narrows(&number(""), &number(r#", "maximum": 5, "exclusiveMaximum": true"#), exclusive);
    narrows(
        &number(r#", "exclusiveMinimum": 1"#),
        &number(r#", "exclusiveMinimum": 2"#),
        "EXCLUSIVE_MINIMUM_INCREASED #/exclusiveMinimum",
    );
    narrows(&number(""), &number(r#", "multipleOf": 2"#), "MULTIPLE_OF_ADDED #/multipleOf");
    narrows(&number(r#", "multipleOf": 2"#), &number(r#", "multipleOf": 4"#), "MULTIPLE_OF_EXPANDED #/multipleOf");
    differs(&number(r#", "multipleOf": 2"#), &number(r#", "multipleOf": 3"#));
}

#[test]
fn listed_values_may_be_more() {
    narrows(r#"{"enum": ["a", "b"]}"#, r#"{"enum": ["a"]}"#, "ENUM_ARRAY_NARROWED #/");
    narrows(r#"{"type": "string"}"#, r#"{"type": "string", "enum": ["a"]}"#, "ENUM_ARRAY_NARROWED #/");
    narrows(r#"{"enum": ["a", "b"]}"#, r#"{"const": "a"}"#, "ENUM_ARRAY_NARROWED #/");
    differs(r#"{"enum": ["a", "b"]}"#, r#"{"enum": ["a", "c"]}"#);
}

fn object(properties: &str, more: &str) -> String {
    format!(r#"{{"type": "object", "properties": {{{properties}}}{more}}}"#)
}

const CLOSED: &str = r#", "additionalProperties": false"#;
const A: &str = r#""a": {"type": "string"}"#;
const A_AND_B: &str = r#""a": {"type": "string"}, "b": {"type": "string"}"#;

#[test]
fn an_open_content_model_loses_properties_and_gains_none() {
    narrows(&object(A, ""), &object(A_AND_B, ""), "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b");
    equals(&object(A, ""), &object(r#""a": {"type": "string"}, "b": {}"#, ""));
}

#[test]
fn a_closed_content_model_gains_properties_and_loses_none() {
    let removed = "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b";
    narrows(&object(A_AND_B, CLOSED), &object(A, CLOSED), removed);
    let with_required = object(A_AND_B, &format!(r#", "required": ["b"]{CLOSED}"#));
    let added = "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b";
    assert_eq!(faults(&with_required, &object(A, CLOSED)), [added]);
    let with_default = with_required.replace(r#""b": {"type": "string""#, r#""b": {"type": "string", "default": "x""#);
    assert!(faults(&with_default, &object(A, CLOSED)).is_empty());
    equals(&object(A, CLOSED), &object(r#""a": {"type": "string"}, "b": false"#, CLOSED));
}

#[test]
fn a_partially_open_content_model_covers_what_it_takes() {
    let others = |schema: &str| format!(r#", "additionalProperties": {schema}"#);
    let texts = others(r#"{"type": "string"}"#);
    equals(&object(A, &texts), &object(A_AND_B, &texts));
    let numbers = others(r#"{"type": "number"}"#);
    assert_eq!(
        faults(&object(A_AND_B, &numbers), &object(A, &numbers)),
        ["PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b"]
    );
    assert_eq!(
        faults(&object(A, &numbers), &object(A_AND_B, &numbers)),
        ["PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b"]
    );
    let pattern = r#", "patternProperties": {"^b": {"type": "string"}}, "additionalProperties": false"#;
    equals(&object(A, pattern), &object(A_AND_B, pattern));
    narrows(&object(A, ""), &object(A, &texts), "ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties");
    narrows(&object(A, ""), &object(A, CLOSED), "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties");
    narrows(&object(A, &texts), &object(A, CLOSED), "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties");
    narrows(
        &object(A, &others(r#"{"type": "number"}"#)),
        &object(A, &others(r#"{"type": "integer"}"#)),
        "TYPE_NARROWED #/additionalProperties",
    );
}

#[test]
fn what_is_required_and_how_many_there_are() {
    narrows(&object(A, ""), &object(A, r#", "required": ["a"]"#), "REQUIRED_ATTRIBUTE_ADDED #/required/a");
    let with_default = r#""a": {"type": "string", "default": ""}"#;
    equals(&object(with_default, ""), &object(with_default, r#", "required": ["a"]"#));
    narrows(&object(A, ""), &object(A, r#", "maxProperties": 3"#), "MAX_PROPERTIES_ADDED #/maxProperties");
    narrows(&object(A, ""), &object(A, r#", "minProperties": 3"#), "MIN_PROPERTIES_ADDED #/minProperties");
    let depends = |on: &str| format!(r#", "dependencies": {{"a": {on}}}"#);
    narrows(&object(A, ""), &object(A, &depends(r#"["b"]"#)), "DEPENDENCY_ARRAY_ADDED #/dependencies/a");
    narrows(
        &object(A, &depends(r#"["b"]"#)),
        &object(A, &depends(r#"["b", "c"]"#)),
        "DEPENDENCY_ARRAY_EXTENDED #/dependencies/a",
    );
    let schema = depends(r#"{"required": ["b"]}"#);
    narrows(&object(A, ""), &object(A, &schema), "DEPENDENCY_SCHEMA_ADDED #/dependencies/a");
}

#[test]
fn properties_are_compared_where_they_stand() {
    let nested =
        |kind: &str| object(&format!(r#""o": {}"#, object(&format!(r#""x/y": {{"type": "{kind}"}}"#), "")), "");
    narrows(&nested("number"), &nested("integer"), "TYPE_NARROWED #/properties/o/properties/x~1y");
}

#[test]
fn items_of_arrays() {
    let array = |keywords: &str| format!(r#"{{"type": "array"{keywords}}}"#);
    let items = |kind: &str| array(&format!(r#", "items": {{"type": "{kind}"}}"#));
    narrows(&items("number"), &items("integer"), "TYPE_NARROWED #/items");
    narrows(&array(""), &items("integer"), "TYPE_NARROWED #/items");
    narrows(&array(""), &array(r#", "maxItems": 3"#), "MAX_ITEMS_ADDED #/maxItems");
    narrows(&array(r#", "minItems": 1"#), &array(r#", "minItems": 3"#), "MIN_ITEMS_INCREASED #/minItems");
    narrows(&array(""), &array(r#", "uniqueItems": true"#), "UNIQUE_ITEMS_ADDED #/uniqueItems");
    let listed = |items: &str, more: &str| array(&format!(r#", "items": [{items}]{more}"#));
    let (one, two) = (r#"{"type": "string"}"#, r#"{"type": "string"}, {"type": "number"}"#);
    narrows(&listed(one, ""), &listed(two, ""), "ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1");
    let closed = r#", "additionalItems": false"#;
    narrows(&listed(two, closed), &listed(one, closed), "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1");
    narrows(&listed(one, ""), &listed(one, closed), "ADDITIONAL_ITEMS_REMOVED #/additionalItems");
    let numbers = r#", "additionalItems": {"type": "number"}"#;
    equals(&listed(one, numbers), &listed(two, numbers));
    let newer = |items: &str| array(&format!(r#", "prefixItems": [{items}], "items": false"#));
    narrows(&newer(two), &newer(one), "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1");
}

#[test]
fn alternatives_may_be_more() {
    let any = |word: &str, parts: &str| format!(r#"{{"{word}": [{parts}]}}"#);
    let (text, number, null) = (r#"{"type": "string"}"#, r#"{"type": "number"}"#, r#"{"type": "null"}"#);
    let (two, three) = (format!("{text}, {null}"), format!("{text}, {null}, {number}"));
    for word in ["oneOf", "anyOf"] {
        let found = faults(&any(word, &two), &any(word, &three));
        assert_eq!(found[0], format!("SUM_TYPE_NARROWED #/{word}"));
        assert!(faults(&any(word, &three), &any(word, &two)).is_empty());
        assert!(faults(&any(word, &two), text).is_empty(), "the old one is an alternative");
        assert!(!faults(&any(word, &two), number).is_empty());
        assert!(!faults(text, &any(word, &two)).is_empty());
        assert!(faults(text, &any(word, text)).is_empty());
        equals(&any(word, &two), r#"{"type": ["null", "string"]}"#);
        differs(&any(word, &two), &any(word, &format!("{null}, {number}")));
    }
    assert_eq!(faults(&any("oneOf", &two), &any("anyOf", &two)), ["COMBINED_TYPE_CHANGED #/"]);
    assert!(faults(&any("anyOf", &two), &any("oneOf", &two)).is_empty());
    // Each of the old ones needs a new one of its own.
    let objects = any("oneOf", &format!("{}, {}", object(A, ""), object(r#""c": {"type": "null"}"#, "")));
    assert!(faults(&objects, &objects).is_empty());
}

#[test]
fn what_must_hold_together_may_be_less() {
    let all = |parts: &str| format!(r#"{{"allOf": [{parts}]}}"#);
    let (text, short) = (r#"{"type": "string"}"#, r#"{"maxLength": 5}"#);
    let both = all(&format!("{text}, {short}"));
    narrows(&all(text), &both, "PRODUCT_TYPE_EXTENDED #/allOf/1");
    narrows(text, &both, "PRODUCT_TYPE_EXTENDED #/allOf/1");
    narrows("true", r#"{"not": {"type": "string"}}"#, "NOT_TYPE_EXTENDED #/not");
    let not = |kind: &str| format!(r#"{{"type": ["null", "number", "string"], "not": {{"type": "{kind}"}}}}"#);
    narrows(&not("integer"), &not("number"), "NOT_TYPE_EXTENDED #/not");
}

#[test]
fn references_are_followed_and_recursion_ends() {
    let tree = |kind: &str| {
        format!(
            r##"{{"$ref": "#/definitions/node", "definitions": {{"node": {{"type": "object", "properties": {{
                "value": {{"type": "{kind}"}}, "next": {{"$ref": "#/definitions/node"}}}}}}}}}}"##
        )
    };
    narrows(&tree("number"), &tree("integer"), "TYPE_NARROWED #/properties/value");
    let by_id = r##"{"type": "object", "properties": {"a": {"$ref": "#part"}}, "$defs": {"p": {"$anchor": "part", "type": "string"}}}"##;
    equals(&object(A, ""), by_id);
    let other = ("part.json".to_owned(), r#"{"$id": "http://x/part.json", "type": "string"}"#.to_owned());
    for name in ["part.json", "http://x/part.json"] {
        let text = format!(r#"{{"type": "object", "properties": {{"a": {{"$ref": "{name}"}}}}}}"#);
        let schema = JsonSchema::parse(&text, std::slice::from_ref(&other)).expect("the reference is there");
        assert_eq!(read_faults(&schema, &parse(&object(A, "")), Sides::BACKWARD), []);
        assert_eq!(JsonSchema::parse(&text, &[]).err(), Some(format!("the reference {name} leads nowhere")));
    }
    let endless = r##"{"not": {"$ref": "#"}}"##;
    assert!(!faults(endless, endless).is_empty());
    let circle = r##"{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/a"}}}"##;
    equals(circle, "true");
}

#[test]
fn comparisons_that_would_never_end_are_refused() {
    let mut schema = r#"{"type": "string"}"#.to_owned();
    for depth in 0..30 {
        schema = format!(
            r#"{{"oneOf": [{schema}, {{"minLength": {depth}}}, {{"type": "array", "items": {{"const": {depth}}}}}]}}"#
        );
    }
    let other = schema.replace("\"string\"", "\"number\"");
    assert!(!faults(&other, &schema).is_empty());
}

#[test]
fn what_is_no_schema_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "it is not JSON"),
        ("1", "1 is no schema"),
        (r#"{"type": "text"}"#, "there is no type text"),
        (r#"{"type": ["text"]}"#, "there are no types"),
        (r#"{"oneOf": "x"}"#, "oneOf takes an array"),
        (r##"{"$ref": "#/definitions/x"}"##, "the reference #/definitions/x leads nowhere"),
    ] {
        let found = JsonSchema::parse(text, &[]).expect_err(text);
        assert!(found.starts_with(reason), "{found}");
    }
    assert_eq!(parse(r#"{ "b" : 1.50, "a" : true }"#).canonical_text(false), r#"{"b":1.50,"a":true}"#);
    assert_eq!(parse(r#"{ "b" : 1, "a" : {"d": 1, "c": 2} }"#).canonical_text(true), r#"{"a":{"c":2,"d":1},"b":1}"#);
    assert!(
        JsonSchema::parse(r#"{"properties": {"type": {"type": "string"}}}"#, &[]).is_ok(),
        "a property called type"
    );
}
