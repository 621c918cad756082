//! Random queries over random records: the engine's results are those of a slow interpreter, whatever the batches, the
//! storage and the restarts.
//!
//! [`interpreter`] takes one record at a time and is written from ksqlDB's rules alone; [`case`](case::case) makes a case
//! from a seed. A failure tells the seed, the statements, the records that are needed for it, and both results.

mod case;
mod comparison;
mod engine;
mod examples;
mod expression;
mod interpreter;
mod kind;
mod query;
pub mod random;
mod reads;
mod threads;
mod value;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use levada::types::STACK_BYTES;

use comparison::{check, report};
use kind::Kind;
use random::Random;

/// Cases of `make test`.
const CASES: u64 = 400;
/// Cases of `make oracle`, unless `LEVADA_ORACLE_CASES` says otherwise.
const CASES_AT_NIGHT: u64 = 10_000;
/// The seed of the first case; `LEVADA_ORACLE_SEED` is another.
const SEED: u64 = 1;
/// Every so many cases are run on disk too.
const DISK_EVERY: u64 = 8;
/// Failures after which a run ends.
const FAILURES_MAX: usize = 3;

pub fn number_from(variable: &str, otherwise: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else { return otherwise };
    text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}"))
}

/// Runs the cases of `count` seeds from `first` on all cores.
fn run_cases(first: u64, count: u64) {
    let kinds = kinds();
    let next = AtomicU64::new(first);
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count || failures.lock().is_ok_and(|failures| failures.len() >= FAILURES_MAX) {
                break;
            }
            let case = case::case(seed, &kinds);
            if let Err(difference) = check(&case, seed.is_multiple_of(DISK_EVERY)) {
                let text = report(seed, case, &difference);
                failures.lock().expect("no thread panics while it holds this").push(text);
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        for _ in 0..cores {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            thread.spawn_scoped(scope, work).expect("a thread can be made");
        }
    });
    let failures = failures.into_inner().expect("no thread has panicked");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// All kinds, or the one that `LEVADA_ORACLE_KIND` names.
fn kinds() -> Vec<Kind> {
    match std::env::var("LEVADA_ORACLE_KIND") {
        Ok(name) => {
            let named = kind::KINDS.iter().copied().filter(|kind| format!("{kind:?}") == name);
            let named: Vec<Kind> = named.collect();
            assert!(!named.is_empty(), "there is no kind {name}");
            named
        }
        Err(_) => kind::KINDS.to_vec(),
    }
}

#[test]
fn random_cases_agree() {
    run_cases(number_from("LEVADA_ORACLE_SEED", SEED), number_from("LEVADA_ORACLE_CASES", CASES));
}

/// `make oracle`.
#[test]
#[ignore = "takes minutes"]
fn many_random_cases_agree() {
    run_cases(number_from("LEVADA_ORACLE_SEED", SEED), number_from("LEVADA_ORACLE_CASES", CASES_AT_NIGHT));
}

/// Cases say something: most have results, and tables have rows that go.
#[test]
fn cases_have_results() {
    const CASES_OF_KIND: u64 = 60;
    for kind in kind::KINDS {
        let cases = (0..CASES_OF_KIND).map(|seed| case::case_of(*kind, &mut Random::new(seed)));
        let results = cases.map(|case| {
            let mut interpreter = interpreter::Interpreter::new(&case.query, &case.sources, false);
            case.rounds.iter().flat_map(|round| interpreter.round(round)).collect::<Vec<_>>()
        });
        let results: Vec<_> = results.collect();
        let telling = results.iter().filter(|records| records.len() > 2).count() as u64;
        assert!(telling * 3 > CASES_OF_KIND, "{kind:?}: {telling} cases of {CASES_OF_KIND} have results");
        let tombstones = results.iter().flatten().filter(|record| record.value.is_none()).count();
        assert!(tombstones > 0 || !kind.has_tombstones(), "{kind:?}: no tombstones");
    }
}
