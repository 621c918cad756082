//! Input that could not become a record.

use std::io::{self, Write};

use super::TopicFailure;

/// Beyond this only the count is told.
const SHOWN_MAX: u64 = 20;

/// Tells of the first refusals and counts all.
pub(super) struct Refusals {
    what: &'static str,
    count: u64,
}

impl Refusals {
    /// Refusals of `what`: `line` or `row`.
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, count: 0 }
    }

    /// Tells that the input at `line` was refused.
    pub(super) fn add(&mut self, line: u64, reason: &str, notices: &mut dyn Write) -> io::Result<()> {
        self.count += 1;
        match self.count {
            ..=SHOWN_MAX => writeln!(notices, "line {line}: {reason}"),
            _ if self.count == SHOWN_MAX + 1 => writeln!(notices, "further refusals are only counted"),
            _ => Ok(()),
        }
    }

    /// Whether there was one.
    pub(super) fn any(&self) -> bool {
        self.count > 0
    }

    /// Says how the whole went, after `appended` records.
    pub(super) fn outcome(self, appended: u64) -> Result<(), TopicFailure> {
        match self.count {
            0 => Ok(()),
            refused => Err(TopicFailure::Refused { refused, all: refused + appended, what: self.what }),
        }
    }
}
