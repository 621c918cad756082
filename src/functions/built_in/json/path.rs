//! Paths into documents: `$.a[0].b`, `$["a b"]`.

use crate::types::json_scanner::Scan;

use super::scanner::Scanner;

/// Steps that a path may have.
const STEPS_MAX: usize = 1000;

/// A path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

/// A step from a value into it: by name into objects, by number into arrays.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    name: String,
    index: Option<usize>,
}

impl Path {
    /// Reads `text`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no path into a document");
        let mut rest = text.strip_prefix('$').ok_or_else(wrong)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let name = step(&mut rest).ok_or_else(wrong)?;
            let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
            let index = name.parse().ok().filter(|_| is_number);
            steps.push(Step { name, index });
            if steps.len() > STEPS_MAX {
                return Err(format!("a path has at most {STEPS_MAX} steps"));
            }
        }
        Ok(Self(steps))
    }

    /// The value at the path in `text`, as it is written; all of the document is checked.
    pub(super) fn find<'a>(&self, text: &'a str) -> Result<Option<&'a str>, String> {
        let mut scanner = Scanner::new(text);
        if scanner.is_at_end() {
            return Ok(None);
        }
        let first = scanner.next_token();
        let found = find(&mut scanner, &self.0).and_then(|found| scanner.leave(first).map(|()| found));
        found.map_err(|malformed| malformed.to_string())
    }
}

/// Reads `.name`, `["name"]` or `[0]`.
fn step(rest: &mut &str) -> Option<String> {
    if let Some(dotted) = rest.strip_prefix('.') {
        let is_part = |c: char| c.is_alphanumeric() || "_:$-/@|# ".contains(c);
        let end = dotted.find(|c| !is_part(c)).unwrap_or(dotted.len());
        *rest = &dotted[end..];
        return (end > 0).then(|| dotted[..end].to_owned());
    }
    let inner = rest.strip_prefix('[')?;
    let name;
    if let Some(quoted) = inner.strip_prefix('"') {
        let mut plain = String::new();
        let mut chars = quoted.char_indices();
        let end = loop {
            match chars.next()? {
                (end, '"') => break end,
                (_, '\\') => plain.push(chars.next()?.1),
                (_, other) => plain.push(other),
            }
        };
        *rest = &quoted[end + 1..];
        name = plain;
    } else {
        let end = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
        *rest = &inner[end..];
        name = inner[..end].to_owned();
        if name.is_empty() {
            return None;
        }
    }
    *rest = rest.strip_prefix(']')?;
    Some(name)
}

/// Steps over the value at the cursor. Returns what is at the path `steps` in it.
fn find<'a>(scanner: &mut Scanner<'a>, steps: &[Step]) -> Scan<Option<&'a str>> {
    let Some((step, rest)) = steps.split_first() else { return scanner.value().map(Some) };
    let mut found = None;
    let mut first = true;
    match scanner.next_token() {
        b'{' => {
            scanner.open();
            while scanner.another(first, b'}')? {
                first = false;
                // Of members with one name the last one counts.
                if scanner.name()?.is(&step.name) {
                    found = find(scanner, rest)?;
                } else {
                    scanner.skip_value()?;
                }
            }
        }
        b'[' => {
            scanner.open();
            let mut index = 0;
            while scanner.another(first, b']')? {
                first = false;
                if step.index == Some(index) {
                    found = find(scanner, rest)?;
                } else {
                    scanner.skip_value()?;
                }
                index += 1;
            }
        }
        _ => scanner.skip_value()?,
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::compact::Compact;
    use super::super::compact::tests::{any_document, written};
    use super::*;

    fn names(path: &str) -> Option<Vec<String>> {
        Path::parse(path).ok().map(|path| path.0.into_iter().map(|step| step.name).collect())
    }

    #[test]
    fn paths_are_read() {
        let cases: [(&str, Option<&[&str]>); 12] = [
            ("$", Some(&[])),
            ("$.a.b", Some(&["a", "b"])),
            ("$.@type[0]", Some(&["@type", "0"])),
            ("$.a-b[key][\"x.\\\"y\"].c d", Some(&["a-b", "key", "x.\"y", "c d"])),
            ("$[0][1]", Some(&["0", "1"])),
            ("$.é", Some(&["é"])),
            ("a.b", None),
            ("$a", None),
            ("$.", None),
            ("$.a[", None),
            ("$.a[]", None),
            ("$.a[\"b]", None),
        ];
        for (path, expected) in cases {
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
            assert_eq!(names(path), expected, "{path}");
        }
        assert!(Path::parse(&("$".to_owned() + &".a".repeat(2000))).is_err());
    }

    /// `document` and all that is in it, with the paths to them.
    fn places(document: &Value, path: String, places: &mut Vec<(String, Value)>) {
        match document {
            Value::Array(elements) => elements.iter().enumerate().for_each(|(index, element)| {
                self::places(element, format!("{path}[{index}]"), places);
            }),
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                let name = name.replace('\\', "\\\\").replace('"', "\\\"");
                self::places(value, format!("{path}[\"{name}\"]"), places);
            }),
            _ => {}
        }
        places.push((path, document.clone()));
    }

    proptest! {
        #[test]
        fn everything_is_found_where_it_is(document in any_document(), indented: bool) {
            let text = written(&document, indented);
            let mut all = Vec::new();
            places(&document, "$".to_owned(), &mut all);
            for (path, expected) in all {
                let found = Path::parse(&path).and_then(|path| path.find(&text));
                let mut compact = Compact::default();
                let found = found.map(|found| found.map(|found| compact.json(found).to_owned()));
                let mut expected_as = Compact::default();
                prop_assert_eq!(found, Ok(Some(expected_as.json(&written(&expected, false)).to_owned())), "{}", path);
            }
            let missing = Path::parse("$.none[0]").and_then(|path| path.find(&text));
            prop_assert_eq!(missing, Ok(None));
        }
    }
}
