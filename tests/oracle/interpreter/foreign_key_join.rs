//! A table whose rows name rows of another.

use super::{Change, Operator, Row};
use crate::oracle::expression::Expr;
use crate::oracle::value::{KeyFormat, Value, key_order};

/// A row with its time.
type Entry = (Vec<Value>, Row, i64);

/// As if each change went to the other table and back before the next (semantics 5.5).
pub struct ForeignKeyJoin {
    /// Over the left row.
    pub foreign_key: Expr,
    /// LEFT: rows without a partner stay.
    pub keeps_unmatched: bool,
    pub right_width: usize,
    pub key_format: KeyFormat,
    pub left: Vec<Entry>,
    pub right: Vec<Entry>,
    /// Results as they were told last.
    pub told: Vec<(Vec<Value>, Row)>,
}

impl ForeignKeyJoin {
    fn tell(&mut self, key: &[Value], new: Option<Row>, time: i64, change: &Change) -> Change {
        let at = self.told.iter().position(|(known, _)| known == key);
        let old = at.map(|at| self.told.remove(at).1);
        self.told.extend(new.clone().map(|row| (key.to_vec(), row)));
        Change { key: Some(key.to_vec()), time, ..change.with_rows(old, new) }
    }

    fn unmatched(&self, left: &Row) -> Option<Row> {
        self.keeps_unmatched.then(|| [left.clone(), vec![Value::Null; self.right_width]].concat())
    }

    /// The row of the right table that `foreign` names, and its time.
    fn referred(&self, foreign: &Value) -> Option<&Entry> {
        self.right.iter().find(|(known, ..)| !foreign.is_null() && known[0] == *foreign)
    }

    fn left_changes(&mut self, key: &[Value], change: &Change) -> Vec<Change> {
        let at = self.left.iter().position(|(known, ..)| known == key);
        let before = at.map(|at| self.left.remove(at).1);
        self.left.extend(change.new.clone().map(|row| (key.to_vec(), row, change.time)));
        if before.is_none() && change.new.is_none() {
            return Vec::new();
        }
        let foreign = |row: Option<&Row>| row.map_or(Value::Null, |row| self.foreign_key.value(row));
        let (withdrawn, named) = (foreign(before.as_ref()), foreign(change.new.as_ref()));
        let later = |entry: Option<&Entry>| entry.map_or(change.time, |(_, _, time)| change.time.max(*time));
        let (new, time) = match (&change.new, self.referred(&named)) {
            (Some(left), Some(right)) => (Some([left.as_slice(), &right.1].concat()), later(Some(right))),
            (Some(left), None) if self.keeps_unmatched => (self.unmatched(left), change.time),
            (None, _) if self.keeps_unmatched => (None, change.time),
            // A row that names the same, or that is new, or that named none and names none, has no result that could go.
            _ if withdrawn == named || before.is_none() || withdrawn.is_null() && named.is_null() => return Vec::new(),
            // Of a row that is gone the answer comes from where it was withdrawn.
            (None, _) => (None, later(self.referred(&withdrawn))),
            _ => (None, change.time),
        };
        vec![self.tell(key, new, time, change)]
    }

    fn right_changes(&mut self, key: &[Value], change: &Change) -> Vec<Change> {
        self.right.retain(|(known, ..)| known != key);
        self.right.extend(change.new.clone().map(|row| (key.to_vec(), row, change.time)));
        let refers = |(_, row, _): &&Entry| self.foreign_key.value(row) == key[0];
        let mut referring: Vec<Entry> = self.left.iter().filter(refers).cloned().collect();
        referring.sort_by_key(|(key, ..)| key_order(self.key_format, key));
        let mut changes = Vec::new();
        for (left_key, left, _) in referring {
            let new = match &change.new {
                Some(right) => Some([left.as_slice(), right].concat()),
                None => self.unmatched(&left),
            };
            changes.push(self.tell(&left_key, new, change.time, change));
        }
        changes
    }
}

impl Operator for ForeignKeyJoin {
    fn process(&mut self, side: usize, change: Change) -> Vec<Change> {
        let Some(key) = change.key.clone().filter(|_| change.has_key()) else { return Vec::new() };
        if side == 0 { self.left_changes(&key, &change) } else { self.right_changes(&key, &change) }
    }
}
