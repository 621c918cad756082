//! `IS_JSON_STRING(json)`.

use levada_udf::scalar;

use super::scanner::value;

/// Whether the text is a document.
#[scalar(name = "is_json_string", example("IS_JSON_STRING('[1, 2]')" = "true"))]
pub(super) fn is_json_string(json: Option<&str>) -> bool {
    json.is_some_and(|json| matches!(value(json), Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_blanks_are_no_documents() {
        let cases =
            [(Some("1"), true), (Some("abc"), false), (Some("[1, 2"), false), (Some(" "), false), (None, false)];
        for (json, expected) in cases {
            assert_eq!(is_json_string(json), expected, "{json:?}");
        }
    }
}
