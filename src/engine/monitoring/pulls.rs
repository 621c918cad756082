//! Figures of pull queries, written as they are answered.

use std::time::Duration;

use crate::metrics::{Buckets, Counter, Histogram, Metric, Registry};
use crate::plan::PullLookup;

const SECONDS: Metric = Metric::histogram(
    "levada_pull_query_seconds",
    "Time in which pull queries were answered by the engine, in seconds.",
);
const ROWS: Metric = Metric::counter("levada_pull_query_rows_total", "Rows that pull queries have answered.");
const ERRORS: Metric = Metric::counter("levada_pull_query_errors_total", "Pull queries that failed.");

/// How a pull query finds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum PullKind {
    /// By keys.
    KeyLookup,
    /// By bounds of the key.
    RangeScan,
    /// All rows of a table.
    TableScan,
    /// All records of a stream.
    StreamScan,
    /// Rows that the engine makes.
    SystemTable,
    /// Rows of several sources, groups, rows in order.
    WholeSql,
}

impl PullKind {
    const ALL: [Self; 6] =
        [Self::KeyLookup, Self::RangeScan, Self::TableScan, Self::StreamScan, Self::SystemTable, Self::WholeSql];

    /// The word in labels.
    pub(in crate::engine) fn name(self) -> &'static str {
        match self {
            Self::KeyLookup => "key_lookup",
            Self::RangeScan => "range_scan",
            Self::TableScan => "table_scan",
            Self::StreamScan => "stream_scan",
            Self::SystemTable => "system_table",
            Self::WholeSql => "whole_sql",
        }
    }

    /// The kind of a look-up.
    pub(in crate::engine) fn of(lookup: &PullLookup) -> Self {
        match lookup {
            PullLookup::Keys(_) => Self::KeyLookup,
            PullLookup::Range { .. } => Self::RangeScan,
            PullLookup::Scan => Self::TableScan,
        }
    }
}

/// Where pull queries are counted.
pub(in crate::engine) struct PullMetrics {
    seconds: [Histogram; PullKind::ALL.len()],
    rows: [Counter; PullKind::ALL.len()],
    errors: [Counter; PullKind::ALL.len()],
}

impl PullMetrics {
    /// Places in `registry`.
    pub(in crate::engine) fn new(registry: &Registry) -> Self {
        let counter = |metric: &Metric, kind: PullKind| registry.counter(metric, &[("kind", kind.name())]);
        Self {
            seconds: PullKind::ALL
                .map(|kind| registry.histogram(&SECONDS, &[("kind", kind.name())], &Histogram::SECONDS)),
            rows: PullKind::ALL.map(|kind| counter(&ROWS, kind)),
            errors: PullKind::ALL.map(|kind| counter(&ERRORS, kind)),
        }
    }

    /// A query was answered with `rows` rows, or failed, after `time`.
    pub(in crate::engine) fn answered(&self, kind: PullKind, time: Duration, rows: Option<usize>) {
        self.seconds[kind as usize].observe(time.as_secs_f64());
        match rows {
            Some(rows) => self.rows[kind as usize].add(rows as u64),
            None => self.errors[kind as usize].increment(),
        }
    }

    /// Of each kind of which there were some: times, rows and failures.
    pub(in crate::engine) fn so_far(&self) -> impl Iterator<Item = (PullKind, Buckets, u64, u64)> {
        let all = PullKind::ALL.into_iter().map(|kind| {
            let index = kind as usize;
            (kind, self.seconds[index].buckets(), self.rows[index].get(), self.errors[index].get())
        });
        all.filter(|(_, times, ..)| times.count() > 0)
    }
}
