//! Aggregation in a SELECT without EMIT: over rows that end, without windows, and without aggregates too.

use super::super::error::PlanError;
use super::super::expression::Typer;
use super::super::relation::Layout;
use super::super::scope::{Clause, Scope};
use super::super::select::Item;
use super::super::{AggregateCall, Expr};
use super::calls::{ResolvedCall, bound_calls, distinct_calls, has_aggregate, with_row_time};
use super::rules::{check_functions, check_having, check_nesting, check_select};
use super::{Aggregation, group_columns, group_expressions};
use crate::sql::ast::{Expression, Query};
use crate::types::Column;

/// The aggregation of a read, whose results are `items`; `None` if it has none. It groups without aggregates too.
pub(in crate::plan) fn resolve_read(
    query: &Query,
    items: &[Item],
    scope: &Scope,
    typer: &Typer,
) -> Result<Option<Aggregation>, PlanError> {
    let functions = typer.functions();
    let having = query.having.as_ref().map(|having| scope.resolve(having, Clause::Having)).transpose()?;
    let results = || items.iter().map(|item| &item.expression);
    let aggregates = results().chain(&having).any(|expression| has_aggregate(expression, functions));
    if query.group_by.is_none() && !aggregates && having.is_none() {
        return Ok(None);
    }
    let group = match &query.group_by {
        Some(grouping) => group_expressions(grouping, scope, &[], functions)?,
        None => Vec::new(),
    };
    results().chain(&group).chain(&having).try_for_each(|expression| check_functions(expression, functions))?;
    check_nesting(items, having.as_ref(), functions)?;
    check_select(items, &group, functions)?;
    check_having(having.as_ref(), &group, functions)?;
    let written = distinct_calls(results().chain(&having), functions);
    let calls = written.iter().map(|call| with_row_time(call.clone(), scope)).collect();
    let span = query.group_by.as_ref().map_or(query.span, |grouping| grouping.span);
    Ok(Some(Aggregation { group, written, calls, having, window: None, is_final: false, window_type: None, span }))
}

/// The aggregation of a read as steps over rows of some layout.
pub(in crate::plan) struct ReadAggregation {
    /// Group expressions, then the distinct arguments.
    pub(in crate::plan) inputs: Vec<(Column, Expr)>,
    /// How many of them are group expressions.
    pub(in crate::plan) keys: usize,
    /// The aggregates.
    pub(in crate::plan) calls: Vec<AggregateCall>,
    /// Where the results stand.
    pub(in crate::plan) layout: Layout,
}

/// Aggregates rows of `layout`.
pub(in crate::plan) fn plan_read(
    aggregation: &Aggregation,
    layout: &Layout,
    typer: &Typer,
) -> Result<ReadAggregation, PlanError> {
    let resolved = aggregation.calls.iter().map(|call| ResolvedCall::new(call, layout, typer));
    let (arguments, calls) = bound_calls(resolved.collect::<Result<_, _>>()?, typer)?;
    let mut inputs = group_columns(&aggregation.group, layout, typer)?;
    let (keys, mut after) = (inputs.len(), Layout::default());
    for (i, (expression, (column, _))) in aggregation.group.iter().zip(&inputs).enumerate() {
        after.add(expression.clone(), i, column.sql_type.clone());
    }
    for (i, (written, call)) in aggregation.written.iter().zip(&calls).enumerate() {
        after.add(Expression::FunctionCall(written.clone()), keys + i, call.result.clone());
    }
    inputs.extend(arguments);
    Ok(ReadAggregation { inputs, keys, calls, layout: after })
}
