//! The SELECT list: stars expanded, every result named.

use crate::sql::Span;
use crate::sql::ast::{Expression, Identifier, SelectItem};
use crate::types::SqlType;

use super::error::PlanError;
use super::expression::Typer;
use super::names::{NameGenerator, WINDOWEND, WINDOWSTART, is_reserved};
use super::scope::{Clause, Role, Scope, ScopeColumn, as_column, called_bound, column};

/// A result of SELECT.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// What it is, in internal names.
    pub(super) expression: Expression,
    /// Its name.
    pub(super) name: String,
    /// Where it stands.
    pub(super) span: Span,
}

/// What a query is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose<'a> {
    /// Fills the stream or table of this name.
    Persistent(&'a str),
    /// Answers a client.
    Transient,
}

/// How `*` and names are read.
pub(super) struct SelectContext<'a> {
    pub(super) scope: &'a Scope,
    pub(super) typer: &'a Typer<'a>,
    pub(super) purpose: Purpose<'a>,
    /// Names that are no columns of a source but may be selected: the bounds of the query's own window.
    pub(super) beside: &'a [&'a str],
    /// PARTITION BY: its expressions, which `*` includes.
    pub(super) partition_by: Option<&'a [Expression]>,
    /// The key column that a join makes up.
    pub(super) join_key: Option<&'a str>,
}

/// The results of the list `select`.
pub(super) fn items(select: &[SelectItem], context: &SelectContext) -> Result<Vec<Item>, PlanError> {
    check_reserved(select, context)?;
    let beside: Vec<&str> = context.beside.iter().copied().chain(context.join_key).collect();
    let taken = context.scope.columns.iter().map(|column| column.name.clone());
    let mut names = NameGenerator::new(taken);
    let mut items = Vec::new();
    for item in select {
        match item {
            SelectItem::Single { expression, alias, span } => {
                let resolved = context.scope.resolve_beside(expression, Clause::Select, &beside)?;
                let name = match alias {
                    Some(alias) => alias.name.clone(),
                    None => name_of(&resolved, context.scope, &mut names),
                };
                items.push(Item { expression: resolved, name, span: *span });
            }
            SelectItem::All { source, span } => {
                items.extend(star(source.as_ref(), *span, context, &mut names));
            }
            SelectItem::AllFields { base, span } => {
                items.extend(all_fields(base, *span, context, &mut names)?);
            }
        }
    }
    Ok(items)
}

/// Names that are reserved name nothing else, and leave a persistent query under another name only.
fn check_reserved(select: &[SelectItem], context: &SelectContext) -> Result<(), PlanError> {
    for item in select {
        let SelectItem::Single { expression, alias, span } = item else { continue };
        let column = match expression {
            Expression::Column { source, name, .. } => Some((source.is_some(), name.as_str())),
            Expression::FunctionCall(call) => called_bound(call).map(|bound| (false, bound)),
            _ => None,
        };
        let name = alias.as_ref().map(Identifier::as_str);
        let is_itself = |(_, column): (bool, &str)| name.is_none_or(|name| name == column);
        let text = match (column, name) {
            (Some((is_qualified, column)), _) if is_reserved(column) && is_itself((is_qualified, column)) => {
                // In joins an unaliased `S.ROWTIME` is called S_ROWTIME.
                let is_renamed = name.is_none() && context.scope.is_join();
                if context.purpose == Purpose::Transient || is_renamed {
                    continue;
                }
                format!("Reserved column name in select: `{column}`. Please remove or alias the column.")
            }
            (_, Some(name)) if is_reserved(name) => {
                format!("`{name}` is a reserved column name. You cannot use it as an alias for a column.")
            }
            _ => continue,
        };
        return Err(PlanError::refused(text, *span));
    }
    Ok(())
}

fn name_of(resolved: &Expression, scope: &Scope, names: &mut NameGenerator) -> String {
    match resolved {
        Expression::Column { name, .. } => match scope.column(name.as_str()) {
            Some(found) if !scope.clashes(&found.name) => found.name.clone(),
            Some(found) => found.shown.clone(),
            None => name.name.clone(),
        },
        Expression::Dereference { field, .. } => names.for_field(field.as_str()),
        _ => names.for_expression(),
    }
}

fn star(source: Option<&Identifier>, span: Span, context: &SelectContext, names: &mut NameGenerator) -> Vec<Item> {
    let scope = context.scope;
    if let Some(expressions) = context.partition_by.filter(|_| source.is_none() || !scope.is_join()) {
        return star_of_partition_by(expressions, span, context, names);
    }
    let wanted = |index: usize| {
        source.is_none_or(|source| {
            scope.sources[index].alias == source.name || scope.sources[index].data.name == source.name
        })
    };
    let mut items: Vec<Item> =
        context.join_key.filter(|_| source.is_none()).map(|name| made_up(name, span)).into_iter().collect();
    for index in (0..scope.sources.len()).filter(|index| wanted(*index)) {
        let (key, value): (Vec<&ScopeColumn>, Vec<&ScopeColumn>) =
            scope.declared(index).partition(|found| matches!(found.role, Role::Key(_)));
        let shows_bounds = context.purpose == Purpose::Transient || scope.is_join();
        let bounds = scope.columns.iter().filter(|found| {
            shows_bounds && found.source == index && matches!(found.role, Role::WindowStart | Role::WindowEnd)
        });
        items.extend(key.into_iter().chain(bounds).chain(value).map(|found| item(found, span)));
    }
    items
}

fn item(found: &ScopeColumn, span: Span) -> Item {
    Item { expression: column(&found.internal, span), name: found.shown.clone(), span }
}

fn made_up(name: &str, span: Span) -> Item {
    Item { expression: column(name, span), name: name.to_owned(), span }
}

/// The new key, then what is left of each source.
fn star_of_partition_by(
    expressions: &[Expression],
    span: Span,
    context: &SelectContext,
    names: &mut NameGenerator,
) -> Vec<Item> {
    let scope = context.scope;
    let is_null = |expression: &Expression| super::partition_by::is_null(expression);
    let key = expressions.iter().filter(|expression| !is_null(expression)).map(|expression| Item {
        expression: expression.clone(),
        name: name_in_star(expression, scope, names),
        span,
    });
    let mut items: Vec<Item> = key.collect();
    let rest = (0..scope.sources.len()).flat_map(|source| rest_of(source, scope));
    items.extend(context.join_key.map(|name| made_up(name, span)));
    for found in rest {
        if !expressions.iter().any(|expression| as_column(expression) == Some(&found.internal)) {
            items.push(item(found, span));
        }
    }
    items
}

/// All columns of a source but the new key: values first, the old key last. In joins ROWTIME and its like are among them, as
/// in ksqlDB.
fn rest_of(source: usize, scope: &Scope) -> Vec<&ScopeColumn> {
    let rank = |role: Role| match role {
        Role::Value(_) | Role::Header(_) => 0,
        Role::RowTime | Role::RowPartition | Role::RowOffset => 1,
        Role::Key(_) => 2,
        Role::WindowStart | Role::WindowEnd => 3,
    };
    let all = scope.columns.iter().filter(|found| found.source == source);
    let mut columns: Vec<&ScopeColumn> = all.filter(|found| scope.is_join() || !found.role.is_pseudo()).collect();
    columns.sort_by_key(|found| rank(found.role));
    columns
}

/// Columns have the names here that they have in any `*`.
fn name_in_star(expression: &Expression, scope: &Scope, names: &mut NameGenerator) -> String {
    let found = as_column(expression).and_then(|name| scope.column(name));
    found.map_or_else(|| name_of(expression, scope, names), |found| found.shown.clone())
}

fn all_fields(
    base: &Expression,
    span: Span,
    context: &SelectContext,
    names: &mut NameGenerator,
) -> Result<Vec<Item>, PlanError> {
    let resolved = context.scope.resolve(base, Clause::Select)?;
    let Some(SqlType::Struct(fields)) = context.typer.type_of(&resolved, Clause::Select)? else {
        let text = format!("Cannot expand {}: only a STRUCT has fields", base.plain());
        return Err(PlanError::refused(text, span));
    };
    let items = fields.iter().map(|field| Item {
        expression: Expression::Dereference {
            base: Box::new(resolved.clone()),
            field: Identifier::new(field.name.clone()),
            span,
        },
        name: names.for_field(&field.name),
        span,
    });
    Ok(items.collect())
}

/// The names that a windowed aggregation adds to what its sources have.
pub(super) const OWN_WINDOW: [&str; 2] = [WINDOWSTART, WINDOWEND];
