//! What functions of users take: how long they run, how much memory they give or ask for. One that does not come back, or asks for a
//! great deal, is named in the log, and in what the server says of its queries.
//!
//! A call writes two numbers into a place that its thread has for itself, at its beginning and at its end: no lock, and nothing that
//! another thread waits for. Whoever wants to know what is running looks through the places of all threads.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError, Weak};
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
    /// Its number, from 1.
    id: u64,
    calls: AtomicU64,
    nanoseconds: AtomicU64,
    bytes_max: AtomicU64,
}

/// What runs on a thread.
#[derive(Debug, Default)]
struct Place {
    /// The function that is being called; 0: none. It is written after `since`, and read before: a call is never taken for older
    /// than it is.
    function: AtomicU64,
    /// When the call has begun, in nanoseconds of this process.
    since: AtomicU64,
    /// The query that the thread works for.
    query: Mutex<Option<Arc<str>>>,
    /// What was seen of the call when it was looked at.
    seen: Mutex<Seen>,
}

/// What is remembered of a call between two looks at it.
#[derive(Debug, Default)]
struct Seen {
    /// Which call: when it has begun.
    since: u64,
    /// Memory of the process when the call was first looked at.
    resident: u64,
    is_slow: bool,
    is_large: bool,
}

/// A call that has not come back.
#[derive(Debug, Clone, Copy)]
struct Running {
    function: u64,
    since: u64,
}

impl Running {
    fn elapsed(self) -> Duration {
        Duration::from_nanos(now().saturating_sub(self.since))
    }
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
static PLACES: Mutex<Vec<Weak<Place>>> = Mutex::new(Vec::new());

thread_local! {
    static PLACE: OnceCell<Arc<Place>> = const { OnceCell::new() };
}

/// Does `work` with the place of this thread.
fn with_place<T>(work: impl FnOnce(&Place) -> T) -> T {
    PLACE.with(|place| {
        work(place.get_or_init(|| {
            let new = Arc::new(Place::default());
            let mut places = locked(&PLACES);
            places.retain(|place| place.strong_count() > 0);
            places.push(Arc::downgrade(&new));
            new
        }))
    })
}

/// Nanoseconds since this process first asked.
fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long a library really takes is no time of the engine")]
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    // 0 is no time: nothing has been seen then.
    u64::try_from(BEGINNING.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// Does `work` for `query`: functions that it calls are told with that.
pub fn on_behalf_of<T>(query: &Arc<str>, work: impl FnOnce() -> T) -> T {
    let before = with_place(|place| locked(&place.query).replace(Arc::clone(query)));
    let done = work();
    with_place(|place| *locked(&place.query) = before);
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
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let watched = Arc::new(Watched {
        name: name.to_owned(),
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        calls: AtomicU64::new(0),
        nanoseconds: AtomicU64::new(0),
        bytes_max: AtomicU64::new(0),
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

fn places() -> Vec<Arc<Place>> {
    locked(&PLACES).iter().filter_map(Weak::upgrade).collect()
}

/// Looks at all calls, for as long as the process lives.
fn watch() {
    loop {
        std::thread::park_timeout(INTERVAL);
        let resident = resident_bytes().map_or(0, |bytes| bytes as u64);
        let functions = watched_functions();
        for place in places() {
            let Some(call) = place.running() else { continue };
            if let Some(watched) = functions.iter().find(|watched| watched.id == call.function) {
                watched.look(&place, call, slow(), resident);
            }
        }
    }
}

impl Place {
    /// The call that runs here, if there is one.
    fn running(&self) -> Option<Running> {
        let function = self.function.load(Ordering::Acquire);
        let since = self.since.load(Ordering::Relaxed);
        (function > 0).then_some(Running { function, since })
    }

    /// What was seen of `call`, which runs here.
    fn seen(&self, call: Running) -> MutexGuard<'_, Seen> {
        let mut seen = locked(&self.seen);
        if seen.since != call.since {
            *seen = Seen { since: call.since, ..Seen::default() };
        }
        seen
    }

    /// Something else runs here from now on.
    fn set(&self, call: Running) {
        self.since.store(call.since, Ordering::Relaxed);
        self.function.store(call.function, Ordering::Release);
    }
}

impl Watched {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Begins a call, which ends when what this gives is dropped.
    pub(super) fn enter(&self) -> Entered<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let since = now();
        let outer = with_place(|place| {
            let outer = Running {
                function: place.function.load(Ordering::Relaxed),
                since: place.since.load(Ordering::Relaxed),
            };
            place.set(Running { function: self.id, since });
            outer
        });
        Entered { watched: self, since, outer, _stays: std::marker::PhantomData }
    }

    /// The function has given so many bytes.
    pub(super) fn gave(&self, bytes: usize) {
        let bytes = bytes as u64;
        // Most are not the most.
        if bytes > self.bytes_max.load(Ordering::Relaxed) {
            self.bytes_max.fetch_max(bytes, Ordering::Relaxed);
        }
    }

    fn usage(&self) -> Usage {
        let call_at = |place: Arc<Place>| {
            let call = place.running().filter(|call| call.function == self.id)?;
            let is_large = place.seen(call).is_large;
            Some(RunningCall { query: locked(&place.query).clone(), elapsed: call.elapsed(), is_large })
        };
        let calls = places().into_iter().filter_map(call_at);
        Usage {
            name: self.name.clone(),
            calls: self.calls.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)),
            bytes_max: self.bytes_max.load(Ordering::Relaxed),
            slow: calls.filter(|call| call.elapsed > slow() || call.is_large).collect(),
        }
    }

    /// Tells of `call` at `place` if it runs longer than `slow`, or if the process has taken on much memory meanwhile, each once.
    fn look(&self, place: &Place, call: Running, slow: Duration, resident: u64) {
        let query = locked(&place.query).clone();
        let query = query.as_deref().unwrap_or("none");
        let mut seen = place.seen(call);
        if !seen.is_slow && call.elapsed() > slow {
            seen.is_slow = true;
            tracing::warn!(query, "the function {} has been running for {slow:?} and has not come back", self.name);
        }
        if seen.resident == 0 {
            seen.resident = resident;
        }
        let grown = resident.saturating_sub(seen.resident);
        if !seen.is_large && grown > MUCH {
            seen.is_large = true;
            tracing::warn!(query, "the process has grown by {} MiB while the function {} runs", grown >> 20, self.name);
        }
    }
}

/// A call that runs, on the thread that has begun it.
pub(super) struct Entered<'a> {
    watched: &'a Watched,
    since: u64,
    /// What ran on the thread before, and goes on.
    outer: Running,
    _stays: std::marker::PhantomData<*const ()>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let taken = now().saturating_sub(self.since);
        self.watched.nanoseconds.fetch_add(taken, Ordering::Relaxed);
        with_place(|place| place.set(self.outer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at what runs on this thread.
    fn look(watched: &Watched, resident: u64) {
        with_place(|place| {
            watched.look(place, place.running().expect("a call runs"), Duration::ZERO, resident);
        });
    }

    #[test]
    fn a_call_that_goes_on_is_known_with_its_query() {
        let watched = watched("endless");
        on_behalf_of(&Arc::from("Q_1"), || {
            let running = watched.enter();
            look(&watched, 1);
            look(&watched, MUCH + 2);
            let usage = watched.usage();
            assert_eq!(usage.slow.iter().map(|call| call.query.as_deref()).collect::<Vec<_>>(), [Some("Q_1")]);
            assert!(usage.slow[0].is_large);
            drop(running);
        });
        assert_eq!((watched.usage().slow, watched.usage().calls), (vec![], 1));
        assert!(watched.usage().time > Duration::ZERO);
        watched.gave(5);
        watched.gave(3);
        assert_eq!(watched.usage().bytes_max, 5);
    }

    #[test]
    fn a_call_within_a_call_ends_before_it() {
        let (outer, inner) = (watched("outer"), watched("inner"));
        let running = |of: &Watched| with_place(|place| place.running().is_some_and(|call| call.function == of.id));
        let first = outer.enter();
        let second = inner.enter();
        assert!(running(&inner) && !running(&outer));
        drop(second);
        assert!(running(&outer));
        drop(first);
        assert!(!running(&outer) && !running(&inner));
    }

    #[test]
    fn calls_of_all_threads_are_known() {
        let watched = watched("everywhere");
        let (began, ends) = (std::sync::Barrier::new(3), std::sync::Barrier::new(3));
        std::thread::scope(|scope| {
            for query in ["Q_1", "Q_2"] {
                let (watched, began, ends) = (&watched, &began, &ends);
                scope.spawn(move || {
                    on_behalf_of(&Arc::from(query), || {
                        let _running = watched.enter();
                        look(watched, 1);
                        look(watched, MUCH + 2);
                        began.wait();
                        ends.wait();
                    });
                });
            }
            began.wait();
            let mut queries: Vec<_> = watched.usage().slow.into_iter().filter_map(|call| call.query).collect();
            queries.sort();
            assert_eq!(queries.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["Q_1", "Q_2"]);
            ends.wait();
        });
        assert!(watched.usage().slow.is_empty());
    }
}
