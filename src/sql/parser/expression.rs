//! Expressions, by operator precedence.
//!
//! ```text
//! loosest   OR
//!           AND
//!           NOT
//!           = <> < <= > >=  IS  BETWEEN  IN  LIKE      (at most one, they do not chain)
//!           ||
//!           + -
//!           * / %
//!           sign
//! tightest  [index]  ->field
//! ```

use super::super::ast::{
    ArithmeticOperator, ComparisonOperator, DecimalLiteral, DoubleLiteral, Expression, FunctionCall, Identifier,
    Literal, LogicalOperator, Sign, TimeUnit, WhenClause,
};
use super::super::error::{Expected, ParseErrorKind};
use super::super::keyword::Keyword;
use super::super::lexer::{Symbol, TokenKind, unquote};
use super::super::span::Span;
use super::{Parsed, Parser, is_identifier};

/// No function gives a lambda more.
const LAMBDA_PARAMETERS_MAX: usize = 3;

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Predicate,
    Concat,
    Sum,
    Product,
    Sign,
}

/// A number as it is written, with the sign before it.
pub(super) struct Number {
    pub(super) kind: TokenKind,
    pub(super) text: String,
}

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        self.operators(Binding::Or)
    }

    /// An expression without comparisons and logic, unless in parentheses.
    pub(super) fn value_expression(&mut self) -> Parsed<Expression> {
        self.operators(Binding::Concat)
    }

    /// An expression of operators that bind at least this tightly.
    fn operators(&mut self, loosest: Binding) -> Parsed<Expression> {
        self.tree(|parser| {
            let (mut left, mut tightest) = parser.operand(loosest)?;
            while let Some(binding) = parser.operator_binding() {
                if binding < loosest || binding > tightest {
                    break;
                }
                parser.link()?;
                left = parser.operation(left, binding)?;
                if binding == Binding::Predicate {
                    tightest = Binding::And;
                }
            }
            Ok(left)
        })
    }

    /// An operand with the signs or NOT before it, and how tightly an operator after it may bind.
    fn operand(&mut self, loosest: Binding) -> Parsed<(Expression, Binding)> {
        let span = self.span();
        match self.kind() {
            TokenKind::Keyword(Keyword::Not) if loosest <= Binding::Not => {
                self.advance();
                let operand = Box::new(self.operators(Binding::Not)?);
                Ok((Expression::Not { operand, span }, Binding::And))
            }
            TokenKind::Symbol(Symbol::Minus) if !is_number(self.kind_ahead(1)) => {
                Ok((self.signed(Sign::Minus)?, Binding::Product))
            }
            TokenKind::Symbol(Symbol::Plus) => Ok((self.signed(Sign::Plus)?, Binding::Product)),
            _ => Ok((self.primary_expression()?, Binding::Product)),
        }
    }

    fn signed(&mut self, sign: Sign) -> Parsed<Expression> {
        let span = self.advance().span;
        let operand = Box::new(self.operators(Binding::Sign)?);
        Ok(Expression::Signed { sign, operand, span })
    }

    /// How tightly the operator looked at binds, if it is one.
    fn operator_binding(&self) -> Option<Binding> {
        match self.kind() {
            TokenKind::Symbol(symbol) => match symbol {
                Symbol::Asterisk | Symbol::Slash | Symbol::Percent => Some(Binding::Product),
                Symbol::Plus | Symbol::Minus => Some(Binding::Sum),
                Symbol::Concat => Some(Binding::Concat),
                symbol => comparison_operator(symbol).map(|_| Binding::Predicate),
            },
            TokenKind::Keyword(keyword) => match keyword {
                Keyword::Or => Some(Binding::Or),
                Keyword::And => Some(Binding::And),
                Keyword::Is | Keyword::Between | Keyword::In | Keyword::Like | Keyword::Not => Some(Binding::Predicate),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the operator looked at and what stands right of it.
    fn operation(&mut self, left: Expression, binding: Binding) -> Parsed<Expression> {
        let span = self.span();
        let left = Box::new(left);
        match binding {
            Binding::Or => self.logical(LogicalOperator::Or, left),
            Binding::And => self.logical(LogicalOperator::And, left),
            Binding::Concat => {
                self.advance();
                let right = self.operators(Binding::Sum)?;
                Ok(Expression::FunctionCall(FunctionCall {
                    name: Identifier::new("concat"),
                    arguments: vec![*left, right],
                    span,
                }))
            }
            Binding::Sum => self.arithmetic(left, Binding::Product),
            Binding::Product => self.arithmetic(left, Binding::Sign),
            Binding::Predicate | Binding::Not | Binding::Sign => self.predicate(left),
        }
    }

    fn logical(&mut self, operator: LogicalOperator, left: Box<Expression>) -> Parsed<Expression> {
        let span = self.advance().span;
        let tighter = match operator {
            LogicalOperator::Or => Binding::And,
            LogicalOperator::And => Binding::Not,
        };
        let right = Box::new(self.operators(tighter)?);
        Ok(Expression::Logical { operator, left, right, span })
    }

    fn arithmetic(&mut self, left: Box<Expression>, tighter: Binding) -> Parsed<Expression> {
        let operator = match self.kind() {
            TokenKind::Symbol(Symbol::Minus) => ArithmeticOperator::Subtract,
            TokenKind::Symbol(Symbol::Asterisk) => ArithmeticOperator::Multiply,
            TokenKind::Symbol(Symbol::Slash) => ArithmeticOperator::Divide,
            TokenKind::Symbol(Symbol::Percent) => ArithmeticOperator::Modulus,
            _ => ArithmeticOperator::Add,
        };
        let span = self.advance().span;
        let right = Box::new(self.operators(tighter)?);
        Ok(Expression::Arithmetic { operator, left, right, span })
    }

    // Predicates.

    fn predicate(&mut self, value: Box<Expression>) -> Parsed<Expression> {
        let span = self.span();
        if let TokenKind::Symbol(symbol) = self.kind()
            && let Some(operator) = comparison_operator(symbol)
        {
            self.advance();
            return self.comparison(operator, value, span);
        }
        if self.accept(Keyword::Is) {
            return self.is_predicate(value, span);
        }
        let negated = self.accept(Keyword::Not);
        let predicate = if self.accept(Keyword::Between) {
            self.between(value, span)
        } else if self.accept(Keyword::In) {
            self.in_list(value, span)
        } else {
            self.expect(Keyword::Like)?;
            self.like(value, span)
        };
        predicate.map(|predicate| negate_if(negated, predicate, span))
    }

    fn comparison(&mut self, operator: ComparisonOperator, left: Box<Expression>, span: Span) -> Parsed<Expression> {
        let right = Box::new(self.value_expression()?);
        Ok(Expression::Comparison { operator, left, right, span })
    }

    /// `[NOT] NULL` or `[NOT] DISTINCT FROM …`.
    fn is_predicate(&mut self, operand: Box<Expression>, span: Span) -> Parsed<Expression> {
        let negated = self.accept(Keyword::Not);
        if self.accept_all(&[Keyword::Distinct, Keyword::From])? {
            let distinct = self.comparison(ComparisonOperator::IsDistinctFrom, operand, span)?;
            return Ok(negate_if(negated, distinct, span));
        }
        self.expect(Keyword::Null)?;
        Ok(Expression::IsNull { operand, negated, span })
    }

    fn between(&mut self, value: Box<Expression>, span: Span) -> Parsed<Expression> {
        let low = Box::new(self.value_expression()?);
        self.expect(Keyword::And)?;
        let high = Box::new(self.value_expression()?);
        Ok(Expression::Between { value, low, high, span })
    }

    fn in_list(&mut self, value: Box<Expression>, span: Span) -> Parsed<Expression> {
        if let Some(subquery) = self.in_subquery(&value, span)? {
            return Ok(subquery);
        }
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let list = self.comma_separated(Self::expression)?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(Expression::InList { value, list, span })
    }

    fn like(&mut self, value: Box<Expression>, span: Span) -> Parsed<Expression> {
        let pattern = Box::new(self.value_expression()?);
        // ESCAPE may also be the alias of a select item.
        let has_escape = self.keyword_ahead(0, Keyword::Escape) && self.kind_ahead(1) == TokenKind::String;
        let escape = if has_escape { self.escape()? } else { None };
        Ok(Expression::Like { value, pattern, escape, span })
    }

    fn escape(&mut self) -> Parsed<Option<char>> {
        self.advance();
        let span = self.span();
        let text = self.string()?;
        let mut characters = text.chars();
        let escape = characters.next();
        if escape.is_none() || characters.next().is_some() {
            self.note_invalid(ParseErrorKind::InvalidEscape(text), span);
        }
        Ok(escape)
    }

    // Primary expressions.

    /// A literal, name, call or parenthesised expression, with its subscripts and fields.
    pub(super) fn primary_expression(&mut self) -> Parsed<Expression> {
        let first = self.span();
        let mut base = self.plain_primary()?;
        loop {
            if self.accept_symbol(Symbol::OpenBracket) {
                let index = Box::new(self.value_expression()?);
                let last = self.expect_symbol(Symbol::CloseBracket)?;
                base = Expression::Subscript { base: Box::new(base), index, span: first.to(last) };
            } else if self.at_symbol(Symbol::FieldOf) && !self.symbol_ahead(1, Symbol::Asterisk) {
                self.advance();
                let field = self.identifier()?;
                base = Expression::Dereference { base: Box::new(base), span: first.to(field.span), field };
            } else {
                return Ok(base);
            }
            self.link()?;
        }
    }

    fn plain_primary(&mut self) -> Parsed<Expression> {
        if let Some(subquery) = self.subquery()? {
            return Ok(subquery);
        }
        let opens = |symbol| self.symbol_ahead(1, symbol);
        match self.kind() {
            TokenKind::Keyword(Keyword::Case) => self.case(),
            TokenKind::Keyword(Keyword::Cast) => self.cast(),
            TokenKind::Keyword(Keyword::Array) if opens(Symbol::OpenBracket) => self.array(),
            TokenKind::Keyword(Keyword::Map) if opens(Symbol::OpenParenthesis) => self.map(),
            TokenKind::Keyword(Keyword::Struct) if opens(Symbol::OpenParenthesis) => self.structure(),
            TokenKind::Keyword(Keyword::Decimal) => self.constructor(),
            TokenKind::Symbol(Symbol::OpenParenthesis) => {
                self.advance();
                let inner = self.expression()?;
                self.expect_symbol(Symbol::CloseParenthesis)?;
                Ok(inner)
            }
            TokenKind::Variable if !opens(Symbol::Dot) && !opens(Symbol::OpenParenthesis) => self.literal_expression(),
            kind if is_identifier(kind) => self.named(),
            _ => self.literal_expression(),
        }
    }

    fn literal_expression(&mut self) -> Parsed<Expression> {
        let first = self.span();
        match self.literal()? {
            Some(value) => {
                let span = first.to(self.previous_span());
                Ok(Expression::Literal { value, span })
            }
            None => self.unexpected_wanting(Expected::Any("an expression")),
        }
    }

    /// A literal, if one stands here.
    pub(super) fn literal(&mut self) -> Parsed<Option<Literal>> {
        let literal = match self.kind() {
            TokenKind::Keyword(Keyword::Null) => Literal::Null,
            TokenKind::Keyword(Keyword::True) => Literal::Boolean(true),
            TokenKind::Keyword(Keyword::False) => Literal::Boolean(false),
            TokenKind::String => Literal::String(unquote(self.text())),
            TokenKind::Variable => {
                self.has_variables = true;
                let name = self.text();
                Literal::Variable(name[2..name.len() - 1].to_owned())
            }
            TokenKind::Symbol(Symbol::Minus) if is_number(self.kind_ahead(1)) => {
                return self.numeric_literal().map(Some);
            }
            kind if is_number(kind) => return self.numeric_literal().map(Some),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(literal))
    }

    fn numeric_literal(&mut self) -> Parsed<Literal> {
        let first = self.span();
        let Number { kind, text } = self.number()?;
        let literal = match kind {
            TokenKind::Integer => integer_literal(&text),
            TokenKind::Decimal => DecimalLiteral::parse(&text).map(Literal::Decimal),
            _ => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Some(Literal::Double(DoubleLiteral::new(value))),
                Ok(_) => {
                    self.note_invalid(ParseErrorKind::DoubleOverflow(text), first);
                    return Ok(Literal::Null);
                }
                Err(_) => None,
            },
        };
        if literal.is_none() {
            self.note_invalid(ParseErrorKind::InvalidNumber(text), first);
        }
        Ok(literal.unwrap_or(Literal::Null))
    }

    /// A number with the minus before it.
    pub(super) fn number(&mut self) -> Parsed<Number> {
        let negative = self.at_symbol(Symbol::Minus) && is_number(self.kind_ahead(1));
        if negative {
            self.advance();
        }
        let kind = self.kind();
        if !is_number(kind) {
            return self.unexpected_wanting(Expected::Any("a number"));
        }
        let sign = if negative { "-" } else { "" };
        let text = format!("{sign}{}", self.text());
        self.advance();
        Ok(Number { kind, text })
    }

    /// What begins with a name: a column, a call, or `DECIMAL '1.5'`.
    fn named(&mut self) -> Parsed<Expression> {
        match self.kind_ahead(1) {
            TokenKind::Symbol(Symbol::OpenParenthesis) => self.call(),
            TokenKind::String => self.constructor(),
            _ => self.column(),
        }
    }

    fn column(&mut self) -> Parsed<Expression> {
        let first = self.identifier()?;
        if self.accept_symbol(Symbol::Dot) {
            let name = self.identifier()?;
            let span = first.span.to(name.span);
            let source = Some(first);
            return Ok(Expression::Column { source, name, span });
        }
        if self.lambda_parameters.contains(&first) {
            return Ok(Expression::LambdaVariable(first));
        }
        let span = first.span;
        Ok(Expression::Column { source: None, name: first, span })
    }

    /// `DECIMAL '1.5'`: no other type can be written so.
    fn constructor(&mut self) -> Parsed<Expression> {
        let first = self.advance().span;
        let text = self.string()?;
        let span = first.to(self.previous_span());
        let name = self.slice(first).trim_matches(['"', '`']).to_ascii_uppercase();
        let value = if name == "DECIMAL" {
            DecimalLiteral::parse(&text)
        } else {
            self.note_invalid(ParseErrorKind::UnknownConstructor(name), first);
            None
        };
        if value.is_none() {
            self.note_invalid(ParseErrorKind::InvalidNumber(text), first);
        }
        let value = value.map_or(Literal::Null, Literal::Decimal);
        Ok(Expression::Literal { value, span })
    }

    fn call(&mut self) -> Parsed<Expression> {
        let name = self.identifier()?;
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let arguments = self.arguments()?;
        let last = self.expect_symbol(Symbol::CloseParenthesis)?;
        let span = name.span.to(last);
        Ok(Expression::FunctionCall(FunctionCall { name, arguments, span }))
    }

    /// `*`, nothing, or arguments of which the last ones may be lambdas.
    fn arguments(&mut self) -> Parsed<Vec<Expression>> {
        if self.at_symbol(Symbol::Asterisk) {
            self.advance();
            return Ok(Vec::new());
        }
        if self.at_symbol(Symbol::CloseParenthesis) {
            return Ok(Vec::new());
        }
        let mut arguments = vec![self.argument()?];
        let mut lambdas = false;
        while self.accept_symbol(Symbol::Comma) {
            lambdas |= self.at_lambda();
            arguments.push(if lambdas { self.nested(Self::lambda)? } else { self.argument()? });
        }
        Ok(arguments)
    }

    fn argument(&mut self) -> Parsed<Expression> {
        let span = self.span();
        let unit = match self.kind() {
            TokenKind::Keyword(Keyword::Millisecond | Keyword::Milliseconds) => TimeUnit::Milliseconds,
            TokenKind::Keyword(Keyword::Seconds) => TimeUnit::Seconds,
            TokenKind::Keyword(Keyword::Minutes) => TimeUnit::Minutes,
            TokenKind::Keyword(Keyword::Hours) => TimeUnit::Hours,
            TokenKind::Keyword(Keyword::Days) => TimeUnit::Days,
            _ => return self.expression(),
        };
        self.advance();
        Ok(Expression::IntervalUnit { unit, span })
    }

    // Lambdas.

    /// Whether `x =>` or `(x, …) =>` follows.
    fn at_lambda(&self) -> bool {
        if self.identifier_ahead(0) {
            return self.symbol_ahead(1, Symbol::Arrow);
        }
        if !self.at_symbol(Symbol::OpenParenthesis) {
            return false;
        }
        let mut next = 1;
        while self.identifier_ahead(next) {
            if !self.symbol_ahead(next + 1, Symbol::Comma) {
                return self.symbol_ahead(next + 1, Symbol::CloseParenthesis)
                    && self.symbol_ahead(next + 2, Symbol::Arrow);
            }
            next += 2;
        }
        false
    }

    fn lambda(&mut self) -> Parsed<Expression> {
        let span = self.span();
        let parameters = if self.accept_symbol(Symbol::OpenParenthesis) {
            let parameters = self.comma_separated(Self::identifier)?;
            self.expect_symbol(Symbol::CloseParenthesis)?;
            parameters
        } else {
            vec![self.identifier()?]
        };
        self.expect_symbol(Symbol::Arrow)?;
        if parameters.len() > LAMBDA_PARAMETERS_MAX {
            self.note_invalid(ParseErrorKind::LambdaParameters(parameters.len()), span);
        }
        let outer = self.lambda_parameters.len();
        self.lambda_parameters.extend(parameters.iter().take(LAMBDA_PARAMETERS_MAX).cloned());
        let body = self.expression();
        self.lambda_parameters.truncate(outer);
        Ok(Expression::Lambda { parameters, body: Box::new(body?), span })
    }

    // Constructors, CAST and CASE.

    fn array(&mut self) -> Parsed<Expression> {
        let span = self.advance().span;
        self.advance();
        let elements =
            if self.at_symbol(Symbol::CloseBracket) { Vec::new() } else { self.comma_separated(Self::expression)? };
        self.expect_symbol(Symbol::CloseBracket)?;
        Ok(Expression::Array { elements, span })
    }

    fn map(&mut self) -> Parsed<Expression> {
        let span = self.advance().span;
        let entries = self.assignments(Self::expression)?;
        Ok(Expression::Map { entries, span })
    }

    fn structure(&mut self) -> Parsed<Expression> {
        let span = self.advance().span;
        let fields = self.assignments(Self::identifier)?;
        Ok(Expression::Struct { fields, span })
    }

    /// `(key := value, …)` or `()`.
    fn assignments<K>(&mut self, mut key: impl FnMut(&mut Self) -> Parsed<K>) -> Parsed<Vec<(K, Expression)>> {
        self.expect_symbol(Symbol::OpenParenthesis)?;
        if self.accept_symbol(Symbol::CloseParenthesis) {
            return Ok(Vec::new());
        }
        let assignments = self.comma_separated(|parser| {
            let key = key(parser)?;
            parser.expect_symbol(Symbol::Assign)?;
            Ok((key, parser.expression()?))
        })?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(assignments)
    }

    fn cast(&mut self) -> Parsed<Expression> {
        let span = self.advance().span;
        self.expect_symbol(Symbol::OpenParenthesis)?;
        let operand = Box::new(self.expression()?);
        self.expect(Keyword::As)?;
        let target = self.data_type()?;
        self.expect_symbol(Symbol::CloseParenthesis)?;
        Ok(Expression::Cast { operand, target, span })
    }

    fn case(&mut self) -> Parsed<Expression> {
        let span = self.advance().span;
        let operand =
            if self.keyword_ahead(0, Keyword::When) { None } else { Some(Box::new(self.value_expression()?)) };
        let branches = self.branches()?;
        let default = if self.accept(Keyword::Else) { Some(Box::new(self.expression()?)) } else { None };
        self.expect(Keyword::End)?;
        Ok(match operand {
            Some(operand) => Expression::SimpleCase { operand, branches, default, span },
            None => Expression::SearchedCase { branches, default, span },
        })
    }

    fn branches(&mut self) -> Parsed<Vec<WhenClause>> {
        let mut branches = Vec::new();
        let mut span = self.expect(Keyword::When)?;
        loop {
            let when = self.expression()?;
            self.expect(Keyword::Then)?;
            let then = self.expression()?;
            branches.push(WhenClause { when, then, span });
            span = self.span();
            if !self.accept(Keyword::When) {
                return Ok(branches);
            }
        }
    }
}

fn is_number(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Integer | TokenKind::Decimal | TokenKind::Float)
}

fn integer_literal(text: &str) -> Option<Literal> {
    let value: i64 = text.parse().ok()?;
    Some(i32::try_from(value).map_or(Literal::BigInt(value), Literal::Integer))
}

fn comparison_operator(symbol: Symbol) -> Option<ComparisonOperator> {
    Some(match symbol {
        Symbol::Equal => ComparisonOperator::Equal,
        Symbol::NotEqual => ComparisonOperator::NotEqual,
        Symbol::Less => ComparisonOperator::LessThan,
        Symbol::LessOrEqual => ComparisonOperator::LessThanOrEqual,
        Symbol::Greater => ComparisonOperator::GreaterThan,
        Symbol::GreaterOrEqual => ComparisonOperator::GreaterThanOrEqual,
        _ => return None,
    })
}

fn negate_if(negated: bool, expression: Expression, span: Span) -> Expression {
    if !negated {
        return expression;
    }
    let operand = Box::new(expression);
    Expression::Not { operand, span }
}
