//! The last step of a query: which results are key columns, which are values.

use crate::sql::Span;
use crate::sql::ast::Expression;
use crate::types::{Column, SqlType};

use super::error::{PlanError, or_list};
use super::expression::Typer;
use super::planned::{ResultColumn, RowPart};
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Clause, Scope, as_column};
use super::select::Item;
use super::{Expr, PlanNode};

/// What the expressions of the key are called in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// Key columns of the source.
    Source,
    /// Expressions of GROUP BY.
    Grouping,
    /// Expressions of PARTITION BY.
    Partitioning,
    /// Sides of a join.
    Join,
    /// A column that a join makes up.
    MadeUp,
    /// Key columns of a table with a foreign key.
    ForeignKey,
}

/// Which item is which key column, and which are values.
pub(super) struct Split<'a> {
    /// Names of the key columns.
    pub(super) key_names: Vec<String>,
    /// The other items.
    pub(super) value: Vec<&'a Item>,
}

/// Splits the results of a persistent query: every key column is among them, once.
pub(super) fn split<'a>(
    items: &'a [Item],
    key: &[KeyColumn],
    kind: KeyKind,
    scope: &Scope,
    sink: &str,
    span: Span,
) -> Result<Split<'a>, PlanError> {
    let mut is_key = vec![false; items.len()];
    let mut key_names = Vec::new();
    let mut missing = Vec::new();
    for part in key {
        let Some(expression) = selected(part, items) else {
            missing.push(alternatives(part, kind, scope));
            continue;
        };
        let found: Vec<usize> = (0..items.len()).filter(|i| items[*i].expression == *expression).collect();
        if found.len() > 1 {
            let names: Vec<String> = found.iter().map(|i| items[*i].name.clone()).collect();
            let shown = as_column(expression).map_or_else(|| expression.plain().to_string(), str::to_owned);
            let hint = "a second copy of a key column for the value is AS_VALUE(column)";
            return Err(PlanError::refused_with_hint(twice(&shown, names, kind), hint, items[found[1]].span));
        }
        is_key[found[0]] = true;
        key_names.push(items[found[0]].name.clone());
    }
    if !missing.is_empty() && kind == KeyKind::ForeignKey {
        let missing = missing.concat();
        return Err(PlanError::refused(foreign_key_missing(&missing, &scope.sources[0].alias), span));
    }
    if !missing.is_empty() {
        let hint = match kind {
            KeyKind::MadeUp => {
                let name = missing.concat().concat();
                format!("the join has no other key: select {name}, or {name} AS another name")
            }
            _ if items.iter().any(|item| is_copy(&item.expression)) => {
                "AS_VALUE(column) is a copy for the value: select the key column too".to_owned()
            }
            _ => {
                let absent: Vec<String> = missing.iter().filter_map(|names| names.first().cloned()).collect();
                format!("add {} to the SELECT", super::error::and_list(&absent))
            }
        };
        return Err(PlanError::refused_with_hint(key_missing(&missing, kind, sink), hint, span));
    }
    let value: Vec<&Item> = items.iter().zip(&is_key).filter(|(_, is_key)| !**is_key).map(|(item, _)| item).collect();
    if value.is_empty() {
        return Err(PlanError::refused("The projection contains no value columns.", span));
    }
    Ok(Split { key_names, value })
}

/// Whether `expression` copies a key column into the value.
fn is_copy(expression: &Expression) -> bool {
    matches!(expression, Expression::FunctionCall(call) if call.name.as_str().eq_ignore_ascii_case("AS_VALUE"))
}

/// Of several expressions with the value of the key, the first that is selected is the key column.
fn selected<'p>(part: &'p KeyColumn, items: &[Item]) -> Option<&'p Expression> {
    part.expressions.iter().find(|expression| items.iter().any(|item| item.expression == **expression))
}

fn alternatives(part: &KeyColumn, kind: KeyKind, scope: &Scope) -> Vec<String> {
    let shown = part.expressions.iter().map(|expression| match kind {
        KeyKind::Source | KeyKind::Grouping | KeyKind::MadeUp => expression.plain().to_string(),
        KeyKind::ForeignKey => {
            let name = as_column(expression).and_then(|name| scope.column(name)).map(|found| found.name.clone());
            name.unwrap_or_else(|| expression.plain().to_string())
        }
        KeyKind::Partitioning | KeyKind::Join => scope.qualified(expression).plain().to_string(),
    });
    shown.collect()
}

fn twice(key: &str, mut names: Vec<String>, kind: KeyKind) -> String {
    if kind == KeyKind::Grouping {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        return format!("The projection contains a key column more than once: {}.", super::error::and_list(&names));
    }
    names.sort_unstable();
    format!(
        "The projection contains a key column (`{key}`) more than once, aliased as: {}.",
        super::error::and_list(&names)
    )
}

fn key_missing(missing: &[Vec<String>], kind: KeyKind, sink: &str) -> String {
    let several = missing.len() > 1 || missing.iter().any(|alternatives| alternatives.len() > 1);
    let plural = if several { "s" } else { "" };
    let noun = match kind {
        KeyKind::Source => "key column",
        KeyKind::Grouping => "grouping expression",
        KeyKind::Partitioning => "partitioning expression",
        KeyKind::Join | KeyKind::MadeUp | KeyKind::ForeignKey => "join expression",
    };
    let why = if kind == KeyKind::MadeUp {
        format!(
            "\n{} was added as a synthetic key column because the join criteria did not match any source column. This \
             expression must be included in the projection and may be aliased.",
            missing.concat().concat()
        )
    } else {
        String::new()
    };
    let listed: Vec<String> = missing.iter().map(|alternatives| or_list(alternatives)).collect();
    let examples: Vec<&str> =
        missing.iter().filter_map(|alternatives| alternatives.first()).map(String::as_str).collect();
    format!(
        "Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\nThe query used to build `{sink}` must \
         include the {noun}{plural} {} in its projection (eg, SELECT {}...).{why}",
        super::error::and_list(&listed),
        examples.join(", ")
    )
}

fn foreign_key_missing(missing: &[String], left: &str) -> String {
    let plural = if missing.len() > 1 { "s" } else { "" };
    let listed: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "Primary key column{plural} missing in projection. For foreign-key table-table joins, the projection must include all \
         primary key columns from the left input table (`{left}`). Missing column{plural}: {}.",
        listed.join(", ")
    )
}

/// Whether every item has a type, NULL aside: that is said before anything about keys.
pub(super) fn check_types(items: &[Item], layout: &Layout, typer: &Typer) -> Result<(), PlanError> {
    items.iter().try_for_each(|item| typer.typed(&item.expression, layout, Clause::Select).map(drop))
}

/// `relation` with the values of `split`.
pub(super) fn persistent(relation: Relation, split: &Split, typer: &Typer) -> Result<PlanNode, PlanError> {
    let columns = value_columns(&split.value, &relation.layout, typer)?;
    Ok(project(relation.node, split.key_names.clone(), columns))
}

/// The value columns `items`.
pub(super) fn value_columns(items: &[&Item], layout: &Layout, typer: &Typer) -> Result<Vec<(Column, Expr)>, PlanError> {
    items.iter().map(|item| value_column(item, layout, typer)).collect()
}

fn value_column(item: &Item, layout: &Layout, typer: &Typer) -> Result<(Column, Expr), PlanError> {
    let (expr, sql_type) = typer.typed_with_type(&item.expression, layout, Clause::Select)?;
    Ok((Column::new(item.name.clone(), sql_type), expr))
}

/// `relation` with the results `items` for a client: keys need not be among them and may be several times.
pub(super) fn transient(
    relation: Relation,
    items: &[Item],
    typer: &Typer,
) -> Result<(PlanNode, Vec<ResultColumn>), PlanError> {
    let schema = relation.node.schema();
    let selected: Vec<Option<&Expression>> = relation.key.iter().map(|part| selected(part, items)).collect();
    let mut columns = Vec::new();
    let mut results = Vec::new();
    for item in items {
        let stands_for = selected.iter().position(|expression| *expression == Some(&item.expression));
        let part = match stands_for {
            Some(index) => Some((RowPart::Key(index), relation.key[index].sql_type.clone())),
            None => part_of_key(item, &relation),
        };
        let (column, part) = match part {
            Some((part, sql_type)) => (Column::new(item.name.clone(), sql_type), part),
            None => {
                let (column, expr) = value_column(item, &relation.layout, typer)?;
                columns.push((column.clone(), expr));
                (column, RowPart::Value(columns.len() - 1))
            }
        };
        results.push(ResultColumn { column, part });
    }
    let key_names = schema.key.iter().map(|column| column.name.clone()).collect();
    Ok((project(relation.node, key_names, columns), results))
}

/// Key columns and the bounds of their window are part of every row, tombstones included: they need not be computed.
fn part_of_key(item: &Item, relation: &Relation) -> Option<(RowPart, SqlType)> {
    let found = relation.layout.find(&item.expression)?;
    let tail = Tail::of(&relation.node);
    let part = match found.index {
        index if index < relation.node.key().len() => RowPart::Key(index),
        index if relation.node.window().is_some() && index == tail.window_start() => RowPart::WindowStart,
        index if relation.node.window().is_some() && index == tail.window_end() => RowPart::WindowEnd,
        _ => return None,
    };
    Some((part, found.sql_type.clone()))
}

/// A projection, unless it would change nothing.
pub(super) fn project(input: PlanNode, key_names: Vec<String>, columns: Vec<(Column, Expr)>) -> PlanNode {
    let schema = input.schema();
    let key_width = schema.key.len();
    let same_key = schema.key.iter().map(|column| &column.name).eq(&key_names);
    let same_value = schema.value.len() == columns.len()
        && columns
            .iter()
            .zip(&schema.value)
            .enumerate()
            .all(|(i, ((column, expr), old))| column == old && expr.as_column() == Some(key_width + i));
    if same_key && same_value {
        return input;
    }
    PlanNode::projection(input, key_names, columns)
}
