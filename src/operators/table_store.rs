//! A table's rows by key: knows what a change replaces.
//!
//! Rows with a null key are dropped. The newest arrival wins, whatever its time. Deletions of absent keys go on, as do
//! rows equal to the old one. Semantics 3.2 and 6.2.
//!
//! State: key → `rowtime: i64 LE, row(key columns, value columns)`.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::{Operator, Output, Port};
use crate::state::{RowRef, StateError, Store};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, OldRows};

use super::keyed_rows::KeyedRows;

/// Keeps the table and attaches old rows to its changes.
pub struct TableStore {
    rows: KeyedRows,
    value_types: Vec<DataType>,
    key_columns: usize,
    attach_old: bool,
}

impl TableStore {
    /// The table in `store`, with key columns of `key_types` and value columns of `value_types`; what storage holds is
    /// read at once. `attach_old`: an operator downstream needs old rows.
    pub fn open(
        store: &Store,
        key_types: &[DataType],
        value_types: &[DataType],
        attach_old: bool,
    ) -> Result<Self, StateError> {
        let types: Vec<DataType> = key_types.iter().chain(value_types).cloned().collect();
        Ok(Self {
            rows: KeyedRows::open(store, &types)?,
            value_types: value_types.to_vec(),
            key_columns: key_types.len(),
            attach_old,
        })
    }
}

impl Operator for TableStore {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut batch = match &batch.null_keys {
            Some(null_keys) => batch.filter(&!null_keys),
            None => batch,
        };
        if batch.is_empty() {
            return Ok(());
        }
        let columns: Vec<ArrayRef> = batch.key.iter().chain(&batch.value).cloned().collect();
        let before: Vec<RowRef> = self.rows.upsert(&batch, columns);
        if self.attach_old {
            let value = self.rows.gather(&before).split_off(self.key_columns);
            debug_assert_eq!(value.len(), self.value_types.len());
            let present: BooleanBuffer = before.iter().map(|row| row.is_present()).collect();
            batch.old = Some(OldRows { value, present });
        }
        self.rows.compact();
        out.emit(batch);
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.rows.persist(writes);
        Ok(())
    }
}
