//! Calls of functions: the variation that is meant, lambdas, the type of the result.

use crate::expr::{ArithmeticOp, Expr, Literal, TypeError};
use crate::functions::{Argument, Binding, Function, FunctionKind, ParamType, Registry};
use crate::sql::Span;
use crate::sql::ast::{Expression, FunctionCall, Identifier};
use crate::sql::similar_names;
use crate::types::{Column, SqlType};

use super::TableCall;
use super::error::{PlanError, did_you_mean};
use super::expression::{Typing, untyped};
use super::names::{ROWTIME, WINDOWEND, WINDOWSTART};
use super::scope::Clause;

/// What `||` is read as. Unlike the function of that name, which is written in capitals by now, it gives NULL if either
/// side is.
const CONCATENATION: &str = "concat";
/// Makes a copy of a key column for the value.
const AS_VALUE: &str = "as_value";

/// Columns that older KSQL called as functions.
pub(super) const COLUMNS: [&str; 3] = [WINDOWSTART, WINDOWEND, ROWTIME];

/// The error for a function that is not there.
pub(super) fn unknown_function(functions: &Registry, name: &Identifier, span: Span) -> PlanError {
    let text = format!("Can't find any functions with the name '{}'", name.as_str());
    PlanError::refused_with_hint(text, instead_of_unknown(functions, name.as_str()), span)
}

/// What may have been meant by `name`.
fn instead_of_unknown(functions: &Registry, name: &str) -> String {
    if let Some(column) = COLUMNS.iter().find(|column| column.eq_ignore_ascii_case(name)) {
        return format!("{column} is a column: write it without brackets");
    }
    if let Some(instead) = crate::functions::instead_of(name) {
        return format!("write {instead}");
    }
    let known: Vec<String> = functions.functions().map(Function::name).collect();
    let hint = did_you_mean(&similar_names(name, known.iter().map(String::as_str)));
    hint.unwrap_or_else(|| "SHOW FUNCTIONS lists all functions".to_owned())
}

/// A call whose arguments have types.
struct ResolvedCall {
    /// Index among the variations of the function.
    variation: usize,
    binding: Binding,
    arguments: Vec<Expr>,
    result: SqlType,
}

impl Typing<'_> {
    /// The outer error is final, the inner one gets the expression's place.
    pub(super) fn call(&self, call: &FunctionCall) -> Result<Result<Expr, TypeError>, PlanError> {
        match call.arguments.as_slice() {
            [left, right] if call.name.as_str() == CONCATENATION => {
                return Ok(Expr::arithmetic(ArithmeticOp::Add, self.expr(left)?, self.expr(right)?));
            }
            // A copy for the value: the planner has told it from the key by now.
            [argument] if call.name.as_str().eq_ignore_ascii_case(AS_VALUE) => return Ok(Ok(self.expr(argument)?)),
            _ => {}
        }
        let functions = self.typer.functions();
        let function =
            functions.get(call.name.as_str()).ok_or_else(|| unknown_function(functions, &call.name, call.span))?;
        self.check_kind(function, call.span)?;
        let ResolvedCall { variation, binding, arguments, result } = self.resolved_call(function, call)?;
        Ok(Ok(Expr::call(function, variation, &binding, arguments, result)))
    }

    /// `call`, whose values are to be a column called `name`; `None` if it is of no table function.
    pub(super) fn table_call(&self, call: &FunctionCall, name: String) -> Result<Option<TableCall>, PlanError> {
        let function = self.typer.functions().of_kind(call.name.as_str(), FunctionKind::Table);
        let Some(function) = function else { return Ok(None) };
        let ResolvedCall { variation, binding, arguments, result } = self.resolved_call(function, call)?;
        let rows_max = function.variations[variation].table.as_ref().map_or(usize::MAX, |body| body.rows_max);
        let column = Column::new(name, result.clone());
        Ok(Some(TableCall {
            column,
            list: Expr::table_call(function, variation, &binding, arguments, result),
            rows_max,
        }))
    }

    /// Aggregates were planned before expressions are typed, and rows are made of results only.
    fn check_kind(&self, function: &Function, span: Span) -> Result<(), PlanError> {
        let (article, what) = match function.kind {
            FunctionKind::Scalar => return Ok(()),
            FunctionKind::Table if self.clause == Clause::Select => return Ok(()),
            FunctionKind::Table => ("a", "table"),
            FunctionKind::Aggregate => ("an", "aggregate"),
        };
        let (clause, name) = (self.clause.name(), function.name());
        let text = format!("{clause} does not support {what} functions: {name} is {article} {what} function.");
        Err(PlanError::refused(text, span))
    }

    /// The variation that is meant by `call`, and its arguments.
    fn resolved_call(&self, function: &Function, call: &FunctionCall) -> Result<ResolvedCall, PlanError> {
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let mut values = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let (known, value) = match argument {
                Expression::Lambda { parameters, .. } => (Argument::Lambda(parameters.len()), None),
                Expression::IntervalUnit { unit, .. } => {
                    (Argument::IntervalUnit, Some(Expr::literal(Literal::String(unit.name().to_owned()))))
                }
                value => {
                    let value = self.expr(value)?;
                    (Argument::from(value.sql_type()), Some(value))
                }
            };
            arguments.push(known);
            values.push(value);
        }
        let (index, mut binding) = resolve(function, &arguments, call.span)?;
        let variation = &function.variations[index];
        let mut typed = Vec::with_capacity(values.len());
        for (i, (value, written)) in values.into_iter().zip(&call.arguments).enumerate() {
            let wanted = variation.parameter(i, arguments.len()).map(|parameter| &parameter.param_type);
            typed.push(match (value, written, wanted) {
                (Some(value), ..) => value,
                (None, Expression::Lambda { parameters, body, .. }, Some(ParamType::Lambda { inputs, output })) => self
                    .lambda(parameters, body, inputs, output, &mut binding)?
                    .ok_or_else(|| does_not_accept(function, &arguments, call.span))?,
                _ => return Err(does_not_accept(function, &arguments, call.span)),
            });
        }
        let result = binding.result(variation, &arguments).ok_or_else(|| untyped(call.span))?;
        Ok(ResolvedCall { variation: index, binding, arguments: typed, result })
    }

    /// A lambda whose parameters are `inputs`; `None` if it does not give an `output`.
    fn lambda(
        &self,
        parameters: &[Identifier],
        body: &Expression,
        inputs: &[ParamType],
        output: &ParamType,
        binding: &mut Binding,
    ) -> Result<Option<Expr>, PlanError> {
        if !self.typer.settings.is_on("ksql.lambdas.enabled", true) {
            let text = "Lambdas are not enabled at this time.";
            return Err(PlanError::refused_with_hint(text, "SET 'ksql.lambdas.enabled'='true'", body.span()));
        }
        let mut variables = self.variables.clone();
        for (parameter, input) in parameters.iter().zip(inputs) {
            let Some(sql_type) = binding.sql_type(input) else { return Ok(None) };
            variables.push((parameter.name.clone(), sql_type));
        }
        let inner = Typing { typer: self.typer, layout: self.layout, clause: self.clause, variables };
        let mut body = inner.expr(body)?;
        if body.sql_type().is_none()
            && let Some(wanted) = binding.sql_type(output)
            && let Some(typed) = Expr::coerced(body.clone(), &wanted)
        {
            body = typed;
        }
        if let Some(found) = body.sql_type()
            && !binding.accepts(output, found, false)
        {
            return Ok(None);
        }
        let names = parameters.iter().map(|parameter| parameter.name.clone()).collect();
        Ok(Some(Expr::lambda(names, body)))
    }

    /// A parameter of an enclosing lambda.
    pub(super) fn variable(&self, name: &Identifier) -> Result<Expr, PlanError> {
        let found = self.variables.iter().rev().find(|(known, _)| *known == name.name);
        let (name, sql_type) = found.cloned().ok_or_else(|| {
            PlanError::refused(format!("{} is no parameter of a lambda here.", name.as_str()), name.span)
        })?;
        Ok(Expr::variable(name, sql_type))
    }
}

/// The variation of `function` for `arguments`.
pub(super) fn resolve(function: &Function, arguments: &[Argument], span: Span) -> Result<(usize, Binding), PlanError> {
    function.resolve(arguments).map_err(|error| PlanError::refused(error.to_string(), span))
}

fn does_not_accept(function: &Function, arguments: &[Argument], span: Span) -> PlanError {
    PlanError::refused(function.does_not_accept(arguments).to_string(), span)
}

/// Checks the parameters of the lambdas in `expression`: none is called as a column or as one of a lambda around it.
pub(super) fn check_lambdas(expression: &Expression, is_column: &dyn Fn(&str) -> bool) -> Result<(), PlanError> {
    check_lambdas_within(expression, is_column, &mut Vec::new())
}

fn check_lambdas_within<'e>(
    expression: &'e Expression,
    is_column: &dyn Fn(&str) -> bool,
    outer: &mut Vec<&'e str>,
) -> Result<(), PlanError> {
    let depth = outer.len();
    if let Expression::Lambda { parameters, .. } = expression {
        for parameter in parameters {
            let name = parameter.as_str();
            if is_column(name) {
                let text = format!("Lambda function argument can't be a column name: {name}");
                return Err(PlanError::refused(text, parameter.span));
            }
            if outer.contains(&name) {
                let text = format!("Reusing lambda arguments in nested lambda is not allowed: {name}");
                return Err(PlanError::refused(text, parameter.span));
            }
            outer.push(name);
        }
    }
    for child in expression.children() {
        check_lambdas_within(child, is_column, outer)?;
    }
    outer.truncate(depth);
    Ok(())
}
