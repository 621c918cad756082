//! Rows of system tables, made when somebody asks. What their columns are is said in the catalog.

mod dead_letters;
mod queries;
mod topics;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMillisecondArray, new_empty_array,
};

use super::monitoring::{self, Look};
use super::{EngineError, Shared, diagnose};
use crate::catalog::{Catalog, system_table};
use crate::functions::plugins;
use crate::types::{ChangeBatch, SqlType};

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Number(i64),
    Real(f64),
    /// Milliseconds since the epoch.
    Time(i64),
    Flag(bool),
}

/// A row: key columns and value columns in the order of the table's schema.
pub(super) type Row = Vec<Cell>;

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        (number as u64).into()
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Null, Into::into)
    }
}

impl Cell {
    /// A time, if there is one: below 0 there is none.
    pub(super) fn time(milliseconds: impl Into<Option<i64>>) -> Self {
        milliseconds.into().filter(|time| *time >= 0).map_or(Self::Null, Self::Time)
    }
}

/// The rows of the system table `name`, in the layout of its schema; `None`: there is no such table, or `catalog` has one of its name.
pub(super) fn rows(shared: &Shared, catalog: &Catalog, name: &str) -> Result<Option<ChangeBatch>, EngineError> {
    let Some(table) = system_table(name).filter(|_| catalog.source(name).is_none()) else { return Ok(None) };
    let rows = match name {
        "LEVADA_QUERIES" => queries::queries(&Look::new(shared), catalog),
        "LEVADA_TASKS" => queries::tasks(&Look::new(shared)),
        "LEVADA_LAG" => queries::lag(&Look::new(shared)),
        "LEVADA_OPERATORS" => queries::operators(&Look::new(shared)),
        "LEVADA_STORES" => queries::stores(&Look::new(shared)),
        "LEVADA_ERRORS" => queries::errors(&Look::new(shared)),
        "LEVADA_TOPICS" => topics::topics(&Look::new(shared))?,
        "LEVADA_DEAD_LETTERS" => dead_letters::rows(shared)?,
        "LEVADA_FUNCTIONS" => functions(),
        "LEVADA_METRICS" => metrics(shared),
        "LEVADA_DIAGNOSES" => diagnoses(shared),
        _ => return Err(EngineError::new(format!("the rows of {name} are not made anywhere"))),
    };
    let schema = &table.schema;
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (index, column) in schema.key.iter().chain(&schema.value).enumerate() {
        columns.push(array(&column.sql_type, rows.iter().map(|row| row.get(index).unwrap_or(&Cell::Null))));
    }
    let value = columns.split_off(schema.key.len());
    Ok(Some(ChangeBatch {
        key: columns,
        value,
        rowtime: vec![shared.clock.now_ms(); rows.len()].into(),
        seq: (0..rows.len() as u32).collect(),
        ..ChangeBatch::empty()
    }))
}

fn array<'c>(sql_type: &SqlType, cells: impl Iterator<Item = &'c Cell>) -> ArrayRef {
    let numbers = |cell: &Cell| match cell {
        Cell::Number(number) | Cell::Time(number) => Some(*number),
        _ => None,
    };
    let text = |cell: &'c Cell| match cell {
        Cell::Text(text) => Some(text.as_str()),
        _ => None,
    };
    let real = |cell: &Cell| match cell {
        Cell::Real(number) => Some(*number),
        _ => None,
    };
    let flag = |cell: &Cell| match cell {
        Cell::Flag(flag) => Some(*flag),
        _ => None,
    };
    match sql_type {
        SqlType::String => Arc::new(cells.map(text).collect::<StringArray>()),
        SqlType::Bigint => Arc::new(cells.map(numbers).collect::<Int64Array>()),
        SqlType::Timestamp => Arc::new(cells.map(numbers).collect::<TimestampMillisecondArray>()),
        SqlType::Double => Arc::new(cells.map(real).collect::<Float64Array>()),
        SqlType::Boolean => Arc::new(cells.map(flag).collect::<BooleanArray>()),
        other => new_empty_array(&other.arrow()),
    }
}

fn functions() -> Vec<Row> {
    let row = |usage: plugins::Usage| {
        vec![
            usage.name.to_uppercase().into(),
            usage.calls.into(),
            usage.time.as_secs_f64().into(),
            usage.bytes_max.into(),
            usage.slow.len().into(),
        ]
    };
    plugins::usage().into_iter().map(row).collect()
}

fn metrics(shared: &Shared) -> Vec<Row> {
    let snapshot = monitoring::snapshot(shared);
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    for (metric, name, labels, number) in snapshot.numbers() {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
        let labels = labels.join(",");
        let row = vec![
            name.as_str().into(),
            labels.as_str().into(),
            number.to_f64().into(),
            metric.kind.name().into(),
            metric.help.into(),
        ];
        rows.insert((name, labels), row);
    }
    rows.into_values().collect()
}

fn diagnoses(shared: &Shared) -> Vec<Row> {
    let look = Look::new(shared);
    let mut rows = Vec::new();
    for query in &look.queries {
        for (number, finding) in (1_i64..).zip(diagnose::findings(query)) {
            rows.push(vec![query.id().into(), number.into(), finding.into()]);
        }
    }
    rows
}

#[cfg(test)]
mod tests;
