//! What work costs on Kafka, and how long a record takes.
//!
//! ```text
//! broker (tools/kafka/kafka.sh) ─┬─ topics filled once by `client`
//!                                ├─ `loop`: librdkafka in this process, consume in batches, produce
//!                                └─ `levada run FILE --property bootstrap.servers=…`, a child; its CPU time is asked of the kernel
//! ```
//!
//! CPU time is that of the loop or of Levada alone, never the broker's. Results are read back and compared with what must
//! be there; a run whose results differ fails. The exit code says whether all goals hold.
//!
//! Arguments choose parts: `throughput`, `restore`, `queries`, `latency`. `LEVADA_BENCH_KAFKA_RECORDS` (default 2,000,000) and
//! `LEVADA_BENCH_KAFKA_REPEATS` (default 3) set the effort.

#![expect(clippy::disallowed_methods, reason = "how long something takes is what is measured")]

mod broker;
mod client;
#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../cpu.rs"]
mod cpu;
mod engine;
#[allow(dead_code, reason = "shared with the other benches")]
#[path = "../generator.rs"]
mod generator;
mod latency;
mod queries;
mod restore;
mod throughput;
mod yardstick;

use broker::Broker;

/// The binary's allocator, so that loop and engine allocate as they would in production.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A part of the report: prints its lines, says whether its goals are met.
type Part = fn(&Broker, &Effort) -> bool;

const PARTS: [(&str, Part); 4] = [
    ("throughput", throughput::report),
    ("restore", restore::report),
    ("queries", queries::report),
    ("latency", latency::report),
];

/// How much is measured.
pub struct Effort {
    /// Records of the input topic.
    pub records: usize,
    /// Rounds that count; one more goes before them.
    pub repeats: usize,
}

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    // `cargo test --benches` passes this to see whether benches start; measuring is not asked for.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if let Some(unknown) = chosen.iter().find(|name| PARTS.iter().all(|(part, _)| part != name)) {
        eprintln!("there is no part '{unknown}': throughput, restore, queries, latency");
        std::process::exit(2);
    }
    let effort = Effort {
        records: setting("LEVADA_BENCH_KAFKA_RECORDS", 2_000_000),
        repeats: setting("LEVADA_BENCH_KAFKA_REPEATS", 5),
    };
    let broker = Broker::start();
    let mut met = true;
    for (name, report) in PARTS {
        if chosen.is_empty() || chosen.iter().any(|part| part == name) {
            met &= report(&broker, &effort);
        }
    }
    drop(broker);
    if !met {
        eprintln!("a goal is missed");
        std::process::exit(1);
    }
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
