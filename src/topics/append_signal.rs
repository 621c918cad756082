//! How readers learn that there is something to read.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts appends and wakes those who wait for the next.
#[derive(Debug, Default)]
pub(super) struct AppendSignal {
    version: Mutex<u64>,
    changed: Condvar,
}

impl AppendSignal {
    /// Number of appends so far.
    pub(super) fn version(&self) -> u64 {
        *self.lock()
    }

    /// Counts an append and wakes all who wait.
    pub(super) fn raise(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    /// Waits until the version differs from `seen` or `timeout` has passed, and returns it.
    pub(super) fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, |version| *version == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // A counter is never half-written.
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
