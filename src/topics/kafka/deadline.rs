//! Real time, for what other machines take: the one place here that asks the system's clock.

use std::time::{Duration, Instant};

/// A moment after which something has taken too long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

#[expect(clippy::disallowed_methods, reason = "what other machines take is real time")]
impl Deadline {
    /// `patience` from now.
    pub(super) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }

    /// Waits a little before asking again; false when the time is over.
    pub(super) fn pause(self, little: Duration) -> bool {
        std::thread::sleep(little);
        !self.is_over()
    }
}
