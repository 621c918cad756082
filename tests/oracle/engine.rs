//! Runs a case on the engine.

use levada::testing::driver::{self, Failure, RunMode, Storage, TestRecord};
use levada::types::Header;

use super::case::Case;
use super::interpreter::{Input, OutputRecord};
use super::query::Source;
use super::value::json_object;

/// How a case is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode {
    pub run: RunMode,
    /// With a record cache: aggregates and tables say at commit what they have become.
    pub holds_back: bool,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let RunMode { batch_rows_max, storage, restarts, keeps_nothing, .. } = self.run;
        let storage = if storage == Storage::Rocks { "RocksDB" } else { "memory" };
        let restarts = if restarts { ", restarted between rounds" } else { "" };
        let cache = if self.holds_back { ", record cache on" } else { "" };
        let kept = if keeps_nothing { ", nothing kept in memory" } else { "" };
        write!(f, "{batch_rows_max} records a batch at most, {storage}{restarts}{kept}{cache}")
    }
}

/// Modes that touch no disk, then those that do.
pub fn modes(with_disk: bool) -> Vec<Mode> {
    let mut runs = Vec::new();
    for batch_rows_max in [1, 2, 7, 4096] {
        runs.push(RunMode { batch_rows_max, ..RunMode::ONE_BY_ONE });
    }
    for batch_rows_max in [1, 4096] {
        runs.push(RunMode { batch_rows_max, restarts: true, ..RunMode::ONE_BY_ONE });
    }
    if with_disk {
        for (batch_rows_max, restarts) in [(2, true), (4096, false)] {
            runs.push(RunMode { batch_rows_max, restarts, storage: Storage::Rocks, ..RunMode::ONE_BY_ONE });
        }
    }
    // What is held back would be told after every step.
    let without_memory =
        [1, 3].map(|batch_rows_max| RunMode { batch_rows_max, keeps_nothing: true, ..RunMode::ONE_BY_ONE });
    let of_cache = |runs: &[RunMode], holds_back: bool| -> Vec<Mode> {
        runs.iter().map(|&run| Mode { run, holds_back }).collect()
    };
    [of_cache(&runs, false), of_cache(&without_memory, false), of_cache(&runs, true)].concat()
}

/// The bytes of a record.
pub fn to_record(input: &Input, source: &Source) -> TestRecord {
    let names = |columns: &[super::query::Column]| -> Vec<String> {
        columns.iter().map(|column| column.name.clone()).collect()
    };
    let mut key = input.key.as_ref().and_then(|key| source.key_format.encode(&names(&source.key), key));
    if let (Some(bytes), Some(window)) = (&mut key, input.window) {
        bytes.extend(window.key_suffix());
    }
    TestRecord {
        partition: None,
        key,
        value: input.value.as_ref().map(|value| json_object(&names(&source.value), value)),
        timestamp: input.time,
        headers: input
            .headers
            .iter()
            .map(|(key, value)| Header { key: key.clone(), value: Some(value.clone()) })
            .collect(),
    }
}

/// What a record of the result holds.
pub fn to_output(record: TestRecord) -> OutputRecord {
    let headers = record.headers.into_iter().map(|header| (header.key, header.value.unwrap_or_default()));
    OutputRecord { key: record.key, value: record.value, time: record.timestamp, headers: headers.collect() }
}

/// What each round writes to the result.
pub fn run(case: &Case, mode: Mode) -> Result<Vec<Vec<OutputRecord>>, Failure> {
    let mut driver = driver::open(mode.run)?;
    driver.set_property("auto.offset.reset", "earliest");
    driver.set_property("cache.max.bytes.buffering", if mode.holds_back { "10000000" } else { "0" });
    for source in case.sources.iter().filter(|source| source.again.is_none()) {
        driver.create_topic(&source.topic(), 1)?;
    }
    let statements = driver.check_script(&case.query.sql(&case.sources))?;
    (0..statements).try_for_each(|index| driver.execute(index))?;
    let mut written = 0;
    let mut rounds = Vec::new();
    for round in &case.rounds {
        for (index, source) in case.sources.iter().enumerate().filter(|(_, source)| source.again.is_none()) {
            let inputs = round.iter().filter(|input| input.source == index);
            let records: Vec<TestRecord> = inputs.map(|input| to_record(input, source)).collect();
            driver.append(&source.topic(), &records)?;
        }
        for query in driver.queries() {
            driver.settle(&query.id)?;
        }
        let new: Vec<TestRecord> = driver.records("RESULT").into_iter().skip(written).collect();
        written += new.len();
        rounds.push(new.into_iter().map(to_output).collect());
        if mode.run.restarts {
            driver.restart()?;
        }
    }
    Ok(rounds)
}
