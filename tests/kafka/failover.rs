//! How long the partitions of a server that is killed stand still.
//!
//! Three servers share a query with 64 partitions and a state of a million keys. One is killed; a new record goes to every
//! partition, and the time is taken until the results of all are committed, with a standby of every state and
//! without. Then a fourth server joins. `make failover`; `LEVADA_FAILOVER_KEYS` changes the size of the state.
#![expect(clippy::disallowed_methods, reason = "how long it takes is what is measured")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::json;

use super::reader::{Reader, Record};
use super::server::Server;
use super::{Broker, succeeded};

const PARTITIONS: u32 = 64;
const SERVERS: u32 = 3;
/// How long partitions may stand still when there is a standby.
const GOAL: Duration = Duration::from_secs(10);
/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long standbys get to read what the others have written last.
const STANDBY: Duration = Duration::from_secs(10);
/// How long records go to all partitions while a server joins, and how often.
const JOIN_ROUNDS: u64 = 40;
const JOIN_PAUSE: Duration = Duration::from_millis(500);

/// One time that was taken.
struct Times {
    half: Duration,
    all: Duration,
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s ({:.1} s for half of them)", self.all.as_secs_f64(), self.half.as_secs_f64())
    }
}

/// Deposits to accounts, and what the servers say about them.
struct Deposits {
    producer: BaseProducer,
    topic: String,
    reader: Reader,
    /// Count and sum of what was written, by account; and of what the sink said last.
    written: HashMap<Vec<u8>, (i64, i64)>,
    found: HashMap<Vec<u8>, (i64, i64)>,
    /// An account for which the sink went back.
    went_back: Option<String>,
}

impl Deposits {
    fn write(&mut self, partition: u32, account: &str, amount: i64) {
        let value = json!({ "amount": amount }).to_string();
        let mut record = BaseRecord::to(&self.topic).partition(partition as i32).key(account).payload(&value);
        while let Err((error, rejected)) = self.producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), "records can be written");
            self.producer.poll(Duration::from_millis(50));
            record = rejected;
        }
        let (count, total) = self.written.entry(account.as_bytes().to_vec()).or_default();
        (*count, *total) = (*count + 1, *total + amount);
    }

    /// One record to every partition.
    fn probe(&mut self) {
        (0..PARTITIONS).for_each(|partition| self.write(partition, &probe(partition), 1));
        self.producer.flush(PATIENCE).expect("records are written");
    }

    fn take(&mut self) {
        let (found, went_back) = (&mut self.found, &mut self.went_back);
        self.reader.read(&mut |record: &Record<'_>| {
            let value = record.value.clone().unwrap_or_default();
            let number = |name: &str| value[name].as_i64().unwrap_or(i64::MIN);
            let now = (number("N"), number("TOTAL"));
            let before = found.insert(record.key.to_vec(), now).unwrap_or_default();
            if now.0 <= before.0 {
                went_back.get_or_insert_with(|| format!("{} {before:?} {now:?}", record.key.escape_ascii()));
            }
        });
    }

    /// Waits until the sink has what was written before, of all partitions.
    fn wait(&mut self, what: &str) -> Times {
        let started = Instant::now();
        let mut half = None;
        loop {
            self.take();
            let is_there = |partition: &u32| {
                let key = probe(*partition).into_bytes();
                self.found.get(&key) == self.written.get(&key)
            };
            let there = (0..PARTITIONS).filter(is_there).count() as u32;
            if there >= PARTITIONS / 2 {
                half.get_or_insert_with(|| started.elapsed());
            }
            if there == PARTITIONS && self.found.len() == self.written.len() {
                let all = started.elapsed();
                return Times { half: half.unwrap_or(all), all };
            }
            assert!(started.elapsed() < PATIENCE, "{what}: {there} of {PARTITIONS} partitions go on");
        }
    }

    fn verify(&self) {
        assert_eq!(self.went_back, None, "counts only grow");
        let different = self.written.iter().find(|(key, sums)| self.found.get(*key) != Some(sums));
        let different = different.map(|(key, sums)| (key.escape_ascii().to_string(), sums, self.found.get(key)));
        assert_eq!(different, None, "all sums are those of the input");
        assert_eq!(self.found.len(), self.written.len(), "no other account is in the sink");
    }
}

fn probe(partition: u32) -> String {
    format!("probe-{partition}")
}

#[test]
#[ignore = "takes minutes: make failover"]
fn partitions_go_on_when_a_server_is_killed() {
    let Some(broker) = Broker::start_alone() else { return };
    let keys = std::env::var("LEVADA_FAILOVER_KEYS").map_or(1_000_000, |text| text.parse().expect("a number of keys"));
    println!("{SERVERS} servers, {PARTITIONS} partitions, {keys} keys");
    let with_standby = kill_one(&broker, "standby", keys, 1);
    kill_one(&broker, "alone", keys, 0);
    assert!(with_standby.all <= GOAL, "with a standby all partitions go on within {} s", GOAL.as_secs());
}

/// Kills one of the servers of a service; returns how long its partitions stood still.
fn kill_one(broker: &Broker, name: &str, keys: u64, standbys: u32) -> Times {
    println!("\nnum.standby.replicas = {standbys}");
    let topic = format!("deposits-{name}");
    let create = ["topic", "create", &topic, "--partitions", &PARTITIONS.to_string()];
    succeeded(&broker.levada(&create).output().expect("levada starts"));
    let file = broker.path(&format!("{name}.sql"));
    std::fs::write(&file, statements(&topic, name)).expect("a file is written");
    let file = file.to_str().expect("temporary names are text");
    let properties = [format!("ksql.service.id={name}_"), format!("ksql.streams.num.standby.replicas={standbys}")];
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    let start = |number| Server::start(broker, &format!("{name}-{number}"), file, &properties);
    let mut servers: Vec<Server> = (1..=SERVERS).map(start).collect();

    let mut deposits = Deposits {
        producer: producer(broker),
        reader: Reader::new(&broker.bootstrap, &format!("TOTALS_{}", name.to_uppercase())),
        topic,
        written: HashMap::new(),
        found: HashMap::new(),
        went_back: None,
    };
    for number in 0..keys {
        deposits.write((number % u64::from(PARTITIONS)) as u32, &format!("a{number}"), number as i64);
    }
    deposits.probe();
    println!("the state is there after      {}", deposits.wait("at the beginning"));
    std::thread::sleep(STANDBY);
    deposits.probe();
    println!("a record to all partitions    {}", deposits.wait("with all servers"));
    servers.remove(0).kill();
    deposits.probe();
    let times = deposits.wait("after a kill");
    println!("the same after a kill         {times}");
    servers.push(start(SERVERS + 1));
    for _ in 0..JOIN_ROUNDS {
        deposits.probe();
        deposits.take();
        std::thread::sleep(JOIN_PAUSE);
    }
    println!("a server has joined           {}", deposits.wait("after a join"));
    servers.iter_mut().for_each(Server::stop);
    deposits.take();
    deposits.verify();
    times
}

fn statements(topic: &str, name: &str) -> String {
    format!(
        "SET 'auto.offset.reset' = 'earliest';
         CREATE STREAM deposits_{name} (account STRING KEY, amount BIGINT)
           WITH (kafka_topic = '{topic}', value_format = 'json');
         CREATE TABLE totals_{name} AS
           SELECT account, COUNT(*) AS n, SUM(amount) AS total FROM deposits_{name} GROUP BY account;"
    )
}

fn producer(broker: &Broker) -> BaseProducer {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &broker.bootstrap).set("enable.idempotence", "true").set("linger.ms", "5");
    config.create().expect("the settings are valid")
}
