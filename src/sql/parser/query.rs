//! SELECT and its clauses.

use super::super::Span;
use super::super::ast::{
    AliasedSource, Expression, Grouping, Identifier, Join, JoinKind, Query, Refinement, Relation, SelectItem, TimeSpan,
    TimeUnit, WindowExpression, WindowKind, Within,
};
use super::super::error::{Expected, ParseErrorKind};
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, TokenKind};
use super::{Parsed, Parser, is_identifier};

impl Parser<'_> {
    /// A SELECT of its own.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        let span = self.expect(Keyword::Select)?;
        let query = self.clauses(span)?;
        Ok(Query { refinement: self.refinement()?, limit: self.limit()?, ..query })
    }

    /// What stands between the SELECT at `span` and EMIT.
    pub(super) fn clauses(&mut self, span: Span) -> Parsed<Query> {
        let select = self.comma_separated(Self::select_item)?;
        self.expect(Keyword::From)?;
        Ok(Query {
            select,
            from: self.relation()?,
            window: self.window_clause()?,
            where_clause: self.condition(Keyword::Where)?,
            group_by: self.grouping(Keyword::Group)?,
            partition_by: self.grouping(Keyword::Partition)?,
            having: self.condition(Keyword::Having)?,
            refinement: None,
            limit: None,
            span,
        })
    }

    /// The SELECT of a statement that starts a persistent query: it emits changes unless it says otherwise.
    pub(super) fn persistent_query(&mut self) -> Parsed<Query> {
        let mut query = self.query()?;
        query.refinement.get_or_insert(Refinement::Changes);
        Ok(query)
    }

    pub(super) fn select_item(&mut self) -> Parsed<SelectItem> {
        let span = self.span();
        if self.at_symbol(Symbol::Asterisk) {
            self.advance();
            return Ok(SelectItem::All { source: None, span });
        }
        if is_identifier(self.kind()) && self.symbol_ahead(1, Symbol::Dot) && self.symbol_ahead(2, Symbol::Asterisk) {
            let source = Some(self.identifier()?);
            self.advance();
            self.advance();
            return Ok(SelectItem::All { source, span });
        }
        if let Some(base) = self.struct_of_all_fields()? {
            return Ok(SelectItem::AllFields { base, span });
        }
        let expression = self.expression()?;
        let alias = self.select_alias()?;
        Ok(SelectItem::Single { expression, alias, span })
    }

    /// The struct of `struct->*`, if that is what follows; else nothing is taken.
    fn struct_of_all_fields(&mut self) -> Parsed<Option<Expression>> {
        if !self.item_ends_in_all_fields() {
            return Ok(None);
        }
        let base = self.tree(Self::primary_expression)?;
        self.expect_symbol(Symbol::FieldOf)?;
        self.expect_symbol(Symbol::Asterisk)?;
        Ok(Some(base))
    }

    /// Whether `->*` comes before the next comma or FROM outside of parentheses.
    fn item_ends_in_all_fields(&self) -> bool {
        let mut depth = 0usize;
        for (offset, token) in self.tokens[self.index..].iter().enumerate() {
            match token.kind {
                TokenKind::Symbol(Symbol::OpenParenthesis | Symbol::OpenBracket) => depth += 1,
                TokenKind::Symbol(Symbol::CloseParenthesis | Symbol::CloseBracket) => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::Symbol(Symbol::Comma) | TokenKind::Keyword(Keyword::From) if depth == 0 => {
                    return false;
                }
                TokenKind::Symbol(Symbol::FieldOf) if depth == 0 && self.symbol_ahead(offset + 1, Symbol::Asterisk) => {
                    return true;
                }
                TokenKind::Symbol(Symbol::Semicolon) | TokenKind::End => return false,
                _ => {}
            }
        }
        false
    }

    fn select_alias(&mut self) -> Parsed<Option<Identifier>> {
        if self.accept(Keyword::As) || (is_identifier(self.kind()) && !self.at_clause_word()) {
            return self.identifier().map(Some);
        }
        Ok(None)
    }

    pub(super) fn relation(&mut self) -> Parsed<Relation> {
        let source = self.aliased_source()?;
        let mut joins = Vec::new();
        while let Some(join) = self.join()? {
            joins.push(join);
        }
        Ok(Relation { source, joins })
    }

    pub(super) fn aliased_source(&mut self) -> Parsed<AliasedSource> {
        if self.is_read && self.at_symbol(Symbol::OpenParenthesis) {
            return self.derived_source();
        }
        let name = self.source_name()?;
        let alias = if self.accept(Keyword::As) || self.at_source_alias() { self.source_name()? } else { name.clone() };
        Ok(AliasedSource::named(name, alias))
    }

    /// Whether a name follows that does not begin the next clause.
    fn at_source_alias(&self) -> bool {
        match self.kind() {
            TokenKind::Keyword(Keyword::Emit) => {
                !self.keyword_ahead(1, Keyword::Changes) && !self.keyword_ahead(1, Keyword::Final)
            }
            TokenKind::Keyword(Keyword::Partition) => !self.keyword_ahead(1, Keyword::By),
            kind => is_identifier(kind) && !self.at_clause_word(),
        }
    }

    fn join(&mut self) -> Parsed<Option<Join>> {
        let span = self.span();
        let Some(kind) = self.join_kind()? else {
            return if self.is_read { self.cross_join() } else { Ok(None) };
        };
        let source = self.aliased_source()?;
        let within = if self.accept(Keyword::Within) { Some(self.within()?) } else { None };
        self.expect(Keyword::On)?;
        let on = self.expression()?;
        Ok(Some(Join { kind, source, within, on, span }))
    }

    /// The words up to and with JOIN.
    fn join_kind(&mut self) -> Parsed<Option<JoinKind>> {
        let outer =
            [(Keyword::Left, JoinKind::Left), (Keyword::Right, JoinKind::Right), (Keyword::Full, JoinKind::Outer)];
        for (keyword, kind) in outer {
            if self.accept(keyword) {
                self.accept(Keyword::Outer);
                self.expect(Keyword::Join)?;
                return Ok(Some(kind));
            }
        }
        if self.accept_all(&[Keyword::Inner, Keyword::Join])? || self.accept(Keyword::Join) {
            return Ok(Some(JoinKind::Inner));
        }
        Ok(None)
    }

    fn within(&mut self) -> Parsed<Within> {
        let span = self.span();
        let (before, after) = if self.accept_symbol(Symbol::OpenParenthesis) {
            let before = self.time_span()?;
            self.expect_symbol(Symbol::Comma)?;
            let after = self.time_span()?;
            self.expect_symbol(Symbol::CloseParenthesis)?;
            (before, after)
        } else {
            let both = self.time_span()?;
            (both, both)
        };
        let grace = self.grace_period()?;
        Ok(Within { before, after, grace, span })
    }

    fn grace_period(&mut self) -> Parsed<Option<TimeSpan>> {
        if self.accept_all(&[Keyword::Grace, Keyword::Period])? {
            return self.time_span().map(Some);
        }
        Ok(None)
    }

    /// A number and a unit.
    pub(super) fn time_span(&mut self) -> Parsed<TimeSpan> {
        let first = self.span();
        let number = self.number()?;
        let value = number.text.parse();
        if value.is_err() {
            self.note_invalid(ParseErrorKind::InvalidDuration(number.text), first);
        }
        let unit = self.time_unit()?;
        let value = value.unwrap_or_default();
        Ok(TimeSpan { value, unit })
    }

    fn time_unit(&mut self) -> Parsed<TimeUnit> {
        let unit = match self.kind() {
            TokenKind::Keyword(Keyword::Millisecond | Keyword::Milliseconds) => TimeUnit::Milliseconds,
            TokenKind::Keyword(Keyword::Second | Keyword::Seconds) => TimeUnit::Seconds,
            TokenKind::Keyword(Keyword::Minute | Keyword::Minutes) => TimeUnit::Minutes,
            TokenKind::Keyword(Keyword::Hour | Keyword::Hours) => TimeUnit::Hours,
            TokenKind::Keyword(Keyword::Day | Keyword::Days) => TimeUnit::Days,
            _ => return self.unexpected_wanting(Expected::Any("a unit of time")),
        };
        self.advance();
        Ok(unit)
    }

    pub(super) fn window_clause(&mut self) -> Parsed<Option<WindowExpression>> {
        if !self.accept(Keyword::Window) {
            return Ok(None);
        }
        let name = if self.kind() == TokenKind::Word { Some(self.identifier()?) } else { None };
        let span = self.span();
        let kind = self.window_kind()?;
        let (retention, grace) = self.retention_and_grace()?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(Some(WindowExpression { name, kind, retention, grace, span }))
    }

    /// The kind, the opening parenthesis and the sizes.
    fn window_kind(&mut self) -> Parsed<WindowKind> {
        if self.accept(Keyword::Tumbling) {
            let size = self.window_size()?;
            return Ok(WindowKind::Tumbling { size });
        }
        if self.accept(Keyword::Hopping) {
            let size = self.window_size()?;
            self.expect_symbol(Symbol::Comma)?;
            self.expect(Keyword::Advance)?;
            self.expect(Keyword::By)?;
            let advance = self.time_span()?;
            return Ok(WindowKind::Hopping { size, advance });
        }
        self.expect(Keyword::Session)?;
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let gap = self.time_span()?;
        Ok(WindowKind::Session { gap })
    }

    fn window_size(&mut self) -> Parsed<TimeSpan> {
        self.expect_symbol(Symbol::OpenParenthesis)?;
        self.expect(Keyword::Size)?;
        self.time_span()
    }

    /// `[, RETENTION n unit] [, GRACE PERIOD n unit]`, in this order.
    fn retention_and_grace(&mut self) -> Parsed<(Option<TimeSpan>, Option<TimeSpan>)> {
        if !self.accept_symbol(Symbol::Comma) {
            return Ok((None, None));
        }
        let mut retention = None;
        if self.accept(Keyword::Retention) {
            retention = Some(self.time_span()?);
            if !self.accept_symbol(Symbol::Comma) {
                return Ok((retention, None));
            }
        }
        match self.grace_period()? {
            Some(grace) => Ok((retention, Some(grace))),
            None => self.unexpected(),
        }
    }

    pub(super) fn condition(&mut self, keyword: Keyword) -> Parsed<Option<Expression>> {
        if self.accept(keyword) {
            return self.expression().map(Some);
        }
        Ok(None)
    }

    /// `GROUP BY …` or `PARTITION BY …`: expressions, or a list of them in parentheses.
    pub(super) fn grouping(&mut self, keyword: Keyword) -> Parsed<Option<Grouping>> {
        if !self.accept_all(&[keyword, Keyword::By])? {
            return Ok(None);
        }
        let span = self.span();
        let expressions = if self.at_parenthesised_list() {
            self.value_list()?
        } else if self.is_read {
            self.comma_separated(Self::expression)?
        } else {
            self.comma_separated(Self::value_expression)?
        };
        Ok(Some(Grouping { expressions, span }))
    }

    /// Whether the parentheses that open here hold a list (`()`, `(a, b)`) and not one expression.
    fn at_parenthesised_list(&self) -> bool {
        if !self.at_symbol(Symbol::OpenParenthesis) {
            return false;
        }
        if self.symbol_ahead(1, Symbol::CloseParenthesis) {
            return true;
        }
        let mut depth = 0usize;
        for token in &self.tokens[self.index..] {
            match token.kind {
                TokenKind::Symbol(Symbol::OpenParenthesis | Symbol::OpenBracket) => depth += 1,
                TokenKind::Symbol(Symbol::CloseParenthesis | Symbol::CloseBracket) => {
                    depth -= 1;
                    if depth == 0 {
                        return false;
                    }
                }
                TokenKind::Symbol(Symbol::Comma) if depth == 1 => return true,
                _ => {}
            }
        }
        false
    }

    /// `(a, b)` or `()`.
    pub(super) fn value_list(&mut self) -> Parsed<Vec<Expression>> {
        self.expect_symbol(Symbol::OpenParenthesis)?;
        if self.accept_symbol(Symbol::CloseParenthesis) {
            return Ok(Vec::new());
        }
        let values = self.comma_separated(Self::value_expression)?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(values)
    }

    fn refinement(&mut self) -> Parsed<Option<Refinement>> {
        if !self.accept(Keyword::Emit) {
            return Ok(None);
        }
        if self.accept(Keyword::Changes) {
            return Ok(Some(Refinement::Changes));
        }
        self.expect(Keyword::Final)?;
        Ok(Some(Refinement::Final))
    }

    /// `LIMIT n`.
    pub(super) fn limit(&mut self) -> Parsed<Option<i32>> {
        if self.accept(Keyword::Limit) {
            return self.integer("LIMIT").map(Some);
        }
        Ok(None)
    }
}
