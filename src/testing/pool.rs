//! Runs cases on all cores; a case that panics or hangs fails alone.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Once};
use std::time::Duration;

use super::Outcome;
use crate::runtime::clock::{Clock, SystemClock};
use crate::types::STACK_BYTES;

/// A case that takes longer hangs.
const CASE_TIME_MAX: Duration = Duration::from_secs(30);
/// The same on a cluster, where every restart is an agreement of servers.
const CLUSTER_CASE_TIME_MAX: Duration = Duration::from_mins(3);

/// How often running cases are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A named piece of work.
pub trait Job: Send + Sync + 'static {
    /// Id of the case.
    fn id(&self) -> &str;

    /// Runs it.
    fn run(&self) -> Outcome;
}

enum Event {
    Started { worker: usize, job: usize },
    Done { worker: usize, job: usize, outcome: Outcome },
    Ended { worker: usize },
}

/// What the pool knows of one of its threads.
#[derive(Debug, Clone, Copy)]
enum Worker {
    Idle,
    Busy { job: usize, since: Duration },
    Gone,
}

/// Runs all jobs; outcomes are in the order of the jobs.
pub fn run_all<J: Job>(jobs: Vec<J>) -> Vec<Outcome> {
    let on_cluster = std::env::var_os(super::driver::BOOTSTRAP).is_some();
    Pool::new(jobs, if on_cluster { CLUSTER_CASE_TIME_MAX } else { CASE_TIME_MAX }).run()
}

struct Pool<J> {
    jobs: Arc<Vec<J>>,
    next: Arc<AtomicUsize>,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    workers: Vec<Worker>,
    outcomes: Vec<Option<Outcome>>,
    clock: SystemClock,
    time_max: Duration,
}

impl<J: Job> Pool<J> {
    fn new(jobs: Vec<J>, time_max: Duration) -> Self {
        let (sender, receiver) = channel();
        Self {
            outcomes: jobs.iter().map(|_| None).collect(),
            jobs: Arc::new(jobs),
            next: Arc::default(),
            sender,
            receiver,
            workers: Vec::new(),
            clock: SystemClock::new(),
            time_max,
        }
    }

    fn run(mut self) -> Vec<Outcome> {
        capture_panics();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        // On a cluster cases wait more than they work.
        let threads = if std::env::var_os(super::driver::BOOTSTRAP).is_some() { 8 * cores } else { cores };
        for _ in 0..threads.min(self.jobs.len()) {
            self.add_worker();
        }
        while self.workers.iter().any(|worker| !matches!(worker, Worker::Gone)) {
            match self.receiver.recv_timeout(LOOK) {
                Ok(event) => self.note(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            self.give_up_on_hanging();
        }
        let jobs = Arc::clone(&self.jobs);
        let missing = |job: &J| Outcome::of(job.id(), Err("it was never run".to_owned()));
        self.outcomes.into_iter().zip(jobs.iter()).map(|(done, job)| done.unwrap_or_else(|| missing(job))).collect()
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Started { worker, job } => {
                self.workers[worker] = Worker::Busy { job, since: self.clock.elapsed() };
            }
            Event::Done { worker, job, outcome } => {
                // A case that was given up on stays failed.
                self.outcomes[job].get_or_insert(outcome);
                if !matches!(self.workers[worker], Worker::Gone) {
                    self.workers[worker] = Worker::Idle;
                }
            }
            Event::Ended { worker } => self.workers[worker] = Worker::Gone,
        }
    }

    /// The thread of a case that hangs cannot be stopped: it is left behind, and another takes its place.
    fn give_up_on_hanging(&mut self) {
        let now = self.clock.elapsed();
        for index in 0..self.workers.len() {
            let Worker::Busy { job, since } = self.workers[index] else { continue };
            if now.saturating_sub(since) < self.time_max {
                continue;
            }
            let reason = format!("no result after {} s", self.time_max.as_secs());
            self.outcomes[job] = Some(Outcome::of(self.jobs[job].id(), Err(reason)));
            self.workers[index] = Worker::Gone;
            self.add_worker();
        }
    }

    fn add_worker(&mut self) {
        let worker = self.workers.len();
        self.workers.push(Worker::Idle);
        let (jobs, next, events) = (Arc::clone(&self.jobs), Arc::clone(&self.next), self.sender.clone());
        let thread = std::thread::Builder::new().name(format!("cases-{worker}")).stack_size(STACK_BYTES);
        let started = thread.spawn(move || work(worker, &jobs, &next, &events));
        if started.is_err() {
            self.workers[worker] = Worker::Gone;
        }
    }
}

/// Takes jobs until none is left. An event that nobody receives any more is of no use: the run is over.
fn work<J: Job>(worker: usize, jobs: &[J], next: &AtomicUsize, events: &Sender<Event>) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(index) else { break };
        if events.send(Event::Started { worker, job: index }).is_err() {
            return;
        }
        let outcome = run_caught(job);
        if events.send(Event::Done { worker, job: index, outcome }).is_err() {
            return;
        }
    }
    drop(events.send(Event::Ended { worker }));
}

thread_local! {
    /// Text of the panic of this thread, while a case runs on it.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the text of a panic inside a case for its reason; other panics go where they went.
fn capture_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let text = info.to_string();
            let captured = PANIC.with_borrow_mut(|panic| panic.as_mut().map(|kept| *kept = text)).is_some();
            if !captured {
                previous(info);
            }
        }));
    });
}

fn run_caught<J: Job>(job: &J) -> Outcome {
    PANIC.set(Some(String::new()));
    // What the engine logs about one case among thousands is of no use; its reasons are in the outcome.
    let silent = tracing::subscriber::NoSubscriber::new();
    let result = panic::catch_unwind(AssertUnwindSafe(|| tracing::subscriber::with_default(silent, || job.run())));
    let text = PANIC.take().unwrap_or_default();
    result.unwrap_or_else(|_| Outcome::of(job.id(), Err(format!("panic: {}", text.trim()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Status;

    struct Fake(&'static str);

    impl Job for Fake {
        fn id(&self) -> &str {
            self.0
        }

        fn run(&self) -> Outcome {
            match self.0 {
                "panics" => panic!("a broken invariant"),
                "hangs" => loop {
                    std::thread::park();
                },
                id => Outcome::of(id, Ok(())),
            }
        }
    }

    #[test]
    fn a_case_that_panics_or_hangs_fails_alone() {
        let jobs = ["a", "panics", "hangs", "b", "hangs", "c"].map(Fake).into();
        let outcomes = Pool::new(jobs, Duration::from_secs(1)).run();
        let told: Vec<(&str, Status)> = outcomes.iter().map(|outcome| (outcome.id.as_str(), outcome.status)).collect();
        assert_eq!(
            told,
            [
                ("a", Status::Passed),
                ("panics", Status::Failed),
                ("hangs", Status::Failed),
                ("b", Status::Passed),
                ("hangs", Status::Failed),
                ("c", Status::Passed)
            ]
        );
        assert!(outcomes[1].reason.contains("a broken invariant"), "{}", outcomes[1].reason);
    }
}
