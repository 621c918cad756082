//! What FROM reads: tables that queries keep, system tables, topics, and queries in parentheses or of WITH.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::catalog::{Catalog, Collection, DataSource};
use crate::sql::ast::{AliasedSource, Expression, Identifier, LogicalOperator, Query, Relation, SelectItem};
use crate::types::{Column, Schema};

use super::super::error::PlanError;
use super::super::relation::Layout;
use super::super::rewrite::rewrite;
use super::super::scope::{Role, Scope, ScopeColumn, column, columns_of};
use super::super::select::Purpose;
use super::super::settings::Settings;
use super::super::system_tables::is_system_table;
use super::super::{Planned, pull, query};
use super::ReadNode;

/// A source that stands for rows which a query gives: it has value columns and nothing else.
pub(super) fn derived(name: &str, columns: &[Column]) -> Arc<DataSource> {
    let schema = Schema { key: Vec::new(), value: columns.to_vec() };
    Arc::new(DataSource::without_topic(name, Collection::Stream, schema))
}

/// Whether the rows of `source` can be read from a store.
pub(super) fn is_kept(source: &DataSource, catalog: &Catalog) -> bool {
    let runs = source.created_by_query.as_ref().is_some_and(|id| catalog.query(id).is_some());
    source.is_table() && (runs || is_system_table(source, catalog))
}

/// Reads the source at `index` of `scope`, of which the columns `used` are wanted in rows that meet `conditions`, all in internal
/// names.
pub(super) fn scan(
    scope: &Scope,
    index: usize,
    used: &BTreeSet<String>,
    conditions: Vec<Expression>,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<(ReadNode, Layout), PlanError> {
    let source = &scope.sources[index];
    let is_kept = is_kept(&source.data, catalog);
    let latest_by_key = source.data.is_table() && !is_kept;
    let columns = wanted(scope, index, used, latest_by_key);
    let select = columns.iter().map(|found| SelectItem::Single {
        expression: column(&found.name, source.span),
        alias: Some(Identifier::new(found.internal.clone())),
        span: source.span,
    });
    let name = Identifier { span: source.span, ..Identifier::new(source.data.name.clone()) };
    let query = Query {
        select: select.collect(),
        from: Relation { source: AliasedSource::named(name.clone(), name), joins: Vec::new() },
        window: None,
        where_clause: conditions.into_iter().map(|condition| own_names(&condition, scope)).reduce(both),
        group_by: None,
        partition_by: None,
        having: None,
        refinement: None,
        limit: None,
        span: source.span,
    };
    let layout = Layout::of(columns.iter().copied());
    if is_kept {
        let Planned::Pull(plan) = pull::plan(&query, catalog, settings)? else {
            return Err(PlanError::refused(format!("{} has no rows to read", source.data.name), source.span));
        };
        return Ok((ReadNode::Table { plan, text: format!("{query};") }, layout));
    }
    let planned = query::plan(&query, catalog, settings, Purpose::Transient, None)?;
    let plan = Box::new(planned.for_client(None));
    let is_key = |found: &&&ScopeColumn| is_of_key(found);
    let latest_by = latest_by_key.then(|| columns.iter().filter(is_key).count());
    Ok((ReadNode::Topic { plan, latest_by }, layout))
}

/// The columns to read: those that are used, at least one; `with_key`, the whole key first.
fn wanted<'a>(scope: &'a Scope, index: usize, used: &BTreeSet<String>, with_key: bool) -> Vec<&'a ScopeColumn> {
    let own = || scope.columns.iter().filter(|found| found.source == index);
    let mut columns: Vec<&ScopeColumn> =
        own().filter(|found| used.contains(&found.internal) || (with_key && is_of_key(found))).collect();
    if with_key {
        columns.sort_by_key(|found| !is_of_key(found));
    }
    if columns.is_empty() {
        columns.extend(own().next());
    }
    columns
}

fn is_of_key(found: &ScopeColumn) -> bool {
    matches!(found.role, Role::Key(_) | Role::WindowStart | Role::WindowEnd)
}

/// `expression`, which has internal names of one source, with that source's own.
fn own_names(expression: &Expression, scope: &Scope) -> Expression {
    let named = rewrite(expression, &mut |part| {
        let Expression::Column { source: None, name, span } = part else { return Ok(None) };
        Ok(scope.column(name.as_str()).map(|found| column(&found.name, *span)))
    });
    named.unwrap_or_else(|_| expression.clone())
}

/// The condition that both are true.
pub(super) fn both(left: Expression, right: Expression) -> Expression {
    let span = right.span();
    Expression::Logical { operator: LogicalOperator::And, left: Box::new(left), right: Box::new(right), span }
}

/// The source whose rows alone decide about `condition`, if its rows may be left out before they are joined.
pub(super) fn decided_by(condition: &Expression, scope: &Scope) -> Option<usize> {
    let mut has_query = false;
    condition.walk(&mut |part| has_query |= matches!(part, Expression::Subquery(_)));
    let names = columns_of(std::iter::once(condition));
    let mut sources = names.iter().filter_map(|name| scope.column(name)).map(|found| found.source);
    let first = sources.next().filter(|_| !has_query)?;
    sources.all(|source| source == first).then_some(first)
}
