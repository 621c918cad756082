//! SELECT.

use super::{Change, Operator, Row};
use crate::oracle::expression::Expr;

/// Every record and every change passes, tombstones too (semantics 3.1 and 3.2).
pub struct Project {
    pub values: Vec<Expr>,
}

impl Operator for Project {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let project = |row: &Option<Row>| {
            row.as_ref().map(|row| self.values.iter().map(|value| value.value(row)).collect::<Row>())
        };
        vec![change.with_rows(project(&change.old), project(&change.new))]
    }
}
