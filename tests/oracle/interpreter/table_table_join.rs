//! Two tables by their primary keys.

use super::{Change, Operator, Row};
use crate::oracle::query::JoinType;
use crate::oracle::value::Value;

/// The row of a side, with its time.
type Entry = (Vec<Value>, Row, i64);

/// Either side's change has a result (semantics 5.4).
pub struct TableTableJoin {
    pub join_type: JoinType,
    pub widths: [usize; 2],
    pub sides: [Vec<Entry>; 2],
    /// Results as they were told last.
    pub told: Vec<(Vec<Value>, Row)>,
}

/// What a change has for a result.
enum Outcome {
    Nothing,
    Joined(Row),
    Gone,
}

impl TableTableJoin {
    fn joined(&self, side: usize, row: Option<&Row>, other: Option<&Row>) -> Outcome {
        let nulls = |side: usize| vec![Value::Null; self.widths[side]];
        let row = row.cloned().unwrap_or_else(|| nulls(side));
        let other = other.cloned().unwrap_or_else(|| nulls(1 - side));
        Outcome::Joined(if side == 0 { [row, other].concat() } else { [other, row].concat() })
    }

    /// The table of semantics 5.4. `side` is the one that changes.
    fn outcome(&self, side: usize, existed: bool, row: Option<&Row>, other: Option<&Row>) -> Outcome {
        let keeps = |side: usize| match self.join_type {
            JoinType::Inner => false,
            JoinType::Left => side == 0,
            JoinType::Right => side == 1,
            JoinType::Full => true,
        };
        match (row, other) {
            (Some(_), Some(_)) => self.joined(side, row, other),
            (Some(_), None) if keeps(side) => self.joined(side, row, None),
            (None, Some(_)) if keeps(1 - side) => self.joined(side, None, other),
            (None, Some(_)) => Outcome::Gone,
            (None, None) if keeps(side) && existed => Outcome::Gone,
            (_, None) => Outcome::Nothing,
        }
    }
}

impl Operator for TableTableJoin {
    fn process(&mut self, side: usize, change: Change) -> Vec<Change> {
        let Some(key) = change.identity() else { return Vec::new() };
        let at = self.sides[side].iter().position(|(known, ..)| *known == key);
        let existed = at.map(|at| self.sides[side].remove(at)).is_some();
        if let Some(row) = &change.new {
            self.sides[side].push((key.clone(), row.clone(), change.time));
        }
        let other = self.sides[1 - side].iter().find(|(known, ..)| *known == key);
        let time = other.map_or(change.time, |(_, _, time)| change.time.max(*time));
        let new = match self.outcome(side, existed, change.new.as_ref(), other.map(|(_, row, _)| row)) {
            Outcome::Nothing => return Vec::new(),
            Outcome::Joined(row) => Some(row),
            Outcome::Gone => None,
        };
        let at = self.told.iter().position(|(known, _)| *known == key);
        let old = at.map(|at| self.told.remove(at).1);
        self.told.extend(new.clone().map(|row| (key, row)));
        vec![Change { time, ..change.with_rows(old, new) }]
    }
}
