//! Statements that differ in their literals only.
//!
//! `SELECT a FROM t WHERE k = 'x';` and `SELECT a FROM t WHERE k = 'y';` have one shape: what is known of one holds for the other,
//! but for the literals. Finding it costs a pass over the tokens, and no tree.

use super::lexer::{Lexer, TokenKind};

/// What a text is but for its literals, and those. Two texts with the same shape are the same tokens in the same order.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape<'t> {
    /// The tokens, literals replaced by their kind.
    pub text: String,
    /// The literals, in order.
    pub literals: Vec<LiteralText<'t>>,
}

/// A literal in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiteralText<'t> {
    /// As it is written, quotes included.
    pub text: &'t str,
    /// Byte offset of its first character.
    pub offset: u32,
    /// Whether it is a text in quotes rather than a number.
    pub is_text: bool,
}

/// Between two tokens of a shape, and before the kind of a literal: no token holds them.
const GAP: char = '\u{1}';
const LITERAL: char = '\u{2}';

/// The shape of `text`; `None` if it has variables, or what no statement has.
pub fn shape(text: &str) -> Option<Shape<'_>> {
    let mut lexer = Lexer::new(text);
    let mut shape = Shape { text: String::with_capacity(text.len() + 16), literals: Vec::new() };
    loop {
        let token = lexer.next_token();
        let kind = match token.kind {
            TokenKind::End => return Some(shape),
            TokenKind::Variable | TokenKind::Unterminated | TokenKind::Unknown => return None,
            TokenKind::String => Some('s'),
            TokenKind::Integer => Some('i'),
            TokenKind::Decimal => Some('d'),
            TokenKind::Float => Some('f'),
            _ => None,
        };
        let written = token.text(text);
        match kind {
            Some(kind) => {
                shape.text.extend([LITERAL, kind]);
                let literal = LiteralText { text: written, offset: token.span.offset, is_text: kind == 's' };
                shape.literals.push(literal);
            }
            None if written.contains([GAP, LITERAL]) => return None,
            None => shape.text.push_str(written),
        }
        shape.text.push(GAP);
    }
}

impl LiteralText<'_> {
    /// The text that a literal in quotes stands for.
    pub fn unquoted(&self) -> Option<std::borrow::Cow<'_, str>> {
        let inner = self.text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(if inner.contains('\'') { inner.replace("''", "'").into() } else { inner.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(text: &str) -> Vec<String> {
        let shape = shape(text).expect("tokens");
        shape.literals.iter().map(|literal| literal.unquoted().map_or(literal.text.to_owned(), Into::into)).collect()
    }

    #[test]
    fn statements_that_differ_in_literals_have_one_shape() {
        let texts = [
            "SELECT a, 'x' FROM t WHERE k = 'it''s' AND n = 12;",
            "SELECT a,\n 'long' -- comment\n FROM t WHERE k='' AND n = 7;",
        ];
        let shapes = texts.map(|text| shape(text).expect("tokens").text);
        assert_eq!(shapes[0], shapes[1]);
        assert_eq!(literals(texts[0]), ["x", "it's", "12"]);
        assert_eq!(literals(texts[1]), ["long", "", "7"]);
    }

    #[test]
    fn other_tokens_are_other_shapes() {
        let of = |text| shape(text).expect("tokens").text;
        assert_ne!(of("SELECT a FROM t WHERE k = 1"), of("SELECT a FROM t WHERE k = '1'"));
        assert_ne!(of("SELECT a FROM t WHERE k = 1"), of("SELECT a FROM t WHERE k = 1.0"));
        assert_ne!(of("SELECT ab FROM t"), of("SELECT a b FROM t"));
        assert_ne!(of("SELECT \"a\" FROM t"), of("SELECT `a` FROM t"));
    }

    #[test]
    fn what_is_not_certain_has_no_shape() {
        for text in ["SELECT ${v} FROM t", "SELECT 'open", "SELECT ? FROM t", "SELECT `\u{1}` FROM t"] {
            assert_eq!(shape(text), None, "{text:?}");
        }
    }
}
