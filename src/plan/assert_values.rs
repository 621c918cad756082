//! `ASSERT VALUES` and `ASSERT NULL VALUES` of test scripts: the record that is expected, from constants.

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::datatypes::Int64Type;

use crate::catalog::{Catalog, DataSource};
use crate::sql::ast::{Identifier, InsertValues};
use crate::types::{Column, SqlType};

use super::error::{PlanError, PlanErrorKind, nearest_hint};
use super::expression::Typer;
use super::names::{ROWTIME, WINDOWEND, WINDOWSTART};
use super::scope::similar_source;
use super::settings::Settings;

/// What a record is expected to hold. Columns that are not listed are NULL; times that are not listed are of no interest.
#[derive(Debug, Clone)]
pub struct AssertedRow {
    /// The stream or table.
    pub source: String,
    /// Key columns in schema order, one row each.
    pub key: Vec<ArrayRef>,
    /// Value columns in schema order, one row each; for a tombstone they are all NULL.
    pub value: Vec<ArrayRef>,
    /// Time of the record.
    pub rowtime: Option<i64>,
    /// Start of the key's window.
    pub window_start: Option<i64>,
    /// End of the key's window.
    pub window_end: Option<i64>,
}

/// The record that `assert` expects; with `is_tombstone` it has no value.
pub fn asserted_row(
    assert: &InsertValues,
    is_tombstone: bool,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<AssertedRow, PlanError> {
    let source = source(&assert.target, catalog)?;
    let columns = columns(assert, source, is_tombstone)?;
    let typer = Typer::without_sources(catalog, settings);
    let constant = |name: &str, sql_type: &SqlType| -> Result<ArrayRef, PlanError> {
        match columns.iter().position(|listed| *listed == name) {
            Some(index) => typer.constant(&assert.values[index], sql_type, name),
            None => Ok(new_null_array(&sql_type.arrow(), 1)),
        }
    };
    let arrays = |columns: &[Column]| -> Result<Vec<ArrayRef>, PlanError> {
        columns.iter().map(|column| constant(&column.name, &column.sql_type)).collect()
    };
    let time = |name: &str| -> Result<Option<i64>, PlanError> {
        let array = constant(name, &SqlType::Bigint)?;
        let time = array.as_primitive::<Int64Type>();
        Ok(time.is_valid(0).then(|| time.value(0)))
    };
    Ok(AssertedRow {
        source: source.name.clone(),
        key: arrays(&source.schema.key)?,
        value: arrays(&source.schema.value)?,
        rowtime: time(ROWTIME)?,
        window_start: time(WINDOWSTART)?,
        window_end: time(WINDOWEND)?,
    })
}

fn source<'a>(name: &Identifier, catalog: &'a Catalog) -> Result<&'a DataSource, PlanError> {
    catalog.source(name.as_str()).map(|source| &**source).ok_or_else(|| {
        let similar = similar_source(name.as_str(), catalog);
        let kind = PlanErrorKind::UndescribedSource { name: name.name.clone(), similar };
        PlanError::at(kind, name.span)
    })
}

/// The columns that the values are of, in their order.
fn columns<'a>(
    assert: &'a InsertValues,
    source: &'a DataSource,
    is_tombstone: bool,
) -> Result<Vec<&'a str>, PlanError> {
    let key = source.schema.key.iter();
    let value = source.schema.value.iter().filter(|_| !is_tombstone);
    let all: Vec<&str> = key.chain(value).map(|column| column.name.as_str()).collect();
    if assert.columns.is_empty() {
        if all.len() == assert.values.len() {
            return Ok(all);
        }
        let text = format!("Expected a value for each column of {}: {}", source.name, all.join(", "));
        return Err(PlanError::refused(text, assert.span));
    }
    for (index, column) in assert.columns.iter().enumerate() {
        let name = column.as_str();
        let is_bound = source.window.is_some() && matches!(name, WINDOWSTART | WINDOWEND);
        if !all.contains(&name) && name != ROWTIME && !is_bound {
            return Err(unknown_column(column, source, &all, is_tombstone));
        }
        if assert.columns[..index].contains(column) {
            return Err(PlanError::refused(format!("Column `{name}` is listed more than once."), column.span));
        }
    }
    Ok(assert.columns.iter().map(Identifier::as_str).collect())
}

fn unknown_column(column: &Identifier, source: &DataSource, all: &[&str], is_tombstone: bool) -> PlanError {
    let name = column.as_str();
    if is_tombstone && source.schema.value.iter().any(|value| value.name == name) {
        let text = format!("Column `{name}` is no key column of {}: a tombstone has nothing but a key", source.name);
        return PlanError::refused(text, column.span);
    }
    let text = format!("Column name `{name}` does not exist in `{}`.", source.name);
    PlanError::refused_with(text, nearest_hint(name, all.iter().copied()), column.span)
}
