//! Expressions.
//!
//! Sugar is gone: `a || b` is the call `concat(a, b)`, `NOT IN`, `NOT LIKE`, `NOT BETWEEN` and `IS NOT DISTINCT FROM`
//! are a [`Expression::Not`] around the positive form, and parentheses live on in the tree's shape only.

use std::hash::{Hash, Hasher};

use super::super::span::Span;
use super::{Identifier, Subquery, SubqueryKind, TypeExpr};

/// An expression. Spans point where ksqlDB's messages point: at the operator of a binary expression, at the first
/// word of a predicate (`IS`, `NOT`, `IN`, …), and at the first token of everything else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expression {
    /// A constant.
    Literal {
        /// Its value.
        value: Literal,
        /// Where it stands.
        span: Span,
    },
    /// `name` or `source.name`.
    Column {
        /// The stream, table or alias before the dot.
        source: Option<Identifier>,
        /// The column.
        name: Identifier,
        /// Where the reference begins.
        span: Span,
    },
    /// A parameter of an enclosing lambda.
    LambdaVariable(Identifier),
    /// A unit of time as a function's argument: `DATEADD(DAYS, 1, d)`.
    IntervalUnit {
        /// The unit.
        unit: TimeUnit,
        /// Where it stands.
        span: Span,
    },
    /// A query inside the expression; only in reads.
    Subquery(Box<Subquery>),
    /// `f(a, b)`; `f(*)` has no arguments.
    FunctionCall(FunctionCall),
    /// `(x, y) => body`.
    Lambda {
        /// The names it binds.
        parameters: Vec<Identifier>,
        /// What it computes.
        body: Box<Expression>,
        /// Where it stands.
        span: Span,
    },
    /// `left + right` and its like.
    Arithmetic {
        /// The operator.
        operator: ArithmeticOperator,
        /// Left operand.
        left: Box<Expression>,
        /// Right operand.
        right: Box<Expression>,
        /// Where the operator stands.
        span: Span,
    },
    /// `-operand` or `+operand`; a minus before a number is part of the literal instead.
    Signed {
        /// The sign.
        sign: Sign,
        /// What it stands before.
        operand: Box<Expression>,
        /// Where the sign stands.
        span: Span,
    },
    /// `left = right` and its like, also IS DISTINCT FROM.
    Comparison {
        /// The operator.
        operator: ComparisonOperator,
        /// Left operand.
        left: Box<Expression>,
        /// Right operand.
        right: Box<Expression>,
        /// Where the operator stands.
        span: Span,
    },
    /// `left AND right`, `left OR right`.
    Logical {
        /// The operator.
        operator: LogicalOperator,
        /// Left operand.
        left: Box<Expression>,
        /// Right operand.
        right: Box<Expression>,
        /// Where the operator stands.
        span: Span,
    },
    /// `NOT operand`.
    Not {
        /// What is negated.
        operand: Box<Expression>,
        /// Where NOT stands.
        span: Span,
    },
    /// `operand IS [NOT] NULL`.
    IsNull {
        /// What is tested.
        operand: Box<Expression>,
        /// IS NOT NULL.
        negated: bool,
        /// Where IS stands.
        span: Span,
    },
    /// `value BETWEEN low AND high`.
    Between {
        /// What is tested.
        value: Box<Expression>,
        /// Inclusive lower bound.
        low: Box<Expression>,
        /// Inclusive upper bound.
        high: Box<Expression>,
        /// Where BETWEEN (or its NOT) stands.
        span: Span,
    },
    /// `value IN (list)`.
    InList {
        /// What is tested.
        value: Box<Expression>,
        /// One expression or more.
        list: Vec<Expression>,
        /// Where IN (or its NOT) stands.
        span: Span,
    },
    /// `value LIKE pattern [ESCAPE 'c']`.
    Like {
        /// What is tested.
        value: Box<Expression>,
        /// The pattern.
        pattern: Box<Expression>,
        /// The escape character.
        escape: Option<char>,
        /// Where LIKE (or its NOT) stands.
        span: Span,
    },
    /// `CASE WHEN condition THEN result … [ELSE default] END`.
    SearchedCase {
        /// One branch or more.
        branches: Vec<WhenClause>,
        /// The ELSE.
        default: Option<Box<Expression>>,
        /// Where CASE stands.
        span: Span,
    },
    /// `CASE operand WHEN value THEN result … [ELSE default] END`.
    SimpleCase {
        /// What the branches' values are compared with.
        operand: Box<Expression>,
        /// One branch or more.
        branches: Vec<WhenClause>,
        /// The ELSE.
        default: Option<Box<Expression>>,
        /// Where CASE stands.
        span: Span,
    },
    /// `CAST(operand AS target)`.
    Cast {
        /// What is converted.
        operand: Box<Expression>,
        /// To which type.
        target: TypeExpr,
        /// Where CAST stands.
        span: Span,
    },
    /// `base[index]`.
    Subscript {
        /// An array or a map.
        base: Box<Expression>,
        /// Position or key.
        index: Box<Expression>,
        /// Where the base begins.
        span: Span,
    },
    /// `base->field`.
    Dereference {
        /// A struct.
        base: Box<Expression>,
        /// The field.
        field: Identifier,
        /// Where the base begins.
        span: Span,
    },
    /// `ARRAY[a, b]`.
    Array {
        /// Elements, possibly none.
        elements: Vec<Expression>,
        /// Where ARRAY stands.
        span: Span,
    },
    /// `MAP(k := v, …)`.
    Map {
        /// Keys and values, possibly none.
        entries: Vec<(Expression, Expression)>,
        /// Where MAP stands.
        span: Span,
    },
    /// `STRUCT(name := v, …)`.
    Struct {
        /// Names and values, possibly none.
        fields: Vec<(Identifier, Expression)>,
        /// Where STRUCT stands.
        span: Span,
    },
}

/// A function and what it is called with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionCall {
    /// Name; compare it ignoring case.
    pub name: Identifier,
    /// Arguments; lambdas come last.
    pub arguments: Vec<Expression>,
    /// Where the name stands (or the `||` of a concatenation).
    pub span: Span,
}

/// A branch of CASE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WhenClause {
    /// Condition, or value to compare with.
    pub when: Expression,
    /// The branch's result.
    pub then: Expression,
    /// Where WHEN stands.
    pub span: Span,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    /// NULL.
    Null,
    /// TRUE or FALSE.
    Boolean(bool),
    /// Digits that fit 32 bits.
    Integer(i32),
    /// Digits that fit 64 bits only.
    BigInt(i64),
    /// Digits with an exponent.
    Double(DoubleLiteral),
    /// Digits with a point.
    Decimal(DecimalLiteral),
    /// `'text'`, quotes removed.
    String(String),
    /// `${name}` that has not been replaced yet.
    Variable(String),
}

/// A finite double, equal when the bits are.
#[derive(Clone, Copy, Debug)]
pub struct DoubleLiteral(f64);

impl DoubleLiteral {
    /// The literal for a finite number.
    pub fn new(value: f64) -> DoubleLiteral {
        debug_assert!(value.is_finite(), "literals are finite");
        DoubleLiteral(value)
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl PartialEq for DoubleLiteral {
    fn eq(&self, other: &DoubleLiteral) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Eq for DoubleLiteral {}

impl Hash for DoubleLiteral {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// A decimal with every digit that was written after the point: `1.50` is not `1.5`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DecimalLiteral {
    /// `[-]digits[.digits]` without superfluous leading zeros.
    text: String,
}

impl DecimalLiteral {
    /// Reads `[+-]digits[.digits]`, where one of the two may be empty; anything else gives `None`.
    pub fn parse(text: &str) -> Option<DecimalLiteral> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let is_zero = whole.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        let mut normal = String::with_capacity(text.len() + 1);
        if negative && !is_zero {
            normal.push('-');
        }
        normal.push_str(if whole.is_empty() { "0" } else { whole });
        if !fraction.is_empty() {
            normal.push('.');
            normal.push_str(fraction);
        }
        Some(DecimalLiteral { text: normal })
    }

    /// Sign, digits and point, e.g. `-0.50`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Digits after the point.
    pub fn scale(&self) -> usize {
        self.text.split_once('.').map_or(0, |(_, fraction)| fraction.len())
    }
}

/// `+ - * / %`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOperator {
    /// `+`, also between strings.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Modulus,
}

impl ArithmeticOperator {
    /// The sign it is written with.
    pub fn symbol(self) -> &'static str {
        match self {
            ArithmeticOperator::Add => "+",
            ArithmeticOperator::Subtract => "-",
            ArithmeticOperator::Multiply => "*",
            ArithmeticOperator::Divide => "/",
            ArithmeticOperator::Modulus => "%",
        }
    }
}

/// The sign before an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// `+`.
    Plus,
    /// `-`.
    Minus,
}

/// `= <> < <= > >=` and IS DISTINCT FROM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComparisonOperator {
    /// `=`.
    Equal,
    /// `<>` or `!=`.
    NotEqual,
    /// `<`.
    LessThan,
    /// `<=`.
    LessThanOrEqual,
    /// `>`.
    GreaterThan,
    /// `>=`.
    GreaterThanOrEqual,
    /// IS DISTINCT FROM.
    IsDistinctFrom,
}

impl ComparisonOperator {
    /// The sign it is printed with.
    pub fn symbol(self) -> &'static str {
        match self {
            ComparisonOperator::Equal => "=",
            ComparisonOperator::NotEqual => "<>",
            ComparisonOperator::LessThan => "<",
            ComparisonOperator::LessThanOrEqual => "<=",
            ComparisonOperator::GreaterThan => ">",
            ComparisonOperator::GreaterThanOrEqual => ">=",
            ComparisonOperator::IsDistinctFrom => "IS DISTINCT FROM",
        }
    }
}

/// AND, OR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogicalOperator {
    /// AND.
    And,
    /// OR.
    Or,
}

impl LogicalOperator {
    /// The word it is written with.
    pub fn symbol(self) -> &'static str {
        match self {
            LogicalOperator::And => "AND",
            LogicalOperator::Or => "OR",
        }
    }
}

/// The units of windows, timeouts and intervals; singular and plural are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// MILLISECONDS.
    Milliseconds,
    /// SECONDS.
    Seconds,
    /// MINUTES.
    Minutes,
    /// HOURS.
    Hours,
    /// DAYS.
    Days,
}

impl TimeUnit {
    /// The plural name it is printed with.
    pub fn name(self) -> &'static str {
        match self {
            TimeUnit::Milliseconds => "MILLISECONDS",
            TimeUnit::Seconds => "SECONDS",
            TimeUnit::Minutes => "MINUTES",
            TimeUnit::Hours => "HOURS",
            TimeUnit::Days => "DAYS",
        }
    }

    /// Length of one unit in milliseconds.
    pub fn as_millis(self) -> i64 {
        match self {
            TimeUnit::Milliseconds => 1,
            TimeUnit::Seconds => 1_000,
            TimeUnit::Minutes => 60_000,
            TimeUnit::Hours => 3_600_000,
            TimeUnit::Days => 86_400_000,
        }
    }
}

impl Expression {
    /// Where the expression stands (see [`Expression`] for which of its tokens that is).
    pub fn span(&self) -> Span {
        match self {
            Expression::LambdaVariable(name) => name.span,
            Expression::FunctionCall(call) => call.span,
            Expression::Subquery(subquery) => subquery.span,
            Expression::Literal { span, .. }
            | Expression::Column { span, .. }
            | Expression::IntervalUnit { span, .. }
            | Expression::Lambda { span, .. }
            | Expression::Arithmetic { span, .. }
            | Expression::Signed { span, .. }
            | Expression::Comparison { span, .. }
            | Expression::Logical { span, .. }
            | Expression::Not { span, .. }
            | Expression::IsNull { span, .. }
            | Expression::Between { span, .. }
            | Expression::InList { span, .. }
            | Expression::Like { span, .. }
            | Expression::SearchedCase { span, .. }
            | Expression::SimpleCase { span, .. }
            | Expression::Cast { span, .. }
            | Expression::Subscript { span, .. }
            | Expression::Dereference { span, .. }
            | Expression::Array { span, .. }
            | Expression::Map { span, .. }
            | Expression::Struct { span, .. } => *span,
        }
    }

    /// The direct sub-expressions, in the order they are written.
    pub fn children(&self) -> Vec<&Expression> {
        fn of_case<'a>(
            branches: &'a [WhenClause],
            default: Option<&'a Expression>,
        ) -> impl Iterator<Item = &'a Expression> {
            let branches = branches.iter().flat_map(|b| [&b.when, &b.then]);
            branches.chain(default)
        }
        match self {
            Expression::Literal { .. }
            | Expression::Column { .. }
            | Expression::LambdaVariable(_)
            | Expression::IntervalUnit { .. } => Vec::new(),
            Expression::Subquery(subquery) => match &subquery.kind {
                SubqueryKind::In(value) => vec![value],
                SubqueryKind::Scalar | SubqueryKind::Exists => Vec::new(),
            },
            Expression::FunctionCall(call) => call.arguments.iter().collect(),
            Expression::Lambda { body, .. } => vec![body],
            Expression::Arithmetic { left, right, .. }
            | Expression::Comparison { left, right, .. }
            | Expression::Logical { left, right, .. } => vec![left, right],
            Expression::Signed { operand, .. }
            | Expression::Not { operand, .. }
            | Expression::IsNull { operand, .. }
            | Expression::Cast { operand, .. } => vec![operand],
            Expression::Between { value, low, high, .. } => vec![value, low, high],
            Expression::InList { value, list, .. } => std::iter::once(&**value).chain(list).collect(),
            Expression::Like { value, pattern, .. } => vec![value, pattern],
            Expression::SearchedCase { branches, default, .. } => of_case(branches, default.as_deref()).collect(),
            Expression::SimpleCase { operand, branches, default, .. } => {
                std::iter::once(&**operand).chain(of_case(branches, default.as_deref())).collect()
            }
            Expression::Subscript { base, index, .. } => vec![base, index],
            Expression::Dereference { base, .. } => vec![base],
            Expression::Array { elements, .. } => elements.iter().collect(),
            Expression::Map { entries, .. } => entries.iter().flat_map(|(k, v)| [k, v]).collect(),
            Expression::Struct { fields, .. } => fields.iter().map(|(_, v)| v).collect(),
        }
    }

    /// Calls `visit` for the expression and everything in it, parents first.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expression)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}
