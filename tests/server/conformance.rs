//! ksqlDB's cases that ask a server, asked over HTTP.

use std::path::Path;

use levada::testing::{Status, Tally, driver, run_paths};

use super::say;

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
    let failed = outcomes.iter().filter(|outcome| outcome.status == Status::Failed);
    let failed: Vec<String> = failed.map(|outcome| format!("{}: {}", outcome.id, outcome.reason)).collect();
    assert!(failed.is_empty(), "{} cases are not answered as expected:\n{}", failed.len(), failed.join("\n"));
    say(&format!("{} cases over HTTP; {}", outcomes.len(), Tally::of(&outcomes)));
}
