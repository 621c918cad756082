//! A line on the terminal that counts what is done, while it is done.

use std::time::{Duration, Instant};

use super::progress::rate;
use crate::shell::{LiveLines, time_left};

/// Counts on standard error where that is a terminal; nowhere else.
pub(super) struct Counter {
    line: LiveLines,
    done: &'static str,
    counted: fn(u64) -> String,
    start: Instant,
    shown: Option<Instant>,
}

/// A person reads no faster, and it costs more than the work that is counted.
const EVERY: Duration = Duration::from_millis(100);

impl Counter {
    /// Begins to count what is `done`, `appended`; `counted` says a number of them: `5 rows`.
    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    pub(super) fn new(done: &'static str, counted: fn(u64) -> String) -> Self {
        Self { line: LiveLines::default(), done, counted, start: Instant::now(), shown: None }
    }

    /// So many are done.
    pub(super) fn note(&mut self, count: u64) {
        self.note_part(count, None);
    }

    /// So many are done, which is this part of all, from 0 to 1, if that is known.
    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    pub(super) fn note_part(&mut self, count: u64, part: Option<f64>) {
        let now = Instant::now();
        if self.shown.is_none_or(|shown| now - shown >= EVERY) {
            self.shown = Some(now);
            self.line.show(&described(self.done, &(self.counted)(count), count, part, now - self.start));
        }
    }
}

fn described(done: &str, things: &str, count: u64, part: Option<f64>, time: Duration) -> String {
    let rate = rate(count, time);
    let part = part.map_or_else(String::new, |part| {
        // As if what is left were like what is done.
        let left = if part > 0.0 { (count as f64 * (1.0 - part) / part) as u64 } else { 0 };
        let time = time_left(left, rate as f64).map_or_else(String::new, |time| format!(", {time}"));
        format!(", {:.0} %{time}", part * 100.0)
    });
    format!("{done} {things} ({rate}/s){part}, Ctrl-C stops")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_with_its_rate_and_how_long_the_rest_takes() {
        let told = |part, seconds| described("appended", "5000 rows", 5000, part, Duration::from_secs(seconds));
        assert_eq!(told(None, 2), "appended 5000 rows (2500/s), Ctrl-C stops");
        assert_eq!(told(Some(0.25), 2), "appended 5000 rows (2500/s), 25 %, 6 s left, Ctrl-C stops");
        assert_eq!(told(Some(0.0), 0), "appended 5000 rows (0/s), 0 %, Ctrl-C stops");
    }
}
