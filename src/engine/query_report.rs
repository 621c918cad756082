//! What a query is doing: its figures as listings, for SHOW QUERIES EXTENDED, EXPLAIN and DESCRIBE EXTENDED.
//!
//! Offsets are asked for when somebody looks, so that they are those of all servers, and of a query that is paused; figures of
//! tasks are those of this server.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};

use super::queries::RunningQuery;
use super::{Listing, Shared, show};
use crate::catalog::{QueryInfo, QueryKind};
use crate::runtime::metrics::{Phase, Read, RestoreFigures, TaskFigures, TaskId, task_name};
use crate::runtime::query_error::QueryError;
use crate::topics::TopicPartition;

/// How long a person waits for the offsets of a cluster.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at queries at one moment.
pub struct Observer<'a> {
    shared: &'a Shared,
    now_ms: i64,
    /// First and next offset of all that the queries read.
    ranges: HashMap<TopicPartition, (i64, i64)>,
    /// Why there are no offsets.
    trouble: Option<String>,
}

/// How far a query is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicProgress {
    /// The topic.
    pub topic: Arc<str>,
    /// By partition.
    pub partitions: Vec<PartitionProgress>,
}

/// How far a query is in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProgress {
    /// Its number.
    pub partition: u32,
    /// First and next offset of the partition.
    pub range: Option<(i64, i64)>,
    /// What the query's group has committed.
    pub committed: Option<i64>,
    /// What the task on this server has processed.
    pub processed: Option<i64>,
}

impl PartitionProgress {
    /// Records that are not processed yet, as far as is known.
    pub fn lag(&self) -> Option<u64> {
        let (start, end) = self.range?;
        if start >= end {
            return Some(0);
        }
        // Records that were removed cannot be read any more.
        let position = self.processed.max(self.committed)?.max(start);
        Some((end - position).max(0) as u64)
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.partition.to_string(),
            text(self.range.map(|(start, _)| start)),
            text(self.range.map(|(_, end)| end)),
            text(self.committed),
            text(self.lag()),
            text(self.processed),
        ]
    }
}

fn text(figure: Option<impl ToString>) -> String {
    figure.map_or_else(String::new, |figure| figure.to_string())
}

impl<'a> Observer<'a> {
    /// Looks at `queries`, and at no others.
    pub fn new<'q>(shared: &'a Shared, queries: impl IntoIterator<Item = &'q RunningQuery>) -> Self {
        let mut partitions: Vec<TopicPartition> = queries
            .into_iter()
            .flat_map(|query| query.metrics.reads().iter().map(|read| read.partition.clone()))
            .collect();
        partitions.sort();
        partitions.dedup();
        let mut observer = Self { shared, now_ms: shared.clock.now_ms(), ranges: HashMap::new(), trouble: None };
        match shared.topics.ranges(&partitions, PATIENCE) {
            Ok(found) => {
                let found = partitions.into_iter().zip(found);
                observer.ranges = found.filter_map(|(partition, range)| Some((partition, range?))).collect();
            }
            Err(error) => observer.trouble = Some(error.to_string()),
        }
        observer
    }

    /// All about a query but its plan.
    pub fn query(&mut self, info: &QueryInfo, query: &RunningQuery) -> Vec<Listing> {
        let schema = query.spec.plan.root.schema();
        let fields = show::fields(&schema.key, &schema.value, is_table(query), None);
        let mut listings = vec![self.facts(info, query), fields.about([("Query ID", &*query.spec.id)])];
        listings.extend(overridden(query));
        listings.extend(self.progress(query));
        listings.extend(self.local(query));
        listings
    }

    fn facts(&self, info: &QueryInfo, query: &RunningQuery) -> Listing {
        let (rows_in, rows_out, rejected) = query.metrics.totals();
        let rates = query.metrics.rates(self.shared.clock.elapsed());
        let rate = |total: u64, rate: f64| format!("{total} ({rate:.1} per second)");
        let kind = match info.kind {
            QueryKind::CreateSource => "PERSISTENT (keeps a source table)",
            QueryKind::CreateAs | QueryKind::Insert => "PERSISTENT",
        };
        Listing::facts([
            ("ID", info.id.to_string()),
            ("Query Type", kind.to_owned()),
            ("SQL", show::one_line(&info.sql)),
            ("Status", query.state().to_owned()),
            ("Problem", query.metrics.failure().unwrap_or_default()),
            ("Sources", info.reads.join(", ")),
            ("Sink", if info.kind == QueryKind::CreateSource { String::new() } else { info.sink.clone() }),
            ("Records read", rate(rows_in, rates.rows_in)),
            ("Records written", rate(rows_out, rates.rows_out)),
            ("Records rejected", rejected.to_string()),
        ])
    }

    /// ksqlDB's "Consumer Groups summary", with what this server has processed and not committed yet.
    pub fn progress(&mut self, query: &RunningQuery) -> Vec<Listing> {
        let reads = query.metrics.reads();
        if reads.is_empty() {
            return Vec::new();
        }
        let group = Listing {
            title: "Consumer Groups summary:".to_owned(),
            ..Listing::facts([("Consumer Group", query.spec.group.to_string())])
        }
        .about([("Query ID", &*query.spec.id)]);
        let mut listings = vec![group];
        let topics = self.topics(query);
        if let Some(trouble) = &self.trouble {
            listings.push(Listing::facts([("Offsets are not known", trouble.clone())]));
        }
        listings.extend(topics.iter().flat_map(|progress| topic_progress(&query.spec.id, progress)));
        listings
    }

    /// How far the query is in each topic that it reads, by name.
    pub fn topics(&mut self, query: &RunningQuery) -> Vec<TopicProgress> {
        let reads = query.metrics.reads();
        let committed = self.committed_by_group(reads);
        let tasks = query.metrics.tasks(&*self.shared.topics);
        let mut topics: BTreeMap<&Arc<str>, Vec<PartitionProgress>> = BTreeMap::new();
        for (Read { partition, .. }, committed) in reads.iter().zip(committed) {
            let range = self.ranges.get(partition).copied();
            let processed = processed(&tasks, partition);
            let progress = PartitionProgress { partition: partition.partition, range, committed, processed };
            topics.entry(&partition.topic).or_default().push(progress);
        }
        let topics = topics.into_iter();
        topics.map(|(topic, partitions)| TopicProgress { topic: Arc::clone(topic), partitions }).collect()
    }

    /// Of each of `reads` the offset that its group has committed.
    fn committed_by_group(&mut self, reads: &[Read]) -> Vec<Option<i64>> {
        let groups: BTreeSet<&Arc<str>> = reads.iter().map(|read| &read.group).collect();
        let mut committed = vec![None; reads.len()];
        for group in groups {
            let places: Vec<usize> = (0..reads.len()).filter(|&place| reads[place].group == *group).collect();
            let partitions: Vec<TopicPartition> = places.iter().map(|&place| reads[place].partition.clone()).collect();
            let found = self.committed(group, &partitions);
            places.into_iter().zip(found).for_each(|(place, offset)| committed[place] = offset);
        }
        committed
    }

    fn committed(&mut self, group: &str, partitions: &[TopicPartition]) -> Vec<Option<i64>> {
        if self.trouble.is_none() {
            match self.shared.topics.committed(group, partitions, PATIENCE) {
                Ok(found) => return found,
                Err(error) => self.trouble = Some(error.to_string()),
            }
        }
        vec![None; partitions.len()]
    }

    /// Figures of this server: tasks, state, errors.
    pub fn local(&self, query: &RunningQuery) -> Vec<Listing> {
        let id = &query.spec.id;
        let tasks = query.metrics.tasks(&*self.shared.topics);
        let listings =
            [tasks_here(id, &tasks, self.now_ms), stores_here(id, &tasks), errors(id, &query.metrics.errors())];
        listings.into_iter().flatten().collect()
    }

    /// What the query has written, as in ksqlDB's "Local runtime statistics".
    pub fn statistics(&self, query: &RunningQuery) -> Listing {
        let (rows_in, rows_out, rejected) = query.metrics.totals();
        let rates = query.metrics.rates(self.shared.clock.elapsed());
        Listing::facts([
            ("Query ID", query.spec.id.to_string()),
            ("Status", query.state().to_owned()),
            ("messages-per-sec", format!("{:.2}", rates.rows_out)),
            ("total-messages", rows_out.to_string()),
            ("last-message", query.metrics.last_out_ms().map_or_else(String::new, time)),
            ("consumer-messages-per-sec", format!("{:.2}", rates.rows_in)),
            ("consumer-total-messages", rows_in.to_string()),
            ("rejected-messages", rejected.to_string()),
        ])
    }
}

/// What the client had set that created the query.
fn overridden(query: &RunningQuery) -> Option<Listing> {
    let rows: Vec<_> = query
        .spec
        .overridden
        .iter()
        .map(|(name, value)| vec![name.clone(), crate::configuration::shown_value(name, value)])
        .collect();
    let is_any = !rows.is_empty();
    let listing = Listing::table("Overridden Properties", &["Property", "Value"], rows);
    is_any.then(|| listing.about([("Query ID", &*query.spec.id)]))
}

fn is_table(query: &RunningQuery) -> bool {
    query.spec.plan.root.collection() == crate::catalog::Collection::Table
}

/// What the tasks have processed of `partition`, where one reads it here.
fn processed(tasks: &[(TaskId, TaskFigures)], partition: &TopicPartition) -> Option<i64> {
    let inputs = tasks.iter().flat_map(|(_, figures)| &figures.inputs);
    inputs.filter(|input| input.partition == *partition).map(|input| input.position).max()
}

fn topic_progress(query: &str, TopicProgress { topic, partitions }: &TopicProgress) -> [Listing; 2] {
    let max_lag = partitions.iter().filter_map(PartitionProgress::lag).max();
    let head = Listing::facts([("Kafka topic", topic.to_string()), ("Max lag", text(max_lag))]);
    let columns = ["Partition", "Start Offset", "End Offset", "Offset", "Lag", "Processed"];
    let rows = Listing::table("", &columns, partitions.iter().map(PartitionProgress::row).collect());
    [head.about([("Query ID", query)]), rows.about([("Query ID", query), ("Kafka Topic", topic)])]
}

fn tasks_here(query: &str, tasks: &[(TaskId, TaskFigures)], now_ms: i64) -> Option<Listing> {
    let row = |(id, figures): &(TaskId, TaskFigures)| {
        let commit = figures.last_commit_ms.map_or_else(|| "never".to_owned(), |at| ago(now_ms - at, at));
        vec![task_name(*id), phase(figures), commit]
    };
    let rows: Vec<_> = tasks.iter().map(row).collect();
    let listing = Listing::table("Tasks of this server", &["Task", "Status", "Last Commit"], rows);
    (!tasks.is_empty()).then(|| listing.about([("Query ID", query)]))
}

/// The phase, with how far it is.
fn phase(figures: &TaskFigures) -> String {
    let name = figures.phase.name();
    match restored(figures) {
        Some((done, of)) if figures.phase == Phase::Restoring && of > 0 => format!("{name}, {}", percent(done, of)),
        _ => name.to_owned(),
    }
}

/// Offsets of all stores of the task that are restored, and that are to be.
fn restored(figures: &TaskFigures) -> Option<(u64, u64)> {
    let all = figures.restores.iter().map(RestoreFigures::progress);
    all.reduce(|sum, store| Some((sum?.0 + store?.0, sum?.1 + store?.1))).flatten()
}

fn percent(done: u64, of: u64) -> String {
    // Never 100 before it is.
    format!("{} %", done * 100 / of.max(1))
}

fn stores_here(query: &str, tasks: &[(TaskId, TaskFigures)]) -> Option<Listing> {
    let mut rows = Vec::new();
    for ((_, partition), figures) in tasks {
        let sizes = figures.stores.iter().map(|size| &size.store);
        let mut stores: Vec<&String> = sizes.chain(figures.restores.iter().map(|restore| &restore.store)).collect();
        stores.sort();
        stores.dedup();
        rows.extend(stores.into_iter().map(|store| {
            let size = figures.stores.iter().find(|size| size.store == *store);
            let restore = figures.restores.iter().find(|restore| restore.store == *store);
            vec![
                store.clone(),
                partition.to_string(),
                text(size.map(|size| size.entries)),
                text(size.map(|size| size.bytes)),
                restore.map_or_else(String::new, restore_text),
            ]
        }));
    }
    let columns = ["Store", "Partition", "Entries", "Bytes (about)", "Restored"];
    (!rows.is_empty()).then(|| Listing::table("State on this server", &columns, rows).about([("Query ID", query)]))
}

fn restore_text(restore: &RestoreFigures) -> String {
    let records = restore.records;
    match restore.progress() {
        None => format!("{records}, follows"),
        Some((done, of)) if done < of => format!("{records} of {of}, {}", percent(done, of)),
        Some(_) => records.to_string(),
    }
}

fn errors(query: &str, errors: &[QueryError]) -> Option<Listing> {
    let row = |error: &QueryError| vec![time(error.time_ms), error.class.name().to_owned(), error.message.clone()];
    let rows = errors.iter().map(row).collect();
    let listing = Listing::table("Query errors", &["Error Date", "Error Type", "Error Details"], rows);
    (!errors.is_empty()).then(|| listing.about([("Query ID", query)]))
}

/// `timestamp_ms` as ISO-8601 text.
fn time(timestamp_ms: i64) -> String {
    DateTime::from_timestamp_millis(timestamp_ms)
        .map_or_else(|| timestamp_ms.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// How long ago a moment is, and when it was.
fn ago(milliseconds: i64, timestamp_ms: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let span = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    };
    format!("{span} ago, {}", time(timestamp_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::query_error::ErrorClass;
    use crate::state::StoreSize;

    fn texts(listing: Option<Listing>) -> Vec<String> {
        listing.map(|listing| listing.rows.iter().map(|row| row.join(" | ")).collect()).unwrap_or_default()
    }

    fn restore(position: i64, end: Option<i64>) -> RestoreFigures {
        RestoreFigures { store: "Aggregate-1".to_owned(), start: 0, position, end, records: 40 }
    }

    #[test]
    fn lag_counts_from_what_is_processed_or_committed() {
        let lag = |range, committed, processed| PartitionProgress { partition: 0, range, committed, processed }.lag();
        assert_eq!(lag(Some((0, 10)), Some(4), None), Some(6), "a task on another server");
        assert_eq!(lag(Some((0, 10)), Some(4), Some(7)), Some(3), "a task here, ahead of its commit");
        assert_eq!(lag(Some((0, 10)), Some(4), Some(2)), Some(6), "a task that was here before");
        assert_eq!(lag(Some((8, 10)), Some(4), None), Some(2), "what was removed is no lag");
        assert_eq!(lag(Some((0, 10)), None, None), None, "nothing was ever read");
        assert_eq!(lag(Some((8, 8)), None, None), Some(0), "there is nothing to read");
        assert_eq!(lag(None, Some(4), Some(4)), None, "nobody knows the end");
    }

    #[test]
    fn tasks_tell_their_phase_and_last_commit() {
        let running = TaskFigures { phase: Phase::Running, last_commit_ms: Some(1_000), ..TaskFigures::default() };
        let restoring =
            TaskFigures { phase: Phase::Restoring, restores: vec![restore(999, Some(1000))], ..TaskFigures::default() };
        let tasks = [((0, 0), running), ((1, 2), restoring)];
        assert_eq!(
            texts(tasks_here("q", &tasks, 181_000)),
            ["0_0 | running | 3 min ago, 1970-01-01T00:00:01.000Z", "1_2 | restoring, 99 % | never"]
        );
        assert_eq!(tasks_here("q", &[], 0), None);
    }

    #[test]
    fn stores_tell_their_size_and_how_far_they_are_restored() {
        let size = StoreSize { store: "Aggregate-1".to_owned(), entries: 5, bytes: 100 };
        let figures = |stores: &[StoreSize], restores: &[RestoreFigures]| TaskFigures {
            stores: stores.to_vec(),
            restores: restores.to_vec(),
            ..TaskFigures::default()
        };
        let tasks = [
            ((0, 0), figures(std::slice::from_ref(&size), &[])),
            ((0, 1), figures(&[], &[restore(250, Some(1000))])),
            ((0, 2), figures(&[size], &[restore(1000, Some(1000))])),
            ((0, 3), figures(&[], &[restore(250, None)])),
        ];
        let expected = [
            "Aggregate-1 | 0 | 5 | 100 | ",
            "Aggregate-1 | 1 |  |  | 40 of 1000, 25 %",
            "Aggregate-1 | 2 | 5 | 100 | 40",
            "Aggregate-1 | 3 |  |  | 40, follows",
        ];
        assert_eq!(texts(stores_here("q", &tasks)), expected);
    }

    #[test]
    fn errors_have_date_and_class() {
        let error = QueryError { time_ms: 0, class: ErrorClass::User, message: "topic a does not exist".to_owned() };
        let expected = ["1970-01-01T00:00:00.000Z | USER | topic a does not exist"];
        assert_eq!(texts(errors("q", &[error])), expected);
        assert_eq!(errors("q", &[]), None);
    }

    #[test]
    fn times_are_as_long_ago_as_a_person_counts() {
        let check = |milliseconds, expected: &str| {
            assert_eq!(ago(milliseconds, 0), format!("{expected} ago, 1970-01-01T00:00:00.000Z"));
        };
        check(-5, "0 s");
        check(119_999, "119 s");
        check(120_000, "2 min");
        check(7_200_000, "2 h");
    }
}
