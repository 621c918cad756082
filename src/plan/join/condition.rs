//! ON: one equality, whose sides are about one source each.

use crate::sql::Span;
use crate::sql::ast::{ComparisonOperator, Expression, Join};
use crate::types::SqlType;

use super::super::error::PlanError;
use super::super::expression::Typer;
use super::super::scope::{Clause, Scope, columns_of};
use super::key::JoinKey;
use super::{JoinStep, kinds};

/// ON, resolved: each side with the index of the one source it is about.
pub(super) struct Condition {
    left: (Expression, usize),
    right: (Expression, usize),
    /// Index of the source that the join adds.
    added: usize,
    span: Span,
}

impl Condition {
    /// Reads the condition of `join`, which adds the source at index `added`.
    pub(super) fn resolve(join: &Join, added: usize, scope: &Scope) -> Result<Self, PlanError> {
        let Expression::Comparison { operator: ComparisonOperator::Equal, left, right, span } = &join.on else {
            return Err(unsupported_condition(&join.on));
        };
        let left = scope.resolve(left, Clause::JoinOn)?;
        let right = scope.resolve(right, Clause::JoinOn)?;
        let sources = [&left, &right].map(|side| sources_of(side, scope));
        for (side, sources) in [&left, &right].iter().zip(&sources) {
            if sources.len() != 1 {
                let text = format!(
                    "Invalid comparison expression '{}' in join '({} = {})'. Each side of the join comparision must \
                     contain references from exactly one source.",
                    scope.qualified(side).plain(),
                    scope.qualified(&left).plain(),
                    scope.qualified(&right).plain()
                );
                return Err(PlanError::refused(text, side.span()));
            }
        }
        let [left_source, right_source] = sources.map(|sources| sources[0]);
        check_references(left_source, right_source, added, scope, *span)?;
        Ok(Self { left: (left, left_source), right: (right, right_source), added, span: *span })
    }

    /// The join, if its types and kinds fit; `key` is the key of what has been joined before.
    pub(super) fn checked(
        self,
        join: &Join,
        key: &JoinKey,
        scope: &Scope,
        typer: &Typer,
    ) -> Result<JoinStep, PlanError> {
        let Self { left, right, added, span } = self;
        let [left_type, right_type] = [&left.0, &right.0].map(|side| typer.type_of(side, Clause::JoinOn));
        let [left_type, right_type] = [left_type?, right_type?];
        let [left_shown, right_shown] = [&left.0, &right.0].map(|side| scope.qualified(side).plain().to_string());
        let type_text = |found: &Option<SqlType>| found.as_ref().map_or("NULL".to_owned(), ToString::to_string);
        if left_type != right_type {
            let text = format!(
                "Invalid join condition: types don't match. Got {left_shown}{{{}}} = {right_shown}{{{}}}.",
                type_text(&left_type),
                type_text(&right_type)
            );
            return Err(PlanError::refused_with_hint(text, "convert one side with CAST", span));
        }
        let shown = format!("{left_shown} = {right_shown}");
        let (left, right) = if right.1 == added { (left, right) } else { (right, left) };
        let pair = kinds::Pair { join, left: (&left.0, left.1), right: (&right.0, added), shown: &shown, key, scope };
        let kind = pair.kind()?;
        let key = key.after(kind, &left.0, &right.0, scope);
        Ok(JoinStep { kind, source: added, left: left.0, right: right.0, key, span })
    }
}

fn unsupported_condition(on: &Expression) -> PlanError {
    let shown = on.plain();
    match on {
        Expression::Logical { .. } => PlanError::refused_with_hint(
            format!("Unsupported join expression: {shown}: joins on multiple conditions are not yet supported."),
            "join on one equality and put the other conditions into WHERE",
            on.span(),
        ),
        _ => PlanError::refused_with_hint(
            format!("Unsupported join expression: {shown}. Only equality of two expressions is supported."),
            "other conditions can stand in WHERE",
            on.span(),
        ),
    }
}

/// Indices of the sources whose columns `expression` uses, ascending.
fn sources_of(expression: &Expression, scope: &Scope) -> Vec<usize> {
    let names = columns_of(std::iter::once(expression));
    let mut sources: Vec<usize> =
        names.iter().filter_map(|name| scope.column(name)).map(|column| column.source).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn check_references(left: usize, right: usize, added: usize, scope: &Scope, span: Span) -> Result<(), PlanError> {
    let alias = |source: usize| &scope.sources[source].alias;
    let text = if left == right {
        format!(
            "Each side of the join must reference exactly one source and not the same source. Left side references \
             `{}` and right references `{}`",
            alias(left),
            alias(right)
        )
    } else if left != added && right != added {
        format!(
            "A join criteria is expected to reference the source (`{}`) in the FROM clause, instead the right source \
             references `{}` and the left source references `{}`",
            alias(added),
            alias(right),
            alias(left)
        )
    } else if left > added || right > added {
        let later = left.max(right);
        format!("Source `{}` is referenced before it is joined.", alias(later))
    } else {
        return Ok(());
    };
    Err(PlanError::refused(text, span))
}
