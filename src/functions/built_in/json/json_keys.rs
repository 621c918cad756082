//! `JSON_KEYS(json)`.

use std::borrow::Cow;

use levada_udf::scalar;

use super::members::Members;

/// The keys of an object.
#[scalar(name = "json_keys", example(r#"JSON_KEYS('{"a": 1, "b": {"c": 2}}')"# = "ARRAY['a', 'b']"))]
pub(super) fn json_keys(json: &str) -> Result<Option<Vec<String>>, String> {
    let members = Members::of(json)?.map(Members::into_vec);
    Ok(members.map(|members| members.into_iter().map(|(name, _)| Cow::into_owned(name)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_once_and_in_order() {
        let keys = json_keys(r#"{"b": 1, "a\u00e9": 2, "b": 3}"#);
        assert_eq!(keys, Ok(Some(vec!["b".to_owned(), "aé".to_owned()])));
        assert_eq!(json_keys("[{}]"), Ok(None));
        assert_eq!(json_keys(""), Ok(None));
        assert!(json_keys("{\"a\"").is_err());
    }
}
