//! The same query on the same random records in Levada and in Kafka Streams itself: every output record must be equal in
//! key, window, value, time and order.
//!
//! Differential, so blind where both are wrong: `tests/specs` says what is right. Finds rules that were misread, and what
//! only happens in combinations: late records between jumps, tombstones of rows that never were, joins of equal times.
//!
//! `reference.sh` fetches Kafka Streams. Where it cannot be had the test says so and passes, unless `LEVADA_KAFKA=required`.

mod case;
mod engine;
mod kafka_streams;
mod random;

use std::fmt::Write as _;
use std::io::{self, Write as _};

use case::{Case, Output};
use kafka_streams::KafkaStreams;
use random::{Join, Window};

use crate::crash::Random;

/// Cases of each kind, where LEVADA_REFERENCE_CASES says nothing else.
const CASES: usize = 30;

/// Seed of the first case of each kind, where LEVADA_REFERENCE_SEED says nothing else.
const SEED: u64 = 1;

/// A kind of query.
struct Kind {
    name: &'static str,
    generate: fn(&mut Random) -> Case,
}

const fn kind(name: &'static str, generate: fn(&mut Random) -> Case) -> Kind {
    Kind { name, generate }
}

const KINDS: [Kind; 28] = [
    kind("aggregate", |random| random::aggregate(random, Window::None, false, false)),
    kind("aggregate, cached", |random| random::aggregate(random, Window::None, false, true)),
    kind("tumbling", |random| random::aggregate(random, Window::Tumbling, false, false)),
    kind("tumbling, cached", |random| random::aggregate(random, Window::Tumbling, false, true)),
    kind("tumbling, final", |random| random::aggregate(random, Window::Tumbling, true, false)),
    kind("hopping", |random| random::aggregate(random, Window::Hopping, false, false)),
    kind("hopping, cached", |random| random::aggregate(random, Window::Hopping, false, true)),
    kind("hopping, final", |random| random::aggregate(random, Window::Hopping, true, false)),
    kind("session", |random| random::aggregate(random, Window::Session, false, false)),
    kind("session, cached", |random| random::aggregate(random, Window::Session, false, true)),
    kind("session, final", |random| random::aggregate(random, Window::Session, true, false)),
    kind("aggregate of a table", random::table_aggregate),
    kind("stream-table inner", |random| random::stream_table(random, Join::Inner)),
    kind("stream-table left", |random| random::stream_table(random, Join::Left)),
    kind("stream-stream inner", |random| random::stream_stream(random, Join::Inner, false)),
    kind("stream-stream left", |random| random::stream_stream(random, Join::Left, false)),
    kind("stream-stream right", |random| random::stream_stream(random, Join::Right, false)),
    kind("stream-stream outer", |random| random::stream_stream(random, Join::Outer, false)),
    kind("stream-stream inner, grace", |random| random::stream_stream(random, Join::Inner, true)),
    kind("stream-stream left, grace", |random| random::stream_stream(random, Join::Left, true)),
    kind("stream-stream right, grace", |random| random::stream_stream(random, Join::Right, true)),
    kind("stream-stream outer, grace", |random| random::stream_stream(random, Join::Outer, true)),
    kind("table-table inner", |random| random::table_table(random, Join::Inner)),
    kind("table-table left", |random| random::table_table(random, Join::Left)),
    kind("table-table right", |random| random::table_table(random, Join::Right)),
    kind("table-table outer", |random| random::table_table(random, Join::Outer)),
    kind("foreign-key inner", |random| random::foreign_key(random, Join::Inner)),
    kind("foreign-key left", |random| random::foreign_key(random, Join::Left)),
];

#[test]
fn levada_gives_what_kafka_streams_gives() {
    if let Err(reason) = kafka_streams::set_up() {
        let required = std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required");
        assert!(!required, "no Kafka Streams: {reason}");
        say(&format!("SKIPPED: Kafka Streams cannot be run here: {reason}"));
        return;
    }
    let (count, seed) = (from_environment("CASES", CASES), from_environment("SEED", SEED));
    let only = std::env::var("LEVADA_REFERENCE_KIND").unwrap_or_default();
    let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| kind.name.starts_with(&only)).collect();
    assert!(!kinds.is_empty(), "no kind is called {only}");
    let cases: Vec<Case> = kinds.iter().flat_map(|kind| (seed..).take(count).map(|seed| kind.case(seed))).collect();
    let comparisons = compare(&cases);
    let mut report = String::new();
    for (index, kind) in kinds.iter().enumerate() {
        let range = index * count..(index + 1) * count;
        let records: usize = comparisons[range.clone()].iter().map(Comparison::records).sum();
        assert!(records > count, "{}: only {records} records in {count} cases", kind.name);
        if let Some(found) = range.clone().find(|&index| comparisons[index].differs()) {
            let wrong = comparisons[range].iter().filter(|one| one.differs()).count();
            let _ = write!(report, "\n{}, {wrong} of {count} differ\n{}", kind.name, explain(&smallest(&cases[found])));
        }
    }
    assert!(report.is_empty(), "from seed {seed} on; the first case of each kind, as small as it gets:\n{report}");
    let records: usize = comparisons.iter().map(Comparison::records).sum();
    let failed = comparisons.iter().filter(|one| one.kafka.is_none()).count();
    if failed > 0 {
        say(&format!("in {failed} cases Kafka Streams itself has failed"));
    }
    say(&format!("{count} cases of each of {} kinds from seed {seed} on: {records} equal records", kinds.len()));
}

impl Kind {
    /// Case `seed` of the kind.
    fn case(&self, seed: u64) -> Case {
        // The kind goes into the seed, or all kinds would see the same records.
        let mixed = self.name.bytes().fold(seed, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        (self.generate)(&mut Random(mixed))
    }
}

/// Both outputs of a case.
struct Comparison {
    levada: Vec<Output>,
    /// `None` where Kafka Streams itself has failed.
    kafka: Option<Vec<Output>>,
}

impl Comparison {
    fn differs(&self) -> bool {
        self.kafka.as_ref().is_some_and(|kafka| *kafka != self.levada)
    }

    fn records(&self) -> usize {
        self.kafka.as_ref().map_or(0, Vec::len)
    }
}

fn compare(cases: &[Case]) -> Vec<Comparison> {
    let reference = KafkaStreams::start(cases);
    let outputs: Vec<Vec<Output>> = cases.iter().map(outputs).collect();
    let pairs = outputs.into_iter().zip(reference.finish(cases));
    pairs.map(|(levada, kafka)| Comparison { levada, kafka }).collect()
}

/// Levada's output; a failure stands there as if it was some.
fn outputs(case: &Case) -> Vec<Output> {
    engine::run(case).unwrap_or_else(|failure| vec![(0, failure.full_text())])
}

/// A case that differs, without all records that it differs without: ever shorter stretches are left out.
fn smallest(case: &Case) -> Case {
    let mut case = case.clone();
    let mut stretch = if engine::run(&case).is_ok() { case.inputs.len() / 2 } else { 0 };
    while stretch > 0 {
        let ends = stretch..=case.inputs.len();
        let fewer: Vec<Case> = ends.rev().map(|end| case.without(end - stretch..end)).collect();
        match compare(&fewer).iter().position(Comparison::differs) {
            Some(found) => case = fewer[found].clone(),
            None => stretch /= 2,
        }
    }
    case
}

fn explain(case: &Case) -> String {
    let both = compare(std::slice::from_ref(case)).remove(0);
    let lines = |outputs: &[Output]| {
        let lines = outputs.iter().map(|(round, line)| format!("  {round} {line}\n"));
        lines.collect::<String>()
    };
    let rows = case.batch_rows_max;
    let restarts = if case.restarts { ", restarts" } else { "" };
    format!(
        "{}{}(batches of {rows}{restarts})\nLevada, by round:\n{}Kafka Streams:\n{}",
        case.statements,
        case.text(0),
        lines(&both.levada),
        lines(&both.kafka.unwrap_or_default())
    )
}

fn from_environment<T: std::str::FromStr>(name: &str, default: T) -> T {
    let value = std::env::var(format!("LEVADA_REFERENCE_{name}"));
    value.ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("LEVADA_REFERENCE_{name} is a number")))
}

/// A line that the test harness does not keep to itself when the test passes.
fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "reference: {text}"));
}
