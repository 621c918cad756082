//! A table as it is read: the newest record of a key is its row.

use super::{Change, Operator, Row};
use crate::oracle::value::Value;

/// Records without a key are dropped; the last arrival wins, whatever its time (semantics 3.2, 6.2).
#[derive(Default)]
pub struct TableSource {
    rows: Vec<(Vec<Value>, Row)>,
}

impl Operator for TableSource {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let Some(key) = change.identity() else { return Vec::new() };
        let at = self.rows.iter().position(|(known, _)| *known == key);
        let old = at.map(|at| self.rows.swap_remove(at).1);
        if let Some(row) = &change.new {
            self.rows.push((key, row.clone()));
        }
        vec![Change { old, ..change }]
    }
}
