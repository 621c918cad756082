//! SELECT without EMIT: the rows that are there now.
//!
//! Of a table, the WHERE decides how its store is read: by keys when every branch of it fixes all key columns, by a range
//! when it bounds a single text key, else from end to end. It is always evaluated again on the rows found.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::Int64Type;

use crate::catalog::{Catalog, DataSource, QueryId};
use crate::functions::{FunctionKind, Registry};
use crate::sql::Span;
use crate::sql::ast::{ComparisonOperator, Expression, Literal, LogicalOperator, Query, SelectItem};
use crate::types::{Column, SqlType};

use super::error::{PlanError, PlanErrorKind};
use super::expression::Typer;
use super::function_uses::{self, calls_of};
use super::names::{ROWOFFSET, ROWPARTITION, WINDOWEND, WINDOWSTART};
use super::planned::PushPlan;
use super::relation::Layout;
use super::scope::{Clause, Role, Scope, as_column, column, columns_of};
use super::select::{self, Item, Purpose, SelectContext};
use super::settings::Settings;
use super::system_tables::is_system_table;
use super::{Change, Expr, Planned, passes, query};

/// What stands for the query that keeps rows of system tables.
const SYSTEM: &str = "the server";

/// Most keys that are looked up one by one; beyond, the whole table is read.
const KEYS_MAX: usize = 10_000;

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

const SCAN_DISABLED: &str = "Query requires table scan to be enabled. Table scans can be enabled by setting \
                             ksql.query.pull.table.scan.enabled=true";

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
    if let Some(text) = (planned.root.collection() == super::Collection::Table)
        .then_some("Pull queries don't support aggregate functions in SELECT clauses.")
    {
        return Err(PlanError::refused(format!("{text}{HELP}"), query.span));
    }
    let limit = query.limit.map(|limit| u64::from(limit.unsigned_abs()));
    let reads = planned.scope.sources.iter().map(|source| source.data.name.clone()).collect();
    Ok(Planned::PullStream(Box::new(PushPlan {
        query: passes::planned(planned.root, None, limit),
        columns: planned.results,
        reads,
        is_scalable: false,
    })))
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

/// Key columns by index, and the constants that a branch of WHERE fixes them to.
type Branch<'a> = BTreeMap<usize, &'a Expression>;

/// Reads conditions out of WHERE.
struct Conditions<'a> {
    scope: &'a Scope,
    typer: &'a Typer<'a>,
}

impl Conditions<'_> {
    fn source(&self) -> &DataSource {
        &self.scope.sources[0].data
    }

    fn lookup(&self, predicate: Option<&Expression>) -> Result<PullLookup, PlanError> {
        let Some(predicate) = predicate else { return Ok(PullLookup::Scan) };
        if let Some(keys) = self.keys(predicate)? {
            return Ok(PullLookup::Keys(keys));
        }
        Ok(self.range(predicate))
    }

    /// The keys that `predicate` fixes, if it fixes all key columns in every branch.
    fn keys(&self, predicate: &Expression) -> Result<Option<Vec<ArrayRef>>, PlanError> {
        let width = self.source().schema.key.len();
        let Some(branches) = self.branches(predicate) else { return Ok(None) };
        if branches.iter().any(|branch| branch.len() < width) {
            return Ok(None);
        }
        let mut columns = Vec::new();
        for (i, key) in self.source().schema.key.iter().enumerate() {
            let mut values = Vec::new();
            for branch in &branches {
                let Some(value) = self.key_value(branch[&i], key)? else { return Ok(None) };
                values.push(value);
            }
            let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
            columns.push(concat(&values).expect("the values have the key's type"));
        }
        Ok(Some(columns))
    }

    /// The constant as a key; `None` if no key can equal it by look-up.
    fn key_value(&self, constant: &Expression, key: &Column) -> Result<Option<ArrayRef>, PlanError> {
        let is_text = matches!(constant, Expression::Literal { value: Literal::String(_), .. });
        if is_text && (key.sql_type.is_numeric() || key.sql_type == SqlType::Boolean) {
            let text = format!(
                "{} can not be converted to the type of the key column: {} {} KEY",
                constant.plain(),
                key.name,
                key.sql_type
            );
            return Err(PlanError::refused(text, constant.span()));
        }
        let Some(value) = self.typer.lossless_constant(constant, &key.sql_type)? else { return Ok(None) };
        if value.is_null(0) {
            let text = format!("Primary key columns can not be NULL: ({} = {})", key.name, constant.plain());
            return Err(PlanError::refused(text, constant.span()));
        }
        Ok(Some(value))
    }

    /// `predicate` as alternatives, each with the key columns it fixes; `None` if there are too many.
    fn branches<'e>(&self, predicate: &'e Expression) -> Option<Vec<Branch<'e>>> {
        match predicate {
            Expression::Logical { operator: LogicalOperator::Or, left, right, .. } => {
                let mut branches = self.branches(left)?;
                branches.extend(self.branches(right)?);
                (branches.len() <= KEYS_MAX).then_some(branches)
            }
            Expression::Logical { operator: LogicalOperator::And, left, right, .. } => {
                let (left, right) = (self.branches(left)?, self.branches(right)?);
                if left.len() * right.len() > KEYS_MAX {
                    return None;
                }
                // A column that both sides fix keeps the first value: the row is checked again anyway.
                let both = left.iter().flat_map(|left| {
                    right.iter().map(move |right| {
                        let mut both = right.clone();
                        both.extend(left.iter().map(|(key, value)| (*key, *value)));
                        both
                    })
                });
                Some(both.collect())
            }
            Expression::Comparison { operator: ComparisonOperator::Equal, left, right, .. } => {
                let fixed = self.key_and_constant(left, right).or_else(|| self.key_and_constant(right, left));
                Some(vec![fixed.into_iter().collect()])
            }
            Expression::InList { value, list, .. } => match self.key_index(value) {
                Some(key) if list.iter().all(is_constant) && list.len() <= KEYS_MAX => {
                    Some(list.iter().map(|constant| Branch::from([(key, constant)])).collect())
                }
                _ => Some(vec![Branch::new()]),
            },
            _ => Some(vec![Branch::new()]),
        }
    }

    fn key_and_constant<'e>(&self, key: &Expression, constant: &'e Expression) -> Option<(usize, &'e Expression)> {
        is_constant(constant).then(|| self.key_index(key)).flatten().map(|key| (key, constant))
    }

    fn key_index(&self, expression: &Expression) -> Option<usize> {
        match self.scope.column(as_column(expression)?)?.role {
            Role::Key(index) => Some(index),
            _ => None,
        }
    }

    /// The range of a single text key that the conjuncts of `predicate` give.
    fn range(&self, predicate: &Expression) -> PullLookup {
        let source = self.source();
        let is_text = |key: &Column| matches!(key.sql_type, SqlType::String | SqlType::Bytes);
        let [key] = source.schema.key.as_slice() else { return PullLookup::Scan };
        if !is_text(key) || source.window.is_some() {
            return PullLookup::Scan;
        }
        let mut bounds = (None, None);
        for conjunct in conjuncts(predicate) {
            for (operator, constant) in self.comparisons(conjunct, |column| self.key_index(column) == Some(0)) {
                let value = self.typer.lossless_constant(constant, &key.sql_type);
                let Ok(Some(value)) = value else { continue };
                if value.is_null(0) {
                    continue;
                }
                match operator {
                    ComparisonOperator::GreaterThan => bounds.0 = Some((value, false)),
                    ComparisonOperator::GreaterThanOrEqual => bounds.0 = Some((value, true)),
                    ComparisonOperator::LessThan => bounds.1 = Some((value, false)),
                    ComparisonOperator::LessThanOrEqual => bounds.1 = Some((value, true)),
                    _ => {}
                }
            }
        }
        match bounds {
            (None, None) => PullLookup::Scan,
            (from, to) => PullLookup::Range { from, to },
        }
    }

    /// Where tables may not be read from end to end, WHERE must fix keys in the plainest way.
    fn check_without_scan(
        &self,
        lookup: &PullLookup,
        predicate: Option<&Expression>,
        span: Span,
    ) -> Result<(), PlanError> {
        let reason = match predicate {
            Some(predicate) => self.scan_reason(lookup, predicate),
            None => matches!(lookup, PullLookup::Scan).then(|| SCAN_DISABLED.to_owned()),
        };
        reason.map_or(Ok(()), |reason| Err(PlanError::refused(format!("{reason}.{HELP}"), span)))
    }

    /// Why `predicate` is no plain look-up; `None` if it is.
    fn scan_reason(&self, lookup: &PullLookup, predicate: &Expression) -> Option<String> {
        let mut compared: Vec<usize> = Vec::new();
        let mut reason = None;
        for conjunct in conjuncts(predicate) {
            match conjunct {
                Expression::Comparison { operator, left, right, .. } => {
                    let key = self.key_index(left).or_else(|| self.key_index(right));
                    let inside =
                        || columns_of([&**left, &**right].into_iter()).into_iter().any(|name| self.is_key(name));
                    match key {
                        Some(_) if matches!(operator, ComparisonOperator::NotEqual) => {
                            reason =
                                Some(format!("Bound on key columns '[{}]' must currently be '='", self.key_text()));
                        }
                        Some(key) => compared.push(key),
                        None if inside() => {
                            reason = Some("A comparison must directly reference a key column".to_owned());
                        }
                        None => {}
                    }
                }
                Expression::InList { value, list, .. } => {
                    if !list.iter().all(is_constant) {
                        reason =
                            Some("A comparison must be between a key column and a resolvable expression".to_owned());
                    }
                    compared.extend(self.key_index(value));
                }
                Expression::Like { value, .. } if !self.is_text_column(value) => {
                    reason = Some("Like condition must be between strings".to_owned());
                }
                _ => {}
            }
        }
        if reason.is_some() {
            return reason;
        }
        let width = self.source().schema.key.len();
        let specified = (0..width).filter(|key| compared.contains(key)).count();
        if compared.len() > specified {
            return Some(
                "A comparison condition on the key column cannot be combined with other comparisons such as an IN \
                 predicate"
                    .to_owned(),
            );
        }
        if !matches!(lookup, PullLookup::Scan) {
            return None;
        }
        let all_branches = columns_of(std::iter::once(predicate)).into_iter().any(|name| self.is_key(name));
        if width > 1 && all_branches && specified < width {
            return Some("Multi-column sources must specify every key in the WHERE clause".to_owned());
        }
        Some(SCAN_DISABLED.to_owned())
    }

    fn is_text_column(&self, expression: &Expression) -> bool {
        let column = as_column(expression).and_then(|name| self.scope.column(name));
        column.is_some_and(|column| column.sql_type == SqlType::String)
    }

    fn is_key(&self, name: &str) -> bool {
        self.scope.column(name).is_some_and(|found| matches!(found.role, Role::Key(_)))
    }

    fn key_text(&self) -> String {
        let columns: Vec<String> = self.source().schema.key.iter().map(|column| format!("{column} KEY")).collect();
        columns.join(", ")
    }

    /// What the conjuncts of `predicate` say about WINDOWSTART and WINDOWEND.
    fn window_bounds(&self, predicate: Option<&Expression>) -> WindowBounds {
        let mut bounds = WindowBounds::ALL;
        for conjunct in predicate.map(conjuncts).unwrap_or_default() {
            for (name, is_start) in [(WINDOWSTART, true), (WINDOWEND, false)] {
                for (operator, constant) in self.comparisons(conjunct, |column| as_column(column) == Some(name)) {
                    let Some(value) = self.time(constant) else { continue };
                    let (min, max) = if is_start {
                        (&mut bounds.start_min, &mut bounds.start_max)
                    } else {
                        (&mut bounds.end_min, &mut bounds.end_max)
                    };
                    match operator {
                        ComparisonOperator::Equal => {
                            *min = value.max(*min);
                            *max = value.min(*max);
                        }
                        ComparisonOperator::GreaterThan => *min = value.saturating_add(1).max(*min),
                        ComparisonOperator::GreaterThanOrEqual => *min = value.max(*min),
                        ComparisonOperator::LessThan => *max = value.saturating_sub(1).min(*max),
                        ComparisonOperator::LessThanOrEqual => *max = value.min(*max),
                        _ => {}
                    }
                }
            }
        }
        bounds
    }

    fn time(&self, constant: &Expression) -> Option<i64> {
        let value = self.typer.time_constant(constant)?;
        let value = value.as_primitive::<Int64Type>();
        value.is_valid(0).then(|| value.value(0))
    }

    /// The comparisons of a column that `is_wanted` with a constant, read with the column on the left.
    fn comparisons<'e>(
        &self,
        conjunct: &'e Expression,
        is_wanted: impl Fn(&Expression) -> bool,
    ) -> Vec<(ComparisonOperator, &'e Expression)> {
        match conjunct {
            Expression::Comparison { operator, left, right, .. } => {
                if is_wanted(left) && is_constant(right) {
                    vec![(*operator, right)]
                } else if is_wanted(right) && is_constant(left) {
                    vec![(mirrored(*operator), left)]
                } else {
                    Vec::new()
                }
            }
            Expression::Between { value, low, high, .. }
                if is_wanted(value) && is_constant(low) && is_constant(high) =>
            {
                vec![(ComparisonOperator::GreaterThanOrEqual, low), (ComparisonOperator::LessThanOrEqual, high)]
            }
            _ => Vec::new(),
        }
    }
}

/// Whether `expression` refers to no column.
fn is_constant(expression: &Expression) -> bool {
    columns_of(std::iter::once(expression)).is_empty()
}

fn conjuncts(predicate: &Expression) -> Vec<&Expression> {
    match predicate {
        Expression::Logical { operator: LogicalOperator::And, left, right, .. } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        other => vec![other],
    }
}

/// `a < b` read from `b`'s side.
fn mirrored(operator: ComparisonOperator) -> ComparisonOperator {
    match operator {
        ComparisonOperator::LessThan => ComparisonOperator::GreaterThan,
        ComparisonOperator::LessThanOrEqual => ComparisonOperator::GreaterThanOrEqual,
        ComparisonOperator::GreaterThan => ComparisonOperator::LessThan,
        ComparisonOperator::GreaterThanOrEqual => ComparisonOperator::LessThanOrEqual,
        same => same,
    }
}
