//! What is looked after now and then while queries run: old records, topics that change under a query, queries that could not
//! start, state of tasks that are elsewhere.

use super::Inner;
use crate::runtime::{Change, QuerySpec};

/// Does what is due. The engine is not held while a cluster is asked.
pub(super) fn run(inner: &Inner) {
    let shared = &inner.shared;
    if let Err(error) = shared.topics.maintain(shared.clock.now_ms()) {
        tracing::error!("old records could not be removed: {error}");
    }
    if let Err(error) = shared.runtime.clean() {
        tracing::error!("old state could not be removed: {error}");
    }
    let running: Vec<QuerySpec> = inner.lock().queries.running().cloned().collect();
    for spec in running {
        match shared.runtime.changed_source(&spec) {
            Ok(Some((topic, change))) => follow(inner, &spec, &topic, &change),
            Ok(None) => {}
            // The tasks of the query meet the same, and say so.
            Err(error) => tracing::debug!(query = %spec.id, "its topics cannot be looked at: {error}"),
        }
    }
    inner.lock().queries.start_failed(&shared.runtime);
}

/// Lets the tasks of a query meet its topics as they are now; what is wrong with them is told by the tasks.
fn follow(inner: &Inner, spec: &QuerySpec, topic: &str, change: &Change) {
    match change {
        Change::Grown => {
            tracing::warn!(query = %spec.id, "topic {topic} has more partitions: the query is started again");
            inner.lock().queries.start_anew(&inner.shared.runtime, &spec.id);
        }
        Change::Gone | Change::Renewed | Change::Unfit => inner.shared.runtime.begin_again(&spec.id),
    }
}
