//! Figures of a query, written by its tasks and read by anybody.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::topics::TopicPartition;

/// Counters of one query since it was started.
#[derive(Debug, Default)]
pub struct QueryMetrics {
    /// Records read from sources.
    pub rows_in: AtomicU64,
    /// Records written to the sink, or rows handed to the client.
    pub rows_out: AtomicU64,
    /// Records that went to the dead letters.
    pub rejected: AtomicU64,
    lags: Mutex<HashMap<TopicPartition, u64>>,
    failure: Mutex<Option<String>>,
}

impl QueryMetrics {
    /// Sets how many records of `partition` are not read yet.
    pub fn set_lag(&self, partition: &TopicPartition, lag: u64) {
        let mut lags = self.lags.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match lags.get_mut(partition) {
            Some(known) => *known = lag,
            None => drop(lags.insert(partition.clone(), lag)),
        }
    }

    /// Records not read yet, over all partitions.
    pub fn lag(&self) -> u64 {
        self.lags.lock().unwrap_or_else(std::sync::PoisonError::into_inner).values().sum()
    }

    /// Says why the query does not run at the moment; `None`: it runs.
    pub fn set_failure(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = failure;
    }

    /// Why the query does not run at the moment.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Rows in, rows out, rejected.
    pub fn totals(&self) -> (u64, u64, u64) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (get(&self.rows_in), get(&self.rows_out), get(&self.rejected))
    }
}
