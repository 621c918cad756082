//! Bytes that are almost records, and texts that are almost schemas: no reader may panic, take what it should refuse, or
//! fill the memory.
//!
//! ```text
//! random columns ─▶ random rows ─ our encoder ─▶ seeds ─ mutate ─▶ records ─ decoder ─▶ rows ─ encoder ─▶ decoder ─▶ the same rows
//! ```
//!
//! A case follows from its target and its seed alone. What was read joins the seeds of its case, so that mutations go further.

mod codec;
mod mutate;
mod rows;
mod schema_text;

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use levada::registry::SchemaType;
use levada::types::{STACK_BYTES, resident_bytes};

use codec::{Codec, Kind};
use mutate::Material;

use crate::oracle::number_from;
use crate::oracle::random::Random;

/// What is fuzzed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Records(Kind),
    Schemas(SchemaType),
}

const TARGETS: [Target; 10] = [
    Target::Records(Kind::Json),
    Target::Records(Kind::JsonSr),
    Target::Records(Kind::Avro),
    Target::Records(Kind::Protobuf),
    Target::Records(Kind::ProtobufNoSr),
    Target::Records(Kind::Delimited),
    Target::Records(Kind::Kafka),
    Target::Schemas(SchemaType::Avro),
    Target::Schemas(SchemaType::Json),
    Target::Schemas(SchemaType::Protobuf),
];

/// Cases of each target in `make test`.
const CASES: u64 = 12;
/// The first seed; `LEVADA_FUZZ_SEED` is another.
const SEED: u64 = 1;
/// Seconds of `make fuzz` for each target, unless `LEVADA_FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 120;
/// Batches of a case, and mutations of a batch.
const BATCHES: usize = 4;
const RECORDS: usize = 12;
/// Seeds that a case keeps.
const SEEDS_MAX: usize = 40;
/// Failures of a target after which it is left.
const FAILURES_MAX: usize = 6;
/// A case that takes longer hangs, however busy the machine is.
const CASE_SECONDS_MAX: u64 = 30;
/// Memory that may be left over after a long run: what the allocator keeps of each thread.
const LEFT_OVER_MAX: usize = 256 << 20;

/// What came of a target.
#[derive(Debug, Default)]
struct Tally {
    cases: u64,
    mutations: u64,
    /// Mutations that were read.
    read: u64,
    slowest: Duration,
    failures: Vec<String>,
}

impl Tally {
    /// Runs the case `seed`.
    fn case(&mut self, target: Target, seed: u64) {
        let mut random = Random::new(seed);
        let mut tried = Vec::new();
        let run = || match target {
            Target::Records(kind) => records_case(kind, &mut random, &mut tried),
            Target::Schemas(language) => schemas_case(language, &mut random, &mut tried),
        };
        let outcome = catch_unwind(AssertUnwindSafe(run));
        self.cases += 1;
        match outcome {
            Ok((mutations, read)) => {
                self.mutations += mutations;
                self.read += read;
            }
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
                let tried: Vec<String> = tried.iter().map(|bytes: &Vec<u8>| shown(bytes)).collect();
                let failure = format!("{target:?}, LEVADA_FUZZ_SEED={seed}: {text}\n  {}", tried.join("\n  "));
                // Told at once: a long run may be ended before its end.
                eprintln!("{failure}");
                self.failures.push(failure);
            }
        }
    }
}

/// As much of `bytes` as somebody reads.
fn shown(bytes: &[u8]) -> String {
    const SHOWN_MAX: usize = 600;
    bytes[..bytes.len().min(SHOWN_MAX)].escape_ascii().to_string()
}

/// Mutated records of one codec; `tried` are those of the last batch.
fn records_case(kind: Kind, random: &mut Random, tried: &mut Vec<Vec<u8>>) -> (u64, u64) {
    let codec = Codec::random(kind, random);
    let mut seeds = codec.seeds(random, 6);
    // Rows that have no bytes are null as a whole.
    if seeds.is_empty() {
        seeds.push(Vec::new());
    }
    codec.check(random, &seeds);
    let header = if codec.serde.needs_registry() { 5 } else { 0 };
    let mut read = 0;
    for _ in 0..BATCHES {
        let material = Material { seeds: &seeds, tokens: kind.tokens(), brackets: kind.brackets(), header };
        *tried = (0..RECORDS).map(|_| material.mutation(random)).collect();
        let is_read = codec.check(random, tried);
        let good: Vec<Vec<u8>> =
            tried.iter().zip(is_read).filter(|(_, read)| *read).map(|(bytes, _)| bytes.clone()).collect();
        read += good.len() as u64;
        seeds.extend(good);
        seeds.truncate(SEEDS_MAX);
    }
    ((BATCHES * RECORDS) as u64, read)
}

/// Mutated schemas of one language.
fn schemas_case(language: SchemaType, random: &mut Random, tried: &mut Vec<Vec<u8>>) -> (u64, u64) {
    let (tokens, brackets) = (schema_text::tokens(language), schema_text::brackets(language));
    let mut seeds = schema_text::seeds(language, random);
    let mut read = 0;
    for round in 0..RECORDS {
        let text = match seeds.get(round) {
            Some(seed) if round < 5 => seed.clone(),
            _ => Material { seeds: &seeds, tokens, brackets, header: 0 }.mutation(random),
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        *tried = vec![text.clone().into_bytes()];
        if schema_text::check(language, random, &text) {
            read += 1;
            seeds.push(text.into_bytes());
        }
    }
    (RECORDS as u64, read)
}

/// Runs `work` for each target, as many at once as there are cores, on threads with as much stack as those have that
/// decode.
fn each_target(work: impl Fn(Target) -> Tally + Sync) {
    let wanted = std::env::var("LEVADA_FUZZ_TARGET").unwrap_or_default();
    let targets: Vec<Target> = TARGETS.into_iter().filter(|target| format!("{target:?}").contains(&wanted)).collect();
    assert!(!targets.is_empty(), "LEVADA_FUZZ_TARGET={wanted} is none of {TARGETS:?}");
    let (waiting, tallies) = (Mutex::new(targets.clone()), Mutex::new(Vec::new()));
    let run = || {
        let next = || waiting.lock().expect("no thread panics while it holds this").pop();
        while let Some(target) = next() {
            let tally = work(target);
            tallies.lock().expect("no thread panics while it holds this").push((target, tally));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).expect("a thread can be made");
        }
    });
    let tallies = tallies.into_inner().expect("no thread has panicked");
    assert_eq!(tallies.len(), targets.len());
    for (target, tally) in &tallies {
        let Tally { cases, mutations, read, slowest, .. } = tally;
        println!("{target:?}: {cases} cases, {mutations} mutations, {read} of them read, slowest case {slowest:?}");
    }
    let failures: Vec<String> = tallies.into_iter().flat_map(|(_, tally)| tally.failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn mutations_are_read_or_refused() {
    let first = number_from("LEVADA_FUZZ_SEED", SEED);
    each_target(|target| {
        let mut tally = Tally::default();
        (first..first + CASES).for_each(|seed| tally.case(target, seed));
        assert!(tally.read > 0, "{target:?}: nothing that is read says nothing");
        tally
    });
}

/// `make fuzz`.
#[test]
#[ignore = "takes minutes"]
#[expect(clippy::disallowed_methods, reason = "it runs as long as it is told to")]
fn many_mutations_are_read_or_refused() {
    let first = number_from("LEVADA_FUZZ_SEED", SEED);
    let length = Duration::from_secs(number_from("LEVADA_FUZZ_SECONDS", SECONDS));
    let before = resident_bytes().unwrap_or_default();
    each_target(|target| {
        let begin = Instant::now();
        let mut tally = Tally::default();
        let mut seed = first;
        while begin.elapsed() < length && tally.failures.len() < FAILURES_MAX {
            let case = Instant::now();
            tally.case(target, seed);
            let took = case.elapsed();
            tally.slowest = tally.slowest.max(took);
            if took.as_secs() > CASE_SECONDS_MAX {
                tally.failures.push(format!("{target:?}, LEVADA_FUZZ_SEED={seed}: it took {took:?}"));
            }
            seed += 1;
        }
        tally
    });
    let after = resident_bytes().unwrap_or_default();
    println!("memory of the process: {} MB before, {} MB after", before >> 20, after >> 20);
    assert!(after < before + LEFT_OVER_MAX, "{before} bytes of memory became {after}");
}
