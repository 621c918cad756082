//! A statement as ksqlDB shows it again in some messages: every column with its source, defaults spelled out.

use crate::sql::ast::{CreateAsSelect, Expression, Grouping, Query, Refinement, SelectItem};

use super::error::{PlanError, PlanErrorKind};
use super::scope::{Clause, Scope};

/// `error`, with `create` shown again if it is one about formats.
pub(super) fn with_statement(error: PlanError, create: &CreateAsSelect, scope: &Scope) -> PlanError {
    if !matches!(error.kind(), PlanErrorKind::Format { .. }) {
        return error;
    }
    let restated = CreateAsSelect { query: query(&create.query, scope), ..create.clone() };
    let text = format!("{error}\nStatement: {restated}");
    PlanError::refused(text, error.span().unwrap_or(create.span))
}

fn query(query: &Query, scope: &Scope) -> Query {
    let select = query.select.iter().map(|item| match item {
        SelectItem::Single { expression, alias, span } => {
            let own = match expression {
                Expression::Column { name, .. } => Some(name.clone()),
                _ => None,
            };
            let expression = qualified(expression, Clause::Select, scope);
            SelectItem::Single { expression, alias: alias.clone().or(own), span: *span }
        }
        other => other.clone(),
    });
    let condition = |condition: &Option<Expression>, clause| {
        condition.as_ref().map(|condition| qualified(condition, clause, scope))
    };
    Query {
        select: select.collect(),
        where_clause: condition(&query.where_clause, Clause::Where),
        group_by: grouping(query.group_by.as_ref(), Clause::GroupBy, scope),
        partition_by: grouping(query.partition_by.as_ref(), Clause::PartitionBy, scope),
        having: condition(&query.having, Clause::Having),
        refinement: query.refinement.or(Some(Refinement::Changes)),
        ..query.clone()
    }
}

fn grouping(grouping: Option<&Grouping>, clause: Clause, scope: &Scope) -> Option<Grouping> {
    grouping.map(|grouping| Grouping {
        expressions: grouping.expressions.iter().map(|expression| qualified(expression, clause, scope)).collect(),
        ..grouping.clone()
    })
}

/// `expression` with the sources of its columns; what has none stays as it is.
fn qualified(expression: &Expression, clause: Clause, scope: &Scope) -> Expression {
    scope.resolve(expression, clause).map_or_else(|_| expression.clone(), |resolved| scope.qualified(&resolved))
}
