//! Which task is on which worker of this server, and in which role. Follows the placement that the servers agree on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::RuntimeError;
use super::local_state::LocalState;
use super::lower::Topology;
use super::metrics::{Phase, QueryMetrics, TaskId, task_name};
use super::placement::{Placement, Role, slot_of};
use super::slot::TaskSpec;
use super::worker::Command;
use crate::state::Store;
use crate::storage::WriteSet;
use crate::topics::{Agreement, TopicPartition, Topics};

/// How long workers may take to commit before the servers agree anew; what is not committed by then is done again.
const HOLD_MAX: Duration = Duration::from_secs(5);

/// All tasks of this server's queries.
pub(super) struct Schedule {
    workers: Vec<Sender<Command>>,
    /// Tasks on each worker.
    loads: Vec<usize>,
    queries: BTreeMap<Arc<str>, Scheduled>,
    /// Queries that have ended for now and keep their state.
    paused: BTreeMap<Arc<str>, Paused>,
    placed: Placed,
    local_state: Arc<LocalState>,
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
    /// Whether this server, as the one that runs it, has all that was committed.
    pub is_complete: bool,
    /// The server that keeps it up to date, by its identity; `None` where there is only one, or it is not known yet.
    pub active: Option<String>,
    /// The servers that follow.
    pub standbys: Vec<String>,
}

impl StoreOwners {
    /// Whether this server is the one to ask, and can answer.
    pub fn is_here(&self) -> bool {
        self.here == Some(Role::Active) && self.is_complete
    }
}

/// What one server has of one query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryShare {
    /// Stores and partitions of the tasks that it runs.
    pub active: TaskShare,
    /// Of those whose state it keeps at hand.
    pub standby: TaskShare,
}

/// Stores of some tasks, and the partitions that they read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskShare {
    /// Names of stores.
    pub stores: BTreeSet<String>,
    /// Partitions of sources and internal topics.
    pub partitions: BTreeSet<TopicPartition>,
}

/// How far the copy of a store is that this server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLag {
    /// The query.
    pub query: Arc<str>,
    /// Its consumer group.
    pub group: Arc<str>,
    /// The store.
    pub store: String,
    /// Its partition.
    pub partition: u32,
    /// Offset of the changelog up to which all is here.
    pub position: i64,
    /// Where the changelog ends, as far as is known.
    pub end: i64,
}

impl StoreLag {
    /// Records that are not here.
    pub fn lag(&self) -> u64 {
        (self.end - self.position).max(0) as u64
    }
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

/// A query that has ended for now.
struct Paused {
    topology: Arc<Topology>,
    ids: Vec<TaskId>,
    /// Tasks whose state is here.
    complete: BTreeSet<TaskId>,
}

impl Scheduled {
    /// Whether the state of the task `id`, which runs here, is here.
    fn has_state(&self, id: TaskId) -> bool {
        self.metrics.task(id).has_state()
    }

    /// Whether the task `id` cannot be begun at the moment.
    fn fails(&self, id: TaskId) -> bool {
        self.metrics.failure_of(id).is_some() && self.metrics.task(id).figures().phase == Phase::Waiting
    }

    fn runs_here(&self, id: TaskId) -> bool {
        matches!(self.here.get(&id), Some((_, Role::Active)))
    }
}

impl Schedule {
    /// A schedule without queries. `alone`: all tasks are here.
    pub(super) fn new(workers: Vec<Sender<Command>>, alone: bool, local_state: Arc<LocalState>) -> Self {
        let loads = vec![0; workers.len()];
        let placed = if alone { Placed::Alone } else { Placed::Unknown };
        let (queries, paused) = (BTreeMap::new(), BTreeMap::new());
        Self { workers, loads, queries, paused, placed, local_state, generation: None }
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
        if !topology.is_transient() {
            self.local_state.changed();
            self.paused.remove(query);
        }
        self.queries.insert(Arc::clone(query), scheduled);
        self.place(query, topics, now)
    }

    /// Commits and ends the tasks of a query; the receiver ends when that is done.
    pub(super) fn remove(&mut self, query: &Arc<str>) -> std::sync::mpsc::Receiver<()> {
        if let Some(scheduled) = self.queries.remove(query) {
            scheduled.here.values().for_each(|(worker, _)| self.loads[*worker] -= 1);
            if !scheduled.topology.is_transient() {
                self.local_state.changed();
                let complete = |id: &&TaskId| scheduled.runs_here(**id) && scheduled.has_state(**id);
                let complete = scheduled.ids.iter().filter(complete).copied().collect();
                let paused = Paused { topology: scheduled.topology, ids: scheduled.ids, complete };
                self.paused.insert(Arc::clone(query), paused);
            }
        }
        let (sender, done) = channel();
        for worker in &self.workers {
            // A worker that has ended runs no tasks any more; one that has died is told of when the others end.
            let _ = worker.send(Command::Remove { query: Arc::clone(query), done: Some(sender.clone()) });
        }
        done
    }

    /// Takes note that a query has ended for good.
    pub(super) fn forget(&mut self, query: &str) {
        self.paused.remove(query);
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
        for (query, paused) in &mut self.paused {
            let stays = |id: &TaskId| placement.role(server, slot_of(query, id.0, id.1)) == Some(Role::Active);
            paused.complete.retain(stays);
        }
        self.placed = Placed::Agreed { server: server.to_owned(), placement };
        self.local_state.changed();
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
                        scheduled.metrics.task(id).set_has_state(false);
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
                        tracing::info!(query = %query, "removing the state of task {}, which is on another server", task_name(id));
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

    /// The task with the store `store` of `query` in `partition`.
    fn task_with(&self, query: &str, store: &str, partition: u32) -> Option<TaskId> {
        let known = self.queries.get(query).map(|scheduled| (&scheduled.topology, &scheduled.ids));
        let (topology, ids) = known.or_else(|| self.paused.get(query).map(|paused| (&paused.topology, &paused.ids)))?;
        ids.iter().find(|id| id.1 == partition && topology.has_store(id.0, store)).copied()
    }

    /// Who has the rows that the store `store` of `query` keeps for `partition`, as the servers have agreed.
    pub(super) fn owners(&self, query: &str, store: &str, partition: u32) -> StoreOwners {
        let mut owners = StoreOwners { partition, here: None, is_complete: false, active: None, standbys: Vec::new() };
        match (&self.placed, self.task_with(query, store, partition)) {
            (Placed::Alone, _) => (owners.here, owners.is_complete) = (Some(Role::Active), true),
            (Placed::Agreed { server, placement }, Some(id)) => {
                let slot = slot_of(query, id.0, id.1);
                owners.here = placement.role(server, slot);
                owners.is_complete = match self.queries.get(query) {
                    // Nobody but the only server can have moved on what a task that fails had committed.
                    Some(scheduled) => {
                        let stays = placement.servers() == 1 && scheduled.fails(id);
                        scheduled.runs_here(id) && (scheduled.has_state(id) || stays)
                    }
                    None => self.paused.get(query).is_some_and(|paused| paused.complete.contains(&id)),
                };
                let (active, standbys) = placement.owners(slot);
                owners.active = Some(active.to_owned());
                owners.standbys = standbys.into_iter().map(ToOwned::to_owned).collect();
            }
            // It was paused before this server has started; nobody else can have what it has committed.
            (Placed::Agreed { placement, .. }, None) if placement.servers() == 1 => {
                (owners.here, owners.is_complete) = (Some(Role::Active), true);
            }
            _ => {}
        }
        owners
    }

    /// Whether this server has the state of all queries. What it finds is noted.
    pub(super) fn has_all_state(&self) -> bool {
        let changes = self.local_state.changes();
        let has_state = |scheduled: &Scheduled| {
            scheduled.topology.is_transient()
                || scheduled.ids.iter().all(|id| scheduled.runs_here(*id) && scheduled.has_state(*id))
        };
        let has_all = match &self.placed {
            Placed::Alone => true,
            Placed::Unknown => false,
            Placed::Agreed { placement, .. } => placement.servers() == 1 && self.queries.values().all(has_state),
        };
        if has_all {
            self.local_state.note_all(changes);
        }
        has_all
    }

    /// How many tasks that belong here wait for their state, those that fail aside; `None` while it is not known which do.
    pub(super) fn restoring(&self) -> Option<usize> {
        let lack = |scheduled: &Scheduled| {
            let ids = scheduled.here.keys().filter(|id| scheduled.runs_here(**id));
            let lack = |id: &TaskId| !scheduled.has_state(*id) && !scheduled.fails(*id);
            ids.filter(|id| !scheduled.topology.is_transient() && lack(id)).count()
        };
        self.is_placed().then(|| self.queries.values().map(lack).sum())
    }

    /// The servers that have agreed.
    pub(super) fn servers(&self) -> Vec<String> {
        match &self.placed {
            Placed::Agreed { placement, .. } => placement.names().map(ToOwned::to_owned).collect(),
            Placed::Alone | Placed::Unknown => Vec::new(),
        }
    }

    /// The servers, with what each has of each query; nothing while they have not agreed.
    pub(super) fn shares(&self) -> BTreeMap<String, BTreeMap<Arc<str>, QueryShare>> {
        let Placed::Agreed { placement, .. } = &self.placed else { return BTreeMap::new() };
        let none = || self.queries.keys().map(|query| (Arc::clone(query), QueryShare::default())).collect();
        let mut shares: BTreeMap<String, BTreeMap<Arc<str>, QueryShare>> =
            placement.names().map(|server| (server.to_owned(), none())).collect();
        for (query, scheduled) in self.queries.iter().filter(|(_, scheduled)| !scheduled.topology.is_transient()) {
            for id in &scheduled.ids {
                let (active, standbys) = placement.owners(slot_of(query, id.0, id.1));
                let mut share = |server: &str, role: Role| {
                    if let Some(share) = shares.get_mut(server).and_then(|queries| queries.get_mut(query)) {
                        share.of(role).add(scheduled, *id);
                    }
                };
                share(active, Role::Active);
                standbys.into_iter().for_each(|server| share(server, Role::Standby));
            }
        }
        shares
    }

    /// What this server has of each query, being alone.
    pub(super) fn own_share(&self) -> BTreeMap<Arc<str>, QueryShare> {
        let persistent = self.queries.iter().filter(|(_, scheduled)| !scheduled.topology.is_transient());
        let share = |(query, scheduled): (&Arc<str>, &Scheduled)| {
            let mut share = QueryShare::default();
            for (id, (_, role)) in &scheduled.here {
                share.of(*role).add(scheduled, *id);
            }
            (Arc::clone(query), share)
        };
        persistent.map(share).collect()
    }

    /// The stores that are here, those of standbys among them: of `only` this query, or of all.
    pub(super) fn copies(&self, only: Option<&str>, topics: &dyn Topics) -> Vec<Copy> {
        let mut copies = Vec::new();
        for (query, scheduled) in self.queries.iter().filter(|(query, _)| only.is_none_or(|only| &***query == only)) {
            for id in scheduled.here.keys() {
                let task = scheduled.metrics.task(*id);
                let runs = scheduled.runs_here(*id) && task.has_state();
                let figures = task.figures();
                for (store, changelog) in scheduled.topology.changelogs(*id, topics) {
                    let position = figures.restores.iter().find(|one| one.store == store.name).map(|one| one.position);
                    let group = Arc::clone(scheduled.topology.group());
                    copies.push(Copy { query: Arc::clone(query), group, store: store.name, changelog, runs, position });
                }
            }
        }
        copies
    }
}

/// A store on this server.
pub(super) struct Copy {
    query: Arc<str>,
    group: Arc<str>,
    store: String,
    changelog: TopicPartition,
    /// Whether its task runs here, so that nothing is missing.
    runs: bool,
    position: Option<i64>,
}

impl Copy {
    /// Whether it is that of `store`, in `partition`.
    pub(super) fn is_of(&self, store: &str, partition: u32) -> bool {
        self.store == store && self.changelog.partition == partition
    }

    /// How far it is; `None` if that is not known. The ends of what runs here are asked for, which may take a while.
    pub(super) fn lag(self, topics: &dyn Topics) -> Option<StoreLag> {
        let (position, end) = if self.runs {
            let end = topics.end_offset(&self.changelog).ok()?;
            (end, end)
        } else {
            let (position, end) = (self.position?, topics.known_end(&self.changelog).ok()??);
            // Between the two may be nothing but the marks of transactions.
            let is_there = topics.has_reached(&self.changelog, position, end).unwrap_or(false);
            (if is_there { end } else { position }, end)
        };
        let Self { query, group, store, changelog, .. } = self;
        Some(StoreLag { query, group, store, partition: changelog.partition, position, end })
    }
}

impl QueryShare {
    fn of(&mut self, role: Role) -> &mut TaskShare {
        match role {
            Role::Active => &mut self.active,
            Role::Standby => &mut self.standby,
        }
    }
}

impl TaskShare {
    /// Adds the task `id`.
    fn add(&mut self, scheduled: &Scheduled, id: TaskId) {
        self.stores.extend(scheduled.topology.stores(id.0).map(ToOwned::to_owned));
        let reads = scheduled.metrics.reads().iter().filter(|read| read.task == id);
        self.partitions.extend(reads.map(|read| read.partition.clone()));
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
