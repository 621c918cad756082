//! `SPLIT_TO_MAP(text, entry_delimiter, key_delimiter)`.

use hashbrown::HashMap;
use levada_udf::{Entries, scalar};

/// A map of the entries in a text.
#[scalar(name = "split_to_map", example("SPLIT_TO_MAP('a:1/b:2', '/', ':')" = "MAP('a' := '1', 'b' := '2')"))]
pub(super) fn split_to_map<'a>(
    text: &'a str,
    /// What stands between entries.
    entry_delimiter: &str,
    /// What stands between a key and its value; entries without it are left out.
    key_delimiter: &str,
) -> Option<Entries<&'a str, &'a str>> {
    if entry_delimiter.is_empty() || key_delimiter.is_empty() || entry_delimiter == key_delimiter {
        return None;
    }
    let mut entries: Vec<(&str, &str)> = Vec::new();
    let mut places = HashMap::with_hasher(foldhash::fast::RandomState::default());
    for entry in text.split(entry_delimiter) {
        let mut parts = entry.split(key_delimiter);
        let (Some(key), Some(value)) = (parts.next(), parts.next()) else { continue };
        let place = *places.entry(key).or_insert(entries.len());
        if let Some(entry) = entries.get_mut(place) {
            entry.1 = value;
        } else {
            entries.push((key, value));
        }
    }
    Some(Entries(entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_a_key_and_a_value() {
        let cases = [
            ("a:1/b:2", "/", ":", "a=1 b=2"),
            ("a:1//b:2/", "/", ":", "a=1 b=2"),
            ("a:1/b:2", "&&", ":", "a=1/b"),
            ("a:1/b:2/a:3/c/d:", "/", ":", "a=3 b=2 d="),
            ("", "/", ":", ""),
            ("a:1", "", ":", "NULL"),
            ("a:1", "/", "", "NULL"),
            ("a:1", ":", ":", "NULL"),
        ];
        for (text, entry_delimiter, key_delimiter, expected) in cases {
            let shown =
                split_to_map(text, entry_delimiter, key_delimiter).map_or("NULL".to_owned(), |Entries(entries)| {
                    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    entries.join(" ")
                });
            assert_eq!(shown, expected, "{text} {entry_delimiter} {key_delimiter}");
        }
    }
}
