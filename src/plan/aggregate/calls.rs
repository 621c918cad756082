//! Calls of aggregate functions: which there are, which variation each means, and what it is given.

use arrow::datatypes::DataType;

use super::super::call;
use super::super::error::{PlanError, and_list};
use super::super::expression::{Typer, untyped};
use super::super::function_uses::calls_of;
use super::super::names::ROWTIME;
use super::super::relation::{Layout, Relation};
use super::super::scope::{Clause, Scope, as_column, column};
use super::super::{AggregateCall, Collection, Expr};
use super::Aggregation;
use crate::formats::Format;
use crate::functions::{Argument, Binding, Function, FunctionKind, ParamType, Registry, Variation};
use crate::sql::ast::{Expression, FunctionCall, Literal};
use crate::types::{Column, SqlType};

/// Whether `expression` calls an aggregate function.
pub(in crate::plan) fn has_aggregate(expression: &Expression, functions: &Registry) -> bool {
    calls_of(expression, FunctionKind::Aggregate, functions).next().is_some()
}

/// The call that `expression` is, if it is one of an aggregate function.
pub(super) fn as_aggregate<'e>(expression: &'e Expression, functions: &Registry) -> Option<&'e FunctionCall> {
    match expression {
        Expression::FunctionCall(call) => functions.of_kind(call.name.as_str(), FunctionKind::Aggregate).map(|_| call),
        _ => None,
    }
}

/// The calls of aggregate functions in `expressions`, each once.
pub(super) fn distinct_calls<'a>(
    expressions: impl Iterator<Item = &'a Expression>,
    functions: &Registry,
) -> Vec<FunctionCall> {
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

/// `F()` and `F(*)` are over the time of the row; only COUNT counts rows.
pub(super) fn with_row_time(call: FunctionCall, scope: &Scope) -> FunctionCall {
    let counts = call.name.as_str().eq_ignore_ascii_case("COUNT");
    if counts || !call.arguments.is_empty() || scope.column(ROWTIME).is_none() {
        return call;
    }
    FunctionCall { arguments: vec![column(ROWTIME, call.span)], ..call }
}

/// Columns and what computes them.
pub(super) type Arguments = Vec<(Column, Expr)>;

/// The distinct arguments as columns, and the calls over them.
pub(super) fn resolve_calls(
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
    if relation.node.collection() == Collection::Table {
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
pub(super) fn bound_calls(
    resolved: Vec<ResolvedCall>,
    typer: &Typer,
) -> Result<(Arguments, Vec<AggregateCall>), PlanError> {
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
pub(super) struct ResolvedCall<'a> {
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
    pub(super) fn new(call: &'a FunctionCall, layout: &Layout, typer: &Typer<'a>) -> Result<Self, PlanError> {
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
        let result = binding.result(variation, &arguments).ok_or_else(|| untyped(call.span))?;
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
        None => Err(untyped(written.span())),
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
