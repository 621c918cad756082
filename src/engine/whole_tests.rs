//! Reads that are large, that take long, and whose clients go.

use std::sync::Arc;

use super::whole::memory_of;
use super::*;
use crate::runtime::clock::ManualClock;
use crate::topics::MemoryTopics;

struct World {
    engine: Engine,
    session: Session,
    clock: Arc<ManualClock>,
}

/// All pairs of these are more than wait for a reader.
const ROWS: i32 = 200;
const PAIRS: &str = "SELECT a.v, b.v AS w FROM numbers a CROSS JOIN numbers b;";

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let options = EngineOptions { threads: false, clock: shown, ..EngineOptions::default() };
        let engine = Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("memory opens");
        let mut world = Self { engine, session: Session::default(), clock };
        world.session.properties.insert("auto.offset.reset".to_owned(), "earliest".to_owned());
        world.run(
            "CREATE STREAM numbers (id INT KEY, v INT) WITH (kafka_topic='numbers', partitions=2, value_format='json');
             CREATE TABLE kept AS SELECT id, COUNT(*) AS n FROM numbers GROUP BY id;",
        );
        let rows: Vec<String> = (0..ROWS).map(|value| format!(r#"{{"id": {}, "v": {value}}}"#, value % 10)).collect();
        let mut inserter = world.engine.inserter(&world.session, "numbers").expect("a stream");
        assert!(inserter.insert(&rows).iter().all(Result::is_ok));
        world.engine.settle(None).expect("nothing fails");
        world
    }

    fn run(&mut self, sql: &str) -> Option<Response> {
        let mut last = None;
        let done = self.engine.execute(&mut self.session, sql, &mut |response| last = Some(response));
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        last
    }

    fn large(&mut self) -> PushQuery {
        let Some(Response::Push(query)) = self.run(PAIRS) else { panic!("it comes piece by piece") };
        query
    }

    fn memory_used(&self) -> usize {
        self.engine.inner.shared.read_memory.used()
    }
}

/// How many rows come, and how that ends.
fn drained(query: &PushQuery) -> (usize, PushEnd) {
    let mut rows = 0;
    loop {
        match query.next(Duration::from_millis(50)) {
            PushEvent::Rows(given) => rows += given.len(),
            PushEvent::Idle => {}
            PushEvent::End(end) => return (rows, end),
        }
    }
}

#[test]
fn few_rows_are_answered_together() {
    let mut world = World::new();
    let Some(Response::Rows(rows)) = world.run("SELECT id, COUNT(*) AS n FROM numbers GROUP BY id;") else {
        panic!("they are all there")
    };
    assert_eq!((rows.len(), rows.end), (10, Some(PushEnd::Completed)));
    assert_eq!(world.memory_used(), 0);
}

#[test]
fn many_rows_come_piece_by_piece() {
    let mut world = World::new();
    let query = world.large();
    assert!(world.memory_used() > 0, "the right side of the join is held");
    assert_eq!(drained(&query), ((ROWS * ROWS) as usize, PushEnd::Completed));
    assert_eq!(world.memory_used(), 0);
}

#[test]
fn a_read_ends_with_its_reader() {
    let mut world = World::new();
    let query = world.large();
    drop(query);
    while world.memory_used() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_read_ends_when_it_takes_too_long() {
    let mut world = World::new();
    world.session.properties.insert("levada.whole.sql.timeout.ms".to_owned(), "1000".to_owned());
    let query = world.large();
    world.clock.set(1_001);
    let (rows, end) = drained(&query);
    assert!(rows < (ROWS * ROWS) as usize, "{rows}");
    let PushEnd::Failed(reason) = end else { panic!("{end:?}") };
    assert_eq!(reason, "the query was ended: it has taken longer than 1000 ms");
}

#[test]
fn stores_and_topics_are_read_at_once() {
    let mut world = World::new();
    let sql = "SELECT k.id, k.n, COUNT(*) AS again FROM kept k JOIN numbers r ON r.id = k.id GROUP BY k.id, k.n HAVING COUNT(*) <> k.n;";
    let Some(Response::Rows(rows)) = world.run(sql) else { panic!("they are all there") };
    assert!(rows.is_empty(), "{rows:?}");
}

#[test]
fn reads_have_a_share_of_the_memory() {
    assert_eq!(memory_of(Some(1 << 30)), 128 << 20);
    assert_eq!(memory_of(Some(1)), 16 << 20);
    assert_eq!(memory_of(None), 1 << 30);
}
