//! Typed expressions: built with ksqlDB's type rules, compiled to DataFusion physical expressions over Arrow.
//!
//! ```text
//! plan ──▶ Expr (typed tree, columns by index) ── compile ──▶ Arc<dyn PhysicalExpr> ── RecordBatch ──▶ array
//!            │      ▲                                                                   └─▶ RowError per failed row
//!            └ fold ┘
//! ```
//!
//! `build` has the constructors, which check types and insert conversions (`number_type`, `common_type`); `compile` makes of each node a
//! kernel of Arrow or one of ours (`arithmetic`, `logic`, `like`, `cast`, `case`, `nested`, `lambda`, `inline`).
//! A row that fails to evaluate gives NULL and an entry in the caller's list of errors; the batch never fails.

mod arithmetic;
mod build;
mod case;
mod cast;
mod certainty;
mod common_type;
mod compile;
mod condition;
mod error;
mod fold;
mod in_place;
mod inline;
mod kernel;
mod lambda;
mod like;
mod literal;
mod logic;
mod nested;
mod number_type;
mod physical;
mod replaced;
mod row_errors;

use std::collections::BTreeSet;
use std::fmt;

use crate::functions::{LambdaBody, ScalarBody};
use crate::types::SqlType;

pub use compile::CompiledExpr;
pub use error::TypeError;
pub use fold::Folding;
pub use inline::inline_function;
pub use literal::Literal;

/// A typed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    kind: ExprKind,
    /// `None`: the NULL literal, which fits every type.
    sql_type: Option<SqlType>,
}

/// What an expression computes. Operands are already of the types that the operation works on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    Column(usize),
    Literal(Literal),
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Concat(Box<Expr>, Box<Expr>),
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>),
    IsNotNull(Box<Expr>),
    InList(Box<Expr>, Vec<Expr>),
    Like {
        text: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<char>,
    },
    Case {
        branches: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast(Box<Expr>),
    Field(Box<Expr>, usize),
    Index(Box<Expr>, Box<Expr>),
    MapGet(Box<Expr>, Box<Expr>),
    MakeArray(Vec<Expr>),
    MakeMap(Vec<(Expr, Expr)>),
    MakeStruct(Vec<(String, Expr)>),
    Call(Call),
    /// An argument of a call, with the names of its parameters.
    Lambda(Vec<String>, Box<Expr>),
    /// A parameter of an enclosing lambda.
    Variable(String),
}

/// A call of a function, arguments of the types that its variation takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// The function's name in capitals.
    name: String,
    /// Which of its variations.
    variation: usize,
    /// What computes it; `None` while nothing does.
    body: Option<CallBody>,
    /// It may give something else at every call.
    is_volatile: bool,
    /// The function may be replaced while queries that call it run.
    is_replaceable: bool,
    arguments: Vec<Expr>,
}

/// What computes a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CallBody {
    /// Of arguments that are values.
    Values(ScalarBody),
    /// Of arguments among which are lambdas.
    Lambdas(LambdaBody),
}

/// `+ - * / %`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl ArithmeticOp {
    /// The sign as in SQL.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

/// Comparisons. All are two-valued: a null operand makes them false, except for IS DISTINCT FROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `IS DISTINCT FROM`
    Distinct,
}

impl CompareOp {
    /// The sign as in SQL.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Distinct => "IS DISTINCT FROM",
        }
    }

    /// Whether it asks which operand comes first.
    pub(crate) fn is_ordered(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual)
    }

    /// The name that ksqlDB's messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "EQUAL",
            Self::NotEqual => "NOT_EQUAL",
            Self::Less => "LESS_THAN",
            Self::LessOrEqual => "LESS_THAN_OR_EQUAL",
            Self::Greater => "GREATER_THAN",
            Self::GreaterOrEqual => "GREATER_THAN_OR_EQUAL",
            Self::Distinct => "IS_DISTINCT_FROM",
        }
    }
}

impl Expr {
    /// Type of the values; `None` for the NULL literal.
    pub fn sql_type(&self) -> Option<&SqlType> {
        self.sql_type.as_ref()
    }

    /// The index of the column that this is a plain reference to.
    pub fn as_column(&self) -> Option<usize> {
        match self.kind {
            ExprKind::Column(index) => Some(index),
            _ => None,
        }
    }

    /// The value of a plain literal.
    pub fn as_literal(&self) -> Option<&Literal> {
        match &self.kind {
            ExprKind::Literal(literal) => Some(literal),
            _ => None,
        }
    }

    /// Adds the indices of all columns used.
    pub fn columns(&self, used: &mut BTreeSet<usize>) {
        if let ExprKind::Column(index) = self.kind {
            used.insert(index);
        }
        self.children().into_iter().for_each(|child| child.columns(used));
    }

    /// The same expression over a layout in which column `index` stands at `moved(index)`.
    #[must_use]
    pub fn map_columns(&self, moved: &dyn Fn(usize) -> usize) -> Self {
        let mut mapped = self.clone();
        mapped.move_columns(moved);
        mapped
    }

    fn move_columns(&mut self, moved: &dyn Fn(usize) -> usize) {
        if let ExprKind::Column(index) = &mut self.kind {
            *index = moved(*index);
        }
        self.children_mut().into_iter().for_each(|child| child.move_columns(moved));
    }

    fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Variable(_) => vec![],
            ExprKind::Arithmetic(_, left, right)
            | ExprKind::Concat(left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::Index(left, right)
            | ExprKind::MapGet(left, right)
            | ExprKind::Like { text: left, pattern: right, .. } => vec![left, right],
            ExprKind::Negate(operand)
            | ExprKind::Not(operand)
            | ExprKind::IsNull(operand)
            | ExprKind::IsNotNull(operand)
            | ExprKind::Cast(operand)
            | ExprKind::Lambda(_, operand)
            | ExprKind::Field(operand, _) => vec![operand],
            ExprKind::InList(left, list) => std::iter::once(&**left).chain(list).collect(),
            ExprKind::Case { branches, otherwise } => {
                let branches = branches.iter().flat_map(|(when, then)| [when, then]);
                branches.chain(otherwise.as_deref()).collect()
            }
            ExprKind::MakeArray(elements) => elements.iter().collect(),
            ExprKind::Call(call) => call.arguments.iter().collect(),
            ExprKind::MakeMap(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            ExprKind::MakeStruct(fields) => fields.iter().map(|(_, value)| value).collect(),
        }
    }

    fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Variable(_) => vec![],
            ExprKind::Arithmetic(_, left, right)
            | ExprKind::Concat(left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::Index(left, right)
            | ExprKind::MapGet(left, right)
            | ExprKind::Like { text: left, pattern: right, .. } => vec![left, right],
            ExprKind::Negate(operand)
            | ExprKind::Not(operand)
            | ExprKind::IsNull(operand)
            | ExprKind::IsNotNull(operand)
            | ExprKind::Cast(operand)
            | ExprKind::Lambda(_, operand)
            | ExprKind::Field(operand, _) => vec![operand],
            ExprKind::InList(left, list) => std::iter::once(&mut **left).chain(list).collect(),
            ExprKind::Case { branches, otherwise } => {
                let branches = branches.iter_mut().flat_map(|(when, then)| [when, then]);
                branches.chain(otherwise.as_deref_mut()).collect()
            }
            ExprKind::MakeArray(elements) => elements.iter_mut().collect(),
            ExprKind::Call(call) => call.arguments.iter_mut().collect(),
            ExprKind::MakeMap(entries) => entries.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            ExprKind::MakeStruct(fields) => fields.iter_mut().map(|(_, value)| value).collect(),
        }
    }

    /// The expression as text, with the columns' `names`.
    pub fn display<'a>(&'a self, names: &'a [String]) -> ExprDisplay<'a> {
        ExprDisplay { expr: self, names }
    }
}

/// Text form of an [`Expr`], see [`Expr::display`].
pub struct ExprDisplay<'a> {
    expr: &'a Expr,
    names: &'a [String],
}

impl fmt::Display for ExprDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |expr: &'_ Expr| expr.display(self.names).to_string();
        let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(", ");
        match &self.expr.kind {
            ExprKind::Column(index) => match self.names.get(*index) {
                Some(name) => f.write_str(name),
                None => write!(f, "#{index}"),
            },
            ExprKind::Literal(literal) => write!(f, "{literal}"),
            ExprKind::Arithmetic(op, left, right) => write!(f, "({} {} {})", show(left), op.sign(), show(right)),
            ExprKind::Negate(operand) => write!(f, "-{}", show(operand)),
            ExprKind::Concat(left, right) => write!(f, "({} + {})", show(left), show(right)),
            ExprKind::Compare(op, left, right) => write!(f, "({} {} {})", show(left), op.sign(), show(right)),
            ExprKind::And(left, right) => write!(f, "({} AND {})", show(left), show(right)),
            ExprKind::Or(left, right) => write!(f, "({} OR {})", show(left), show(right)),
            ExprKind::Not(operand) => write!(f, "(NOT {})", show(operand)),
            ExprKind::IsNull(operand) => write!(f, "({} IS NULL)", show(operand)),
            ExprKind::IsNotNull(operand) => write!(f, "({} IS NOT NULL)", show(operand)),
            ExprKind::InList(left, items) => write!(f, "({} IN ({}))", show(left), list(items)),
            ExprKind::Like { text, pattern, escape } => {
                write!(f, "({} LIKE {}", show(text), show(pattern))?;
                match escape {
                    Some(escape) => write!(f, " ESCAPE '{escape}')"),
                    None => f.write_str(")"),
                }
            }
            ExprKind::Case { branches, otherwise } => {
                f.write_str("(CASE")?;
                for (when, then) in branches {
                    write!(f, " WHEN {} THEN {}", show(when), show(then))?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " ELSE {}", show(otherwise))?;
                }
                f.write_str(" END)")
            }
            ExprKind::Cast(operand) => match &self.expr.sql_type {
                Some(sql_type) => write!(f, "CAST({} AS {sql_type})", show(operand)),
                None => write!(f, "{}", show(operand)),
            },
            ExprKind::Field(operand, index) => {
                let name = match operand.sql_type() {
                    Some(SqlType::Struct(fields)) => fields.get(*index).map_or("?", |field| field.name.as_str()),
                    _ => "?",
                };
                write!(f, "{}->{name}", show(operand))
            }
            ExprKind::Index(operand, index) | ExprKind::MapGet(operand, index) => {
                write!(f, "{}[{}]", show(operand), show(index))
            }
            ExprKind::Call(call) => write!(f, "{}({})", call.name, list(&call.arguments)),
            ExprKind::Lambda(names, body) if names.len() == 1 => write!(f, "{} => {}", names[0], show(body)),
            ExprKind::Lambda(names, body) => write!(f, "({}) => {}", names.join(", "), show(body)),
            ExprKind::Variable(name) => f.write_str(name),
            ExprKind::MakeArray(elements) => write!(f, "ARRAY[{}]", list(elements)),
            ExprKind::MakeMap(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{}:={}", show(key), show(value)));
                write!(f, "MAP({})", entries.collect::<Vec<_>>().join(", "))
            }
            ExprKind::MakeStruct(fields) => {
                let fields = fields.iter().map(|(name, value)| format!("{name}:={}", show(value)));
                write!(f, "STRUCT({})", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
