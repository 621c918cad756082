//! What the engine tells those who watch it: all its figures under names for Prometheus.
//!
//! ```text
//! Look ── queries with their tasks, at one moment ──┬─▶ native:  levada_…
//!                                                   └─▶ ksqldb:  the names that dashboards of ksqlDB ask for
//! Registry ── what is counted as it happens ────────▶ commits, restores, pull queries; what other layers add
//! ```
//!
//! Nobody waits for a statement that runs, and nothing is asked of a cluster: ends of partitions are those that tasks know.

mod ksqldb;
mod look;
mod native;
mod pulls;

use std::sync::Arc;

use super::{Engine, Shared};
use crate::metrics::{Metric, Registry, Snapshot};

pub(super) use look::{Look, QueryLook};
pub(super) use pulls::{PullKind, PullMetrics};

/// Push queries that run.
const PUSH_QUERIES: Metric = Metric::gauge("levada_push_queries", "Push queries that clients read.");

impl Engine {
    /// Where layers above the engine count what they do; what they count is in [`Engine::metrics`] too.
    pub fn metrics_registry(&self) -> &Arc<Registry> {
        &self.inner.shared.metrics
    }

    /// All figures as they are now; their text is Prometheus' text format.
    pub fn metrics(&self) -> Snapshot {
        snapshot(&self.inner.shared)
    }
}

/// All figures as they are now.
pub(super) fn snapshot(shared: &Shared) -> Snapshot {
    let look = Look::new(shared);
    let mut snapshot = Snapshot::default();
    native::add(&look, &mut snapshot);
    ksqldb::add(&look, &mut snapshot);
    snapshot.add(&PUSH_QUERIES, &[], shared.pushes.running().len() as u64);
    shared.metrics.collect(&mut snapshot);
    snapshot
}

#[cfg(test)]
pub(super) mod tests;
