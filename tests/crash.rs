//! Exactly once: a run that is killed at twenty random moments leaves the topics of a run that was not.
//!
//! The process is killed with SIGKILL, so nothing of its own can tidy up. Every sink topic is compared record by record:
//! offset, key, value, time and order. All topics have one partition, where Levada promises one result.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");
const RECORDS: u64 = 60_000;
const KILLS: u32 = 20;
const SINKS: [&str; 6] = ["LARGE", "BY_PRODUCT", "PER_CUSTOMER", "PER_PRODUCT_MINUTE", "NAMED", "PER_REGION"];

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
SET 'cache.max.bytes.buffering' = '0';
CREATE STREAM orders (id BIGINT, customer STRING, product STRING, quantity INT, at_ms BIGINT)
  WITH (kafka_topic = 'orders', value_format = 'json', timestamp = 'at_ms');
CREATE TABLE customers (id STRING PRIMARY KEY, region STRING)
  WITH (kafka_topic = 'customers', value_format = 'json');
CREATE STREAM large AS SELECT id, customer, quantity * 2 AS twice FROM orders WHERE quantity > 5;
CREATE STREAM by_product AS SELECT product, id, quantity FROM orders PARTITION BY product;
CREATE TABLE per_customer AS SELECT customer, COUNT(*) AS n, SUM(quantity) AS total, MAX(id) AS last
  FROM orders GROUP BY customer;
CREATE TABLE per_product_minute AS SELECT product, COUNT(*) AS n, MIN(quantity) AS least
  FROM by_product WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY product;
CREATE STREAM named AS SELECT o.customer AS customer, o.id AS id, c.region AS region
  FROM orders o LEFT JOIN customers c ON o.customer = c.id;
CREATE TABLE per_region AS SELECT region, COUNT(*) AS n FROM named GROUP BY region HAVING COUNT(*) > 100;
";

/// A generator of numbers that look random; its seed is printed, so that a failure can be repeated.
pub struct Random(pub u64);

impl Random {
    /// A number below `below`.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn produce(dir: &Path, topic: &str, arguments: &[&str], lines: &str) {
    let mut child = Command::new(LEVADA)
        .args(["topic", "produce", topic, "--data-dir"])
        .arg(dir)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("levada starts");
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("levada reads all lines");
    assert!(child.wait().expect("levada ends").success(), "produce {topic}");
}

/// A data directory with the inputs, the same every time.
fn inputs(dir: &Path) {
    let mut random = Random(7);
    let mut orders = String::new();
    for id in 0..RECORDS {
        let (customer, product) = (random.next(300), random.next(40));
        let (quantity, late) = (random.next(10), random.next(20_000));
        let at_ms = 1_000_000 + id * 20 - late;
        orders.push_str(&format!(
            r#"{{"id":{id},"customer":"c{customer}","product":"p{product}","quantity":{quantity},"at_ms":{at_ms}}}"#
        ));
        orders.push('\n');
    }
    let mut customers = String::new();
    for id in 0..200 {
        customers.push_str(&format!("c{id}|{{\"region\":\"r{}\",\"since\":0}}\n", id % 7));
    }
    produce(dir, "customers", &["--key-separator", "|", "--timestamp-field", "since"], &customers);
    produce(dir, "orders", &[], &orders);
}

fn run(dir: &Path) -> Child {
    Command::new(LEVADA)
        .args(["run", "--until-idle", "0", "--data-dir"])
        .arg(dir)
        .arg(dir.join("pipeline.sql"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("levada starts")
}

fn run_to_the_end(dir: &Path) {
    assert!(run(dir).wait().expect("levada ends").success(), "the run succeeds");
}

/// Everything a topic holds, as lines.
fn dump(dir: &Path, topic: &str) -> String {
    let output = Command::new(LEVADA)
        .args(["topic", "consume", topic, "--output", "json", "--data-dir"])
        .arg(dir)
        .output()
        .expect("levada starts");
    assert!(output.status.success(), "consume {topic}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("lines are text")
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the moments of the kills are real ones")]
fn a_killed_run_ends_like_one_that_was_not() {
    let (reference, killed) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    for dir in [&reference, &killed] {
        inputs(dir.path());
        std::fs::write(dir.path().join("pipeline.sql"), STATEMENTS).expect("the directory is ours");
    }
    let started = Instant::now();
    run_to_the_end(reference.path());
    let whole_ms = started.elapsed().as_millis() as u64;

    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64);
    println!("seed of the kills: {seed}");
    let mut random = Random(seed);
    for _ in 0..KILLS {
        let mut child = run(killed.path());
        std::thread::sleep(Duration::from_millis(20 + random.next(whole_ms / 4 + 1)));
        child.kill().expect("the process is ours");
        child.wait().expect("the process ends");
    }
    run_to_the_end(killed.path());

    for sink in SINKS {
        let (expected, actual) = (dump(reference.path(), sink), dump(killed.path(), sink));
        assert!(!expected.is_empty(), "{sink} has records");
        let differs = expected.lines().zip(actual.lines()).find(|(expected, actual)| expected != actual);
        assert_eq!(differs, None, "{sink} differs, seed {seed}");
        assert_eq!(expected.lines().count(), actual.lines().count(), "{sink} has as many records, seed {seed}");
    }
}
