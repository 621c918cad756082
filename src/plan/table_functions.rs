//! Functions that make several rows of one: where they may stand.

use crate::functions::{FunctionKind, Registry};
use crate::sql::ast::{Expression, FunctionCall, Query};

use super::aggregate::{calls_of, has_aggregate};
use super::error::PlanError;
use super::scope::Scope;
use super::select::Item;

/// Checks the calls of table functions in the results of `query`.
pub(super) fn check(query: &Query, items: &[Item], scope: &Scope, functions: &Registry) -> Result<(), PlanError> {
    let calls = |item: &Item| calls_of(&item.expression, FunctionKind::Table, functions).next().map(|call| call.span);
    let Some(span) = items.iter().find_map(calls) else { return Ok(()) };
    if query.group_by.is_some() || items.iter().any(|item| has_aggregate(&item.expression, functions)) {
        return Err(PlanError::refused("Table functions cannot be used with aggregations.", span));
    }
    if scope.sources.iter().all(|source| source.data.is_table()) {
        return Err(PlanError::refused("Table source is not supported with table functions", span));
    }
    items.iter().try_for_each(|item| check_place(&item.expression, None, functions))
}

/// `outer` is the table function or CASE around `expression`.
fn check_place(expression: &Expression, outer: Option<&Expression>, functions: &Registry) -> Result<(), PlanError> {
    let is_table_function = |call: &FunctionCall| functions.of_kind(call.name.as_str(), FunctionKind::Table).is_some();
    let is_call = matches!(expression, Expression::FunctionCall(call) if is_table_function(call));
    let text = match outer {
        Some(Expression::FunctionCall(_)) if is_call => {
            Some(format!("Table functions cannot be nested: {}", outer.unwrap_or(expression).plain()))
        }
        Some(case) if is_call => Some(format!("Table functions cannot be used in CASE: {}", case.plain())),
        _ => None,
    };
    if let Some(text) = text {
        return Err(PlanError::refused(text, expression.span()));
    }
    let is_case = matches!(expression, Expression::SearchedCase { .. } | Expression::SimpleCase { .. });
    let outer = if is_call || is_case { Some(expression) } else { outer };
    expression.children().into_iter().try_for_each(|child| check_place(child, outer, functions))
}
