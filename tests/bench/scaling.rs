//! Whether a record costs the same among many, in many partitions, and with a second worker.
//!
//! `make bench ARGS="-- scaling"` prints this alone.

use std::time::Duration;

use crate::counts;
use crate::cpu::median;
use crate::generator::{self, Records};
use crate::pipelines::{Feed, Pipeline, Setup};
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
    let pairs = counts::pairs(&orders, &payments, 10_000);
    let works: [(&str, &str, Vec<Feed<'_>>, Option<usize>); 2] = [
        ("tumbling COUNT/SUM by key", TUMBLING, vec![("input", &events)], None),
        ("stream-stream join within 10 s", STREAM_STREAM, vec![("input", &orders), ("other", &payments)], Some(pairs)),
    ];
    println!("\nCPU time per record, median of {repeats}; wall time where workers are compared, best of {repeats}\n");
    println!("| work | from | to | before | after | after / before | goal |\n|---|---|---|--:|--:|--:|--:|");
    let mut met = true;
    for (name, statements, inputs, results) in works {
        let scale = Scale { name, statements, inputs, results, repeats };
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
    /// Results of the inputs once; those of an aggregate depend on when commits are.
    results: Option<usize>,
    repeats: usize,
}

/// Nanoseconds per record.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

impl Scale<'_> {
    fn partitions(&self) -> bool {
        let setup = Setup { rounds: 20, ..Setup::default() };
        let (before, after) = self.compare(setup, Setup { partitions: 64, ..setup });
        self.print_growth(("1 partition", "64 partitions"), cpu(&before), cpu(&after))
    }

    fn records(&self) -> bool {
        let setup = Setup::default();
        let few: Vec<Cost> = (0..5 * self.repeats).map(|_| self.per_record(setup)).collect();
        let many: Vec<Cost> =
            (0..self.repeats.min(3)).map(|_| self.per_record(Setup { rounds: 100, ..setup })).collect();
        self.print_growth(("100,000 records", "10,000,000 records"), cpu(&few), cpu(&many))
    }

    fn workers(&self) -> bool {
        let setup = Setup { partitions: 8, rounds: 40, ..Setup::default() };
        let (before, after) = self.compare(setup, Setup { workers: 2, ..setup });
        let cheap = self.print_growth(("1 worker", "2 workers"), cpu(&before), cpu(&after));
        let best = |costs: &[Cost]| 1e3 / costs.iter().map(|cost| cost.wall).fold(f64::INFINITY, f64::min);
        let (before, after) = (best(&before), best(&after));
        let speedup = after / before;
        println!(
            "| {} | 1 worker | 2 workers | {before:.2} M/s | {after:.2} M/s | {speedup:.2} | >= {SPEEDUP_MIN:.2} |",
            self.name
        );
        cheap && speedup >= SPEEDUP_MIN
    }

    /// Costs with both setups, in turn.
    fn compare(&self, before: Setup, after: Setup) -> (Vec<Cost>, Vec<Cost>) {
        (0..self.repeats).map(|_| (self.per_record(before), self.per_record(after))).unzip()
    }

    fn per_record(&self, setup: Setup) -> Cost {
        let pipeline = Pipeline { statements: self.statements, loaded: Vec::new(), inputs: self.inputs.clone(), setup };
        let run = pipeline.run();
        match self.results {
            Some(results) => assert_eq!(run.results, results * setup.rounds, "results of {}", self.name),
            None => assert!(run.results >= counts::keys(&[self.inputs[0].1]), "results of {}", self.name),
        }
        let per_record = |time: Duration| time.as_secs_f64() * 1e9 / pipeline.records() as f64;
        Cost { cpu: per_record(run.cpu), wall: per_record(run.wall) }
    }

    fn print_growth(&self, (from, to): (&str, &str), before: f64, after: f64) -> bool {
        let growth = after / before;
        println!(
            "| {} | {from} | {to} | {before:.0} ns | {after:.0} ns | {growth:.2} | <= {GROWTH_MAX:.2} |",
            self.name
        );
        growth <= GROWTH_MAX
    }
}

fn cpu(costs: &[Cost]) -> f64 {
    median(costs.iter().map(|cost| cost.cpu).collect())
}
