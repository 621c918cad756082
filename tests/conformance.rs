//! ksqlDB's cases that have passed once pass still.
//!
//! The cases lie outside of the repository; `tests/conformance.ratchet` holds the ids of those that must pass. It grows
//! with `levada test ../shared/conformance --ratchet tests/conformance.ratchet --update-ratchet`.

use std::io::{self, Write as _};
use std::path::Path;

use levada::testing::{Ratchet, Tally, driver, run_paths};

#[test]
fn the_ratchet_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = root.join("../shared/conformance");
    if !cases.is_dir() {
        say("skipped: ../shared/conformance is absent");
        return;
    }
    let ratchet = Ratchet::read(&root.join("tests/conformance.ratchet")).expect("a readable ratchet");
    let outcomes = run_paths(&[cases], driver::open, false).expect("readable cases");
    let broken = ratchet.broken(&outcomes);
    assert!(outcomes.len() > 1_000, "only {} cases", outcomes.len());
    assert!(broken.is_empty(), "{} cases no longer pass:\n{}", broken.len(), broken.join("\n"));
    say(&format!("{} of {} cases are held by the ratchet; {}", ratchet.len(), outcomes.len(), Tally::of(&outcomes)));
}

/// A line that the test harness does not keep to itself when the test passes.
fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "conformance: {text}"));
}
