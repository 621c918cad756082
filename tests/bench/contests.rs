//! Levada against the loops of [`yardstick`], taken in one process, alternately.
//!
//! Filter + project, tumbling windows and the stream-table join have loops that do the same. Sessions, overlapping windows
//! and the joins of two streams and of two tables are measured against what is least for a record of any stateful work:
//! one decode, one update of a hash map, one encode ([`yardstick::aggregate_per_record`]). Their goals are stated so too.

use std::time::Duration;

use crate::counts;
use crate::cpu::{CpuTimer, median};
use crate::figures::Figures;
use crate::generator::{self, ACCOUNTS, EVENTS, Kind, PURCHASES, Records};
use crate::pipelines::{Feed, Pipeline, Run, Setup};
use crate::statements::{
    CACHE_OFF, FILTER_PROJECT, FOREIGN_KEY, HOPPING, SESSION, STREAM_STREAM, STREAM_STREAM_DAY, STREAM_TABLE,
    TABLE_TABLE, TUMBLING,
};
use crate::yardstick;

/// How many results a run must leave.
#[derive(Clone, Copy)]
enum Results {
    /// As many as the loop.
    AsLoop,
    /// At least as many: an aggregate emits once more per commit.
    AtLeastAsLoop,
    /// So many.
    Exactly(usize),
    /// At least so many.
    AtLeast(usize),
}

/// One line of the table.
struct Contest<'a> {
    name: &'static str,
    goal: Option<f64>,
    pipeline: Pipeline<'a>,
    yardstick: &'a dyn Fn(&mut Records),
    results: Results,
}

/// The table, line by line.
pub struct Table {
    records: usize,
    repeats: usize,
    figures: Figures,
    missed: bool,
}

/// A name, and what adds the lines of a group.
type Group = (&'static str, fn(&mut Table));

/// All groups of lines by name.
const GROUPS: [Group; 8] = [
    ("filter", filter),
    ("tumbling", tumbling),
    ("keys", many_keys),
    ("hopping", hopping),
    ("session", session),
    ("stream-table", stream_table),
    ("stream-stream", stream_stream),
    ("table-table", tables),
];

/// Distinct keys where they are many, and records per second of record time that let most meet in one window.
const MANY_KEYS: Kind = Kind { prefix: "acct", keys: 5_000_000, per_second: 10_000, seed: 6 };
/// Distinct orders that refer to shops.
const ORDERS: u64 = 200_000;
const SESSION_GAP_MS: i64 = 120_000;
const WITHIN_MS: i64 = 10_000;

/// Prints the table of ratios, of those groups that are `wanted` (all if none is named); whether all goals are met.
/// With `record`, the ratios become those that later runs are compared with.
pub fn report(records: usize, repeats: usize, wanted: &[String], record: bool) -> bool {
    let mut table = Table { records, repeats, figures: Figures::read(), missed: false };
    println!(
        "\n{records} records of {} bytes, {ACCOUNTS} accounts, {} shops; median of {repeats}; records per CPU-second\n",
        generator::events(1_000).value_bytes_mean(),
        generator::SHOPS
    );
    println!("| work | loop | Levada | ratio | goal | was | now / was |\n|---|--:|--:|--:|--:|--:|--:|");
    for (name, group) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            group(&mut table);
        }
    }
    if record {
        table.figures.write();
    }
    !table.missed
}

fn over<'a>(statements: &'a str, inputs: Vec<Feed<'a>>) -> Pipeline<'a> {
    Pipeline { statements, loaded: Vec::new(), inputs, setup: Setup::default() }
}

fn filter(table: &mut Table) {
    let events = generator::events(table.records);
    table.hold(&Contest {
        name: "filter + project, 75 % kept",
        goal: Some(1.0),
        pipeline: over(FILTER_PROJECT, vec![("input", &events)]),
        yardstick: &|output| yardstick::filter_project(&events, output),
        results: Results::AsLoop,
    });
}

fn tumbling(table: &mut Table) {
    let events = generator::events(table.records);
    table.hold(&Contest {
        name: "tumbling COUNT/SUM by key, emission at commit",
        goal: Some(0.8),
        pipeline: over(TUMBLING, vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_at_end(&events, output),
        results: Results::AtLeastAsLoop,
    });
    table.hold(&Contest {
        name: "tumbling COUNT/SUM by key, emission per record",
        goal: Some(0.5),
        pipeline: over(&cache_off(TUMBLING), vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_per_record(&events, output),
        results: Results::AsLoop,
    });
}

fn many_keys(table: &mut Table) {
    let events = generator::keyed(table.records * 12, MANY_KEYS);
    let repeats = table.repeats;
    table.repeats = repeats.min(3);
    table.hold(&Contest {
        name: "tumbling COUNT/SUM by 5,000,000 keys, emission at commit",
        goal: Some(0.2),
        pipeline: over(TUMBLING, vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_at_end(&events, output),
        results: Results::AtLeastAsLoop,
    });
    table.repeats = repeats;
}

fn hopping(table: &mut Table) {
    let events = generator::keyed(table.records, Kind { per_second: 1_000, ..EVENTS });
    table.hold(&Contest {
        name: "hopping COUNT/SUM, 12 windows a record, emission at commit",
        goal: Some(0.08),
        pipeline: over(HOPPING, vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_per_record(&events, output),
        results: Results::AtLeast(counts::windows(&events, 60_000, 5_000)),
    });
    table.hold(&Contest {
        name: "hopping COUNT/SUM, 12 windows a record, emission per record",
        goal: None,
        pipeline: over(&cache_off(HOPPING), vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_per_record(&events, output),
        results: Results::Exactly(12 * events.len()),
    });
}

fn session(table: &mut Table) {
    let events = generator::events(table.records);
    let (sessions, changes) = counts::sessions(&events, SESSION_GAP_MS);
    table.hold(&Contest {
        name: "session COUNT/SUM, 3 records a session, emission at commit",
        goal: Some(0.3),
        pipeline: over(SESSION, vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_per_record(&events, output),
        results: Results::AtLeast(sessions),
    });
    table.hold(&Contest {
        name: "session COUNT/SUM, 3 records a session, emission per record",
        goal: None,
        pipeline: over(&cache_off(SESSION), vec![("input", &events)]),
        yardstick: &|output| yardstick::aggregate_per_record(&events, output),
        results: Results::Exactly(changes),
    });
}

fn stream_table(table: &mut Table) {
    let (purchases, rows) = (generator::keyed(table.records, PURCHASES), generator::shops());
    let shops = yardstick::load_shops(&rows);
    table.hold(&Contest {
        name: "stream-table join, table of 100,000 rows",
        goal: Some(0.6),
        pipeline: Pipeline { loaded: vec![("table", &rows)], ..over(STREAM_TABLE, vec![("input", &purchases)]) },
        yardstick: &|output| yardstick::join(&purchases, &shops, output),
        results: Results::AsLoop,
    });
}

fn stream_stream(table: &mut Table) {
    let (orders, payments) = generator::orders_and_payments(table.records / 2, 1_000);
    let pairs = counts::pairs(&orders, &payments, WITHIN_MS);
    let both = |output: &mut Records| {
        yardstick::aggregate_per_record(&orders, output);
        yardstick::aggregate_per_record(&payments, output);
    };
    let lines = [
        ("stream-stream join within 10 s, grace 10 s", Some(0.2), STREAM_STREAM),
        ("stream-stream join within 10 s, grace of a day", None, STREAM_STREAM_DAY),
    ];
    for (name, goal, statements) in lines {
        table.hold(&Contest {
            name,
            goal,
            pipeline: over(statements, vec![("input", &orders), ("other", &payments)]),
            yardstick: &both,
            results: Results::Exactly(pairs),
        });
    }
}

fn tables(table: &mut Table) {
    let offers = Kind { seed: 7, ..PURCHASES };
    let (shops_loaded, offers_loaded) = (generator::one_per_key(PURCHASES), generator::one_per_key(offers));
    let (left, right) = (generator::keyed(table.records / 2, PURCHASES), generator::keyed(table.records / 2, offers));
    let both = |output: &mut Records| {
        yardstick::aggregate_per_record(&left, output);
        yardstick::aggregate_per_record(&right, output);
    };
    let pipeline = |statements| Pipeline {
        loaded: vec![("input", &shops_loaded), ("other", &offers_loaded)],
        ..over(statements, vec![("input", &left), ("other", &right)])
    };
    // The tables are loaded by the same query: its results then come on top.
    let loaded = PURCHASES.keys as usize;
    table.hold(&Contest {
        name: "table-table join, 100,000 rows each, emission at commit",
        goal: Some(0.3),
        pipeline: pipeline(TABLE_TABLE),
        yardstick: &both,
        results: Results::AtLeast(counts::keys(&[&left, &right]) + loaded),
    });
    table.hold(&Contest {
        name: "table-table join, 100,000 rows each, emission per record",
        goal: None,
        pipeline: pipeline(&cache_off(TABLE_TABLE)),
        yardstick: &both,
        results: Results::Exactly(left.len() + right.len() + loaded),
    });
    let orders = generator::orders_of_shops(table.records / 10 * 9, ORDERS);
    let shops = generator::keyed(table.records / 10, PURCHASES);
    table.hold(&Contest {
        name: "foreign-key join, 200,000 rows to 100,000",
        goal: Some(0.1),
        pipeline: Pipeline {
            loaded: vec![("table", &shops_loaded)],
            ..over(FOREIGN_KEY, vec![("input", &orders), ("table", &shops)])
        },
        yardstick: &|output| {
            yardstick::aggregate_per_record(&orders, output);
            yardstick::aggregate_per_record(&shops, output);
        },
        results: Results::AtLeast(counts::keys(&[&orders])),
    });
}

fn cache_off(statements: &str) -> String {
    format!("{CACHE_OFF}{statements}")
}

impl Table {
    /// Runs loop and engine in turn, prints the line, and takes note whether the goal is met.
    fn hold(&mut self, contest: &Contest<'_>) {
        let mut output = Records::default();
        let (mut loop_times, mut levada_times) = (Vec::new(), Vec::new());
        // The first round fills caches and page tables and is thrown away.
        for round in 0..=self.repeats {
            let loop_time = contest.time_yardstick(&mut output);
            let run = contest.pipeline.run();
            contest.compare(&run, &output);
            if round > 0 {
                loop_times.push(loop_time);
                levada_times.push(run.cpu);
            }
        }
        let records = contest.pipeline.records();
        let rate = |times| records as f64 / Duration::as_secs_f64(&median(times)) / 1e6;
        let (yardstick, levada) = (rate(loop_times), rate(levada_times));
        let ratio = levada / yardstick;
        let goal = contest.goal.map_or_else(String::new, |goal| format!("{goal:.2}"));
        let before = self.figures.get(contest.name);
        let was = before.map_or_else(String::new, |before| format!("{before:.2}"));
        let change = before.map_or_else(String::new, |before| format!("{:.2}", ratio / before));
        println!("| {} | {yardstick:.2} M | {levada:.2} M | {ratio:.2} | {goal} | {was} | {change} |", contest.name);
        self.missed |= contest.goal.is_some_and(|goal| ratio < goal);
        self.figures.set(contest.name, ratio);
    }
}

impl Contest<'_> {
    fn time_yardstick(&self, output: &mut Records) -> Duration {
        output.clear();
        let timer = CpuTimer::start();
        (self.yardstick)(output);
        timer.elapsed()
    }

    fn compare(&self, run: &Run, output: &Records) {
        let (agree, expected) = match self.results {
            Results::AsLoop => (run.results == output.len(), output.len()),
            Results::AtLeastAsLoop => (run.results >= output.len(), output.len()),
            Results::Exactly(count) => (run.results == count, count),
            Results::AtLeast(count) => (run.results >= count, count),
        };
        assert!(agree, "{}: {} results, {expected} are expected", self.name, run.results);
    }
}
