//! The push queries that run on this server: known as long as somebody listens, ended when nobody does.
//!
//! Whoever ends one (its reader goes, its limit is reached, TERMINATE) only says so; the keeper, a thread of its own, ends its
//! tasks and removes what they have left. Nobody who listens waits for that.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::push::{PushEnd, PushQueue};
use super::taps::Seat;
use super::{EngineError, Inner, Shared};
use crate::runtime::QuerySpec;
use crate::topics::TopicPartition;
use crate::types::STACK_BYTES;

/// The push queries of a server.
pub(super) struct Pushes {
    running: Mutex<BTreeMap<u64, Push>>,
    next: AtomicU64,
    say: Sender<Said>,
    /// Read by the keeper, or without threads by who settles.
    said: Mutex<Option<Receiver<Said>>>,
}

/// What the keeper is told.
pub(super) enum Said {
    /// The push query of this number has ended.
    Ended(u64),
    /// The push query of this number does not keep up with those that it shares a reader with.
    LeftBehind(u64),
    /// The engine is closed.
    Closed,
}

/// A push query.
#[derive(Clone)]
pub(super) struct Push {
    /// Its id, which is also that of its tasks.
    pub(super) id: Arc<str>,
    /// The statement.
    pub(super) sql: String,
    /// On the way to its reader.
    pub(super) queue: Arc<PushQueue>,
    /// How it runs by itself.
    pub(super) spec: QuerySpec,
    /// Its place at a shared reader, if it does not run by itself.
    pub(super) seat: Option<Seat>,
}

/// A place among the push queries, to be taken by one that starts.
pub(super) struct Place {
    pub(super) number: u64,
    say: Sender<Said>,
}

impl Place {
    /// Tells the keeper what has happened to the push query.
    pub(super) fn telling(&self, what: fn(u64) -> Said) -> impl Fn() + Send + Sync + use<> {
        let (number, say) = (self.number, self.say.clone());
        // When the engine is closed nobody listens, and nothing is left to end.
        move || drop(say.send(what(number)))
    }
}

impl Default for Pushes {
    fn default() -> Self {
        let (say, said) = channel();
        Self { running: Mutex::default(), next: AtomicU64::new(0), say, said: Mutex::new(Some(said)) }
    }
}

impl Pushes {
    /// A place for one more, if there may be as many as `max`.
    pub(super) fn place(&self, max: usize) -> Result<Place, EngineError> {
        let count = self.lock().values().filter(|push| !push.is_over()).count();
        if count >= max {
            let text = format!("Maximum number of push queries exceeded: {count} run, and there may be {max}.");
            let hint = "the server's property ksql.max.push.queries says how many there may be";
            return Err(EngineError::new(text).with_hint(hint).with_code(EngineError::PUSH_QUERIES_MAX));
        }
        Ok(Place { number: self.next.fetch_add(1, Ordering::Relaxed), say: self.say.clone() })
    }

    /// Takes up the push query `number`, which is about to start.
    pub(super) fn add(&self, number: u64, push: Push) {
        self.lock().insert(number, push);
    }

    /// Notes the place of the push query `number` at a shared reader; gives it back if the query has ended already.
    pub(super) fn set_seat(&self, number: u64, seat: Option<Seat>) -> Option<Seat> {
        match self.lock().get_mut(&number) {
            Some(push) => {
                push.seat = seat;
                None
            }
            None => seat,
        }
    }

    /// Forgets the push query `number`.
    pub(super) fn forget(&self, number: u64) -> Option<Push> {
        self.lock().remove(&number)
    }

    /// Those that run, in order of their start.
    pub(super) fn running(&self) -> Vec<Push> {
        self.lock().values().filter(|push| !push.is_over()).cloned().collect()
    }

    /// The one called `id`, in any case.
    pub(super) fn find(&self, id: &str) -> Option<Push> {
        self.lock().values().find(|push| !push.is_over() && push.id.eq_ignore_ascii_case(id)).cloned()
    }

    /// Ends all.
    fn stop_all(&self) {
        for push in self.running() {
            push.queue.end(PushEnd::Stopped);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Push>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without a keeper: does what it would do.
pub(super) fn sweep(shared: &Shared) {
    let said = shared.pushes.said.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(receiver) = &*said else { return };
    while let Ok(said) = receiver.try_recv() {
        handle(&said, shared);
    }
}

fn handle(said: &Said, shared: &Shared) {
    match *said {
        Said::Ended(number) => {
            if let Some(push) = shared.pushes.forget(number) {
                push.close(shared);
            }
        }
        Said::LeftBehind(number) => {
            let found = shared.pushes.lock().get(&number).cloned();
            if let Some(push) = found {
                push.run_alone(number, shared);
            }
        }
        Said::Closed => {}
    }
}

impl Push {
    /// Ends its tasks.
    fn close(&self, shared: &Shared) {
        match &self.seat {
            Some(seat) => shared.taps.leave(shared, seat),
            None => {
                let has_topics = self.spec.plan.root.has_internal_topics();
                shared.runtime.end_transient(&self.id, has_topics.then_some(&*self.spec.group));
            }
        }
    }

    /// Goes on by itself where it was left behind, at the pace of its client.
    fn run_alone(&self, number: u64, shared: &Shared) {
        let Some((seat, left_at)) = self.seat.as_ref().and_then(|seat| Some((seat, seat.left_at()?))) else { return };
        shared.taps.leave(shared, seat);
        shared.pushes.set_seat(number, None);
        let topic: Option<Arc<str>> = self.spec.plan.root.tapped_source().map(|source| source.topic.as_str().into());
        let place = |(partition, offset)| Some((TopicPartition { topic: topic.clone()?, partition }, offset));
        let start_at = left_at.into_iter().filter_map(place).collect();
        let spec = QuerySpec { start_at: Some(Arc::new(start_at)), ..self.spec.clone() };
        if let Err(error) = shared.runtime.start(spec) {
            self.queue.end(PushEnd::Failed(error.to_string()));
        }
    }

    fn is_over(&self) -> bool {
        use crate::runtime::RowReceiver as _;
        self.queue.is_closed()
    }
}

/// The thread that ends the tasks of push queries.
pub(super) struct Keeper {
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts the keeper of `inner`.
    pub(super) fn start(inner: &Arc<Inner>) -> Option<Self> {
        let said = inner.shared.pushes.said.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let inner = Arc::clone(inner);
        let keep = move || {
            while let Ok(said) = said.recv() {
                handle(&said, &inner.shared);
                if matches!(said, Said::Closed) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("push-queries".to_owned()).stack_size(STACK_BYTES).spawn(keep);
        Some(Self { thread: thread.expect("the system can start a thread") })
    }

    /// Ends all push queries, with their tasks, and the keeper.
    pub(super) fn close(self, pushes: &Pushes) {
        pushes.stop_all();
        if pushes.say.send(Said::Closed).is_err() || self.thread.join().is_err() {
            tracing::error!("the thread that ends push queries has died");
        }
    }
}

/// A number that no other push query has, on any server.
pub(super) fn random_number() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u8(0);
    hasher.finish() >> 1
}
