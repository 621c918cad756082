//! State that is larger than memory, and state that must not grow: `make large` runs both in full.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use levada::engine::{Engine, Session};
use levada::storage::Family;
use levada::topics::{self, TopicConfig, TopicPartition, Topics, Transaction};
use levada::types::RecordChunkBuilder;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");
const MEGABYTE: u64 = 1 << 20;
const HOUR_MS: i64 = 3_600_000;

const SUMS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM events (id BIGINT KEY, v BIGINT, t BIGINT)
  WITH (kafka_topic = 'events', value_format = 'json', timestamp = 't');
CREATE TABLE sums AS
  SELECT id, COUNT(*) AS n, SUM(v) AS total FROM events WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY id;
";

/// 2100-01-01: results are not older than the retention of their topic, which is a week.
const START_MS: u64 = 4_102_444_800_000;

/// The `i`-th key: all of them once, in no order.
fn key(i: u64, keys: u64) -> u64 {
    (i * 7919 + 13) % keys
}

/// Every key once within an hour, then a tenth of them again, all in one window.
fn produce(dir: &Path, keys: u64) {
    let mut child = Command::new(LEVADA)
        .args(["topic", "produce", "events", "--key-separator", ":", "--key-format", "kafka:bigint", "--data-dir"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("levada starts");
    let mut lines = BufWriter::new(child.stdin.take().expect("piped"));
    for i in 0..keys {
        let (id, time) = (key(i, keys), START_MS + i * 3_000_000 / keys);
        writeln!(lines, r#"{id}:{{"V":{},"T":{time}}}"#, id % 1000).expect("levada reads all lines");
    }
    for i in 0..keys / 10 {
        let (id, time) = (key(i, keys), START_MS + 3_000_000);
        writeln!(lines, r#"{id}:{{"V":1,"T":{time}}}"#).expect("levada reads all lines");
    }
    drop(lines);
    assert!(child.wait().expect("levada ends").success(), "the records are appended");
}

/// Runs the statements until nothing is left; returns the greatest resident set, in bytes.
fn run(dir: &Path, limit: &str) -> u64 {
    let file = dir.join("sums.sql");
    fs::write(&file, SUMS).expect("a file is written");
    let mut command = Command::new(LEVADA);
    command.arg("run").arg(&file).args(["--until-idle", "--property", &format!("memory.limit={limit}"), "--data-dir"]);
    #[expect(clippy::zombie_processes, reason = "`wait` asks the kernel itself, which tells the memory too")]
    let child = command.arg(dir).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("levada starts");
    let (succeeded, resident) = wait(&child);
    assert!(succeeded, "levada ends well");
    resident
}

/// Waits for the end of `child`: whether it ended well, and its greatest resident set, as the kernel says.
fn wait(child: &Child) -> (bool, u64) {
    let pid = libc::pid_t::try_from(child.id()).expect("process ids are small");
    let mut status = 0;
    // SAFETY: all zeros are a `rusage`, which holds numbers only.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both places are ours and outlive the call; the child is ours, and nobody else waits for it.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, pid, "the child ends");
    (status == 0, usage.ru_maxrss.unsigned_abs() * 1024)
}

/// The last result of every key, as count and sum.
fn last_results(dir: &Path, keys: u64) -> Vec<(u8, u32)> {
    let topics = topics::open(dir, &BTreeMap::new()).expect("the data directory opens");
    let sums = TopicPartition { topic: "SUMS".into(), partition: 0 };
    let mut results = vec![(0, 0); usize::try_from(keys).expect("keys fit memory")];
    let mut offset = 0;
    loop {
        let chunk = topics.fetch(&sums, offset, 10_000, 8 << 20).expect("results can be read");
        let Some(last) = chunk.offsets.last() else { return results };
        offset = last + 1;
        for row in 0..chunk.len() {
            let id = u64::from_be_bytes(chunk.keys.value(row)[..8].try_into().expect("a BIGINT"));
            let value: serde_json::Value = serde_json::from_slice(chunk.values.value(row)).expect("JSON");
            let number = |name: &str| value[name].as_u64().expect("a number");
            let result = (u8::try_from(number("N")), u32::try_from(number("TOTAL")));
            results[id as usize] = (result.0.expect("few records a key"), result.1.expect("small sums"));
        }
    }
}

fn windows_fit(keys: u64, limit: &str, resident_max: u64) {
    let dir = tempfile::tempdir().expect("a folder for the test");
    produce(dir.path(), keys);
    let resident = run(dir.path(), limit);
    let mut expected: Vec<(u8, u32)> = (0..keys).map(|id| (1, (id % 1000) as u32)).collect();
    for i in 0..keys / 10 {
        let result = &mut expected[key(i, keys) as usize];
        *result = (result.0 + 1, result.1 + 1);
    }
    let results = last_results(dir.path(), keys);
    let wrong = results.iter().zip(&expected).position(|(result, expected)| result != expected);
    assert_eq!(wrong.map(|id| (id, results[id], expected[id])), None, "all keys have their count and sum");
    eprintln!("{keys} keys with memory.limit={limit}: at most {} MB resident", resident / MEGABYTE);
    assert!(resident <= resident_max, "{} MB resident", resident / MEGABYTE);
}

#[test]
fn more_windows_than_memory_holds_are_all_counted() {
    // All state goes to storage at every commit.
    windows_fit(100_000, "0", u64::MAX);
}

#[test]
#[ignore = "takes minutes and gigabytes of disk"]
fn twenty_million_windows_fit_into_512_megabytes() {
    let keys = std::env::var("LEVADA_LARGE_KEYS").map_or(20_000_000, |text| text.parse().expect("a number of keys"));
    windows_fit(keys, "512MB", 512 * MEGABYTE * 11 / 10);
}

const ENDLESS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM events (id BIGINT KEY, v BIGINT) WITH (kafka_topic = 'events', value_format = 'json');
CREATE TABLE sums AS
  SELECT id, COUNT(*) AS n, SUM(v) AS total FROM events
    WINDOW TUMBLING (SIZE 86400 MILLISECONDS, RETENTION 30 MINUTES, GRACE PERIOD 1 MINUTE) GROUP BY id;
CREATE TABLE sessions AS
  SELECT id, COUNT(*) AS n FROM events
    WINDOW SESSION (10 SECONDS, RETENTION 30 MINUTES, GRACE PERIOD 1 MINUTE) GROUP BY id;
CREATE STREAM pairs AS
  SELECT a.id AS id, a.v AS v FROM events a JOIN events b WITHIN 20 SECONDS GRACE PERIOD 10 MINUTES ON a.id = b.id;
";

/// Sizes after an hour of stream time.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    entries: usize,
    state_bytes: usize,
    resident: u64,
}

fn sizes(topics: &dyn Topics) -> Sizes {
    let storage = topics.storage();
    let (mut entries, mut state_bytes, mut from) = (0, 0, Vec::new());
    loop {
        let found = storage.scan(Family::State, &from, &[u8::MAX], 10_000).expect("state can be read");
        let Some((last, _)) = found.last() else { break };
        from.clone_from(last);
        from.push(0);
        entries += found.len();
        state_bytes += found.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    }
    let status = fs::read_to_string("/proc/self/statm").expect("Linux says");
    let pages: u64 = status.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("resident pages");
    Sizes { entries, state_bytes, resident: pages * 4096 }
}

/// An hour of records: every key twice in each of its windows.
fn append_hour(topics: &dyn Topics, hour: i64, keys: i64) {
    for time in (hour * HOUR_MS..(hour + 1) * HOUR_MS).step_by(43_200) {
        let mut chunk = RecordChunkBuilder::new();
        for id in 0..keys {
            chunk.push(Some(&id.to_be_bytes()), Some(br#"{"V":1}"#), time + id % 1000);
        }
        let events = TopicPartition { topic: "events".into(), partition: 0 };
        let appends = vec![(events, chunk.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("records are appended");
    }
}

/// Sizes after each of `hours` hours of windows, sessions and pairs.
fn endless(hours: i64, keys: i64) -> Vec<Sizes> {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let topics = topics::open(dir.path(), &BTreeMap::new()).expect("a new data directory");
    topics.create("events", &TopicConfig::with_partitions(1)).expect("a new topic");
    // The store's cache grows as far as it may: it is full early.
    let limit = ("memory.limit".to_owned(), "300MB".to_owned());
    let engine = Engine::with_topics(Arc::clone(&topics), BTreeMap::from([limit])).expect("an engine opens");
    engine.execute(&mut Session::default(), ENDLESS, &mut |_| ()).expect("the statements are correct");
    let mut found = Vec::new();
    for hour in 0..hours {
        append_hour(&*topics, hour, keys);
        engine.run_until_idle(Duration::from_millis(300), &|| false, &mut |_| ());
        found.push(sizes(&*topics));
    }
    engine.shutdown();
    found
}

/// Once the retention is full, nothing grows any more.
fn assert_flat(found: &[Sizes]) {
    let full = found[1];
    for (hour, sizes) in found.iter().enumerate().skip(2) {
        assert!(sizes.entries <= full.entries + full.entries / 10, "hour {hour}: {found:?}");
        assert!(sizes.state_bytes <= full.state_bytes + full.state_bytes / 10, "hour {hour}: {found:?}");
    }
}

#[test]
fn state_of_windows_sessions_and_joins_does_not_grow() {
    assert_flat(&endless(5, 20));
}

#[test]
#[ignore = "takes minutes"]
fn a_day_of_a_thousand_windows_a_key_leaves_memory_and_state_flat() {
    let found = endless(24, 1_000);
    for (hour, Sizes { entries, state_bytes, resident }) in found.iter().enumerate() {
        let (state, resident) = (state_bytes / 1024, resident / MEGABYTE);
        eprintln!("hour {hour}: {entries} entries, {state} KB of state, {resident} MB resident");
    }
    assert_flat(&found);
    let (early, last) = (found[5].resident, found[23].resident);
    assert!(
        last <= early + early / 2,
        "{} MB resident after 6 hours, {} after a day",
        early / MEGABYTE,
        last / MEGABYTE
    );
}
