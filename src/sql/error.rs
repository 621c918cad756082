//! What is wrong with a text, where, and what would have fitted.
//!
//! Messages are spelled as ksqlDB spells them, because clients look at them; what ksqlDB does not say (the words that
//! would fit, a hint) is in [`ParseError::help`].

use std::fmt;

use super::ast::SourceKind;
use super::nearest::nearest;
use super::parser::typed_text;
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
        /// The word that begins one and of which this is a slip.
        similar: Option<&'static str>,
        /// What to write instead.
        hint: Option<&'static str>,
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
        hint: Option<String>,
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
    /// `INSERT INTO … SELECT … LIMIT`.
    LimitInInsert,
    /// KEY in a table or PRIMARY KEY in a stream.
    WrongKeyRole {
        /// What is created.
        kind: SourceKind,
        /// The column.
        column: String,
    },
    /// A name before a dot that FROM does not have.
    UnknownSource {
        /// The name.
        name: String,
        /// The names that FROM has; none outside of a query.
        sources: Vec<String>,
    },
    /// ROLLUP or CUBE as a function, which there is not.
    GroupingFunction {
        /// Its name.
        name: String,
        /// What to write instead.
        hint: &'static str,
    },
    /// A lambda with more parameters than any function gives it.
    LambdaParameters(usize),
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

impl Expected {
    /// As it is said to people; ksqlDB shows its grammar's names.
    fn in_words(&self) -> String {
        match self {
            Expected::Kind("STRING") => "a text in 'single quotes'".to_owned(),
            Expected::Kind("INTEGER_VALUE") => "a whole number".to_owned(),
            Expected::Any("a unit of time") => {
                "a unit of time: MILLISECONDS, SECONDS, MINUTES, HOURS or DAYS".to_owned()
            }
            Expected::Token("GROUP") => "'GROUP BY'".to_owned(),
            Expected::Token("PARTITION") => "'PARTITION BY'".to_owned(),
            other => other.to_string(),
        }
    }
}

/// ksqlDB says what would fit only if it is no more than this.
const EXPECTED_SHOWN_MAX: usize = 3;
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
    #[cfg(test)]
    pub(super) fn with_statement(&self) -> String {
        format!("{}\nStatement: {}", self.message(), self.statement)
    }

    /// What ksqlDB does not say: what was probably meant, what would fit, what to write instead.
    pub fn help(&self) -> Option<String> {
        let help = match &self.kind {
            ParseErrorKind::Unexpected { hint: Some(hint), .. } => return Some(hint.clone()),
            ParseErrorKind::Unexpected { expected, .. } if !expected.is_empty() => {
                let begins_join = ["LEFT", "RIGHT", "FULL", "INNER"].map(Expected::Token);
                let plain = expected.iter().filter(|expected| !begins_join.contains(expected));
                let expected: Vec<String> = plain.map(Expected::in_words).collect();
                return Some(format!("expected {}", join_or(&expected)));
            }
            ParseErrorKind::UnknownStatement { hint: Some(hint), .. } => hint,
            ParseErrorKind::UnknownStatement { similar: None, .. } => {
                "statements begin with SELECT, CREATE, INSERT, DROP, ALTER, SHOW, DESCRIBE, EXPLAIN, PRINT, TERMINATE, \
                 PAUSE, RESUME, SET, UNSET, DEFINE, UNDEFINE or ASSERT"
            }
            ParseErrorKind::MissingSemicolon => "a statement ends with ';'",
            ParseErrorKind::TooDeep => "join the parts with fewer parentheses, or make a stream of the inner ones",
            ParseErrorKind::InvalidNumber(_) => {
                "whole numbers go up to 9223372036854775807; with a point, 1., a number may have any length"
            }
            ParseErrorKind::DoubleOverflow(_) => "doubles go up to 1.7976931348623157E308",
            ParseErrorKind::InvalidSourceName(_) => {
                "the name of a topic may have other characters: WITH (KAFKA_TOPIC = '…')"
            }
            ParseErrorKind::LimitInCreate(_) | ParseErrorKind::LimitInInsert => {
                "the query runs on as records arrive; put LIMIT on the SELECT that reads its result"
            }
            ParseErrorKind::UnknownSource { name, sources } => return sources_help(name, sources),
            ParseErrorKind::GroupingFunction { hint, .. } => hint,
            ParseErrorKind::UnknownConstructor(name) => foreign_text_help(name),
            ParseErrorKind::NothingToAssert => "write ASSERT SCHEMA SUBJECT name, ASSERT SCHEMA ID n, or both",
            _ => return None,
        };
        Some(help.to_owned())
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
            ParseErrorKind::UnknownStatement { found, similar: Some(similar), .. } => {
                format!("Unknown statement '{found}'\nDid you mean '{similar}'?")
            }
            ParseErrorKind::UnknownStatement { found, similar: None, .. } => format!("Unknown statement '{found}'"),
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
            ParseErrorKind::LimitInInsert => "INSERT INTO statements don't support LIMIT clause.".to_owned(),
            ParseErrorKind::WrongKeyRole { kind, column } => match kind {
                SourceKind::Stream => {
                    format!("Column `{column}` is a 'PRIMARY KEY' column: please use 'KEY' for streams.")
                }
                SourceKind::Table => {
                    format!("Column `{column}` is a 'KEY' column: please use 'PRIMARY KEY' for tables.")
                }
            },
            ParseErrorKind::UnknownSource { name, .. } => {
                format!("'{name}' is not a valid stream/table name or alias.")
            }
            ParseErrorKind::GroupingFunction { name, .. } => format!("Can't find any functions with the name '{name}'"),
            ParseErrorKind::LambdaParameters(count) => format!("A lambda has one to three parameters, not {count}."),
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

/// Which names may stand before a dot.
fn sources_help(name: &str, sources: &[String]) -> Option<String> {
    if let Some(similar) = nearest(name, sources.iter().map(String::as_str)) {
        return Some(format!("did you mean {similar}?"));
    }
    (!sources.is_empty()).then(|| format!("FROM has {}", join_or(sources)))
}

/// What to write instead of a name before a text.
fn foreign_text_help(name: &str) -> &'static str {
    typed_text(name).unwrap_or("only DECIMAL can stand before a text; a text alone is written 'so'")
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
}
