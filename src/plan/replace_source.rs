//! A stream or table that takes the place of another: what CREATE OR REPLACE may change.

use crate::catalog::{Catalog, DataSource};
use crate::formats::Format;
use crate::sql::Span;
use crate::sql::ast::Identifier;
use crate::types::{Column, WindowKind};

use super::error::PlanError;
use super::settings::Settings;

/// Whether `source` could be added to `catalog`, in place of one that is there where `or_replace` says so.
pub(super) fn check_new(
    source: &DataSource,
    or_replace: bool,
    catalog: &Catalog,
    settings: &Settings,
    name: &Identifier,
    span: Span,
) -> Result<(), PlanError> {
    let is_on = settings.is_on(OR_REPLACE, true);
    if is_on {
        check_replacement(source, or_replace, catalog, span)?;
    }
    catalog.check_add(&source.name, source.collection, or_replace && is_on).map_err(|error| {
        if or_replace && !is_on {
            return PlanError::refused_with_hint(error.to_string(), format!("{OR_REPLACE} is false"), name.span);
        }
        PlanError::from(error).or_at(name.span)
    })
}

/// Whether CREATE OR REPLACE may replace.
const OR_REPLACE: &str = "ksql.create.or.replace.enabled";

/// What CREATE OR REPLACE may change: nothing but value columns appended at the end.
fn check_replacement(new: &DataSource, or_replace: bool, catalog: &Catalog, span: Span) -> Result<(), PlanError> {
    if !or_replace {
        return Ok(());
    }
    let existing = catalog.source(&new.name);
    let noun = new.collection.noun();
    if new.is_source || existing.is_some_and(|existing| existing.is_source) {
        let text = format!("Cannot add {noun} '{}': CREATE OR REPLACE is not supported on source {noun}s.", new.name);
        return Err(PlanError::refused(text, span));
    }
    let Some(existing) = existing.filter(|existing| existing.collection == new.collection) else {
        return Ok(());
    };
    let refused = |reason: String| {
        Err(PlanError::refused(format!("Cannot upgrade data source: DataSource '{}' has {reason}", new.name), span))
    };
    let changed: Vec<String> = missing(&existing.schema.key, &new.schema.key);
    if !changed.is_empty() || existing.schema.key.len() != new.schema.key.len() {
        let reordered = missing(&new.schema.key, &existing.schema.key);
        let list: Vec<String> = if changed.is_empty() { reordered } else { changed };
        let list: Vec<String> = list.into_iter().map(|column| format!("{column} KEY")).collect();
        return refused(format!(
            "schema = {} which is not upgradeable to {}. Key columns must be identical. The following key columns are \
             changed, missing or reordered: [{}]",
            existing.schema.display(false),
            new.schema.display(false),
            list.join(", ")
        ));
    }
    let changed = missing(&existing.schema.value, &new.schema.value);
    if !changed.is_empty() {
        return refused(format!(
            "schema = {} which is not upgradeable to {}. The following columns are changed, missing or reordered: [{}]",
            existing.schema.display(false),
            new.schema.display(false),
            changed.join(", ")
        ));
    }
    let format = |format: &Format| format.name().to_owned();
    let properties = [
        ("topic", existing.topic.clone(), new.topic.clone()),
        ("keyFormat", format(&existing.key_serde.format), format(&new.key_serde.format)),
        ("valueFormat", format(&existing.value_serde.format), format(&new.value_serde.format)),
        ("timestampColumn", timestamp_text(existing), timestamp_text(new)),
        ("windowInfo", window_text(existing), window_text(new)),
    ];
    let different: Vec<String> = properties
        .iter()
        .filter(|(_, old, new)| old != new)
        .map(|(name, old, new)| format!("{name} = {old} which is not upgradeable to {new}"))
        .collect();
    if different.is_empty() { Ok(()) } else { refused(different.join(&format!(" AND DataSource '{}' has ", new.name))) }
}

fn timestamp_text(source: &DataSource) -> String {
    let format = source.timestamp.as_ref().and_then(|timestamp| timestamp.format.as_deref());
    let column = source.timestamp_column().map_or("none", |column| column.name.as_str());
    format.map_or_else(|| column.to_owned(), |format| format!("{column} ({format})"))
}

fn window_text(source: &DataSource) -> String {
    let size = match source.window {
        Some(WindowKind::Time { size_ms }) => format!(" of {size_ms} ms"),
        _ => String::new(),
    };
    source.window_type.map_or_else(|| "none".to_owned(), |window| format!("{}{size}", window.name()))
}

/// Columns of `old` that are not at their place in `new`.
fn missing(old: &[Column], new: &[Column]) -> Vec<String> {
    let kept = |i: usize, column: &Column| new.get(i) == Some(column);
    old.iter().enumerate().filter(|(i, column)| !kept(*i, column)).map(|(_, column)| column.to_string()).collect()
}
