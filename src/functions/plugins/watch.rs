//! What functions of users take: how long they run, how much memory they give or ask for. One that does not come back, or asks for a
//! great deal, is named in the log, and in what the server says of its queries.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::types::resident_bytes;

/// Running longer than this, in milliseconds, a call is told. Libraries are those of the process, and so is this.
static SLOW_MS: AtomicU64 = AtomicU64::new(10_000);
/// Beyond this, memory that a process takes on while a call runs is told.
const MUCH: u64 = 1 << 30;
/// How often calls are looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Calls that run longer than `slow` are told from now on.
pub fn tell_slower_than(slow: Duration) {
    SLOW_MS.store(u64::try_from(slow.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn slow() -> Duration {
    Duration::from_millis(SLOW_MS.load(Ordering::Relaxed))
}

/// Figures of a function.
#[derive(Debug)]
pub(super) struct Watched {
    name: String,
    calls: AtomicU64,
    nanoseconds: AtomicU64,
    bytes_max: AtomicU64,
    running: Mutex<Vec<Running>>,
}

/// A call that has not come back.
#[derive(Debug, Clone)]
struct Running {
    number: u64,
    query: Option<Arc<str>>,
    since: Instant,
    /// Memory of the process when the call was first looked at.
    resident: Option<u64>,
    is_slow: bool,
    is_large: bool,
}

/// A call of a function that has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningCall {
    /// The query that it is made for.
    pub query: Option<Arc<str>>,
    /// For how long it has been running.
    pub elapsed: Duration,
    /// Whether it has been told that the process takes on much memory meanwhile.
    pub is_large: bool,
}

/// What a function of a plug-in has taken since it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The function.
    pub name: String,
    /// Batches that it was called with.
    pub calls: u64,
    /// Time that they took together.
    pub time: Duration,
    /// Most bytes that it has given at once, or that the states of its groups had.
    pub bytes_max: u64,
    /// Calls that run for long, or while which the process takes on much memory.
    pub slow: Vec<RunningCall>,
}

static ALL: Mutex<Vec<Weak<Watched>>> = Mutex::new(Vec::new());

thread_local! {
    static QUERY: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// Does `work` for `query`: functions that it calls are told with that.
pub fn on_behalf_of<T>(query: &Arc<str>, work: impl FnOnce() -> T) -> T {
    let before = QUERY.replace(Some(Arc::clone(query)));
    let done = work();
    QUERY.set(before);
    done
}

/// What functions of plug-ins have taken, by name.
pub fn usage() -> Vec<Usage> {
    let mut all: Vec<Usage> = watched_functions().iter().map(|watched| watched.usage()).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A function that has been running for long, if there is one.
pub fn hanging() -> Option<String> {
    let hangs = |usage: &Usage| usage.slow.iter().any(|call| call.elapsed > slow());
    usage().into_iter().find(hangs).map(|usage| usage.name)
}

/// What is said of functions that run for long, or while which the process takes on much memory: a line for each.
pub fn complaints() -> Vec<String> {
    let complaints = |usage: Usage| {
        let name = usage.name;
        usage.slow.into_iter().map(move |call| {
            let memory = if call.is_large { ", while the process takes on much memory" } else { "" };
            let query = call.query.map_or_else(String::new, |query| format!(" in {query}"));
            format!(
                "The function {} has been running{query} for {} seconds{memory}.",
                name.to_uppercase(),
                call.elapsed.as_secs()
            )
        })
    };
    usage().into_iter().flat_map(complaints).collect()
}

/// The thread that looks at calls.
static WATCHING: Once = Once::new();

/// Figures for the function called `name`.
pub(super) fn watched(name: &str) -> Arc<Watched> {
    let watched = Arc::new(Watched {
        name: name.to_owned(),
        calls: AtomicU64::new(0),
        nanoseconds: AtomicU64::new(0),
        bytes_max: AtomicU64::new(0),
        running: Mutex::default(),
    });
    let mut all = locked(&ALL);
    all.retain(|watched| watched.strong_count() > 0);
    all.push(Arc::downgrade(&watched));
    drop(all);
    WATCHING.call_once(|| {
        // Without a thread nobody is told; what is asked for is.
        let _ = std::thread::Builder::new().name("functions".to_owned()).spawn(watch);
    });
    watched
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watched_functions() -> Vec<Arc<Watched>> {
    locked(&ALL).iter().filter_map(Weak::upgrade).collect()
}

/// Looks at all calls, for as long as the process lives.
fn watch() {
    loop {
        std::thread::park_timeout(INTERVAL);
        let resident = resident_bytes().map(|bytes| bytes as u64);
        watched_functions().iter().for_each(|watched| watched.look(slow(), resident));
    }
}

impl Watched {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Begins a call, which ends when what this gives is dropped.
    pub(super) fn enter(&self) -> Entered<'_> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        #[expect(clippy::disallowed_methods, reason = "how long a library really takes is no time of the engine")]
        let (query, since) = (QUERY.with_borrow(Clone::clone), Instant::now());
        let running = Running { number, query, since, resident: None, is_slow: false, is_large: false };
        locked(&self.running).push(running);
        Entered { watched: self, number, since }
    }

    /// The function has given so many bytes.
    pub(super) fn gave(&self, bytes: usize) {
        self.bytes_max.fetch_max(bytes as u64, Ordering::Relaxed);
    }

    fn usage(&self) -> Usage {
        let running = locked(&self.running).clone();
        let calls = running.into_iter().map(|call| RunningCall {
            query: call.query,
            elapsed: call.since.elapsed(),
            is_large: call.is_large,
        });
        Usage {
            name: self.name.clone(),
            calls: self.calls.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
            bytes_max: self.bytes_max.load(Ordering::Relaxed),
            slow: calls.filter(|call| call.elapsed > slow() || call.is_large).collect(),
        }
    }

    /// Tells of calls that run longer than `slow`, or while which the process has taken on much memory, each once.
    fn look(&self, slow: Duration, resident: Option<u64>) {
        for call in locked(&self.running).iter_mut() {
            let query = call.query.as_deref().unwrap_or("none");
            if !call.is_slow && call.since.elapsed() > slow {
                call.is_slow = true;
                tracing::warn!(query, "the function {} has been running for {slow:?} and has not come back", self.name);
            }
            let before = *call.resident.get_or_insert(resident.unwrap_or(0));
            let grown = resident.unwrap_or(0).saturating_sub(before);
            if !call.is_large && grown > MUCH {
                call.is_large = true;
                tracing::warn!(
                    query,
                    "the process has grown by {} MiB while the function {} runs",
                    grown >> 20,
                    self.name
                );
            }
        }
    }
}

/// A call that runs.
pub(super) struct Entered<'a> {
    watched: &'a Watched,
    number: u64,
    since: Instant,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let taken = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.watched.nanoseconds.fetch_add(taken, Ordering::Relaxed);
        locked(&self.watched.running).retain(|call| call.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_goes_on_is_known_with_its_query() {
        let watched = watched("endless");
        let running = on_behalf_of(&Arc::from("Q_1"), || watched.enter());
        watched.look(Duration::ZERO, Some(0));
        watched.look(Duration::ZERO, Some(MUCH + 1));
        let usage = watched.usage();
        assert_eq!(usage.slow.iter().map(|call| call.query.as_deref()).collect::<Vec<_>>(), [Some("Q_1")]);
        assert!(usage.slow[0].is_large);
        drop(running);
        assert_eq!((watched.usage().slow, watched.usage().calls), (vec![], 1));
        watched.gave(5);
        watched.gave(3);
        assert_eq!(watched.usage().bytes_max, 5);
    }
}
