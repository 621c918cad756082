//! No allocation per record between decode and encode: four times the records of a batch take no more than a few allocations more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use levada::engine::{Engine, EngineOptions, Session};
use levada::runtime::clock::ManualClock;
use levada::topics::{MemoryTopics, TopicPartition, Topics, Transaction};
use levada::types::RecordChunkBuilder;

/// The system's allocator, which counts what each thread asks for.
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends has no count any more.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: all calls go to the system's allocator as they are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the rules of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the rules of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Keys that records have in turn: all are known when it is counted.
const KEYS: u64 = 100;
const FEW: u64 = 1_000;
const MANY: u64 = 4_000;
/// So many allocations more for each record would be one per record in some step.
const PER_RECORD_MAX: f64 = 0.1;

/// Allocations of everything that follows from `records` records of the stream S that come at once.
fn allocations(engine: &Engine, topics: &MemoryTopics, records: u64) -> u64 {
    let mut chunk = RecordChunkBuilder::new();
    for i in 0..records {
        let key = format!("k{}", i % KEYS);
        let value = format!(r#"{{"N": {}, "T": "a text of row {i}", "D": {i}.25}}"#, i % 7);
        chunk.push(Some(key.as_bytes()), Some(value.as_bytes()), i as i64);
    }
    let to = TopicPartition { topic: "s".into(), partition: 0 };
    let transaction = Transaction { appends: vec![(to, chunk.finish())], ..Transaction::default() };
    topics.commit(transaction).expect("memory takes every record");
    let before = ALLOCATIONS.get();
    engine.settle(None).expect("nothing fails");
    ALLOCATIONS.get() - before
}

/// Allocations for each record more, of the query `sql`.
fn per_record(sql: &str) -> f64 {
    let topics = Arc::new(MemoryTopics::new());
    let properties = [("auto.offset.reset", "earliest"), ("cache.max.bytes.buffering", "0")];
    let options = EngineOptions {
        properties: properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect(),
        clock: Arc::new(ManualClock::default()),
        threads: false,
        ..EngineOptions::default()
    };
    let engine = Engine::with_options(Arc::clone(&topics) as Arc<dyn Topics>, options).expect("memory is empty");
    let source = "CREATE STREAM s (k STRING KEY, n BIGINT, t STRING, d DOUBLE)
        WITH (kafka_topic = 's', value_format = 'json', partitions = 1);";
    engine.execute(&mut Session::default(), &format!("{source} {sql}"), &mut |_| ()).expect("the statements are right");
    // Buffers have their size, and keys are known, when as many have come before.
    allocations(&engine, &topics, MANY);
    let [few, many] = [FEW, MANY].map(|records| allocations(&engine, &topics, records));
    assert!(few > 0, "the query has run on this thread");
    (many as f64 - few as f64) / (MANY - FEW) as f64
}

#[test]
fn nothing_is_allocated_per_record() {
    let cases = [
        ("a projection and a filter", "CREATE STREAM r AS SELECT k, n + 1 AS n, t, d * 2 AS d FROM s WHERE n > 2;"),
        ("an aggregate", "CREATE TABLE r AS SELECT k, COUNT(*) AS c, SUM(n) AS n, MAX(d) AS d FROM s GROUP BY k;"),
        (
            "windows",
            "CREATE TABLE r AS SELECT k, COUNT(*) AS c FROM s WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 1 HOUR) GROUP BY k;",
        ),
        ("a new key", "CREATE STREAM r AS SELECT n, k, t FROM s PARTITION BY n;"),
    ];
    let found = cases.map(|(what, sql)| (what, per_record(sql)));
    let wrong: Vec<_> = found.iter().filter(|(_, allocations)| *allocations > PER_RECORD_MAX).collect();
    assert!(wrong.is_empty(), "allocations per record: {wrong:?}, of {found:?}");
}
