//! Operators: change batches in, change batches out. One file each.
//!
//! ```text
//! step    batches of each input ── process ─▶ Output ─▶ process of the operators behind … ─▶ end_step of each, in that order
//! commit  flush: what was held back goes on the same way ─▶ persist: what has changed, to the WriteSet of the commit
//! after   shrink: state that was not used for long leaves memory
//! ```
//!
//! An operator runs to completion on each call. It knows no SQL, topic, thread or clock; time comes from the rows.

pub mod aggregate;
mod changes;
mod fates;
mod filter;
mod finals;
mod flat_map;
pub mod foreign_key_join;
mod groups;
mod keyed_rows;
mod memory;
mod project;
mod rekey;
mod session_aggregate;
pub mod stream_stream_join;
pub mod stream_table_join;
mod table_rekey;
mod table_store;
mod table_table_join;
mod two_sides;
mod versioned_rows;
mod window_clock;

pub use aggregate::Aggregate;
pub use fates::{Fate, Fates};
pub(crate) use filter::nulls_where;
pub use filter::{Filter, TableFilter};
pub use finals::SerializedKeys;
pub use flat_map::FlatMap;
pub(crate) use keyed_rows::split_rowtime;
pub(crate) use memory::share;
pub use project::Project;
pub use rekey::{NullKeys, Rekey};
pub use session_aggregate::{SessionAggregate, SessionWindows};
pub use stream_stream_join::{StreamJoinOptions, StreamStreamJoin};
pub use stream_table_join::StreamTableJoin;
pub use table_rekey::TableRekey;
pub use table_store::TableStore;
pub use table_table_join::{TableJoinOptions, TableTableJoin};
pub use two_sides::{LEFT, RIGHT};
pub use window_clock::WindowClock;

use crate::state::{StateError, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, RowError};

/// Which input of an operator a batch comes from: 0 is the left or only one.
pub type Port = usize;

/// Sequence number of rows that follow from no single record of the step, such as results held back until a commit.
pub const NO_RECORD: u32 = u32::MAX;

/// A node that turns change batches into change batches.
///
/// A step hands every operator its rows, input by input; [`ChangeBatch::seq`] says how they interleave. Then
/// [`Operator::end_step`] follows, of every operator before those that it emits to. At a commit [`Operator::flush`] emits
/// what was held back and [`Operator::persist`] writes what changed.
pub trait Operator: Send {
    /// Takes rows from `port` and emits what follows from them.
    fn process(&mut self, port: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError>;

    /// All rows of this step, or of the flush of the operators before, have been handed in; their sequence numbers start
    /// again. Operators with two inputs emit now.
    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let _ = out;
        Ok(())
    }

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

    /// How many entries of its stores have changed since the last commit.
    fn changed_entries(&self) -> usize {
        0
    }

    /// Memory that its state takes, about.
    fn memory_bytes(&self) -> usize {
        0
    }

    /// Lets go of state that was not used for long, until about `bytes` of memory are left. Only right after a commit, when
    /// storage has all of it.
    fn shrink(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// How large its stores are.
    fn store_sizes(&self) -> Vec<StoreSize> {
        Vec::new()
    }

    /// Where its time is, if it keeps windows.
    fn window_clock(&self) -> Option<WindowClock> {
        None
    }
}

/// What an operator gives: batches for the next one, and rows that failed.
#[derive(Debug, Default)]
pub struct Output {
    /// Batches, in order.
    pub batches: Vec<ChangeBatch>,
    /// Batches for the other output, which only the referring side of a foreign-key join has.
    pub references: Vec<ChangeBatch>,
    /// Failed rows; [`RowError::row`] is the row's sequence number.
    pub errors: Vec<RowError>,
    /// As `errors`, of rows whose result cannot be made at all: as bad as one that cannot be written.
    pub lost: Vec<RowError>,
    /// What became of rows that did not simply go on.
    pub fates: Fates,
}

impl Output {
    /// Hands `batch` on, unless it is empty.
    pub fn emit(&mut self, batch: ChangeBatch) {
        if !batch.is_empty() {
            self.batches.push(batch);
        }
    }

    /// Counts `rows` that met `fate`.
    pub fn count(&mut self, fate: Fate, rows: usize) {
        self.fates.add(fate, rows);
    }

    /// The rows of `batch` that have a key; the others are counted as dropped.
    #[must_use]
    fn with_keys(&mut self, batch: ChangeBatch) -> ChangeBatch {
        let before = batch.len();
        let batch = batch.without_null_keys();
        self.count(Fate::NullKey, before - batch.len());
        batch
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
