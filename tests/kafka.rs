//! The same on a real Apache Kafka: every spec, and a run that is killed at random moments.
//!
//! `tools/kafka/kafka.sh` fetches and starts the broker. Where it cannot be had the tests say so and pass, except in CI.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const RECORDS: u64 = 20_000;
const KILLS: u32 = 6;

/// A broker of this test, stopped at the end.
struct Broker {
    dir: TempDir,
    bootstrap: String,
}

impl Broker {
    /// A fresh broker; `None` where there cannot be one.
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let output = script("start", &dir.path().join("kafka"));
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(std::env::var_os("CI").is_none(), "no Kafka: {reason}");
            eprintln!("SKIPPED: no Kafka broker can be started here: {reason}");
            return None;
        }
        let bootstrap = String::from_utf8(output.stdout).expect("addresses are text").trim().to_owned();
        Some(Self { dir, bootstrap })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn property(&self) -> String {
        format!("bootstrap.servers={}", self.bootstrap)
    }

    fn levada(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LEVADA);
        command.args(arguments).args(["--property", &self.property()]).stdin(Stdio::null());
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        script("stop", &self.path("kafka"));
    }
}

fn script(action: &str, dir: &Path) -> Output {
    let mut command = Command::new(Path::new(ROOT).join("tools/kafka/kafka.sh"));
    command.arg(action).arg("--dir").arg(dir).stdin(Stdio::null()).output().expect("the script can be run")
}

fn succeeded(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_spec_holds_on_kafka() {
    let Some(broker) = Broker::start() else { return };
    let mut command = Command::new(LEVADA);
    command.args(["test", &format!("{ROOT}/tests/specs"), "--verbose"]);
    let output = command.env("LEVADA_TEST_BOOTSTRAP", &broker.bootstrap).output().expect("levada starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains(" passed, 0 failed"), "{text}");
}

#[test]
fn a_broker_that_does_not_answer_is_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("a.sql");
    std::fs::write(&file, "SHOW TOPICS;").expect("a file is written");
    let output = Command::new(LEVADA)
        .args(["run", "--until-idle", "0", "--property", "bootstrap.servers=127.0.0.1:9", "--data-dir"])
        .arg(dir.path().join("data"))
        .arg(&file)
        .output()
        .expect("levada starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && err.contains("no Kafka broker answers at 127.0.0.1:9"), "{err}");
}

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
SET 'cache.max.bytes.buffering' = '0';
CREATE STREAM orders (id BIGINT, customer STRING, product STRING, quantity INT)
  WITH (kafka_topic = 'orders', value_format = 'json');
CREATE TABLE customers (id STRING PRIMARY KEY, region STRING)
  WITH (kafka_topic = 'customers', value_format = 'json');
CREATE STREAM large AS SELECT id, customer, quantity * 2 AS twice FROM orders WHERE quantity > 5;
CREATE TABLE per_customer AS SELECT customer, COUNT(*) AS n, SUM(quantity) AS total FROM orders GROUP BY customer;
CREATE STREAM named AS SELECT o.customer AS customer, o.id AS id, c.region AS region
  FROM orders o LEFT JOIN customers c ON o.customer = c.id;
CREATE TABLE per_region AS SELECT region, COUNT(*) AS n FROM named GROUP BY region;
";
const SINKS: [&str; 4] = ["LARGE", "PER_CUSTOMER", "NAMED", "PER_REGION"];

fn produce(broker: &Broker, topic: &str, arguments: &[&str], lines: &str) {
    let mut command = broker.levada(&["topic", "produce", topic]);
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("levada starts");
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("levada reads all lines");
    assert!(child.wait().expect("levada ends").success(), "produce {topic}");
}

fn run(broker: &Broker, file: &Path) -> Child {
    let mut command = broker.levada(&["run", "--until-idle", "1", "--property", "ksql.streams.commit.interval.ms=100"]);
    command.arg("--data-dir").arg(broker.path("data")).arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("levada starts")
}

/// What a topic holds, committed, as `key value` lines in the order of each key.
fn contents(broker: &Broker, topic: &str) -> Vec<String> {
    let output = broker.levada(&["topic", "consume", topic, "--output", "json"]).output().expect("levada starts");
    let text = succeeded(&output);
    let record = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line is an object");
        format!("{} {}", record["key"], record["value"])
    };
    let mut lines: Vec<String> = text.lines().map(record).collect();
    // Counts of a key only grow, so that sorting by text would hide nothing but the order of different keys.
    lines.sort();
    lines
}

/// What must be in each sink, from the inputs alone.
fn expected(orders: &[(u64, u64, u64)]) -> [Vec<String>; 4] {
    let (mut large, mut per_customer, mut named, mut per_region) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut totals, mut regions) = (vec![(0, 0); 50], vec![0; 7]);
    for &(id, customer, quantity) in orders {
        if quantity > 5 {
            large.push(format!(r#"null {{"ID":{id},"CUSTOMER":"c{customer}","TWICE":{}}}"#, quantity * 2));
        }
        let (count, total) = &mut totals[customer as usize];
        (*count, *total) = (*count + 1, *total + quantity);
        per_customer.push(format!(r#""c{customer}" {{"N":{count},"TOTAL":{total}}}"#));
        let region = customer % 7;
        named.push(format!(r#""c{customer}" {{"ID":{id},"REGION":"r{region}"}}"#));
        regions[region as usize] += 1;
        per_region.push(format!(r#""r{region}" {{"N":{}}}"#, regions[region as usize]));
    }
    let mut sinks = [large, per_customer, named, per_region];
    sinks.iter_mut().for_each(|lines| lines.sort());
    sinks
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the moments of the kills are real ones")]
fn a_killed_run_leaves_each_result_once() {
    let Some(broker) = Broker::start() else { return };
    let orders: Vec<(u64, u64, u64)> = (0..RECORDS).map(|id| (id, id * 7919 % 50, id * 104_729 % 10)).collect();
    let customer = |id| format!("c{id}|{{\"region\":\"r{}\",\"since\":1}}\n", id % 7);
    let customers: Vec<String> = (0..50).map(customer).collect();
    produce(&broker, "customers", &["--key-separator", "|", "--timestamp-field", "since"], &customers.concat());
    let line = |(id, customer, quantity): &(u64, u64, u64)| {
        format!("{{\"id\":{id},\"customer\":\"c{customer}\",\"product\":\"p\",\"quantity\":{quantity}}}\n")
    };
    produce(&broker, "orders", &[], &orders.iter().map(line).collect::<Vec<_>>().concat());
    let file = broker.path("pipeline.sql");
    std::fs::write(&file, STATEMENTS).expect("a file is written");
    for kill in 0..KILLS {
        let mut child = run(&broker, &file);
        std::thread::sleep(Duration::from_millis(900 + 350 * u64::from(kill)));
        child.kill().expect("the process is ours");
        child.wait().expect("the process ends");
    }
    assert!(run(&broker, &file).wait().expect("levada ends").success(), "the last run succeeds");
    for (sink, expected) in SINKS.iter().zip(expected(&orders)) {
        let found = contents(&broker, sink);
        assert_eq!(found.len(), expected.len(), "records of {sink}");
        assert!(found == expected, "{sink} differs");
    }
}
