//! What a record costs, and what a run costs.
//!
//! The first part runs the built binary and reports CPU time, wall time and memory. The second part is what statements cost
//! before anything runs. The third part is a ratio: Levada's records per CPU-second over those of a hand-written loop that
//! does the same, taken in one process, alternately. The goals beside the numbers are the ones that must hold; the exit code says whether they do.
//!
//! With the argument `planning` only the second part is run. `LEVADA_BENCH_RECORDS` (default 500,000) and `LEVADA_BENCH_REPEATS` (default 5) set the effort;
//! `LEVADA_FLIGHTS_CSV` names the flights of the year.

mod command_line;
mod cpu;
mod generator;
mod pipelines;
mod planning;
mod yardstick;

use std::time::Duration;

use cpu::{CpuTimer, median};
use generator::Records;
use pipelines::{Pipeline, Run};

/// The binary's allocator, so that loop and engine allocate as they would in production.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM events (account STRING KEY, id BIGINT, region STRING, kind STRING, quantity INT, price BIGINT,
    rate DOUBLE, device STRING, session STRING, created BIGINT, note STRING)
  WITH (KAFKA_TOPIC = 'input', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');
";

const FILTER_PROJECT: &str = "
CREATE STREAM result AS
  SELECT account, id, region, kind, price * quantity AS total, rate, session, created
  FROM events WHERE quantity >= 25 EMIT CHANGES;
";

const AGGREGATE: &str = "
CREATE TABLE result AS
  SELECT account, COUNT(*) AS n, SUM(price) AS total
  FROM events WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY account EMIT CHANGES;
";

const JOIN: &str = "
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM purchases (shop STRING KEY, id BIGINT, region STRING, kind STRING, quantity INT, price BIGINT,
    rate DOUBLE, device STRING, session STRING, created BIGINT, note STRING)
  WITH (KAFKA_TOPIC = 'input', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');
CREATE TABLE shops (shop STRING PRIMARY KEY, name STRING, city STRING, tier INT)
  WITH (KAFKA_TOPIC = 'table', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');
CREATE STREAM result AS
  SELECT p.shop AS shop, p.id AS id, p.kind AS kind, p.price AS price, p.created AS created,
    s.name AS name, s.city AS city, s.tier AS tier
  FROM purchases p LEFT JOIN shops s ON p.shop = s.shop EMIT CHANGES;
";

/// How many results a run must leave, given what the loop left.
#[derive(Clone, Copy)]
enum Results {
    /// As many as the loop.
    Same,
    /// At least as many: an aggregate emits once more per commit.
    AtLeast,
}

/// One line of the second table.
struct Contest<'a> {
    name: &'static str,
    goal: f64,
    pipeline: Pipeline<'a>,
    yardstick: Box<dyn Fn(&mut Records) + 'a>,
    results: Results,
}

fn main() {
    // `cargo test --benches` passes this to see whether benches start; measuring is not asked for.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    // The one part that needs neither a built binary nor much time.
    if std::env::args().any(|argument| argument == "planning") {
        std::process::exit(i32::from(!planning::report()));
    }
    let records = setting("LEVADA_BENCH_RECORDS", 500_000);
    let repeats = setting("LEVADA_BENCH_REPEATS", 5);
    // First: a child's greatest resident set counts from its fork, when it has this process's pages.
    let per_run = command_line::report(repeats);
    let per_statement = planning::report();
    let per_record = throughput(records, repeats);
    if !(per_record && per_run && per_statement) {
        println!("\nnot all goals are met");
        std::process::exit(1);
    }
}

fn setting(name: &str, default: usize) -> usize {
    let parse =
        |text: String| text.parse().unwrap_or_else(|_| panic!("{name} must be a positive number, not '{text}'"));
    std::env::var(name).map_or(default, parse).max(1)
}

/// Prints the table of ratios; whether all goals are met.
fn throughput(records: usize, repeats: usize) -> bool {
    let (events, purchases, table) = (generator::events(records), generator::purchases(records), generator::shops());
    let shops = yardstick::load_shops(&table);
    let (filter, at_commit) = (format!("{EVENTS}{FILTER_PROJECT}"), format!("{EVENTS}{AGGREGATE}"));
    let per_record = format!("SET 'cache.max.bytes.buffering' = '0';\n{at_commit}");
    let over = |statements, input| Pipeline { statements, input, table: None };
    let contests = [
        Contest {
            name: "filter + project, 75 % kept",
            goal: 0.45,
            pipeline: over(filter.as_str(), &events),
            yardstick: Box::new(|output| yardstick::filter_project(&events, output)),
            results: Results::Same,
        },
        Contest {
            name: "tumbling COUNT/SUM by key, emission at commit",
            goal: 0.35,
            pipeline: over(at_commit.as_str(), &events),
            yardstick: Box::new(|output| yardstick::aggregate_at_end(&events, output)),
            results: Results::AtLeast,
        },
        Contest {
            name: "tumbling COUNT/SUM by key, emission per record",
            goal: 0.25,
            pipeline: over(per_record.as_str(), &events),
            yardstick: Box::new(|output| yardstick::aggregate_per_record(&events, output)),
            results: Results::Same,
        },
        Contest {
            name: "stream-table join, table of 100,000 rows",
            goal: 0.25,
            pipeline: Pipeline { statements: JOIN, input: &purchases, table: Some(&table) },
            yardstick: Box::new(|output| yardstick::join(&purchases, &shops, output)),
            results: Results::Same,
        },
    ];
    println!(
        "\n{records} records of {} bytes, {} accounts, {} shops; median of {repeats}; records per CPU-second\n",
        events.value_bytes_mean(),
        generator::ACCOUNTS,
        generator::SHOPS
    );
    println!("| work | loop | Levada | ratio | goal |\n|---|--:|--:|--:|--:|");
    // Not a lazy `all`: every line is wanted, also after one that misses its goal.
    contests.iter().map(|contest| contest.hold(records, repeats)).filter(|met| !met).count() == 0
}

impl Contest<'_> {
    /// Runs loop and engine in turn, prints the line, and says whether the goal is met.
    fn hold(&self, records: usize, repeats: usize) -> bool {
        let mut output = Records::default();
        let (mut loop_times, mut levada_times) = (Vec::new(), Vec::new());
        // The first round fills caches and page tables and is thrown away.
        for round in 0..=repeats {
            let loop_time = self.time_yardstick(&mut output);
            let run = self.pipeline.run();
            self.compare(&run, &output);
            if round > 0 {
                loop_times.push(loop_time);
                levada_times.push(run.cpu);
            }
        }
        let rate = |times| records as f64 / Duration::as_secs_f64(&median(times)) / 1e6;
        let (yardstick, levada) = (rate(loop_times), rate(levada_times));
        let ratio = levada / yardstick;
        println!("| {} | {yardstick:.2} M | {levada:.2} M | {ratio:.2} | {:.2} |", self.name, self.goal);
        ratio >= self.goal
    }

    fn time_yardstick(&self, output: &mut Records) -> Duration {
        output.clear();
        let timer = CpuTimer::start();
        (self.yardstick)(output);
        timer.elapsed()
    }

    fn compare(&self, run: &Run, output: &Records) {
        let agree = match self.results {
            Results::Same => run.results == output.len(),
            Results::AtLeast => run.results >= output.len(),
        };
        assert!(agree, "{}: {} results, the loop has {}", self.name, run.results, output.len());
    }
}
