//! Readers that push queries share: one for each topic and way of reading it, as long as somebody needs it.
//!
//! A push query that only looks at single records of a stream, from now on, needs no reader of its own. One that does not keep up
//! gets one, at the place where it was left behind, and waits there for its client (`reads`).

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{EngineError, Shared};
use crate::plan::{Collection, QueryPlan, Source};
use crate::runtime::tap::{Offsets, Subscription, Tap};
use crate::runtime::{Client, QuerySpec, StartFrom};
use crate::topics::{TopicPartition, Topics};

/// The shared readers of a server.
#[derive(Default)]
pub(super) struct Taps {
    open: Mutex<HashMap<String, OpenTap>>,
    next: AtomicU64,
}

struct OpenTap {
    id: Arc<str>,
    tap: Arc<Tap>,
    users: usize,
}

/// A push query's place at a shared reader.
#[derive(Clone)]
pub(super) struct Seat {
    key: String,
    tap: Arc<Tap>,
    subscription: Arc<Subscription>,
}

impl Seat {
    /// Where the push query has come to, by partition, if it was left behind.
    pub(super) fn left_at(&self) -> Option<Offsets> {
        self.subscription.left_at()
    }
}

/// The source of a push query that can share a reader.
pub(super) fn tapped(plan: &QueryPlan, start_from: StartFrom) -> Option<&Source> {
    let source = plan.root.tapped_source()?;
    let begins_now = start_from != StartFrom::Earliest;
    (begins_now && source.collection == Collection::Stream && !source.is_stored()).then_some(source)
}

/// Where the partitions of `topic` end now.
pub(super) fn ends(topics: &dyn Topics, topic: &str) -> Result<BTreeMap<TopicPartition, i64>, EngineError> {
    let Some(info) = topics.describe(topic)? else { return Ok(BTreeMap::new()) };
    let name: Arc<str> = topic.into();
    let partitions = (0..info.config.partitions).map(|partition| {
        let partition = TopicPartition { topic: Arc::clone(&name), partition };
        let end = topics.end_offset(&partition)?;
        Ok((partition, end))
    });
    partitions.collect()
}

impl Taps {
    /// Has `client` get the rows of `spec`, from `source` by a reader that is shared. `left_behind` is called when it does not keep
    /// up.
    pub(super) fn join(
        &self,
        shared: &Shared,
        (spec, client): (&QuerySpec, &Client),
        source: &Source,
        left_behind: impl Fn() + Send + Sync + 'static,
    ) -> Result<Seat, EngineError> {
        let key = format!("{} {:?} {}", source.topic, source.needed, source.way_of_reading());
        let tap = self.open(shared, spec, source, &key)?;
        let generation = shared.view().changes;
        let subscription = tap.subscribe((&spec.plan.root, generation), client, left_behind);
        let seat = Seat { key, tap, subscription };
        // What is appended from here on is for it: its client has not been told yet that it runs.
        match ends(&*shared.topics, &source.topic) {
            Ok(ends) => {
                let start = ends.into_iter().map(|(from, end)| (from.partition, end)).collect();
                seat.subscription.start(&start);
                Ok(seat)
            }
            Err(error) => {
                self.leave(shared, &seat);
                Err(error)
            }
        }
    }

    /// The shared reader of `source`, begun if there is none.
    fn open(&self, shared: &Shared, spec: &QuerySpec, source: &Source, key: &str) -> Result<Arc<Tap>, EngineError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = open.get_mut(key) {
            found.users += 1;
            return Ok(Arc::clone(&found.tap));
        }
        let id: Arc<str> = format!("tap_{}_{}", source.name, self.next.fetch_add(1, Ordering::Relaxed)).into();
        let tap = Arc::new(Tap::default());
        let root = crate::plan::PlanNode::Source(source.clone());
        let reader = QuerySpec {
            id: Arc::clone(&id),
            plan: Arc::new(QueryPlan { root, sink: None, limit: None, changes: Vec::new() }),
            client: None,
            tap: Some(Arc::clone(&tap)),
            start_at: Some(Arc::new(ends(&*shared.topics, &source.topic)?)),
            ..spec.clone()
        };
        shared.runtime.start(reader)?;
        open.insert(key.to_owned(), OpenTap { id, tap: Arc::clone(&tap), users: 1 });
        Ok(tap)
    }

    /// How many readers there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Gives `seat` up, and the reader with it if nobody else needs it.
    pub(super) fn leave(&self, shared: &Shared, seat: &Seat) {
        seat.tap.unsubscribe(&seat.subscription);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = open.get_mut(&seat.key).filter(|found| Arc::ptr_eq(&found.tap, &seat.tap)) else { return };
        found.users -= 1;
        if found.users == 0 {
            let id = Arc::clone(&found.id);
            open.remove(&seat.key);
            drop(open);
            shared.runtime.end_transient(&id, None);
        }
    }
}
