//! What is said of expressions that are not well typed: ksqlDB's texts, and what to write instead.

use crate::expr::{Literal, TypeError};
use crate::sql::ast::{ArithmeticOperator, Expression};
use crate::sql::similar_names;
use crate::types::SqlType;

use super::error::{PlanError, PlanErrorKind, did_you_mean};
use super::scope::Clause;

/// `error` in `expression`, which stands in `clause`, in ksqlDB's words.
pub(super) fn type_error(error: &TypeError, expression: &Expression, clause: Clause) -> PlanError {
    let shown = expression.plain();
    let message = match error {
        TypeError::Arithmetic { left, right } if left == NULL || right == NULL => {
            format!("Error processing expression: {shown}. Arithmetic on types {left} and {right} are not supported.")
        }
        TypeError::Arithmetic { left, right } => {
            let (left, right) = (base_name(left), base_name(right));
            format!("Error processing expression: {shown}. Unsupported arithmetic types. {left} {right}")
        }
        TypeError::Expected { found, .. } if matches!(expression, Expression::Like { .. }) => {
            format!("The column type for Like condition must be VARCHAR. The column type is {found}")
        }
        TypeError::Compare { .. } if matches!(expression, Expression::Between { .. }) => {
            format!("Invalid expression: {error} expression: {shown}")
        }
        TypeError::Expected { .. } => format!("Invalid expression: {error} expression: {shown}"),
        TypeError::InvalidText { sql_type, text } => {
            format!("invalid input syntax for type {}: \"{text}\".", base_name(sql_type))
        }
        TypeError::Cast { .. } if clause == Clause::Select => format!("Invalid Select: {error}"),
        TypeError::NoElementType { .. } => no_element_type(error, expression),
        _ => error.to_string(),
    };
    let message = match (error, clause) {
        (TypeError::InvalidText { .. } | TypeError::NoCommonType { .. }, Clause::Where | Clause::Having) => {
            format!("Invalid Predicate: {message}")
        }
        _ => message,
    };
    PlanError::at(PlanErrorKind::Expression { message, hint: hint(error, expression) }, expression.span())
}

/// How messages call the type of NULL.
const NULL: &str = "null";

/// `DECIMAL` of `DECIMAL(4, 2)`.
fn base_name(sql_type: &str) -> &str {
    if sql_type.starts_with("DECIMAL") { "DECIMAL" } else { sql_type }
}

fn no_element_type(error: &TypeError, expression: &Expression) -> String {
    const ISSUE: &str = "(see https://github.com/confluentinc/ksql/issues/4239)";
    match expression {
        Expression::Array { elements, .. } if elements.is_empty() => {
            format!("Array constructor cannot be empty. Please supply at least one element {ISSUE}.")
        }
        Expression::Map { entries, .. } if entries.is_empty() => {
            format!("Map constructor cannot be empty. Please supply at least one key value pair {ISSUE}.")
        }
        _ => format!("{error} {ISSUE}. As a workaround, you may cast a NULL value to the desired type."),
    }
}

/// What to do about `error` in `expression`.
fn hint(error: &TypeError, expression: &Expression) -> Option<String> {
    let text = SqlType::String.to_string();
    match (error, expression) {
        (TypeError::UnknownField { field, known, .. }, _) => {
            did_you_mean(&similar_names(field, known.iter().map(String::as_str)))
        }
        (TypeError::CompareNull { .. }, _) => Some("write IS NULL or IS NOT NULL".to_owned()),
        (TypeError::Compare { left, left_type, right, right_type, .. }, _) => {
            let (written, other, other_type) = match (*left_type == text, *right_type == text) {
                (true, _) => (left, right, right_type),
                (_, true) => (right, left, left_type),
                _ => return None,
            };
            let number = written.trim_matches('\'');
            let is_quoted = number.len() + 2 == written.len() && Literal::number(number).is_some();
            let takes_number = !["BOOLEAN", "BYTES"].contains(&other_type.as_str());
            Some(if is_quoted && takes_number {
                format!("write {number} without quotes")
            } else {
                format!("write {}", as_text(other, other_type))
            })
        }
        (TypeError::Arithmetic { left, right }, _) if left != NULL && right != NULL => {
            let operands = match expression {
                Expression::Arithmetic { operator: ArithmeticOperator::Add, left, right, .. } => {
                    Some((&**left, &**right))
                }
                Expression::FunctionCall(call) => match call.arguments.as_slice() {
                    [left, right] => Some((left, right)),
                    _ => None,
                },
                _ => None,
            };
            let (left_text, right_text) = operands?;
            let (other, other_type) = match (*left == text, *right == text) {
                (true, false) => (right_text, right),
                (false, true) => (left_text, left),
                _ => return None,
            };
            Some(format!("write {} to join it to a text", as_text(&other.plain().to_string(), other_type)))
        }
        _ => None,
    }
}

/// How to make a text of `expression`, which has the type `sql_type`: bytes are text in some encoding only.
fn as_text(expression: &str, sql_type: &str) -> String {
    match sql_type {
        "BYTES" => format!("FROM_BYTES({expression}, 'utf8')"),
        _ => format!("CAST({expression} AS STRING)"),
    }
}

/// What is wrong in a condition is said with the clause.
pub(super) fn in_predicate(error: PlanError, clause: Clause) -> PlanError {
    match error.kind() {
        PlanErrorKind::Expression { message, hint } if !message.starts_with("Invalid Predicate") => {
            let message = format!("Error in {} expression: {message}", clause.name());
            let wrapped = PlanError::new(PlanErrorKind::Expression { message, hint: hint.clone() });
            error.span().map_or(wrapped.clone(), |span| wrapped.or_at(span))
        }
        _ => error,
    }
}
