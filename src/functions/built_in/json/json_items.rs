//! `JSON_ITEMS(json)`.

use levada_udf::scalar;

use super::compact::Compact;
use super::scanner::for_each_element;

/// The elements of an array.
#[scalar(name = "json_items", example(r#"JSON_ITEMS('[{"a": 1}, "b"]')"# = r#"ARRAY['{"a":1}', '"b"']"#))]
pub(super) fn json_items(json: &str) -> Result<Option<Vec<String>>, String> {
    let mut compact = Compact::default();
    let mut items = Vec::new();
    let is_array = for_each_element(json, |item| items.push(compact.json(item).to_owned()))?;
    Ok(is_array.then_some(items))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_json() {
        let items = json_items(r#"[ 1.0, "a", null, {"b": [ ]} ]"#);
        assert_eq!(items, Ok(Some(["1.0", "\"a\"", "null", "{\"b\":[]}"].map(str::to_owned).to_vec())));
        assert_eq!(json_items("{}"), Ok(None));
        assert!(json_items("[1,").is_err());
    }
}
