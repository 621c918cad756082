//! Figures of the runtime as a whole, written by its workers.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics::{Counter, Histogram, Metric, Registry};

/// How long commits take.
const COMMIT_SECONDS: Metric = Metric::histogram(
    "levada_commit_seconds",
    "Time that a worker takes for a commit: results, positions and state, in seconds.",
);
/// Commits that failed.
const COMMIT_FAILURES: Metric =
    Metric::counter("levada_commit_failures_total", "Commits that failed; what they held is done again.");
/// How long restores take.
const RESTORE_SECONDS: Metric = Metric::histogram(
    "levada_restore_seconds",
    "Time in which the state of a task came back from its changelogs, in seconds.",
);
/// Records that were restored.
const RESTORED_RECORDS: Metric =
    Metric::counter("levada_restored_records_total", "Records of changelogs from which state came back.");

/// Where workers write to.
#[derive(Debug, Clone)]
pub struct RuntimeMetrics {
    commits: Histogram,
    commit_failures: Counter,
    restores: Histogram,
    restored: Counter,
}

impl RuntimeMetrics {
    /// Places in `registry`.
    pub fn new(registry: &Arc<Registry>) -> Self {
        Self {
            commits: registry.histogram(&COMMIT_SECONDS, &[], &Histogram::SECONDS),
            commit_failures: registry.counter(&COMMIT_FAILURES, &[]),
            restores: registry.histogram(&RESTORE_SECONDS, &[], &Histogram::SECONDS),
            restored: registry.counter(&RESTORED_RECORDS, &[]),
        }
    }

    /// A commit took `time`, and `succeeded` or not.
    pub fn committed(&self, time: Duration, succeeded: bool) {
        self.commits.observe(time.as_secs_f64());
        if !succeeded {
            self.commit_failures.increment();
        }
    }

    /// The state of a task came back from `records` in `time`.
    pub fn restored(&self, records: u64, time: Duration) {
        self.restores.observe(time.as_secs_f64());
        self.restored.add(records);
    }
}
