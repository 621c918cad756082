//! PARTITION BY: the result's key is computed from the row. The sink topic itself does the repartitioning.

use crate::functions::Registry;
use crate::sql::ast::{Expression, Grouping, Literal};
use crate::types::Column;

use super::error::PlanError;
use super::expression::Typer;
use super::planned::{ResultColumn, RowPart};
use super::project::{self, KeyKind};
use super::relation::{KeyColumn, Relation};
use super::scope::{Clause, Scope};
use super::select::{Item, Purpose};
use super::{NullKeys, PlanNode, aggregate};

/// Whether `expression` is the literal NULL.
pub(super) fn is_null(expression: &Expression) -> bool {
    matches!(expression, Expression::Literal { value: Literal::Null, .. })
}

/// The expressions of `grouping`, resolved.
pub(super) fn expressions(
    grouping: &Grouping,
    scope: &Scope,
    functions: &Registry,
) -> Result<Vec<Expression>, PlanError> {
    if grouping.expressions.is_empty() {
        return Err(PlanError::refused("PARTITION BY requires at least one expression", grouping.span));
    }
    let resolved: Vec<Expression> = grouping
        .expressions
        .iter()
        .map(|expression| scope.resolve(expression, Clause::PartitionBy))
        .collect::<Result<_, _>>()?;
    for (expression, written) in resolved.iter().zip(&grouping.expressions) {
        aggregate::check_row_functions(expression, Clause::PartitionBy, written.span(), functions)?;
    }
    if resolved.len() > 1 && resolved.iter().any(is_null) {
        return Err(PlanError::refused("Cannot PARTITION BY multiple columns including NULL", grouping.span));
    }
    if scope.sources[0].data.is_table() {
        return Err(PlanError::refused(
            "PARTITION BY is not supported for tables: the key of a table cannot change",
            grouping.span,
        ));
    }
    Ok(resolved)
}

/// What PARTITION BY makes of `relation`.
pub(super) struct Partitioned {
    /// The steps.
    pub(super) node: PlanNode,
    /// Results for a client; empty for persistent queries.
    pub(super) results: Vec<ResultColumn>,
}

/// Re-keys `relation` by `expressions` (already resolved) and selects `items`.
pub(super) fn plan(
    relation: Relation,
    expressions: &[Expression],
    items: &[Item],
    scope: &Scope,
    purpose: Purpose,
    typer: &Typer,
    grouping: &Grouping,
) -> Result<Partitioned, PlanError> {
    let key: Vec<KeyColumn> = expressions
        .iter()
        .filter(|expression| !is_null(expression))
        .map(|expression| {
            let (_, sql_type) = typer.typed_with_type(expression, &relation.layout, Clause::PartitionBy)?;
            Ok(KeyColumn { expressions: vec![expression.clone()], sql_type })
        })
        .collect::<Result<_, PlanError>>()?;
    if is_unchanged(&relation, &key) {
        let relation = Relation { key, ..relation };
        return without_rekey(relation, items, scope, purpose, typer, grouping);
    }
    let mut results = Vec::new();
    let (key_names, value): (Vec<String>, Vec<&Item>) = match purpose {
        Purpose::Persistent(sink) => {
            let split = project::split(items, &key, KeyKind::Partitioning, scope, sink, grouping.span)?;
            (split.key_names, split.value)
        }
        Purpose::Transient => {
            let mut value = Vec::new();
            let mut parts = Vec::new();
            for item in items {
                match key.iter().position(|part| part.expressions[0] == item.expression) {
                    Some(index) => parts.push((item, RowPart::Key(index))),
                    None => {
                        parts.push((item, RowPart::Value(value.len())));
                        value.push(item);
                    }
                }
            }
            for (item, part) in parts {
                let (_, sql_type) = typer.typed_with_type(&item.expression, &relation.layout, Clause::Select)?;
                results.push(ResultColumn { column: Column::new(item.name.clone(), sql_type), part });
            }
            ((0..key.len()).map(|i| format!("KSQL_COL_{i}")).collect(), value)
        }
    };
    let columns = project::value_columns(&value, &relation.layout, typer)?;
    let key_columns = key.iter().zip(key_names).map(|(part, name)| {
        let expr = typer.typed(&part.expressions[0], &relation.layout, Clause::PartitionBy)?;
        Ok((Column::new(name, part.sql_type.clone()), expr))
    });
    let node = PlanNode::Rekey {
        key: key_columns.collect::<Result<_, PlanError>>()?,
        input: Box::new(relation.node),
        columns,
        null_keys: NullKeys::Keep,
        keeps_window: true,
    };
    Ok(Partitioned { node, results })
}

/// Whether the key is what it was.
fn is_unchanged(relation: &Relation, key: &[KeyColumn]) -> bool {
    let width = relation.node.key().len();
    let stands = |(i, part): (usize, &KeyColumn)| {
        relation.layout.find(&part.expressions[0]).is_some_and(|column| column.index == i)
    };
    key.len() == width && key.iter().enumerate().all(stands)
}

fn without_rekey(
    relation: Relation,
    items: &[Item],
    scope: &Scope,
    purpose: Purpose,
    typer: &Typer,
    grouping: &Grouping,
) -> Result<Partitioned, PlanError> {
    match purpose {
        Purpose::Persistent(sink) => {
            let split = project::split(items, &relation.key, KeyKind::Partitioning, scope, sink, grouping.span)?;
            let node = project::persistent(relation, &split, typer)?;
            Ok(Partitioned { node, results: Vec::new() })
        }
        Purpose::Transient => {
            let (node, results) = project::transient(relation, items, typer)?;
            Ok(Partitioned { node, results })
        }
    }
}
