//! GROUP BY, aggregate functions, WINDOW and HAVING.
//!
//! ```text
//! … ─┬─▶ Project (arguments) ─────────────────────────┬─▶ Aggregate [─▶ Filter (HAVING)] ─▶ Project (SELECT)
//!    └─▶ Rekey (group, arguments) ─▶ Repartition ─────┘
//! ```
//!
//! Rows keyed by the group already go the upper way. Everything that SELECT and HAVING say is made of group expressions,
//! which are the key, and of aggregates: no other column is carried along. `rules` says what may stand where, `calls` finds the variation
//! that a call means, `read` is for a SELECT without EMIT.

mod calls;
mod read;
mod rules;

use crate::catalog::WindowType;
use crate::functions::Registry;
use crate::sql::Span;
use crate::sql::ast::{Expression, FunctionCall, Grouping, Literal, Query, Refinement, WindowKind as WrittenWindow};
use crate::types::{Column, SqlType};

use super::error::PlanError;
use super::expression::Typer;
use super::formats::{internal_key_serde, internal_value_serde};
use super::names::{WINDOWEND, WINDOWSTART};
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Clause, Scope, as_column, column};
use super::select::{Item, Purpose};
use super::{Aggregate, NullKeys, PlanNode, WindowSpec, windows};

pub(super) use calls::has_aggregate;
use calls::{Arguments, distinct_calls, resolve_calls, with_row_time};
pub(super) use read::{plan_read, resolve_read};
use rules::{check_bounds, check_functions, check_having, check_nesting, check_select, check_without_group};
pub(super) use rules::{check_row_functions, check_where};

/// The parts of a query that its aggregation consists of, with internal names.
#[derive(Debug)]
pub(super) struct Aggregation {
    /// Expressions of GROUP BY; none aggregates everything.
    group: Vec<Expression>,
    /// Distinct calls of aggregate functions in SELECT and HAVING.
    written: Vec<FunctionCall>,
    /// The same, with the arguments that are meant where none are written.
    calls: Vec<FunctionCall>,
    having: Option<Expression>,
    window: Option<WindowSpec>,
    /// EMIT FINAL.
    is_final: bool,
    /// The word of the window.
    pub(super) window_type: Option<WindowType>,
    span: Span,
}

/// The aggregation of `query`, whose results are `items`; `None` if it has none.
pub(super) fn resolve(
    query: &Query,
    items: &[Item],
    scope: &Scope,
    purpose: Purpose,
    typer: &Typer,
) -> Result<Option<Aggregation>, PlanError> {
    let functions = typer.functions();
    let beside: &[&str] = if query.window.is_some() && !scope.is_join() { &super::select::OWN_WINDOW } else { &[] };
    let having = query.having.as_ref();
    let having = having.map(|having| scope.resolve_beside(having, Clause::Having, beside)).transpose()?;
    let aggregates = items.iter().map(|item| &item.expression).chain(&having);
    let aggregates = aggregates.into_iter().any(|expression| has_aggregate(expression, functions));
    if query.group_by.is_none() && !aggregates {
        return match (&query.window, &query.having) {
            (Some(window), _) => Err(PlanError::refused("WINDOW clause requires a GROUP BY clause.", window.span)),
            (None, Some(having)) => Err(PlanError::refused("HAVING requires a GROUP BY clause.", having.span())),
            (None, None) if query.refinement == Some(Refinement::Final) => Err(not_windowed(query)),
            (None, None) => Ok(None),
        };
    }
    let group = match &query.group_by {
        Some(grouping) => group_expressions(grouping, scope, beside, functions)?,
        None => Vec::new(),
    };
    for expression in items.iter().map(|item| &item.expression).chain(&group).chain(&having) {
        check_functions(expression, functions)?;
    }
    for expression in group.iter().chain(&having) {
        check_bounds(expression, true, functions)?;
    }
    for item in items {
        check_bounds(&item.expression, false, functions)?;
    }
    check_nesting(items, having.as_ref(), functions)?;
    if !aggregates {
        let text = "GROUP BY requires aggregate functions in either the SELECT or HAVING clause.";
        return Err(PlanError::refused(text, query.group_by.as_ref().map_or(query.span, |grouping| grouping.span)));
    }
    check_select(items, &group, functions)?;
    check_having(having.as_ref(), &group, functions)?;
    let written = distinct_calls(items.iter().map(|item| &item.expression).chain(&having), functions);
    let calls = written.iter().map(|call| with_row_time(call.clone(), scope)).collect();
    if query.group_by.is_none() {
        check_without_group(query, &written, purpose)?;
    }
    super::join::check_value_formats(scope, "GROUP BY")?;
    let is_final = query.refinement == Some(Refinement::Final);
    let window = query.window.as_ref().map(|window| windows::spec(window, is_final)).transpose()?;
    if is_final && window.is_none() {
        return Err(not_windowed(query));
    }
    if is_final && !typer.settings.is_on("ksql.suppress.enabled", true) {
        let text = "Suppression is currently disabled. You can enable it by setting ksql.suppress.enabled to true";
        return Err(PlanError::refused(text, query.span));
    }
    let span = query.group_by.as_ref().map_or(query.span, |grouping| grouping.span);
    let window_type = query.window.as_ref().map(|window| match window.kind {
        WrittenWindow::Tumbling { .. } => WindowType::Tumbling,
        WrittenWindow::Hopping { .. } => WindowType::Hopping,
        WrittenWindow::Session { .. } => WindowType::Session,
    });
    Ok(Some(Aggregation { group, written, calls, having, window, is_final, window_type, span }))
}

fn not_windowed(query: &Query) -> PlanError {
    PlanError::refused("EMIT FINAL is only supported for windowed aggregations.", query.span)
}

fn group_expressions(
    grouping: &Grouping,
    scope: &Scope,
    beside: &[&str],
    functions: &Registry,
) -> Result<Vec<Expression>, PlanError> {
    let mut group: Vec<Expression> = Vec::new();
    for written in &grouping.expressions {
        let resolved = scope.resolve_beside(written, Clause::GroupBy, beside)?;
        check_row_functions(&resolved, Clause::GroupBy, written.span(), functions)?;
        if group.contains(&resolved) {
            let text = format!("Duplicate GROUP BY expression: {}", scope.qualified(&resolved).plain());
            return Err(PlanError::refused(text, written.span()));
        }
        group.push(resolved);
    }
    if group.is_empty() {
        return Err(PlanError::refused("GROUP BY requires at least one expression", grouping.span));
    }
    Ok(group)
}

/// Aggregates `relation`, whose rows come from the sources of `scope`.
pub(super) fn plan(
    aggregation: &Aggregation,
    relation: Relation,
    scope: &Scope,
    typer: &Typer,
) -> Result<Relation, PlanError> {
    let is_table = relation.node.collection() == super::Collection::Table;
    if is_table && aggregation.window.is_some() {
        return Err(PlanError::refused("Windowing is not supported for tables.", aggregation.span));
    }
    let (arguments, calls) = resolve_calls(aggregation, &relation, scope, typer)?;
    let key = group_key(aggregation, &relation, typer)?;
    // The windows of a source are no part of the groups, so its rows are keyed anew.
    let has_windows = relation.node.window().is_some();
    let is_grouped = !is_table && !has_windows && is_keyed_by(&relation, &aggregation.group);
    let input = if is_grouped {
        let key_names = vec![key[0].0.name.clone()];
        PlanNode::projection(relation.node, key_names, arguments)
    } else {
        let key_columns: Vec<Column> = key.iter().map(|(column, _)| column.clone()).collect();
        let value: Vec<Column> = arguments.iter().map(|(column, _)| column.clone()).collect();
        let source = &scope.sources[0].data;
        PlanNode::Repartition {
            topic: "Aggregate-GroupBy-repartition".to_owned(),
            key_serde: internal_key_serde(source.key_serde.format.clone(), &key_columns, typer.settings)?,
            value_serde: internal_value_serde(&source.value_serde, &value),
            input: Box::new(PlanNode::Rekey {
                input: Box::new(relation.node),
                key,
                columns: arguments,
                null_keys: NullKeys::DropAndReport,
                keeps_window: false,
            }),
        }
    };
    let node = PlanNode::Aggregate(Aggregate {
        input: Box::new(input),
        carried: 0,
        calls,
        window: aggregation.window.clone(),
        is_final: aggregation.is_final,
        undo: is_table,
    });
    let relation = aggregated(aggregation, node);
    having(aggregation, relation, typer)
}

/// The columns of the group's key. Without GROUP BY, one constant.
fn group_key(aggregation: &Aggregation, relation: &Relation, typer: &Typer) -> Result<Arguments, PlanError> {
    let everything = [constant()];
    let group: &[Expression] = if aggregation.group.is_empty() { &everything } else { &aggregation.group };
    group_columns(group, &relation.layout, typer)
}

/// A column for each of the expressions `group`, over rows of `layout`.
fn group_columns(group: &[Expression], layout: &Layout, typer: &Typer) -> Result<Arguments, PlanError> {
    let columns = group.iter().enumerate().map(|(i, expression)| {
        let (expr, sql_type) = typer.typed_with_type(expression, layout, Clause::GroupBy)?;
        let name = as_column(expression).map_or_else(|| format!("KSQL_COL_{i}"), str::to_owned);
        Ok((Column::new(name, sql_type), expr))
    });
    columns.collect()
}

fn constant() -> Expression {
    Expression::Literal { value: Literal::Integer(0), span: Span::NONE }
}

/// Whether `relation` has one key column and it is the group.
fn is_keyed_by(relation: &Relation, group: &[Expression]) -> bool {
    let [only] = group else { return false };
    relation.node.key().len() == 1 && relation.layout.find(only).is_some_and(|column| column.index == 0)
}

/// The relation after the aggregation: the group is the key, calls are values.
fn aggregated(aggregation: &Aggregation, node: PlanNode) -> Relation {
    let schema = node.schema();
    let tail = Tail::of(&node);
    let mut layout = Layout::default();
    let mut key = Vec::new();
    for (i, (expression, column)) in aggregation.group.iter().zip(&schema.key).enumerate() {
        layout.add(expression.clone(), i, column.sql_type.clone());
        key.push(KeyColumn { expressions: vec![expression.clone()], sql_type: column.sql_type.clone() });
    }
    for (i, (call, column)) in aggregation.written.iter().zip(&schema.value).enumerate() {
        layout.add(Expression::FunctionCall(call.clone()), schema.key.len() + i, column.sql_type.clone());
    }
    if aggregation.window.is_some() {
        layout.add(column(WINDOWSTART, Span::NONE), tail.window_start(), SqlType::Bigint);
        layout.add(column(WINDOWEND, Span::NONE), tail.window_end(), SqlType::Bigint);
    }
    Relation { node, layout, key }
}

fn having(aggregation: &Aggregation, relation: Relation, typer: &Typer) -> Result<Relation, PlanError> {
    let Some(having) = &aggregation.having else { return Ok(relation) };
    let predicate = typer.predicate(having, &relation.layout, Clause::Having)?;
    let node = PlanNode::Filter { input: Box::new(relation.node), predicate };
    Ok(Relation { node, ..relation })
}

impl Aggregation {
    /// HAVING.
    pub(super) fn having(&self) -> Option<&Expression> {
        self.having.as_ref()
    }

    /// What the input of the aggregation must have: group expressions and arguments.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Expression> {
        self.group.iter().chain(self.calls.iter().flat_map(|call| &call.arguments))
    }

    /// How long the windows can be read.
    pub(super) fn retention_ms(&self) -> Option<i64> {
        self.window.as_ref().map(|window| window.retention_ms)
    }
}
