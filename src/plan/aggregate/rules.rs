//! What may stand in a query with aggregates, and where.

use super::super::call::unknown_function;
use super::super::error::PlanError;
use super::super::function_uses::calls_of;
use super::super::names::is_window_bound;
use super::super::scope::{Clause, as_column, columns_of};
use super::super::select::{Item, Purpose};
use super::calls::{as_aggregate, has_aggregate};
use crate::functions::{FunctionKind, Registry};
use crate::sql::Span;
use crate::sql::ast::{Expression, FunctionCall, Query};

/// Keys are computed from one row and are one value.
pub(in crate::plan) fn check_row_functions(
    expression: &Expression,
    clause: Clause,
    span: Span,
    functions: &Registry,
) -> Result<(), PlanError> {
    for (kind, article, what) in [(FunctionKind::Aggregate, "an", "aggregate"), (FunctionKind::Table, "a", "table")] {
        if let Some(name) = first_call(expression, kind, functions) {
            let clause = clause.name();
            let text = format!("{clause} does not support {what} functions: {name} is {article} {what} function.");
            return Err(PlanError::refused(text, span));
        }
    }
    Ok(())
}

/// Name of the first function of `kind` that `expression` calls.
fn first_call(expression: &Expression, kind: FunctionKind, functions: &Registry) -> Option<String> {
    calls_of(expression, kind, functions).next().map(|call| call.name.as_str().to_uppercase())
}

/// Every function is known: that is said before anything about grouping.
pub(super) fn check_functions(expression: &Expression, functions: &Registry) -> Result<(), PlanError> {
    let mut unknown = None;
    expression.walk(&mut |part| {
        if let Expression::FunctionCall(call) = part
            && functions.get(call.name.as_str()).is_none()
        {
            unknown.get_or_insert(call);
        }
    });
    unknown.map_or(Ok(()), |call| Err(unknown_function(functions, &call.name, call.span)))
}

/// Bounds of the window are results, not something to compute them from.
pub(super) fn check_bounds(expression: &Expression, everywhere: bool, functions: &Registry) -> Result<(), PlanError> {
    let mut found = None;
    expression.walk(&mut |part| {
        let inside: Vec<&Expression> = match as_aggregate(part, functions) {
            Some(call) => call.arguments.iter().collect(),
            None if everywhere => vec![part],
            None => Vec::new(),
        };
        for name in columns_of(inside.into_iter()) {
            if is_window_bound(name) {
                found.get_or_insert((name.to_owned(), part.span()));
            }
        }
    });
    found.map_or(Ok(()), |(name, span)| {
        let text = format!(
            "Window bounds column {name} can only be used in the SELECT clause of windowed aggregations and can not \
             be passed to aggregate functions. See https://github.com/confluentinc/ksql/issues/4397"
        );
        Err(PlanError::refused(text, span))
    })
}

pub(super) fn check_nesting(
    items: &[Item],
    having: Option<&Expression>,
    functions: &Registry,
) -> Result<(), PlanError> {
    let mut nested = None;
    for expression in items.iter().map(|item| &item.expression).chain(having) {
        expression.walk(&mut |part| {
            let within = |call: &FunctionCall| call.arguments.iter().any(|inner| has_aggregate(inner, functions));
            if as_aggregate(part, functions).is_some_and(within) {
                nested.get_or_insert(part);
            }
        });
    }
    nested.map_or(Ok(()), |part| {
        // A call without arguments is shown as it is mostly written.
        let shown = part.plain().to_string().replace("(*)", "()");
        let text = format!("Aggregate functions can not be nested: {shown}");
        Err(PlanError::refused(text, part.span()))
    })
}

/// Columns in `expression` that are neither below an aggregate nor part of a group expression.
fn loose_columns<'a>(
    expression: &'a Expression,
    group: &[Expression],
    functions: &Registry,
    found: &mut Vec<&'a Expression>,
) {
    if group.contains(expression) || as_aggregate(expression, functions).is_some() {
        return;
    }
    match as_column(expression) {
        Some(name) if !is_window_bound(name) => found.push(expression),
        _ => {
            for child in expression.children() {
                loose_columns(child, group, functions, found);
            }
        }
    }
}

pub(super) fn check_select(items: &[Item], group: &[Expression], functions: &Registry) -> Result<(), PlanError> {
    let mut loose: Vec<&Item> = Vec::new();
    for item in items {
        let mut found = Vec::new();
        loose_columns(&item.expression, group, functions, &mut found);
        if !found.is_empty() {
            loose.push(item);
        }
    }
    let Some(first) = loose.first() else { return Ok(()) };
    let shown: Vec<String> = loose.iter().map(|item| item.expression.plain().to_string()).collect();
    let text = format!(
        "Non-aggregate SELECT expression(s) not part of GROUP BY: {}\nEither add the column(s) to the GROUP BY or \
         remove them from the SELECT.",
        shown.join(", ")
    );
    Err(PlanError::refused(text, first.span))
}

pub(super) fn check_having(
    having: Option<&Expression>,
    group: &[Expression],
    functions: &Registry,
) -> Result<(), PlanError> {
    let mut loose = Vec::new();
    if let Some(having) = having {
        loose_columns(having, group, functions, &mut loose);
    }
    let Some(first) = loose.first() else { return Ok(()) };
    let shown: Vec<String> = loose.iter().map(|expression| expression.plain().to_string()).collect();
    let text = format!("Non-aggregate HAVING expression not part of GROUP BY: {}", shown.join(", "));
    Err(PlanError::refused(text, first.span()))
}

pub(super) fn check_without_group(query: &Query, calls: &[FunctionCall], purpose: Purpose) -> Result<(), PlanError> {
    if let Some(window) = &query.window {
        return Err(PlanError::refused("WINDOW clause requires a GROUP BY clause.", window.span));
    }
    if let Purpose::Persistent(sink) = purpose {
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        let text = format!(
            "The query used to build `{sink}` does not support aggregate function [{}] without a GROUP BY clause.",
            names.join(", ")
        );
        return Err(PlanError::refused(text, query.span));
    }
    Ok(())
}

/// WHERE is about rows, before there are aggregates.
pub(in crate::plan) fn check_where(predicate: &Expression, functions: &Registry) -> Result<(), PlanError> {
    let Some(name) = first_call(predicate, FunctionKind::Aggregate, functions) else { return Ok(()) };
    let text = format!("Aggregate functions are not supported in WHERE clause: {name} is an aggregate function.");
    Err(PlanError::refused_with_hint(text, "conditions on aggregates belong into HAVING", predicate.span()))
}
