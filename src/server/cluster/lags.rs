//! How far the copies of stores are that servers have, as these tell: `ksql.lag.reporting.*`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::engine::StoreLag;

/// What servers have told.
#[derive(Debug)]
pub struct Lags {
    /// Whether they do.
    pub is_on: bool,
    /// How often.
    pub send: Duration,
    /// By `host:port`.
    pub told: Mutex<BTreeMap<String, HostLags>>,
}

/// What one server has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostLags {
    /// When it has looked, in milliseconds since the epoch.
    pub updated_ms: i64,
    /// Offset up to which it has all, and where the changelog ends, by store and partition.
    stores: BTreeMap<String, BTreeMap<u32, (i64, i64)>>,
}

/// The name of a store for all servers.
pub fn store_name(group: &str, store: &str) -> String {
    format!("{group}#{store}")
}

impl HostLags {
    /// What `lags` say.
    pub fn new(lags: &[StoreLag], updated_ms: i64) -> Self {
        let mut stores: BTreeMap<String, BTreeMap<u32, (i64, i64)>> = BTreeMap::new();
        for lag in lags {
            let partitions = stores.entry(store_name(&lag.group, &lag.store)).or_default();
            partitions.insert(lag.partition, (lag.position, lag.end));
        }
        Self { updated_ms, stores }
    }

    /// As it is told.
    pub fn to_json(&self) -> Value {
        let partitions = |partitions: &BTreeMap<u32, (i64, i64)>| -> Map<String, Value> {
            let one = |(partition, (position, end)): (&u32, &(i64, i64))| {
                let lag = (end - position).max(0);
                let figures = json!({"currentOffsetPosition": position, "endOffsetPosition": end, "offsetLag": lag});
                (partition.to_string(), figures)
            };
            partitions.iter().map(one).collect()
        };
        let stores = self.stores.iter();
        let stores: Map<String, Value> =
            stores.map(|(store, known)| (store.clone(), json!({"lagByPartition": partitions(known)}))).collect();
        json!({"stateStoreLags": stores, "updateTimeMs": self.updated_ms})
    }

    /// Reads what [`HostLags::to_json`] has written.
    pub fn from_json(value: &Value) -> Option<Self> {
        let partition = |(partition, figures): (&String, &Value)| {
            let figure = |name: &str| figures.get(name)?.as_i64();
            Some((partition.parse().ok()?, (figure("currentOffsetPosition")?, figure("endOffsetPosition")?)))
        };
        let store = |(store, value): (&String, &Value)| {
            let partitions = value.get("lagByPartition")?.as_object()?.iter().map(partition);
            Some((store.clone(), partitions.collect::<Option<_>>()?))
        };
        let stores = value.get("stateStoreLags")?.as_object()?.iter().map(store);
        Some(Self { updated_ms: value.get("updateTimeMs")?.as_i64()?, stores: stores.collect::<Option<_>>()? })
    }

    fn of(&self, store: &str, partition: u32) -> Option<(i64, i64)> {
        self.stores.get(store)?.get(&partition).copied()
    }
}

impl Lags {
    /// Takes note of what `host` has told.
    pub fn note(&self, host: &str, lags: HostLags) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), lags);
    }

    /// Forgets who is not among `hosts`.
    pub fn keep(&self, hosts: &[String]) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|host, _| hosts.contains(host));
    }

    /// What `host` has told.
    pub fn of(&self, host: &str) -> HostLags {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned().unwrap_or_default()
    }

    /// Records that the copy of `store` on `host` lacks for `partition`, by the furthest end that any server has told; `None` if that is
    /// not known.
    pub fn lag(&self, host: &str, store: &str, partition: u32) -> Option<u64> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (position, _) = told.get(host)?.of(store, partition)?;
        let end = told.values().filter_map(|lags| Some(lags.of(store, partition)?.1)).max()?;
        Some((end - position).max(0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(position: i64, end: i64) -> HostLags {
        let (query, group, store) = ("CTAS_T_1".into(), "g".into(), "Aggregate-1".to_owned());
        HostLags::new(&[StoreLag { query, group, store, partition: 3, position, end }], 7)
    }

    #[test]
    fn what_is_told_is_read_as_it_was_written() {
        let told = lags(10, 15);
        assert_eq!(told.to_json()["stateStoreLags"]["g#Aggregate-1"]["lagByPartition"]["3"]["offsetLag"], 5);
        assert_eq!(HostLags::from_json(&told.to_json()), Some(told));
        assert_eq!(HostLags::from_json(&json!({"stateStoreLags": {"a": 1}, "updateTimeMs": 1})), None);
    }

    #[test]
    fn a_copy_lags_behind_the_furthest_end_that_is_known() {
        let known = Lags { is_on: true, send: Duration::ZERO, told: Mutex::default() };
        known.note("a:1", lags(10, 15));
        assert_eq!(known.lag("a:1", "g#Aggregate-1", 3), Some(5));
        known.note("b:1", lags(40, 40));
        assert_eq!(known.lag("a:1", "g#Aggregate-1", 3), Some(30));
        assert_eq!(known.lag("b:1", "g#Aggregate-1", 3), Some(0));
        assert_eq!((known.lag("c:1", "g#Aggregate-1", 3), known.lag("a:1", "g#Aggregate-1", 4)), (None, None));
        known.keep(&["b:1".to_owned()]);
        assert_eq!(known.of("a:1"), HostLags::default());
    }
}
