//! Exactly once on Kafka: servers and brokers are killed at random moments while records come.
//!
//! Servers of one service id run pipelines over transfers that a driver produces all the time. In the end everything is
//! recomputed from the committed input and compared with every sink, record by record. The short form is for every day;
//! `make crash` runs the long one (`LEVADA_CRASH_KILLS`, `_RESTARTS`, `_SERVERS`, `_BROKERS`, `_PAUSE`, `_RATE`, `_SEED` change it).
#![expect(clippy::disallowed_methods, reason = "the moments of the kills are real ones")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::reader::Reader;
use super::server::Server;
use super::sinks::{EachLeg, Emits, Sink, Sums};
use super::transfers::{self, Driver, Leg, Legs, Produced};
use super::watcher::Watcher;
use super::{Broker, succeeded};
use crate::crash::Random;

const STATEMENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM legs (transfer STRING KEY, leg STRING, account STRING, amount BIGINT)
  WITH (kafka_topic = 'legs', value_format = 'json');
CREATE TABLE accounts (account STRING PRIMARY KEY, branch STRING)
  WITH (kafka_topic = 'accounts', value_format = 'json');
CREATE STREAM credits AS SELECT transfer, leg, amount FROM legs WHERE amount > 0;
CREATE TABLE per_second AS SELECT account, COUNT(*) AS n, SUM(amount) AS total
  FROM legs WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY account;
SET 'cache.max.bytes.buffering' = '0';
CREATE TABLE balances AS SELECT account, COUNT(*) AS n, SUM(amount) AS total FROM legs GROUP BY account;
CREATE STREAM at_branch AS SELECT l.account AS account, l.leg AS leg, l.amount AS amount, a.branch AS branch
  FROM legs l LEFT JOIN accounts a ON l.account = a.account;
CREATE TABLE per_branch AS SELECT branch, COUNT(*) AS n, SUM(amount) AS total FROM at_branch GROUP BY branch;
";

/// What the statements must make of the legs.
fn sinks() -> Vec<Box<dyn Sink>> {
    vec![
        Box::new(EachLeg::new("CREDITS", |leg| leg.amount > 0, credit)),
        Box::new(EachLeg::new("AT_BRANCH", |_| true, at_branch)),
        Box::new(Sums::new("BALANCES", Emits::EveryChange, |leg| leg.account.clone().into_bytes())),
        Box::new(Sums::new("PER_BRANCH", Emits::EveryChange, |leg| transfers::branch(&leg.account).into_bytes())),
        Box::new(Sums::new("PER_SECOND", Emits::AtCommit, windowed_key)),
    ]
}

fn credit(leg: &Leg) -> Value {
    json!({ "LEG": leg.name, "AMOUNT": leg.amount })
}

fn at_branch(leg: &Leg) -> Value {
    json!({ "LEG": leg.name, "AMOUNT": leg.amount, "BRANCH": transfers::branch(&leg.account) })
}

/// The account, then where its second begins.
fn windowed_key(leg: &Leg) -> Vec<u8> {
    let start = leg.time_ms / 1000 * 1000;
    [leg.account.as_bytes(), &start.to_be_bytes()].concat()
}

const PROPERTIES: [&str; 2] = ["ksql.service.id=crash_", "ksql.streams.commit.interval.ms=100"];
const PARTITIONS: &str = "4";
/// Without a new record for so long, nothing more will come: queries rest for a minute at most after a failure.
const SILENCE: Duration = Duration::from_secs(100);

/// What is done to whom.
#[derive(Debug)]
struct Plan {
    seed: u64,
    brokers: u32,
    servers: u32,
    kills: u32,
    broker_restarts: u32,
    /// The longest pause between two blows.
    pause_ms: u64,
    transfers_per_second: u64,
}

#[derive(Clone, Copy)]
enum Blow {
    Kill,
    BrokerRestart,
}

#[test]
fn killed_servers_and_brokers_leave_each_result_once() {
    let plan = Plan {
        seed: seed(),
        brokers: 1,
        servers: 2,
        kills: 7,
        broker_restarts: 1,
        pause_ms: 3000,
        transfers_per_second: 800,
    };
    run(&plan);
}

#[test]
#[ignore = "takes minutes: make crash"]
fn a_hundred_kills_leave_each_result_once() {
    let plan = Plan {
        seed: seed(),
        brokers: setting("BROKERS", 3) as u32,
        servers: setting("SERVERS", 2) as u32,
        kills: setting("KILLS", 100) as u32,
        broker_restarts: setting("RESTARTS", 20) as u32,
        pause_ms: setting("PAUSE", 5000),
        transfers_per_second: setting("RATE", 800),
    };
    run(&plan);
}

fn setting(name: &str, default: u64) -> u64 {
    let name = format!("LEVADA_CRASH_{name}");
    let parse = |text: String| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not '{text}'"));
    std::env::var(&name).map_or(default, parse)
}

fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    setting("SEED", now.as_millis() as u64)
}

fn run(plan: &Plan) {
    let Some(broker) = Broker::start_several(plan.brokers) else { return };
    println!("{plan:?}");
    for topic in [transfers::LEGS, transfers::ACCOUNTS] {
        let create = ["topic", "create", topic, "--partitions", PARTITIONS];
        succeeded(&broker.levada(&create).output().expect("levada starts"));
    }
    transfers::write_accounts(&broker.bootstrap);
    let file = broker.path("pipelines.sql");
    std::fs::write(&file, STATEMENTS).expect("a file is written");
    let file = file.to_str().expect("temporary names are text");
    let start = |number| Server::start(&broker, &format!("server-{number}"), file, &PROPERTIES);
    let mut servers: Vec<Server> = (1..=plan.servers).map(start).collect();

    let started = Instant::now();
    let driver = Driver::start(&broker.bootstrap, plan.seed, plan.transfers_per_second);
    let watcher = Watcher::start(&broker.bootstrap, "CREDITS");
    let revived = strike(plan, &broker, &mut servers);
    let (pause, produced) = (watcher.stop(), driver.stop());
    println!("{produced:?} in {} s; {revived} starts had to be repeated", started.elapsed().as_secs());
    println!("longest time without a result {:.1} s", pause.as_secs_f64());
    verify(&broker, &mut servers, &produced);
}

/// Deals all blows; returns how often a server had to be started again because it could not start.
fn strike(plan: &Plan, broker: &Broker, servers: &mut [Server]) -> u32 {
    let mut random = Random(plan.seed);
    let mut blows = vec![Blow::Kill; plan.kills as usize];
    for _ in 0..plan.broker_restarts {
        blows.insert(random.next(blows.len() as u64 + 1) as usize, Blow::BrokerRestart);
    }
    let mut revived = 0;
    for blow in blows {
        pause(random.next(plan.pause_ms));
        revived += revive(servers);
        match blow {
            Blow::Kill => {
                let server = &mut servers[random.next(u64::from(plan.servers)) as usize];
                server.kill();
                server.restart();
            }
            Blow::BrokerRestart => {
                let number = 1 + random.next(u64::from(plan.brokers)) as u32;
                servers.iter_mut().for_each(Server::excuse);
                broker.kill(number);
                pause(random.next(1500));
                broker.up(number);
            }
        }
    }
    pause(random.next(plan.pause_ms));
    revived + revive(servers)
}

fn revive(servers: &mut [Server]) -> u32 {
    servers.iter_mut().map(|server| u32::from(server.revive())).sum()
}

fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Waits until the servers have caught up, stops them, and compares all sinks with the input.
fn verify(broker: &Broker, servers: &mut [Server], produced: &Produced) {
    let legs = Legs::read(&broker.bootstrap);
    assert!(legs.all.len() as u64 >= 2 * produced.committed, "what was committed is there");
    let stopped = Instant::now();
    let mut sinks = sinks();
    let mut readers: Vec<Reader> = sinks.iter().map(|sink| Reader::new(&broker.bootstrap, sink.topic())).collect();
    let mut read = |sinks: &mut [Box<dyn Sink>]| {
        let both = readers.iter_mut().zip(sinks);
        both.map(|(reader, sink)| reader.read(&mut |record| sink.take(record))).sum::<u64>()
    };
    let mut last_news = Instant::now();
    while !sinks.iter().all(|sink| sink.is_complete(&legs)) && last_news.elapsed() < SILENCE {
        if read(&mut sinks) > 0 {
            last_news = Instant::now();
        }
        revive(servers);
    }
    let drained = stopped.elapsed();
    let is_complete = sinks.iter().all(|sink| sink.is_complete(&legs));
    let ends = if is_complete { servers.iter_mut().map(Server::stop).count() } else { 0 };
    // What is there twice may come last.
    read(&mut sinks);
    let counts: Vec<String> = sinks.iter().map(|sink| format!("{} {}", sink.topic(), sink.count())).collect();
    println!("{} legs; drained after {:.1} s; {}", legs.all.len(), drained.as_secs_f64(), counts.join(", "));
    let faults: Vec<String> = sinks.iter().flat_map(|sink| sink.faults(&legs)).collect();
    let logs: Vec<String> = servers.iter().map(|server| format!("{}:\n{}", server.name, server.log_tail())).collect();
    assert!(faults.is_empty(), "{}\n{}", faults.join("\n"), logs.join("\n"));
    assert_eq!(ends, servers.len(), "all servers ended in order");
    assert!(!has_dead_letters(broker), "no record was rejected");
}

fn has_dead_letters(broker: &Broker) -> bool {
    let topics = succeeded(&broker.levada(&["topic", "list"]).output().expect("levada starts"));
    topics.contains("levada_dead_letters")
}
