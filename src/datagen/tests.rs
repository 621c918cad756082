//! What annotations make of fields.

use serde_json::{Value, json};

use super::*;

const TIME: i64 = 1_735_732_800_123;

/// The values of a field of the type `schema` in `count` rows.
fn values(schema: &Value, count: usize) -> Vec<Value> {
    let record = json!({"type": "record", "name": "r", "fields": [{"name": "f", "type": schema}]}).to_string();
    let rows = Generator::new(&record, 7).expect("a schema").rows(&vec![TIME; count]);
    assert!(rows.errors.is_empty(), "{schema}: {:?}", rows.errors.first());
    let text = |text: Option<&[u8]>| serde_json::from_slice::<Value>(text.expect("a row")).expect("JSON");
    rows.texts.iter().map(text).map(|row| row["f"].clone()).collect()
}

fn annotated(kind: &str, annotations: &Value) -> Value {
    json!({"type": kind, "arg.properties": annotations})
}

fn refused(schema: &Value) -> String {
    let record = json!({"type": "record", "name": "r", "fields": [{"name": "f", "type": schema}]}).to_string();
    Generator::new(&record, 7).err().expect("it cannot be followed").to_string()
}

#[test]
fn the_same_seed_makes_the_same_rows() {
    let rows = |seed: u64| {
        let mut generator =
            Generator::new(Quickstart::named("ORDERS").expect("there is one").schema, seed).expect("a schema");
        generator.rows(&[1, 2, 3]).texts
    };
    assert_eq!(rows(1), rows(1));
    assert_ne!(rows(1), rows(2));
}

#[test]
fn every_quickstart_makes_rows_with_its_key() {
    for quickstart in Quickstart::ALL {
        let mut generator =
            Generator::new(quickstart.schema, 1).unwrap_or_else(|error| panic!("{}: {error}", quickstart.name));
        assert!(generator.columns().iter().any(|column| column.name == quickstart.key), "{}", quickstart.name);
        let rows = generator.rows(&[TIME; 200]);
        assert!(rows.errors.is_empty(), "{}: {:?}", quickstart.name, rows.errors.first());
        assert!(
            rows.columns.iter().all(|column| column.null_count() == 0 && column.len() == 200),
            "{}",
            quickstart.name
        );
    }
}

#[test]
fn numbers_stay_in_their_range() {
    for distribution in ["uniform", "normal", "exponential", "zipf"] {
        let annotations = json!({"range": {"min": -3, "max": 4}, "distribution": distribution});
        let drawn = values(&annotated("int", &annotations), 2_000);
        let numbers: Vec<i64> = drawn.iter().map(|value| value.as_i64().expect("a number")).collect();
        assert_eq!((numbers.iter().min(), numbers.iter().max()), (Some(&-3), Some(&3)), "{distribution}");
        let drawn = values(&annotated("double", &annotations), 2_000);
        assert!(drawn.iter().all(|value| (-3.0..4.0).contains(&value.as_f64().expect("a number"))), "{distribution}");
    }
}

#[test]
fn distributions_have_their_shapes() {
    let counts = |distribution: &str| {
        let drawn =
            values(&annotated("long", &json!({"range": {"min": 0, "max": 10}, "distribution": distribution})), 10_000);
        let mut counts = [0_u32; 10];
        drawn.iter().for_each(|value| counts[value.as_u64().expect("a number") as usize] += 1);
        counts
    };
    let uniform = counts("uniform");
    assert!(uniform.iter().all(|count| (800..1_200).contains(count)), "{uniform:?}");
    let normal = counts("normal");
    assert!(normal[4] > 3 * normal[1] && normal[5] > 3 * normal[8], "{normal:?}");
    for distribution in ["exponential", "zipf"] {
        let counts = counts(distribution);
        assert!(counts.is_sorted_by(|left, right| left + 150 > *right) && counts[0] > 5 * counts[9], "{counts:?}");
    }
}

#[test]
fn iterations_start_again() {
    let numbers = |annotations: Value| values(&annotated("int", &json!({"iteration": annotations})), 5);
    assert_eq!(numbers(json!({"start": 1, "step": 10})), [1, 11, 21, 31, 41]);
    assert_eq!(numbers(json!({"start": 1, "restart": 3})), [1, 2, 1, 2, 1]);
    assert_eq!(numbers(json!({"start": 2, "restart": -1, "initial": 0})), [0, 2, 1, 0, 2]);
    let texts = annotated("string", &json!({"iteration": {"start": 9}, "prefix": "order-"}));
    assert_eq!(values(&texts, 2), ["order-9", "order-10"]);
    assert_eq!(values(&annotated("boolean", &json!({"iteration": {"start": true}})), 3), [true, false, true]);
}

#[test]
fn options_have_weights() {
    let drawn = values(&annotated("string", &json!({"options": ["a", "b", "c"], "weights": [0, 3, 1]})), 4_000);
    let count = |text: &str| drawn.iter().filter(|value| *value == text).count();
    assert_eq!(count("a"), 0);
    assert!((2_800..3_200).contains(&count("b")), "{}", count("b"));
}

#[test]
fn texts_match_their_pattern() {
    for pattern in
        ["User_[1-9]{0,1}", "(ab|c)+d?", "\\d{3}-[A-Z]{2}", ".{4}", "[^a]", "\\w+@example\\.(com|org)", "é|ü"]
    {
        let matches = regex::Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
        for value in values(&annotated("string", &json!({"regex": pattern})), 200) {
            assert!(matches.is_match(value.as_str().expect("a text")), "{value} of {pattern}");
        }
    }
}

#[test]
fn what_is_not_annotated_is_of_its_type() {
    let one = |schema: Value| values(&schema, 1).remove(0);
    assert_eq!(one(json!({"type": "long", "logicalType": "timestamp-millis"})), TIME);
    assert_eq!(one(json!({"type": "int", "logicalType": "date"})), TIME / 86_400_000);
    assert_eq!(one(json!({"type": "int", "logicalType": "time-millis"})), TIME % 86_400_000);
    assert!(one(json!("boolean")).is_boolean());
    assert!(one(json!("string")).as_str().is_some_and(|text| (8..17).contains(&text.len())));
    assert!(one(json!({"type": "string", "logicalType": "uuid"})).as_str().is_some_and(|text| text.len() == 36));
    assert!(one(json!({"type": "enum", "name": "e", "symbols": ["A"]})) == "A");
    let nested =
        json!({"type": "map", "values": {"type": "array", "items": {"type": "fixed", "name": "x", "size": 3}}});
    assert!(one(nested).is_object());
    let decimal = json!({"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2});
    assert!(values(&decimal, 100).iter().all(|value| value.to_string().len() <= 6));
}

#[test]
fn null_comes_as_often_as_it_is_asked_for() {
    let nulls = |schema: &Value| values(schema, 1_000).iter().filter(|value| value.is_null()).count();
    assert!((400..600).contains(&nulls(&json!(["null", "int"]))));
    let rare = json!(["null", "int"]);
    let rare = json!({"type": rare, "arg.properties": {"null": 0.1}});
    assert!((50..150).contains(&nulls(&rare)));
}

#[test]
fn a_type_is_used_again_by_its_name() {
    let place = json!({"type": "record", "name": "place", "namespace": "n", "fields": [{"name": "x", "type": "int"}]});
    let schema = json!({"type": "record", "name": "r", "fields": [{"name": "a", "type": place}, {"name": "b", "type": "n.place"}]});
    let rows = Generator::new(&schema.to_string(), 1).expect("a schema").rows(&[TIME]);
    let row: Value = serde_json::from_slice(rows.texts.value(0)).expect("JSON");
    assert!(row["a"]["x"].is_i64() && row["b"]["x"].is_i64(), "{row}");
}

#[test]
fn mistakes_are_told_with_their_field() {
    for (schema, reason) in [
        (
            annotated("int", &json!({"rang": {}})),
            "field f: the annotation rang is not known; there are options, weights",
        ),
        (annotated("int", &json!({"range": {"min": 3, "max": 3}})), "field f: the range's min must be below its max"),
        (annotated("int", &json!({"range": {"max": 1.5}})), "field f: the range's max must be a whole number"),
        (annotated("string", &json!({"regex": "("})), "field f: '(' is no regular expression"),
        (annotated("string", &json!({"options": []})), "field f: options must be a list of values"),
        (annotated("long", &json!({"iteration": {"start": 1, "step": 0}})), "field f: the iteration's step must lead"),
        (annotated("string", &json!({"length": {"min": 4, "max": 4}})), "field f: length must be a number"),
        (json!(["int", "string"]), "field f: a union may have one type besides null"),
        (
            json!({"type": "array", "items": annotated("int", &json!({"odds": 0.1, "distribution": "even"}))}),
            "field f: distribution must be",
        ),
    ] {
        let told = refused(&schema);
        assert!(told.starts_with(reason), "{schema}: {told}");
    }
    assert_eq!(
        Generator::new("\"int\"", 1).err().map(|error| error.to_string()).as_deref(),
        Some("the schema must be a record, whose fields become columns")
    );
}
