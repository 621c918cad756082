//! A line on the terminal that counts what is done, while it is done.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress::rate;

/// Counts on standard error where that is a terminal; nowhere else.
pub(super) struct Counter {
    line: Option<ProgressBar>,
    what: &'static str,
    start: Instant,
}

impl Counter {
    /// Begins to count what is `what`: `appended`.
    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    pub(super) fn new(what: &'static str) -> Self {
        let line = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{wide_msg}").expect("the template is well-formed");
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
        });
        Self { line, what, start: Instant::now() }
    }

    /// So many are done.
    pub(super) fn note(&self, count: u64) {
        if let Some(line) = &self.line {
            line.set_message(described(self.what, count, rate(count, self.start.elapsed())));
            line.tick();
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }
}

fn described(what: &str, count: u64, rate: u64) -> String {
    format!("{what} {count} rows ({rate}/s), Ctrl-C stops")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_with_its_rate() {
        assert_eq!(described("appended", 5000, 2500), "appended 5000 rows (2500/s), Ctrl-C stops");
    }
}
