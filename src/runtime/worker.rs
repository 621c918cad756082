//! A worker: runs its tasks in turn, commits them when due, starts them again after a failure.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::metrics::TaskId;
use super::placement::Role;
use super::slot::{Slot, TaskSpec};
use super::task::Task;
use super::{RuntimeError, Shared};
use crate::topics::{Fence, TopicError, Transaction, Writer};
use crate::types::RecordChunk;

/// What a worker is asked to do.
pub(super) enum Command {
    /// Take up a task from its last commit on.
    Add { task: TaskSpec, role: Role },
    /// Change what is done for a task.
    SetRole { query: Arc<str>, id: TaskId, role: Role },
    /// Drop a task, which belongs to another server now; what it has not committed is done there.
    Drop { query: Arc<str>, id: TaskId },
    /// Drop the running tasks of a query; they are made again from their last commit.
    BeginAgain { query: Arc<str> },
    /// Commit and end the tasks of a query, then drop the sender.
    Remove { query: Arc<str>, done: Option<Sender<()>> },
    /// Commit, then commit nothing until [`Command::Resume`]; drop the sender in between.
    Hold { done: Sender<()> },
    /// The tasks are placed as the commands before this one say; commits are made under `fence`. Unless it `follows` the last one, the
    /// tasks may have been elsewhere meanwhile.
    Resume { fence: Arc<Fence>, follows: bool },
    /// Commit and end all tasks.
    Shutdown,
}

/// Runs tasks on one thread.
pub(super) struct Worker {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
    writer: Box<dyn Writer>,
    /// What an earlier run has left open is ended.
    prepared: bool,
    /// Nothing may be committed, and no task begun: the servers are about to agree anew.
    holds: bool,
}

/// How long to wait for records that are on their way.
const SETTLING: Duration = Duration::from_millis(5);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Hands over what need not wait for the commit.
fn send_early(slot: &mut Slot, shared: &Shared, writer: &mut dyn Writer) -> Result<(), RuntimeError> {
    if !shared.topics.sends_early() {
        return Ok(());
    }
    let records = slot.task_mut().map(Task::take_results).unwrap_or_default();
    if records.is_empty() { Ok(()) } else { Ok(writer.send(records)?) }
}

impl Worker {
    /// A worker whose commits go by `name`.
    pub(super) fn new(shared: Arc<Shared>, name: &str) -> Self {
        let writer = Arc::clone(&shared.topics).writer(name);
        Self { shared, slots: Vec::new(), writer, prepared: false, holds: false }
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
            Command::Add { task, role } => self.slots.push(Slot::new(task, role, &self.shared)),
            Command::SetRole { query, id, role } => {
                self.slots.iter_mut().filter(|slot| slot.is(&query, id)).for_each(|slot| slot.set_role(role));
            }
            Command::Drop { query, id } => self.slots.retain(|slot| !slot.is(&query, id)),
            Command::Remove { query, done } => {
                self.commit(|slot, _| slot.spec.query == query);
                self.slots.retain(|slot| slot.spec.query != query);
                drop(done);
            }
            Command::Hold { done } => {
                self.commit(|_, _| true);
                self.holds = true;
                drop(done);
            }
            Command::Resume { fence, follows } => {
                if !follows {
                    self.persistent_slots().for_each(Slot::close_stale);
                    self.shared.local_state.changed();
                }
                self.writer.set_fence(fence);
                self.holds = false;
            }
            Command::BeginAgain { query } => {
                let runs = |slot: &&mut Slot| slot.spec.query == query && slot.task().is_some();
                self.slots.iter_mut().filter(runs).for_each(Slot::close);
            }
            Command::Shutdown => self.slots.clear(),
        }
    }

    /// Before the first task: whoever had this worker's name has ended.
    fn prepare(&mut self) -> Result<(), TopicError> {
        if !self.prepared && self.slots.iter().any(|slot| !slot.spec.topology.is_transient()) {
            self.writer.prepare()?;
            self.prepared = true;
        }
        Ok(())
    }

    /// Gives every task a step and commits those that are due; returns whether any did something.
    fn pass(&mut self) -> bool {
        if let Err(error) = self.prepare() {
            tracing::error!("no task can be run, trying again: {error}");
            return false;
        }
        let mut progressed = false;
        let shared = &self.shared;
        for slot in self.slots.iter_mut().filter(|slot| !self.holds || slot.may_go_on()) {
            let stepped = slot.step(shared).and_then(|()| send_early(slot, shared, &mut *self.writer));
            match stepped {
                Ok(()) => progressed |= slot.progressed,
                Err(error) => slot.fail(&error, shared),
            }
        }
        progressed |= self.commit(Slot::is_due);
        self.slots.retain(|slot| !slot.spec.topology.is_left());
        progressed
    }

    /// Commits the tasks that have changed and are `due`; returns whether there were any. Where a commit is dear, all that have
    /// changed go into one as soon as one of them is due.
    fn commit(&mut self, due: impl Fn(&Slot, &Shared) -> bool) -> bool {
        if self.holds {
            return false;
        }
        let is_due = |slot: &Slot| slot.is_changed() && due(slot, &self.shared);
        let indices: Vec<usize> = if self.shared.topics.commits_at_intervals() {
            let any = self.slots.iter().any(is_due);
            (0..self.slots.len()).filter(|index| any && self.slots[*index].is_changed()).collect()
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
            let Some(task) = slot.task_mut() else { continue };
            match task.take_transaction(&*topics) {
                Ok(transaction) => {
                    all.extend(transaction);
                    taken.push(index);
                }
                Err(error) => slot.fail(&error, &self.shared),
            }
        }
        let begun = self.shared.clock.elapsed();
        let committed = self.writer.commit(all);
        self.shared.metrics.committed(self.shared.clock.elapsed().saturating_sub(begun), committed.is_ok());
        if let Err(TopicError::Fenced { reason } | TopicError::Outdated { reason }) = &committed {
            // The tasks may be elsewhere: nothing is begun or committed until it is known where. If the name only was taken, that is
            // known, and the next commit takes it back.
            self.holds |= matches!(committed, Err(TopicError::Outdated { .. }));
            tracing::warn!("tasks were placed anew, what was not committed is done again: {reason}");
            if self.holds {
                self.shared.local_state.changed();
                return self.persistent_slots().for_each(Slot::close_stale);
            }
            return self.close_all();
        }
        self.shared.memory.measure();
        let committed = committed.map_err(RuntimeError::from);
        for index in taken {
            match &committed {
                Ok(()) => self.slots[index].committed(&self.shared),
                Err(error) => self.slots[index].fail(error, &self.shared),
            }
        }
    }

    /// Has all tasks begin again from their last commit.
    fn close_all(&mut self) {
        self.persistent_slots().for_each(Slot::close);
    }

    fn persistent_slots(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.slots.iter_mut().filter(|slot| !slot.spec.topology.is_transient())
    }

    /// How long there is certainly nothing to do unless records arrive.
    fn time_to_next(&self) -> Duration {
        let now = self.shared.clock.elapsed();
        let due = self.slots.iter().filter_map(|slot| slot.due_at(&self.shared));
        due.map(|due| due.saturating_sub(now)).min().unwrap_or(WAIT_MAX).clamp(Duration::from_millis(1), WAIT_MAX)
    }

    /// Runs the tasks of `query`, or all, until nothing is left. Ends with the first failure.
    pub(super) fn settle(&mut self, query: Option<&str>) -> Result<(), RuntimeError> {
        let is_meant = |slot: &Slot| query.is_none_or(|query| *slot.spec.query == *query);
        self.prepare()?;
        loop {
            let mut progressed = false;
            let version = self.shared.topics.version();
            for slot in self.slots.iter_mut().filter(|slot| is_meant(slot)) {
                slot.step(&self.shared).inspect_err(|error| slot.spec.topology.tell_client(&error.to_string()))?;
                send_early(slot, &self.shared, &mut *self.writer)?;
                progressed |= slot.progressed;
            }
            progressed |= self.commit(|slot, shared| is_meant(slot) && slot.is_due(shared));
            if let Some(failure) = self.slots.iter().find_map(Slot::failure) {
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
        for slot in self.slots.iter_mut().filter(|slot| *slot.spec.query == *query && slot.spec.id.1 == 0) {
            match slot.opened(shared) {
                Ok(task) => task.feed(topic, chunk),
                Err(error) => slot.fail(&error, shared),
            }
        }
    }
}
