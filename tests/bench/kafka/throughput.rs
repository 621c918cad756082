//! Records per CPU-second, against the loop.

use std::collections::HashMap;

use crate::Effort;
use crate::broker::Broker;
use crate::client::{self, create_topics, fill, read_until};
use crate::cpu::median;
use crate::engine::{Engine, Setup};
use crate::generator::{self, Records};
use crate::yardstick::{self, Volume};

const PARTITIONS: i32 = 4;

pub const EVENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM events (account STRING KEY, id BIGINT, region STRING, kind STRING, quantity INT, price BIGINT,
    rate DOUBLE, device STRING, session STRING, created BIGINT, note STRING)
  WITH (KAFKA_TOPIC = 'input', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');
";

const FILTER_PROJECT: &str = "
  SELECT account, id, region, kind, price * quantity AS total, rate, session, created
  FROM events WHERE quantity >= 25 EMIT CHANGES;
";

const AGGREGATE: &str = "
  SELECT price / 10 AS bracket, COUNT(*) AS n, SUM(quantity) AS total
  FROM events WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY price / 10 EMIT CHANGES;
";

/// One line of the table.
struct Contest {
    name: &'static str,
    goal: f64,
    /// How the sink begins: `CREATE STREAM`, and its query.
    sink: (&'static str, &'static str),
    properties: &'static [&'static str],
    /// What the results must add up to, of the values of the fields that `weight` sums.
    expected: fn(&Records) -> u64,
    /// What a result stands for.
    weight: fn(&serde_json::Value) -> u64,
    /// Whether a later result of a key replaces an earlier one.
    replaces: bool,
}

const CONTESTS: [Contest; 3] = [
    Contest {
        name: "filter + project, 75 % kept",
        goal: 0.5,
        sink: ("CREATE STREAM", FILTER_PROJECT),
        properties: &[],
        expected: |records| kept(records) as u64,
        weight: |_| 1,
        replaces: false,
    },
    Contest {
        name: "tumbling COUNT/SUM by a new key, emission at commit",
        goal: 0.2,
        sink: ("CREATE TABLE", AGGREGATE),
        properties: &[],
        expected: |records| records.len() as u64,
        weight: |value| value["N"].as_u64().expect("a count"),
        replaces: true,
    },
    Contest {
        name: "tumbling COUNT/SUM by a new key, emission per record",
        goal: 0.2,
        sink: ("CREATE TABLE", AGGREGATE),
        properties: &["ksql.streams.cache.max.bytes.buffering=0"],
        expected: |records| records.len() as u64,
        weight: |value| value["N"].as_u64().expect("a count"),
        replaces: true,
    },
];

/// Fills the input and prints the table; whether all goals are met.
pub fn report(broker: &Broker, effort: &Effort) -> bool {
    let events = generator::events(effort.records);
    create_topics(&broker.bootstrap, ["input"], PARTITIONS);
    fill(&broker.bootstrap, "input", &events, PARTITIONS as u32);
    println!(
        "\n{} records of {} bytes in {PARTITIONS} partitions; median of {}; records per CPU-second\n",
        effort.records,
        events.value_bytes_mean(),
        effort.repeats
    );
    println!("| work | loop | Levada | ratio | goal |\n|---|--:|--:|--:|--:|");
    // Not a lazy `all`: every line is wanted, also after one that misses its goal.
    (0..)
        .zip(&CONTESTS)
        .map(|(number, contest)| contest.hold(broker, effort, number, &events))
        .filter(|met| !met)
        .count()
        == 0
}

/// Number of events that the filter keeps.
fn kept(records: &Records) -> usize {
    let quantity = |row| {
        let value: serde_json::Value = serde_json::from_slice(records.value(row)).expect("the generator writes JSON");
        value["quantity"].as_u64().expect("a quantity")
    };
    (0..records.len()).filter(|row| quantity(*row) >= 25).count()
}

impl Contest {
    /// Runs Levada and loop in turn, prints the line, and says whether the goal is met.
    fn hold(&self, broker: &Broker, effort: &Effort, number: usize, events: &Records) -> bool {
        let expected = (self.expected)(events);
        let (mut loop_times, mut levada_times) = (Vec::new(), Vec::new());
        // The first round warms up the broker and is thrown away.
        for round in 0..=effort.repeats {
            let name = format!("contest{number}_{round}");
            let (levada, volume) = self.time_levada(broker, &name, expected);
            let copy = format!("{name}_loop");
            create_topics(&broker.bootstrap, [copy.as_str()], PARTITIONS);
            let yardstick = yardstick::forward(broker, ("input", &copy), PARTITIONS, events.len(), volume);
            if round == 0 {
                let Volume { records, value_bytes } = volume;
                eprintln!("{}: both write {records} records, {value_bytes} bytes", self.name);
            } else {
                loop_times.push(yardstick.as_secs_f64());
                levada_times.push(levada);
            }
        }
        let rate = |times| events.len() as f64 / median(times) / 1e6;
        let (yardstick, levada) = (rate(loop_times), rate(levada_times));
        let ratio = levada / yardstick;
        println!("| {} | {yardstick:.2} M | {levada:.2} M | {ratio:.2} | {:.2} |", self.name, self.goal);
        ratio >= self.goal
    }

    /// CPU seconds from the start of the process until all results are there, and what it has written: to its sink, and to the
    /// repartition and changelog topics between.
    fn time_levada(&self, broker: &Broker, name: &str, expected: u64) -> (f64, Volume) {
        let (create, query) = self.sink;
        let statements =
            format!("{EVENTS}{create} result WITH (KAFKA_TOPIC = '{name}', PARTITIONS = {PARTITIONS}) AS {query}");
        create_topics(&broker.bootstrap, [name], PARTITIONS);
        let setup = Setup { service: name, statements: &statements, properties: self.properties };
        let engine = Engine::start(broker, &setup).with_log_shown();
        let mut volume = Volume::default();
        let mut sum = 0;
        let mut latest: HashMap<Vec<u8>, u64> = HashMap::new();
        read_until(&broker.bootstrap, [name], PARTITIONS, |message| {
            let Some(message) = message else { return expected == 0 };
            volume.records += 1;
            volume.value_bytes += message.value.len();
            if self.replaces {
                let value = serde_json::from_slice(message.value).expect("results are JSON");
                let weight = (self.weight)(&value);
                sum = sum + weight - latest.insert(message.key.to_vec(), weight).unwrap_or_default();
            } else {
                sum += 1;
            }
            assert!(sum <= expected, "{name}: more results than there can be");
            sum == expected
        });
        let cpu = engine.cpu();
        engine.stop_and_forget();
        let (records, bytes) = client::volume(&broker.bootstrap, &format!("_confluent-ksql-{name}query_"));
        volume.records += records;
        volume.value_bytes += bytes;
        (cpu.as_secs_f64(), volume)
    }
}
