//! Expressions: how they are written and what they mean for one row.

use std::cmp::Ordering;

use super::value::{SqlType, Value};

/// An expression over the columns of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A column by its place in the row.
    Column(usize),
    Literal(Value),
    /// Of two numbers of one type, or two texts.
    Plus(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    Equal,
    NotEqual,
    Greater,
}

impl Comparison {
    pub const ALL: [Self; 5] = [Self::Less, Self::AtMost, Self::Equal, Self::NotEqual, Self::Greater];

    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Greater => ">",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => order.is_gt(),
        }
    }
}

/// The order of two values of one type; `None` if one is null.
pub fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        _ => match (left.as_bigint(), right.as_bigint()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_double()?.partial_cmp(&right.as_double()?),
        },
    }
}

/// A column of a row: how SQL names it, and its type.
pub type Scope = Vec<(String, SqlType)>;

impl Expr {
    /// As SQL writes it, over a row of `scope`.
    pub fn sql(&self, scope: &Scope) -> String {
        match self {
            Self::Column(index) => scope[*index].0.clone(),
            Self::Literal(value) => value.sql(),
            Self::Plus(left, right) => format!("{} + {}", left.sql(scope), right.sql(scope)),
            Self::Compare(comparison, left, right) => {
                format!("{} {} {}", left.sql(scope), comparison.sign(), right.sql(scope))
            }
            Self::And(left, right) => format!("({} AND {})", left.sql(scope), right.sql(scope)),
            Self::Or(left, right) => format!("({} OR {})", left.sql(scope), right.sql(scope)),
            Self::Not(inner) => format!("NOT ({})", inner.sql(scope)),
            Self::IsNull(inner) => format!("{} IS NULL", inner.sql(scope)),
        }
    }

    /// Its value for a row. What is computed from null is null; what is compared with null is false.
    pub fn value(&self, row: &[Value]) -> Value {
        match self {
            Self::Column(index) => row[*index].clone(),
            Self::Literal(value) => value.clone(),
            Self::Plus(left, right) => plus(&left.value(row), &right.value(row)),
            condition => Value::Boolean(condition.holds(row)),
        }
    }

    /// Whether it is true for a row.
    pub fn holds(&self, row: &[Value]) -> bool {
        match self {
            Self::Compare(comparison, left, right) => {
                compare(&left.value(row), &right.value(row)).is_some_and(|order| comparison.holds(order))
            }
            Self::And(left, right) => left.holds(row) && right.holds(row),
            Self::Or(left, right) => left.holds(row) || right.holds(row),
            Self::Not(inner) => !inner.holds(row),
            Self::IsNull(inner) => inner.value(row).is_null(),
            value => value.value(row) == Value::Boolean(true),
        }
    }

    /// The type of its value over a row of `scope`.
    pub fn sql_type(&self, scope: &Scope) -> SqlType {
        match self {
            Self::Column(index) => scope[*index].1,
            Self::Literal(Value::Int(_)) => SqlType::Int,
            Self::Literal(Value::BigInt(_)) => SqlType::BigInt,
            Self::Literal(Value::Double(_)) => SqlType::Double,
            Self::Literal(Value::Text(_)) => SqlType::Text,
            Self::Plus(left, right) => match (left.sql_type(scope), right.sql_type(scope)) {
                (SqlType::Double, _) | (_, SqlType::Double) => SqlType::Double,
                (SqlType::BigInt, _) | (_, SqlType::BigInt) => SqlType::BigInt,
                (left, _) => left,
            },
            _ => SqlType::Boolean,
        }
    }
}

fn plus(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Value::Null,
        (Value::Int(left), Value::Int(right)) => Value::Int(left.wrapping_add(*right)),
        (Value::Text(left), Value::Text(right)) => Value::Text(format!("{left}{right}")),
        _ => match (left.as_bigint(), right.as_bigint()) {
            (Some(left), Some(right)) => Value::BigInt(left.wrapping_add(right)),
            _ => match (left.as_double(), right.as_double()) {
                (Some(left), Some(right)) => Value::Double(left + right),
                _ => panic!("{left:?} + {right:?} has no meaning"),
            },
        },
    }
}
