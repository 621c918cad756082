//! Single fields of a JSON object, without building the rest of it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The fields called `names` of the object in `json`, in the order of `names`; `None` for one that is not there. The
/// whole of `json` is checked.
pub(super) fn fields<const N: usize>(json: &[u8], names: [&str; N]) -> Result<[Option<Value>; N], String> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = Fields { names }.deserialize(&mut deserializer);
    let found = found.and_then(|found| deserializer.end().map(|()| found));
    found.map_err(|error| format!("not a JSON object: {}", without_place(&error)))
}

/// A JSON text of one line needs no line number beside the one of the input.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(message) => format!("{message} at column {}", error.column()),
        None => text,
    }
}

struct Fields<'a, const N: usize> {
    names: [&'a str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Fields<'_, N> {
    type Value = [Option<Value>; N];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Option<Value>; N];

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.names.iter().position(|wanted| *wanted == name) {
                Some(index) => found[index] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let json = br#"{"a": {"b": 1}, "b": "x\ny", "c": 1.50, "b": "last", "\u0064": null}"#;
        let [b, c, d, e] = fields(json, ["b", "c", "d", "e"]).expect("it is an object");
        assert_eq!(b, Some(Value::from("last")));
        assert_eq!(c.map(|number| number.to_string()).as_deref(), Some("1.50"));
        assert_eq!((d, e), (Some(Value::Null), None));
    }

    #[test]
    fn what_is_no_object_is_refused_with_the_reason() {
        let check = |json: &[u8], expected: &str| assert_eq!(fields(json, ["a"]).expect_err("no object"), expected);
        check(b"{\"a\": 1", "not a JSON object: EOF while parsing an object at column 7");
        check(b"{\"a\": 1} x", "not a JSON object: trailing characters at column 10");
        check(b"[1]", "not a JSON object: invalid type: sequence, expected an object at column 0");
        assert!(fields(b"{\"a\": \"\xff\"}", ["a"]).is_err());
        assert!(fields(b"", ["a"]).is_err());
    }
}
