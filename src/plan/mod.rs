//! Statements to plans: names resolved, types checked, rules of the language applied.
//!
//! ```text
//! Statement ──analyze──▶ Planned ─┬─ CreateSource, Drop, … ──▶ catalog
//!     ▲                           ├─ CreateAs, InsertInto, Push ── QueryPlan ──▶ runtime
//!  Catalog, Settings              ├─ Pull ── PullPlan ──▶ rows of a store
//!                                 ├─ Read ── ReadPlan ──▶ batch
//!                                 └─ Explain ── text
//! ```
//!
//! [`complete`] gives a CREATE the columns that it leaves to Schema Registry. [`analyze`] reads the catalog and changes
//! nothing. A SELECT goes through these steps, a file each: FROM and the names of its columns (`scope`), joins (`join`),
//! the results (`select`), GROUP BY (`aggregate`) or PARTITION BY (`partition_by`), and the last projection (`project`); then
//! `passes` make the plan cheaper.
//! Expressions become typed in `expression`, calls of functions in `call`. A SELECT without EMIT is planned by `pull`, or by `read` where
//! it is more than ksqlDB's pull queries. What cannot be planned is a [`PlanError`] with the place in the text.

mod aggregate;
mod alter;
mod assert_values;
mod call;
mod create_as;
mod create_function;
mod create_source;
mod declared_topic;
mod error;
mod explain;
mod expression;
mod formats;
mod function_uses;
mod headers;
mod insert_into;
mod insert_values;
mod join;
mod lifecycle;
mod materialize;
mod names;
mod node;
mod partition_by;
mod passes;
mod planned;
mod project;
mod properties;
mod pull;
mod query;
mod read;
mod relation;
mod replace_function;
mod replace_source;
mod reserved_topics;
mod rewrite;
mod sanitize;
mod scalable;
mod schemas;
mod scope;
mod select;
mod settings;
mod source;
mod system_tables;
mod table_functions;
mod type_errors;
mod type_expr;
mod upgrade;
mod windows;

use crate::catalog::Catalog;
use crate::expr::Expr;
use crate::sql::ParsedStatement;
use crate::sql::ast::{Explain, Query, Statement};

pub use crate::catalog::{Collection, Envelope, HeaderColumn, TimestampColumn};
pub use assert_values::{AssertedRow, asserted_row};
pub use error::{PlanError, PlanErrorKind};
pub use explain::{
    FOREIGN_KEY_ANSWERS, FOREIGN_KEY_REFERENCES, StoreUse, SubTopology, TopicUse, explain, explain_pull, query_group,
    stores, topology,
};
pub use insert_values::insert_target;
pub use node::{
    Aggregate, AggregateCall, FlatMap, ForeignKeyJoin, JoinKind, JoinWindow, NullKeys, PlanNode, PseudoColumn,
    QueryPlan, SharedPlan, Sink, Source, StreamStreamJoin, StreamTableJoinKind, TableCall, TableTableJoin, WindowShape,
    WindowSpec,
};
pub use passes::Change;
pub use planned::{
    InsertedRow, Planned, PlannedCreateAs, PlannedInsert, PlannedSource, PushPlan, ResultColumn, RowPart, SinkTopic,
};
pub use pull::{ColumnRole, PullLookup, PullPlan, WindowBounds};
pub use read::{ReadJoin, ReadNode, ReadPlan, SortKey, SubqueryAsks, WHOLE_SQL};
pub use replace_function::{PlannedFunctions, replace_functions};
pub use schemas::{NO_REGISTRY, Registry, check_named_schemas, complete, declared_schemas};
pub use settings::{
    ASKED_PROPERTIES, FUNCTION_PROPERTIES, LibraryLookup, LoadedLibrary, NoLibraries, NoPlans, PlanLookup,
    SchemaValidation, Settings, TopicFacts, TopicLookup,
};
pub use type_expr::{primitive_type, resolve_type};

/// Checks `parsed` against `catalog` and plans it.
pub fn analyze(parsed: &ParsedStatement, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    analyze_statement(&parsed.statement, &parsed.text, catalog, settings)
}

/// As [`analyze`], for a statement and its text.
pub fn analyze_statement(
    statement: &Statement,
    sql: &str,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Planned, PlanError> {
    use lifecycle::Action;
    system_tables::check(statement, catalog)?;
    match statement {
        Statement::CreateSource(create) => create_source::plan(create, sql, catalog, settings),
        Statement::CreateAsSelect(create) => create_as::plan(create, sql, catalog, settings),
        Statement::InsertSelect(insert) => insert_into::plan(insert, sql, catalog, settings),
        Statement::InsertValues(insert) => insert_values::plan(insert, catalog, settings),
        Statement::Query(query) if query.is_pull() => read::pull_or_read(query, catalog, settings),
        Statement::Read(read) => read::read(read, catalog, settings),
        Statement::Query(query) => push(query, catalog, settings),
        Statement::AlterSource(alter) => alter::plan(alter, sql, catalog),
        Statement::DropSource(drop) => lifecycle::drop_source(drop, catalog, settings),
        Statement::CreateType(create) => lifecycle::create_type(create, catalog),
        Statement::DropType(drop) => lifecycle::drop_type(drop, catalog),
        Statement::CreateFunction(create) => create_function::create(create, sql, catalog, settings),
        Statement::CreateFunctions(create) => create_function::create_all(create, sql, catalog, settings),
        Statement::DropFunction(drop) => create_function::drop_function(drop, catalog),
        Statement::Terminate(target) => lifecycle::act_on_queries(Action::Terminate, target, catalog),
        Statement::Pause(target) => lifecycle::act_on_queries(Action::Pause, target, catalog),
        Statement::Resume(target) => lifecycle::act_on_queries(Action::Resume, target, catalog),
        Statement::DescribeSource { name, extended } => lifecycle::describe(name, *extended, catalog),
        Statement::DescribeFunction { name } if catalog.functions().get(name.as_str()).is_none() => {
            Err(call::unknown_function(catalog.functions(), name, name.span))
        }
        Statement::Explain(Explain::Query(id)) => {
            lifecycle::running_query("EXPLAIN", id, catalog).map(Planned::ExplainQuery)
        }
        Statement::Diagnose(id) => lifecycle::running_query("DIAGNOSE", id, catalog).map(Planned::Diagnose),
        Statement::Explain(Explain::Statement { statement, span }) => {
            let planned = analyze_statement(statement, sql, catalog, settings)?;
            // It would say that its name is taken.
            if matches!(planned, Planned::Nothing { .. }) {
                return Ok(planned);
            }
            let text = explain::statement(&planned, catalog, settings)
                .ok_or_else(|| PlanError::refused("The provided statement does not run a ksql query", *span))?;
            Ok(Planned::Explain { text })
        }
        other => direct_or_not_supported(other),
    }
}

fn direct_or_not_supported(statement: &Statement) -> Result<Planned, PlanError> {
    let what = match statement {
        Statement::AssertValues(_) | Statement::AssertTombstone(_) | Statement::AssertSource(_) => "ASSERT",
        Statement::RunScript { .. } => "RUN SCRIPT",
        _ => return Ok(Planned::Direct),
    };
    Err(PlanError::not_supported(what, crate::sql::Span::NONE))
}

/// Plans a SELECT with EMIT CHANGES for a client.
fn push(query: &Query, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    let mut planned = query::plan(query, catalog, settings, select::Purpose::Transient, None)?;
    if query.limit.is_some_and(|limit| limit < 0) {
        let text = "Push queries don't support negative integers in the LIMIT clause.";
        return Err(PlanError::refused(text, query.span));
    }
    let is_scalable = scalable::is_scalable(query, &planned.root, catalog, settings);
    if is_scalable {
        planned.root = scalable::over_changes(planned.root);
    }
    Ok(Planned::Push(Box::new(PushPlan { is_scalable, ..planned.for_client(query.limit) })))
}

#[cfg(test)]
mod tests;
