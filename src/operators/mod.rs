//! Operators: change batches in, change batches out. One file each.
//!
//! An operator runs to completion on each call. It knows no SQL, topic, thread or clock; time comes from the rows.

pub mod accumulators;
pub mod aggregate;
mod changes;
mod filter;
mod finals;
mod groups;
mod keyed_rows;
mod project;
mod rekey;
mod session_aggregate;
mod session_table;
pub mod stream_table_join;
mod table_rekey;
mod table_store;

pub use aggregate::Aggregate;
pub(crate) use filter::nulls_where;
pub use filter::{Filter, TableFilter};
pub use finals::SerializedKeys;
pub(crate) use keyed_rows::split_rowtime;
pub use project::Project;
pub use rekey::{NullKeys, Rekey};
pub use session_aggregate::{SessionAggregate, SessionWindows};
pub use stream_table_join::StreamTableJoin;
pub use table_rekey::TableRekey;
pub use table_store::TableStore;

use crate::state::{StateError, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, RowError};

/// Which input of an operator a batch comes from: 0 is the left or only one.
pub type Port = usize;

/// Sequence number of rows that follow from no single record of the step, such as results held back until a commit.
pub const NO_RECORD: u32 = u32::MAX;

/// A node that turns change batches into change batches.
///
/// A step hands every operator its rows, inputs of tables before those of streams; [`ChangeBatch::seq`] says how they
/// interleave. Then [`Operator::end_step`] follows. At a commit [`Operator::flush`] emits what was held back and
/// [`Operator::persist`] writes what changed.
pub trait Operator: Send {
    /// Takes rows from `port` and emits what follows from them.
    fn process(&mut self, port: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError>;

    /// All rows of this step have been handed in; their sequence numbers start again.
    fn end_step(&mut self) {}

    /// Emits what was held back until the commit.
    fn flush(&mut self, out: &mut Output) -> Result<(), StateError> {
        let _ = out;
        Ok(())
    }

    /// Adds what changed since the last commit to `writes`.
    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        let _ = writes;
        Ok(())
    }

    /// How large its store is, if it has one.
    fn store_size(&self) -> Option<StoreSize> {
        None
    }
}

/// What an operator gives: batches for the next one, and rows that failed.
#[derive(Debug, Default)]
pub struct Output {
    /// Batches, in order.
    pub batches: Vec<ChangeBatch>,
    /// Failed rows; [`RowError::row`] is the row's sequence number.
    pub errors: Vec<RowError>,
    /// As `errors`, of rows whose result cannot be made at all: as bad as one that cannot be written.
    pub lost: Vec<RowError>,
}

impl Output {
    /// Hands `batch` on, unless it is empty.
    pub fn emit(&mut self, batch: ChangeBatch) {
        if !batch.is_empty() {
            self.batches.push(batch);
        }
    }

    /// Reports errors of rows of `batch`; tombstones have no columns to fail.
    pub fn report(&mut self, batch: &ChangeBatch, errors: Vec<RowError>) {
        self.errors.extend(by_sequence(batch, errors));
    }

    /// Reports rows of `batch` whose results cannot be made.
    pub fn report_lost(&mut self, batch: &ChangeBatch, errors: Vec<RowError>) {
        self.lost.extend(by_sequence(batch, errors));
    }
}

/// Errors of rows of `batch`, by the rows' sequence numbers.
fn by_sequence(batch: &ChangeBatch, errors: Vec<RowError>) -> impl Iterator<Item = RowError> {
    let errors = errors.into_iter().filter(|error| !batch.is_tombstone(error.row as usize));
    errors.map(|error| RowError { row: batch.seq[error.row as usize], reason: error.reason })
}
