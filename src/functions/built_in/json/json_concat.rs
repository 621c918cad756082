//! `JSON_CONCAT(a, b, …)`.

use levada_udf::{Rest, scalar};

use super::compact::Compact;
use super::members::Members;
use super::scanner::{for_each_element, value};

/// Objects merged, or values one after the other in an array.
#[scalar(name = "json_concat", example(r#"JSON_CONCAT('{"a": 1}', '{"b": 2}')"# = r#"'{"a":1,"b":2}'"#))]
pub(super) fn json_concat(documents: Rest<&str>) -> Result<Option<String>, String> {
    let mut values = Vec::with_capacity(documents.len());
    for document in documents.iter() {
        let Some(value) = document.map(value).transpose()?.flatten() else { return Ok(None) };
        values.push(value);
    }
    if values.is_empty() {
        return Ok(None);
    }
    if !values.iter().all(|value| value.starts_with('{')) {
        return appended(&values).map(Some);
    }
    let mut members = Members::default();
    for value in values {
        members.add(value)?;
    }
    Ok(Some(members.to_json()))
}

/// An array of `values`, and of the elements of those that are arrays.
fn appended(values: &[&str]) -> Result<String, String> {
    let mut compact = Compact::default();
    let mut array = String::from("[");
    let mut append = |value: &str| {
        if array.len() > 1 {
            array.push(',');
        }
        array.push_str(compact.json(value));
    };
    for value in values {
        if !for_each_element(value, &mut append)? {
            append(value);
        }
    }
    array.push(']');
    Ok(array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concat(documents: &[Option<&str>]) -> Result<Option<String>, String> {
        json_concat(Rest::new(documents.len(), &|index| documents[index]))
    }

    #[test]
    fn objects_are_merged_and_others_appended() {
        let cases = [
            (r#"{"a": 1, "b": 2}"#, r#"{"c": 3, "a": {"d": 4}}"#, r#"{"a":{"d":4},"b":2,"c":3}"#),
            ("{}", "{}", "{}"),
            ("[1, 2]", "[3, [4]]", "[1,2,3,[4]]"),
            ("[]", "[]", "[]"),
            ("null", "null", "[null,null]"),
            ("[1]", "{\"a\": 1}", "[1,{\"a\":1}]"),
            ("{\"a\": 1}", "\"x\"", "[{\"a\":1},\"x\"]"),
        ];
        for (first, second, expected) in cases {
            assert_eq!(concat(&[Some(first), Some(second)]), Ok(Some(expected.to_owned())), "{first} {second}");
        }
        assert_eq!(concat(&[Some("1"), None]), Ok(None));
        assert_eq!(concat(&[Some("1"), Some("")]), Ok(None));
        assert_eq!(concat(&[]), Ok(None));
        assert!(concat(&[Some("[1"), Some("1")]).is_err());
    }
}
