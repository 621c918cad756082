//! Figures of a query, written by its tasks and read by anybody.
//!
//! ```text
//! QueryMetrics ── totals, rates, errors
//!     └─ TaskMetrics per task of this server ── phase, inputs (position, end, what was read), operators (rows in, out, what
//!                                               became of the others), outputs, stores (size, restored), last commit
//! RuntimeMetrics ── commits and restores of all
//! ```
//!
//! A task writes its figures once per step and once per commit, into a place of its own: nobody waits there but a person who
//! looks at that very moment. Rows are counted per batch.

mod figures;
mod process;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::dead_letter::Stage;
use super::lock;
use super::query_error::{ErrorClass, QueryError};
use crate::topics::{TopicPartition, Topics};

pub use figures::{
    InputFigures, OperatorFigures, OutputFigures, ReadCounts, RestoreFigures, RowCounts, StageCounts, TaskFigures,
    WriteCounts,
};
pub use process::RuntimeMetrics;

/// A task by sub-topology and partition.
pub type TaskId = (usize, u32);

/// `0_3`: the name of a task.
pub fn task_name((sub, partition): TaskId) -> String {
    format!("{sub}_{partition}")
}

/// Figures of one query since it was started.
#[derive(Debug, Default)]
pub struct QueryMetrics {
    /// Records read from sources.
    pub rows_in: AtomicU64,
    /// Records written to the sink, or rows handed to the client.
    pub rows_out: AtomicU64,
    /// Bytes of the records read from sources.
    pub bytes_in: AtomicU64,
    /// Bytes of the records written to the sink.
    pub bytes_out: AtomicU64,
    /// Records that went to the dead letters, by what failed.
    rejected: [AtomicU64; Stage::ALL.len()],
    /// How often a task has failed, by class.
    failures: [AtomicU64; ErrorClass::ALL.len()],
    reads: Vec<Read>,
    tasks: Mutex<BTreeMap<TaskId, Arc<TaskMetrics>>>,
    errors: Mutex<Errors>,
    samples: Mutex<VecDeque<Sample>>,
    /// When something was written last, in milliseconds since the epoch; 0: never.
    last_out_ms: AtomicI64,
}

/// A partition that a task of a query reads, wherever it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The task.
    pub task: TaskId,
    /// What it reads.
    pub partition: TopicPartition,
    /// Consumer group that its positions are committed in.
    pub group: Arc<str>,
    /// Whether that is an input of the query, rather than a topic of its own.
    pub is_source: bool,
}

/// What went wrong with a query.
#[derive(Debug, Default)]
struct Errors {
    /// Tasks that do not run at the moment, and why; the last to fail is last. Without a task: the query cannot be started.
    failing: Vec<(Option<TaskId>, String)>,
    /// The newest errors, oldest first.
    kept: VecDeque<QueryError>,
}

/// Errors kept per query, as in ksqlDB.
const ERRORS_MAX: usize = 10;

/// Totals at some moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    rows_in: u64,
    rows_out: u64,
}

/// Rates are averages over about this long.
const RATE_SPAN: Duration = Duration::from_secs(10);
/// Samples are at least this far apart.
const SAMPLE_DISTANCE: Duration = Duration::from_secs(1);

/// Records per second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Read from sources.
    pub rows_in: f64,
    /// Written to the sink.
    pub rows_out: f64,
}

/// What a task is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// It has not begun, or rests after a failure.
    #[default]
    Waiting,
    /// Its state comes back from changelogs.
    Restoring,
    /// It follows the state of a task on another server.
    Standby,
    /// It runs.
    Running,
    /// It has ended here.
    Stopped,
}

impl Phase {
    /// The word that is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Restoring => "restoring",
            Self::Standby => "standby",
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// Figures of one task on this server.
#[derive(Debug, Default)]
pub struct TaskMetrics {
    figures: Mutex<TaskFigures>,
    /// Whether its stores have all that was committed when it was placed here, and what it has committed since.
    has_state: AtomicBool,
}

impl QueryMetrics {
    /// Figures of a query that reads `reads`.
    pub fn new(reads: Vec<Read>) -> Self {
        Self { reads, ..Self::default() }
    }

    /// What its tasks read, here and on other servers.
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// Figures of the task `id` on this server.
    pub fn task(&self, id: TaskId) -> Arc<TaskMetrics> {
        Arc::clone(lock(&self.tasks).entry(id).or_default())
    }

    /// Leaves out the task `id`, which runs on another server now.
    pub fn forget_task(&self, id: TaskId) {
        lock(&self.tasks).remove(&id);
    }

    /// Figures of all tasks on this server, with the ends of their inputs as far as is known now.
    pub fn tasks(&self, topics: &dyn Topics) -> Vec<(TaskId, TaskFigures)> {
        let tasks: Vec<_> = lock(&self.tasks).iter().map(|(id, task)| (*id, task.figures())).collect();
        let refreshed = tasks.into_iter().map(|(id, mut figures)| {
            let runs = figures.phase == Phase::Running;
            figures.inputs.iter_mut().for_each(|input| input.refresh(runs, topics));
            (id, figures)
        });
        refreshed.collect()
    }

    /// Takes note of a commit: at `at` on the clock's elapsed time, `now_ms` since the epoch.
    pub fn committed(&self, at: Duration, now_ms: i64) {
        let (rows_in, rows_out, _) = self.totals();
        let mut samples = lock(&self.samples);
        if samples.back().is_none_or(|last| last.rows_out != rows_out) && rows_out > 0 {
            self.last_out_ms.store(now_ms, Ordering::Relaxed);
        }
        if samples.back().is_some_and(|last| at < last.at + SAMPLE_DISTANCE) {
            return;
        }
        // One that is old enough stays: rates begin there.
        while samples.get(1).is_some_and(|second| second.at + RATE_SPAN <= at) {
            samples.pop_front();
        }
        samples.push_back(Sample { at, rows_in, rows_out });
    }

    /// Takes note of when the query started.
    pub fn started(&self, at: Duration) {
        *lock(&self.samples) = VecDeque::from([Sample { at, rows_in: 0, rows_out: 0 }]);
    }

    /// Records per second of late, as of `at` on the clock's elapsed time.
    pub fn rates(&self, at: Duration) -> Rates {
        let samples = lock(&self.samples);
        let old_enough = samples.iter().rev().find(|sample| sample.at + RATE_SPAN <= at);
        let Some(since) = old_enough.or(samples.front()) else { return Rates::default() };
        let seconds = at.saturating_sub(since.at).as_secs_f64();
        if seconds <= 0.0 {
            return Rates::default();
        }
        let (rows_in, rows_out, _) = self.totals();
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        Rates { rows_in: rate(rows_in, since.rows_in), rows_out: rate(rows_out, since.rows_out) }
    }

    /// When something was written last, in milliseconds since the epoch.
    pub fn last_out_ms(&self) -> Option<i64> {
        Some(self.last_out_ms.load(Ordering::Relaxed)).filter(|time| *time > 0)
    }

    /// Takes note of `records` that went to the dead letters.
    pub fn reject(&self, stage: Stage, records: u64) {
        self.rejected[stage as usize].fetch_add(records, Ordering::Relaxed);
    }

    /// Records that went to the dead letters because of `stage`.
    pub fn rejected_at(&self, stage: Stage) -> u64 {
        self.rejected[stage as usize].load(Ordering::Relaxed)
    }

    /// How often a task has failed for a reason of `class`, and was made again.
    pub fn failures(&self, class: ErrorClass) -> u64 {
        self.failures[class as usize].load(Ordering::Relaxed)
    }

    /// Takes note of an error because of which `task`, or the whole query, does not run at the moment.
    pub fn fail(&self, task: Option<TaskId>, error: QueryError) {
        self.failures[error.class as usize].fetch_add(1, Ordering::Relaxed);
        let mut errors = lock(&self.errors);
        errors.failing.retain(|(failing, _)| *failing != task);
        errors.failing.push((task, error.message.clone()));
        if errors.kept.len() == ERRORS_MAX {
            errors.kept.pop_front();
        }
        errors.kept.push_back(error);
    }

    /// Takes note that `task` runs again, or runs elsewhere.
    pub fn recover(&self, task: TaskId) {
        lock(&self.errors).failing.retain(|(failing, _)| *failing != Some(task));
    }

    /// Takes over the errors of the same query before it was started again.
    pub fn inherit(&self, before: &Self) {
        lock(&self.errors).kept.clone_from(&lock(&before.errors).kept);
        for (class, failures) in self.failures.iter().enumerate() {
            failures.store(before.failures[class].load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Why the query, or the last of its tasks to fail, does not run at the moment.
    pub fn failure(&self) -> Option<String> {
        lock(&self.errors).failing.last().map(|(_, failure)| failure.clone())
    }

    /// Why `task` does not run at the moment.
    pub fn failure_of(&self, task: TaskId) -> Option<String> {
        let errors = lock(&self.errors);
        errors.failing.iter().find(|(failing, _)| *failing == Some(task)).map(|(_, failure)| failure.clone())
    }

    /// The newest errors, oldest first.
    pub fn errors(&self) -> Vec<QueryError> {
        lock(&self.errors).kept.iter().cloned().collect()
    }

    /// Bytes of the records read from sources.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Ordering::Relaxed)
    }

    /// Bytes of the records written to the sink.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    /// Rows in, rows out, rejected.
    pub fn totals(&self) -> (u64, u64, u64) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (get(&self.rows_in), get(&self.rows_out), self.rejected.iter().map(get).sum())
    }
}

impl TaskMetrics {
    /// The figures at this moment.
    pub fn figures(&self) -> TaskFigures {
        lock(&self.figures).clone()
    }

    /// Whether its stores can be read as of the last commit.
    pub fn has_state(&self) -> bool {
        self.has_state.load(Ordering::Acquire)
    }

    pub(super) fn set_has_state(&self, has_state: bool) {
        self.has_state.store(has_state, Ordering::Release);
    }

    /// Changes the figures.
    pub(super) fn update(&self, change: impl FnOnce(&mut TaskFigures)) {
        change(&mut lock(&self.figures));
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        lock(&self.figures).phase = phase;
    }
}

#[cfg(test)]
mod tests {
    use super::super::query_error::ErrorClass;
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn process(metrics: &QueryMetrics, rows: u64, at: u64) {
        metrics.rows_in.fetch_add(rows, Ordering::Relaxed);
        metrics.rows_out.fetch_add(rows / 2, Ordering::Relaxed);
        metrics.committed(seconds(at), at as i64 * 1000);
    }

    #[test]
    fn rates_are_those_of_the_last_ten_seconds() {
        let metrics = QueryMetrics::default();
        metrics.started(seconds(100));
        assert_eq!(metrics.rates(seconds(100)), Rates::default());
        (101..=104).for_each(|at| process(&metrics, 100, at));
        assert_eq!(metrics.rates(seconds(104)), Rates { rows_in: 100.0, rows_out: 50.0 });
        (105..=130).for_each(|at| process(&metrics, 10, at));
        assert_eq!(metrics.rates(seconds(130)), Rates { rows_in: 10.0, rows_out: 5.0 });
        assert_eq!(metrics.last_out_ms(), Some(130_000));
        assert_eq!(metrics.rates(seconds(1000)), Rates::default(), "nothing has come for long");
        assert!(lock(&metrics.samples).len() <= 12, "old samples go");
    }

    #[test]
    fn ten_errors_are_kept_and_the_last_one_stands_until_it_is_over() {
        let metrics = QueryMetrics::default();
        for number in 0..12 {
            metrics.fail(Some((0, 0)), error(number));
        }
        assert_eq!(metrics.failure().as_deref(), Some("error 11"));
        metrics.recover((0, 0));
        assert_eq!(metrics.failure(), None);
        let times = |metrics: &QueryMetrics| metrics.errors().iter().map(|error| error.time_ms).collect::<Vec<_>>();
        assert_eq!(times(&metrics), (2..12).collect::<Vec<_>>());
        let again = QueryMetrics::default();
        again.inherit(&metrics);
        assert_eq!((times(&again).len(), again.failure()), (10, None));
    }

    fn error(number: i64) -> QueryError {
        QueryError { time_ms: number, class: ErrorClass::Unknown, message: format!("error {number}") }
    }

    #[test]
    fn a_query_fails_until_all_its_tasks_run_again() {
        let metrics = QueryMetrics::default();
        metrics.fail(Some((0, 0)), error(1));
        metrics.fail(Some((0, 1)), error(2));
        metrics.recover((0, 1));
        assert_eq!(metrics.failure().as_deref(), Some("error 1"));
        assert_eq!((metrics.failure_of((0, 0)).as_deref(), metrics.failure_of((0, 1))), (Some("error 1"), None));
        metrics.recover((0, 0));
        assert_eq!(metrics.failure(), None);
    }

    #[test]
    fn lag_counts_what_was_appended_since_the_last_step() {
        let topics = crate::topics::MemoryTopics::default();
        let partition = TopicPartition { topic: "a".into(), partition: 0 };
        topics.create("a", &crate::topics::TopicConfig::with_partitions(1)).expect("a topic");
        let metrics = QueryMetrics::default();
        let input = InputFigures { end: Some(0), ..InputFigures::new(partition.clone(), true, 0) };
        metrics.task((0, 0)).update(|figures| figures.inputs.push(input));
        let lag = |metrics: &QueryMetrics| metrics.tasks(&topics)[0].1.inputs[0].lag();
        assert_eq!(lag(&metrics), 0);
        let mut records = crate::types::RecordChunkBuilder::new();
        (0..3).for_each(|_| records.push(None, Some(b"x"), 0));
        let appends = vec![(partition, records.finish())];
        topics.commit(crate::topics::Transaction { appends, ..Default::default() }).expect("a commit");
        assert_eq!(lag(&metrics), 3);
        metrics.forget_task((0, 0));
        assert!(metrics.tasks(&topics).is_empty());
    }
}
