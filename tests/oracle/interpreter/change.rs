//! What passes between steps.

use super::Input;
use crate::oracle::value::Value;

/// Key columns; a key that is not there has none.
pub type Key = Option<Vec<Value>>;

/// All columns that a later step may name.
pub type Row = Vec<Value>;

/// Name and bytes.
pub type Header = (String, Vec<u8>);

/// The window of a key: start, and end as WINDOWEND shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyWindow {
    pub start: i64,
    pub end: i64,
    pub is_session: bool,
}

impl KeyWindow {
    /// What follows the key's bytes: the start; of a session its end, then its start (semantics 4.7).
    pub fn key_suffix(self) -> Vec<u8> {
        self.told().into_iter().flat_map(i64::to_be_bytes).collect()
    }

    /// The same as values.
    fn bounds(self) -> Vec<Value> {
        self.told().into_iter().map(Value::BigInt).collect()
    }

    fn told(self) -> Vec<i64> {
        if self.is_session { vec![self.end, self.start] } else { vec![self.start] }
    }
}

/// A record of a stream, or a change of a table's row.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub key: Key,
    pub window: Option<KeyWindow>,
    /// The row before; of tables only.
    pub old: Option<Row>,
    /// The row; `None`: no value, the row is gone.
    pub new: Option<Row>,
    pub time: i64,
    pub headers: Vec<Header>,
}

impl Change {
    /// A record as its source reads it: the row is key columns, value columns, ROWTIME, and the bounds of a windowed key.
    pub fn of_record(input: &Input) -> Self {
        let key = input.key.clone();
        let row = input.value.as_ref().map(|value| {
            let nulls = value_count_of_key(input);
            let mut row = key.clone().unwrap_or_else(|| vec![Value::Null; nulls]);
            row.extend(value.iter().cloned());
            row.push(Value::BigInt(input.time));
            let bounds = input.window.map(|window| [window.start, window.end].map(Value::BigInt));
            row.extend(bounds.into_iter().flatten());
            row
        });
        Self { key, window: input.window, old: None, new: row, time: input.time, headers: input.headers.clone() }
    }

    /// What tells rows apart: the key with its window, of time windows the start alone (semantics 5.1). `None` without key.
    pub fn identity(&self) -> Option<Vec<Value>> {
        let mut identity = self.key.clone().filter(|_| self.has_key())?;
        identity.extend(self.window.into_iter().flat_map(KeyWindow::bounds));
        Some(identity)
    }

    /// Whether there is a key: a lone null is none.
    pub fn has_key(&self) -> bool {
        !matches!(self.key.as_deref(), None | Some([Value::Null]))
    }

    /// The same change with other rows.
    pub fn with_rows(&self, old: Option<Row>, new: Option<Row>) -> Self {
        Self { old, new, ..self.clone() }
    }
}

/// Records without a key have sources with one key column.
fn value_count_of_key(input: &Input) -> usize {
    input.key.as_ref().map_or(1, Vec::len)
}
