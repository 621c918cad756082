//! Written expressions to typed ones: columns to indices, literals to values, operators to [`Expr`]'s constructors. Calls of
//! functions are in `call`.

use arrow::array::{Array, ArrayRef, new_null_array};

use crate::catalog::Catalog;
use crate::expr::{ArithmeticOp, CompareOp, Expr, Literal, TypeError};
use crate::functions::Registry;
use crate::sql::Span;
use crate::sql::ast::{
    self, ArithmeticOperator, ComparisonOperator, Expression, Identifier, LogicalOperator, Sign, WhenClause,
};
use crate::types::{SqlType, iso_text};

use super::TableCall;
use super::error::{PlanError, PlanErrorKind};
use super::names::{ROWTIME, WINDOWEND, WINDOWSTART};
use super::relation::Layout;
use super::scope::{Clause, Scope, as_column};
use super::settings::Settings;
use super::type_errors::{in_predicate, type_error};
use super::type_expr::resolve_type;

/// Gives expressions their types.
pub(super) struct Typer<'a> {
    pub(super) settings: &'a Settings<'a>,
    catalog: &'a Catalog,
    /// All columns of the query's sources, for types only.
    sources: Layout,
}

impl<'a> Typer<'a> {
    /// Types expressions over the columns of `scope`.
    pub(super) fn new(catalog: &'a Catalog, settings: &'a Settings<'a>, scope: &Scope) -> Self {
        Self { settings, catalog, sources: Layout::of(&scope.columns) }
    }

    /// Types expressions without columns.
    pub(super) fn without_sources(catalog: &'a Catalog, settings: &'a Settings<'a>) -> Self {
        Self { settings, catalog, sources: Layout::default() }
    }

    /// Type of `expression`, which has internal names; `None` for NULL.
    pub(super) fn type_of(&self, expression: &Expression, clause: Clause) -> Result<Option<SqlType>, PlanError> {
        Ok(self.typed(expression, &self.sources, clause)?.sql_type().cloned())
    }

    /// `expression` over rows of `layout`.
    pub(super) fn typed(&self, expression: &Expression, layout: &Layout, clause: Clause) -> Result<Expr, PlanError> {
        Typing { typer: self, layout, clause, variables: Vec::new() }.expr(expression)
    }

    /// `call` of a table function in SELECT, over rows of `layout`, as a column called `name`; `None` if it is of none.
    pub(super) fn table_call(
        &self,
        call: &ast::FunctionCall,
        layout: &Layout,
        name: String,
    ) -> Result<Option<TableCall>, PlanError> {
        Typing { typer: self, layout, clause: Clause::Select, variables: Vec::new() }.table_call(call, name)
    }

    /// As [`Typer::typed`]; NULL, which has no type, is refused.
    pub(super) fn typed_with_type(
        &self,
        expression: &Expression,
        layout: &Layout,
        clause: Clause,
    ) -> Result<(Expr, SqlType), PlanError> {
        let expr = self.typed(expression, layout, clause)?;
        match expr.sql_type().cloned() {
            Some(sql_type) => Ok((expr, sql_type)),
            None => Err(untyped(expression.span())),
        }
    }

    /// `expression` as a condition.
    pub(super) fn predicate(
        &self,
        expression: &Expression,
        layout: &Layout,
        clause: Clause,
    ) -> Result<Expr, PlanError> {
        let expr = self.typed(expression, layout, clause).map_err(|error| in_predicate(error, clause))?;
        match expr.sql_type() {
            Some(SqlType::Boolean) => Ok(expr),
            other => {
                let found = other.map_or_else(|| "null".to_owned(), ToString::to_string);
                let text = format!(
                    "Type error in {} expression: Should evaluate to boolean but is {} ({found}) instead.",
                    clause.name(),
                    expression.plain()
                );
                Err(PlanError::refused(text, expression.span()))
            }
        }
    }

    /// The value of a constant as a column of type `wanted` called `name`, one row (`INSERT VALUES`).
    pub(super) fn constant(
        &self,
        expression: &Expression,
        wanted: &SqlType,
        name: &str,
    ) -> Result<ArrayRef, PlanError> {
        let expr = self.typed(expression, &Layout::default(), Clause::Select)?;
        if expr.sql_type().is_none() {
            return Ok(new_null_array(&wanted.arrow(), 1));
        }
        let refused = |found: &str| {
            let text = format!("Expected type {wanted} for field `{name}` but got {found}({})", expression.plain());
            PlanError::refused(text, expression.span())
        };
        let found = expr.sql_type().map_or_else(String::new, ToString::to_string);
        let is_text = expr.sql_type() == Some(&SqlType::String);
        if is_number_pair(expr.sql_type(), wanted) && self.lossless_constant(expression, wanted)?.is_none() {
            return Err(refused(&found));
        }
        let converted = match Expr::coerced(expr.clone(), wanted) {
            Some(converted) => converted,
            None if is_text || is_number_pair(expr.sql_type(), wanted) || is_same_nesting(expr.sql_type(), wanted) => {
                Expr::cast(expr, wanted.clone()).map_err(|_| refused(&found))?
            }
            None => return Err(refused(&found)),
        };
        converted
            .constant()
            .map_err(|reason| PlanError::refused(format!("Failed to evaluate expression: {reason}"), expression.span()))
    }

    /// The constant as a key of type `wanted`, one row; `None` when no value of that type equals it.
    pub(super) fn lossless_constant(
        &self,
        expression: &Expression,
        wanted: &SqlType,
    ) -> Result<Option<ArrayRef>, PlanError> {
        let expr = self.typed(expression, &Layout::default(), Clause::Where)?;
        if expr.sql_type().is_none() {
            return Ok(Some(new_null_array(&wanted.arrow(), 1)));
        }
        if let Some(converted) = Expr::coerced(expr.clone(), wanted) {
            return Ok(converted.constant().ok());
        }
        let Ok(there) = Expr::cast(expr.clone(), wanted.clone()) else { return Ok(None) };
        let (Ok(value), Some(from)) = (there.constant(), expr.sql_type().cloned()) else { return Ok(None) };
        let same = Expr::cast(there, from).is_ok_and(|back| match (back.constant(), expr.constant()) {
            (Ok(back), Ok(original)) => back.to_data() == original.to_data(),
            _ => false,
        });
        Ok(same.then_some(value))
    }

    /// The constant as a time in milliseconds (BIGINT, one row): a number, or the text of a timestamp.
    pub(super) fn time_constant(&self, expression: &Expression) -> Option<ArrayRef> {
        let expr = match expression {
            Expression::Literal { value: ast::Literal::String(text), .. } => {
                Expr::literal(Literal::Bigint(iso_text::parse_timestamp(text)?))
            }
            other => self.typed(other, &Layout::default(), Clause::Where).ok()?,
        };
        Expr::coerced(expr, &SqlType::Bigint)?.constant().ok()
    }

    /// The functions that there are.
    pub(super) fn functions(&self) -> &'a Registry {
        self.catalog.functions()
    }
}

/// NULL where a type is needed.
pub(super) fn untyped(span: Span) -> PlanError {
    let text = "Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS VARCHAR).";
    PlanError::refused(text, span)
}

fn is_number_pair(from: Option<&SqlType>, to: &SqlType) -> bool {
    let whole = |sql_type: &SqlType| matches!(sql_type, SqlType::Integer | SqlType::Bigint);
    match (from, to) {
        (Some(SqlType::Decimal { .. } | SqlType::Integer | SqlType::Bigint), SqlType::Decimal { .. }) => true,
        (Some(from), SqlType::Timestamp) => whole(from),
        _ => false,
    }
}

/// Whether both are arrays, maps or structs: their parts are converted one by one.
fn is_same_nesting(from: Option<&SqlType>, to: &SqlType) -> bool {
    matches!(
        (from, to),
        (Some(SqlType::Array(_)), SqlType::Array(_))
            | (Some(SqlType::Map(..)), SqlType::Map(..))
            | (Some(SqlType::Struct(_)), SqlType::Struct(_))
    )
}

/// One expression over one layout.
pub(super) struct Typing<'a> {
    pub(super) typer: &'a Typer<'a>,
    pub(super) layout: &'a Layout,
    pub(super) clause: Clause,
    /// Parameters of the enclosing lambdas.
    pub(super) variables: Vec<(String, SqlType)>,
}

impl Typing<'_> {
    pub(super) fn expr(&self, expression: &Expression) -> Result<Expr, PlanError> {
        if let Some(found) = self.layout.find(expression) {
            return Ok(column_expr(found.index, &found.sql_type));
        }
        let typed = self.node(expression)?;
        typed.map_err(|error| type_error(&error, expression, self.clause))
    }

    /// The outer error is final, the inner one gets the expression's place.
    fn node(&self, expression: &Expression) -> Result<Result<Expr, TypeError>, PlanError> {
        Ok(match expression {
            Expression::Literal { value, span } => Ok(Expr::literal(literal(value, *span)?)),
            Expression::Column { name, span, .. } => return Err(self.unknown_column(name, *span)),
            Expression::Arithmetic { operator, left, right, .. } => {
                Expr::arithmetic(arithmetic_op(*operator), self.expr(left)?, self.expr(right)?)
            }
            Expression::Signed { sign: Sign::Plus, operand, .. } => Ok(self.expr(operand)?),
            Expression::Signed { sign: Sign::Minus, operand, .. } => Expr::negate(self.expr(operand)?),
            Expression::Comparison { operator, left, right, .. } => self.comparison(*operator, left, right)?,
            Expression::Logical { operator, left, right, .. } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                match operator {
                    LogicalOperator::And => Expr::and(left, right),
                    LogicalOperator::Or => Expr::or(left, right),
                }
            }
            Expression::Not { operand, .. } => Expr::not(self.expr(operand)?),
            Expression::IsNull { operand, negated: false, .. } => Ok(Expr::is_null(self.expr(operand)?)),
            Expression::IsNull { operand, negated: true, .. } => Ok(Expr::is_not_null(self.expr(operand)?)),
            Expression::Between { value, low, high, .. } => {
                let (low_expr, high_expr) = (self.beside(low, value)?, self.beside(high, value)?);
                let texts = (value.plain(), low.plain(), high.plain());
                Expr::between((self.expr(value)?, &texts.0), (low_expr, &texts.1), (high_expr, &texts.2))
            }
            Expression::InList { value, list, .. } => {
                let texts: Vec<_> = list.iter().map(Expression::plain).collect();
                let elements = list.iter().map(|element| self.expr(element)).collect::<Result<Vec<_>, _>>()?;
                let list = elements.into_iter().zip(&texts).map(|(element, text)| (element, text as _)).collect();
                Expr::in_list((self.expr(value)?, &value.plain()), list)
            }
            Expression::Like { value, pattern, escape, .. } => {
                Expr::like(self.expr(value)?, self.expr(pattern)?, *escape)
            }
            Expression::SearchedCase { branches, default, .. } => self.case(branches, default.as_deref())?,
            Expression::Cast { operand, target, span } => {
                let target = resolve_type(target, self.typer.catalog, *span)?;
                Expr::cast(self.expr(operand)?, target)
            }
            Expression::Subscript { base, index, .. } => Expr::subscript(self.expr(base)?, self.expr(index)?),
            Expression::Dereference { base, field, .. } => Expr::field(self.expr(base)?, field.as_str(), &base.plain()),
            Expression::Array { elements, .. } => {
                let texts: Vec<_> = elements.iter().map(Expression::plain).collect();
                let typed = elements.iter().map(|element| self.expr(element)).collect::<Result<Vec<_>, _>>()?;
                Expr::array(typed.into_iter().zip(&texts).map(|(element, text)| (element, text as _)).collect())
            }
            Expression::Map { entries, .. } => {
                let texts: Vec<_> = entries.iter().map(|(key, value)| (key.plain(), value.plain())).collect();
                let typed = entries.iter().map(|(key, value)| Ok((self.expr(key)?, self.expr(value)?)));
                let typed = typed.collect::<Result<Vec<_>, PlanError>>()?;
                let entries = typed.into_iter().zip(&texts);
                let entries = entries.map(|((key, value), texts)| ((key, &texts.0 as _), (value, &texts.1 as _)));
                Expr::map(entries.collect())
            }
            Expression::Struct { fields, span } => return self.structure(fields, *span),
            Expression::FunctionCall(call) => return self.call(call),
            Expression::Subquery(subquery) => {
                let text = "Queries cannot stand here. They can in SELECT, WHERE, HAVING and ORDER BY of a SELECT without EMIT.";
                return Err(PlanError::refused(text, subquery.span));
            }
            Expression::SimpleCase { span, .. } => {
                return Err(PlanError::not_supported("CASE with an operand: write CASE WHEN operand = value", *span));
            }
            Expression::LambdaVariable(name) => Ok(self.variable(name)?),
            Expression::Lambda { span, .. } | Expression::IntervalUnit { span, .. } => {
                let text = "Lambdas and units of time can only be arguments of functions.";
                return Err(PlanError::refused(text, *span));
            }
        })
    }

    /// A column that the step below does not give.
    fn unknown_column(&self, name: &Identifier, span: Span) -> PlanError {
        PlanError::at(
            PlanErrorKind::UnknownColumn {
                clause: self.clause.name(),
                name: name.as_str().to_owned(),
                input_only: String::new(),
                similar: Vec::new(),
            },
            span,
        )
    }

    fn comparison(
        &self,
        operator: ComparisonOperator,
        left: &Expression,
        right: &Expression,
    ) -> Result<Result<Expr, TypeError>, PlanError> {
        let (left_expr, right_expr) = (self.beside(left, right)?, self.beside(right, left)?);
        Ok(Expr::compare(compare_op(operator), (left_expr, &left.plain()), (right_expr, &right.plain())))
    }

    /// `expression`, compared with `other`: beside a time column the text of a timestamp means its milliseconds.
    fn beside(&self, expression: &Expression, other: &Expression) -> Result<Expr, PlanError> {
        let Expression::Literal { value: ast::Literal::String(text), span } = expression else {
            return self.expr(expression);
        };
        let time = as_column(other).is_some_and(|name| {
            let own = name.rsplit_once('_').map_or(name, |(_, own)| own);
            matches!(own, ROWTIME | WINDOWSTART | WINDOWEND)
        });
        let is_bigint = || self.expr(other).is_ok_and(|other| other.sql_type() == Some(&SqlType::Bigint));
        if !time || !is_bigint() {
            return self.expr(expression);
        }
        match iso_text::parse_timestamp(text) {
            Some(time) => Ok(Expr::literal(Literal::Bigint(time))),
            None => Err(PlanError::refused(format!("Failed to parse timestamp '{text}'"), *span)),
        }
    }

    fn case(
        &self,
        branches: &[WhenClause],
        default: Option<&Expression>,
    ) -> Result<Result<Expr, TypeError>, PlanError> {
        let texts: Vec<_> = branches.iter().map(|branch| branch.when.plain()).collect();
        let typed = branches.iter().map(|branch| Ok((self.expr(&branch.when)?, self.expr(&branch.then)?)));
        let typed = typed.collect::<Result<Vec<_>, PlanError>>()?;
        let default = default.map(|default| self.expr(default)).transpose()?;
        let branches = typed.into_iter().zip(&texts).map(|((when, then), text)| ((when, text as _), then));
        Ok(Expr::case(branches.collect(), default))
    }

    fn structure(&self, fields: &[(Identifier, Expression)], span: Span) -> Result<Result<Expr, TypeError>, PlanError> {
        for (i, (name, _)) in fields.iter().enumerate() {
            if fields[..i].iter().any(|(other, _)| other == name) {
                let text = format!("Duplicate field names found in STRUCT: '{}'", name.as_str());
                return Err(PlanError::refused(text, span));
            }
        }
        let typed = fields.iter().map(|(name, value)| Ok((name.as_str().to_owned(), self.expr(value)?)));
        Ok(Expr::structure(typed.collect::<Result<_, PlanError>>()?))
    }
}

fn literal(value: &ast::Literal, span: Span) -> Result<Literal, PlanError> {
    Ok(match value {
        ast::Literal::Null => Literal::Null,
        ast::Literal::Boolean(value) => Literal::Boolean(*value),
        ast::Literal::Integer(value) => Literal::Integer(*value),
        ast::Literal::BigInt(value) => Literal::Bigint(*value),
        ast::Literal::Double(value) => Literal::Double(value.value()),
        ast::Literal::Decimal(value) => Literal::decimal(value.as_str()).ok_or_else(|| {
            let text = format!("{} has more than {} digits", value.as_str(), SqlType::DECIMAL_DIGITS_MAX);
            PlanError::refused(text, span)
        })?,
        ast::Literal::String(value) => Literal::String(value.clone()),
        ast::Literal::Variable(name) => {
            return Err(PlanError::refused(format!("variable ${{{name}}} is not defined"), span));
        }
    })
}

fn arithmetic_op(operator: ArithmeticOperator) -> ArithmeticOp {
    match operator {
        ArithmeticOperator::Add => ArithmeticOp::Add,
        ArithmeticOperator::Subtract => ArithmeticOp::Subtract,
        ArithmeticOperator::Multiply => ArithmeticOp::Multiply,
        ArithmeticOperator::Divide => ArithmeticOp::Divide,
        ArithmeticOperator::Modulus => ArithmeticOp::Modulo,
    }
}

fn compare_op(operator: ComparisonOperator) -> CompareOp {
    match operator {
        ComparisonOperator::Equal => CompareOp::Equal,
        ComparisonOperator::NotEqual => CompareOp::NotEqual,
        ComparisonOperator::LessThan => CompareOp::Less,
        ComparisonOperator::LessThanOrEqual => CompareOp::LessOrEqual,
        ComparisonOperator::GreaterThan => CompareOp::Greater,
        ComparisonOperator::GreaterThanOrEqual => CompareOp::GreaterOrEqual,
        ComparisonOperator::IsDistinctFrom => CompareOp::Distinct,
    }
}

/// The column at `index`.
pub(super) fn column_expr(index: usize, sql_type: &SqlType) -> Expr {
    Expr::column(index, sql_type.clone())
}

/// `expr` with the columns' names.
pub(super) fn shown(expr: &Expr, names: &[String]) -> String {
    expr.display(names).to_string()
}
