//! Statements as they may be shown to others than who has written them: without the values of a connector's properties, which may be
//! passwords.

use std::borrow::Cow;

use super::error::{ParseError, ParseErrorKind};
use super::keyword::Keyword;
use super::lexer::{Symbol, Token, TokenKind, tokenize};

/// What ksqlDB puts in the place of a value.
const MASK: &str = "'[string]'";
/// The property whose value tells what kind of connector it is, and no more.
const CLASS: &str = "connector.class";

/// `text` with the values of the properties of CREATE CONNECTOR masked, but for the class. It may be no statement: then, too, what
/// could be such a value is masked.
pub fn masked(text: &str) -> Cow<'_, str> {
    // Nearly no text has the word.
    if !text.as_bytes().windows(CONNECTOR.len()).any(|word| word.eq_ignore_ascii_case(CONNECTOR)) {
        return Cow::Borrowed(text);
    }
    let tokens = tokenize(text);
    let mut masked = String::with_capacity(text.len());
    let (mut copied, mut begin) = (0, 0);
    while begin < tokens.len() {
        let is_end = |token: &Token| token.kind == TokenKind::Symbol(Symbol::Semicolon);
        let end = tokens[begin..].iter().position(is_end).map_or(tokens.len(), |length| begin + length + 1);
        let statement = &tokens[begin..end];
        if creates_connector(statement) {
            for index in (0..statement.len()).filter(|index| is_value(statement, *index, text)) {
                let span = statement[index].span;
                masked.push_str(&text[copied..span.offset as usize]);
                masked.push_str(MASK);
                copied = (span.offset + span.length) as usize;
            }
        }
        begin = end;
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

const CONNECTOR: &[u8] = b"CONNECTOR";

impl ParseError {
    /// The error as it may be shown to others than who has written `text`, in which it is: where that has values of connectors, what is
    /// quoted of it is all of it with those masked.
    #[must_use]
    pub fn masked(mut self, text: &str) -> Self {
        let shown = masked(text);
        if shown != text {
            self.statement = shown.into_owned();
            if let ParseErrorKind::Unexpected { found, .. } = &mut self.kind
                && found.starts_with(['\'', '"', '`'])
            {
                MASK.clone_into(found);
            }
        }
        self
    }
}

fn creates_connector(statement: &[Token]) -> bool {
    let is =
        |index: usize, keyword| statement.get(index).is_some_and(|token| token.kind == TokenKind::Keyword(keyword));
    let kind = usize::from(is(1, Keyword::Source) || is(1, Keyword::Sink));
    is(0, Keyword::Create) && is(1 + kind, Keyword::Connector)
}

/// Whether the token at `index` may be the value of a property: a text that no `=` follows, and that is not the connector's name.
fn is_value(statement: &[Token], index: usize, text: &str) -> bool {
    let kind = |index: usize| statement.get(index).map(|token| token.kind);
    let is_text = match statement[index].kind {
        TokenKind::String | TokenKind::Unterminated => true,
        TokenKind::DoubleQuoted | TokenKind::BackQuoted => {
            statement[..index].iter().any(|token| token.kind == TokenKind::Keyword(Keyword::With))
        }
        _ => false,
    };
    let equal = Some(TokenKind::Symbol(Symbol::Equal));
    if !is_text || kind(index + 1) == equal {
        return false;
    }
    let is_class = index >= 2
        && kind(index - 1) == equal
        && statement[index - 2].text(text).trim_matches(['\'', '"', '`']).eq_ignore_ascii_case(CLASS);
    !is_class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_connectors_are_not_shown() {
        for (text, shown) in [
            (
                "CREATE SOURCE CONNECTOR `jdbc` WITH ('connector.class' = 'a.B', \"connection.password\"='it''s', n=1);",
                "CREATE SOURCE CONNECTOR `jdbc` WITH ('connector.class' = 'a.B', \"connection.password\"='[string]', n=1);",
            ),
            (
                "create sink connector if not exists \"c\" with (`a`='x', 'b'=\"y\") ; DROP STREAM s; CREATE SINK CONNECTOR d WITH (a='z');",
                "create sink connector if not exists \"c\" with (`a`='[string]', 'b'='[string]') ; DROP STREAM s; \
                 CREATE SINK CONNECTOR d WITH (a='[string]');",
            ),
            // What is no statement may hold a password all the same.
            (
                "CREATE CONNECTOR c WITH ('a' 'x', 'b'='y",
                "CREATE CONNECTOR c WITH ('[string]' '[string]', 'b'='[string]",
            ),
            ("CREATE SINK CONNECTOR c WITH (a='x\n", "CREATE SINK CONNECTOR c WITH (a='[string]'"),
        ] {
            let masked = masked(text);
            // An unterminated quote is masked to the end of the text.
            assert!(masked.starts_with(shown), "{masked}");
            assert!(!masked.contains("'x") && !masked.contains("'y") && !masked.contains("it''s"), "{masked}");
        }
    }

    #[test]
    fn errors_quote_no_values() {
        for text in [
            "CREATE SOURCE CONNECTOR c WITH (\n'a' = 'x',\n'password' 'secret');",
            "CREATE SOURCE CONNECTOR c WITH (\n'a' = 'x',\n'password' = 'secret' 'secret');",
            "CREATE SOURCE CONNECTOR c WITH (\n'a' = 'x',\n'password' = 'secret",
        ] {
            let error = crate::sql::parse_statements(text).expect_err("that is no statement");
            assert!(error.with_statement().contains("secret"), "{error}");
            let place = error.span;
            let error = error.masked(text);
            assert!(!error.with_statement().contains("secret"), "{}", error.with_statement());
            assert_eq!(error.span, place);
        }
        let error = crate::sql::parse_statements("SELECT 'x' 'y' FROM s;").expect_err("that is no statement");
        assert_eq!(error.clone().masked("SELECT 'x' 'y' FROM s;"), error);
    }

    #[test]
    fn all_else_is_shown_as_it_is() {
        for text in [
            "SELECT 'x' FROM s;",
            "CREATE STREAM s (a INT) WITH (kafka_topic='t', sourced_by_connector='c');",
            "SHOW CONNECTORS; SELECT 'CREATE SOURCE CONNECTOR' FROM s;",
            "DROP CONNECTOR IF EXISTS \"c\"; INSERT INTO s VALUES ('connector');",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
