//! A stream with a table: the table as it is when the record comes.

use super::{Change, Operator, Row};
use crate::oracle::value::Value;

/// Input of the table; 0 is the stream.
const TABLE: usize = 1;

/// Only records of the stream have results (semantics 5.3).
pub struct StreamTableJoin {
    /// LEFT: records without a partner stay.
    pub keeps_unmatched: bool,
    /// Columns of the table's rows.
    pub right_width: usize,
    pub rows: Vec<(Vec<Value>, Row)>,
}

impl Operator for StreamTableJoin {
    fn process(&mut self, port: usize, change: Change) -> Vec<Change> {
        if port == TABLE {
            let identity = change.identity();
            self.rows.retain(|(key, _)| identity.as_ref() != Some(key));
            if let (Some(key), Some(row)) = (identity, change.new) {
                self.rows.push((key, row));
            }
            return Vec::new();
        }
        let Some(left) = &change.new else { return Vec::new() };
        let identity = change.identity();
        let found = self.rows.iter().find(|(key, _)| identity.as_ref() == Some(key));
        let right = match found {
            Some((_, row)) => row.clone(),
            None if self.keeps_unmatched => vec![Value::Null; self.right_width],
            None => return Vec::new(),
        };
        let joined = [left.as_slice(), &right].concat();
        vec![change.with_rows(None, Some(joined))]
    }
}
