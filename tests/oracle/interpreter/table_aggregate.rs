//! GROUP BY over a table: the old row is taken back, the new one is added.

use super::accumulator::Accumulators;
use super::rekey::group;
use super::{Change, Operator, Row};
use crate::oracle::expression::Expr;
use crate::oracle::value::Value;

/// A row that stays in its group is taken back and added in one step; one that moves is taken back first. An emptied group
/// stays (semantics 4.2).
pub struct TableAggregate {
    pub by: Vec<Expr>,
    pub initial: Accumulators,
    pub groups: Vec<(Vec<Value>, Accumulators, i64)>,
}

impl TableAggregate {
    fn update(&mut self, key: Vec<Value>, old: Option<&Row>, new: Option<&Row>, change: &Change) -> Change {
        let at = self.groups.iter().position(|(known, ..)| *known == key);
        let told = at.map(|at| self.groups[at].1.row(&key, None));
        let is_known = at.is_some();
        let at = at.unwrap_or_else(|| {
            self.groups.push((key.clone(), self.initial.clone(), change.time));
            self.groups.len() - 1
        });
        let (_, state, time) = &mut self.groups[at];
        if let (Some(old), true) = (old, is_known) {
            state.undo(old);
        }
        if let Some(new) = new {
            state.add(new);
        }
        *time = change.time.max(*time);
        let row = state.row(&key, None);
        Change { key: Some(key), time: *time, ..change.with_rows(told, Some(row)) }
    }
}

impl Operator for TableAggregate {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let (old, new) = (change.old.as_ref(), change.new.as_ref());
        match (group(&self.by, old), group(&self.by, new)) {
            (Some(from), Some(to)) if from == to => vec![self.update(to, old, new, &change)],
            (from, to) => {
                let taken = from.map(|from| self.update(from, old, None, &change));
                let added = to.map(|to| self.update(to, None, new, &change));
                taken.into_iter().chain(added).collect()
            }
        }
    }
}
