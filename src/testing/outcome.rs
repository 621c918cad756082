//! Results of cases, and how they are told.

use std::io::{self, Write};

use serde_json::json;

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything was as expected.
    Passed,
    /// Something was not.
    Failed,
    /// It was not run.
    Skipped,
}

impl Status {
    /// The word of the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A case and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Id of the case.
    pub id: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed or was skipped; empty when it passed.
    pub reason: String,
    /// Whether it is told also when it passed: a person has written the test and waits for it.
    pub always_told: bool,
}

impl Outcome {
    /// The outcome of a case that was run.
    pub fn of(id: impl Into<String>, result: Result<(), String>) -> Self {
        let (status, reason) = match result {
            Ok(()) => (Status::Passed, String::new()),
            Err(reason) => (Status::Failed, reason),
        };
        Self { id: id.into(), status, reason, always_told: false }
    }

    /// The outcome of a case that was not run.
    pub fn skipped(id: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { id: id.into(), status: Status::Skipped, reason: reason.into(), always_told: false }
    }

    /// The outcome as one that is told also when the case passed.
    #[must_use]
    pub fn always_told(mut self) -> Self {
        self.always_told = true;
        self
    }
}

/// How many cases passed, failed and were skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped.
    pub skipped: usize,
}

impl Tally {
    /// Counts `outcomes`.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
        Self { passed: count(Status::Passed), failed: count(Status::Failed), skipped: count(Status::Skipped) }
    }
}

/// `12 passed, 1 failed`, and `, 3 skipped` when some were.
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

/// Writes one JSON object per outcome and line: `id`, `status`, `reason`.
pub fn write_report(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    for outcome in outcomes {
        let line = json!({ "id": outcome.id, "status": outcome.status.name(), "reason": outcome.reason });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Lines of a reason shown when failures are told briefly.
const BRIEF_LINES: usize = 1;

/// Characters of a line shown when failures are told briefly.
const BRIEF_CHARS: usize = 200;

/// Writes what is always told, in ksqlDB's words.
pub fn write_told(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    for outcome in outcomes.iter().filter(|outcome| outcome.always_told) {
        match outcome.status {
            Status::Passed => writeln!(out, "{}\n\t>>> Test passed!", outcome.id)?,
            Status::Failed => {
                writeln!(out, "{}\n\t>>>>> Test failed: {}", outcome.id, outcome.reason.replace('\n', "\n\t"))?;
            }
            Status::Skipped => writeln!(out, "{}: {}", outcome.id, outcome.reason)?,
        }
    }
    Ok(())
}

/// Failures that are not told anyway.
fn failures(outcomes: &[Outcome]) -> impl Iterator<Item = &Outcome> {
    outcomes.iter().filter(|outcome| outcome.status == Status::Failed && !outcome.always_told)
}

/// Writes the failures, briefly: the first `limit` of them with the beginning of their reasons.
pub fn write_brief(out: &mut dyn Write, outcomes: &[Outcome], limit: usize) -> io::Result<()> {
    let failures: Vec<&Outcome> = failures(outcomes).collect();
    for outcome in failures.iter().take(limit) {
        writeln!(out, "{}: {}", outcome.id, brief(&outcome.reason))?;
    }
    match failures.len().saturating_sub(limit) {
        0 => Ok(()),
        more => writeln!(out, "… and {more} more, see --verbose or --report"),
    }
}

/// Writes all failures with their whole reasons.
pub fn write_verbose(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    for outcome in failures(outcomes) {
        writeln!(out, "{}: {}", outcome.id, outcome.reason)?;
    }
    Ok(())
}

fn brief(reason: &str) -> String {
    let mut lines = reason.lines();
    let first: Vec<&str> = lines.by_ref().take(BRIEF_LINES).collect();
    let first = first.join("\n");
    let cut: String = first.chars().take(BRIEF_CHARS).collect();
    let more = cut.len() < first.len() || lines.next().is_some();
    if more { format!("{cut} …") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        vec![
            Outcome::of("a", Ok(())),
            Outcome::of("b", Err("first line\nsecond line".to_owned())),
            Outcome::of("c", Err("short".to_owned())),
        ]
    }

    fn written(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_tally_names_skipped_cases_only_when_there_are_some() {
        let mut all = outcomes();
        assert_eq!(Tally::of(&all).to_string(), "1 passed, 2 failed");
        all.push(Outcome::skipped("d", "unfit"));
        assert_eq!(Tally::of(&all).to_string(), "1 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn failures_are_told_briefly_or_in_full() {
        let all = outcomes();
        assert_eq!(
            written(|out| write_brief(out, &all, 1)),
            "b: first line …\n… and 1 more, see --verbose or --report\n"
        );
        assert_eq!(written(|out| write_verbose(out, &all)), "b: first line\nsecond line\nc: short\n");
    }

    #[test]
    fn what_is_always_told_is_told_once() {
        let all: Vec<Outcome> = outcomes().into_iter().map(Outcome::always_told).collect();
        let told = "a\n\t>>> Test passed!\nb\n\t>>>>> Test failed: first line\n\tsecond line\n\
                    c\n\t>>>>> Test failed: short\n";
        assert_eq!(written(|out| write_told(out, &all)), told);
        assert_eq!(written(|out| write_brief(out, &all, 9)), "");
        assert_eq!(written(|out| write_told(out, &outcomes())), "");
    }

    #[test]
    fn the_report_has_an_object_per_line() {
        assert_eq!(
            written(|out| write_report(out, &outcomes()[1..])),
            "{\"id\":\"b\",\"status\":\"failed\",\"reason\":\"first line\\nsecond line\"}\n\
             {\"id\":\"c\",\"status\":\"failed\",\"reason\":\"short\"}\n"
        );
    }
}
