//! Functions that make several rows of one: where they may stand, and the step that computes them before anything else of SELECT.

use crate::functions::{FunctionKind, Registry};
use crate::sql::ast::{Expression, FunctionCall, Query};

use super::aggregate::has_aggregate;
use super::error::PlanError;
use super::expression::Typer;
use super::function_uses::calls_of;
use super::relation::{Relation, Tail};
use super::scope::Scope;
use super::select::Item;
use super::{FlatMap, PlanNode};

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

/// `relation` with the values of the table functions that `items` call, each once. Its layout has the calls as columns, so that they
/// may be part of larger expressions.
pub(super) fn plan(relation: Relation, items: &[Item], typer: &Typer) -> Result<Relation, PlanError> {
    let mut distinct: Vec<&FunctionCall> = Vec::new();
    for call in items.iter().flat_map(|item| calls_of(&item.expression, FunctionKind::Table, typer.functions())) {
        if !distinct.contains(&call) {
            distinct.push(call);
        }
    }
    if distinct.is_empty() {
        return Ok(relation);
    }
    let named = distinct.iter().enumerate();
    let calls = named.map(|(i, call)| typer.table_call(call, &relation.layout, format!("KSQL_SYNTH_{i}")));
    let calls: Vec<_> = calls.filter_map(Result::transpose).collect::<Result<_, _>>()?;

    let first = Tail::of(&relation.node).rowtime();
    let mut layout = relation.layout.moved(first, first + calls.len());
    for (i, (written, call)) in distinct.into_iter().zip(&calls).enumerate() {
        layout.add(Expression::FunctionCall(written.clone()), first + i, call.column.sql_type.clone());
    }
    let carried = (0..relation.node.value_width()).collect();
    let node = PlanNode::FlatMap(FlatMap { input: Box::new(relation.node), carried, calls });
    Ok(Relation { node, layout, key: relation.key })
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
