//! Figures of one task: what it has read, what its operators made of it, what it has written, where it is.

use std::sync::Arc;

use super::super::dead_letter::Stage;
use super::Phase;
use crate::operators::{Fates, WindowClock};
use crate::state::StoreSize;
use crate::topics::{TopicPartition, Topics};

/// What [`TaskMetrics`](super::TaskMetrics) holds. Counts are those since the query was started here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFigures {
    /// What it is at.
    pub phase: Phase,
    /// How far it has read.
    pub inputs: Vec<InputFigures>,
    /// What became of the rows.
    pub operators: Vec<OperatorFigures>,
    /// What it has written.
    pub outputs: Vec<OutputFigures>,
    /// How large its stores are, as of the last commit.
    pub stores: Vec<StoreSize>,
    /// Memory that its state takes, about.
    pub memory_bytes: u64,
    /// How far its stores have come back, while and after they do.
    pub restores: Vec<RestoreFigures>,
    /// When it committed last, in milliseconds since the epoch.
    pub last_commit_ms: Option<i64>,
    /// How often it has committed.
    pub commits: u64,
}

/// How far a task has read a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFigures {
    /// The partition.
    pub partition: TopicPartition,
    /// Whether it is an input of the query, rather than a topic of its own.
    pub is_source: bool,
    /// Offset of the first record that is not processed.
    pub position: i64,
    /// Offset after the last record, as far as is known.
    pub end: Option<i64>,
    /// Greatest time of the records processed, in milliseconds since the epoch; -1 before the first.
    pub stream_time: i64,
    /// Rows that were read and wait for another input.
    pub waiting: u64,
    /// What was read.
    pub read: ReadCounts,
}

/// What was read of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadCounts {
    /// Records.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Records without a key, or with a key that is null; of those that could be decoded.
    pub null_keys: u64,
    /// Records without a value; of those that could be decoded.
    pub null_values: u64,
    /// Records that were dropped, by what failed.
    pub rejected: StageCounts,
}

/// Records that were dropped, by what failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageCounts([u64; Stage::ALL.len()]);

/// What an operator has made of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorFigures {
    /// Its name within the query.
    pub name: Arc<str>,
    /// Rows, so far.
    pub counts: RowCounts,
    /// Where its time is, if it keeps windows; as of the last commit.
    pub clock: Option<WindowClock>,
}

/// What an operator has made of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowCounts {
    /// Rows that came in, by port.
    pub rows_in: [u64; 2],
    /// Rows that went out.
    pub rows_out: u64,
    /// Rows that failed, and went to the dead letters.
    pub errors: u64,
    /// What became of rows that did not simply go on.
    pub fates: Fates,
}

/// What was written to a topic, or handed to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFigures {
    /// The topic; `None`: to a client.
    pub topic: Option<String>,
    /// Whether that is the result of the query, rather than a topic of its own.
    pub is_sink: bool,
    /// What was written.
    pub written: WriteCounts,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteCounts {
    /// Records or rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Results that could not be written.
    pub rejected: u64,
}

/// How far a store has come back from its changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreFigures {
    /// The store.
    pub store: String,
    /// Offset of the changelog at which it began.
    pub start: i64,
    /// Offset of the next record to apply.
    pub position: i64,
    /// Where it is complete; `None`: it follows for ever, or that is not known yet.
    pub end: Option<i64>,
    /// Records applied: fewer than offsets where the changelog was compacted.
    pub records: u64,
}

impl StageCounts {
    /// Counts `records` more.
    pub fn add(&mut self, stage: Stage, records: u64) {
        self.0[stage as usize] += records;
    }

    /// Records that failed at `stage`.
    pub fn of(&self, stage: Stage) -> u64 {
        self.0[stage as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}

impl ReadCounts {
    /// Adds what `other` has counted.
    pub fn add_all(&mut self, other: &Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.null_keys += other.null_keys;
        self.null_values += other.null_values;
        self.rejected.add_all(&other.rejected);
    }
}

impl RowCounts {
    /// Rows that came in, by either port.
    pub fn total_in(&self) -> u64 {
        self.rows_in.iter().sum()
    }

    /// Adds what `other` has counted.
    pub fn add_all(&mut self, other: &Self) {
        self.rows_in.iter_mut().zip(other.rows_in).for_each(|(sum, more)| *sum += more);
        self.rows_out += other.rows_out;
        self.errors += other.errors;
        self.fates.add_all(&other.fates);
    }
}

impl WriteCounts {
    /// Adds what `other` has counted.
    pub fn add_all(&mut self, other: &Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.rejected += other.rejected;
    }
}

impl InputFigures {
    /// An input that has read nothing, at `position`.
    pub fn new(partition: TopicPartition, is_source: bool, position: i64) -> Self {
        let read = ReadCounts::default();
        Self { partition, is_source, position, end: None, stream_time: -1, waiting: 0, read }
    }

    /// Records that are not processed, as far as is known.
    pub fn lag(&self) -> u64 {
        self.end.map_or(0, |end| (end - self.position).max(0) as u64)
    }

    /// Looks up the end. A task that `runs` is there too when all that is between are the marks of transactions.
    pub(super) fn refresh(&mut self, runs: bool, topics: &dyn Topics) {
        if let Ok(Some(end)) = topics.known_end(&self.partition) {
            self.end = Some(end.max(self.end.unwrap_or(end)));
        }
        if let (true, Some(end)) = (runs && self.lag() > 0, self.end)
            && topics.has_reached(&self.partition, self.position, end).unwrap_or(false)
        {
            self.position = end;
        }
    }
}

impl RestoreFigures {
    /// Offsets done and to do; `None` without an end.
    pub fn progress(&self) -> Option<(u64, u64)> {
        let of = (self.end? - self.start).max(0) as u64;
        let done = (self.position - self.start).max(0) as u64;
        Some((done.min(of), of))
    }

    /// The progress of all `restores` whose end is known together.
    pub fn total<'f>(restores: impl Iterator<Item = &'f Self>) -> Option<(u64, u64)> {
        restores.filter_map(Self::progress).reduce(|sum, store| (sum.0 + store.0, sum.1 + store.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restores_know_how_far_they_are() {
        let at = |position, end| RestoreFigures { store: String::new(), start: 100, position, end, records: 0 };
        assert_eq!(at(150, Some(300)).progress(), Some((50, 200)));
        assert_eq!(at(400, Some(300)).progress(), Some((200, 200)), "the changelog has grown since");
        assert_eq!(at(100, Some(100)).progress(), Some((0, 0)));
        assert_eq!(at(150, None).progress(), None);
    }

    #[test]
    fn what_a_task_that_begins_again_counts_is_added() {
        let mut read = ReadCounts { records: 3, ..ReadCounts::default() };
        let mut more = ReadCounts { records: 2, bytes: 10, ..ReadCounts::default() };
        more.rejected.add(Stage::Value, 1);
        read.add_all(&more);
        assert_eq!((read.records, read.bytes, read.rejected.total()), (5, 10, 1));
        assert_eq!(read.rejected.of(Stage::Value), 1);
    }
}
