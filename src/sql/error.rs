//! What is wrong with a text, where, and what would have fitted.
//!
//! Messages are spelled as ksqlDB spells them, because clients look at them; what ksqlDB does not say (the words that
//! would fit, a hint) is in [`ParseError::help`], and [`ParseError::caret`] shows the place.

use std::fmt;

use super::ast::SourceKind;
use super::span::Span;

/// A text that is not a script of statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Where.
    pub span: Span,
    /// What ksqlDB quotes after its message: the line of a syntax error, or the whole statement when its words are
    /// in order but what they say cannot be.
    pub statement: String,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// No statement begins with this word.
    UnknownStatement {
        /// The word.
        found: String,
        /// The most similar word that begins one.
        similar: &'static str,
    },
    /// The text ends before the `;` of its last statement.
    MissingSemicolon,
    /// Something else should stand here.
    Unexpected {
        /// What stands here; `<EOF>` at the end of the text.
        found: String,
        /// What could stand here.
        expected: Vec<Expected>,
        /// What the author may have meant.
        hint: Option<&'static str>,
    },
    /// Expressions, types or statements are nested too deeply.
    TooDeep,
    /// An integer beyond 64 bits or a malformed number.
    InvalidNumber(String),
    /// A double beyond the largest one.
    DoubleOverflow(String),
    /// A number of a clause is not an integer of 32 bits.
    NotAnInteger {
        /// The clause.
        clause: &'static str,
    },
    /// A size or timeout is not an integer.
    InvalidDuration(String),
    /// A stream or table cannot have this name.
    InvalidSourceName(String),
    /// LIMIT in CREATE … AS SELECT.
    LimitInCreate(SourceKind),
    /// KEY in a table or PRIMARY KEY in a stream.
    WrongKeyRole {
        /// What is created.
        kind: SourceKind,
        /// The column.
        column: String,
    },
    /// A name before a dot that FROM does not have.
    UnknownSource(String),
    /// INSERT lists more or fewer columns than values.
    ColumnCount {
        /// Number of columns.
        columns: usize,
        /// Number of values.
        values: usize,
    },
    /// INSERT has an empty list of values.
    NoValues,
    /// A property stands twice in a WITH clause.
    DuplicateProperty(String),
    /// ESCAPE is not followed by one character.
    InvalidEscape(String),
    /// `name 'text'` where the name is not a type that can be written so.
    UnknownConstructor(String),
    /// ASSERT SCHEMA with neither subject nor id.
    NothingToAssert,
    /// ASSERT SCHEMA ID with something else than an integer.
    InvalidSchemaId,
}

/// Something that could stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A word or sign, shown in quotes.
    Token(&'static str),
    /// One token of this kind, e.g. `INTEGER_VALUE`.
    Kind(&'static str),
    /// One of many tokens, e.g. the first of an expression.
    Any(&'static str),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Token(text) => write!(f, "'{text}'"),
            Expected::Kind(name) | Expected::Any(name) => f.write_str(name),
        }
    }
}

/// ksqlDB says what would fit only if it is no more than this.
const EXPECTED_SHOWN_MAX: usize = 3;
/// How much of a long line is shown before the caret.
const CARET_BEFORE_MAX: usize = 60;
/// How much of a long line is shown after the caret.
const CARET_AFTER_MAX: usize = 40;

impl ParseError {
    /// 1-based line of the place.
    pub fn line(&self) -> u32 {
        self.span.line
    }

    /// 1-based column of the place, in characters.
    pub fn column(&self) -> u32 {
        self.span.column
    }

    /// Whether the words are out of order (else they are in order, but what they say cannot be).
    pub fn is_syntax(&self) -> bool {
        matches!(
            self.kind,
            ParseErrorKind::UnknownStatement { .. }
                | ParseErrorKind::MissingSemicolon
                | ParseErrorKind::Unexpected { .. }
                | ParseErrorKind::TooDeep
        )
    }

    /// The message followed by `Statement: …`, as ksqlDB answers it to a request.
    pub fn with_statement(&self) -> String {
        format!("{}\nStatement: {}", self.message(), self.statement)
    }

    /// What ksqlDB does not say: the words that would fit, a hint.
    pub fn help(&self) -> Option<String> {
        match &self.kind {
            ParseErrorKind::Unexpected { hint: Some(hint), .. } => Some((*hint).to_owned()),
            ParseErrorKind::Unexpected { expected, .. } if !expected.is_empty() => {
                let expected: Vec<String> = expected.iter().map(Expected::to_string).collect();
                Some(format!("expected {}", join_or(&expected)))
            }
            ParseErrorKind::MissingSemicolon => Some("a statement ends with ';'".to_owned()),
            _ => None,
        }
    }

    /// The source line and a caret under the place, two lines without a line break at the end. `text` is the text
    /// that was parsed.
    pub fn caret(&self, text: &str) -> String {
        let line_index = self.span.line.saturating_sub(1) as usize;
        let line = text.split('\n').nth(line_index).unwrap_or("");
        let before = self.span.column.saturating_sub(1) as usize;
        let hidden = before.saturating_sub(CARET_BEFORE_MAX);
        let shown: String = line.trim_end().chars().skip(hidden).take(before - hidden + CARET_AFTER_MAX).collect();
        let indent = line.chars().skip(hidden).take(before - hidden);
        let indent: String = indent.map(|c| if c == '\t' { c } else { ' ' }).collect();
        format!("{shown}\n{indent}^")
    }

    fn message(&self) -> String {
        let detail = self.detail();
        let Span { line, column, .. } = self.span;
        match &self.kind {
            ParseErrorKind::TooDeep | ParseErrorKind::InvalidSourceName(_) => detail,
            ParseErrorKind::WrongKeyRole { .. } => format!("{}: {detail}", self.span),
            // ksqlDB counts the column of a number from 2.
            ParseErrorKind::InvalidNumber(_) | ParseErrorKind::DoubleOverflow(_) => {
                format!("Failed to prepare statement: line {line}:{}: {detail}", column + 1)
            }
            ParseErrorKind::InvalidEscape(_) => {
                format!("Failed to prepare statement: {}: {detail}", self.span)
            }
            _ if self.is_syntax() => format!("line {line}:{column}: Syntax Error\n{detail}"),
            _ => format!("Failed to prepare statement: {detail}"),
        }
    }

    fn detail(&self) -> String {
        match &self.kind {
            ParseErrorKind::UnknownStatement { found, similar } => {
                format!("Unknown statement '{found}'\nDid you mean '{similar}'?")
            }
            ParseErrorKind::MissingSemicolon => "missing ';' at '<EOF>'".to_owned(),
            ParseErrorKind::Unexpected { found, expected, .. } => self.unexpected(found, expected),
            ParseErrorKind::TooDeep => "Error processing statement: Statement is too large to parse. \
                This may be caused by having too many nested expressions in the statement."
                .to_owned(),
            ParseErrorKind::InvalidNumber(text) => format!("Invalid numeric literal: {text}"),
            ParseErrorKind::DoubleOverflow(text) => format!("Number overflows DOUBLE: {text}"),
            ParseErrorKind::NotAnInteger { clause } => {
                format!("Value must be integer for command: {clause}")
            }
            ParseErrorKind::InvalidDuration(text) => format!("For input string: \"{text}\""),
            ParseErrorKind::InvalidSourceName(name) => format!(
                "Illegal argument at {}. Source names may only contain alphanumeric values, '_' or '-'. \
                 Got: '{name}'",
                self.span
            ),
            ParseErrorKind::LimitInCreate(kind) => {
                format!("CREATE {} AS SELECT statements don't support LIMIT clause.", kind.name())
            }
            ParseErrorKind::WrongKeyRole { kind, column } => match kind {
                SourceKind::Stream => {
                    format!("Column `{column}` is a 'PRIMARY KEY' column: please use 'KEY' for streams.")
                }
                SourceKind::Table => {
                    format!("Column `{column}` is a 'KEY' column: please use 'PRIMARY KEY' for tables.")
                }
            },
            ParseErrorKind::UnknownSource(name) => {
                format!("'{name}' is not a valid stream/table name or alias.")
            }
            ParseErrorKind::ColumnCount { columns, values } => {
                format!("Expected number columns and values to match: {columns}, {values}")
            }
            ParseErrorKind::NoValues => "Expected some values for INSERT INTO statement.".to_owned(),
            ParseErrorKind::DuplicateProperty(name) => {
                format!("Multiple entries with same key: {name}")
            }
            ParseErrorKind::InvalidEscape(text) => {
                format!("Expected single character escape but got: {text}")
            }
            ParseErrorKind::UnknownConstructor(name) => format!("Unknown type: {name}"),
            ParseErrorKind::NothingToAssert => {
                "ASSERT SCHEMA statements much include a subject name or an id".to_owned()
            }
            ParseErrorKind::InvalidSchemaId => "ID must be an integer".to_owned(),
        }
    }

    fn unexpected(&self, found: &str, expected: &[Expected]) -> String {
        let any = |expected: &Expected| matches!(expected, Expected::Any(_));
        if expected.is_empty() || expected.iter().any(any) {
            let Span { line, column, .. } = self.span;
            return format!("Syntax error at or near '{found}' at line {line}:{column}");
        }
        let expected: Vec<String> = expected.iter().map(Expected::to_string).collect();
        match expected.as_slice() {
            [only] => format!("Expecting {only}"),
            few if few.len() <= EXPECTED_SHOWN_MAX => format!("Expecting {{{}}}", few.join(", ")),
            _ => String::new(),
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
fn join_or(items: &[String]) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => items.concat(),
    }
}

/// The word of `words` that takes the fewest edits to become `word`, the first of them if several do.
pub(super) fn most_similar(word: &str, words: &[&'static str]) -> &'static str {
    let word = word.to_uppercase();
    let nearest = words.iter().min_by_key(|other| strsim::levenshtein(&word, other));
    nearest.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ParseErrorKind, line: u32, column: u32) -> ParseError {
        let span = Span { line, column, ..Span::NONE };
        let statement = "S;".to_owned();
        ParseError { kind, span, statement }
    }

    fn unexpected(expected: &[Expected]) -> ParseErrorKind {
        ParseErrorKind::Unexpected { found: "x".to_owned(), expected: expected.to_vec(), hint: None }
    }

    #[test]
    fn few_fitting_words_are_listed_many_are_not() {
        let [a, b] = [Expected::Token("A"), Expected::Kind("B")];
        let cases: [(&[Expected], &str, &str); 4] = [
            (&[a], "Expecting 'A'", "expected 'A'"),
            (&[a, b], "Expecting {'A', B}", "expected 'A' or B"),
            (&[a, b, a, b], "", "expected 'A', B, 'A' or B"),
            (&[a, Expected::Any("a name")], "Syntax error at or near 'x' at line 2:7", "expected 'A' or a name"),
        ];
        for (expected, detail, help) in cases {
            let error = error(unexpected(expected), 2, 7);
            assert_eq!(error.with_statement(), format!("line 2:7: Syntax Error\n{detail}\nStatement: S;"));
            assert_eq!(error.help().as_deref(), Some(help));
        }
    }

    #[test]
    fn the_caret_stands_under_the_place() {
        let cases = [
            ("ab\ncd ef", 2, 4, "cd ef\n   ^"),
            ("\tx", 1, 2, "\tx\n\t^"),
            ("é–x", 1, 3, "é–x\n  ^"),
            ("a", 1, 2, "a\n ^"),
        ];
        for (text, line, column, expected) in cases {
            let error = error(ParseErrorKind::MissingSemicolon, line, column);
            assert_eq!(error.caret(text), expected, "{text}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_caret() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let shown = error(ParseErrorKind::MissingSemicolon, 1, 501).caret(&text);
        let (line, caret) = shown.split_once('\n').expect("two lines");
        assert_eq!(line.find('X'), caret.find('^'));
        assert_eq!(line.len(), 100);
    }

    #[test]
    fn the_nearest_word() {
        let words = ["SELECT", "CREATE", "DROP"];
        for (word, expected) in [("selct", "SELECT"), ("CRATE", "CREATE"), ("dorp", "DROP")] {
            assert_eq!(most_similar(word, &words), expected);
        }
    }
}
