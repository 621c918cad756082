//! `JSON_ARRAY_LENGTH(json)`.

use levada_udf::scalar;

use super::scanner::for_each_element;

/// How many elements an array has.
#[scalar(name = "json_array_length", example("JSON_ARRAY_LENGTH('[1, [2, 3]]')" = "2"))]
pub(super) fn json_array_length(json: &str) -> Result<Option<i32>, String> {
    let mut length = 0;
    let is_array = for_each_element(json, |_| length += 1)?;
    Ok(is_array.then_some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arrays_have_a_length() {
        for (json, expected) in
            [("[]", Some(0)), ("[1, [2], {}]", Some(3)), ("{\"a\": []}", None), ("1", None), ("", None)]
        {
            assert_eq!(json_array_length(json), Ok(expected), "{json}");
        }
        assert!(json_array_length("[1").is_err());
        assert!(json_array_length("{").is_err());
    }
}
