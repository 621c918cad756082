//! GROUP BY over a stream without windows.

use super::accumulator::Accumulators;
use super::{Change, Operator};
use crate::oracle::value::Value;

/// Every record with a key and a value gives a result; its time is the greatest of the group (semantics 4.1).
pub struct Aggregate {
    pub initial: Accumulators,
    pub groups: Vec<(Vec<Value>, Accumulators, i64)>,
}

impl Operator for Aggregate {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let (Some(key), Some(row), true) = (&change.key, &change.new, change.has_key()) else { return Vec::new() };
        let at = self.groups.iter().position(|(known, ..)| known == key);
        let old = at.map(|at| self.groups[at].1.row(key, None));
        let at = at.unwrap_or_else(|| {
            self.groups.push((key.clone(), self.initial.clone(), change.time));
            self.groups.len() - 1
        });
        let (_, state, time) = &mut self.groups[at];
        state.add(row);
        *time = change.time.max(*time);
        let (new, time) = (state.row(key, None), *time);
        vec![Change { time, ..change.with_rows(old, Some(new)) }]
    }
}
