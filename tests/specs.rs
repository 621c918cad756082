//! Every spec of `tests/specs`, in every mode.

use std::path::Path;

use levada::testing::{Status, Tally, driver, run_paths};

#[test]
fn every_spec_holds_in_every_mode() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/specs");
    let outcomes = run_paths(&[folder], driver::open, false).expect("readable specs");
    let failures: Vec<String> = outcomes
        .iter()
        .filter(|outcome| outcome.status == Status::Failed)
        .map(|outcome| format!("{}: {}", outcome.id, outcome.reason))
        .collect();
    assert!(outcomes.len() > 40, "only {} specs", outcomes.len());
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), Tally::of(&outcomes));
}

#[test]
fn every_test_in_sql_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let outcomes = run_paths(&[folder], driver::open, false).expect("readable tests");
    let wrong = outcomes.iter().filter(|outcome| outcome.status == Status::Failed);
    let wrong: Vec<String> = wrong.map(|outcome| format!("{}: {}", outcome.id, outcome.reason)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let skipped: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| outcome.status == Status::Skipped)
        .map(|outcome| outcome.id.as_str())
        .collect();
    assert_eq!(skipped, ["parts/loans.sql"], "a script that tests run is none itself");
    assert!(outcomes.len() > 25, "only {} tests", outcomes.len());
}
