//! `EXTRACTJSONFIELD(json, path)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use levada_udf::{Batch, Column, scalar};

use super::compact::Compact;
use super::path::Path;
use super::scanner::Scanner;

/// What is at a path, $.a[0].b, of a document.
#[scalar(
    name = "extractjsonfield",
    signature = "(json STRING, path STRING) -> STRING",
    example(r#"EXTRACTJSONFIELD('{"a": [{"b": "c"}]}', '$.a[0].b')"# = "'c'")
)]
pub(super) fn extractjsonfield(batch: &mut Batch<'_>) -> ArrayRef {
    let [documents, paths] = [0, 1].map(|index| Column::<&str>::new(&batch.arguments()[index]));
    let mut results = StringBuilder::new();
    let mut compact = Compact::default();
    let mut last: Option<(&str, Result<Path, String>)> = None;
    for row in 0..batch.rows() {
        if documents.is_missing(row) || paths.is_missing(row) {
            results.append_null();
            continue;
        }
        let text = paths.get(row);
        let (_, path) = match last.take() {
            Some(known) if known.0 == text => last.insert(known),
            _ => last.insert((text, Path::parse(text))),
        };
        match path.as_ref().map_err(Clone::clone).and_then(|path| path.find(documents.get(row))) {
            Ok(Some(found)) => append(&mut results, found, &mut compact),
            Ok(None) => results.append_null(),
            Err(reason) => {
                results.append_null();
                batch.fail(row, reason);
            }
        }
    }
    Arc::new(results.finish())
}

/// Appends `value`: what texts stand for, others as JSON.
#[inline]
fn append(results: &mut StringBuilder, value: &str, compact: &mut Compact) {
    let mut scanner = Scanner::new(value);
    let text = if scanner.next_token() == b'"' { scanner.string().ok() } else { None };
    match text.and_then(super::scanner::Text::unescaped) {
        Some(text) => results.append_value(text),
        None => results.append_value(compact.plain(value)),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, StringArray};
    use levada_udf::Operand;

    use super::super::super::{evaluated, tests::evaluated_with_failures};
    use super::*;

    fn texts(values: Vec<Option<&str>>) -> ArrayRef {
        Arc::new(StringArray::from(values))
    }

    #[test]
    fn values_are_text_or_json() {
        let document = r#"{"a": {"b": [10, "x\ty", null, {"c" : 1.0}]}, "é": true, "a2": "last", "a2": "wins"} rest"#;
        let cases = [
            ("$.a.b[0]", Some("10")),
            ("$.a.b[1]", Some("x\ty")),
            ("$.a.b[2]", Some("null")),
            ("$.a.b[3]", Some(r#"{"c":1.0}"#)),
            ("$.a.b[3].c", Some("1.0")),
            ("$.a.b[4]", None),
            ("$.a.b.c", None),
            ("$.é", Some("true")),
            ("$.A", None),
            ("$.a2", Some("wins")),
            ("$.é.x", None),
        ];
        for (path, expected) in cases {
            let arguments = [Operand::Column(texts(vec![Some(document)])), Operand::Constant(texts(vec![Some(path)]))];
            let values = evaluated("EXTRACTJSONFIELD", &arguments, 1);
            assert_eq!(values.as_string::<i32>().iter().next().flatten(), expected, "{path}");
        }
    }

    #[test]
    fn a_document_is_checked_behind_what_was_sought_too() {
        let documents = texts(vec![Some(r#"{"a":1,"b":[}"#), Some(r#"{"a":1}"#), None, Some(""), Some(r#"{"a":1}"#)]);
        let paths = texts(vec![Some("$.a"), Some("$.a"), Some("$.a"), Some("$.a"), Some("a")]);
        let arguments = [Operand::Column(documents), Operand::Column(paths)];
        let (values, failures) = evaluated_with_failures("EXTRACTJSONFIELD", &arguments, 5);
        assert_eq!(*values.as_string::<i32>(), StringArray::from(vec![None, Some("1"), None, None, None]));
        assert_eq!(failures.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 4]);
        assert_eq!(values.null_count(), 4);
    }
}
