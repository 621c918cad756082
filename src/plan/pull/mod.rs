//! SELECT without EMIT: the rows that are there now.
//!
//! ```text
//! WHERE ─┬─ conditions ─▶ PullLookup (keys, a range, all), WindowBounds ─▶ rows of the store ─┐
//!        └─────────────────────────────────────── filter, on every row found ◀───────────────┘─▶ SELECT ─▶ rows
//! ```
//!
//! Of a table, the WHERE decides how its store is read: by keys when every branch of it fixes all key columns, by a range
//! when it bounds a single text key, else from end to end. It is always evaluated again on the rows found. A stream is read as a push
//! query reads it, up to where it ends now.

mod conditions;

use arrow::array::ArrayRef;

use crate::catalog::{Catalog, DataSource, QueryId};
use crate::functions::{FunctionKind, Registry};
use crate::sql::Span;
use crate::sql::ast::{Expression, Query, SelectItem};
use crate::types::Column;

use super::error::{PlanError, PlanErrorKind};
use super::expression::Typer;
use super::function_uses::{self, calls_of};
use super::names::{ROWOFFSET, ROWPARTITION, WINDOWEND, WINDOWSTART};
use super::relation::Layout;
use super::scope::{Clause, Role, Scope, column, columns_of};
use super::select::{self, Item, Purpose, SelectContext};
use super::settings::Settings;
use super::system_tables::is_system_table;
use super::{Change, Expr, Planned, passes, query};

use conditions::Conditions;
pub(super) use conditions::conjuncts;

/// What stands for the query that keeps rows of system tables.
const SYSTEM: &str = "the server";

/// A read of a materialised table. Expressions see the table's own rows: key columns, value columns, `ROWTIME`, and for
/// windowed keys `WINDOWSTART` and `WINDOWEND`.
#[derive(Debug, Clone)]
pub struct PullPlan {
    /// The table.
    pub source: String,
    /// The query that keeps its rows.
    pub query: QueryId,
    /// Which rows to look at.
    pub lookup: PullLookup,
    /// Which windows to look at.
    pub window: WindowBounds,
    /// Which of them to answer.
    pub filter: Option<Expr>,
    /// What to answer of each.
    pub columns: Vec<(Column, Expr)>,
    /// What each column of the answer is in the table.
    pub roles: Vec<ColumnRole>,
    /// Most rows to answer.
    pub limit: Option<u64>,
    /// What the passes have made of it.
    pub changes: Vec<Change>,
}

/// What a column of an answer is in the table that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnRole {
    /// One of its key, or a bound of the key's window.
    Key,
    /// The header of this name, or all headers. Only where all columns were asked for together.
    Header(Option<String>),
    /// Another one.
    Value,
}

/// How a pull query finds rows.
#[derive(Debug, Clone)]
pub enum PullLookup {
    /// These keys: key columns in schema order, one row per key, without nulls. A key may occur twice.
    Keys(Vec<ArrayRef>),
    /// Keys between two bounds, in the order of their bytes; the key is one STRING or BYTES column.
    Range {
        /// Least key, one row, and whether it belongs to the range.
        from: Option<(ArrayRef, bool)>,
        /// Greatest key, one row, and whether it belongs to the range.
        to: Option<(ArrayRef, bool)>,
    },
    /// All rows.
    Scan,
}

/// Inclusive bounds of windows, milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowBounds {
    /// Least start.
    pub start_min: i64,
    /// Greatest start.
    pub start_max: i64,
    /// Least end.
    pub end_min: i64,
    /// Greatest end.
    pub end_max: i64,
}

impl WindowBounds {
    /// No bounds.
    pub const ALL: Self = Self { start_min: i64::MIN, start_max: i64::MAX, end_min: i64::MIN, end_max: i64::MAX };
}

/// Plans the pull query `query`.
pub(super) fn plan(query: &Query, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    check_clauses(query, settings)?;
    let scope = Scope::new(&query.from, catalog)?;
    let source = &scope.sources[0].data;
    if !source.is_table() {
        check_pseudo_columns(query, &scope)?;
        return stream(query, catalog, settings);
    }
    function_uses::called(query.expressions(), catalog, settings)?;
    let typer = Typer::new(catalog, settings, &scope);
    let purpose = Purpose::Transient;
    let context =
        SelectContext { scope: &scope, typer: &typer, purpose, beside: &[], partition_by: None, join_key: None };
    let items = select::items(&query.select, &context)?;
    check_pseudo_columns(query, &scope)?;
    check_items(&items, source, typer.functions(), query.span)?;
    let materialized_by = materialized_by(source, catalog, query.span)?;
    let layout = layout(&scope);
    let predicate = query.where_clause.as_ref();
    let predicate = predicate.map(|predicate| scope.resolve(predicate, Clause::Where)).transpose()?;
    let filter = predicate.as_ref().map(|predicate| {
        typer.predicate(predicate, &layout, Clause::Where).map_err(|error| with_predicate(error, predicate))
    });
    let mut filter = filter.transpose()?;
    let columns = items.iter().map(|item| {
        let (expr, sql_type) = typer.typed_with_type(&item.expression, &layout, Clause::Select)?;
        Ok((Column::new(item.name.clone(), sql_type), expr))
    });
    let mut columns: Vec<(Column, Expr)> = columns.collect::<Result<_, PlanError>>()?;
    let changes = passes::folded(filter.iter_mut().chain(columns.iter_mut().map(|(_, expr)| expr)), &|| names(source));
    let conditions = Conditions { scope: &scope, typer: &typer };
    let lookup = conditions.lookup(predicate.as_ref())?;
    let may_scan = settings.is_on("ksql.query.pull.table.scan.enabled", true) || is_system_table(source, catalog);
    if !may_scan {
        conditions.check_without_scan(&lookup, predicate.as_ref(), query.span)?;
    }
    Ok(Planned::Pull(Box::new(PullPlan {
        source: source.name.clone(),
        query: materialized_by,
        lookup,
        window: conditions.window_bounds(predicate.as_ref()),
        filter,
        roles: columns.iter().map(|(column, _)| role(&column.name, query, source)).collect(),
        columns,
        limit: query.limit.map(|limit| u64::from(limit.unsigned_abs())),
        changes,
    })))
}

/// What the column `name` of the answer is in `source`.
fn role(name: &str, query: &Query, source: &DataSource) -> ColumnRole {
    let is_key = source.schema.key.iter().any(|column| column.name == name);
    if is_key || matches!(name, WINDOWSTART | WINDOWEND) {
        return ColumnRole::Key;
    }
    let takes_all = matches!(query.select.as_slice(), [SelectItem::All { .. }]);
    let header = source.headers.iter().find(|header| takes_all && header.column.name == name);
    header.map_or(ColumnRole::Value, |header| ColumnRole::Header(header.header.clone()))
}

/// An error of types, with the WHERE that it is in, as ksqlDB shows it for look-ups.
fn with_predicate(error: PlanError, predicate: &Expression) -> PlanError {
    let PlanErrorKind::Expression { message, hint } = error.kind() else { return error };
    let message = format!("{message}\nStatement: {}", predicate.plain());
    let kind = PlanErrorKind::Expression { message, hint: hint.clone() };
    PlanError::at(kind, error.span().unwrap_or(predicate.span()))
}

const HELP: &str =
    " See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a push query.";

/// Whether there are pull queries.
pub(super) fn check_enabled(span: Span, settings: &Settings) -> Result<(), PlanError> {
    if !settings.is_on("ksql.pull.queries.enable", true) {
        let text = "Pull queries are disabled. See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you \
                    intended to issue a push query.\nPlease set ksql.pull.queries.enable=true to enable this feature.";
        return Err(PlanError::refused(text, span));
    }
    Ok(())
}

/// The refusal of a negative number in `clause`.
pub(super) fn negative(clause: &str, span: Span) -> PlanError {
    let text = format!("Pull queries don't support negative integers in the {clause} clause.{HELP}");
    PlanError::refused(text, span)
}

fn check_clauses(query: &Query, settings: &Settings) -> Result<(), PlanError> {
    check_enabled(query.span, settings)?;
    let clauses = [
        ("JOIN", query.from.joins.first().map(|join| join.span)),
        ("WINDOW", query.window.as_ref().map(|window| window.span)),
        ("GROUP BY", query.group_by.as_ref().map(|grouping| grouping.span)),
        ("PARTITION BY", query.partition_by.as_ref().map(|grouping| grouping.span)),
        ("HAVING", query.having.as_ref().map(Expression::span)),
    ];
    if let Some((name, Some(span))) = clauses.iter().find(|(_, span)| span.is_some()) {
        return Err(PlanError::refused(format!("Pull queries don't support {name} clauses.{HELP}"), *span));
    }
    if query.limit.is_some_and(|limit| limit < 0) {
        return Err(negative("LIMIT", query.span));
    }
    Ok(())
}

/// Stored rows have no place in a topic.
fn check_pseudo_columns(query: &Query, scope: &Scope) -> Result<(), PlanError> {
    let selected = query.select.iter().filter_map(|item| match item {
        SelectItem::Single { expression, .. } => Some(expression),
        _ => None,
    });
    let clauses: [(&str, Clause, Vec<&Expression>); 2] =
        [("SELECT", Clause::Select, selected.collect()), ("WHERE", Clause::Where, query.where_clause.iter().collect())];
    for (name, clause, expressions) in clauses {
        for expression in expressions {
            let resolved = scope.resolve(expression, clause)?;
            let mut found = columns_of(std::iter::once(&resolved));
            found.retain(|name| matches!(*name, ROWPARTITION | ROWOFFSET));
            if let Some(column) = found.first() {
                let text = format!("Pull queries don't support the following columns in {name} clauses: `{column}`");
                return Err(PlanError::refused(text, expression.span()));
            }
        }
    }
    Ok(())
}

/// Rows are single, and every result has its own name.
fn check_items(items: &[Item], source: &DataSource, functions: &Registry, span: Span) -> Result<(), PlanError> {
    for (i, item) in items.iter().enumerate() {
        for (kind, name) in [(FunctionKind::Aggregate, "aggregate"), (FunctionKind::Table, "table")] {
            if calls_of(&item.expression, kind, functions).next().is_some() {
                let text = format!("Pull queries don't support {name} functions in SELECT clauses.{HELP}");
                return Err(PlanError::refused(text, item.span));
            }
        }
        if items[..i].iter().any(|other| other.name == item.name) {
            let found = source.columns().find(|column| column.name == item.name);
            let shown = found.map_or_else(|| format!("`{}`", item.name), ToString::to_string);
            return Err(PlanError::refused(format!("Duplicate value columns found in schema: {shown}"), span));
        }
    }
    Ok(())
}

fn materialized_by(source: &DataSource, catalog: &Catalog, span: Span) -> Result<QueryId, PlanError> {
    if is_system_table(source, catalog) {
        return Ok(QueryId::new(SYSTEM));
    }
    let name = &source.name;
    let running = source.created_by_query.as_ref().filter(|id| catalog.query(id).is_some());
    running.cloned().ok_or_else(|| {
        let text = format!(
            "The `{name}` table isn't queryable. To derive a queryable table, you can do 'CREATE TABLE QUERYABLE_{name} \
             AS SELECT * FROM {name}'. See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to \
             issue a push query."
        );
        PlanError::refused(text, span)
    })
}

/// A stream is read like a push query does, up to where it ends now.
fn stream(query: &Query, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    let planned = query::plan(query, catalog, settings, Purpose::Transient, None)?;
    if planned.root.collection() == super::Collection::Table {
        let text = format!("Pull queries don't support aggregate functions in SELECT clauses.{HELP}");
        return Err(PlanError::refused(text, query.span));
    }
    Ok(Planned::PullStream(Box::new(planned.for_client(query.limit))))
}

/// Names of the columns of the table's own rows.
fn names(source: &DataSource) -> Vec<String> {
    let mut schema = source.schema.clone();
    schema.value.extend(source.headers.iter().map(|header| header.column.clone()));
    let rows = schema.row_schema(source.window.is_some());
    rows.fields().iter().map(|field| field.name().clone()).collect()
}

/// The rows of the table itself.
fn layout(scope: &Scope) -> Layout {
    let data = &scope.sources[0].data;
    let (schema, headers) = (&data.schema, data.headers.len());
    let after_value = schema.key.len() + schema.value.len() + headers;
    let mut layout = Layout::default();
    for found in &scope.columns {
        let index = match found.role {
            Role::Key(i) => i,
            Role::Value(i) => schema.key.len() + i,
            // They are kept behind the value.
            Role::Header(i) => after_value - headers + i,
            Role::RowTime => after_value,
            Role::WindowStart => after_value + 1,
            Role::WindowEnd => after_value + 2,
            Role::RowPartition | Role::RowOffset => continue,
        };
        layout.add(column(&found.internal, Span::NONE), index, found.sql_type.clone());
    }
    layout
}
