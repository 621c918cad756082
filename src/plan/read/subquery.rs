//! Queries inside expressions: each becomes a column beside the rows that the expression is over.

use crate::expr::{CompareOp, Expr};
use crate::sql::ast::{Expression, Subquery, SubqueryKind};
use crate::types::SqlType;

use super::super::error::PlanError;
use super::super::expression::{Typer, column_expr};
use super::super::relation::Layout;
use super::super::scope::Clause;
use super::select::Rows;
use super::{Names, Planner, ReadNode, SubqueryAsks};

impl Planner<'_> {
    /// `rows` with a column for each query in `expressions`.
    pub(super) fn with_subqueries(
        &self,
        mut rows: Rows,
        expressions: &[&Expression],
        (typer, names): (&Typer, &Names),
    ) -> Result<Rows, PlanError> {
        let mut found = Vec::new();
        expressions.iter().for_each(|expression| queries_in(expression, &rows.layout, &mut found));
        for expression in found {
            if let (Expression::Subquery(subquery), None) = (expression, rows.layout.find(expression)) {
                rows = self.with_subquery(rows, expression, subquery, (typer, names))?;
            }
        }
        Ok(rows)
    }

    fn with_subquery(
        &self,
        mut rows: Rows,
        expression: &Expression,
        subquery: &Subquery,
        (typer, names): (&Typer, &Names),
    ) -> Result<Rows, PlanError> {
        let mut query = self.read(&subquery.query, names)?;
        let columns = query.columns();
        let only = match (&subquery.kind, columns.as_slice()) {
            (SubqueryKind::Exists, _) => None,
            (_, [only]) => Some(only),
            (_, several) => {
                let text =
                    format!("A query inside an expression gives one column, and this one gives {}", several.len());
                return Err(PlanError::refused(text, subquery.span));
            }
        };
        let asks = match (&subquery.kind, only) {
            (SubqueryKind::In(value), Some(column)) => {
                let outer = typer.typed(value, &rows.layout, Clause::Where)?;
                let inner = column_expr(0, &column.sql_type);
                let sides = ((outer, &value.plain() as _), (inner, &column.name as _));
                let compared = Expr::compare(CompareOp::Equal, sides.0, sides.1);
                let compared = compared.map_err(|error| PlanError::refused(error.to_string(), subquery.span))?;
                let Some((outer, inner)) = compared.as_equality() else {
                    let text =
                        format!("{} cannot be looked for among values of type {}", value.plain(), column.sql_type);
                    return Err(PlanError::refused_with_hint(text, "give both the same type with CAST", subquery.span));
                };
                SubqueryAsks::Contains(Box::new(outer.clone()), Box::new(inner.clone()))
            }
            (SubqueryKind::Scalar, _) => SubqueryAsks::Value,
            _ => {
                query = ReadNode::Limit { input: Box::new(query), offset: 0, limit: Some(1) };
                SubqueryAsks::Exists
            }
        };
        let sql_type = match (&asks, only) {
            (SubqueryAsks::Value, Some(column)) => column.sql_type.clone(),
            _ => SqlType::Boolean,
        };
        let index = rows.node.columns().len();
        rows.layout.add(expression.clone(), index, sql_type);
        let node = ReadNode::Subquery { input: Box::new(rows.node), query: Box::new(query), asks };
        Ok(Rows { node, layout: rows.layout })
    }
}

/// Adds the queries in `expression`, inner ones first: a value before IN may hold another query. What rows of `layout` have already, as
/// the results of aggregates, is not looked into.
fn queries_in<'e>(expression: &'e Expression, layout: &Layout, found: &mut Vec<&'e Expression>) {
    if layout.find(expression).is_some() {
        return;
    }
    expression.children().into_iter().for_each(|child| queries_in(child, layout, found));
    if matches!(expression, Expression::Subquery(_)) {
        found.push(expression);
    }
}
