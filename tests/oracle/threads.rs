//! Several partitions and several worker threads: the engine as it runs in production.
//!
//! Where rows stay in their partition, the results of each are those of an interpreter of its own. Where they go by way of
//! a topic, rows of several partitions meet in an order that nobody promises: then the results are compared without
//! their order, or the last one of each key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use levada::engine::{Engine, EngineOptions, Session};
use levada::testing::driver::TestRecord;
use levada::topics::{MemoryTopics, TopicConfig, TopicPartition, Topics, Transaction};
use levada::types::{RecordChunk, RecordChunkBuilder, STACK_BYTES};

use super::case::{self, Case};
use super::comparison::{input_line, record_line};
use super::engine::to_record;
use super::interpreter::{Input, Interpreter, OutputRecord};
use super::query::{JoinKind, Step};
use super::random::Random;

const PARTITIONS: u32 = 3;
const THREADS: &str = "3";
/// Cases of `make test`: each waits for the engine to be idle after each round.
const CASES: u64 = 60;
/// How long nothing may happen until a round counts as done.
const IDLE: Duration = Duration::from_millis(30);

/// What can be said of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Agreement {
    /// Every partition has its results in their order.
    PerPartition,
    /// The results are the same in some order.
    AnyOrder,
    /// The last result of every key is the same.
    LastPerKey,
}

fn agreement(case: &Case) -> Option<Agreement> {
    let joins = &case.query.joins;
    let repartitions = joins.iter().any(|join| join.repartitions != [false, false]);
    let meets_in_any_order = repartitions && joins.iter().any(|join| matches!(join.kind, JoinKind::StreamStream(_)));
    if case.query.has_foreign_key() {
        return Some(Agreement::LastPerKey);
    }
    match &case.query.step {
        _ if meets_in_any_order => None,
        Step::GroupBy(grouping) if grouping.is_own_key && !repartitions => Some(Agreement::PerPartition),
        // What is late depends on the order.
        Step::GroupBy(grouping) if grouping.window.is_some() => None,
        Step::GroupBy(_) => Some(Agreement::LastPerKey),
        Step::PartitionBy(_) => Some(Agreement::AnyOrder),
        Step::Keep if repartitions => Some(Agreement::AnyOrder),
        Step::Keep => Some(Agreement::PerPartition),
    }
}

/// Records of different sources in rounds of their own, so that it does not matter by which way they come.
fn apart(rounds: &[Vec<Input>], sources: usize) -> Vec<Vec<Input>> {
    let of = |round: &Vec<Input>, source: usize| -> Vec<Input> {
        round.iter().filter(|input| input.source == source).cloned().collect()
    };
    let apart = rounds.iter().flat_map(|round| (0..sources).map(move |source| of(round, source)));
    apart.filter(|round: &Vec<Input>| !round.is_empty()).collect()
}

/// A record with the partition in which it is.
type Placed = (u32, Input);

/// The engine over topics in memory.
struct Server {
    topics: Arc<dyn Topics>,
    engine: Engine,
}

impl Server {
    fn open(case: &Case) -> Self {
        let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
        for source in case.sources.iter().filter(|source| source.again.is_none()) {
            topics.create(&source.topic(), &TopicConfig::with_partitions(PARTITIONS)).expect("the topic is new");
        }
        let engine = Self::engine(&topics);
        let mut session = Session::default();
        for (name, value) in [("auto.offset.reset", "earliest"), ("cache.max.bytes.buffering", "0")] {
            session.properties.insert(name.to_owned(), value.to_owned());
        }
        engine.execute(&mut session, &case.query.sql(&case.sources), &mut |_| ()).expect("the statements are correct");
        Self { topics, engine }
    }

    fn engine(topics: &Arc<dyn Topics>) -> Engine {
        let properties = BTreeMap::from([("ksql.streams.num.stream.threads".to_owned(), THREADS.to_owned())]);
        let options = EngineOptions { properties, batch_rows_max: 3, ..EngineOptions::default() };
        Engine::with_options(Arc::clone(topics), options).expect("the engine opens")
    }

    /// Appends the records of a round at once and waits until all that follows is there.
    fn round(&self, case: &Case, placed: &[Placed]) {
        let mut transaction = Transaction::default();
        for (partition, input) in placed {
            let source = &case.sources[input.source];
            let to = TopicPartition { topic: source.topic().as_str().into(), partition: *partition };
            transaction.appends.push((to, chunk(&to_record(input, source))));
        }
        self.topics.commit(transaction).expect("memory takes every append");
        self.engine.run_until_idle(IDLE, &|| false, &mut |_| ());
    }

    /// The results by partition.
    fn results(&self) -> Vec<Vec<OutputRecord>> {
        (0..PARTITIONS).map(|partition| self.results_of(partition)).collect()
    }

    fn results_of(&self, partition: u32) -> Vec<OutputRecord> {
        let from = TopicPartition { topic: "RESULT".into(), partition };
        let end = self.topics.end_offset(&from).expect("the query has made it");
        let mut results = Vec::new();
        while (results.len() as i64) < end {
            let offset = results.len() as i64;
            let chunk = self.topics.fetch(&from, offset, usize::MAX, usize::MAX).expect("memory can be read");
            results.extend((0..chunk.len()).map(|row| OutputRecord {
                key: chunk.keys.iter().nth(row).flatten().map(<[u8]>::to_vec),
                value: chunk.values.iter().nth(row).flatten().map(<[u8]>::to_vec),
                time: chunk.timestamps[row],
                headers: Vec::new(),
            }));
        }
        results
    }
}

fn chunk(record: &TestRecord) -> RecordChunk {
    let mut chunk = RecordChunkBuilder::new();
    chunk.push(record.key.as_deref(), record.value.as_deref(), record.timestamp);
    chunk.finish()
}

/// What the case says against the engine.
fn difference(seed: u64, case: &Case, agreement: Agreement) -> Option<String> {
    let together = agreement == Agreement::PerPartition;
    let rounds = if together { case.rounds.clone() } else { apart(&case.rounds, case.sources.len()) };
    let mut server = Server::open(case);
    let place = |input: &Input| {
        // Windows do not count for the partition of a key (semantics 1.3).
        let plain = Input { window: None, ..input.clone() };
        let key = to_record(&plain, &case.sources[input.source]).key;
        (server.topics.partition_for(key.as_deref(), PARTITIONS), input.clone())
    };
    let rounds: Vec<Vec<Placed>> = rounds.iter().map(|round| round.iter().map(place).collect()).collect();
    for (number, round) in rounds.iter().enumerate() {
        server.round(case, round);
        if number == 0 && seed.is_multiple_of(2) {
            server.engine.shutdown();
            server.engine = Server::engine(&server.topics);
        }
    }
    let actual = server.results();
    server.engine.shutdown();
    let (expected, actual) = match agreement {
        Agreement::PerPartition => {
            let of = |partition: u32| expected(case, &rounds, |placed| placed.0 == partition);
            let expected: Vec<Vec<OutputRecord>> = (0..PARTITIONS).map(of).collect();
            (with_keys_in_order(expected), with_keys_in_order(actual))
        }
        Agreement::AnyOrder => (sorted(&expected(case, &rounds, |_| true)), sorted(&actual.concat())),
        Agreement::LastPerKey => {
            let has_times = !case.query.has_foreign_key();
            (last_per_key(expected(case, &rounds, |_| true), has_times), last_per_key(actual.concat(), has_times))
        }
    };
    (expected != actual).then(|| {
        let sql = case.query.sql(&case.sources);
        let (expected, actual) = (expected.join("\n"), actual.join("\n"));
        let inputs = rounds.iter().map(|round| {
            let lines = round.iter().map(|(partition, input)| format!("{partition}: {}", input_line(input, case)));
            lines.collect::<Vec<_>>().join("\n")
        });
        let inputs = inputs.collect::<Vec<_>>().join("\n-- next round\n");
        format!("seed {seed} ({:?}), {agreement:?}\n{sql}{inputs}\nexpected\n{expected}\nactual\n{actual}", case.kind)
    })
}

/// What an interpreter gives for the records that are `meant`.
fn expected(case: &Case, rounds: &[Vec<Placed>], meant: impl Fn(&Placed) -> bool) -> Vec<OutputRecord> {
    let mut interpreter = Interpreter::new(&case.query, &case.sources, false);
    let of_round = |round: &Vec<Placed>| {
        let inputs: Vec<Input> = round.iter().filter(|placed| meant(placed)).map(|placed| placed.1.clone()).collect();
        interpreter.round(&inputs)
    };
    rounds.iter().flat_map(of_round).collect()
}

/// Partition by partition in order; results without a key, which are in any partition, at the end.
fn with_keys_in_order(partitions: Vec<Vec<OutputRecord>>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut without = Vec::new();
    for (number, records) in partitions.into_iter().enumerate() {
        for record in records {
            match record.key {
                Some(_) => lines.push(format!("{number}: {}", line(&record))),
                None => without.push(line(&record)),
            }
        }
    }
    without.sort();
    lines.extend(without);
    lines
}

fn sorted(records: &[OutputRecord]) -> Vec<String> {
    let mut lines: Vec<String> = records.iter().map(line).collect();
    lines.sort();
    lines
}

/// The rows that the result has in the end.
fn last_per_key(records: Vec<OutputRecord>, has_times: bool) -> Vec<String> {
    let mut last: BTreeMap<Option<Vec<u8>>, OutputRecord> = BTreeMap::new();
    for record in records {
        let time = if has_times { record.time } else { 0 };
        last.insert(record.key.clone(), OutputRecord { time, ..record });
    }
    last.values().filter(|record| record.value.is_some()).map(line).collect()
}

fn line(record: &OutputRecord) -> String {
    record_line(&OutputRecord { headers: Vec::new(), ..record.clone() })
}

#[test]
fn several_partitions_and_threads_agree() {
    let kinds = super::kinds();
    let first = super::number_from("LEVADA_ORACLE_SEED", super::SEED);
    let work = move || {
        let mut compared = 0;
        for seed in first..first + super::number_from("LEVADA_ORACLE_CASES", CASES) {
            let case = case::case_of(Random::new(seed).pick(&kinds), &mut Random::new(seed));
            let Some(agreement) = agreement(&case) else { continue };
            compared += 1;
            if let Some(difference) = difference(seed, &case, agreement) {
                return Err(difference);
            }
        }
        Ok(compared)
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).expect("a thread can be made");
    match thread.join().expect("no case panics") {
        Ok(compared) => assert!(compared > 0, "no case can be compared"),
        Err(difference) => panic!("{difference}"),
    }
}
