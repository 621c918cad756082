//! The wallets while their process is killed: each command is handled once, and no look at the balances shows money that was made.
#![expect(clippy::disallowed_methods, reason = "the moments of the kills are real ones")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Place, folder, text};
use crate::crash::Random;
use crate::kafka::Broker;
use crate::questions::json;
use crate::registry::Served;

const KILLS: u64 = 8;
/// Commands that are sent before each kill.
const COMMANDS: u64 = 3_000;
const WALLETS: u64 = 40;
/// The number of the till.
const TILL: u32 = 0;
const REASONS: [&str; 3] = ["PURCHASE", "GIFT", "REFUND"];
const LONGEST_LIFE_MS: u64 = 1_500;

#[test]
fn killed_on_embedded_topics() {
    kill_again_and_again(&Place::embedded());
}

#[test]
fn killed_on_kafka() {
    let Some(broker) = Broker::start() else { return };
    let registry = Served::start(&broker.path("registry"));
    kill_again_and_again(&Place::on_kafka(&broker, &registry, "killed"));
}

fn kill_again_and_again(place: &Place) {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64);
    println!("seed of commands and kills: {seed}");
    let mut random = Random(seed);
    // The story itself comes first: it leaves the schema, some wallets and a little money.
    place.run("wallets");
    let mut books = Books::of(place);
    for round in 0..KILLS {
        let sent = books.commands(&mut random, round * COMMANDS);
        produce(place, &sent);
        let file = text(&folder("wallets").join("wallets.sql"));
        let mut command = place.levada(&["run", &file]);
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("levada starts");
        std::thread::sleep(Duration::from_millis(random.next(LONGEST_LIFE_MS)));
        server.kill().expect("the process is ours");
        server.wait().expect("the process ends");
        let shown: i64 = balances(place).values().sum();
        // Taken from one and not yet given to the other: at most what a single command moves. Never the other way.
        assert!((-books.largest..=0).contains(&shown), "round {round}: all balances together are {shown}, seed {seed}");
    }
    place.output(&["run", &text(&folder("wallets").join("wallets.sql")), "--until-idle"]);
    assert_eq!(balances(place), books.balances, "seed {seed}");
    assert_eq!(balances(place).values().sum::<i64>(), 0);
    let mut entries: BTreeMap<String, u32> = BTreeMap::new();
    for record in records(place, "entries") {
        *entries.entry(record["key"].as_str().expect("ids are texts").to_owned()).or_default() += 1;
    }
    let wrong = entries.iter().find(|(_, count)| **count != 2);
    assert_eq!(wrong, None, "each command has two entries, seed {seed}");
    assert_eq!(entries.len() as u64, books.payments, "seed {seed}");
}

/// What the commands that were sent must lead to.
struct Books {
    /// The id of the commands' schema, as it stands in front of each.
    schema: Vec<u8>,
    balances: BTreeMap<String, i64>,
    /// Commands that move money.
    payments: u64,
    /// The most that one of them moves.
    largest: i64,
}

impl Books {
    /// The books as the story leaves them.
    fn of(place: &Place) -> Self {
        let commands = place.output(&["topic", "consume", "commands", "--output", "json", "--value-format", "hex"]);
        let first = json(commands.lines().next().expect("the story has commands"));
        let digits = first["value"].as_str().expect("digits").trim_start_matches("0x").to_owned();
        let schema = (0..5).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("digits")).collect();
        let payments = records(place, "entries").len() as u64 / 2;
        Self { schema, balances: balances(place), payments, largest: 2_000 }
    }

    /// Commands in Avro as lines of digits, from the number `from` on. One in ten comes twice: who sent it had no answer.
    fn commands(&mut self, random: &mut Random, from: u64) -> String {
        let mut lines = Vec::new();
        for number in from..from + COMMANDS {
            let line = self.command(random, 1_000 + number);
            if random.next(10) == 0 {
                lines.push(line.clone());
            }
            lines.push(line);
        }
        // An echo may be late, too.
        let echo = lines[random.next(lines.len() as u64) as usize].clone();
        lines.push(echo);
        lines.join("\n")
    }

    fn command(&mut self, random: &mut Random, id: u64) -> String {
        let wallet = |random: &mut Random| 0x000c_0000 + random.next(WALLETS) as u32;
        let mut record = self.schema.clone();
        let kind = random.next(8);
        // The type of the union: most commands are payments from wallet to wallet.
        write_long(&mut record, kind.min(2) as i64);
        record.extend(id.to_be_bytes());
        match kind {
            0 => {
                record.extend(wallet(random).to_be_bytes());
                let holder = format!("holder {id}");
                write_long(&mut record, holder.len() as i64);
                record.extend(holder.bytes());
                write_long(&mut record, 0);
            }
            1 => {
                let (payee, cents) = (wallet(random), 1 + random.next(5_000) as i64);
                record.extend(payee.to_be_bytes());
                write_long(&mut record, cents);
                write_long(&mut record, random.next(3) as i64);
                self.pay(TILL, payee, cents);
            }
            _ => {
                let (payer, payee, cents) = (wallet(random), wallet(random), 1 + random.next(900) as i64);
                record.extend(payer.to_be_bytes());
                record.extend(payee.to_be_bytes());
                write_long(&mut record, cents);
                write_long(&mut record, random.next(REASONS.len() as u64) as i64);
                self.pay(payer, payee, cents);
            }
        }
        record.iter().fold("0x".to_owned(), |digits, byte| digits + &format!("{byte:02x}"))
    }

    fn pay(&mut self, payer: u32, payee: u32, cents: i64) {
        self.payments += 1;
        self.largest = self.largest.max(cents);
        *self.balances.entry(format!("{payer:08x}")).or_default() -= cents;
        *self.balances.entry(format!("{payee:08x}")).or_default() += cents;
    }
}

/// A number as Avro has it.
fn write_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn produce(place: &Place, lines: &str) {
    let mut command = place.levada(&["topic", "produce", "commands", "--value-format", "hex"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("levada starts");
    child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("levada reads all lines");
    assert!(child.wait().expect("levada ends").success(), "commands are produced");
}

fn records(place: &Place, topic: &str) -> Vec<Value> {
    place.output(&["topic", "consume", topic, "--output", "json"]).lines().map(json).collect()
}

/// What the topic of balances says now.
fn balances(place: &Place) -> BTreeMap<String, i64> {
    let of = |record: &Value| {
        let wallet = record["key"].as_str().expect("wallets are texts").to_owned();
        (wallet, record["value"]["CENTS"].as_i64().expect("cents"))
    };
    records(place, "balances").iter().map(of).collect()
}
