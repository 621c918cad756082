//! `REGEXP_REPLACE(text, pattern, replacement)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use levada_udf::{Batch, Column, scalar};

use super::pattern::{Pattern, behind, with_pattern};
use super::replacement;

/// How long one result may get.
const BYTES_MAX: usize = 64 << 20;

/// The text with all matches of a pattern replaced.
#[scalar(
    name = "regexp_replace",
    signature = "(text STRING, pattern STRING, replacement STRING) -> STRING",
    example(r"REGEXP_REPLACE('2024-05-06', '(\d+)-(\d+)', '$2/$1')" = "'05/2024-06'")
)]
pub(super) fn regexp_replace(batch: &mut Batch<'_>) -> ArrayRef {
    let [texts, patterns, replacements] = [0, 1, 2].map(|index| Column::<&str>::new(&batch.arguments()[index]));
    let mut results = StringBuilder::new();
    let mut replaced = String::new();
    for row in 0..batch.rows() {
        if texts.is_missing(row) || patterns.is_missing(row) || replacements.is_missing(row) {
            results.append_null();
            continue;
        }
        replaced.clear();
        let (text, replacement) = (texts.get(row), replacements.get(row));
        let bytes_max = BYTES_MAX.min(i32::MAX as usize - results.values_slice().len());
        let done = with_pattern(patterns.get(row), |pattern| {
            replace(&mut replaced, text, pattern, replacement)?;
            if replaced.len() > bytes_max {
                Err(format!("the result is longer than {bytes_max} bytes"))
            } else {
                Ok(())
            }
        });
        match done {
            Ok(()) => results.append_value(&replaced),
            Err(reason) => {
                results.append_null();
                batch.fail(row, reason);
            }
        }
    }
    Arc::new(results.finish())
}

/// Appends `text` with all matches of `pattern` replaced.
fn replace(out: &mut String, text: &str, pattern: &Pattern, replacement: &str) -> Result<(), String> {
    let is_plain = !replacement.contains(['$', '\\']);
    let (mut position, mut copied) = (0, 0);
    while position <= text.len() {
        let found = if is_plain {
            let Some(found) = pattern.find(text, position)? else { break };
            out.push_str(&text[copied..found.start]);
            out.push_str(replacement);
            found
        } else {
            let Some(captures) = pattern.captures(text, position)? else { break };
            let Some(found) = captures.get(0).map(|found| found.start()..found.end()) else { break };
            out.push_str(&text[copied..found.start]);
            replacement::append(out, replacement, pattern, &captures)?;
            found
        };
        if out.len() > BYTES_MAX {
            return Err(format!("the result is longer than {BYTES_MAX} bytes"));
        }
        copied = found.end;
        position = behind(text, &found);
    }
    out.push_str(&text[copied..]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, StringArray};
    use levada_udf::Operand;

    use super::super::super::{evaluated, tests::evaluated_with_failures};
    use super::*;

    fn text(values: Vec<Option<&str>>) -> Operand {
        Operand::Column(Arc::new(StringArray::from(values)))
    }

    #[test]
    fn replacements_name_groups() {
        let cases = [
            ("baabbabaa", "(ab)+", "cat", "bacatbcataa"),
            ("aab", "a*", "X", "XXbX"),
            ("abc", "", "-", "-a-b-c-"),
            ("éa", "", "-", "-é-a-"),
            ("ab", "(a)(b)", "$2$1$0", "baab"),
            ("ab", "(?<x>a)", "<${x}>", "<a>b"),
            ("ab", "(a)", "$12", "a2b"),
            ("ab", "(x)?b", "[$1]", "a[]"),
            ("ab", "b", r"\$\\", r"a$\"),
            ("ab", "x", "$9", "ab"),
        ];
        for (given, pattern, replacement, expected) in cases {
            let arguments = [given, pattern, replacement].map(|value| text(vec![Some(value)]));
            let replaced = evaluated("REGEXP_REPLACE", &arguments, 1);
            assert_eq!(replaced.as_string::<i32>().value(0), expected, "{given} {pattern} {replacement}");
        }
    }

    #[test]
    fn a_row_that_fails_leaves_the_others() {
        let texts = text(vec![Some("ab"), Some("ab"), None, Some("ab")]);
        let patterns = text(vec![Some("b"), Some("("), Some("b"), Some("a")]);
        let replacements = text(vec![Some("$1"), Some("c"), Some("c"), Some("c")]);
        let (values, failures) = evaluated_with_failures("REGEXP_REPLACE", &[texts, patterns, replacements], 4);
        assert_eq!(*values.as_string::<i32>(), StringArray::from(vec![None, None, None, Some("cb")]));
        assert_eq!(failures.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 1]);
    }
}
