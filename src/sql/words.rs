//! What the words of a text are, for those who colour or complete them. The text may be half written.

use std::ops::Range;

use super::keyword;
use super::lexer::{TokenKind, tokenize};

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// A word of the language; most of them may also be names.
    Keyword,
    /// A name, in quotes or not.
    Name,
    /// A text in quotes, perhaps without its end.
    Text,
    /// A number.
    Number,
    /// `${name}`.
    Variable,
    /// A sign, or what is nothing.
    Sign,
    /// A comment.
    Comment,
}

/// The stretches of `text`, in order. Between them are blanks.
pub fn words(text: &str) -> Vec<(Range<usize>, WordKind)> {
    let (mut words, mut end) = (Vec::new(), 0);
    for token in tokenize(text) {
        let begin = token.span.offset as usize;
        words.extend(comments(text, end..begin));
        end = begin + token.span.length as usize;
        let kind = match token.kind {
            TokenKind::End => break,
            TokenKind::Keyword(_) => WordKind::Keyword,
            TokenKind::Word | TokenKind::DigitWord | TokenKind::DoubleQuoted | TokenKind::BackQuoted => WordKind::Name,
            TokenKind::String => WordKind::Text,
            TokenKind::Integer | TokenKind::Decimal | TokenKind::Float => WordKind::Number,
            TokenKind::Variable => WordKind::Variable,
            TokenKind::Unterminated if text[begin..].starts_with("/*") => WordKind::Comment,
            TokenKind::Unterminated => WordKind::Text,
            TokenKind::Symbol(_) | TokenKind::Unknown => WordKind::Sign,
        };
        words.push((begin..end, kind));
    }
    words
}

/// The comments, if there are any, between two tokens.
fn comments(text: &str, between: Range<usize>) -> Option<(Range<usize>, WordKind)> {
    let gap = &text[between.clone()];
    let begin = gap.len() - gap.trim_start().len();
    let end = gap.trim_end().len();
    (begin < end).then(|| (between.start + begin..between.start + end, WordKind::Comment))
}

/// All words of the language, in alphabetical order.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    keyword::texts()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, WordKind)]) {
        let found: Vec<(&str, WordKind)> = words(text).into_iter().map(|(range, kind)| (&text[range], kind)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn half_written_texts_have_words_too() {
        use WordKind::{Comment, Keyword, Name, Number, Sign, Text, Variable};
        check(
            "SELECT é, 1.5 FROM",
            &[("SELECT", Keyword), ("é", Sign), (",", Sign), ("1.5", Number), ("FROM", Keyword)],
        );
        check("a -- b\n'c", &[("a", Name), ("-- b", Comment), ("'c", Text)]);
        check("`a b` 'c' ${d}", &[("`a b`", Name), ("'c'", Text), ("${d}", Variable)]);
        check("a /* open", &[("a", Name), ("/* open", Comment)]);
        check("a -- end", &[("a", Name), ("-- end", Comment)]);
        check("", &[]);
    }

    #[test]
    fn keywords_are_all_words_of_the_language() {
        let all: Vec<&str> = keywords().collect();
        assert!(all.contains(&"SELECT") && all.contains(&"TUMBLING") && all.is_sorted());
    }
}
