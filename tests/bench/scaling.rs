//! Whether a record costs the same among many, in many partitions, and with a second worker.
//!
//! `make bench ARGS="-- scaling"` prints this alone.

use std::time::Duration;

use crate::cpu::median;
use crate::generator::{self, Records};
use crate::pipelines::{Feed, Pipeline, Run, Setup};
use crate::statements::{STREAM_STREAM, TUMBLING};

/// The cost of a record may grow so much.
const GROWTH_MAX: f64 = 1.10;
/// Two workers do so much of what one does.
const SPEEDUP_MIN: f64 = 1.8;
/// Records of the smallest run; larger ones repeat them, later.
const RECORDS: usize = 100_000;

/// Prints the table of the growth of costs; whether all goals are met.
pub fn report(repeats: usize) -> bool {
    let events = generator::events(RECORDS);
    let (orders, payments) = generator::orders_and_payments(RECORDS / 2, 100);
    let works: [(&str, &str, Vec<Feed<'_>>); 2] = [
        ("tumbling COUNT/SUM by key", TUMBLING, vec![("input", &events)]),
        ("stream-stream join within 10 s", STREAM_STREAM, vec![("input", &orders), ("other", &payments)]),
    ];
    println!("\nCPU time per record, median of {repeats}; wall time where workers are compared, best of {repeats}\n");
    println!("| work | from | to | before | after | after / before | goal |\n|---|---|---|--:|--:|--:|--:|");
    let mut met = true;
    for (name, statements, inputs) in works {
        let scale = Scale { name, statements, inputs, repeats };
        met &= scale.partitions();
        met &= scale.records();
        met &= scale.workers();
    }
    met
}

/// One kind of work at several scales.
struct Scale<'a> {
    name: &'static str,
    statements: &'static str,
    inputs: Vec<(&'static str, &'a Records)>,
    repeats: usize,
}

impl Scale<'_> {
    fn partitions(&self) -> bool {
        let setup = Setup { rounds: 20, ..Setup::default() };
        let times = self.compare(setup, Setup { partitions: 64, ..setup }, self.repeats, |run| run.cpu);
        let (before, after) = (median(times.0), median(times.1));
        self.print_growth(("1 partition", "64 partitions"), (before, after))
    }

    fn records(&self) -> bool {
        let setup = Setup::default();
        let few: Vec<f64> = (0..5 * self.repeats).map(|_| self.per_record(setup, |run| run.cpu)).collect();
        let many: Vec<f64> =
            (0..self.repeats.min(3)).map(|_| self.per_record(Setup { rounds: 100, ..setup }, |run| run.cpu)).collect();
        self.print_growth(("100,000 records", "10,000,000 records"), (median(few), median(many)))
    }

    fn workers(&self) -> bool {
        let setup = Setup { partitions: 8, rounds: 40, ..Setup::default() };
        let times = self.compare(setup, Setup { workers: 2, ..setup }, self.repeats, |run| run.wall);
        let best = |times: Vec<f64>| times.into_iter().fold(f64::INFINITY, f64::min);
        let (before, after) = (1e3 / best(times.0), 1e3 / best(times.1));
        let speedup = after / before;
        println!(
            "| {} | 1 worker | 2 workers | {before:.2} M/s | {after:.2} M/s | {speedup:.2} | >= {SPEEDUP_MIN:.2} |",
            self.name
        );
        speedup >= SPEEDUP_MIN
    }

    /// Nanoseconds per record with both setups, in turn.
    fn compare(
        &self,
        before: Setup,
        after: Setup,
        repeats: usize,
        time: impl Fn(&Run) -> Duration,
    ) -> (Vec<f64>, Vec<f64>) {
        (0..repeats).map(|_| (self.per_record(before, &time), self.per_record(after, &time))).unzip()
    }

    fn per_record(&self, setup: Setup, time: impl Fn(&Run) -> Duration) -> f64 {
        let pipeline = Pipeline { statements: self.statements, loaded: Vec::new(), inputs: self.inputs.clone(), setup };
        let run = pipeline.run();
        assert!(run.results > 0, "{} has results", self.name);
        time(&run).as_secs_f64() * 1e9 / pipeline.records() as f64
    }

    fn print_growth(&self, (from, to): (&str, &str), (before, after): (f64, f64)) -> bool {
        let growth = after / before;
        println!(
            "| {} | {from} | {to} | {before:.0} ns | {after:.0} ns | {growth:.2} | <= {GROWTH_MAX:.2} |",
            self.name
        );
        growth <= GROWTH_MAX
    }
}
