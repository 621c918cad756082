//! Plans to running tasks: lowering, steps, stream time, commits, restarts.
//!
//! ```text
//! QuerySpec ── lower ──▶ Topology ──▶ Task per sub-topology and partition
//!                                        step:   inputs ─▶ operators ─▶ output          (nothing visible yet)
//!                                        commit: outputs + positions + state + dead letters, one transaction
//!
//! servers agree (Placing) ──▶ Schedule ── commands ──▶ Worker (a thread) ──▶ Slot: restore ─▶ Task runs ─▶ fails, again …
//! ```
//!
//! Worker threads run all tasks of all queries; there is no async here and no lock per row.

mod change_encoding;
mod changelog;
pub mod clock;
pub mod dead_letter;
mod decoding;
mod error;
mod header_columns;
mod input;
mod local_state;
mod lower;
pub mod materialized;
mod memory;
pub mod metrics;
mod output;
mod placement;
mod placing;
pub mod processing_log;
mod pushed_rows;
pub mod query_error;
mod restore;
mod schedule;
mod shared_decode;
mod slot;
mod sources;
mod spec;
pub mod tap;
mod task;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::functions::plugins;
use crate::metrics::Registry;
use crate::state::Store;
use crate::storage::WriteSet;
use crate::topics::{Announced, Topics, Transaction};
use crate::types::{RecordChunk, STACK_BYTES};

pub use error::RuntimeError;
pub use input::BATCH_ROWS_MAX;
pub use lower::Topology;
pub use output::RowReceiver;
pub use pushed_rows::PushedRows;
pub use sources::Change;
pub use spec::{Client, QuerySpec, StartFrom};
pub use task::Task;

use clock::Clock;
use local_state::LocalState;
use memory::MemoryBudget;
pub use memory::MemoryPlan;
use metrics::{QueryMetrics, RuntimeMetrics};
pub use placement::Role;
use placing::{Announcements, Placing};
use processing_log::ProcessingLog;
use schedule::Schedule;
pub use schedule::{QueryShare, StoreLag, StoreOwners, TaskShare};
use shared_decode::SharedDecodes;
use slot::TaskSpec;
use worker::{Command, Worker};

/// How the runtime works.
#[derive(Clone)]
pub struct RuntimeOptions {
    /// Worker threads; 0: tasks run on the caller's thread, in [`Runtime::settle`].
    pub workers: usize,
    /// How long results may be held back.
    pub commit_interval: Duration,
    /// Servers that keep the state of each task at hand, besides the one that runs it.
    pub standbys: usize,
    /// How long the state of a task is kept that runs on another server.
    pub cleanup_delay: Duration,
    /// Memory that the process may take, and state of it.
    pub memory: MemoryPlan,
    /// Where figures go.
    pub metrics: Arc<Registry>,
    /// Where records that fail are told of, besides the dead letters.
    pub log: Arc<ProcessingLog>,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        let none = Duration::ZERO;
        Self {
            workers: 0,
            commit_interval: none,
            standbys: 0,
            cleanup_delay: none,
            memory: MemoryPlan::UNLIMITED,
            metrics: Arc::default(),
            log: ProcessingLog::off(),
        }
    }
}

/// State shared by workers and the runtime.
struct Shared {
    topics: Arc<dyn Topics>,
    clock: Arc<dyn Clock>,
    /// What queries that read the same share.
    decodes: Arc<SharedDecodes>,
    memory: Arc<MemoryBudget>,
    metrics: RuntimeMetrics,
    log: Arc<ProcessingLog>,
    local_state: Arc<LocalState>,
    commit_interval: Duration,
    /// Commit as soon as there is nothing more to process, instead of waiting for the interval.
    eager: AtomicBool,
    /// Per worker: 1 + the version of the topics at which it found nothing to do; 0 while it works.
    idle_at: Vec<AtomicU64>,
}

/// Runs queries.
pub struct Runtime {
    shared: Arc<Shared>,
    /// Worker threads.
    workers: usize,
    threads: Mutex<Vec<(Sender<Command>, JoinHandle<()>)>>,
    /// The worker of the caller's thread.
    local: Mutex<Worker>,
    schedule: Arc<Mutex<Schedule>>,
    /// Takes part in the agreements of the servers.
    placing: Mutex<Option<(Arc<AtomicBool>, JoinHandle<()>)>>,
    /// What servers tell each other.
    announcements: Arc<Announcements>,
    /// What tells this server from the others, where there may be such.
    server: OnceLock<String>,
    cleanup_delay: Duration,
}

/// How long to wait for a worker before asking what keeps it.
const PATIENCE: Duration = Duration::from_millis(100);
const JOINING: Duration = Duration::from_millis(1);

impl Runtime {
    /// A runtime without queries. With worker threads, it joins the servers of its service where topics have such.
    pub fn new(topics: Arc<dyn Topics>, clock: Arc<dyn Clock>, options: &RuntimeOptions) -> Result<Self, RuntimeError> {
        let shared = Arc::new(Shared {
            topics,
            clock,
            decodes: Arc::default(),
            memory: MemoryBudget::new(options.memory),
            metrics: RuntimeMetrics::new(&options.metrics),
            log: Arc::clone(&options.log),
            local_state: Arc::default(),
            commit_interval: options.commit_interval,
            eager: AtomicBool::new(options.workers == 0),
            idle_at: (0..options.workers).map(|_| AtomicU64::new(0)).collect(),
        });
        let workers = (0..options.workers).map(|index| {
            let (sender, receiver): (_, Receiver<Command>) = channel();
            let worker = Worker::new(Arc::clone(&shared), &format!("worker-{index}"));
            let thread = std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .stack_size(STACK_BYTES)
                .spawn(move || worker.run(index, &receiver))
                .expect("the system can start a thread");
            (sender, thread)
        });
        let workers: Vec<_> = workers.collect();
        let senders: Vec<_> = workers.iter().map(|(sender, _)| sender.clone()).collect();
        let runtime = Self {
            local: Mutex::new(Worker::new(Arc::clone(&shared), "worker-local")),
            schedule: Arc::new(Mutex::new(Schedule::new(senders.clone(), true, Arc::clone(&shared.local_state)))),
            announcements: Arc::default(),
            server: OnceLock::new(),
            shared,
            workers: workers.len(),
            threads: Mutex::new(workers),
            placing: Mutex::default(),
            cleanup_delay: options.cleanup_delay,
        };
        if options.workers > 0 {
            runtime.join(senders, options.standbys)?;
        }
        Ok(runtime)
    }

    /// Joins the servers of the service, if topics have such.
    fn join(&self, workers: Vec<Sender<Command>>, standbys: usize) -> Result<(), RuntimeError> {
        let (topics, count) = (Arc::clone(&self.shared.topics), workers.len());
        let hold_topics = Arc::clone(&topics);
        let hold_workers = workers.clone();
        let hold = Box::new(move || schedule::hold(&hold_workers, &*hold_topics));
        let Some(membership) = Arc::clone(&topics).join(count, hold)? else { return Ok(()) };
        *lock(&self.schedule) = Schedule::new(workers, false, Arc::clone(&self.shared.local_state));
        self.server.get_or_init(|| membership.server().to_owned());
        let (schedule, shared) = (Arc::clone(&self.schedule), Arc::clone(&self.shared));
        let placing =
            Placing { membership, schedule, shared, announcements: Arc::clone(&self.announcements), standbys };
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("placement".to_owned()).spawn(move || placing.run(&flag));
        *lock(&self.placing) = Some((stop, thread.expect("the system can start a thread")));
        Ok(())
    }

    /// Starts a query at its last commit; returns its figures.
    pub fn start(&self, spec: QuerySpec) -> Result<Arc<QueryMetrics>, RuntimeError> {
        let topics = &*self.shared.topics;
        let id = Arc::clone(&spec.id);
        let topology = Arc::new(Topology::new(spec, topics, &self.shared.decodes)?);
        topology.prepare(topics)?;
        let metrics = Arc::new(QueryMetrics::new(topology.reads(topics)?));
        metrics.started(self.shared.clock.elapsed());
        if self.workers == 0 {
            for task in topology.task_ids(topics)? {
                let (query, topology, metrics) = (Arc::clone(&id), Arc::clone(&topology), Arc::clone(&metrics));
                let task = TaskSpec { query, topology, id: task, metrics };
                self.lock_local().handle(Command::Add { task, role: Role::Active });
            }
        } else {
            lock(&self.schedule).add(&id, &topology, &metrics, topics, self.shared.clock.elapsed())?;
        }
        Ok(metrics)
    }

    /// Figures of a query that is not started: what it would read.
    pub fn outline(&self, spec: &QuerySpec) -> Result<Arc<QueryMetrics>, RuntimeError> {
        let topics = &*self.shared.topics;
        let reads = Topology::new(spec.clone(), topics, &self.shared.decodes)?.reads(topics)?;
        Ok(Arc::new(QueryMetrics::new(reads)))
    }

    /// `error` as one of a query, now.
    pub fn query_error(&self, error: &RuntimeError) -> query_error::QueryError {
        query_error::QueryError::new(error, self.shared.clock.now_ms())
    }

    /// Commits and ends a query; its committed positions and state stay.
    pub fn stop(&self, query: &Arc<str>) {
        self.lock_local().handle(Command::Remove { query: Arc::clone(query), done: None });
        let done = lock(&self.schedule).remove(query);
        self.shared.topics.wake();
        loop {
            match done.recv_timeout(PATIENCE) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(function) = plugins::hanging() {
                        tracing::warn!(%query, "the query ends when the function {function} comes back");
                        return;
                    }
                }
            }
        }
    }

    /// Whether this server has the state of all queries. Where that stays so the answer costs nothing.
    pub fn has_all_state(&self) -> bool {
        self.workers == 0 || self.shared.local_state.is_all_here() || lock(&self.schedule).has_all_state()
    }

    /// Who has the rows that the store `store` of `query` keeps for `partition`.
    pub fn store_owners(&self, query: &str, store: &str, partition: u32) -> StoreOwners {
        if self.workers == 0 {
            let (active, standbys) = (None, Vec::new());
            return StoreOwners { partition, here: Some(Role::Active), is_complete: true, active, standbys };
        }
        lock(&self.schedule).owners(query, store, partition)
    }

    /// How many tasks that belong here have not their state yet; `None` while the servers have not agreed which do.
    pub fn restoring(&self) -> Option<usize> {
        lock(&self.schedule).restoring()
    }

    /// How far the stores are that this server has, those of standbys among them. Asks the cluster.
    pub fn store_lags(&self) -> Vec<StoreLag> {
        let copies = lock(&self.schedule).copies(None, &*self.shared.topics);
        copies.into_iter().filter_map(|copy| copy.lag(&*self.shared.topics)).collect()
    }

    /// Records that the copy here of the store `store` of `query` lacks for `partition`; `None` if that is not known.
    pub fn store_lag(&self, query: &str, store: &str, partition: u32) -> Option<u64> {
        let copies = lock(&self.schedule).copies(Some(query), &*self.shared.topics);
        let copy = copies.into_iter().find(|copy| copy.is_of(store, partition))?;
        copy.lag(&*self.shared.topics).map(|lag| lag.lag())
    }

    /// What tells this server from the others of its service; `None` where there are no others.
    pub fn server(&self) -> Option<&str> {
        self.server.get().map(String::as_str)
    }

    /// The servers that have agreed, by their identities.
    pub fn servers(&self) -> Vec<String> {
        lock(&self.schedule).servers()
    }

    /// What each server of the service has of each query, by the servers' identities. One that is alone is called "".
    pub fn shares(&self) -> BTreeMap<String, BTreeMap<Arc<str>, QueryShare>> {
        let schedule = lock(&self.schedule);
        if self.server().is_some() {
            return schedule.shares();
        }
        BTreeMap::from([(String::new(), schedule.own_share())])
    }

    /// Tells `word` to the other servers, in place of what was told before. It arrives a little later.
    pub fn announce(&self, word: Vec<u8>) {
        *lock(&self.announcements.own) = Some(word);
    }

    /// Whether what was told last is on its way to the others.
    pub fn is_announced(&self) -> bool {
        lock(&self.announcements.own).is_none()
    }

    /// What servers have told, by their identities.
    pub fn announced(&self) -> Announced {
        Arc::clone(&lock(&self.announcements.all))
    }

    /// Removes the state of tasks that have been on other servers for long.
    pub fn clean(&self) -> Result<(), RuntimeError> {
        lock(&self.schedule).clean(&*self.shared.topics, self.shared.clock.elapsed(), self.cleanup_delay)
    }

    /// Whether the query could be started: its plan is one that can run, and its sources are there.
    pub fn check(&self, spec: QuerySpec) -> Result<(), RuntimeError> {
        Topology::new(spec, &*self.shared.topics, &self.shared.decodes).map(drop)
    }

    /// What the state of all tasks takes in memory, and what it may take at the moment; `None`: as much as it likes.
    pub fn state_bytes(&self) -> (usize, Option<usize>) {
        self.shared.memory.state_bytes()
    }

    /// Whether other servers run tasks too.
    pub fn has_others(&self) -> bool {
        lock(&self.schedule).has_others()
    }

    /// Removes the state of a stopped query from the local store.
    pub fn remove_state(&self, spec: &QuerySpec) -> Result<(), RuntimeError> {
        lock(&self.schedule).forget(&spec.id);
        let mut writes = WriteSet::default();
        Store::delete_query(&mut writes, &spec.id);
        self.shared.topics.forget_changelogs(&spec.group, &mut writes);
        sources::forget(&spec.id, &mut writes);
        Ok(self.shared.topics.commit(Transaction { writes, ..Transaction::default() })?)
    }

    /// Removes the state of queries that are not `known`: they were ended while this server was away.
    pub fn remove_unknown_state(&self, known: &dyn Fn(&str) -> bool) -> Result<(), RuntimeError> {
        let mut writes = WriteSet::default();
        for query in Store::queries(&*self.shared.topics.storage())?.iter().filter(|query| !known(query)) {
            tracing::info!(query, "removing the state of a query that has ended");
            Store::delete_query(&mut writes, query);
            sources::forget(query, &mut writes);
        }
        if writes.is_empty() {
            return Ok(());
        }
        Ok(self.shared.topics.commit(Transaction { writes, ..Transaction::default() })?)
    }

    /// Removes the internal topics of an ended query, and with them its positions and its consumer group, which is `group`.
    pub fn forget(&self, group: &str) -> Result<(), RuntimeError> {
        self.delete_internal_topics(group)?;
        if let Err(error) = self.shared.topics.forget_group(group) {
            tracing::warn!("what the cluster knows of an ended query stays: {error}");
        }
        Ok(())
    }

    fn delete_internal_topics(&self, group: &str) -> Result<(), RuntimeError> {
        let topics = &*self.shared.topics;
        let prefix = format!("{group}-");
        for info in topics.list()? {
            if info.name.starts_with(&prefix) {
                topics.delete(&info.name)?;
            }
        }
        Ok(())
    }

    /// The first source topic of `spec` that has changed since the query was started, if one has.
    pub fn changed_source(&self, spec: &QuerySpec) -> Result<Option<(String, Change)>, RuntimeError> {
        for source in spec.plan.root.sources() {
            if let Some(change) = sources::change(&spec.id, &source.topic, &*self.shared.topics)? {
                return Ok(Some((source.topic.clone(), change)));
            }
        }
        Ok(None)
    }

    /// Makes all running tasks of `query` again from their last commit.
    pub fn begin_again(&self, query: &Arc<str>) {
        lock(&self.schedule).begin_again(query);
        self.shared.topics.wake();
    }

    /// Ends a transient query and removes its internal topics, if it has any: their names begin with `group`.
    pub fn end_transient(&self, query: &Arc<str>, group: Option<&str>) {
        self.stop(query);
        if let Some(Err(error)) = group.map(|group| self.delete_internal_topics(group)) {
            tracing::warn!("internal topics of {query}, which has ended, could not be removed: {error}");
        }
    }

    /// With `eager`, results held back are committed as soon as nothing is left to process.
    pub fn set_eager(&self, eager: bool) {
        self.shared.eager.store(eager, Ordering::Release);
        // A worker that waits has not looked whether it is idle.
        self.shared.topics.wake();
    }

    /// Whether all workers have found nothing to do since the last record was appended.
    pub fn is_idle(&self) -> bool {
        let version = self.shared.topics.version();
        lock(&self.schedule).is_placed()
            && self.shared.idle_at.iter().all(|idle_at| idle_at.load(Ordering::Acquire) == version + 1)
    }

    /// Runs the tasks of `query` (all without one) on the caller's thread until nothing is left, committing.
    pub fn settle(&self, query: Option<&str>) -> Result<(), RuntimeError> {
        self.lock_local().settle(query)
    }

    /// Hands records to the tasks of `query` that read `partition` of `topic`, which is not fetched from then on. Only
    /// without worker threads.
    pub fn feed(&self, query: &str, topic: &str, chunk: &RecordChunk) {
        self.lock_local().feed(query, topic, chunk);
    }

    /// Commits what is processed and ends all threads.
    pub fn shutdown(&self) {
        let threads = std::mem::take(&mut *lock(&self.threads));
        for (worker, _) in &threads {
            // A worker that has died has nothing to commit.
            let _ = worker.send(Command::Shutdown);
        }
        self.shared.topics.wake();
        for (_, thread) in threads {
            while !thread.is_finished() && plugins::hanging().is_none() {
                std::thread::park_timeout(JOINING);
            }
            if let Some(function) = plugins::hanging().filter(|_| !thread.is_finished()) {
                tracing::error!(
                    "the function {function} does not come back: what its worker has not committed is done again"
                );
            } else if thread.join().is_err() {
                tracing::error!("a worker thread has died");
            }
        }
        if let Some((stop, thread)) = lock(&self.placing).take() {
            stop.store(true, Ordering::Release);
            if thread.join().is_err() {
                tracing::error!("the thread that places tasks has died");
            }
        }
    }

    fn lock_local(&self) -> MutexGuard<'_, Worker> {
        lock(&self.local)
    }
}

/// What a mutex of the runtime guards: it is consistent between two statements, whatever thread has died there.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.shutdown();
    }
}
