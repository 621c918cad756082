//! One task on a worker through its life: state restored, running, tried again after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::lower::{Inputs, Topology};
use super::metrics::{Phase as Shown, QueryMetrics, TaskId, TaskMetrics, task_name};
use super::placement::Role;
use super::processing_log::{Logger, Message};
use super::query_error::QueryError;
use super::restore::Restore;
use super::task::Task;
use super::{RuntimeError, Shared};
use crate::functions::plugins;
use crate::topics::Topics;

/// What a task is made from.
#[derive(Clone)]
pub(super) struct TaskSpec {
    pub(super) query: Arc<str>,
    pub(super) topology: Arc<Topology>,
    pub(super) id: TaskId,
    pub(super) metrics: Arc<QueryMetrics>,
}

/// A task's place on a worker.
pub(super) struct Slot {
    pub(super) spec: TaskSpec,
    figures: Arc<TaskMetrics>,
    role: Role,
    phase: Phase,
    /// After a failure: when to try again, and how long to wait after the next one.
    retry_at: Duration,
    backoff: Duration,
    /// Failures since the last commit.
    failures: u32,
    /// The last failure was that the task could not be begun.
    failed_to_begin: bool,
    last_commit: Duration,
    /// Whether the last step did something.
    pub(super) progressed: bool,
}

enum Phase {
    /// Not begun, or given up after a failure.
    Closed,
    /// State comes back from changelogs; with the inputs of the task that is to run then.
    Restoring(Restore, Option<Inputs>, Duration),
    Running(Box<Task>),
}

const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_mins(1);
/// Failures in a row after which a task counts as idle.
const FAILURES_MAX: u32 = 2;

impl Slot {
    pub(super) fn new(spec: TaskSpec, role: Role, shared: &Shared) -> Self {
        let figures = spec.metrics.task(spec.id);
        figures.set_phase(Shown::Waiting);
        Self {
            spec,
            figures,
            role,
            phase: Phase::Closed,
            retry_at: Duration::ZERO,
            backoff: BACKOFF_MIN,
            failures: 0,
            failed_to_begin: false,
            last_commit: shared.clock.elapsed(),
            progressed: false,
        }
    }

    /// Whether this is the task `id` of `query`.
    pub(super) fn is(&self, query: &str, id: TaskId) -> bool {
        *self.spec.query == *query && self.spec.id == id
    }

    /// A standby becomes the running task with the state that it has; a running task drops what it has not committed.
    pub(super) fn set_role(&mut self, role: Role) {
        if self.role == role {
            return;
        }
        self.role = role;
        // What has failed is not what it does from now on.
        self.failures = 0;
        self.spec.metrics.recover(self.spec.id);
        self.figures.set_has_state(false);
        match &self.phase {
            Phase::Restoring(..) if role == Role::Active => {}
            _ => self.close(),
        }
    }

    /// As [`Slot::close`]; what was committed may have been elsewhere.
    pub(super) fn close_stale(&mut self) {
        self.figures.set_has_state(false);
        self.close();
    }

    /// Drops what is not committed; the task begins again from its last commit.
    pub(super) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.figures.set_phase(Shown::Waiting);
        self.progressed = false;
        self.retry_at = Duration::ZERO;
    }

    /// The task, while it runs.
    pub(super) fn task(&self) -> Option<&Task> {
        match &self.phase {
            Phase::Running(task) => Some(task),
            _ => None,
        }
    }

    /// The task, while it runs.
    pub(super) fn task_mut(&mut self) -> Option<&mut Task> {
        match &mut self.phase {
            Phase::Running(task) => Some(task),
            _ => None,
        }
    }

    /// Whether there is something that is not committed.
    pub(super) fn is_changed(&self) -> bool {
        self.task().is_some_and(Task::is_changed)
    }

    /// Whether there is work that needs no new record. A task that has failed again and again waits for somebody to
    /// do something about it.
    pub(super) fn is_pending(&self, topics: &dyn Topics) -> bool {
        let has_work = |task: &Task| task.is_changed() || !task.is_drained(topics).unwrap_or(false);
        self.role == Role::Active && self.failures < FAILURES_MAX && self.task().is_none_or(has_work)
    }

    /// One step of whatever the task is at, unless it rests after a failure.
    pub(super) fn step(&mut self, shared: &Shared) -> Result<(), RuntimeError> {
        self.progressed = false;
        if let Phase::Closed = self.phase {
            if shared.clock.elapsed() < self.retry_at {
                return Ok(());
            }
            self.begin(shared)?;
        }
        if let Phase::Restoring(..) = self.phase
            && !self.restore(shared)?
        {
            return Ok(());
        }
        if let Phase::Running(task) = &mut self.phase {
            self.progressed |= plugins::on_behalf_of(&self.spec.query, || task.step(&*shared.topics))?;
            // It has nothing to commit, which would tell that it runs again: what failed was done nevertheless, or is gone.
            if self.failures > 0 && !self.progressed && !task.is_changed() && task.has_caught_up(&*shared.topics)? {
                self.recovered();
            }
        }
        Ok(())
    }

    fn begin(&mut self, shared: &Shared) -> Result<(), RuntimeError> {
        let topics = &*shared.topics;
        self.spec.topology.prepare(topics)?;
        let restore = Restore::begin(self.spec.topology.changelogs(self.spec.id, topics), topics)?;
        self.phase = Phase::Restoring(restore, None, shared.clock.elapsed());
        let phase = self.shown_restoring();
        if let Phase::Restoring(restore, ..) = &self.phase {
            let restores = restore.figures(false);
            self.figures.update(|figures| (figures.phase, figures.restores) = (phase, restores));
        }
        Ok(())
    }

    /// Applies a portion of the changelogs; true when the task runs.
    fn restore(&mut self, shared: &Shared) -> Result<bool, RuntimeError> {
        let topics = &*shared.topics;
        let Phase::Restoring(restore, inputs, begun) = &mut self.phase else { return Ok(true) };
        let begins = self.role == Role::Active && inputs.is_none();
        if begins {
            // Once the positions are known, whoever moved them has ended: the changelogs have all that belongs to them.
            let ready = self.spec.topology.inputs(self.spec.id, topics)?;
            let read = ready.iter().map(|(input, _)| (Arc::clone(&input.group), input.partition.clone()));
            restore.aim(&read.collect::<Vec<_>>(), topics)?;
            *inputs = Some(ready);
            *begun = shared.clock.elapsed();
            let records = restore.to_restore();
            if records > 0 {
                let task = task_name(self.spec.id);
                tracing::info!(query = %self.spec.query, task, "restoring the task: {records} records to read");
            }
        }
        self.progressed = restore.step(topics)?;
        let complete = restore.is_complete(topics)?;
        if complete {
            restore.finish(topics)?;
        }
        if self.progressed || begins || complete {
            let restores = restore.figures(complete);
            let phase = self.shown_restoring();
            self.figures.update(|figures| (figures.phase, figures.restores) = (phase, restores));
        }
        if !complete {
            return Ok(false);
        }
        self.open(shared)?;
        Ok(true)
    }

    /// What is shown of it while its state comes back.
    fn shown_restoring(&self) -> Shown {
        if self.role == Role::Active { Shown::Restoring } else { Shown::Standby }
    }

    /// Whether it may go on while nothing may be committed: what runs may, until it has much to commit.
    pub(super) fn may_go_on(&self) -> bool {
        match &self.phase {
            Phase::Closed => false,
            Phase::Restoring(_, inputs, _) => inputs.is_some() || self.role == Role::Standby,
            Phase::Running(task) => !task.is_large(),
        }
    }

    /// The task, brought to run without anything processed.
    pub(super) fn opened(&mut self, shared: &Shared) -> Result<&mut Task, RuntimeError> {
        if self.task().is_none() {
            self.begin(shared)?;
            while !self.restore(shared)? {}
        }
        self.task_mut().ok_or_else(|| RuntimeError::Bug("a task has vanished".to_owned()))
    }

    /// Makes the task out of what was restored.
    fn open(&mut self, shared: &Shared) -> Result<(), RuntimeError> {
        let Phase::Restoring(restore, Some(inputs), begun) = std::mem::replace(&mut self.phase, Phase::Closed) else {
            return Ok(());
        };
        let now = shared.clock.elapsed();
        let (records, time) = (restore.restored(), now.saturating_sub(begun));
        self.log_restored(records, time);
        if records > 0 {
            shared.metrics.restored(records, time);
        }
        let task = self.spec.topology.task(self.spec.id, inputs, shared, &self.spec.metrics)?;
        self.phase = Phase::Running(Box::new(task));
        self.figures.set_has_state(true);
        if self.failed_to_begin {
            self.recovered();
        }
        self.last_commit = now;
        self.progressed = true;
        Ok(())
    }

    fn log_restored(&self, records: u64, time: Duration) {
        if records > 0 {
            let (task, seconds) = (task_name(self.spec.id), time.as_secs_f64());
            let rate = records as f64 / seconds.max(0.001);
            tracing::info!(
                query = %self.spec.query,
                task,
                "restored {records} records of the task in {seconds:.1} s, {rate:.0} per second"
            );
        }
    }

    /// Whether the task should be committed now.
    pub(super) fn is_due(&self, shared: &Shared) -> bool {
        let Some(task) = self.task() else { return false };
        let interval_over = shared.clock.elapsed().saturating_sub(self.last_commit) >= shared.commit_interval;
        let may_wait = task.may_wait() || shared.topics.commits_at_intervals();
        let drained = !self.progressed && (!may_wait || shared.eager.load(Ordering::Acquire));
        interval_over || drained || task.is_large()
    }

    /// When there will be something to do, if no record arrives.
    pub(super) fn due_at(&self, shared: &Shared) -> Option<Duration> {
        match &self.phase {
            Phase::Running(task) if task.is_changed() => Some(self.last_commit + shared.commit_interval),
            Phase::Closed => Some(self.retry_at),
            _ => None,
        }
    }

    pub(super) fn committed(&mut self, shared: &Shared) {
        self.last_commit = shared.clock.elapsed();
        let now_ms = shared.clock.now_ms();
        self.spec.metrics.committed(self.last_commit, now_ms);
        if let Phase::Running(task) = &mut self.phase {
            task.committed(now_ms);
        }
        self.recovered();
    }

    fn recovered(&mut self) {
        self.failed_to_begin = false;
        if self.failures > 0 {
            let failures = std::mem::take(&mut self.failures);
            self.backoff = BACKOFF_MIN;
            self.spec.metrics.recover(self.spec.id);
            let plural = if failures == 1 { "failure" } else { "failures" };
            tracing::info!(query = %self.spec.query, "query goes on after {failures} {plural}");
        }
    }

    /// Drops the task; it will be made again from its last commit.
    pub(super) fn fail(&mut self, error: &RuntimeError, shared: &Shared) {
        let seconds = self.backoff.as_secs();
        let task = task_name(self.spec.id);
        tracing::error!(query = %self.spec.query, task, "query stopped, next try in {seconds} s: {error}");
        self.spec.metrics.fail(Some(self.spec.id), QueryError::new(error, shared.clock.now_ms()));
        self.spec.topology.tell_client(&error.to_string());
        self.log(error, shared);
        self.failed_to_begin = self.task().is_none();
        self.close();
        self.failures += 1;
        self.retry_at = shared.clock.elapsed() + self.backoff;
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
    }

    /// Tells the processing log of the failure.
    fn log(&self, error: &RuntimeError, shared: &Shared) {
        let logger = Logger::new(&self.spec.query, "thread");
        shared.log.record(&logger, |_| match error {
            // What a commit cannot write.
            RuntimeError::Topic(error) if self.task().is_some() => Message::Production { reason: error.to_string() },
            error => {
                let thread = std::thread::current().name().unwrap_or("worker").to_owned();
                Message::Thread { reason: error.to_string(), thread }
            }
        });
    }

    /// Why the task has failed, if it has not recovered.
    pub(super) fn failure(&self) -> Option<String> {
        self.spec.metrics.failure_of(self.spec.id)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.figures.set_has_state(false);
        self.figures.set_phase(Shown::Stopped);
        // If it goes on, then elsewhere.
        self.spec.metrics.recover(self.spec.id);
    }
}
