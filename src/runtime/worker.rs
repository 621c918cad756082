//! A worker: runs its tasks in turn, commits them when due, starts them again after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::lower::Topology;
use super::metrics::QueryMetrics;
use super::task::Task;
use super::{RuntimeError, Shared};
use crate::types::RecordChunk;

/// What a worker is asked to do.
pub(super) enum Command {
    /// Run a task from its last commit on.
    Add { query: Arc<str>, topology: Arc<Topology>, task: (usize, u32), metrics: Arc<QueryMetrics> },
    /// Commit and end the tasks of a query, then drop the sender.
    Remove {
        query: Arc<str>,
        #[expect(dead_code, reason = "dropping it is the answer")]
        done: Option<Sender<()>>,
    },
    /// Commit and end all tasks.
    Shutdown,
}

/// A task's place: what it is made from, and the task while it runs.
struct Slot {
    query: Arc<str>,
    topology: Arc<Topology>,
    id: (usize, u32),
    metrics: Arc<QueryMetrics>,
    task: Option<Task>,
    /// After a failure: when to try again, and how long to wait after the next one.
    retry_at: Duration,
    backoff: Duration,
    /// Failures since the last commit.
    failures: u32,
    last_commit: Duration,
}

/// Runs tasks on one thread.
pub(super) struct Worker {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
}

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(1);
/// Failures in a row after which a task counts as idle.
const FAILURES_MAX: u32 = 2;
const WAIT_MAX: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, slots: Vec::new() }
    }

    /// Works until told to shut down.
    pub(super) fn run(mut self, index: usize, commands: &Receiver<Command>) {
        loop {
            let version = self.shared.topics.version();
            while let Ok(command) = commands.try_recv() {
                if matches!(command, Command::Shutdown) {
                    let topics = &*self.shared.topics;
                    self.slots.drain(..).for_each(|slot| slot.close(topics));
                    return;
                }
                self.handle(command);
            }
            if self.pass() {
                self.shared.idle_at[index].store(0, Ordering::Release);
                continue;
            }
            let pending = self.slots.iter().any(Slot::is_pending);
            self.shared.idle_at[index].store(if pending { 0 } else { version + 1 }, Ordering::Release);
            self.shared.topics.wait(version, self.time_to_next());
        }
    }

    pub(super) fn handle(&mut self, command: Command) {
        match command {
            Command::Add { query, topology, task, metrics } => self.slots.push(Slot {
                query,
                topology,
                id: task,
                metrics,
                task: None,
                retry_at: Duration::ZERO,
                backoff: BACKOFF_MIN,
                failures: 0,
                last_commit: self.shared.clock.elapsed(),
            }),
            Command::Remove { query, done: _ } => {
                let topics = Arc::clone(&self.shared.topics);
                let (removed, kept): (Vec<_>, _) = self.slots.drain(..).partition(|slot| slot.query == query);
                self.slots = kept;
                for slot in removed {
                    slot.close(&*topics);
                }
            }
            Command::Shutdown => self.slots.clear(),
        }
    }

    /// Gives every task a step and commits those that are due; returns whether any did something.
    fn pass(&mut self) -> bool {
        let mut progressed = false;
        let shared = &self.shared;
        for slot in &mut self.slots {
            match slot.turn(shared) {
                Ok(progress) => progressed |= progress,
                Err(error) => slot.fail(&error, shared),
            }
        }
        self.slots.retain(|slot| !slot.task.as_ref().is_some_and(Task::is_closed));
        progressed
    }

    /// How long there is certainly nothing to do unless records arrive.
    fn time_to_next(&self) -> Duration {
        let now = self.shared.clock.elapsed();
        let due = self.slots.iter().filter_map(|slot| match &slot.task {
            Some(task) if task.is_changed() => Some(slot.last_commit + self.shared.commit_interval),
            Some(_) => None,
            None => Some(slot.retry_at),
        });
        due.map(|due| due.saturating_sub(now)).min().unwrap_or(WAIT_MAX).clamp(Duration::from_millis(1), WAIT_MAX)
    }

    /// Runs the tasks of `query`, or all, until nothing is left.
    pub(super) fn settle(&mut self, query: Option<&str>) -> Result<(), RuntimeError> {
        loop {
            let mut progressed = false;
            for slot in self.slots.iter_mut().filter(|slot| query.is_none_or(|query| *slot.query == *query)) {
                progressed |= slot.turn(&self.shared)?;
            }
            if !progressed {
                return Ok(());
            }
        }
    }

    pub(super) fn feed(&mut self, query: &str, topic: &str, chunk: &RecordChunk) {
        let shared = &self.shared;
        for slot in self.slots.iter_mut().filter(|slot| *slot.query == *query && slot.id.1 == 0) {
            match slot.open(shared) {
                Ok(task) => task.feed(topic, chunk),
                Err(error) => slot.fail(&error, shared),
            }
        }
    }
}

impl Slot {
    /// Whether there is work that needs no new record. A task that has failed again and again waits for somebody to
    /// do something about it.
    fn is_pending(&self) -> bool {
        self.failures < FAILURES_MAX && self.task.as_ref().is_none_or(Task::is_changed)
    }

    /// The running task, made from its last commit where there is none.
    fn open(&mut self, shared: &Shared) -> Result<&mut Task, RuntimeError> {
        if self.task.is_none() {
            let task = self.topology.task(self.id, &*shared.topics, &self.metrics)?;
            self.last_commit = shared.clock.elapsed();
            return Ok(self.task.insert(task));
        }
        self.task.as_mut().ok_or_else(|| RuntimeError::Bug("a task has vanished".to_owned()))
    }

    /// One step, and a commit if it is due.
    fn turn(&mut self, shared: &Shared) -> Result<bool, RuntimeError> {
        let now = shared.clock.elapsed();
        if self.task.is_none() && now < self.retry_at {
            return Ok(false);
        }
        let last_commit = self.last_commit;
        let task = self.open(shared)?;
        let progressed = task.step(&*shared.topics)?;
        let interval_over = now.saturating_sub(last_commit) >= shared.commit_interval;
        let drained = !progressed && (!task.may_wait() || shared.eager.load(Ordering::Acquire));
        if task.is_changed() && (interval_over || drained || task.is_large()) {
            task.commit(&*shared.topics)?;
            self.last_commit = now;
            if self.failures > 0 {
                (self.backoff, self.failures) = (BACKOFF_MIN, 0);
                self.metrics.set_failure(None);
            }
            return Ok(true);
        }
        Ok(progressed)
    }

    /// Drops the task; it will be made again from its last commit.
    fn fail(&mut self, error: &RuntimeError, shared: &Shared) {
        let seconds = self.backoff.as_secs();
        tracing::error!(query = %self.query, "query stopped, next try in {seconds} s: {error}");
        self.metrics.set_failure(Some(error.to_string()));
        self.task = None;
        self.failures += 1;
        self.retry_at = shared.clock.elapsed() + self.backoff;
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
    }

    fn close(mut self, topics: &dyn crate::topics::Topics) {
        if let Some(task) = &mut self.task
            && task.is_changed()
            && let Err(error) = task.commit(topics)
        {
            tracing::error!(query = %self.query, "last commit failed, its work will be done again: {error}");
        }
    }
}
