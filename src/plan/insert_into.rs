//! `INSERT INTO … SELECT`: one more query that writes into a stream.

use crate::catalog::{Catalog, DataSource, QueryId, QueryInfo, QueryKind};
use crate::sql::ast::InsertSelect;
use crate::types::{Column, Schema};

use super::error::{PlanError, nearest_hint};
use super::expression::column_expr;
use super::formats::effective_key_serde;
use super::planned::PlannedInsert;
use super::properties::{Clause, Properties, property_error};
use super::query;
use super::reserved_topics::{READ_ONLY_HINT, is_read_only};
use super::scope::source_names;
use super::select::Purpose;
use super::settings::Settings;
use super::{Collection, Expr, NullKeys, PlanNode, Planned, Sink, passes};

/// Plans `insert`, whose text is `sql`.
pub(super) fn plan(
    insert: &InsertSelect,
    sql: &str,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Planned, PlanError> {
    let name = insert.target.as_str();
    let properties = Properties::read(&insert.properties, Clause::Insert)?;
    let target = catalog.source(name).ok_or_else(|| unknown_target(insert, catalog))?;
    check_target(target, insert, settings)?;
    let planned = query::plan(&insert.query, catalog, settings, Purpose::Persistent(name), None)?;
    if planned.root.collection() == Collection::Table {
        let text = format!(
            "Incompatible data sink type. Data sink type is STREAM, but select query result is TABLE. Sink: {name}"
        );
        return Err(PlanError::refused(text, insert.span));
    }
    if planned.root.window() != target.window {
        return Err(PlanError::refused("Incompatible windows of results and sink", insert.span));
    }
    let root = converted(planned.root, &target.schema, insert)?;
    let id = query_id(&properties, catalog, settings)?;
    let query_info = QueryInfo {
        id,
        kind: QueryKind::Insert,
        reads: planned.scope.source_names(),
        sink: name.to_owned(),
        functions: planned.functions,
        sql: sql.to_owned(),
    };
    let sink = Sink {
        name: name.to_owned(),
        topic: target.topic.clone(),
        key_serde: effective_key_serde(&target.key_serde, &target.schema.key),
        value_serde: target.value_serde.clone(),
        partitions: settings.topics.partitions(&target.topic),
        timestamp: target.timestamp.clone(),
    };
    let query = passes::planned(root, Some(sink), None);
    Ok(Planned::InsertInto(Box::new(PlannedInsert { target: name.to_owned(), query_info, query })))
}

fn unknown_target(insert: &InsertSelect, catalog: &Catalog) -> PlanError {
    let name = insert.target.as_str();
    let text = format!("{}: Source `{name}` does not exist.", insert.target.span);
    PlanError::refused_with(text, nearest_hint(name, source_names(catalog)), insert.target.span)
}

fn check_target(target: &DataSource, insert: &InsertSelect, settings: &Settings) -> Result<(), PlanError> {
    let name = &target.name;
    let text = if target.is_table() {
        format!("INSERT INTO can only be used to insert into a stream. {name} is a table.")
    } else if target.is_source {
        format!("Cannot insert into read-only stream: {name}")
    } else if !target.headers.is_empty() {
        format!("Cannot insert into {name} because it has header columns")
    } else if target.envelope.is_some() {
        format!("Cannot insert into {name}: its topic holds the change events of a database.")
    } else if is_read_only(&target.topic, settings) {
        let text = format!("Cannot insert into read-only topic: {}", target.topic);
        return Err(PlanError::refused_with_hint(text, READ_ONLY_HINT, insert.target.span));
    } else {
        return Ok(());
    };
    Err(PlanError::refused(text, insert.target.span))
}

/// `root` with exactly the columns of `sink`: same names in the same order, types converted where that loses nothing.
fn converted(root: PlanNode, sink: &Schema, insert: &InsertSelect) -> Result<PlanNode, PlanError> {
    let result = root.schema();
    if result == *sink {
        return Ok(root);
    }
    let incompatible = || {
        let text = format!(
            "Incompatible schema between results and sink.\nResult schema is {}\nSink schema is {}",
            result.display(false),
            sink.display(false)
        );
        PlanError::refused(text, insert.span)
    };
    let key = convert_side(&result.key, &sink.key, 0).ok_or_else(incompatible)?;
    let value = convert_side(&result.value, &sink.value, result.key.len()).ok_or_else(incompatible)?;
    if result.key == sink.key {
        return Ok(PlanNode::Project { input: Box::new(root), key: result.key, columns: value });
    }
    Ok(PlanNode::Rekey { input: Box::new(root), key, columns: value, null_keys: NullKeys::Keep, keeps_window: true })
}

fn convert_side(from: &[Column], to: &[Column], offset: usize) -> Option<Vec<(Column, Expr)>> {
    if from.len() != to.len() {
        return None;
    }
    let columns = from.iter().zip(to).enumerate().map(|(i, (from, to))| {
        let expr = column_expr(offset + i, &from.sql_type);
        let expr = if from.name == to.name { Expr::coerced(expr, &to.sql_type)? } else { return None };
        Some((to.clone(), expr))
    });
    columns.collect()
}

/// `WITH (QUERY_ID='x')`, else a made-up id.
fn query_id(properties: &Properties, catalog: &Catalog, settings: &Settings) -> Result<QueryId, PlanError> {
    let Some((id, span)) = &properties.query_id else {
        return Ok(QueryId::new(&format!("INSERTQUERY_{}", settings.query_number)));
    };
    let is_word = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word {
        let message = format!("Query IDs may contain only alphanumeric characters and '_'. Got: '{id}'");
        return Err(property_error(message, *span));
    }
    let reserved = ["INSERTQUERY_", "CTAS_", "CSAS_", "CST_"].into_iter().find(|prefix| id.starts_with(prefix));
    if let Some(prefix) = reserved {
        let message = format!("Query IDs must not start with a reserved query ID prefix: {prefix}. Got: '{id}'");
        return Err(property_error(message, *span));
    }
    let id = QueryId::new(id);
    if catalog.query(&id).is_some() {
        return Err(property_error(format!("Query ID '{id}' already exists."), *span));
    }
    Ok(id)
}
