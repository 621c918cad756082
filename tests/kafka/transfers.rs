//! The input of the crash verifier: an account gives an amount to another, again and again.
//!
//! A transfer is two records, its *legs*, one that takes and one that gives, in one transaction of the driver: all
//! committed legs together are zero at any time. Some transactions are aborted on purpose, others by brokers that go; the
//! input is what is committed in the end, whatever the driver believes.
#![expect(clippy::disallowed_methods, reason = "records are produced while time passes")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::json;

use super::reader::{Place, Reader, Record};
use crate::crash::Random;

/// Topic of the legs, and of the accounts' branches.
pub const LEGS: &str = "legs";
pub const ACCOUNTS: &str = "accounts";
const ACCOUNT_COUNT: u64 = 200;
const BRANCHES: u64 = 7;
/// Milliseconds of event time from one transfer to the next.
const STEP_MS: i64 = 10;
const PATIENCE: Duration = Duration::from_secs(20);

/// The branch that holds `account`.
pub fn branch(account: &str) -> String {
    let number: u64 = account.trim_start_matches('a').parse().expect("accounts are numbered");
    format!("b{}", number % BRANCHES)
}

/// What one transfer does to one account.
pub struct Leg {
    /// `17-` and `17+`: no two are the same.
    pub name: String,
    pub account: String,
    pub amount: i64,
    pub time_ms: i64,
    /// Where it is in the input.
    pub place: Place,
}

/// All committed legs, in the order of each partition.
pub struct Legs {
    pub all: Vec<Leg>,
    by_name: HashMap<String, usize>,
}

impl Legs {
    /// Reads the input, which nobody writes any more.
    pub fn read(bootstrap: &str) -> Self {
        let (mut all, mut by_name) = (Vec::new(), HashMap::new());
        Reader::new(bootstrap, LEGS).read_all(&mut |record| {
            let leg = leg(record);
            let before = by_name.insert(leg.name.clone(), all.len());
            assert_eq!(before, None, "the driver writes each leg once: {} at {}", leg.name, leg.place);
            all.push(leg);
        });
        assert_eq!(all.iter().map(|leg| leg.amount).sum::<i64>(), 0, "what the driver wrote is zero together");
        Self { all, by_name }
    }

    pub fn find(&self, name: &str) -> Option<&Leg> {
        self.by_name.get(name).map(|index| &self.all[*index])
    }
}

fn leg(record: &Record<'_>) -> Leg {
    let value = record.value.as_ref().expect("legs have values");
    let text = |name: &str| value[name].as_str().expect("a leg has texts").to_owned();
    Leg {
        name: text("leg"),
        account: text("account"),
        amount: value["amount"].as_i64().expect("a leg has an amount"),
        time_ms: record.time_ms,
        place: record.place,
    }
}

/// Writes all accounts with their branches.
pub fn write_accounts(bootstrap: &str) {
    let producer: BaseProducer = config(bootstrap).create().expect("the settings are valid");
    for number in 0..ACCOUNT_COUNT {
        let key = format!("a{number}");
        let value = json!({ "branch": branch(&key) }).to_string();
        let record = BaseRecord::to(ACCOUNTS).key(&key).payload(&value).timestamp(1000);
        producer.send(record).map_err(|(error, _)| error).expect("the queue has room");
    }
    producer.flush(PATIENCE).expect("the accounts are written");
}

/// What the driver has done, in transfers.
#[derive(Debug, Default)]
pub struct Produced {
    pub committed: u64,
    /// Aborted on purpose.
    pub aborted: u64,
    /// Ended by a failure, committed or not.
    pub interrupted: u64,
}

/// Produces transfers until it is stopped.
pub struct Driver {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Produced>,
}

impl Driver {
    pub fn start(bootstrap: &str, seed: u64, per_second: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, bootstrap) = (Arc::clone(&stop), bootstrap.to_owned());
        let thread = std::thread::spawn(move || drive(&bootstrap, Random(seed), per_second, &flag));
        Self { stop, thread }
    }

    pub fn stop(self) -> Produced {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the driver lives")
    }
}

fn drive(bootstrap: &str, mut random: Random, per_second: u64, stop: &AtomicBool) -> Produced {
    let begin = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis() as i64;
    let mut produced = Produced::default();
    let mut producer = None;
    let mut number = 0;
    while !stop.load(Ordering::Acquire) {
        let size = 1 + random.next(200);
        let aborts = random.next(16) == 0;
        let connected = match producer.take().map_or_else(|| connect(bootstrap), Ok) {
            Ok(connected) => producer.insert(connected),
            Err(_) => continue,
        };
        match transaction(connected, number..number + size, begin, &mut random, aborts) {
            Ok(()) if aborts => produced.aborted += size,
            Ok(()) => produced.committed += size,
            Err(_) => {
                produced.interrupted += size;
                // A producer that goes while requests are on their way may leave what nobody can end: it ends its own, if it can.
                if connected.abort_transaction(PATIENCE).is_err() {
                    // The next producer of this name ends what is open.
                    producer = None;
                }
            }
        }
        number += size;
        std::thread::sleep(Duration::from_millis(1000 * size / per_second));
    }
    // With a producer of this name that is new, nothing is left open.
    drop(producer);
    while connect(bootstrap).is_err() {}
    produced
}

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("partitioner", "murmur2_random").set("linger.ms", "0");
    config
}

fn connect(bootstrap: &str) -> KafkaResult<BaseProducer> {
    let mut config = config(bootstrap);
    config.set("transactional.id", "crash-driver").set("transaction.timeout.ms", "20000");
    let producer: BaseProducer = config.create()?;
    producer.init_transactions(PATIENCE)?;
    Ok(producer)
}

fn transaction(
    producer: &BaseProducer,
    transfers: std::ops::Range<u64>,
    begin: i64,
    random: &mut Random,
    aborts: bool,
) -> KafkaResult<()> {
    producer.begin_transaction()?;
    for number in transfers {
        let from = random.next(ACCOUNT_COUNT);
        let to = (from + 1 + random.next(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT;
        let amount = 1 + random.next(1000) as i64;
        for (sign, account, amount) in [('-', from, -amount), ('+', to, amount)] {
            let value = json!({ "leg": format!("{number}{sign}"), "account": format!("a{account}"), "amount": amount });
            let (key, value) = (format!("t{number}"), value.to_string());
            let time_ms = begin + number as i64 * STEP_MS;
            let record = BaseRecord::to(LEGS).key(&key).payload(&value).timestamp(time_ms);
            producer.send(record).map_err(|(error, _)| error)?;
        }
    }
    producer.flush(PATIENCE)?;
    if aborts { producer.abort_transaction(PATIENCE) } else { producer.commit_transaction(PATIENCE) }
}
