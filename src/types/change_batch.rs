//! Decoded rows on their way through the operators.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBufferBuilder, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array,
};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::{concat, filter, take};
use arrow::datatypes::SchemaRef;

use super::window::{filter_i64, take_i64};
use super::{Headers, WindowColumns};

/// Changes of a stream or table, one per row, in the order in which they happened. All columns have `len()` rows.
///
/// For a stream a row is a record. For a table it is the new row of its key, or a deletion where `tombstones` says so;
/// `old` then holds what the key had before, where an operator downstream needs it.
#[derive(Debug, Clone)]
pub struct ChangeBatch {
    /// Key columns, in schema order.
    pub key: Vec<ArrayRef>,
    /// Value columns, in schema order; null in rows that are tombstones.
    pub value: Vec<ArrayRef>,
    /// Event times, milliseconds since the epoch.
    pub rowtime: ScalarBuffer<i64>,
    /// Windows of the key, where the key is windowed.
    pub window: Option<WindowColumns>,
    /// Rows whose whole value is null; `None` when no row is.
    pub tombstones: Option<BooleanBuffer>,
    /// Rows whose whole key is null; `None` when no row is.
    pub null_keys: Option<BooleanBuffer>,
    /// Position of the row's source record in the current step of its task: restores the order across several inputs
    /// and leads back to the record's bytes when the row fails.
    pub seq: ScalarBuffer<u32>,
    /// Headers per row; `None` when no row has any.
    pub headers: Option<Arc<[Headers]>>,
    /// The rows that these replace; `None` for streams and where nobody downstream needs them.
    pub old: Option<OldRows>,
}

/// What a table held before each change of a [`ChangeBatch`].
#[derive(Debug, Clone)]
pub struct OldRows {
    /// Value columns before the change, in schema order.
    pub value: Vec<ArrayRef>,
    /// Rows whose key existed before the change.
    pub present: BooleanBuffer,
}

impl ChangeBatch {
    /// A batch without rows and columns.
    pub fn empty() -> Self {
        Self {
            key: Vec::new(),
            value: Vec::new(),
            rowtime: ScalarBuffer::default(),
            window: None,
            tombstones: None,
            null_keys: None,
            seq: ScalarBuffer::default(),
            headers: None,
            old: None,
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rowtime.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rowtime.is_empty()
    }

    /// The rows as expressions see them, in the layout of [`Schema::row_schema`](super::Schema::row_schema).
    pub fn rows(&self, schema: &SchemaRef) -> RecordBatch {
        self.rows_with(schema, &self.value)
    }

    /// As [`ChangeBatch::rows`], with the values before the change.
    pub fn old_rows(&self, schema: &SchemaRef, old: &OldRows) -> RecordBatch {
        self.rows_with(schema, &old.value)
    }

    fn rows_with(&self, schema: &SchemaRef, value: &[ArrayRef]) -> RecordBatch {
        let mut columns: Vec<ArrayRef> = self.key.iter().chain(value).cloned().collect();
        columns.push(Arc::new(Int64Array::new(self.rowtime.clone(), None)));
        if let Some(window) = &self.window {
            columns.push(Arc::new(Int64Array::new(window.start.clone(), None)));
            columns.push(Arc::new(Int64Array::new(window.end.clone(), None)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.len()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
            .expect("the plan's row schema describes the batch")
    }

    /// Whether the value of `row` is null as a whole.
    pub fn is_tombstone(&self, row: usize) -> bool {
        self.tombstones.as_ref().is_some_and(|rows| rows.value(row))
    }

    /// Whether the key of `row` is null as a whole.
    pub fn is_null_key(&self, row: usize) -> bool {
        self.null_keys.as_ref().is_some_and(|rows| rows.value(row))
    }

    /// The rows whose key is not null as a whole.
    #[must_use]
    pub fn without_null_keys(self) -> Self {
        match &self.null_keys {
            Some(null_keys) => self.filter(&!null_keys),
            None => self,
        }
    }

    /// The rows that `mask` selects, in order.
    #[must_use]
    pub fn filter(&self, mask: &BooleanBuffer) -> Self {
        let kept = mask.count_set_bits();
        if kept == self.len() {
            return self.clone();
        }
        let mask = BooleanArray::new(mask.clone(), None);
        let columns = |columns: &[ArrayRef]| -> Vec<ArrayRef> {
            columns
                .iter()
                .map(|column| filter(column, &mask).expect("mask and column have the batch's length"))
                .collect()
        };
        Self {
            key: columns(&self.key),
            value: columns(&self.value),
            rowtime: filter_i64(&self.rowtime, &mask),
            window: self.window.as_ref().map(|window| window.filter(&mask)),
            tombstones: filter_bits(self.tombstones.as_ref(), &mask),
            null_keys: filter_bits(self.null_keys.as_ref(), &mask),
            seq: mask.values().set_indices().map(|i| self.seq[i]).collect(),
            headers: self
                .headers
                .as_ref()
                .map(|all| mask.values().set_indices().map(|i| Arc::clone(&all[i])).collect()),
            old: self.old.as_ref().map(|old| OldRows {
                value: columns(&old.value),
                present: filter_bits(Some(&old.present), &mask).unwrap_or_else(|| BooleanBuffer::new_unset(kept)),
            }),
        }
    }

    /// The rows at `indices` (no nulls), in that order; an index may repeat.
    #[must_use]
    pub fn take(&self, indices: &UInt32Array) -> Self {
        let columns = |columns: &[ArrayRef]| -> Vec<ArrayRef> {
            columns.iter().map(|column| take(column, indices, None).expect("indices are within the batch")).collect()
        };
        let bits = |bits: &BooleanBuffer| -> BooleanBuffer {
            indices.values().iter().map(|&i| bits.value(i as usize)).collect()
        };
        Self {
            key: columns(&self.key),
            value: columns(&self.value),
            rowtime: take_i64(&self.rowtime, indices),
            window: self.window.as_ref().map(|window| window.take(indices)),
            tombstones: self.tombstones.as_ref().map(bits),
            null_keys: self.null_keys.as_ref().map(bits),
            seq: indices.values().iter().map(|&i| self.seq[i as usize]).collect(),
            headers: self
                .headers
                .as_ref()
                .map(|all| indices.values().iter().map(|&i| Arc::clone(&all[i as usize])).collect()),
            old: self.old.as_ref().map(|old| OldRows { value: columns(&old.value), present: bits(&old.present) }),
        }
    }

    /// The rows of `batches`, which have one layout, one after the other.
    pub fn concat(mut batches: Vec<Self>) -> Self {
        if batches.len() < 2 {
            return batches.pop().unwrap_or_else(Self::empty);
        }
        let columns = |columns_of: fn(&Self) -> &[ArrayRef]| -> Vec<ArrayRef> {
            let column = |index: usize| {
                let parts: Vec<&dyn Array> = batches.iter().map(|batch| columns_of(batch)[index].as_ref()).collect();
                concat(&parts).expect("batches of one step have equal types and fit memory")
            };
            (0..columns_of(&batches[0]).len()).map(column).collect()
        };
        let bits = |bits_of: fn(&Self) -> Option<&BooleanBuffer>| -> Option<BooleanBuffer> {
            batches.iter().any(|batch| bits_of(batch).is_some()).then(|| {
                let mut all = BooleanBufferBuilder::new(0);
                for batch in &batches {
                    match bits_of(batch) {
                        Some(bits) => all.append_buffer(bits),
                        None => all.append_n(batch.len(), false),
                    }
                }
                all.finish()
            })
        };
        let window = batches.iter().map(|batch| batch.window.as_ref()).collect::<Option<Vec<_>>>();
        let window = window.map(|windows| WindowColumns {
            start: windows.iter().flat_map(|window| window.start.iter().copied()).collect(),
            end: windows.iter().flat_map(|window| window.end.iter().copied()).collect(),
        });
        let headers = batches.iter().any(|batch| batch.headers.is_some()).then(|| {
            let of_row = |batch: &Self, row: usize| batch.headers.as_ref().map(|all| Arc::clone(&all[row]));
            let rows = batches.iter().flat_map(|batch| (0..batch.len()).map(move |row| of_row(batch, row)));
            rows.map(Option::unwrap_or_default).collect()
        });
        let old = batches.iter().all(|batch| batch.old.is_some()).then(|| OldRows {
            value: columns(|batch| batch.old.as_ref().map_or(&[], |old| &old.value)),
            present: bits(|batch| batch.old.as_ref().map(|old| &old.present)).unwrap_or(BooleanBuffer::new_unset(0)),
        });
        Self {
            key: columns(|batch| &batch.key),
            value: columns(|batch| &batch.value),
            rowtime: batches.iter().flat_map(|batch| batch.rowtime.iter().copied()).collect(),
            window,
            tombstones: bits(|batch| batch.tombstones.as_ref()),
            null_keys: bits(|batch| batch.null_keys.as_ref()),
            seq: batches.iter().flat_map(|batch| batch.seq.iter().copied()).collect(),
            headers,
            old,
        }
    }

    /// `length` rows from `offset` on; shares memory.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        let columns = |columns: &[ArrayRef]| -> Vec<ArrayRef> {
            columns.iter().map(|column| column.slice(offset, length)).collect()
        };
        Self {
            key: columns(&self.key),
            value: columns(&self.value),
            rowtime: self.rowtime.slice(offset, length),
            window: self.window.as_ref().map(|window| window.slice(offset, length)),
            tombstones: self.tombstones.as_ref().map(|bits| bits.slice(offset, length)),
            null_keys: self.null_keys.as_ref().map(|bits| bits.slice(offset, length)),
            seq: self.seq.slice(offset, length),
            headers: self.headers.as_ref().map(|all| all[offset..offset + length].into()),
            old: self
                .old
                .as_ref()
                .map(|old| OldRows { value: columns(&old.value), present: old.present.slice(offset, length) }),
        }
    }
}

/// The bits that `mask` selects; `None` when none of them is set.
fn filter_bits(bits: Option<&BooleanBuffer>, mask: &BooleanArray) -> Option<BooleanBuffer> {
    let selected: BooleanBuffer = mask.values().set_indices().map(|i| bits.is_some_and(|b| b.value(i))).collect();
    (selected.count_set_bits() > 0).then_some(selected)
}
