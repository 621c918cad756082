//! Reads beyond ksqlDB's pull queries.
//!
//! ```text
//! read  := [WITH name [(column, …)] AS (read), …] body [ORDER BY item, …] [LIMIT n] [OFFSET n]
//! body  := term {UNION [ALL | DISTINCT] term}
//! term  := SELECT [DISTINCT] … | (read)
//! ```
//!
//! A SELECT is read as one of ksqlDB's first, and again as a read if that fails: what ksqlDB understands means what it means there.
//! Words that ksqlDB does not reserve (ORDER, UNION, OFFSET, …) are no aliases the second time.

use super::super::ast::{
    AliasedSource, CommonTable, Expression, Join, JoinKind, Literal, Read, ReadBody, ReadQuery, Refusal, SortItem,
    Statement, Subquery, SubqueryKind,
};
use super::super::error::{Expected, ParseError};
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, Token, TokenKind};
use super::super::span::Span;
use super::{Parsed, Parser, foreign};

/// Whether a read goes on where ksqlDB's language ends, or that ends with advice which is wrong for reads.
fn tells_more(error: &ParseError, refusal: &ParseError) -> bool {
    let is_misled = refusal.help().is_some_and(|help| foreign::is_wrong_in_reads(&help));
    error.span.offset > refusal.span.offset || (error.span.offset == refusal.span.offset && is_misled)
}

/// Words that end what stands before them in a read.
const CLAUSE_WORDS: [&str; 7] = ["ORDER", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "CROSS", "FETCH"];

/// Where a parser was, to begin there again.
struct Checkpoint {
    index: usize,
    depth: usize,
    height: usize,
    has_variables: bool,
    invalid: Option<Box<ParseError>>,
}

impl Parser<'_> {
    /// A SELECT of its own: one of ksqlDB's, or a read.
    pub(super) fn select_statement(&mut self) -> Parsed<Statement> {
        let start = self.checkpoint();
        let query = self.query().and_then(|query| self.expect_end_of_statement().map(|()| query));
        let refusal = match query {
            Ok(query) => return Ok(Statement::Query(Box::new(query))),
            Err(refusal) => refusal,
        };
        let end = self.checkpoint();
        self.go_back(start);
        if self.emits() {
            self.go_back(end);
            return Err(refusal);
        }
        match self.read_to_the_end() {
            Ok(query) => Ok(Statement::Read(Box::new(Read { query, refusal: Refusal(refusal) }))),
            Err(error) if tells_more(&error, &refusal) => Err(error),
            Err(_) => {
                self.go_back(end);
                Err(refusal)
            }
        }
    }

    /// A statement that begins with WITH or a parenthesis, which none of ksqlDB's does.
    pub(super) fn read_statement(&mut self, refusal: Box<ParseError>) -> Parsed<Statement> {
        let query = self.read_to_the_end()?;
        Ok(Statement::Read(Box::new(Read { query, refusal: Refusal(refusal) })))
    }

    /// Whether a read begins here that is no SELECT.
    pub(super) fn at_read(&self) -> bool {
        let is_open = |token: &&Token| token.kind == TokenKind::Symbol(Symbol::OpenParenthesis);
        let opens = self.tokens[self.index..].iter().take_while(is_open).count();
        let is_select = |count| self.keyword_ahead(count, Keyword::Select);
        self.keyword_ahead(opens, Keyword::With) || (opens > 0 && is_select(opens))
    }

    fn read_to_the_end(&mut self) -> Parsed<ReadQuery> {
        self.is_read = true;
        let query = self.read_query().and_then(|query| self.expect_end_of_statement().map(|()| query));
        self.is_read = false;
        query
    }

    /// Whether the statement ends here; its `;` is not taken.
    fn expect_end_of_statement(&mut self) -> Parsed<()> {
        match self.kind() {
            TokenKind::Symbol(Symbol::Semicolon) | TokenKind::End => Ok(()),
            _ => self.unexpected_wanting(Expected::Token(Symbol::Semicolon.text())),
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        let Parser { index, depth, height, has_variables, .. } = *self;
        Checkpoint { index, depth, height, has_variables, invalid: self.invalid.clone() }
    }

    fn go_back(&mut self, to: Checkpoint) {
        (self.index, self.depth, self.height) = (to.index, to.depth, to.height);
        (self.has_variables, self.invalid) = (to.has_variables, to.invalid);
        self.lambda_parameters.clear();
    }

    /// Whether the statement looked at has an EMIT: then it is one of ksqlDB's, right or wrong.
    fn emits(&self) -> bool {
        let rest = &self.tokens[self.index..];
        let end = rest.iter().position(|token| token.kind == TokenKind::Symbol(Symbol::Semicolon));
        let rest = &rest[..end.unwrap_or(rest.len())];
        rest.windows(2).any(|pair| {
            let next = pair[1].kind;
            pair[0].kind == TokenKind::Keyword(Keyword::Emit)
                && [Keyword::Changes, Keyword::Final].map(TokenKind::Keyword).contains(&next)
        })
    }

    fn read_query(&mut self) -> Parsed<ReadQuery> {
        self.nested(Self::whole_read)
    }

    fn whole_read(&mut self) -> Parsed<ReadQuery> {
        let span = self.span();
        let with = if self.accept(Keyword::With) { self.comma_separated(Self::common_table)? } else { Vec::new() };
        let body = self.read_body()?;
        let order_by = if self.accept_word("ORDER") {
            self.expect(Keyword::By)?;
            self.comma_separated(Self::sort_item)?
        } else {
            Vec::new()
        };
        let (mut limit, mut offset) = (None, None);
        loop {
            if limit.is_none() && self.accept(Keyword::Limit) {
                limit = Some(self.integer("LIMIT")?);
            } else if offset.is_none() && self.accept_word("OFFSET") {
                offset = Some(self.integer("OFFSET")?);
                if !self.accept_word("ROWS") {
                    self.accept_word("ROW");
                }
            } else {
                break;
            }
        }
        Ok(ReadQuery { with, body, order_by, limit, offset, span })
    }

    fn common_table(&mut self) -> Parsed<CommonTable> {
        let name = self.source_name()?;
        let mut columns = Vec::new();
        if self.accept_symbol(Symbol::OpenParenthesis) {
            columns = self.comma_separated(Self::identifier)?;
            self.expect_symbol(Symbol::CloseParenthesis)?;
        }
        self.expect(Keyword::As)?;
        let query = self.parenthesised_read()?;
        Ok(CommonTable { name, columns, query })
    }

    fn parenthesised_read(&mut self) -> Parsed<ReadQuery> {
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let query = self.read_query()?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(query)
    }

    fn read_body(&mut self) -> Parsed<ReadBody> {
        let mut body = self.read_term()?;
        loop {
            let span = self.span();
            if !self.accept_word("UNION") {
                return Ok(body);
            }
            let all = self.accept(Keyword::All);
            if !all {
                self.accept(Keyword::Distinct);
            }
            self.link()?;
            let right = Box::new(self.read_term()?);
            body = ReadBody::Union { left: Box::new(body), right, all, span };
        }
    }

    fn read_term(&mut self) -> Parsed<ReadBody> {
        if self.at_symbol(Symbol::OpenParenthesis) {
            return Ok(ReadBody::Nested(Box::new(self.parenthesised_read()?)));
        }
        let span = self.expect(Keyword::Select)?;
        let distinct = self.accept(Keyword::Distinct);
        let query = self.clauses(span)?;
        Ok(ReadBody::Select { distinct, query: Box::new(query) })
    }

    fn sort_item(&mut self) -> Parsed<SortItem> {
        let expression = self.expression()?;
        let descending = self.accept_word("DESC");
        if !descending {
            self.accept_word("ASC");
        }
        let nulls_first = match self.accept_word("NULLS") {
            true if self.accept_word("FIRST") => Some(true),
            true if self.accept_word("LAST") => Some(false),
            true => return self.unexpected(),
            false => None,
        };
        Ok(SortItem { expression, descending, nulls_first })
    }

    /// A query in FROM, in parentheses, and its name.
    pub(super) fn derived_source(&mut self) -> Parsed<AliasedSource> {
        let span = self.span();
        let query = Some(Box::new(self.parenthesised_read()?));
        self.accept(Keyword::As);
        let name = self.source_name()?;
        Ok(AliasedSource { alias: name.clone(), name, query, span })
    }

    /// `, source` and `CROSS JOIN source`: all pairs of rows.
    pub(super) fn cross_join(&mut self) -> Parsed<Option<Join>> {
        let span = self.span();
        if self.accept_word("CROSS") {
            self.expect(Keyword::Join)?;
        } else if !self.accept_symbol(Symbol::Comma) {
            return Ok(None);
        }
        let source = self.aliased_source()?;
        let on = Expression::Literal { value: Literal::Boolean(true), span };
        Ok(Some(Join { kind: JoinKind::Inner, source, within: None, on, span }))
    }

    /// A query in an expression, if one stands here: `(SELECT …)` or `EXISTS (SELECT …)`.
    pub(super) fn subquery(&mut self) -> Parsed<Option<Expression>> {
        let span = self.span();
        let exists = self.keyword_ahead(0, Keyword::Exists);
        if !self.is_read || !self.opens_query(usize::from(exists)) {
            return Ok(None);
        }
        let kind = if exists { SubqueryKind::Exists } else { SubqueryKind::Scalar };
        if exists {
            self.advance();
        }
        self.subquery_of(kind, span).map(Some)
    }

    /// The query behind `value IN`, if one stands here.
    pub(super) fn in_subquery(&mut self, value: &Expression, span: Span) -> Parsed<Option<Expression>> {
        if !self.is_read || !self.opens_query(0) {
            return Ok(None);
        }
        self.subquery_of(SubqueryKind::In(Box::new(value.clone())), span).map(Some)
    }

    fn subquery_of(&mut self, kind: SubqueryKind, span: Span) -> Parsed<Expression> {
        let query = self.parenthesised_read()?;
        Ok(Expression::Subquery(Box::new(Subquery { kind, query, span })))
    }

    fn opens_query(&self, count: usize) -> bool {
        self.symbol_ahead(count, Symbol::OpenParenthesis)
            && [Keyword::Select, Keyword::With].iter().any(|&keyword| self.keyword_ahead(count + 1, keyword))
    }

    /// Whether the word looked at begins a clause of a read.
    pub(super) fn at_clause_word(&self) -> bool {
        self.is_read && CLAUSE_WORDS.iter().any(|word| self.at_word(word))
    }

    fn at_word(&self, word: &str) -> bool {
        let is_bare = !matches!(self.kind(), TokenKind::DoubleQuoted | TokenKind::BackQuoted | TokenKind::String);
        is_bare && self.text().eq_ignore_ascii_case(word)
    }

    /// Takes a word that ksqlDB does not reserve.
    fn accept_word(&mut self, word: &'static str) -> bool {
        if self.at_word(word) {
            self.advance();
            return true;
        }
        self.looked_for(Expected::Token(word));
        false
    }

    /// Notes what is wrong with the names in `read`.
    pub(super) fn check_read(&mut self, read: &ReadQuery) {
        read.with.iter().for_each(|table| self.check_read(&table.query));
        self.check_read_body(&read.body);
        // Names of ORDER BY may be those of results: they are looked up when the read is planned.
        for item in &read.order_by {
            self.check_subqueries(&item.expression);
        }
    }

    fn check_read_body(&mut self, body: &ReadBody) {
        match body {
            ReadBody::Select { query, .. } => {
                query
                    .from
                    .sources()
                    .filter_map(|source| source.query.as_deref())
                    .for_each(|read| self.check_read(read));
                self.check_query(query);
                query.expressions().for_each(|expression| self.check_subqueries(expression));
            }
            ReadBody::Union { left, right, .. } => {
                self.check_read_body(left);
                self.check_read_body(right);
            }
            ReadBody::Nested(read) => self.check_read(read),
        }
    }

    fn check_subqueries(&mut self, expression: &Expression) {
        expression.walk(&mut |part| {
            if let Expression::Subquery(subquery) = part {
                self.check_read(&subquery.query);
            }
        });
    }
}
