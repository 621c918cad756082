//! `ALTER STREAM|TABLE … ADD COLUMN`: more value columns. Queries that run keep the columns that they were planned with.

use crate::catalog::{Catalog, DataSource};
use crate::sql::ast::{AddedColumn, AlterSource};
use crate::types::Column;

use super::Planned;
use super::create_source::collection;
use super::error::{PlanError, nearest_hint};
use super::formats::check_schema;
use super::names::check_column_name;
use super::scope::source_names;
use super::type_expr::resolve_type;

/// Plans `alter`, whose text is `sql`.
pub(super) fn plan(alter: &AlterSource, sql: &str, catalog: &Catalog) -> Result<Planned, PlanError> {
    let source = target(alter, catalog)?;
    let mut altered = DataSource::clone(source);
    for added in &alter.columns {
        altered.schema.value.push(column(added, &altered, catalog)?);
    }
    check_schema(&altered.schema, &altered.key_serde, &altered.value_serde, alter.span)?;
    altered.sql = format!("{}\n{sql}", source.sql);
    Ok(Planned::Alter(Box::new(altered)))
}

fn target<'a>(alter: &AlterSource, catalog: &'a Catalog) -> Result<&'a DataSource, PlanError> {
    let (name, span) = (alter.name.as_str(), alter.name.span);
    let Some(source) = catalog.source(name) else {
        let text = format!("Source {name} does not exist.");
        return Err(PlanError::refused_with(text, nearest_hint(name, source_names(catalog)), span));
    };
    let noun = collection(alter.kind).noun();
    if source.is_source {
        let text = format!("Cannot alter {noun} '{name}': ALTER operations are not supported on source {noun}s.");
        return Err(PlanError::refused(text, span));
    }
    if source.collection != collection(alter.kind) {
        let (is, said) = (source.collection.keyword(), alter.kind.name());
        let text = format!("Incompatible data source type is {is}, but statement was ALTER {said}");
        return Err(PlanError::refused_with_hint(text, format!("write ALTER {is}"), span));
    }
    if source.created_by_query.is_some() {
        let hint = "CREATE OR REPLACE … AS SELECT appends columns to what a query fills";
        return Err(PlanError::refused_with_hint(
            "ALTER command is not supported for CREATE ... AS statements.",
            hint,
            span,
        ));
    }
    Ok(source)
}

fn column(added: &AddedColumn, source: &DataSource, catalog: &Catalog) -> Result<Column, PlanError> {
    let (name, span) = (added.name.as_str(), added.name.span);
    check_column_name(name, span)?;
    if source.columns().any(|column| column.name == name) {
        let text = format!("Cannot add column `{name}` to schema. A column with the same name already exists.");
        return Err(PlanError::refused(text, span));
    }
    Ok(Column::new(name, resolve_type(&added.data_type, catalog, span)?))
}
