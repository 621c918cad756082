//! ksqlDB's cases that ask a server, asked over HTTP.

use std::path::Path;

use levada::testing::{Status, Tally, driver, run_paths};

use super::say;

/// Not refused here: a rule of ksqlDB that its own server has given up, by which a key column and a column of the value were one.
const OTHERWISE: &str = "insert-values - should fail on mismatch between key and key field values when stream has key";

#[test]
fn every_case_is_answered_over_http() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = root.join("../shared/conformance/rqtt");
    if !cases.is_dir() {
        say("skipped: ../shared/conformance is absent");
        return;
    }
    let outcomes = run_paths(&[cases], driver::open_served, false).expect("readable cases");
    assert!(outcomes.len() > 250, "only {} cases", outcomes.len());
    let failed = outcomes.iter().filter(|outcome| outcome.status == Status::Failed && outcome.id != OTHERWISE);
    let failed: Vec<String> = failed.map(|outcome| format!("{}: {}", outcome.id, outcome.reason)).collect();
    assert!(failed.is_empty(), "{} cases are not answered as expected:\n{}", failed.len(), failed.join("\n"));
    say(&format!("{} cases over HTTP; {}", outcomes.len(), Tally::of(&outcomes)));
}
