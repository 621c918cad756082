//! How much is shown of what keeps coming, and when somebody is told that nothing comes.

use std::time::{Duration, Instant};

use arrow::array::RecordBatch;

/// That nothing comes is told after so many polls: about a second.
const WAITING_POLLS: u32 = 20;

/// How much is shown of rows that keep coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// So many rows.
    pub rows: Option<u64>,
    /// For so long.
    pub time: Option<Duration>,
}

/// What may still be shown of rows that keep coming.
pub(super) struct Left {
    rows: Option<u64>,
    until: Option<Instant>,
}

impl Left {
    #[expect(clippy::disallowed_methods, reason = "it is the person's time")]
    pub(super) fn new(limits: Limits) -> Self {
        Self { rows: limits.rows, until: limits.time.map(|time| Instant::now() + time) }
    }

    #[expect(clippy::disallowed_methods, reason = "it is the person's time")]
    pub(super) fn is_none(&self) -> bool {
        self.rows == Some(0) || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// As many rows of `batch` as may be shown.
    pub(super) fn cut(&mut self, batch: &RecordBatch) -> RecordBatch {
        let Some(left) = &mut self.rows else { return batch.clone() };
        let shown = batch.num_rows().min(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= shown as u64;
        batch.slice(0, shown)
    }

    /// What the person is told of the end.
    pub(super) fn said(&self) -> &'static str {
        match self.rows {
            Some(0) => ", and no more are shown: --query-row-limit",
            _ if self.is_none() => ", and no longer shown: --query-timeout",
            _ => "",
        }
    }
}

/// How long somebody has waited for the first rows of a query.
pub(super) struct Patience {
    /// Polls to go; `None` when there is nothing to tell (any more).
    left: Option<u32>,
}

impl Patience {
    pub(super) fn new(tells: bool) -> Self {
        Self { left: tells.then_some(WAITING_POLLS) }
    }

    /// Takes note of what a poll has brought; whether it is the moment to say that nothing comes.
    pub(super) fn ends(&mut self, was_idle: bool) -> bool {
        match (was_idle, self.left) {
            (true, Some(left)) => {
                self.left = left.checked_sub(1).filter(|&left| left > 0);
                self.left.is_none()
            }
            _ => {
                self.left = None;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(tells: bool, polls: &[bool]) -> usize {
        let mut patience = Patience::new(tells);
        polls.iter().filter(|was_idle| patience.ends(**was_idle)).count()
    }

    #[test]
    fn waiting_for_the_first_rows_is_told_once() {
        let idle = |polls: u32| vec![true; polls as usize];
        assert_eq!(told(true, &idle(100)), 1);
        assert_eq!(told(true, &idle(WAITING_POLLS - 1)), 0);
        assert_eq!(told(true, &[vec![false], idle(100)].concat()), 0, "rows have come");
        assert_eq!(told(false, &idle(100)), 0, "nobody is there, or all is read");
    }
}
