//! GROUP BY, aggregate functions, WINDOW and HAVING.
//!
//! ```text
//! … ─┬─▶ Project (arguments) ─────────────────────────┬─▶ Aggregate [─▶ Filter (HAVING)] ─▶ Project (SELECT)
//!    └─▶ Rekey (group, arguments) ─▶ Repartition ─────┘
//! ```
//!
//! Rows keyed by the group already go the upper way. Everything that SELECT and HAVING say is made of group expressions,
//! which are the key, and of aggregates: no other column is carried along.

use arrow::datatypes::DataType;

use crate::catalog::WindowType;
use crate::formats::Format;
use crate::functions::{Argument, Binding, Function, FunctionKind, ParamType, Registry, Variation};
use crate::sql::Span;
use crate::sql::ast::{Expression, FunctionCall, Grouping, Literal, Query, Refinement, WindowKind as WrittenWindow};
use crate::types::{Column, SqlType};

use super::call::{self, unknown_function};
use super::error::{PlanError, and_list};
use super::expression::Typer;
use super::formats::{internal_key_serde, internal_value_serde};
use super::names::{ROWTIME, WINDOWEND, WINDOWSTART, is_window_bound};
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Clause, Scope, as_column, column, columns_of};
use super::select::{Item, Purpose};
use super::{Aggregate, AggregateCall, Expr, NullKeys, PlanNode, WindowSpec, windows};

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

/// Whether `expression` calls an aggregate function.
pub(super) fn has_aggregate(expression: &Expression, functions: &Registry) -> bool {
    calls_of(expression, FunctionKind::Aggregate, functions).next().is_some()
}

/// The calls in `expression` of functions of `kind`, outer ones first.
pub(super) fn calls_of<'e>(
    expression: &'e Expression,
    kind: FunctionKind,
    functions: &Registry,
) -> impl Iterator<Item = &'e FunctionCall> + use<'e> {
    let mut calls = Vec::new();
    expression.walk(&mut |part| {
        if let Expression::FunctionCall(call) = part
            && functions.of_kind(call.name.as_str(), kind).is_some()
        {
            calls.push(call);
        }
    });
    calls.into_iter()
}

fn as_aggregate<'e>(expression: &'e Expression, functions: &Registry) -> Option<&'e FunctionCall> {
    match expression {
        Expression::FunctionCall(call) => functions.of_kind(call.name.as_str(), FunctionKind::Aggregate).map(|_| call),
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

/// The aggregation of a read, whose results are `items`; `None` if it has none. It groups without aggregates too.
pub(super) fn resolve_read(
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
pub(super) struct ReadAggregation {
    /// Group expressions, then the distinct arguments.
    pub(super) inputs: Vec<(Column, Expr)>,
    /// How many of them are group expressions.
    pub(super) keys: usize,
    /// The aggregates.
    pub(super) calls: Vec<AggregateCall>,
    /// Where the results stand.
    pub(super) layout: Layout,
}

/// Aggregates rows of `layout`.
pub(super) fn plan_read(
    aggregation: &Aggregation,
    layout: &Layout,
    typer: &Typer,
) -> Result<ReadAggregation, PlanError> {
    let resolved = aggregation.calls.iter().map(|call| ResolvedCall::new(call, layout, typer));
    let (arguments, calls) = bound_calls(resolved.collect::<Result<_, _>>()?, typer)?;
    let (mut inputs, mut after) = (Vec::new(), Layout::default());
    for (i, expression) in aggregation.group.iter().enumerate() {
        let (expr, sql_type) = typer.typed_with_type(expression, layout, Clause::GroupBy)?;
        after.add(expression.clone(), i, sql_type.clone());
        let name = as_column(expression).map_or_else(|| format!("KSQL_COL_{i}"), str::to_owned);
        inputs.push((Column::new(name, sql_type), expr));
    }
    let keys = inputs.len();
    for (i, (written, call)) in aggregation.written.iter().zip(&calls).enumerate() {
        after.add(Expression::FunctionCall(written.clone()), keys + i, call.result.clone());
    }
    inputs.extend(arguments);
    Ok(ReadAggregation { inputs, keys, calls, layout: after })
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

/// Keys are computed from one row and are one value.
pub(super) fn check_row_functions(
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
fn check_functions(expression: &Expression, functions: &Registry) -> Result<(), PlanError> {
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

/// `F()` and `F(*)` are over the time of the row; only COUNT counts rows.
fn with_row_time(call: FunctionCall, scope: &Scope) -> FunctionCall {
    let counts = call.name.as_str().eq_ignore_ascii_case("COUNT");
    if counts || !call.arguments.is_empty() || scope.column(ROWTIME).is_none() {
        return call;
    }
    FunctionCall { arguments: vec![column(ROWTIME, call.span)], ..call }
}

/// Bounds of the window are results, not something to compute them from.
fn check_bounds(expression: &Expression, everywhere: bool, functions: &Registry) -> Result<(), PlanError> {
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

fn check_nesting(items: &[Item], having: Option<&Expression>, functions: &Registry) -> Result<(), PlanError> {
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

fn check_select(items: &[Item], group: &[Expression], functions: &Registry) -> Result<(), PlanError> {
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

fn check_having(having: Option<&Expression>, group: &[Expression], functions: &Registry) -> Result<(), PlanError> {
    let mut loose = Vec::new();
    if let Some(having) = having {
        loose_columns(having, group, functions, &mut loose);
    }
    let Some(first) = loose.first() else { return Ok(()) };
    let shown: Vec<String> = loose.iter().map(|expression| expression.plain().to_string()).collect();
    let text = format!("Non-aggregate HAVING expression not part of GROUP BY: {}", shown.join(", "));
    Err(PlanError::refused(text, first.span()))
}

fn distinct_calls<'a>(expressions: impl Iterator<Item = &'a Expression>, functions: &Registry) -> Vec<FunctionCall> {
    let mut calls: Vec<FunctionCall> = Vec::new();
    for expression in expressions {
        expression.walk(&mut |part| {
            if let Some(call) = as_aggregate(part, functions)
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

type Arguments = Vec<(Column, Expr)>;

/// The distinct arguments as columns, and the calls over them.
fn resolve_calls(
    aggregation: &Aggregation,
    relation: &Relation,
    scope: &Scope,
    typer: &Typer,
) -> Result<(Arguments, Vec<AggregateCall>), PlanError> {
    let resolved: Vec<ResolvedCall> = aggregation
        .calls
        .iter()
        .map(|call| ResolvedCall::new(call, &relation.layout, typer))
        .collect::<Result<_, _>>()?;
    if relation.node.collection() == super::Collection::Table {
        check_undo(&resolved, aggregation)?;
    }
    let format = &scope.sources[0].data.value_serde.format;
    if let Some(unfit) = resolved.iter().find(|call| !fits(&call.kept(), format)) {
        let text = "One of the functions used in the statement has an intermediate type that the value format can not \
                    handle. Please remove the function or change the format.";
        return Err(PlanError::refused(text, unfit.call.span));
    }
    bound_calls(resolved, typer)
}

/// The distinct arguments of calls as columns, and the calls over them.
fn bound_calls(resolved: Vec<ResolvedCall>, typer: &Typer) -> Result<(Arguments, Vec<AggregateCall>), PlanError> {
    let mut columns = ArgumentColumns::default();
    let properties = typer.settings.function_properties();
    let calls = resolved.into_iter().enumerate().map(|(i, resolved)| {
        let types: Vec<DataType> = resolved.columns.iter().map(|(.., sql_type)| sql_type.arrow()).collect();
        let name = format!("KSQL_AGG_VARIABLE_{i}");
        let arguments = resolved
            .columns
            .into_iter()
            .map(|(written, expr, sql_type)| columns.add(written, expr, sql_type))
            .collect();
        let call = AggregateCall {
            function: resolved.function.name(),
            body: resolved.function.variations[resolved.variation].aggregate.clone(),
            arguments,
            literals: resolved.literals,
            properties: properties.clone(),
            result: resolved.result,
            name,
        };
        let refused = |reason| PlanError::refused(format!("{}: {reason}", call.function), resolved.call.span);
        // What a function was is known of the past, even if its library is gone.
        if call.body.is_some() || !typer.settings.topics.is_past() {
            call.accumulator(&types).map_err(refused)?;
        }
        Ok(call)
    });
    let calls = calls.collect::<Result<_, PlanError>>()?;
    Ok((columns.columns, calls))
}

/// The arguments of all calls, each once.
#[derive(Default)]
struct ArgumentColumns<'a> {
    written: Vec<(&'a Expression, SqlType)>,
    columns: Arguments,
}

impl<'a> ArgumentColumns<'a> {
    /// The index of the column that holds `written`, which is `expr`.
    fn add(&mut self, written: &'a Expression, expr: Expr, sql_type: SqlType) -> usize {
        let known = self.written.iter().position(|(other, other_type)| *other == written && *other_type == sql_type);
        known.unwrap_or_else(|| {
            let own = as_column(written).filter(|name| !self.columns.iter().any(|(column, _)| column.name == *name));
            let name = own.map_or_else(|| format!("KSQL_INTERNAL_COL_{}", self.columns.len()), str::to_owned);
            self.written.push((written, sql_type.clone()));
            self.columns.push((Column::new(name, sql_type), expr));
            self.columns.len() - 1
        })
    }
}

/// A call whose variation and types are known.
struct ResolvedCall<'a> {
    call: &'a FunctionCall,
    function: &'a Function,
    variation: usize,
    binding: Binding,
    /// Arguments that are computed from rows: as written, as expressions, and their types.
    columns: Vec<(&'a Expression, Expr, SqlType)>,
    literals: Vec<Expr>,
    result: SqlType,
}

impl<'a> ResolvedCall<'a> {
    fn new(call: &'a FunctionCall, layout: &Layout, typer: &Typer<'a>) -> Result<Self, PlanError> {
        let function = (typer.functions().of_kind(call.name.as_str(), FunctionKind::Aggregate))
            .expect("only aggregate functions are collected");
        if counts_rows(function, call) {
            return Ok(Self {
                call,
                function,
                variation: 0,
                binding: Binding::default(),
                columns: Vec::new(),
                literals: Vec::new(),
                result: SqlType::Bigint,
            });
        }
        let typed: Vec<Expr> = (call.arguments.iter())
            .map(|argument| typer.typed(argument, layout, Clause::Select))
            .collect::<Result<_, _>>()?;
        let arguments: Vec<Argument> = typed.iter().map(|expr| Argument::from(expr.sql_type())).collect();
        let (index, binding) = call::resolve(function, &arguments, call.span)?;
        let variation = &function.variations[index];
        let (mut columns, mut literals) = (Vec::new(), Vec::new());
        for (i, (expr, written)) in typed.into_iter().zip(&call.arguments).enumerate() {
            let parameter = variation.parameter(i, arguments.len()).expect("the variation takes so many arguments");
            if parameter.is_literal {
                check_literal(function, i, written)?;
                literals.push(expr);
                continue;
            }
            let (expr, sql_type) = argument_column(expr, &binding, &parameter.param_type, written)?;
            columns.push((written, expr, sql_type));
        }
        let result = binding.result(variation, &arguments).ok_or_else(|| super::expression::untyped(call.span))?;
        Ok(Self { call, function, variation: index, binding, columns, literals, result })
    }

    fn variation(&self) -> &Variation {
        &self.function.variations[self.variation]
    }

    /// The type of what is kept per group, as far as formats care.
    fn kept(&self) -> ParamType {
        match &self.variation().intermediate {
            Some(kept) => self.binding.sql_type(kept).map_or_else(|| kept.clone(), ParamType::Sql),
            None => ParamType::Sql(self.result.clone()),
        }
    }
}

/// Whether `call` counts rows whatever is in them: a constant is never NULL.
fn counts_rows(function: &Function, call: &FunctionCall) -> bool {
    let is_constant = match call.arguments.as_slice() {
        [] => true,
        [Expression::Literal { value, .. }] => *value != Literal::Null,
        _ => false,
    };
    is_constant && function.name() == "COUNT"
}

/// `expr` as an argument of type `wanted`.
fn argument_column(
    expr: Expr,
    binding: &Binding,
    wanted: &ParamType,
    written: &Expression,
) -> Result<(Expr, SqlType), PlanError> {
    let expr = match binding.sql_type(wanted) {
        Some(wanted) if !matches!(wanted, SqlType::Decimal { .. }) => match Expr::coerced(expr.clone(), &wanted) {
            Some(converted) => converted,
            None => expr,
        },
        _ => expr,
    };
    match expr.sql_type().cloned() {
        Some(sql_type) => Ok((expr, sql_type)),
        None => Err(super::expression::untyped(written.span())),
    }
}

fn check_literal(function: &Function, index: usize, written: &Expression) -> Result<(), PlanError> {
    if matches!(written, Expression::Literal { .. }) {
        return Ok(());
    }
    let text = format!(
        "Parameter {} passed to function {} must be a literal constant, but was expression: '{}'",
        index + 1,
        function.spelling,
        written.plain()
    );
    Err(PlanError::refused(text, written.span()))
}

/// Rows of tables are taken back when others take their place.
fn check_undo(calls: &[ResolvedCall], aggregation: &Aggregation) -> Result<(), PlanError> {
    let without = calls.iter().filter(|call| !call.variation().has_undo);
    let mut offenders: Vec<String> = without.map(|call| call.function.name()).collect();
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

/// Whether values of `format` can hold what is kept per group.
fn fits(kept: &ParamType, format: &Format) -> bool {
    let is_nested = matches!(
        kept,
        ParamType::Array(_)
            | ParamType::Map(..)
            | ParamType::Struct(_)
            | ParamType::Sql(SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_))
    );
    !is_nested || !matches!(format, Format::Delimited { .. } | Format::Kafka | Format::None)
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

/// WHERE is about rows, before there are aggregates.
pub(super) fn check_where(predicate: &Expression, functions: &Registry) -> Result<(), PlanError> {
    let Some(name) = first_call(predicate, FunctionKind::Aggregate, functions) else { return Ok(()) };
    let text = format!("Aggregate functions are not supported in WHERE clause: {name} is an aggregate function.");
    Err(PlanError::refused_with_hint(text, "conditions on aggregates belong into HAVING", predicate.span()))
}
