//! What many queries over one topic cost, beside one.

use std::fmt::Write as _;
use std::time::Duration;

use crate::Effort;
use crate::broker::Broker;
use crate::client::{create_topics, fill, read_until};
use crate::engine::{Engine, Setup};
use crate::generator::{self, Records};
use crate::throughput::EVENTS;

const QUERIES: usize = 200;
const GOAL: f64 = 20.0;
/// Prices are below this.
const PRICES: usize = 100_000;

/// CPU time of 200 queries that route the events of a topic by price, and of the first of them alone. The queries run when the
/// records come.
pub fn report(broker: &Broker, effort: &Effort) -> bool {
    let events = generator::events(effort.records / 4);
    let one = cost(broker, &events, 1);
    let all = cost(broker, &events, QUERIES);
    let ratio = all.as_secs_f64() / one.as_secs_f64();
    println!("\n| {} records | measured | goal |\n|---|--:|--:|", events.len());
    println!("| one filter query, CPU | {:.2} s | |", one.as_secs_f64());
    println!("| {QUERIES} filter queries over one topic, CPU | {:.2} s | |", all.as_secs_f64());
    println!("| their ratio | {ratio:.1} | {GOAL:.0} |");
    ratio < GOAL
}

fn cost(broker: &Broker, events: &Records, queries: usize) -> Duration {
    let input = format!("prices{queries}");
    let sinks: Vec<String> = (0..queries).map(|query| format!("{input}_{query}")).collect();
    let topics = || sinks.iter().map(String::as_str);
    create_topics(&broker.bootstrap, topics().chain([input.as_str()]), 1);
    let mut statements = EVENTS.replace("'input'", &format!("'{input}'"));
    let width = PRICES / QUERIES;
    for (query, sink) in sinks.iter().enumerate() {
        let (low, high) = (query * width, (query + 1) * width);
        write!(
            statements,
            "CREATE STREAM s{query} WITH (KAFKA_TOPIC = '{sink}', PARTITIONS = 1) AS SELECT account, id, region, price
               FROM events WHERE price >= {low} AND price < {high} EMIT CHANGES;"
        )
        .expect("a String takes all text");
    }
    let engine =
        Engine::start(broker, &Setup { service: &input, statements: &statements, properties: &[] }).with_log_shown();
    engine.settle(queries);
    let before = engine.cpu();
    fill(&broker.bootstrap, &input, events, 1);
    let expected = routed(events, queries * width);
    let mut found = 0;
    read_until(&broker.bootstrap, topics(), 1, |message| {
        found += usize::from(message.is_some());
        found == expected
    });
    let cpu = engine.cpu().checked_sub(before).unwrap_or_default();
    engine.stop_and_forget();
    cpu
}

/// Number of events with a price below `limit`.
fn routed(events: &Records, limit: usize) -> usize {
    let price = |row| {
        let value: serde_json::Value = serde_json::from_slice(events.value(row)).expect("the generator writes JSON");
        value["price"].as_u64().expect("a price")
    };
    (0..events.len()).filter(|row| price(*row) < limit as u64).count()
}
