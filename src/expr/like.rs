//! `LIKE`: `%` stands for any run of characters, `_` for one; neither crosses the end of a line.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion_physical_expr::PhysicalExpr;

use super::kernel::Kernel;
use super::row_errors;

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// These characters.
    Text(String),
    /// `_`
    One,
    /// `%`
    Any,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    fn new(pattern: &str, escape: Option<char>) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            if Some(c) == escape {
                text.push(rest.next().ok_or("LIKE pattern must not end with the escape character")?);
                continue;
            }
            let part = match c {
                '%' => Part::Any,
                '_' => Part::One,
                other => {
                    text.push(other);
                    continue;
                }
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(part);
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(Self { parts })
    }

    fn matches(&self, text: &str) -> bool {
        if text.contains(is_line_end) {
            return matches(&self.parts, text);
        }
        match self.parts.as_slice() {
            [Part::Any] => true,
            [Part::Text(only)] => text == only,
            [Part::Text(start), Part::Any] => text.starts_with(start.as_str()),
            [Part::Any, Part::Text(end)] => text.ends_with(end.as_str()),
            [Part::Any, Part::Text(middle), Part::Any] => {
                memchr::memmem::find(text.as_bytes(), middle.as_bytes()).is_some()
            }
            parts => matches(parts, text),
        }
    }
}

/// The characters that Java's `.` does not match.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether `text` matches `parts`: on a mismatch the last `%` takes one character more.
fn matches(parts: &[Part], text: &str) -> bool {
    let (mut part, mut rest) = (0, text);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        match parts.get(part) {
            Some(Part::Any) => {
                retry = Some((part, rest));
                part += 1;
                continue;
            }
            Some(Part::Text(expected)) if rest.starts_with(expected.as_str()) => {
                rest = &rest[expected.len()..];
                part += 1;
                continue;
            }
            Some(Part::One) => {
                if let Some(c) = rest.chars().next().filter(|&c| !is_line_end(c)) {
                    rest = &rest[c.len_utf8()..];
                    part += 1;
                    continue;
                }
            }
            None if rest.is_empty() => return true,
            _ => {}
        }
        let Some((any, from)) = retry else { return false };
        let Some(c) = from.chars().next().filter(|&c| !is_line_end(c)) else { return false };
        let from = &from[c.len_utf8()..];
        retry = Some((any, from));
        (part, rest) = (any + 1, from);
    }
}

pub(super) fn compile(inputs: Vec<Arc<dyn PhysicalExpr>>, escape: Option<char>) -> Arc<dyn PhysicalExpr> {
    Kernel::compile("LIKE", inputs, DataType::Boolean, move |operands, rows| {
        let (texts, patterns) = (operands[0].array().as_string::<i32>(), operands[1].array().as_string::<i32>());
        let mut last: Option<(&str, Result<Pattern, String>)> = None;
        let values = (0..rows).map(|row| {
            let (i, j) = (operands[0].index(row), operands[1].index(row));
            if texts.is_null(i) || patterns.is_null(j) {
                row_errors::report(row, || "operand of LIKE is null".to_owned());
                return None;
            }
            let text = patterns.value(j);
            let pattern = match last.take() {
                Some((known, pattern)) if known == text => pattern,
                _ => Pattern::new(text, escape),
            };
            let matched = match &pattern {
                Ok(pattern) => Some(pattern.matches(texts.value(i))),
                Err(reason) => {
                    row_errors::report(row, || reason.clone());
                    None
                }
            };
            last = Some((text, pattern));
            matched
        });
        Arc::new(values.collect::<BooleanArray>())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_ksqldb() {
        let check = |text: &str, pattern: &str, expected: bool| {
            let compiled = Pattern::new(pattern, Some('!')).expect("a pattern");
            assert_eq!(compiled.matches(text), expected, "'{text}' LIKE '{pattern}'");
        };
        check("penguin", "pen%", true);
        check("penguin", "%gu%", true);
        check("penguin", "%guin", true);
        check("penguin", "p_n%n", true);
        check("penguin", "p_ng", false);
        check("aab", "%a_b%", false);
        check("aaxb", "%a_b", true);
        check("", "%", true);
        check("", "_", false);
        check("100%", "100!%", true);
        check("1000", "100!%", false);
        check("two\nlines", "two%", false);
        check("two\nlines", "two\nlines", true);
        check("ünï", "_n_", true);
    }

    #[test]
    fn a_pattern_may_not_end_in_its_escape() {
        assert!(Pattern::new("a!", Some('!')).is_err());
    }
}
