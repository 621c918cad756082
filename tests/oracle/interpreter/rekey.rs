//! PARTITION BY, GROUP BY over a stream, and the sides of a join that get its key.

use super::{Change, Operator, Row};
use crate::oracle::expression::Expr;
use crate::oracle::value::Value;

/// PARTITION BY: nothing is dropped. A record without a value still has key columns (semantics 3.1).
pub struct PartitionBy {
    pub by: Expr,
    /// Columns of a row.
    pub width: usize,
}

impl Operator for PartitionBy {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let key = self.by.value(&row_or_key(&change, self.width));
        vec![Change { key: Some(vec![key]), ..change }]
    }
}

/// The row, or where there is none its key columns alone.
fn row_or_key(change: &Change, width: usize) -> Row {
    change.new.clone().unwrap_or_else(|| {
        let mut row = change.key.clone().unwrap_or_default();
        row.resize(width, Value::Null);
        row
    })
}

/// GROUP BY: a record without a value, or with null in any part of its group, is dropped (semantics 3.1). Windows of keys
/// are no part of groups.
pub struct GroupBy {
    pub by: Vec<Expr>,
}

impl Operator for GroupBy {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let Some(key) = group(&self.by, change.new.as_ref()) else { return Vec::new() };
        vec![Change { key: Some(key), window: None, ..change }]
    }
}

/// The group of a row; `None` if there is no row, or no group for it.
pub fn group(by: &[Expr], row: Option<&Row>) -> Option<Vec<Value>> {
    let row = row?;
    let group: Vec<Value> = by.iter().map(|by| by.value(row)).collect();
    (!group.iter().any(Value::is_null)).then_some(group)
}

/// The side of a join, keyed by its join expression. Null keys are dropped unless the side stays without a partner.
pub struct JoinSide {
    pub by: Expr,
    pub width: usize,
    pub keeps_null_keys: bool,
}

impl Operator for JoinSide {
    fn process(&mut self, _port: usize, change: Change) -> Vec<Change> {
        let key = self.by.value(&row_or_key(&change, self.width));
        if key.is_null() && !self.keeps_null_keys {
            return Vec::new();
        }
        vec![Change { key: Some(vec![key]), ..change }]
    }
}
