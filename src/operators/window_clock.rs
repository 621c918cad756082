//! Where the time of an operator with windows is.

/// How far time has come, and what waits for it. Windows close at rows, never by a clock: see the operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowClock {
    /// Greatest time seen, in milliseconds since the epoch; -1 before the first row.
    pub stream_time: i64,
    /// Windows, or rows of a join, that are not closed; those in memory.
    pub open: u64,
    /// When stream time is this, the first of them closes.
    pub next_close: Option<i64>,
}
