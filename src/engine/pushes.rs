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
use super::{EngineError, Inner};
use crate::plan::SharedPlan;
use crate::runtime::Runtime;
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
    /// What it computes.
    pub(super) plan: SharedPlan,
    /// On the way to its reader.
    pub(super) queue: Arc<PushQueue>,
}

/// A place among the push queries, to be taken by one that starts.
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) say: Sender<Said>,
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

    /// Forgets the push query `number`, which could not start.
    pub(super) fn forget(&self, number: u64) {
        self.lock().remove(&number);
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

    /// Ends the tasks of those that have said that they are over.
    pub(super) fn sweep(&self, runtime: &Runtime) {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(receiver) = &*said else { return };
        while let Ok(said) = receiver.try_recv() {
            self.handle(&said, runtime);
        }
    }

    fn handle(&self, said: &Said, runtime: &Runtime) {
        let Said::Ended(number) = said else { return };
        let ended = self.lock().remove(number);
        if let Some(push) = ended {
            runtime.end_transient(&push.id, push.plan.root.has_internal_topics());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Push>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Push {
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
                inner.shared.pushes.handle(&said, &inner.shared.runtime);
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
