//! What a record costs, and what a run costs.
//!
//! The first part runs the built binary and reports CPU time, wall time and memory. The second part is what statements cost
//! before anything runs. The third part is a ratio: Levada's records per CPU-second over those of a hand-written loop,
//! taken in one process, alternately, beside the ratio that was committed last. The goals beside the numbers are the ones
//! that must hold; the exit code says whether they do.
//!
//! Arguments choose parts: `planning` is the second one alone, `only` and names of groups (`filter`, `tumbling`, `keys`,
//! `hopping`, `session`, `stream-table`, `stream-stream`, `table-table`) are such lines of the third, `functions` is what expressions cost, `plugins`
//! what the interface of plug-ins costs, `formats` what codecs cost, `pull` and `push` what reads cost, `scaling` how costs grow with partitions, records and workers, which takes minutes; none is a
//! part of the whole. With `record` the ratios are
//! written to `tests/bench/figures.csv`, to be committed.
//! `LEVADA_BENCH_RECORDS` (default 500,000) and `LEVADA_BENCH_REPEATS` (default 5) set the effort;
//! `LEVADA_FLIGHTS_CSV` names the flights of the year.

mod command_line;
mod contests;
mod counts;
mod cpu;
mod figures;
mod formats;
mod functions;
mod generator;
mod pipelines;
mod planning;
mod plugins;
mod reads;
mod scaling;
mod statements;
mod yardstick;

/// The binary's allocator, so that loop and engine allocate as they would in production.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asks_for = |name: &str| arguments.iter().any(|argument| argument == name);
    // `cargo test --benches` passes this to see whether benches start; measuring is not asked for.
    if asks_for("--test") {
        return;
    }
    let records = setting("LEVADA_BENCH_RECORDS", 500_000);
    let repeats = setting("LEVADA_BENCH_REPEATS", 5);
    let contests = |wanted: &[String]| contests::report(records, repeats, wanted, asks_for("record"));
    let met = if asks_for("planning") {
        planning::report()
    } else if asks_for("functions") {
        functions::report(repeats)
    } else if asks_for("plugins") {
        plugins::report(repeats)
    } else if asks_for("formats") {
        formats::report(repeats)
    } else if asks_for("pull") {
        reads::pull()
    } else if asks_for("push") {
        reads::push()
    } else if asks_for("scaling") {
        scaling::report(repeats)
    } else if asks_for("only") {
        contests(&arguments)
    } else {
        // First: a child's greatest resident set counts from its fork, when it has this process's pages.
        let met = [command_line::report(repeats), planning::report(), contests(&[])];
        met.iter().all(|met| *met)
    };
    if !met {
        println!("\nnot all goals are met");
        std::process::exit(1);
    }
}

fn setting(name: &str, default: usize) -> usize {
    let parse =
        |text: String| text.parse().unwrap_or_else(|_| panic!("{name} must be a positive number, not '{text}'"));
    std::env::var(name).map_or(default, parse).max(1)
}
