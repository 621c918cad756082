//! Lines on standard error that change while work goes on: how far it is.
//!
//! ```text
//! levada run, server, dev, topic import …, \progress ─▶ LiveLines ─┐
//! log events, notices ──▶ beside ─── whole lines above them ───────┴─▶ standard error
//! ```
//!
//! They are shown on a terminal that can be painted over, and nowhere else: a file or a pipe gets what is said, not what changes.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::terminal_size_of;

/// The lines on the terminal at this moment, for those who write beside them.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lines that change. They go when this is dropped; a process shows those of one at a time.
#[derive(Debug, Default)]
pub struct LiveLines {
    /// From the first text on.
    bar: Option<ProgressBar>,
}

impl LiveLines {
    /// Whether anybody sees what is shown: to find it out costs as much as the work in places.
    pub fn are_seen() -> bool {
        !ProgressDrawTarget::stderr().is_hidden()
    }

    /// Shows the lines of `text` in the place of those before, cut to the width of the terminal.
    pub fn show(&mut self, text: &str) {
        if self.bar.is_none() && Self::are_seen() {
            let style = ProgressStyle::with_template("{msg}").expect("the template is well-formed");
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
            *shown() = Some(bar.clone());
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            let width = terminal_size_of(io::stderr()).map_or(usize::MAX, |(width, _)| usize::from(width.0));
            bar.set_message(cut(text, width));
        }
    }

    /// Removes the lines, until others are shown.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            *shown() = None;
            bar.finish_and_clear();
        }
    }
}

impl Drop for LiveLines {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The lines of `text` with no more than `width` characters each: a line that goes on below is two to count and to remove.
fn cut(text: &str, width: usize) -> String {
    text.lines().map(|line| line.chars().take(width).collect()).collect::<Vec<String>>().join("\n")
}

/// Whether there are lines that change on the terminal.
pub(super) fn is_shown() -> bool {
    shown().is_some()
}

/// Calls `write`, which writes whole lines to standard error, while the lines that change are out of the way. It may not show or
/// write beside any itself.
fn beside<T>(write: impl FnOnce() -> T) -> T {
    let bar = shown().clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Standard error, which lines that change may share: what is written at a time are whole lines.
#[derive(Debug)]
pub struct BesideLive;

impl Write for BesideLive {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        beside(|| io::stderr().write_all(lines))?;
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long what is `left` takes at so much a second: `40 s left`; `None` where it is not to be told.
pub fn time_left(left: u64, per_second: f64) -> Option<String> {
    let seconds = left as f64 / per_second;
    if per_second < 1.0 || seconds < 1.0 {
        return None;
    }
    Some(match seconds {
        ..90.0 => format!("{seconds:.0} s left"),
        ..5_400.0 => format!("{:.0} min left", seconds / 60.0),
        _ => format!("{:.0} h left", seconds / 3_600.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_the_terminal_at_most() {
        assert_eq!(cut("Zürich 1\nBern", 6), "Zürich\nBern");
    }

    #[test]
    fn the_time_left_is_told_in_the_unit_that_fits() {
        let check = |left, rate, expected: Option<&str>| assert_eq!(time_left(left, rate).as_deref(), expected);
        check(250, 100.0, Some("2 s left"));
        check(60_000, 100.0, Some("10 min left"));
        check(6_000_000, 100.0, Some("17 h left"));
        check(50, 100.0, None);
        check(5, 0.5, None);
    }
}
