//! Tokens to statements: recursive descent for statements and clauses, operator precedence for expressions.
//!
//! The parser remembers what it looked for at the token it is at, so that an error can say what would have fitted.
//! Errors of two kinds are kept apart, as ksqlDB does: words out of order end the parse at once; words in order that
//! say something impossible (a number too large, a KEY in a table) are noted, and reported only if the whole script is
//! otherwise in order.

mod check;
mod define;
mod expression;
mod foreign;
mod function;
mod hint;
mod query;
mod read;
mod statement;
mod type_expr;

#[cfg(test)]
mod tests;

pub(super) use foreign::typed_text;

#[cfg(test)]
use super::ast::Expression;
use super::ast::{Identifier, Statement, TypeExpr};
use super::error::{Expected, ParseError, ParseErrorKind};
use super::keyword::Keyword;
use super::lexer::{Symbol, Token, TokenKind, tokenize, unquote};
use super::span::Span;

/// A statement and the text it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedStatement {
    /// What it says.
    pub statement: Statement,
    /// Its text, from its first word to its `;`.
    pub text: String,
    /// Where that text stands in the script.
    pub span: Span,
    /// Whether it refers to variables (`${name}`) as names or literals. Replace them in `text`
    /// ([`substitute_variables`](super::substitute_variables)) and parse it again before use.
    pub has_variables: bool,
}

/// Reads a script of statements, each ended by `;`. The whole script is read before anything is returned.
pub fn parse_statements(text: &str) -> Result<Vec<ParsedStatement>, ParseError> {
    script(text, Dialect::Server)
}

/// As [`parse_statements`], with the statements that only the shell and test scripts know: RUN SCRIPT, ASSERT VALUES,
/// ASSERT NULL VALUES, ASSERT STREAM and ASSERT TABLE.
pub fn parse_test_statements(text: &str) -> Result<Vec<ParsedStatement>, ParseError> {
    script(text, Dialect::Test)
}

/// Reads one expression and nothing else.
#[cfg(test)]
pub(crate) fn parse_expression(text: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser::new(text, Dialect::Server);
    let expression = parser.expression().and_then(|expression| {
        parser.expect_end()?;
        Ok(expression)
    });
    parser.finish(expression)
}

/// Reads one type and nothing else.
pub fn parse_type(text: &str) -> Result<TypeExpr, ParseError> {
    let mut parser = Parser::new(text, Dialect::Server);
    let data_type = parser.data_type().and_then(|data_type| {
        parser.expect_end()?;
        Ok(data_type)
    });
    parser.finish(data_type)
}

fn script(text: &str, dialect: Dialect) -> Result<Vec<ParsedStatement>, ParseError> {
    let mut parser = Parser::new(text, dialect);
    let statements = parser.statements();
    parser.finish(statements)
}

/// Which statements exist.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Those that the server executes.
    Server,
    /// Also those of test scripts.
    Test,
}

/// What each production returns. Boxed, to keep frames of the recursion small.
type Parsed<T> = Result<T, Box<ParseError>>;

/// How deep productions may nest: parentheses in parentheses, CASE in CASE.
const DEPTH_MAX: usize = 200;
/// How high a tree may be. Chains (`a OR b OR c …`) make trees high without nesting; this keeps every tree low enough
/// to be walked recursively on a thread's usual stack.
const HEIGHT_MAX: usize = 1_000;

/// Characters of a token that a message shows.
const FOUND_MAX: usize = 200;

struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Token>,
    /// The token looked at.
    index: usize,
    /// How deep productions are nested.
    depth: usize,
    /// No tree read so far inside the current production is higher than this.
    height: usize,
    /// What was looked for at `expected_at`.
    expected: Vec<Expected>,
    /// The token at which `expected` was looked for.
    expected_at: usize,
    /// Parameters of the enclosing lambdas.
    lambda_parameters: Vec<Identifier>,
    /// Whether a variable was seen in the statement.
    has_variables: bool,
    /// The first thing that cannot be, though its words are in order.
    invalid: Option<Box<ParseError>>,
    dialect: Dialect,
    /// Whether what is read is a read beyond ksqlDB's pull queries.
    is_read: bool,
}

impl<'a> Parser<'a> {
    fn new(source: &'a str, dialect: Dialect) -> Parser<'a> {
        Parser {
            source,
            tokens: tokenize(source),
            index: 0,
            depth: 0,
            height: 0,
            expected: Vec::new(),
            expected_at: 0,
            lambda_parameters: Vec::new(),
            has_variables: false,
            invalid: None,
            dialect,
            is_read: false,
        }
    }

    fn finish<T>(self, parsed: Parsed<T>) -> Result<T, ParseError> {
        match (parsed, self.invalid) {
            (Err(error), _) | (Ok(_), Some(error)) => Err(*error),
            (Ok(parsed), None) => Ok(parsed),
        }
    }

    fn statements(&mut self) -> Parsed<Vec<ParsedStatement>> {
        let mut statements = Vec::new();
        while self.kind() != TokenKind::End {
            self.has_variables = false;
            let first = self.span();
            let statement = self.statement()?;
            self.end_of_statement()?;
            let span = first.to(self.previous_span());
            statements.push(ParsedStatement {
                statement,
                text: self.slice(span).to_owned(),
                span,
                has_variables: self.has_variables,
            });
        }
        Ok(statements)
    }

    fn end_of_statement(&mut self) -> Parsed<()> {
        if self.accept_symbol(Symbol::Semicolon) {
            return Ok(());
        }
        if self.kind() == TokenKind::End {
            return self.fail(ParseErrorKind::MissingSemicolon);
        }
        self.unexpected()
    }

    fn expect_end(&mut self) -> Parsed<()> {
        if self.kind() == TokenKind::End {
            return Ok(());
        }
        self.unexpected()
    }

    // Looking at tokens.

    fn token(&self) -> Token {
        self.tokens[self.index]
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    fn span(&self) -> Span {
        self.token().span
    }

    fn previous_span(&self) -> Span {
        self.tokens[self.index.saturating_sub(1)].span
    }

    /// The kind of a token further on; the last token stands for all that would follow it.
    fn kind_ahead(&self, count: usize) -> TokenKind {
        let last = self.tokens.len() - 1;
        self.tokens[(self.index + count).min(last)].kind
    }

    fn text(&self) -> &'a str {
        self.token().text(self.source)
    }

    fn slice(&self, span: Span) -> &'a str {
        let start = span.offset as usize;
        let end = start + span.length as usize;
        self.source.get(start..end).unwrap_or("")
    }

    fn at_symbol(&self, symbol: Symbol) -> bool {
        self.kind() == TokenKind::Symbol(symbol)
    }

    fn symbol_ahead(&self, count: usize, symbol: Symbol) -> bool {
        self.kind_ahead(count) == TokenKind::Symbol(symbol)
    }

    fn keyword_ahead(&self, count: usize, keyword: Keyword) -> bool {
        self.kind_ahead(count) == TokenKind::Keyword(keyword)
    }

    fn identifier_ahead(&self, count: usize) -> bool {
        is_identifier(self.kind_ahead(count))
    }

    // Taking tokens.

    /// Takes the token looked at. The end of the text is never left behind.
    fn advance(&mut self) -> Token {
        let token = self.token();
        if token.kind != TokenKind::End {
            self.index += 1;
        }
        token
    }

    fn accept(&mut self, keyword: Keyword) -> bool {
        if self.kind() == TokenKind::Keyword(keyword) {
            self.advance();
            return true;
        }
        self.looked_for(Expected::Token(keyword.text()));
        false
    }

    fn accept_symbol(&mut self, symbol: Symbol) -> bool {
        if self.at_symbol(symbol) {
            self.advance();
            return true;
        }
        self.looked_for(Expected::Token(symbol.text()));
        false
    }

    fn expect(&mut self, keyword: Keyword) -> Parsed<Span> {
        let span = self.span();
        if self.accept(keyword) {
            return Ok(span);
        }
        self.unexpected()
    }

    /// The words in their order, or nothing at all if the first is not there.
    fn accept_all(&mut self, keywords: &[Keyword]) -> Parsed<bool> {
        let [first, rest @ ..] = keywords else {
            return Ok(true);
        };
        if !self.accept(*first) {
            return Ok(false);
        }
        for keyword in rest {
            self.expect(*keyword)?;
        }
        Ok(true)
    }

    fn expect_symbol(&mut self, symbol: Symbol) -> Parsed<Span> {
        let span = self.span();
        if self.accept_symbol(symbol) {
            return Ok(span);
        }
        self.unexpected()
    }

    /// Items separated by commas, one or more.
    fn comma_separated<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept_symbol(Symbol::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `'text'`, without its quotes.
    fn string(&mut self) -> Parsed<String> {
        if self.kind() != TokenKind::String {
            return self.unexpected_wanting(Expected::Kind("STRING"));
        }
        let token = self.advance();
        Ok(unquote(token.text(self.source)))
    }

    /// A name, upper-cased unless quoted.
    fn identifier(&mut self) -> Parsed<Identifier> {
        if !is_identifier(self.kind()) {
            return self.unexpected_wanting(Expected::Any("a name"));
        }
        let token = self.advance();
        let text = token.text(self.source);
        self.has_variables |= token.kind == TokenKind::Variable;
        let quoted = matches!(token.kind, TokenKind::DoubleQuoted | TokenKind::BackQuoted);
        let name = if quoted { unquote(text) } else { text.to_ascii_uppercase() };
        Ok(Identifier { name, quoted, span: token.span })
    }

    /// The name of a stream or table.
    fn source_name(&mut self) -> Parsed<Identifier> {
        let name = self.identifier()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_variable = self.tokens[self.index - 1].kind == TokenKind::Variable;
        if !is_variable && !name.name.bytes().all(fits) {
            let kind = ParseErrorKind::InvalidSourceName(name.name.clone());
            self.note_invalid(kind, name.span);
        }
        Ok(name)
    }

    /// The name of something outside SQL, in the case it is written in.
    fn resource_name(&mut self) -> Parsed<String> {
        if self.kind() == TokenKind::String {
            return self.string();
        }
        let name = self.identifier()?;
        if name.quoted {
            return Ok(name.name);
        }
        Ok(self.slice(name.span).to_owned())
    }

    // Nesting.

    /// Runs a production one level deeper.
    fn nested<T>(&mut self, production: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH_MAX {
            return self.fail(ParseErrorKind::TooDeep);
        }
        self.depth += 1;
        let parsed = production(self);
        self.depth -= 1;
        parsed
    }

    /// Runs a production that makes one tree, and keeps account of its height. The production adds the links of its
    /// chains with [`Parser::link`].
    fn tree<T>(&mut self, production: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let beside = std::mem::take(&mut self.height);
        let tree = self.nested(production)?;
        self.link()?;
        self.height = self.height.max(beside);
        Ok(tree)
    }

    /// Puts a node on top of the tree that is being made.
    fn link(&mut self) -> Parsed<()> {
        self.height += 1;
        if self.height > HEIGHT_MAX {
            return self.fail(ParseErrorKind::TooDeep);
        }
        Ok(())
    }

    // Errors.

    /// Remembers what would have been taken at the token looked at.
    fn looked_for(&mut self, expected: Expected) {
        if self.expected_at != self.index {
            self.expected_at = self.index;
            self.expected.clear();
        }
        if !self.expected.contains(&expected) {
            self.expected.push(expected);
        }
    }

    /// The token looked at does not fit.
    fn unexpected<T>(&mut self) -> Parsed<T> {
        let expected = if self.expected_at == self.index { std::mem::take(&mut self.expected) } else { Vec::new() };
        let found = match self.kind() {
            TokenKind::End => "<EOF>".to_owned(),
            _ => shortened(self.text()),
        };
        let hint = self.hint(&expected);
        self.fail(ParseErrorKind::Unexpected { found, expected, hint })
    }

    fn unexpected_wanting<T>(&mut self, expected: Expected) -> Parsed<T> {
        self.looked_for(expected);
        self.unexpected()
    }

    /// An error at the token looked at.
    fn fail<T>(&self, kind: ParseErrorKind) -> Parsed<T> {
        let span = self.span();
        let line = self.source[..(span.offset as usize).min(self.source.len())].rfind('\n').map_or(0, |end| end + 1);
        let statement = self.source[line..].lines().next().unwrap_or("");
        Err(Box::new(ParseError { kind, span, statement: statement.to_owned() }))
    }

    /// Notes that something said at `span` cannot be, unless something before it cannot be either.
    fn note_invalid(&mut self, kind: ParseErrorKind, span: Span) {
        if self.invalid.is_some() {
            return;
        }
        let is_end = |token: &Token| matches!(token.kind, TokenKind::Symbol(Symbol::Semicolon) | TokenKind::End);
        let before = self.tokens[..self.index].iter().rposition(is_end);
        let first = before.map_or(0, |end| end + 1);
        let rest = &self.tokens[self.index..];
        let last = rest.iter().find(|token| is_end(token));
        let last = last.map_or(span, |token| token.span);
        let whole = self.tokens[first].span.to(last);
        self.invalid = Some(Box::new(ParseError { kind, span, statement: self.slice(whole).to_owned() }));
    }
}

/// The beginning of a token that is too long for a message.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(FOUND_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether a token of this kind can be a name.
fn is_identifier(kind: TokenKind) -> bool {
    match kind {
        TokenKind::Word
        | TokenKind::DigitWord
        | TokenKind::DoubleQuoted
        | TokenKind::BackQuoted
        | TokenKind::Variable => true,
        TokenKind::Keyword(keyword) => keyword.is_name(),
        _ => false,
    }
}
