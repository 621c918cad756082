//! Which task is on which worker of this server, and in which role. Follows the placement that the servers agree on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::RuntimeError;
use super::lower::Topology;
use super::metrics::QueryMetrics;
use super::placement::{Placement, Role, slot_of};
use super::slot::TaskSpec;
use super::worker::Command;
use crate::state::Store;
use crate::storage::WriteSet;
use crate::topics::{Agreement, Topics};

/// How long workers may take to commit before the servers agree anew; what is not committed by then is done again.
const HOLD_MAX: Duration = Duration::from_secs(5);

/// A task by sub-topology and partition.
type TaskId = (usize, u32);

/// All tasks of this server's queries.
pub(super) struct Schedule {
    workers: Vec<Sender<Command>>,
    /// Tasks on each worker.
    loads: Vec<usize>,
    queries: BTreeMap<Arc<str>, Scheduled>,
    placed: Placed,
    /// Generation of the last agreement.
    generation: Option<i32>,
}

/// Who has the rows of one partition of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOwners {
    /// The partition.
    pub partition: u32,
    /// What this server does for it.
    pub here: Option<Role>,
    /// The server that keeps it up to date, by its identity; `None` where there is only one, or it is not known yet.
    pub active: Option<String>,
    /// The servers that follow.
    pub standbys: Vec<String>,
}

/// Where tasks belong.
enum Placed {
    /// There is one server only.
    Alone,
    /// The servers have not agreed yet.
    Unknown,
    /// As the servers have agreed.
    Agreed { server: String, placement: Placement },
}

struct Scheduled {
    topology: Arc<Topology>,
    metrics: Arc<QueryMetrics>,
    ids: Vec<TaskId>,
    /// Tasks of this server, with their workers.
    here: HashMap<TaskId, (usize, Role)>,
    /// Tasks with state that are not here, with the time since when that is certain.
    elsewhere: HashMap<TaskId, Duration>,
}

impl Schedule {
    /// A schedule without queries. `alone`: all tasks are here.
    pub(super) fn new(workers: Vec<Sender<Command>>, alone: bool) -> Self {
        let loads = vec![0; workers.len()];
        let placed = if alone { Placed::Alone } else { Placed::Unknown };
        Self { workers, loads, queries: BTreeMap::new(), placed, generation: None }
    }

    /// Whether it is known which tasks are here.
    pub(super) fn is_placed(&self) -> bool {
        !matches!(self.placed, Placed::Unknown)
    }

    /// Whether there are other servers.
    pub(super) fn has_others(&self) -> bool {
        matches!(&self.placed, Placed::Agreed { placement, .. } if placement.servers() > 1)
    }

    /// Takes up the tasks of a query that belong here.
    pub(super) fn add(
        &mut self,
        query: &Arc<str>,
        topology: &Arc<Topology>,
        metrics: &Arc<QueryMetrics>,
        topics: &dyn Topics,
        now: Duration,
    ) -> Result<(), RuntimeError> {
        let scheduled = Scheduled {
            topology: Arc::clone(topology),
            metrics: Arc::clone(metrics),
            ids: topology.task_ids(topics)?,
            here: HashMap::new(),
            elsewhere: HashMap::new(),
        };
        self.queries.insert(Arc::clone(query), scheduled);
        self.place(query, topics, now)
    }

    /// Commits and ends the tasks of a query; the receiver ends when that is done.
    pub(super) fn remove(&mut self, query: &Arc<str>) -> std::sync::mpsc::Receiver<()> {
        if let Some(scheduled) = self.queries.remove(query) {
            scheduled.here.values().for_each(|(worker, _)| self.loads[*worker] -= 1);
        }
        let (sender, done) = channel();
        for worker in &self.workers {
            // A worker that has ended runs no tasks any more; one that has died is told of when the others end.
            let _ = worker.send(Command::Remove { query: Arc::clone(query), done: Some(sender.clone()) });
        }
        done
    }

    /// Has the running tasks of a query begin again from their last commit.
    pub(super) fn begin_again(&self, query: &Arc<str>) {
        for worker in &self.workers {
            if worker.send(Command::BeginAgain { query: Arc::clone(query) }).is_err() {
                tracing::error!("a worker thread has died");
            }
        }
    }

    /// Takes up and drops tasks as the servers have agreed.
    pub(super) fn agree(
        &mut self,
        server: &str,
        agreement: &Agreement,
        topics: &dyn Topics,
        now: Duration,
    ) -> Result<(), RuntimeError> {
        let placement = Placement::from_bytes(&agreement.proposal)
            .map_err(|reason| RuntimeError::Failed(format!("the placement of tasks cannot be read: {reason}")))?;
        self.placed = Placed::Agreed { server: server.to_owned(), placement };
        let queries: Vec<Arc<str>> = self.queries.keys().cloned().collect();
        for query in queries {
            self.place(&query, topics, now)?;
        }
        let generation = agreement.fence.generation();
        let follows = self.generation.replace(generation).is_none_or(|last| last + 1 == generation);
        for worker in &self.workers {
            send(worker, Command::Resume { fence: Arc::clone(&agreement.fence), follows })?;
        }
        topics.wake();
        Ok(())
    }

    /// What is done here for the task, by the placement.
    fn role(&self, query: &str, id: TaskId, scheduled: &Scheduled, topics: &dyn Topics) -> Option<Role> {
        let role = match &self.placed {
            _ if scheduled.topology.is_transient() => Some(Role::Active),
            Placed::Alone => Some(Role::Active),
            Placed::Unknown => None,
            Placed::Agreed { server, placement } => placement.role(server, slot_of(query, id.0, id.1)),
        };
        // There is nothing to keep at hand for a task without state.
        role.filter(|role| *role == Role::Active || !scheduled.topology.changelogs(id, topics).is_empty())
    }

    fn place(&mut self, query: &Arc<str>, topics: &dyn Topics, now: Duration) -> Result<(), RuntimeError> {
        let Some(mut scheduled) = self.queries.remove(query) else { return Ok(()) };
        for &id in &scheduled.ids {
            let wanted = self.role(query, id, &scheduled, topics);
            match (scheduled.here.get(&id).copied(), wanted) {
                (None, None) => {
                    if self.is_placed() && !scheduled.topology.changelogs(id, topics).is_empty() {
                        scheduled.elsewhere.entry(id).or_insert(now);
                    }
                }
                (None, Some(role)) => {
                    scheduled.elsewhere.remove(&id);
                    let worker = (0..self.workers.len()).min_by_key(|&worker| self.loads[worker]).unwrap_or(0);
                    let task = TaskSpec {
                        query: Arc::clone(query),
                        topology: Arc::clone(&scheduled.topology),
                        id,
                        metrics: Arc::clone(&scheduled.metrics),
                    };
                    send(&self.workers[worker], Command::Add { task, role })?;
                    self.loads[worker] += 1;
                    scheduled.here.insert(id, (worker, role));
                }
                (Some((worker, _)), None) => {
                    send(&self.workers[worker], Command::Drop { query: Arc::clone(query), id })?;
                    self.loads[worker] -= 1;
                    scheduled.here.remove(&id);
                    scheduled.metrics.forget_task(id);
                    scheduled.elsewhere.insert(id, now);
                }
                (Some((worker, known)), Some(role)) => {
                    if known != role {
                        send(&self.workers[worker], Command::SetRole { query: Arc::clone(query), id, role })?;
                        scheduled.here.insert(id, (worker, role));
                    }
                }
            }
        }
        self.queries.insert(Arc::clone(query), scheduled);
        topics.wake();
        Ok(())
    }

    /// Removes the state of tasks that have been elsewhere for `delay`.
    pub(super) fn clean(&mut self, topics: &dyn Topics, now: Duration, delay: Duration) -> Result<(), RuntimeError> {
        let mut writes = WriteSet::default();
        for (query, scheduled) in &mut self.queries {
            let old: Vec<TaskId> = scheduled
                .elsewhere
                .iter()
                .filter(|(_, since)| now.saturating_sub(**since) >= delay)
                .map(|(id, _)| *id)
                .collect();
            for id in old {
                scheduled.elsewhere.remove(&id);
                for (store, changelog) in scheduled.topology.changelogs(id, topics) {
                    if topics.restored_to(&changelog)?.is_some() {
                        tracing::info!(query = %query, "removing the state of task {}_{}, which is on another server", id.0, id.1);
                        Store::delete_all(&mut writes, &store);
                        topics.forget_restored(&changelog, &mut writes);
                    }
                }
            }
        }
        if !writes.is_empty() {
            topics.storage().write(&writes).map_err(crate::topics::TopicError::from)?;
        }
        Ok(())
    }

    /// Who has the rows that the store `store` of `query` keeps for `partition`, as the servers have agreed.
    pub(super) fn owners(&self, query: &str, store: &str, partition: u32) -> StoreOwners {
        let mut owners = StoreOwners { partition, here: None, active: None, standbys: Vec::new() };
        let scheduled = self.queries.get(query);
        let task = scheduled.and_then(|scheduled| {
            scheduled.ids.iter().find(|id| id.1 == partition && scheduled.topology.has_store(id.0, store))
        });
        match (&self.placed, task) {
            (Placed::Alone, _) => owners.here = Some(Role::Active),
            (Placed::Agreed { server, placement }, Some(id)) => {
                let slot = slot_of(query, id.0, id.1);
                owners.here = placement.role(server, slot);
                let (active, standbys) = placement.owners(slot);
                owners.active = Some(active.to_owned());
                owners.standbys = standbys.into_iter().map(ToOwned::to_owned).collect();
            }
            _ => {}
        }
        owners
    }

    /// Whether the task with the store `store` of `query` runs here in the partition; true for queries that are not known.
    pub(super) fn has_store(&self, query: &str, store: &str, partition: u32) -> bool {
        if matches!(self.placed, Placed::Alone) {
            return true;
        }
        let Some(scheduled) = self.queries.get(query) else { return true };
        let has = |(id, (_, role)): (&TaskId, &(usize, Role))| {
            *role == Role::Active && id.1 == partition && scheduled.topology.has_store(id.0, store)
        };
        scheduled.here.iter().any(has)
    }
}

/// Has all workers commit, and commit nothing more until the next agreement.
pub(super) fn hold(workers: &[Sender<Command>], topics: &dyn Topics) {
    let (sender, done) = channel();
    for worker in workers {
        // A worker that has ended commits nothing any more.
        let _ = worker.send(Command::Hold { done: sender.clone() });
    }
    drop(sender);
    topics.wake();
    // Nothing is ever sent: the wait ends when the last worker has dropped its sender.
    let _ = done.recv_timeout(HOLD_MAX);
}

fn send(worker: &Sender<Command>, command: Command) -> Result<(), RuntimeError> {
    worker.send(command).map_err(|_| RuntimeError::Bug("a worker thread has died".to_owned()))
}
