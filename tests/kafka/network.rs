//! The way to the broker is cut while a pipeline runs.
#![expect(clippy::disallowed_methods, reason = "processes live in real time")]

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::proxy::Proxy;
use super::{Broker, succeeded};

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM payments (id BIGINT, account STRING)
  WITH (kafka_topic = 'payments', value_format = 'json', partitions = 2);
CREATE STREAM copies AS SELECT id, account FROM payments;
CREATE TABLE counts WITH (partitions = 1) AS SELECT account, COUNT(*) AS n FROM payments GROUP BY account;
";
const RECORDS: u64 = 2000;
const ACCOUNTS: u64 = 10;

/// How long the way is cut: longer than the servers' session. `LEVADA_CUT_SECONDS` asks for another time.
fn cut_time() -> Duration {
    let seconds = std::env::var("LEVADA_CUT_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(8))
}

/// How long everything may take to come through afterwards.
const RECOVERY_MAX: Duration = Duration::from_secs(90);

/// Produces records `first..first + RECORDS`, past the proxy.
fn produce(broker: &Broker, first: u64) {
    let line = |id| format!("{{\"id\":{id},\"account\":\"a{}\"}}\n", id % ACCOUNTS);
    broker.produce("payments", &[], &(first..first + RECORDS).map(line).collect::<Vec<_>>().concat());
}

/// What is committed in a topic.
fn records(broker: &Broker, topic: &str) -> Vec<Value> {
    let output = broker.levada(&["topic", "consume", topic, "--output", "json"]).output().expect("levada starts");
    succeeded(&output).lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect()
}

/// Ids in the copy, each as often as it is there.
fn copies(broker: &Broker) -> Vec<u64> {
    let mut ids: Vec<u64> =
        records(broker, "COPIES").iter().filter_map(|record| record["value"]["ID"].as_u64()).collect();
    ids.sort_unstable();
    ids
}

/// The last count of each account.
fn counts(broker: &Broker) -> BTreeMap<String, u64> {
    let last = |record: &Value| Some((record["key"].to_string(), record["value"]["N"].as_u64()?));
    records(broker, "COUNTS").iter().filter_map(last).collect()
}

struct Running {
    child: Child,
    log: std::path::PathBuf,
}

impl Running {
    fn start(broker: &Broker, proxy: &Proxy) -> Self {
        let (file, log) = (broker.path("a.sql"), broker.path("log"));
        std::fs::write(&file, STATEMENTS).expect("a file is written");
        let mut command = std::process::Command::new(super::LEVADA);
        command.arg("run").arg(&file).arg("--data-dir").arg(broker.path("data"));
        command.args(["--property", &format!("bootstrap.servers=127.0.0.1:{}", proxy.port)]);
        command.args(["--property", "ksql.streams.commit.interval.ms=100"]).env("LEVADA_LOG", "info");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(&log).expect("the log can be written"));
        Self { child: command.spawn().expect("levada starts"), log }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("the process is ours").is_none()
    }

    /// Waits until `count` copies are there.
    fn await_copies(&mut self, broker: &Broker, count: u64) {
        let begun = Instant::now();
        while (copies(broker).len() as u64) < count {
            assert!(self.is_alive(), "levada has ended:\n{}", self.log());
            assert!(begun.elapsed() < RECOVERY_MAX, "{count} copies do not come:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_cut_network_loses_and_doubles_nothing() {
    let proxy = Proxy::bind();
    let Some((broker, address)) = Broker::start_behind(proxy.port) else { return };
    proxy.forward(address);
    succeeded(&broker.levada(&["topic", "create", "payments", "--partitions", "2"]).output().expect("levada starts"));
    succeeded(&broker.levada(&["topic", "create", "COPIES", "--partitions", "2"]).output().expect("levada starts"));
    let mut running = Running::start(&broker, &proxy);
    produce(&broker, 0);
    running.await_copies(&broker, RECORDS);
    // The cut falls into a stream of records.
    std::thread::scope(|scope| {
        scope.spawn(|| produce(&broker, RECORDS));
        std::thread::sleep(Duration::from_millis(150));
        proxy.cut();
    });
    std::thread::sleep(cut_time());
    assert!(running.is_alive(), "a cut is no end:\n{}", running.log());
    proxy.restore();
    let restored = Instant::now();
    produce(&broker, 2 * RECORDS);
    running.await_copies(&broker, 3 * RECORDS);
    println!("all came through {:.1} s after the cut of {:?}", restored.elapsed().as_secs_f64(), cut_time());
    let all: Vec<u64> = (0..3 * RECORDS).collect();
    assert!(copies(&broker) == all, "each record is there once:\n{}", running.log());
    let each: Vec<u64> = vec![3 * RECORDS / ACCOUNTS; ACCOUNTS as usize];
    let begun = Instant::now();
    while counts(&broker).into_values().collect::<Vec<_>>() != each {
        assert!(begun.elapsed() < RECOVERY_MAX, "the counts are {:?}:\n{}", counts(&broker), running.log());
        std::thread::sleep(Duration::from_millis(200));
    }
    let log = running.log();
    assert!(log.contains("WARN") || log.contains("ERROR"), "somebody was told of the cut:\n{log}");
}
