//! Replacing `${name}` by a variable's value before a statement is parsed.
//!
//! A reference may stand for a name or a literal, then its value must be exactly one of these; or inside a `'text'`,
//! then its value is put there with its quotes doubled. References elsewhere (comments, quoted names) are left alone,
//! and so is `$${name}`, which loses one `$`.

use std::collections::BTreeMap;

use super::lexer::{Token, TokenKind, tokenize};
use super::span::Span;

/// A reference that cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Illegal argument at {span}. Got: '{value}'")]
pub struct VariableError {
    /// Where the reference stands.
    pub span: Span,
    /// Its value, or the reference itself when the variable is not defined.
    pub value: String,
}

/// Replaces references to `variables`, whose keys are lower-case names.
pub fn substitute_variables(text: &str, variables: &BTreeMap<String, String>) -> Result<String, VariableError> {
    if !text.contains("${") {
        return Ok(text.to_owned());
    }
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    for token in tokenize(text) {
        let begin = token.span.offset as usize;
        let end = begin + token.span.length as usize;
        match token.kind {
            // The `$` before it, read as a token of its own, was copied already: only that one stays.
            TokenKind::Variable if text[..begin].ends_with('$') => {
                replaced.push_str(&text[copied..begin - 1]);
                copied = begin;
            }
            TokenKind::Variable => {
                replaced.push_str(&text[copied..begin]);
                replaced.push_str(&value_of_reference(text, token, variables)?);
                copied = end;
            }
            TokenKind::String => {
                replaced.push_str(&text[copied..begin]);
                replace_in_string(&text[begin..end], variables, &mut replaced);
                copied = end;
            }
            _ => {}
        }
    }
    replaced.push_str(&text[copied..]);
    Ok(replaced)
}

/// The value of a reference that stands for a name or literal.
fn value_of_reference(text: &str, token: Token, variables: &BTreeMap<String, String>) -> Result<String, VariableError> {
    let reference = token.text(text);
    let name = &reference[2..reference.len() - 1];
    let value = variables.get(&name.to_ascii_lowercase());
    match value {
        Some(value) if is_name_or_literal(value) => Ok(value.clone()),
        _ => Err(VariableError { span: token.span, value: value.map_or(reference, String::as_str).to_owned() }),
    }
}

/// Whether a value is one token that may stand for a reference, or a number with a sign.
fn is_name_or_literal(value: &str) -> bool {
    let number = value.strip_prefix('-');
    let tokens = tokenize(number.unwrap_or(value));
    let [token, _] = tokens.as_slice() else {
        return false;
    };
    let is_number = matches!(token.kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::Float);
    let is_other = matches!(
        token.kind,
        TokenKind::Word
            | TokenKind::DigitWord
            | TokenKind::Keyword(_)
            | TokenKind::DoubleQuoted
            | TokenKind::BackQuoted
            | TokenKind::String
    );
    is_number || (is_other && number.is_none())
}

/// Replaces references inside a quoted text; unknown ones stay.
fn replace_in_string(literal: &str, variables: &BTreeMap<String, String>, replaced: &mut String) {
    let mut rest = literal;
    while let Some(begin) = rest.find("${") {
        let Some(length) = rest[begin..].find('}') else {
            break;
        };
        let end = begin + length + 1;
        let name = rest[begin + 2..end - 1].to_ascii_lowercase();
        if begin > 0 && rest.as_bytes()[begin - 1] == b'$' {
            replaced.push_str(&rest[..begin - 1]);
            replaced.push_str(&rest[begin..end]);
        } else if let Some(value) = variables.get(&name) {
            replaced.push_str(&rest[..begin]);
            replaced.push_str(&value.replace('\'', "''"));
        } else {
            replaced.push_str(&rest[..end]);
        }
        rest = &rest[end..];
    }
    replaced.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> BTreeMap<String, String> {
        let pairs = [
            ("name", "orders"),
            ("quoted", "`my orders`"),
            ("text", "'it''s'"),
            ("raw", "it's"),
            ("number", "-1.5"),
            ("code", "a; DROP STREAM b"),
        ];
        pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn references_become_values() {
        let cases = [
            ("SELECT 1", "SELECT 1"),
            ("SELECT * FROM ${name};", "SELECT * FROM orders;"),
            ("SELECT * FROM ${NAME};", "SELECT * FROM orders;"),
            ("DROP STREAM ${quoted};", "DROP STREAM `my orders`;"),
            ("a = ${text} + ${number}", "a = 'it''s' + -1.5"),
            ("'${raw}-${name}'", "'it''s-orders'"),
            ("'${code}'", "'a; DROP STREAM b'"),
        ];
        for (text, expected) in cases {
            let replaced = substitute_variables(text, &variables());
            assert_eq!(replaced.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn some_references_stay() {
        let cases = [
            ("'${unknown} ${name'", "'${unknown} ${name'"),
            ("'$${name}' $${name}", "'${name}' ${name}"),
            ("-- ${name}\n`${name}` \"${name}\"", "-- ${name}\n`${name}` \"${name}\""),
        ];
        for (text, expected) in cases {
            let replaced = substitute_variables(text, &variables());
            assert_eq!(replaced.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn values_are_one_name_or_literal() {
        let cases = [
            ("\n ${code}", "Illegal argument at Line: 2, Col: 2. Got: 'a; DROP STREAM b'"),
            ("${unknown}", "Illegal argument at Line: 1, Col: 1. Got: '${unknown}'"),
            ("${raw}", "Illegal argument at Line: 1, Col: 1. Got: 'it's'"),
        ];
        for (text, expected) in cases {
            let error = substitute_variables(text, &variables()).expect_err(text);
            assert_eq!(error.to_string(), expected);
        }
    }
}
