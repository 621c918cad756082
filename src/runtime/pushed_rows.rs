//! Rows of a push query, as its client gets them.

use arrow::array::{Array as _, RecordBatch};
use arrow::buffer::BooleanBuffer;

/// Rows of a push query. Copies share the columns.
#[derive(Debug, Clone)]
pub struct PushedRows {
    batch: RecordBatch,
    /// Rows that say that their key is gone; `None` when none does.
    tombstones: Option<BooleanBuffer>,
    bytes: usize,
}

impl PushedRows {
    /// The rows of `batch`; those in `tombstones` say that their key is gone, and have no values.
    pub fn new(batch: RecordBatch, tombstones: Option<BooleanBuffer>) -> Self {
        let tombstones = tombstones.filter(|rows| rows.count_set_bits() > 0);
        let sizes = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0));
        let bytes = sizes.sum();
        Self { batch, tombstones, bytes }
    }

    /// All rows, tombstones among them.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory of the values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether `row` says that its key is gone: its columns are null, but those of the key.
    pub fn is_tombstone(&self, row: usize) -> bool {
        self.tombstones.as_ref().is_some_and(|rows| rows.value(row))
    }

    /// The first `count` rows.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        Self::new(self.batch.slice(0, count), self.tombstones.as_ref().map(|rows| rows.slice(0, count)))
    }
}
