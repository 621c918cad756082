//! Three servers that are restarted one after the other while records come and pull queries are asked: nothing is lost, nothing is there
//! twice, and whoever is asked answers.
#![expect(clippy::disallowed_methods, reason = "what a cluster takes is real time")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::json;

use super::Broker;
use super::reader::{Reader, Record};
use super::service::{Asking, Node, NodeClient, PATIENCE, wait_for};

const KEYS: usize = 48;
const PARTITIONS: usize = 6;
/// How long pull queries may go without an answer while a server goes or comes.
const OUTAGE: Duration = Duration::from_secs(5);
/// How often records come and queries are asked.
const PAUSE: Duration = Duration::from_millis(10);

/// Does something again and again until it is told to end.
struct Steady<T> {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Steady<T> {
    fn start<S: Send + 'static>(
        mut state: S,
        step: impl Fn(&mut S) + Send + 'static,
        end: impl FnOnce(S) -> T + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !flag.load(Ordering::Acquire) {
                step(&mut state);
                std::thread::sleep(PAUSE);
            }
            end(state)
        });
        Self { stop, thread }
    }

    fn end(self) -> T {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("nothing has gone wrong")
    }
}

/// What writes a record for each key in turn.
struct Deposits {
    producer: BaseProducer,
    /// How many were written for each key.
    written: HashMap<String, i64>,
    number: usize,
}

impl Deposits {
    fn to(broker: &Broker) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &broker.bootstrap).set("enable.idempotence", "true").set("linger.ms", "5");
        let producer: BaseProducer = config.create().expect("the settings are valid");
        Self { producer, written: HashMap::new(), number: 0 }
    }

    fn write(&mut self) {
        let key = format!("a{}", self.number % KEYS);
        let value = json!({"amount": 1}).to_string();
        self.producer.send(BaseRecord::to("deposits").key(&key).payload(&value)).expect("there is room");
        self.producer.poll(Duration::ZERO);
        *self.written.entry(key).or_default() += 1;
        self.number += 1;
    }

    fn flush(&self) {
        self.producer.flush(PATIENCE).expect("records are written");
    }

    /// Goes on until it is told to end; how many were written for each key then.
    fn go_on(self) -> Steady<HashMap<String, i64>> {
        Steady::start(self, Self::write, |deposits| {
            deposits.flush();
            deposits.written
        })
    }
}

/// Whether all copies of the table, those at hand among them, have all that was written.
fn copies_are_complete(node: &Node) -> bool {
    let cluster = node.cluster();
    let hosts = cluster.as_object().into_iter().flat_map(|hosts| hosts.values());
    let stores = hosts.filter_map(|host| host["hostStoreLags"]["stateStoreLags"].as_object());
    let partitions = stores.flat_map(|stores| stores.values()).filter_map(|store| store["lagByPartition"].as_object());
    let lags: Vec<Option<i64>> =
        partitions.flat_map(|partitions| partitions.values()).map(|lag| lag["offsetLag"].as_i64()).collect();
    lags.len() == 2 * PARTITIONS && lags.iter().all(|lag| *lag == Some(0))
}

/// What asking a server again and again has given.
#[derive(Default)]
struct Asked {
    answers: usize,
    refusals: Vec<(u16, String)>,
    silent_since: Option<Instant>,
    outage: Duration,
}

impl Asked {
    fn note(&mut self, answer: Result<usize, (u16, String)>) {
        match answer {
            Ok(_) => {
                self.answers += 1;
                self.silent_since = None;
            }
            Err(refusal) => {
                self.refusals.push(refusal);
                let since = *self.silent_since.get_or_insert_with(Instant::now);
                self.outage = self.outage.max(since.elapsed());
            }
        }
    }
}

/// Asks for one key after the other, and for all.
fn ask(client: NodeClient) -> Steady<Asked> {
    let step = move |(asked, number): &mut (Asked, usize)| {
        *number += 1;
        let key = *number % KEYS;
        let by_key = client.rows(&format!("SELECT account, n FROM totals WHERE account = 'a{key}';"));
        asked.note(by_key.map(|rows| rows.len()));
        if number.is_multiple_of(5) {
            let rows = client.rows("SELECT account, n FROM totals;");
            assert!(rows.as_ref().is_ok_and(|rows| rows.len() == KEYS) || rows.is_err(), "all rows or none: {rows:?}");
            asked.note(rows.map(|rows| rows.len()));
        }
    };
    Steady::start((Asked::default(), 0), step, |(asked, _)| asked)
}

#[test]
fn a_rolling_restart_loses_nothing_and_pull_queries_go_on() {
    let Some(broker) = Broker::start_alone() else { return };
    let properties = [
        "ksql.service.id=rolling_",
        "ksql.streams.num.standby.replicas=1",
        "ksql.streams.commit.interval.ms=200",
        "num.stream.threads=2",
        "ksql.query.pull.enable.standby.reads=true",
        "ksql.lag.reporting.enable=true",
        "ksql.lag.reporting.send.interval.ms=100",
    ];
    let properties = properties.map(ToOwned::to_owned);
    let start = |name: &str| Node::start(&broker, name, "127.0.0.1:0", &properties, &Asking::default());
    let mut nodes: Vec<Node> = ["one", "two", "three"].map(start).into();
    nodes.iter().for_each(Node::until_ready);
    wait_for("all servers have agreed", || {
        nodes.iter().all(|node| node.cluster().as_object().is_some_and(|all| all.len() == 3))
    });
    nodes[0].run(
        "CREATE STREAM deposits (account STRING KEY, amount BIGINT)
           WITH (kafka_topic = 'deposits', value_format = 'json', partitions = 6);
         CREATE TABLE totals AS SELECT account, COUNT(*) AS n FROM deposits GROUP BY account;",
    );
    let mut deposits = Deposits::to(&broker);
    (0..KEYS).for_each(|_| deposits.write());
    deposits.flush();
    for node in &nodes {
        let has_all = || node.client().rows("SELECT account FROM totals;").is_ok_and(|rows| rows.len() == KEYS);
        wait_for("all keys are there", has_all);
        wait_for("all keys are in all copies", || copies_are_complete(node));
    }
    let producing = deposits.go_on();
    for index in 0..nodes.len() {
        let others = (0..nodes.len()).filter(|other| *other != index);
        let asking: Vec<_> = others.map(|other| ask(nodes[other].client())).collect();
        nodes[index].stop();
        nodes[index].start_again();
        nodes[index].until_ready();
        for asked in asking.into_iter().map(Steady::end) {
            let outage = asked.outage;
            println!(
                "restart of {}: {} answers, {} refusals, {outage:?}",
                nodes[index].name,
                asked.answers,
                asked.refusals.len()
            );
            assert!(asked.answers > 10, "{:?}", asked.refusals.last());
            let others = asked.refusals.iter().find(|(status, _)| *status != 503);
            assert_eq!(others, None, "only the error that says to try again");
            assert!(outage < OUTAGE, "no answer for {outage:?}: {:?}", asked.refusals.last());
        }
    }
    let written = producing.end();
    for node in &nodes {
        let is_complete = || {
            let rows = node.client().rows("SELECT account, n FROM totals;").unwrap_or_default();
            let found: HashMap<String, i64> =
                rows.iter().filter_map(|row| Some((row[0].as_str()?.to_owned(), row[1].as_i64()?))).collect();
            rows.len() == KEYS && found == written
        };
        wait_for("each record is counted once, whoever is asked", is_complete);
    }
    nodes.iter_mut().for_each(Node::stop);
    counts_only_grow(&broker, &written);
}

/// The topic of results has each count once, in order, and the last one at its end.
fn counts_only_grow(broker: &Broker, written: &HashMap<String, i64>) {
    let mut last: HashMap<String, i64> = HashMap::new();
    Reader::new(&broker.bootstrap, "TOTALS").read_all(&mut |record: &Record<'_>| {
        let key = String::from_utf8_lossy(record.key).into_owned();
        let now = record.value.as_ref().and_then(|value| value["N"].as_i64()).unwrap_or_default();
        let before = last.insert(key.clone(), now).unwrap_or_default();
        assert!(now > before, "{key}: {now} after {before}");
    });
    assert_eq!(&last, written);
}
