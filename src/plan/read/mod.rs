//! SELECT without EMIT, with all that SQL has: joins, groups, orders, queries inside queries.
//!
//! ```text
//! ReadQuery ─▶ scans (source) ─▶ joins (join) ─▶ WHERE, GROUP BY, HAVING, results (select) ─▶ UNION, ORDER BY, LIMIT ─▶ ReadPlan
//! ```
//!
//! Names, types, functions and aggregates are those of all other queries. What ksqlDB answers as a pull query stays one (`pull`);
//! scans of tables are pull queries too, so that conditions on keys find rows here as well.

mod explain;
mod join;
mod node;
mod select;
mod source;
mod subquery;

use std::cell::Cell;
use std::sync::Arc;

use crate::catalog::{Catalog, DataSource};
use crate::expr::Expr;
use crate::sql::Span;
use crate::sql::ast::{
    AliasedSource, Expression, Identifier, Literal, Query, Read, ReadBody, ReadQuery, Relation, SelectItem, SortItem,
};
use crate::types::{Column, SqlType};

use super::aggregate::has_aggregate;
use super::error::PlanError;
use super::expression::{Typer, column_expr};
use super::relation::Layout;
use super::scope::{Clause, Scope};
use super::settings::Settings;
use super::{Planned, pull};

pub(super) use explain::explain;
pub use node::{ReadJoin, ReadNode, ReadPlan, SortKey, SubqueryAsks};

/// Whether a SELECT without EMIT may be more than a pull query of ksqlDB.
pub const WHOLE_SQL: &str = "levada.whole.sql.enabled";

/// Plans the SELECT without EMIT `query`: as ksqlDB's pull query, unless that could only be refused.
pub(super) fn pull_or_read(query: &Query, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    if !settings.is_on(WHOLE_SQL, true) || !exceeds_pulls(query, catalog) {
        return pull::plan(query, catalog, settings);
    }
    let body = ReadBody::Select { distinct: false, query: Box::new(Query { limit: None, ..query.clone() }) };
    let (limit, span) = (query.limit, query.span);
    plan(&ReadQuery { with: Vec::new(), body, order_by: Vec::new(), limit, offset: None, span }, catalog, settings)
}

/// Whether `query` has what pull queries have not, and reads have.
fn exceeds_pulls(query: &Query, catalog: &Catalog) -> bool {
    if query.window.is_some() || query.partition_by.is_some() {
        return false;
    }
    let aggregates = |item: &SelectItem| match item {
        SelectItem::Single { expression, .. } => has_aggregate(expression, catalog.functions()),
        _ => false,
    };
    let is_unkept = |source: &AliasedSource| {
        let found = catalog.source(source.name.as_str());
        found.is_some_and(|data| data.is_table() && !source::is_kept(data, catalog))
    };
    let is_grouped = query.group_by.is_some() || query.having.is_some() || query.select.iter().any(aggregates);
    !query.from.joins.is_empty() || is_grouped || query.from.sources().any(is_unkept)
}

/// Plans `read`, unless only what ksqlDB understands is to be understood.
pub(super) fn read(read: &Read, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    if settings.is_on(WHOLE_SQL, true) {
        return plan(&read.query, catalog, settings);
    }
    let refusal = &read.refusal.0;
    let error = PlanError::refused(refusal.to_string(), refusal.span).quoting(refusal.statement.clone());
    Err(match refusal.help() {
        Some(help) => error.advising(help),
        None => error,
    })
}

fn plan(query: &ReadQuery, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    pull::check_enabled(query.span, settings)?;
    let planner = Planner { catalog, settings, sources_read: Cell::new(0) };
    let root = planner.read(query, &Names::default())?;
    Ok(Planned::Read(Box::new(ReadPlan { root })))
}

/// Queries of WITH, by their names; the last of a name hides the others.
#[derive(Clone, Default)]
struct Names {
    tables: Vec<(String, ReadNode)>,
}

impl Names {
    fn find(&self, name: &str) -> Option<&ReadNode> {
        self.tables.iter().rev().find(|(known, _)| known == name).map(|(_, node)| node)
    }
}

/// Plans reads over a catalog.
struct Planner<'a> {
    catalog: &'a Catalog,
    settings: &'a Settings<'a>,
    /// How many sources were met, those of a query that is named each time anew.
    sources_read: Cell<usize>,
}

/// Sources of a query: a query of WITH that is named twice is read twice, so that few words could mean very many.
const SOURCES_MAX: usize = 256;

impl Planner<'_> {
    fn read(&self, query: &ReadQuery, names: &Names) -> Result<ReadNode, PlanError> {
        let mut names = names.clone();
        for table in &query.with {
            let node = renamed(self.read(&table.query, &names)?, &table.columns, table.name.span)?;
            names.tables.push((table.name.name.clone(), node));
        }
        let limit = not_negative(query.limit, "LIMIT", query.span)?;
        let offset = not_negative(query.offset, "OFFSET", query.span)?.unwrap_or(0);
        let fetch = limit.map(|limit| limit.saturating_add(offset));
        let node = match &query.body {
            ReadBody::Select { distinct, query: select } => {
                self.select(select, *distinct, (&query.order_by, fetch), &names)?
            }
            body => {
                let node = self.body(body, &names)?;
                self.sorted(node, &query.order_by, fetch)?
            }
        };
        if limit.is_none() && offset == 0 {
            return Ok(node);
        }
        Ok(ReadNode::Limit { input: Box::new(node), offset, limit })
    }

    fn body(&self, body: &ReadBody, names: &Names) -> Result<ReadNode, PlanError> {
        match body {
            ReadBody::Select { distinct, query } => self.select(query, *distinct, (&[], None), names),
            ReadBody::Nested(query) => self.read(query, names),
            ReadBody::Union { left, right, all, span } => {
                let inputs = self.unified(self.body(left, names)?, self.body(right, names)?, *span)?;
                let union = ReadNode::Union { inputs };
                Ok(if *all { union } else { ReadNode::Distinct { input: Box::new(union) } })
            }
        }
    }

    /// Both with the columns of the left one, whose types are wide enough for both.
    fn unified(&self, left: ReadNode, right: ReadNode, span: Span) -> Result<Vec<ReadNode>, PlanError> {
        let (lefts, rights) = (left.columns(), right.columns());
        if lefts.len() != rights.len() {
            let text = format!("UNION of {} columns and {} columns: both need as many", lefts.len(), rights.len());
            return Err(PlanError::refused(text, span));
        }
        let mut sides = [Vec::new(), Vec::new()];
        for (i, (l, r)) in lefts.iter().zip(&rights).enumerate() {
            let sides_of = |sql_type: &SqlType| {
                let column = |from: &Column| Expr::coerced(column_expr(i, &from.sql_type), sql_type);
                Some((column(l)?, column(r)?, sql_type.clone()))
            };
            let found = sides_of(&l.sql_type).or_else(|| sides_of(&r.sql_type));
            let Some((from_left, from_right, sql_type)) = found else {
                let (number, name) = (i + 1, &l.name);
                let text = format!(
                    "UNION: column {number}, {name}, is {} on one side and {} on the other",
                    l.sql_type, r.sql_type
                );
                return Err(PlanError::refused_with_hint(text, format!("write CAST(… AS {})", l.sql_type), span));
            };
            sides[0].push((Column::new(l.name.clone(), sql_type.clone()), from_left));
            sides[1].push((Column::new(l.name.clone(), sql_type), from_right));
        }
        let [from_left, from_right] = sides;
        Ok(vec![projected(left, from_left), projected(right, from_right)])
    }

    /// `node` in the order of `order_by`, over its columns.
    fn sorted(&self, node: ReadNode, order_by: &[SortItem], fetch: Option<u64>) -> Result<ReadNode, PlanError> {
        if order_by.is_empty() {
            return Ok(node);
        }
        let columns = node.columns();
        let scope = of_columns(&columns);
        let typer = Typer::new(self.catalog, self.settings, &scope);
        let layout = Layout::of(&scope.columns);
        let mut results: Vec<(Column, Expr)> =
            columns.iter().enumerate().map(|(i, column)| (column.clone(), column_expr(i, &column.sql_type))).collect();
        let mut keys = Vec::new();
        for item in order_by {
            let column = match ordinal(&item.expression, columns.len())? {
                Some(column) => column,
                None => {
                    let resolved = scope.resolve(&item.expression, Clause::OrderBy)?;
                    let (expr, sql_type) = typer.typed_with_type(&resolved, &layout, Clause::OrderBy)?;
                    expr.as_column().unwrap_or_else(|| {
                        results.push((Column::new(format!("ORDER_{}", results.len()), sql_type), expr));
                        results.len() - 1
                    })
                }
            };
            keys.push(sort_key(item, column, &results[column].0)?);
        }
        Ok(cut(sort(projected(node, results), keys, fetch), columns.len()))
    }

    /// The sources of `relation`, and the steps that give their rows where these are queries.
    fn sources(&self, relation: &Relation, names: &Names) -> Result<(Scope, Vec<Option<ReadNode>>), PlanError> {
        let mut found: Vec<(Arc<DataSource>, bool)> = Vec::new();
        let mut nodes: Vec<Option<ReadNode>> = Vec::new();
        for source in relation.sources() {
            let node = match &source.query {
                Some(query) => Some(self.read(query, names)?),
                None => names.find(source.name.as_str()).cloned(),
            };
            found.push(match &node {
                Some(node) => (source::derived(source.name.as_str(), &node.columns()), false),
                None => (super::scope::lookup(source, self.catalog)?, true),
            });
            let read = self.sources_read.get() + node.as_ref().map_or(1, ReadNode::sources);
            self.sources_read.set(read);
            if read > SOURCES_MAX {
                let text =
                    format!("A query reads at most {SOURCES_MAX} sources, those of the queries inside it included");
                return Err(PlanError::refused(text, source.span));
            }
            nodes.push(node);
        }
        let scope = Scope::of(relation, found);
        for (i, source) in scope.sources.iter().enumerate() {
            if scope.sources[..i].iter().any(|other| other.alias == source.alias) {
                let text = format!("Two sources are called {}", source.alias);
                let hint = format!("give one of them another name: {} AS name", source.data.name);
                return Err(PlanError::refused_with_hint(text, hint, source.span));
            }
        }
        Ok((scope, nodes))
    }
}

/// The scope of a query over rows with `columns`.
fn of_columns(columns: &[Column]) -> Scope {
    let name = Identifier::new("RESULTS");
    let relation = Relation { source: AliasedSource::named(name.clone(), name), joins: Vec::new() };
    Scope::of(&relation, vec![(source::derived("RESULTS", columns), false)])
}

/// The column of `count` that `expression` means by its number.
fn ordinal(expression: &Expression, count: usize) -> Result<Option<usize>, PlanError> {
    let Expression::Literal { value: Literal::Integer(number), span } = expression else { return Ok(None) };
    let index = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
    match index.filter(|index| *index < count) {
        Some(index) => Ok(Some(index)),
        None => Err(PlanError::refused(format!("ORDER BY {number}: there are results 1 to {count}"), *span)),
    }
}

/// How rows are compared by `column`, which is at index `index`.
fn sort_key(item: &SortItem, index: usize, column: &Column) -> Result<SortKey, PlanError> {
    if matches!(column.sql_type, SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_)) {
        let text = format!("ORDER BY {}: values of type {} have no order", item.expression.plain(), column.sql_type);
        return Err(PlanError::refused(text, item.expression.span()));
    }
    let nulls_first = item.nulls_first.unwrap_or(item.descending);
    Ok(SortKey { column: index, descending: item.descending, nulls_first })
}

fn sort(input: ReadNode, keys: Vec<SortKey>, fetch: Option<u64>) -> ReadNode {
    ReadNode::Sort { input: Box::new(input), keys, fetch }
}

/// The first `count` columns of `node`.
fn cut(node: ReadNode, count: usize) -> ReadNode {
    let columns = node.columns();
    if columns.len() == count {
        return node;
    }
    let kept = columns.into_iter().take(count).enumerate();
    let kept = kept.map(|(i, column)| {
        let expr = column_expr(i, &column.sql_type);
        (column, expr)
    });
    ReadNode::Project { columns: kept.collect(), input: Box::new(node) }
}

/// A projection, unless it would change nothing.
fn projected(input: ReadNode, columns: Vec<(Column, Expr)>) -> ReadNode {
    let before = input.columns();
    let is_same = |(i, (column, expr)): (usize, &(Column, Expr))| {
        expr.as_column() == Some(i) && before.get(i).is_some_and(|old| old == column)
    };
    if before.len() == columns.len() && columns.iter().enumerate().all(is_same) {
        return input;
    }
    ReadNode::Project { input: Box::new(input), columns }
}

/// `node` whose columns are called `names`, if any are given.
fn renamed(node: ReadNode, names: &[Identifier], span: Span) -> Result<ReadNode, PlanError> {
    if names.is_empty() {
        return Ok(node);
    }
    let columns = node.columns();
    if columns.len() != names.len() {
        let text = format!("{} names of columns for {} columns", names.len(), columns.len());
        return Err(PlanError::refused(text, span));
    }
    let columns = columns.iter().zip(names).enumerate();
    let columns = columns.map(|(i, (column, name))| {
        (Column::new(name.name.clone(), column.sql_type.clone()), column_expr(i, &column.sql_type))
    });
    Ok(projected(node, columns.collect()))
}

fn not_negative(number: Option<i32>, clause: &str, span: Span) -> Result<Option<u64>, PlanError> {
    match number {
        Some(number) if number < 0 => Err(pull::negative(clause, span)),
        number => Ok(number.map(|number| u64::from(number.unsigned_abs()))),
    }
}
