//! Operators over rows that end: what a read is made of.
//!
//! ```text
//! scan ─▶ filter ─▶ join ─▶ aggregate ─▶ project ─▶ sort ─▶ limit ─▶ rows
//! ```
//!
//! Each is asked for its next batch and asks its inputs, so that nothing is read that nobody wants. What an operator keeps is taken from
//! a [`MemoryPool`] that all reads share: sorting goes on in files when it has no more, the others end the read with an error. Rows
//! are values of SQL and nothing else: no keys, no times, no changes.

mod aggregate;
mod distinct;
mod error;
mod filter;
mod join;
mod keys;
mod latest;
mod limit;
mod memory;
mod project;
mod sort;
mod sort_key;
mod spill;
mod subquery;
mod union;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

pub use aggregate::{Aggregate, Call};
pub use distinct::Distinct;
pub use error::BatchError;
pub use filter::Filter;
pub use join::{Join, JoinOptions};
pub use latest::Latest;
pub use limit::Limit;
pub use memory::{MemoryPool, Reservation};
pub use project::Project;
pub use sort::{Sort, SortColumn};
pub use spill::SpillFolder;
pub use subquery::{Asks, Subquery};
pub use union::Union;

/// Rows of a batch that an operator makes.
pub const BATCH_ROWS: usize = 8192;

/// Rows, batch by batch.
pub trait Rows: Send {
    /// The next rows; `None` when there are no more.
    ///
    /// # Errors
    /// Why there are none, though there should be.
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError>;
}

/// Where rows come from.
pub type Input = Box<dyn Rows>;

/// Fails when a read is to end.
pub type Check = Arc<dyn Fn() -> Result<(), BatchError> + Send + Sync>;

/// What the operators of a read share.
#[derive(Clone)]
pub struct Context {
    /// Memory for what they keep.
    pub memory: Arc<MemoryPool>,
    /// Where they keep what memory has no room for.
    pub spill: Arc<SpillFolder>,
    /// Asked between batches.
    pub check: Check,
}

/// Memory of the values of `batch`.
fn batch_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(column_bytes).sum()
}

fn column_bytes(column: &ArrayRef) -> usize {
    column.to_data().get_slice_memory_size().unwrap_or(0)
}

/// The batch of `columns`, which has `rows` rows even without columns.
fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, BatchError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
