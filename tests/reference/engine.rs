//! The other side: Levada's engine, by SQL.

use levada::testing::driver::{self, Driver, Failure, RunMode, TestRecord};
use levada::types::WindowKind;
use serde_json::{Map, Value};

use super::case::{Case, Input, NULL, Output, Side};

/// What Levada writes to the topic `OUT`; fails where a statement is refused or the query ends.
pub fn run(case: &Case) -> Result<Vec<Output>, Failure> {
    let mode = RunMode { batch_rows_max: case.batch_rows_max, restarts: case.restarts, ..RunMode::ONE_BY_ONE };
    let mut driver = driver::open(mode)?;
    for side in [Side::Left, Side::Right] {
        driver.create_topic(side.topic(), 1)?;
    }
    if case.is_cached {
        driver.set_property("cache.max.bytes.buffering", "10000000");
    }
    for statement in 0..driver.check_script(&case.statements)? {
        driver.execute(statement)?;
    }
    let query = driver.queries().pop().expect("the last statement starts a query").id;
    let window = driver.sources().pop().expect("a sink").window;
    let mut outputs: Vec<Output> = Vec::new();
    for (round, inputs) in case.inputs.split_inclusive(|input| input.ends_round).enumerate() {
        append(&mut *driver, case, inputs)?;
        driver.settle(&query)?;
        let records = driver.records("OUT");
        outputs.extend(records[outputs.len()..].iter().map(|record| (round, line(record, window))));
        if case.restarts {
            driver.restart()?;
        }
    }
    Ok(outputs)
}

/// Records of two topics are merged by time; what the case orders otherwise ends a round.
fn append(driver: &mut dyn Driver, case: &Case, inputs: &[Input]) -> Result<(), Failure> {
    inputs.iter().try_for_each(|input| {
        let columns = case.columns[input.side as usize];
        let record = TestRecord {
            key: input.key.clone().map(String::into_bytes),
            value: input.value.as_deref().map(|text| row(columns, text)),
            timestamp: input.timestamp,
            ..TestRecord::default()
        };
        driver.append(input.side.topic(), &[record])
    })
}

/// The row as JSON.
fn row(columns: &[&str], text: &str) -> Vec<u8> {
    let cells = columns.iter().zip(text.split(','));
    let cell = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
    let row: Map<String, Value> = cells.map(|(name, text)| ((*name).to_owned(), cell(text))).collect();
    Value::from(row).to_string().into_bytes()
}

/// The record as `Reference.java` writes it: time, key, and the columns of the value with commas between.
fn line(record: &TestRecord, window: Option<WindowKind>) -> String {
    let key = record.key.as_deref().map_or_else(|| NULL.to_owned(), |key| key_text(key, window));
    let value = record.value.as_deref().map_or_else(|| NULL.to_owned(), row_text);
    format!("{} {key} {value}", record.timestamp)
}

fn key_text(bytes: &[u8], window: Option<WindowKind>) -> String {
    let tail = |bytes: &[u8]| {
        let (rest, number) = bytes.split_last_chunk().map(|(rest, number)| (rest.to_vec(), *number)).expect("a window");
        (rest, i64::from_be_bytes(number))
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Some(window) = window else { return text(bytes) };
    let (rest, start) = tail(bytes);
    match window {
        WindowKind::Time { size_ms } => format!("{}@{start}..{}", text(&rest), start + size_ms),
        WindowKind::Session => {
            let (key, end) = tail(&rest);
            format!("{}@{start}..{end}", text(&key))
        }
    }
}

fn row_text(bytes: &[u8]) -> String {
    let row: Map<String, Value> = serde_json::from_slice(bytes).expect("values are JSON objects");
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    row.values().map(cell).collect::<Vec<_>>().join(",")
}
