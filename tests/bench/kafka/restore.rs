//! How fast state comes back from its changelogs, after the disk was lost.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::Effort;
use crate::broker::Broker;
use crate::client::{create_topics, fill, read_until};
use crate::engine::{Engine, Setup};
use crate::generator::Records;

const KEYS: usize = 1_000_000;
const PARTITIONS: i32 = 4;
const GOAL: f64 = 500_000.0;

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM meters (meter STRING KEY, reading BIGINT, site STRING)
  WITH (KAFKA_TOPIC = 'meters', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');
CREATE TABLE last_reading WITH (KAFKA_TOPIC = 'last_reading', PARTITIONS = 4) AS
  SELECT meter, COUNT(*) AS n, SUM(reading) AS total, MAX(site) AS site FROM meters GROUP BY meter EMIT CHANGES;
";

/// One record of every meter.
fn readings() -> Records {
    let mut records = Records::default();
    for meter in 0..KEYS {
        let value = format!(r#"{{"reading":{},"site":"site-{:04}"}}"#, meter * 7919 % 100_000, meter % 5_000);
        records.push(format!("meter-{meter:07}").as_bytes(), value.as_bytes(), 1_700_000_000_000 + meter as i64);
    }
    records
}

/// Makes a million rows of state, removes the data directory, and measures from when the tasks are given to the process to the last
/// record restored.
pub fn report(broker: &Broker, effort: &Effort) -> bool {
    create_topics(&broker.bootstrap, ["meters", "last_reading"], PARTITIONS);
    fill(&broker.bootstrap, "meters", &readings(), PARTITIONS as u32);
    let setup = Setup { service: "restore", statements: STATEMENTS, properties: &[] };
    let engine = Engine::start(broker, &setup).with_log_shown();
    let mut results = HashSet::new();
    read_until(&broker.bootstrap, ["last_reading"], PARTITIONS, |message| {
        if let Some(message) = message {
            results.insert(message.key.to_vec());
        }
        results.len() == KEYS
    });
    engine.stop_and_forget();
    let mut rates = Vec::new();
    for _ in 0..effort.repeats {
        let mut engine = Engine::start(broker, &setup);
        let (records, wall) = restored(&mut engine);
        assert!(records >= KEYS, "{records} records restored, there are {KEYS} keys");
        rates.push(records as f64 / wall.as_secs_f64());
        engine.stop_and_forget();
    }
    let rate = crate::cpu::median(rates);
    println!("\n| run | measured | goal |\n|---|--:|--:|");
    println!("| restore of {KEYS} rows, records per second | {rate:.0} | {GOAL:.0} |");
    rate >= GOAL
}

/// Records restored by all tasks, and the time from when they were placed on this server to the last record.
fn restored(engine: &mut Engine) -> (usize, Duration) {
    let mut start = Instant::now();
    let (mut records, mut tasks) = (0, 0);
    for line in engine.log() {
        if line.contains("tasks are placed on") && tasks == 0 {
            start = Instant::now();
        }
        let Some(rest) = line.split_once(": restored ").map(|(_, rest)| rest) else { continue };
        let count = rest.split(' ').next().and_then(|count| count.parse::<usize>().ok());
        (records, tasks) = (records + count.expect("a number of records"), tasks + 1);
        if tasks == PARTITIONS {
            break;
        }
    }
    (records, start.elapsed())
}
