//! GROUP BY, aggregate functions, WINDOW and HAVING.
//!
//! ```text
//! … ─┬─▶ Project (arguments) ─────────────────────────┬─▶ Aggregate [─▶ Filter (HAVING)] ─▶ Project (SELECT)
//!    └─▶ Rekey (group, arguments) ─▶ Repartition ─────┘
//! ```
//!
//! Rows keyed by the group already go the upper way. Everything that SELECT and HAVING say is made of group expressions,
//! which are the key, and of aggregates: no other column is carried along.

use crate::catalog::WindowType;
use crate::sql::Span;
use crate::sql::ast::{Expression, FunctionCall, Grouping, Literal, Query, Refinement, WindowKind as WrittenWindow};
use crate::types::{Column, SqlType};

use super::aggregate_function::{KnownAggregate, known};
use super::error::{PlanError, and_list};
use super::expression::Typer;
use super::formats::{internal_key_serde, internal_value_serde};
use super::names::{WINDOWEND, WINDOWSTART, is_window_bound};
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Clause, Scope, as_column, column, columns_of};
use super::select::{Item, Purpose};
use super::{Aggregate, AggregateCall, AggregateFunction, Expr, NullKeys, PlanNode, WindowSpec, windows};

/// The parts of a query that its aggregation consists of, with internal names.
#[derive(Debug)]
pub(super) struct Aggregation {
    /// Expressions of GROUP BY; none aggregates everything.
    group: Vec<Expression>,
    /// Distinct calls of aggregate functions in SELECT and HAVING.
    calls: Vec<FunctionCall>,
    having: Option<Expression>,
    window: Option<WindowSpec>,
    /// EMIT FINAL.
    is_final: bool,
    /// The word of the window.
    pub(super) window_type: Option<WindowType>,
    span: Span,
}

/// Whether `expression` calls an aggregate function.
pub(super) fn has_aggregate(expression: &Expression) -> bool {
    let mut found = false;
    expression.walk(&mut |part| found |= as_aggregate(part).is_some());
    found
}

fn as_aggregate(expression: &Expression) -> Option<(&FunctionCall, KnownAggregate)> {
    match expression {
        Expression::FunctionCall(call) => known(call.name.as_str()).map(|known| (call, known)),
        _ => None,
    }
}

/// The aggregation of `query`, whose results are `items`; `None` if it has none.
pub(super) fn resolve(
    query: &Query,
    items: &[Item],
    scope: &Scope,
    purpose: Purpose,
    typer: &Typer,
) -> Result<Option<Aggregation>, PlanError> {
    let beside: &[&str] = if query.window.is_some() && !scope.is_join() { &super::select::OWN_WINDOW } else { &[] };
    let having = query.having.as_ref();
    let having = having.map(|having| scope.resolve_beside(having, Clause::Having, beside)).transpose()?;
    let aggregates = items.iter().map(|item| &item.expression).chain(&having).any(has_aggregate);
    if query.group_by.is_none() && !aggregates {
        return match (&query.window, &query.having) {
            (Some(window), _) => Err(PlanError::refused("WINDOW clause requires a GROUP BY clause.", window.span)),
            (None, Some(having)) => Err(PlanError::refused("HAVING requires a GROUP BY clause.", having.span())),
            (None, None) if query.refinement == Some(Refinement::Final) => Err(not_windowed(query)),
            (None, None) => Ok(None),
        };
    }
    let group = match &query.group_by {
        Some(grouping) => group_expressions(grouping, scope, beside)?,
        None => Vec::new(),
    };
    for expression in items.iter().map(|item| &item.expression).chain(&group).chain(&having) {
        check_functions(expression, typer)?;
    }
    for expression in group.iter().chain(&having) {
        check_bounds(expression, true)?;
    }
    for item in items {
        check_bounds(&item.expression, false)?;
    }
    check_nesting(items, having.as_ref())?;
    if !aggregates {
        let text = "GROUP BY requires aggregate functions in either the SELECT or HAVING clause.";
        return Err(PlanError::refused(text, query.group_by.as_ref().map_or(query.span, |grouping| grouping.span)));
    }
    check_select(items, &group)?;
    check_having(having.as_ref(), &group)?;
    let calls = distinct_calls(items.iter().map(|item| &item.expression).chain(&having));
    if query.group_by.is_none() {
        check_without_group(query, &calls, purpose)?;
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
    Ok(Some(Aggregation { group, calls, having, window, is_final, window_type, span }))
}

fn not_windowed(query: &Query) -> PlanError {
    PlanError::refused("EMIT FINAL is only supported for windowed aggregations.", query.span)
}

fn group_expressions(grouping: &Grouping, scope: &Scope, beside: &[&str]) -> Result<Vec<Expression>, PlanError> {
    let mut group: Vec<Expression> = Vec::new();
    for written in &grouping.expressions {
        let resolved = scope.resolve_beside(written, Clause::GroupBy, beside)?;
        let aggregate = resolved_aggregate(&resolved);
        if let Some(name) = aggregate {
            let text = format!("GROUP BY does not support aggregate functions: {name} is an aggregate function.");
            return Err(PlanError::refused(text, written.span()));
        }
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

fn resolved_aggregate(expression: &Expression) -> Option<&'static str> {
    let mut found = None;
    expression.walk(&mut |part| {
        if let Some((_, known)) = as_aggregate(part) {
            found.get_or_insert(known.name);
        }
    });
    found
}

/// Every function is known: that is said before anything about grouping.
fn check_functions(expression: &Expression, typer: &Typer) -> Result<(), PlanError> {
    let mut unknown = None;
    expression.walk(&mut |part| {
        if let Expression::FunctionCall(call) = part
            && known(call.name.as_str()).is_none()
            && !typer.is_function(call.name.as_str())
        {
            unknown.get_or_insert(call);
        }
    });
    unknown.map_or(Ok(()), |call| Err(typer.unknown_function(call)))
}

/// Bounds of the window are results, not something to compute them from.
fn check_bounds(expression: &Expression, everywhere: bool) -> Result<(), PlanError> {
    let mut found = None;
    expression.walk(&mut |part| {
        let inside: Vec<&Expression> = match as_aggregate(part) {
            Some((call, _)) => call.arguments.iter().collect(),
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

fn check_nesting(items: &[Item], having: Option<&Expression>) -> Result<(), PlanError> {
    let mut nested = None;
    for expression in items.iter().map(|item| &item.expression).chain(having) {
        expression.walk(&mut |part| {
            if as_aggregate(part).is_some_and(|(call, _)| call.arguments.iter().any(has_aggregate)) {
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
fn loose_columns<'a>(expression: &'a Expression, group: &[Expression], found: &mut Vec<&'a Expression>) {
    if group.contains(expression) || as_aggregate(expression).is_some() {
        return;
    }
    match as_column(expression) {
        Some(name) if !is_window_bound(name) => found.push(expression),
        _ => {
            for child in expression.children() {
                loose_columns(child, group, found);
            }
        }
    }
}

fn check_select(items: &[Item], group: &[Expression]) -> Result<(), PlanError> {
    let mut loose: Vec<&Item> = Vec::new();
    for item in items {
        let mut found = Vec::new();
        loose_columns(&item.expression, group, &mut found);
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

fn check_having(having: Option<&Expression>, group: &[Expression]) -> Result<(), PlanError> {
    let mut loose = Vec::new();
    if let Some(having) = having {
        loose_columns(having, group, &mut loose);
    }
    let Some(first) = loose.first() else { return Ok(()) };
    let shown: Vec<String> = loose.iter().map(|expression| expression.plain().to_string()).collect();
    let text = format!("Non-aggregate HAVING expression not part of GROUP BY: {}", shown.join(", "));
    Err(PlanError::refused(text, first.span()))
}

fn distinct_calls<'a>(expressions: impl Iterator<Item = &'a Expression>) -> Vec<FunctionCall> {
    let mut calls: Vec<FunctionCall> = Vec::new();
    for expression in expressions {
        expression.walk(&mut |part| {
            if let Some((call, _)) = as_aggregate(part)
                && !calls.contains(call)
            {
                calls.push(call.clone());
            }
        });
    }
    calls
}

fn check_without_group(query: &Query, calls: &[FunctionCall], purpose: Purpose) -> Result<(), PlanError> {
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

/// Aggregates `relation`, whose rows come from the sources of `scope`.
pub(super) fn plan(
    aggregation: &Aggregation,
    relation: Relation,
    scope: &Scope,
    typer: &Typer,
) -> Result<Relation, PlanError> {
    let is_table = relation.node.collection() == super::Collection::Table;
    check_source(aggregation, is_table)?;
    let (arguments, calls) = resolve_calls(aggregation, &relation, scope, typer)?;
    let key = group_key(aggregation, &relation, typer)?;
    // The windows of a source are no part of the groups, so its rows are keyed anew.
    let has_windows = relation.node.window().is_some();
    let is_grouped = !is_table && !has_windows && is_keyed_by(&relation, &aggregation.group);
    let input = if is_grouped {
        let key_names = vec![key[0].0.name.clone()];
        PlanNode::Project { input: Box::new(relation.node), key_names, columns: arguments }
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

fn check_source(aggregation: &Aggregation, is_table: bool) -> Result<(), PlanError> {
    if !is_table {
        return Ok(());
    }
    if aggregation.window.is_some() {
        return Err(PlanError::refused("Windowing is not supported for tables.", aggregation.span));
    }
    let mut offenders: Vec<String> = aggregation
        .calls
        .iter()
        .filter_map(|call| known(call.name.as_str()))
        .filter(|known| !known.has_undo)
        .map(|known| known.name.to_owned())
        .collect();
    offenders.dedup();
    if offenders.is_empty() {
        return Ok(());
    }
    let plural = if offenders.len() > 1 { "s" } else { "" };
    let text = format!(
        "The aggregation function{plural} {} cannot be applied to a table source, only to a stream source.",
        and_list(&offenders)
    );
    Err(PlanError::refused(text, aggregation.span))
}

type Arguments = Vec<(Column, Expr)>;

/// The distinct arguments as columns, and the calls over them.
fn resolve_calls(
    aggregation: &Aggregation,
    relation: &Relation,
    scope: &Scope,
    typer: &Typer,
) -> Result<(Arguments, Vec<AggregateCall>), PlanError> {
    let mut written: Vec<&Expression> = Vec::new();
    let mut arguments: Arguments = Vec::new();
    let mut calls = Vec::new();
    for (i, call) in aggregation.calls.iter().enumerate() {
        let known = known(call.name.as_str()).expect("only aggregate functions are collected");
        let function = known
            .function
            .ok_or_else(|| PlanError::not_supported(format!("the function {}", known.name), call.span))?;
        if !function.fits(&scope.sources[0].data.value_serde.format) {
            let text = "One of the functions used in the statement has an intermediate type that the value format can \
                        not handle. Please remove the function or change the format.";
            return Err(PlanError::refused(text, call.span));
        }
        let name = format!("KSQL_AGG_VARIABLE_{i}");
        let argument = match call.arguments.as_slice() {
            [] if function == AggregateFunction::Count => None,
            // A constant is never null.
            [Expression::Literal { value, .. }] if function == AggregateFunction::Count && *value != Literal::Null => {
                None
            }
            [argument] => Some(argument),
            _ => return Err(wrong_arguments(function, call, relation, typer)),
        };
        let Some(argument) = argument else {
            calls.push(AggregateCall { function, argument: None, result: SqlType::Bigint, name });
            continue;
        };
        let (expr, sql_type) = typer.typed_with_type(argument, &relation.layout, Clause::Select)?;
        let result = function.result_type(&sql_type).ok_or_else(|| wrong_arguments(function, call, relation, typer))?;
        let index = written.iter().position(|other| *other == argument).unwrap_or_else(|| {
            written.push(argument);
            let name =
                as_column(argument).map_or_else(|| format!("KSQL_INTERNAL_COL_{}", arguments.len()), str::to_owned);
            arguments.push((Column::new(name, sql_type), expr));
            arguments.len() - 1
        });
        calls.push(AggregateCall { function, argument: Some(index), result, name });
    }
    Ok((arguments, calls))
}

fn wrong_arguments(function: AggregateFunction, call: &FunctionCall, relation: &Relation, typer: &Typer) -> PlanError {
    let types: Vec<String> = call
        .arguments
        .iter()
        .map(|argument| match typer.typed_with_type(argument, &relation.layout, Clause::Select) {
            Ok((_, sql_type)) => sql_type.to_string(),
            Err(_) => "null".to_owned(),
        })
        .collect();
    let alternatives: Vec<String> =
        function.alternatives().iter().map(|argument| format!("{}({argument})", function.name())).collect();
    let text = format!(
        "Function '{}' does not accept parameters ({}).\nValid alternatives are:\n{}\nFor detailed information on a \
         function run: DESCRIBE FUNCTION <Function-Name>;",
        function.name(),
        types.join(", "),
        alternatives.join("\n")
    );
    PlanError::refused(text, call.span)
}

/// The columns of the group's key. Without GROUP BY, one constant.
fn group_key(aggregation: &Aggregation, relation: &Relation, typer: &Typer) -> Result<Vec<(Column, Expr)>, PlanError> {
    let everything = [constant()];
    let group: &[Expression] = if aggregation.group.is_empty() { &everything } else { &aggregation.group };
    group
        .iter()
        .enumerate()
        .map(|(i, expression)| {
            let (expr, sql_type) = typer.typed_with_type(expression, &relation.layout, Clause::GroupBy)?;
            let name = as_column(expression).map_or_else(|| format!("KSQL_COL_{i}"), str::to_owned);
            Ok((Column::new(name, sql_type), expr))
        })
        .collect()
}

fn constant() -> Expression {
    Expression::Literal { value: Literal::Integer(0), span: Span::NONE }
}

/// Whether `relation` has one key column and it is the group.
fn is_keyed_by(relation: &Relation, group: &[Expression]) -> bool {
    let [only] = group else { return false };
    relation.node.schema().key.len() == 1 && relation.layout.find(only).is_some_and(|column| column.index == 0)
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
    for (i, (call, column)) in aggregation.calls.iter().zip(&schema.value).enumerate() {
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
    /// What the input of the aggregation must have: group expressions and arguments.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Expression> {
        self.group.iter().chain(self.calls.iter().flat_map(|call| &call.arguments))
    }

    /// How long the windows can be read.
    pub(super) fn retention_ms(&self) -> Option<i64> {
        self.window.as_ref().map(|window| window.retention_ms)
    }
}

/// WHERE is about rows, before there are aggregates.
pub(super) fn check_where(predicate: &Expression) -> Result<(), PlanError> {
    let Some(name) = resolved_aggregate(predicate) else { return Ok(()) };
    let text = format!("Aggregate functions are not supported in WHERE clause: {name} is an aggregate function.");
    Err(PlanError::refused_with_hint(text, "conditions on aggregates belong into HAVING", predicate.span()))
}
