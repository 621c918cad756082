//! What reads cost: pull queries by key, by range and from end to end, and push queries that share a reader, on topics on disk.
//!
//! `make bench ARGS="-- pull"` and `make bench ARGS="-- push"` print these alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use levada::engine::{Engine, PushEvent, PushQuery, Response, Session};
use levada::runtime::clock::{Clock as _, SystemClock};
use levada::types::STACK_BYTES;

use crate::cpu::CpuTimer;

/// Keys of the table that is read.
const KEYS: usize = 100_000;
/// How long a kind of read is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// Reads that are made at once.
const READERS: usize = 2;
/// Pull queries by key per CPU-second at least: 25 µs each.
const BY_KEY_GOAL: f64 = 40_000.0;

const TABLES: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM payments (account STRING KEY, amount BIGINT, place STRING)
  WITH (KAFKA_TOPIC = 'payments', VALUE_FORMAT = 'JSON', PARTITIONS = 4);
CREATE TABLE balances AS SELECT account, SUM(amount) AS total, COUNT(*) AS n, LATEST_BY_OFFSET(place) AS place
  FROM payments GROUP BY account;
CREATE TABLE hourly AS SELECT account, SUM(amount) AS total FROM payments WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY account;
";

/// An engine in `folder` whose topic has a record per key, all processed.
fn engine(folder: &std::path::Path, properties: &[(&str, &str)]) -> Engine {
    let properties: std::collections::BTreeMap<String, String> =
        properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let engine = Engine::open(folder, properties).expect("an empty folder");
    engine.execute(&mut Session::default(), TABLES, &mut |_| ()).expect("the statements are correct");
    engine
}

fn account(number: usize) -> String {
    format!("account-{:06}", number % KEYS)
}

/// Writes `count` payments as JSON objects, as `/inserts-stream` does.
fn insert(engine: &Engine, count: usize) {
    let mut inserter = engine.inserter(&Session::default(), "payments").expect("a stream");
    let rows: Vec<String> = (0..count)
        .map(|n| format!(r#"{{"ACCOUNT": "{}", "AMOUNT": {n}, "PLACE": "Rua da Levada {n}"}}"#, account(n)))
        .collect();
    for batch in rows.chunks(2_000) {
        assert!(inserter.insert(batch).iter().all(Result::is_ok), "the rows are right");
    }
}

/// One kind of read, again and again with other keys.
struct Measured {
    per_cpu_second: f64,
    per_second: f64,
    p99: Duration,
    rows: u64,
}

fn measure(engine: &Engine, statement: &(impl Fn(usize) -> String + Sync)) -> Measured {
    let (reads, rows) = (AtomicU64::new(0), AtomicU64::new(0));
    let (cpu, started) = (CpuTimer::start(), SystemClock::new());
    let work = |reader: usize| {
        let mut times = Vec::new();
        let mut number = reader * 7_919;
        while started.elapsed() < MEASURED {
            let text = statement(number);
            let begun = SystemClock::new();
            let answer = engine.pull(&Session::default(), &text).expect("a pull query").expect("the table is there");
            times.push(begun.elapsed());
            rows.fetch_add(answer.len() as u64, Ordering::Relaxed);
            number += 104_729;
        }
        reads.fetch_add(times.len() as u64, Ordering::Relaxed);
        times
    };
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
                thread.spawn_scoped(scope, move || work(reader)).expect("the system can start a thread")
            })
            .collect();
        readers.into_iter().flat_map(|reader| reader.join().expect("no read panics")).collect()
    });
    times.sort_unstable();
    let reads = reads.into_inner() as f64;
    Measured {
        per_cpu_second: reads / cpu.elapsed().as_secs_f64(),
        per_second: reads / started.elapsed().as_secs_f64(),
        p99: times[times.len() * 99 / 100],
        rows: rows.into_inner(),
    }
}

/// Measures and prints pull queries; whether all goals are met.
pub fn pull() -> bool {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let engine = engine(folder.path(), &[]);
    let (cpu, count) = (CpuTimer::start(), KEYS);
    insert(&engine, count);
    println!("inserted as JSON objects, rows per CPU-second: {:.0}", count as f64 / cpu.elapsed().as_secs_f64());
    engine.run_until_idle(Duration::from_millis(500), &|| false, &mut |_| ());
    println!("\npull queries, {KEYS} keys, {READERS} at once | per CPU-second | per second | p99 | rows each");
    let show = |name: &str, statement: &(dyn Fn(usize) -> String + Sync)| {
        let found = measure(&engine, &|number| statement(number));
        let each = found.rows as f64 / (found.per_second * MEASURED.as_secs_f64()).max(1.0);
        println!(
            "{name} | {:.0} | {:.0} | {:.3} ms | {each:.0}",
            found.per_cpu_second,
            found.per_second,
            found.p99.as_secs_f64() * 1e3
        );
        found.per_cpu_second
    };
    let by_key = show("by key", &|n| format!("SELECT * FROM balances WHERE account = '{}';", account(n)));
    show("by key, a missing one", &|n| format!("SELECT * FROM balances WHERE account = 'nobody-{n}';"));
    show("by ten keys", &|n| {
        let keys: Vec<String> = (0..10).map(|i| format!("'{}'", account(n + i * 7))).collect();
        format!("SELECT account, total FROM balances WHERE account IN ({});", keys.join(", "))
    });
    show("by key, with another condition", &|n| {
        format!("SELECT * FROM balances WHERE account = '{}' AND total >= {n} - 200000;", account(n))
    });
    show("windows of a key", &|n| format!("SELECT * FROM hourly WHERE account = '{}';", account(n)));
    show("a range of 100 keys", &|n| {
        let from = n % (KEYS - 100);
        format!(
            "SELECT account, total FROM balances WHERE account >= '{}' AND account < '{}';",
            account(from),
            account(from + 100)
        )
    });
    show("all keys", &|_| "SELECT account, total FROM balances;".to_owned());
    show("all keys, LIMIT 10", &|_| "SELECT account, total FROM balances LIMIT 10;".to_owned());
    by_key >= BY_KEY_GOAL
}

/// Clients of push queries, and rows that each gets.
const CLIENTS: usize = 2_000;
const PUSHED: usize = 5_000;

/// Measures and prints push queries.
pub fn push() -> bool {
    println!("\npush queries, {CLIENTS} at once, {PUSHED} records | CPU | rows per CPU-second | wall");
    let kinds: [(&str, &dyn Fn(usize) -> String); 3] = [
        ("all ask the same", &|_| "SELECT account, amount FROM payments EMIT CHANGES;".to_owned()),
        ("each its own account", &|n| {
            format!("SELECT account, amount FROM payments WHERE account = '{}' EMIT CHANGES;", account(n))
        }),
        ("each its own condition, all rows", &|n| {
            format!("SELECT account, amount + {n} AS a FROM payments WHERE amount >= -{n} EMIT CHANGES;")
        }),
    ];
    for (name, statement) in kinds {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let engine = engine(folder.path(), &[("ksql.max.push.queries", "10000")]);
        let started = SystemClock::new();
        let queries: Vec<Arc<PushQuery>> = (0..CLIENTS).map(|n| Arc::new(begin(&engine, &statement(n)))).collect();
        let begun = started.elapsed();
        let (cpu, started) = (CpuTimer::start(), SystemClock::new());
        insert(&engine, PUSHED);
        let expected = if name == "each its own account" { CLIENTS } else { CLIENTS * PUSHED };
        let mut rows = 0;
        while rows < expected && started.elapsed() < Duration::from_mins(1) {
            let before = rows;
            for query in &queries {
                while let PushEvent::Rows(given) = query.try_next() {
                    rows += given.len();
                }
            }
            if rows == before {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        }
        assert_eq!(rows, expected, "{name}: every client gets what is for it, once");
        let (cpu, wall) = (cpu.elapsed().as_secs_f64(), started.elapsed().as_secs_f64());
        println!(
            "{name} | {cpu:.2} s | {:.0} | {wall:.2} s (all begun in {:.2} s)",
            rows as f64 / cpu,
            begun.as_secs_f64()
        );
    }
    true
}

fn begin(engine: &Engine, statement: &str) -> PushQuery {
    let mut query = None;
    let mut session = Session {
        properties: BTreeMap::from([("auto.offset.reset".to_owned(), "latest".to_owned())]),
        ..Session::default()
    };
    let mut take = |response: Response| {
        if let Response::Push(push) = response {
            query = Some(push);
        }
    };
    engine.execute(&mut session, statement, &mut take).expect("the statement is correct");
    query.expect("a push query")
}
