//! Whether a case that must fail failed as it must.
//!
//! Three levels: it failed where it should; at the right stage; with the text. A case passes at the third.

use super::case::ExpectedException;
use super::relaxation::Relaxation;
use crate::testing::driver::{Failure, Stage};

/// Class of texts that are no statements.
const SYNTAX: &str = "io.confluent.ksql.parser.exception.ParseFailedException";

/// Class of statements that are refused; syntax errors are among them.
const REJECTED: &str = "io.confluent.ksql.util.KsqlStatementException";

/// Class of queries that died.
const RUNTIME: &str = "org.apache.kafka.streams.errors.StreamsException";

/// Where a case stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// In its script or its last statement, or while its records were processed.
    InTime(Failure),
    /// In a statement before the last.
    TooEarly(Failure),
    /// Something about the case itself.
    Broken(String),
}

impl Stop {
    /// Why a case that must not stop did.
    pub fn reason(self) -> String {
        match self {
            Self::InTime(failure) | Self::TooEarly(failure) => failure.message,
            Self::Broken(reason) => reason,
        }
    }
}

/// Checks the end of a case that must fail.
pub fn check(expected: &ExpectedException, relaxation: &Relaxation, stopped: Result<(), Stop>) -> Result<(), String> {
    let failure = match stopped {
        Ok(()) => return Err(format!("not rejected, expected: {}", wanted(expected))),
        Err(Stop::Broken(reason)) => return Err(reason),
        Err(Stop::TooEarly(failure)) => {
            return Err(format!("a statement before the last was rejected: {failure}"));
        }
        Err(Stop::InTime(failure)) => failure,
    };
    if relaxation.any_runtime_failure() {
        return match failure.stage {
            Stage::Runtime => contains(&failure, relaxation.required.as_deref()),
            stage => Err(format!("failed {}, expected at run time: {failure}", stage.phrase())),
        };
    }
    if relaxation.first_line_of_syntax_error() {
        return contains(&failure, relaxation.required.as_deref());
    }
    check_stage(expected, &failure)?;
    contains(&failure, expected.message.as_deref())?;
    contains(&failure, expected.cause_message.as_deref())
}

fn check_stage(expected: &ExpectedException, failure: &Failure) -> Result<(), String> {
    let (fits, wanted) = match expected.class.as_deref() {
        // Texts that cannot be turned into a statement count too, and where they are refused is our own affair.
        Some(SYNTAX) => (failure.stage != Stage::Runtime, Stage::Syntax),
        Some(REJECTED) => (failure.stage != Stage::Runtime, Stage::Rejected),
        Some(RUNTIME) => (failure.stage == Stage::Runtime, Stage::Runtime),
        _ => return Ok(()),
    };
    if fits {
        return Ok(());
    }
    Err(format!("failed {}, expected {}: {failure}", failure.stage.phrase(), wanted.phrase()))
}

/// The fragment is case-sensitive and may span lines.
fn contains(failure: &Failure, fragment: Option<&str>) -> Result<(), String> {
    let text = failure.full_text();
    match fragment {
        Some(fragment) if !text.contains(fragment) => {
            Err(format!("rejected with another text\n  got:      {text:?}\n  expected: {fragment:?}"))
        }
        _ => Ok(()),
    }
}

fn wanted(expected: &ExpectedException) -> &str {
    expected.message.as_deref().or(expected.class.as_deref()).unwrap_or("some error")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(class: &str, message: &str) -> ExpectedException {
        ExpectedException { class: Some(class.to_owned()), message: Some(message.to_owned()), cause_message: None }
    }

    fn judge(class: &str, message: &str, stop: Option<Stop>) -> Option<String> {
        check(&expected(class, message), &Relaxation::default(), stop.map_or(Ok(()), Err)).err()
    }

    #[test]
    fn three_levels() {
        let stop = |stage| Some(Stop::InTime(Failure::new(stage, "no such column: X")));
        assert_eq!(judge(REJECTED, "such column", stop(Stage::Rejected)), None);
        assert_eq!(judge(REJECTED, "such column", stop(Stage::Syntax)), None);
        assert!(judge(REJECTED, "such column", None).expect("level 1").starts_with("not rejected"));
        assert!(judge(SYNTAX, "such column", stop(Stage::Runtime)).expect("level 2").starts_with("failed at run time"));
        assert!(judge(REJECTED, "Such", stop(Stage::Rejected)).expect("level 3").starts_with("rejected with another"));
        let early = Some(Stop::TooEarly(Failure::new(Stage::Rejected, "such column")));
        assert!(judge(REJECTED, "such column", early).expect("too early").contains("before the last"));
    }
}
