//! `INSERT INTO … VALUES`: one record from constants.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::datatypes::Int64Type;

use crate::catalog::{Catalog, DataSource};
use crate::sql::Span;
use crate::sql::ast::{Expression, Identifier, InsertValues, Literal};
use crate::types::{Column, SqlType};

use super::Planned;
use super::error::{PlanError, nearest_hint};
use super::expression::Typer;
use super::function_uses;
use super::names::{ROWOFFSET, ROWPARTITION, ROWTIME, WINDOWEND, WINDOWSTART};
use super::planned::InsertedRow;
use super::reserved_topics::{READ_ONLY_HINT, is_read_only};
use super::scope::source_names;
use super::settings::Settings;

/// Plans `insert`.
pub(super) fn plan(insert: &InsertValues, catalog: &Catalog, settings: &Settings) -> Result<Planned, PlanError> {
    let target = insert_target(&insert.target, catalog, settings)?;
    let columns = columns(insert, target)?;
    function_uses::called(&insert.values, catalog, settings)?;
    let typer = Typer::without_sources(catalog, settings);
    let value_of = |wanted: &Column| -> Result<ArrayRef, PlanError> {
        let given = columns.iter().position(|name| *name == wanted.name);
        match given {
            Some(index) => {
                let value = lenient(&insert.values[index], &wanted.sql_type)?;
                typer.constant(&value, &wanted.sql_type, &wanted.name)
            }
            None => Ok(new_null_array(&wanted.sql_type.arrow(), 1)),
        }
        .map_err(|error| failed(target, &error, insert))
    };
    let key: Vec<ArrayRef> = target.schema.key.iter().map(value_of).collect::<Result<_, _>>()?;
    let value: Vec<ArrayRef> = target.schema.value.iter().map(value_of).collect::<Result<_, _>>()?;
    check_primary_key(target, &key, insert)?;
    let rowtime = columns.iter().position(|name| *name == ROWTIME);
    let rowtime = rowtime.map(|index| time(&insert.values[index], &typer, target, insert)).transpose()?;
    Ok(Planned::InsertValues(Box::new(InsertedRow { target: target.name.clone(), key, value, rowtime })))
}

/// Literals are taken more freely than other values: any may be a text, and a text may be a truth value.
fn lenient<'a>(written: &'a Expression, wanted: &SqlType) -> Result<Cow<'a, Expression>, PlanError> {
    let Expression::Literal { value, span } = written else { return Ok(Cow::Borrowed(written)) };
    let value = match (value, wanted) {
        (Literal::String(text), SqlType::Boolean) => Literal::Boolean(truth(text, *span)?),
        (Literal::Null | Literal::String(_) | Literal::Variable(_), _) => return Ok(Cow::Borrowed(written)),
        (_, SqlType::String) => Literal::String(written.plain().to_string()),
        _ => return Ok(Cow::Borrowed(written)),
    };
    Ok(Cow::Owned(Expression::Literal { value, span: *span }))
}

/// The truth value that `text` begins to spell.
fn truth(text: &str, span: Span) -> Result<bool, PlanError> {
    let begins = |word: &str| !text.is_empty() && word.starts_with(&text.to_lowercase());
    if begins("true") || begins("yes") {
        Ok(true)
    } else if begins("false") || begins("no") {
        Ok(false)
    } else {
        let text = format!("invalid input syntax for type BOOLEAN: \"{text}\"");
        Err(PlanError::refused_with_hint(text, "write TRUE or FALSE", span))
    }
}

/// The time of the record: milliseconds, or the text of a time.
fn time(written: &Expression, typer: &Typer, target: &DataSource, insert: &InsertValues) -> Result<i64, PlanError> {
    let array = match typer.time_constant(written) {
        Some(array) => array,
        None => typer.constant(written, &SqlType::Bigint, ROWTIME).map_err(|error| failed(target, &error, insert))?,
    };
    let time = array.as_primitive::<Int64Type>();
    if time.is_null(0) {
        return Err(PlanError::refused("ROWTIME must not be NULL", written.span()));
    }
    if time.value(0) < 0 {
        return Err(PlanError::refused("ROWTIME must not be negative", written.span()));
    }
    Ok(time.value(0))
}

/// The stream or table `target`, if single records may be written to it.
pub fn insert_target<'a>(
    target: &Identifier,
    catalog: &'a Catalog,
    settings: &Settings,
) -> Result<&'a Arc<DataSource>, PlanError> {
    let span = target.span;
    if !settings.is_on("ksql.insert.into.values.enabled", true) {
        let text = "The server has disabled INSERT INTO ... VALUES functionality. To enable it, restart your KSQL \
                    server with 'ksql.insert.into.values.enabled'=true";
        return Err(PlanError::refused(text, span));
    }
    let name = target.as_str();
    let target = catalog.source(name).ok_or_else(|| unknown(target, catalog))?;
    if target.is_source {
        let text = format!("Cannot insert values into read-only {}: {name}", target.collection.noun());
        return Err(PlanError::refused(text, span));
    }
    if target.window.is_some() {
        return Err(PlanError::refused("Cannot insert values into windowed stream/table!", span));
    }
    if target.envelope.is_some() {
        let text = format!("Cannot insert values into {name}: its topic holds the change events of a database.");
        return Err(PlanError::refused(text, span));
    }
    if is_read_only(&target.topic, settings) {
        let text = format!("Cannot insert values into read-only topic: {}", target.topic);
        return Err(PlanError::refused_with_hint(text, READ_ONLY_HINT, span));
    }
    Ok(target)
}

/// The name is not there; often it is there in another case.
fn unknown(target: &Identifier, catalog: &Catalog) -> PlanError {
    let name = target.as_str();
    let mut text = format!("Cannot insert values into an unknown stream/table: `{name}`");
    let other_case = catalog.sources().find(|source| source.name.eq_ignore_ascii_case(name));
    if let Some(other) = other_case {
        let other = &other.name;
        if other.chars().any(char::is_lowercase) {
            text += &format!(
                "\nDid you mean \"{other}\"? Hint: wrap the source name in double quotes to make it case-sensitive."
            );
        } else {
            text += &format!("\nDid you mean {other}? Hint: try removing double quotes from the source name.");
        }
        return PlanError::refused(text, target.span);
    }
    PlanError::refused_with(text, nearest_hint(name, source_names(catalog)), target.span)
}

/// The columns that get the values, in their order.
fn columns<'a>(insert: &'a InsertValues, target: &'a DataSource) -> Result<Vec<&'a str>, PlanError> {
    if insert.columns.is_empty() {
        let all: Vec<&str> = target.columns().map(|column| column.name.as_str()).collect();
        if all.len() != insert.values.len() {
            let values: Vec<String> = insert.values.iter().map(Expression::to_string).collect();
            let text = format!(
                "Failed to insert values into '{}'. Expected a value for each column. Expected Columns: [{}]. Got [{}]",
                target.name,
                all.join(", "),
                values.join(", ")
            );
            return Err(PlanError::refused(text, insert.span));
        }
        return Ok(all);
    }
    let is_header = |column: &&Identifier| target.headers.iter().any(|header| header.column.name == column.name);
    let headers: Vec<&str> = insert.columns.iter().filter(is_header).map(Identifier::as_str).collect();
    if !headers.is_empty() {
        let text = format!("Cannot insert into HEADER columns: {}", headers.join(", "));
        return Err(PlanError::refused(text, insert.span));
    }
    for (i, column) in insert.columns.iter().enumerate() {
        let name = column.as_str();
        if matches!(name, ROWPARTITION | ROWOFFSET | WINDOWSTART | WINDOWEND) {
            let text = format!("Inserting into column `{name}` is not allowed.");
            return Err(PlanError::refused(text, column.span));
        }
        if name != ROWTIME && !target.columns().any(|known| known.name == name) {
            let text = format!("Column name `{name}` does not exist in `{}`.", target.name);
            let hint = nearest_hint(name, target.columns().map(|known| known.name.as_str()));
            return Err(PlanError::refused_with(text, hint, column.span));
        }
        if insert.columns[..i].contains(column) {
            return Err(PlanError::refused(format!("Column `{name}` is listed more than once."), column.span));
        }
    }
    Ok(insert.columns.iter().map(Identifier::as_str).collect())
}

/// A table's row has a key.
fn check_primary_key(target: &DataSource, key: &[ArrayRef], insert: &InsertValues) -> Result<(), PlanError> {
    if !target.is_table() || key.iter().all(|column| column.is_valid(0)) {
        return Ok(());
    }
    let names: Vec<&str> = target.schema.key.iter().map(|column| column.name.as_str()).collect();
    let text = format!(
        "Failed to insert values into '{}'. Value for primary key column(s) {} is required for tables.",
        target.name,
        names.join(", ")
    );
    Err(PlanError::refused(text, insert.span))
}

fn failed(target: &DataSource, error: &PlanError, insert: &InsertValues) -> PlanError {
    let text = format!("Failed to insert values into '{}'. {error}", target.name);
    PlanError::refused_with(text, error.hint(), error.span().unwrap_or(insert.span))
}
