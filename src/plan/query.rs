//! SELECT … FROM … WHERE …: the steps of a query, from its sources to its results.

use crate::catalog::{Catalog, WindowType};
use crate::functions::Registry;
use crate::sql::Span;
use crate::sql::ast::{Expression, Query};

use super::aggregate::{self, Aggregation};
use super::error::PlanError;
use super::expression::Typer;
use super::planned::{PushPlan, ResultColumn};
use super::project::{self, KeyKind};
use super::relation::Relation;
use super::scope::{Clause, Scope, columns_of};
use super::select::{self, Item, OWN_WINDOW, Purpose, SelectContext};
use super::settings::Settings;
use super::source::{Used, read};
use super::{Collection, PlanNode, function_uses, join, partition_by, passes, table_functions};

/// The steps of a query.
#[derive(Debug)]
pub(super) struct PlannedQuery {
    /// The last step.
    pub(super) root: PlanNode,
    /// Columns for a client; empty for persistent queries.
    pub(super) results: Vec<ResultColumn>,
    /// The sources.
    pub(super) scope: Scope,
    /// The word of the windows of the result.
    pub(super) window_type: Option<WindowType>,
    /// How long those windows can be read.
    pub(super) window_retention_ms: Option<i64>,
    /// The key was taken away (`PARTITION BY NULL`).
    pub(super) is_keyless: bool,
    /// Functions that it calls, of those that are not built in.
    pub(super) functions: Vec<String>,
}

impl PlannedQuery {
    /// The query for a client, who gets at most `limit` rows.
    pub(super) fn for_client(self, limit: Option<i32>) -> PushPlan {
        let limit = limit.map(|limit| u64::from(limit.unsigned_abs()));
        PushPlan {
            query: passes::planned(self.root, None, limit),
            columns: self.results,
            reads: self.scope.sources.iter().map(|source| source.data.name.clone()).collect(),
            is_scalable: false,
        }
    }
}

/// Plans `query`; `timestamp` is the result that a WITH clause says is the event time.
pub(super) fn plan(
    query: &Query,
    catalog: &Catalog,
    settings: &Settings,
    purpose: Purpose,
    timestamp: Option<&(String, Span)>,
) -> Result<PlannedQuery, PlanError> {
    let scope = Scope::new(&query.from, catalog)?;
    let functions = function_uses::called(query.expressions(), catalog, settings)?;
    let typer = Typer::new(catalog, settings, &scope);
    let partition_by = query
        .partition_by
        .as_ref()
        .map(|grouping| partition_by::expressions(grouping, &scope, typer.functions()))
        .transpose()?;
    let beside: &[&str] = if query.window.is_some() && !scope.is_join() { &OWN_WINDOW } else { &[] };
    let joins = join::resolve(&query.from, &scope, &typer)?;
    let context = SelectContext {
        scope: &scope,
        typer: &typer,
        purpose,
        beside,
        partition_by: partition_by.as_deref(),
        join_key: join::synthetic_key(&joins),
    };
    let items = select::items(&query.select, &context)?;
    check_timestamp(timestamp, &items)?;
    table_functions::check(query, &items, &scope, typer.functions())?;
    let predicate = query
        .where_clause
        .as_ref()
        .map(|predicate| resolve_where(predicate, query, &scope, typer.functions()))
        .transpose()?;
    let aggregation = aggregate::resolve(query, &items, &scope, purpose, &typer)?;
    check_windowed_table(query, &scope, purpose)?;

    let used = used_columns(&items, predicate.as_ref(), aggregation.as_ref(), partition_by.as_deref());
    let needs_old_rows = predicate.is_some() || aggregation.is_some() || matches!(purpose, Purpose::Persistent(_));
    let mut relation = if scope.is_join() {
        join::plan(&scope, &joins, &used, &typer)?
    } else {
        let is_table = scope.sources[0].data.is_table();
        read(&scope, 0, &used, is_table && needs_old_rows)
    };
    if let Some(predicate) = &predicate {
        relation = filtered(relation, predicate, &typer)?;
    }
    relation = table_functions::plan(relation, &items, &typer)?;
    let window_type = match &aggregation {
        Some(aggregation) => aggregation.window_type,
        None => scope.sources[0].data.window_type,
    };
    let window_retention_ms = aggregation.as_ref().and_then(Aggregation::retention_ms);
    let is_keyless = partition_by.as_ref().is_some_and(|expressions| expressions.iter().all(partition_by::is_null));
    let (root, results) = match (aggregation, query.partition_by.as_ref().zip(partition_by)) {
        (Some(_), Some((grouping, _))) => {
            return Err(PlanError::refused("GROUP BY and PARTITION BY cannot be combined.", grouping.span));
        }
        (Some(aggregation), None) => {
            let relation = aggregate::plan(&aggregation, relation, &scope, &typer)?;
            results_of(query, relation, &items, KeyKind::Grouping, &scope, purpose, &typer)?
        }
        (None, Some((grouping, expressions))) => {
            let partitioned = partition_by::plan(relation, &expressions, &items, &scope, purpose, &typer, grouping)?;
            (partitioned.node, partitioned.results)
        }
        (None, None) => {
            let kind = match (scope.is_join(), join::synthetic_key(&joins)) {
                (false, _) => KeyKind::Source,
                (true, _) if join::is_foreign_key(&joins) => KeyKind::ForeignKey,
                (true, None) => KeyKind::Join,
                (true, Some(_)) => KeyKind::MadeUp,
            };
            let (root, results) = results_of(query, relation, &items, kind, &scope, purpose, &typer)?;
            (if scope.is_join() { materialized(root) } else { root }, results)
        }
    };
    if matches!(purpose, Purpose::Persistent(_)) {
        super::create_source::check_duplicates(&root.schema(), query.span)?;
    }
    Ok(PlannedQuery { root, results, scope, window_type, window_retention_ms, is_keyless, functions })
}

/// The results of joins: those of tables are kept.
fn materialized(root: PlanNode) -> PlanNode {
    match root.collection() {
        Collection::Table => PlanNode::Materialize { input: Box::new(root) },
        Collection::Stream => root,
    }
}

/// The results of a query whose key stays what it is in `relation`.
fn results_of(
    query: &Query,
    relation: Relation,
    items: &[Item],
    kind: KeyKind,
    scope: &Scope,
    purpose: Purpose,
    typer: &Typer,
) -> Result<(PlanNode, Vec<ResultColumn>), PlanError> {
    match purpose {
        Purpose::Persistent(sink) => {
            project::check_types(items, &relation.layout, typer)?;
            let split = project::split(items, &relation.key, kind, scope, sink, query.span)?;
            Ok((project::persistent(relation, &split, typer)?, Vec::new()))
        }
        Purpose::Transient => project::transient(relation, items, typer),
    }
}

/// `relation` where `predicate` is true.
pub(super) fn filtered(relation: Relation, predicate: &Expression, typer: &Typer) -> Result<Relation, PlanError> {
    let predicate = typer.predicate(predicate, &relation.layout, Clause::Where)?;
    let node = PlanNode::Filter { input: Box::new(relation.node), predicate };
    Ok(Relation { node, ..relation })
}

fn check_timestamp(timestamp: Option<&(String, Span)>, items: &[Item]) -> Result<(), PlanError> {
    match timestamp {
        Some((name, span)) if !items.iter().any(|item| item.name == *name) => {
            Err(super::create_source::unknown_timestamp(name, *span))
        }
        _ => Ok(()),
    }
}

fn resolve_where(
    predicate: &Expression,
    query: &Query,
    scope: &Scope,
    functions: &Registry,
) -> Result<Expression, PlanError> {
    let own_window: &[&str] = if query.window.is_some() { &OWN_WINDOW } else { &[] };
    let resolved = scope.resolve_beside(predicate, Clause::Where, own_window)?;
    let names = columns_of(std::iter::once(&resolved));
    if let Some(bound) = names.iter().find(|name| own_window.contains(name) && scope.column(name).is_none()) {
        let text = format!("Error in WHERE expression: Unknown column {bound}.");
        return Err(PlanError::refused(text, predicate.span()));
    }
    aggregate::check_where(&resolved, functions)?;
    Ok(resolved)
}

fn check_windowed_table(query: &Query, scope: &Scope, purpose: Purpose) -> Result<(), PlanError> {
    let source = &scope.sources[0];
    let is_windowed_table = source.data.collection == Collection::Table && source.data.window.is_some();
    if is_windowed_table && matches!(purpose, Purpose::Persistent(_)) {
        return Err(PlanError::refused("KSQL does not support persistent queries on windowed tables.", query.span));
    }
    Ok(())
}

/// Internal names of all columns that the query refers to after FROM.
fn used_columns(
    items: &[Item],
    predicate: Option<&Expression>,
    aggregation: Option<&Aggregation>,
    partition_by: Option<&[Expression]>,
) -> Used {
    let mut expressions: Vec<&Expression> = Vec::new();
    match aggregation {
        Some(aggregation) => expressions.extend(aggregation.inputs()),
        None => expressions.extend(items.iter().map(|item| &item.expression)),
    }
    expressions.extend(predicate);
    expressions.extend(partition_by.into_iter().flatten());

    columns_of(expressions.into_iter()).into_iter().map(str::to_owned).collect()
}
