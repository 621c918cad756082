//! WHERE and HAVING.

use super::{Change, Operator, Row};
use crate::oracle::expression::Expr;

/// WHERE over a stream: a record without a value is dropped (semantics 3.1).
pub struct Filter {
    pub condition: Expr,
}

impl Operator for Filter {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let passes = change.new.as_ref().is_some_and(|row| self.condition.holds(row));
        if passes { vec![change] } else { Vec::new() }
    }
}

/// WHERE over a table, and HAVING: a row that passes no more is gone; one that never passed says nothing (semantics 3.2).
pub struct TableFilter {
    pub condition: Expr,
}

impl Operator for TableFilter {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let passing = |row: &Option<Row>| row.clone().filter(|row| self.condition.holds(row));
        match (passing(&change.old), passing(&change.new)) {
            (None, None) => Vec::new(),
            (old, new) => vec![change.with_rows(old, new)],
        }
    }
}
