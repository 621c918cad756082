//! A worker: runs its tasks in turn, commits them when due, starts them again after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::lower::Topology;
use super::metrics::QueryMetrics;
use super::task::Task;
use super::{RuntimeError, Shared};
use crate::topics::{Topics, Transaction, Writer};
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
    /// Whether the last step did something.
    progressed: bool,
}

/// Runs tasks on one thread.
pub(super) struct Worker {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
    writer: Box<dyn Writer>,
}

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(1);
/// Failures in a row after which a task counts as idle.
const FAILURES_MAX: u32 = 2;
/// How long to wait for records that are on their way.
const SETTLING: Duration = Duration::from_millis(5);
const WAIT_MAX: Duration = Duration::from_secs(1);

impl Worker {
    /// A worker whose commits go by `name`.
    pub(super) fn new(shared: Arc<Shared>, name: &str) -> Self {
        let writer = Arc::clone(&shared.topics).writer(name);
        Self { shared, slots: Vec::new(), writer }
    }

    /// Works until told to shut down.
    pub(super) fn run(mut self, index: usize, commands: &Receiver<Command>) {
        loop {
            let version = self.shared.topics.version();
            while let Ok(command) = commands.try_recv() {
                if matches!(command, Command::Shutdown) {
                    self.commit(|_, _| true);
                    return;
                }
                self.handle(command);
            }
            if self.pass() {
                self.shared.idle_at[index].store(0, Ordering::Release);
                continue;
            }
            // Nobody asks unless queries are to end when idle; on a cluster the answer is not free.
            let pending = !self.shared.eager.load(Ordering::Acquire)
                || self.slots.iter().any(|slot| slot.is_pending(&*self.shared.topics));
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
                progressed: false,
            }),
            Command::Remove { query, done: _ } => {
                self.commit(|slot, _| slot.query == query);
                self.slots.retain(|slot| slot.query != query);
            }
            Command::Shutdown => self.slots.clear(),
        }
    }

    /// Gives every task a step and commits those that are due; returns whether any did something.
    fn pass(&mut self) -> bool {
        let mut progressed = false;
        let shared = &self.shared;
        for slot in &mut self.slots {
            match slot.step(shared) {
                Ok(()) => progressed |= slot.progressed,
                Err(error) => slot.fail(&error, shared),
            }
        }
        progressed |= self.commit(Slot::is_due);
        self.slots.retain(|slot| !slot.task.as_ref().is_some_and(Task::is_closed));
        progressed
    }

    /// Commits the tasks that have changed and are `due`; returns whether there were any. Where a commit is dear, all that have
    /// changed go into one as soon as one of them is due.
    fn commit(&mut self, due: impl Fn(&Slot, &Shared) -> bool) -> bool {
        let changed = |slot: &Slot| slot.task.as_ref().is_some_and(Task::is_changed);
        let is_due = |slot: &Slot| changed(slot) && due(slot, &self.shared);
        let indices: Vec<usize> = if self.shared.topics.commits_at_intervals() {
            let any = self.slots.iter().any(is_due);
            (0..self.slots.len()).filter(|index| any && changed(&self.slots[*index])).collect()
        } else {
            (0..self.slots.len()).filter(|index| is_due(&self.slots[*index])).collect()
        };
        let together = if self.shared.topics.commits_at_intervals() { indices.len() } else { 1 };
        for group in indices.chunks(together.max(1)) {
            self.commit_together(group);
        }
        !indices.is_empty()
    }

    fn commit_together(&mut self, indices: &[usize]) {
        let topics = Arc::clone(&self.shared.topics);
        let mut all = Transaction::default();
        let mut taken = Vec::new();
        for &index in indices {
            let slot = &mut self.slots[index];
            let Some(task) = &mut slot.task else { continue };
            match task.take_transaction(&*topics) {
                Ok(transaction) => {
                    all.extend(transaction);
                    taken.push(index);
                }
                Err(error) => slot.fail(&error, &self.shared),
            }
        }
        let committed = self.writer.commit(all).map_err(RuntimeError::from);
        for index in taken {
            match &committed {
                Ok(()) => self.slots[index].committed(&self.shared),
                Err(error) => self.slots[index].fail(error, &self.shared),
            }
        }
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

    /// Runs the tasks of `query`, or all, until nothing is left. Ends with the first failure.
    pub(super) fn settle(&mut self, query: Option<&str>) -> Result<(), RuntimeError> {
        let is_meant = |slot: &Slot| query.is_none_or(|query| *slot.query == *query);
        loop {
            let mut progressed = false;
            let version = self.shared.topics.version();
            for slot in self.slots.iter_mut().filter(|slot| is_meant(slot)) {
                slot.step(&self.shared)?;
                progressed |= slot.progressed;
            }
            progressed |= self.commit(|slot, shared| is_meant(slot) && slot.is_due(shared));
            if let Some(failure) =
                self.slots.iter().filter(|slot| slot.failures > 0).find_map(|slot| slot.metrics.failure())
            {
                return Err(RuntimeError::Failed(failure));
            }
            if progressed {
                continue;
            }
            let mut slots = self.slots.iter().filter(|slot| is_meant(slot));
            if !slots.any(|slot| slot.is_pending(&*self.shared.topics)) {
                return Ok(());
            }
            // What is known to be there has not come yet.
            self.shared.topics.wait(version, SETTLING);
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
    fn is_pending(&self, topics: &dyn Topics) -> bool {
        let has_work = |task: &Task| task.is_changed() || !task.is_drained(topics).unwrap_or(false);
        self.failures < FAILURES_MAX && self.task.as_ref().is_none_or(has_work)
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

    /// One step, unless the task rests after a failure.
    fn step(&mut self, shared: &Shared) -> Result<(), RuntimeError> {
        self.progressed = false;
        if self.task.is_some() || shared.clock.elapsed() >= self.retry_at {
            self.progressed = self.open(shared)?.step(&*shared.topics)?;
        }
        Ok(())
    }

    /// Whether the task should be committed now.
    fn is_due(&self, shared: &Shared) -> bool {
        let Some(task) = &self.task else { return false };
        let interval_over = shared.clock.elapsed().saturating_sub(self.last_commit) >= shared.commit_interval;
        let may_wait = task.may_wait() || shared.topics.commits_at_intervals();
        let drained = !self.progressed && (!may_wait || shared.eager.load(Ordering::Acquire));
        interval_over || drained || task.is_large()
    }

    fn committed(&mut self, shared: &Shared) {
        self.last_commit = shared.clock.elapsed();
        if self.failures > 0 {
            (self.backoff, self.failures) = (BACKOFF_MIN, 0);
            self.metrics.set_failure(None);
        }
    }

    /// Drops the task; it will be made again from its last commit.
    fn fail(&mut self, error: &RuntimeError, shared: &Shared) {
        let seconds = self.backoff.as_secs();
        tracing::error!(query = %self.query, "query stopped, next try in {seconds} s: {error}");
        self.metrics.set_failure(Some(error.to_string()));
        self.task = None;
        self.progressed = false;
        self.failures += 1;
        self.retry_at = shared.clock.elapsed() + self.backoff;
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
    }
}
