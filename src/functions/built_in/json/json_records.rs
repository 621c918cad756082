//! `JSON_RECORDS(json)`.

use std::borrow::Cow;

use levada_udf::{Entries, scalar};

use super::compact::Compact;
use super::members::Members;

/// The entries of an object.
#[scalar(name = "json_records", example(r#"JSON_RECORDS('{"a": "x", "b": [1, 2]}')"# = "MAP('a':='x', 'b':='[1,2]')"))]
pub(super) fn json_records(json: &str) -> Result<Option<Entries<String, String>>, String> {
    let Some(members) = Members::of(json)? else { return Ok(None) };
    let mut compact = Compact::default();
    let entry = |(name, value): (Cow<'_, str>, &str)| (name.into_owned(), compact.plain(value).to_owned());
    Ok(Some(Entries(members.into_vec().into_iter().map(entry).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_text() {
        let records = json_records(r#"{"a": "x\"y", "b": 1.50, "c": {"d": [ ]}, "e": null, "a": true}"#);
        let expected = [("a", "true"), ("b", "1.50"), ("c", "{\"d\":[]}"), ("e", "null")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(records, Ok(Some(Entries(expected.to_vec()))));
        assert_eq!(json_records("1"), Ok(None));
        assert!(json_records("{").is_err());
    }
}
