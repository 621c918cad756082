//! A statement as ksqlDB prints it once its names are resolved: columns with their sources, results with their names.

use crate::sql::ast::{CreateAsSelect, Expression, Grouping, SelectItem};

use super::scope::{Clause, Scope};
use super::select::OWN_WINDOW;

/// `create` with the names that its columns have in `scope`.
pub(super) fn sanitized(create: &CreateAsSelect, scope: &Scope) -> CreateAsSelect {
    let mut copy = create.clone();
    let query = &mut copy.query;
    for item in &mut query.select {
        let SelectItem::Single { expression, alias, .. } = item else { continue };
        *expression = qualified(expression, scope);
        if let (None, Expression::Column { name, .. }) = (&alias, &*expression) {
            *alias = Some(name.clone());
        }
    }
    for condition in query.where_clause.iter_mut().chain(&mut query.having) {
        *condition = qualified(condition, scope);
    }
    for Grouping { expressions, .. } in query.group_by.iter_mut().chain(&mut query.partition_by) {
        for expression in expressions {
            *expression = qualified(expression, scope);
        }
    }
    for join in &mut query.from.joins {
        join.on = qualified(&join.on, scope);
    }
    copy
}

fn qualified(expression: &Expression, scope: &Scope) -> Expression {
    // What cannot be resolved stays as it is written.
    let resolved = scope.resolve_beside(expression, Clause::Select, &OWN_WINDOW);
    resolved.map_or_else(|_| expression.clone(), |resolved| scope.qualified(&resolved))
}
