//! Whether what the engine wrote matches what a case expects.

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::payload::Comparable;
use crate::types::{SqlType, StructField};

/// How numbers with a point are compared where the type does not say that they are doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// By value and scale.
    Exact,
    /// As doubles.
    Doubles,
    /// As doubles that may differ by a millionth.
    Close,
}

/// Difference that `use.exact.numeric.comparison=false` allows.
const CLOSE: f64 = 0.000_001;

/// Checks `actual` against `expected`; says where they differ. `place` names the side: `key`, `value`.
pub fn compare(place: &str, actual: &Comparable, expected: &Value, numbers: Numbers) -> Result<(), String> {
    let mut path = place.to_owned();
    compare_at(&mut path, &actual.json, expected, actual.sql_type.as_ref(), numbers)
}

fn compare_at(
    path: &mut String,
    actual: &Value,
    expected: &Value,
    sql_type: Option<&SqlType>,
    numbers: Numbers,
) -> Result<(), String> {
    let matches = match (expected, actual) {
        (Value::Null, actual) => actual.is_null(),
        (Value::Object(expected), Value::Object(actual)) => {
            return compare_members(path, actual, expected, sql_type, numbers);
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            return compare_elements(path, actual, expected, sql_type, numbers);
        }
        (Value::Bool(expected), Value::Bool(actual)) => expected == actual,
        (Value::String(expected), Value::String(actual)) => expected == actual,
        (Value::String(expected), Value::Number(actual)) => {
            let same = |expected: Decimal| Decimal::parse(&actual.to_string()).as_ref() == Some(&expected);
            Decimal::parse(expected).is_some_and(same)
        }
        (Value::Number(expected), Value::Number(actual)) => {
            let is_double = matches!(sql_type, Some(SqlType::Double));
            same_number(&actual.to_string(), &expected.to_string(), is_double, numbers)
        }
        _ => false,
    };
    if matches { Ok(()) } else { Err(format!("{path}: got {actual}, expected {expected}")) }
}

fn compare_members(
    path: &mut String,
    actual: &Map<String, Value>,
    expected: &Map<String, Value>,
    sql_type: Option<&SqlType>,
    numbers: Numbers,
) -> Result<(), String> {
    if actual.len() != expected.len() {
        let [got, want] = [actual, expected].map(|members| Value::Object(members.clone()));
        return Err(format!("{path}: got {} members {got}, expected {} {want}", actual.len(), expected.len()));
    }
    let length = path.len();
    for (name, expected) in expected {
        let upper = name.to_uppercase();
        let present = |name: &str| actual.get(name).filter(|value| !value.is_null()).cloned();
        let (found, value) = match present(name) {
            Some(value) => (name.as_str(), value),
            None => (upper.as_str(), actual.get(&upper).cloned().unwrap_or(Value::Null)),
        };
        path.push('.');
        path.push_str(name);
        compare_at(path, &value, expected, member_type(sql_type, found), numbers)?;
        path.truncate(length);
    }
    Ok(())
}

fn member_type<'a>(sql_type: Option<&'a SqlType>, name: &str) -> Option<&'a SqlType> {
    match sql_type? {
        SqlType::Struct(fields) => {
            let field: Option<&StructField> = fields.iter().find(|field| field.name == name);
            field.map(|field| &field.sql_type)
        }
        SqlType::Map(_, value) => Some(value),
        _ => None,
    }
}

fn compare_elements(
    path: &mut String,
    actual: &[Value],
    expected: &[Value],
    sql_type: Option<&SqlType>,
    numbers: Numbers,
) -> Result<(), String> {
    let element = match sql_type {
        Some(SqlType::Array(element)) => Some(&**element),
        _ => None,
    };
    let length = path.len();
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        path.push('[');
        path.push_str(&(i + 1).to_string());
        path.push(']');
        compare_at(path, actual, expected, element, numbers)?;
        path.truncate(length);
    }
    Ok(())
}

/// Whether two numbers match, by how they are written.
pub fn same_number(actual: &str, expected: &str, is_double: bool, numbers: Numbers) -> bool {
    let doubles = || actual.parse::<f64>().ok().zip(expected.parse::<f64>().ok());
    let Some((got, want)) = Decimal::parse(actual).zip(Decimal::parse(expected)) else { return actual == expected };
    if is_double || numbers != Numbers::Exact && !Decimal::is_integer_literal(actual) {
        let allowed = if numbers == Numbers::Close { CLOSE } else { 0.0 };
        // Not a tolerance unless the case asks for one: with 0.0 only the same double passes.
        return doubles().is_some_and(|(got, want)| got.to_bits() == want.to_bits() || (got - want).abs() < allowed);
    }
    if Decimal::is_integer_literal(actual) {
        return got.same_value(&want.truncated());
    }
    if Decimal::is_integer_literal(expected) {
        return got.scale() <= 0 && got.same_value(&want);
    }
    got == want
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(actual: &str, expected: &str, sql_type: Option<SqlType>) -> bool {
        let [json, expected] = [actual, expected].map(|text| serde_json::from_str(text).expect("JSON"));
        compare("value", &Comparable { json, sql_type }, &expected, Numbers::Exact).is_ok()
    }

    #[test]
    fn numbers_are_held_to_their_scale() {
        let table = [
            ("5", "5.0", true),
            ("5", "6", false),
            ("1.50", "1.5", false),
            ("1.5", "1.5", true),
            ("1.0E12", "1000000000000", true),
            ("7.0", "7", false),
            ("1.0E10", "10000000000.0", false),
            ("1.50", "\"1.50\"", true),
            ("1.50", "\"1.5\"", false),
            ("123456789012345678901234567890.12", "123456789012345678901234567890.12", true),
        ];
        for (actual, expected, same) in table {
            assert_eq!(check(actual, expected, None), same, "{actual} {expected}");
        }
    }

    #[test]
    fn doubles_may_be_spelled_differently() {
        assert!(check("1e7", "1.0E7", Some(SqlType::Double)));
        assert!(!check("1.0000001", "1.0", Some(SqlType::Double)));
        assert!(same_number("0.3000000001", "0.3", false, Numbers::Close));
        assert!(same_number("4.35", "4.350", false, Numbers::Doubles));
    }

    #[test]
    fn members_are_found_by_upper_case_name_too() {
        assert!(check(r#"{"A":1,"B":null}"#, r#"{"a":1,"x":null}"#, None));
        assert!(!check(r#"{"A":1,"B":null}"#, r#"{"a":1}"#, None));
        assert!(!check(r#"{"A":[1,2]}"#, r#"{"A":[1]}"#, None));
        assert!(check("null", "null", None) && !check("{}", "null", None));
    }

    #[test]
    fn differences_are_placed() {
        let actual = Comparable { json: serde_json::json!({"A": [1, {"B": "x"}]}), sql_type: None };
        let error = compare("value", &actual, &serde_json::json!({"A": [1, {"B": "y"}]}), Numbers::Exact);
        assert_eq!(error.expect_err("they differ"), "value.A[2].B: got \"x\", expected \"y\"");
    }
}
