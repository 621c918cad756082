//! Expressions with some of their parts replaced.

use crate::sql::ast::{Expression, FunctionCall, Subquery, SubqueryKind, WhenClause};

use super::error::PlanError;

/// A copy of `expression` in which every part for which `replace` gives something is that; the parts of a replaced part
/// are not looked at.
pub(super) fn rewrite(
    expression: &Expression,
    replace: &mut dyn FnMut(&Expression) -> Result<Option<Expression>, PlanError>,
) -> Result<Expression, PlanError> {
    if let Some(replaced) = replace(expression)? {
        return Ok(replaced);
    }
    let mut one = |part: &Expression| rewrite(part, replace);
    let copy = match expression.clone() {
        leaf @ (Expression::Literal { .. }
        | Expression::Column { .. }
        | Expression::LambdaVariable(_)
        | Expression::IntervalUnit { .. }) => leaf,
        Expression::Subquery(subquery) => match subquery.kind {
            SubqueryKind::In(value) => {
                let kind = SubqueryKind::In(Box::new(one(&value)?));
                Expression::Subquery(Box::new(Subquery { kind, ..*subquery }))
            }
            SubqueryKind::Scalar | SubqueryKind::Exists => Expression::Subquery(subquery),
        },
        Expression::FunctionCall(call) => {
            let arguments = all(&call.arguments, &mut one)?;
            Expression::FunctionCall(FunctionCall { arguments, ..call })
        }
        Expression::Lambda { parameters, body, span } => {
            Expression::Lambda { parameters, body: Box::new(one(&body)?), span }
        }
        Expression::Arithmetic { operator, left, right, span } => {
            Expression::Arithmetic { operator, left: Box::new(one(&left)?), right: Box::new(one(&right)?), span }
        }
        Expression::Signed { sign, operand, span } => {
            Expression::Signed { sign, operand: Box::new(one(&operand)?), span }
        }
        Expression::Comparison { operator, left, right, span } => {
            Expression::Comparison { operator, left: Box::new(one(&left)?), right: Box::new(one(&right)?), span }
        }
        Expression::Logical { operator, left, right, span } => {
            Expression::Logical { operator, left: Box::new(one(&left)?), right: Box::new(one(&right)?), span }
        }
        Expression::Not { operand, span } => Expression::Not { operand: Box::new(one(&operand)?), span },
        Expression::IsNull { operand, negated, span } => {
            Expression::IsNull { operand: Box::new(one(&operand)?), negated, span }
        }
        Expression::Between { value, low, high, span } => Expression::Between {
            value: Box::new(one(&value)?),
            low: Box::new(one(&low)?),
            high: Box::new(one(&high)?),
            span,
        },
        Expression::InList { value, list, span } => {
            Expression::InList { value: Box::new(one(&value)?), list: all(&list, &mut one)?, span }
        }
        Expression::Like { value, pattern, escape, span } => {
            Expression::Like { value: Box::new(one(&value)?), pattern: Box::new(one(&pattern)?), escape, span }
        }
        Expression::SearchedCase { branches, default, span } => Expression::SearchedCase {
            branches: all_branches(branches, &mut one)?,
            default: optional(default, &mut one)?,
            span,
        },
        Expression::SimpleCase { operand, branches, default, span } => Expression::SimpleCase {
            operand: Box::new(one(&operand)?),
            branches: all_branches(branches, &mut one)?,
            default: optional(default, &mut one)?,
            span,
        },
        Expression::Cast { operand, target, span } => {
            Expression::Cast { operand: Box::new(one(&operand)?), target, span }
        }
        Expression::Subscript { base, index, span } => {
            Expression::Subscript { base: Box::new(one(&base)?), index: Box::new(one(&index)?), span }
        }
        Expression::Dereference { base, field, span } => {
            Expression::Dereference { base: Box::new(one(&base)?), field, span }
        }
        Expression::Array { elements, span } => Expression::Array { elements: all(&elements, &mut one)?, span },
        Expression::Map { entries, span } => {
            let entries = entries.iter().map(|(key, value)| Ok((one(key)?, one(value)?)));
            Expression::Map { entries: entries.collect::<Result<_, PlanError>>()?, span }
        }
        Expression::Struct { fields, span } => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, one(&value)?)));
            Expression::Struct { fields: fields.collect::<Result<_, PlanError>>()?, span }
        }
    };
    Ok(copy)
}

type Rewriter<'a> = dyn FnMut(&Expression) -> Result<Expression, PlanError> + 'a;

fn all(expressions: &[Expression], one: &mut Rewriter) -> Result<Vec<Expression>, PlanError> {
    expressions.iter().map(one).collect()
}

fn optional(expression: Option<Box<Expression>>, one: &mut Rewriter) -> Result<Option<Box<Expression>>, PlanError> {
    expression.map(|expression| one(&expression).map(Box::new)).transpose()
}

fn all_branches(branches: Vec<WhenClause>, one: &mut Rewriter) -> Result<Vec<WhenClause>, PlanError> {
    let branches = branches
        .into_iter()
        .map(|branch| Ok(WhenClause { when: one(&branch.when)?, then: one(&branch.then)?, span: branch.span }));
    branches.collect()
}
