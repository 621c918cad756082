//! Windows of keys.

use arrow::array::{AsArray, BooleanArray, PrimitiveArray, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::filter;
use arrow::datatypes::Int64Type;

/// The window family of a windowed key, as Kafka Streams lays it out in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// Tumbling or hopping: key bytes, then the start as 8 bytes; the end follows from the size.
    Time {
        /// Length of the window.
        size_ms: i64,
    },
    /// Session: key bytes, then end and start, 8 bytes each; the end is inclusive.
    Session,
}

/// Start and end of each row's window, in milliseconds since the epoch.
#[derive(Debug, Clone)]
pub struct WindowColumns {
    /// Inclusive starts.
    pub start: ScalarBuffer<i64>,
    /// Ends: exclusive for time windows, inclusive for sessions.
    pub end: ScalarBuffer<i64>,
}

impl WindowColumns {
    /// The windows of the rows at `indices`.
    pub(super) fn take(&self, indices: &UInt32Array) -> Self {
        Self { start: take_i64(&self.start, indices), end: take_i64(&self.end, indices) }
    }

    /// The windows of the rows that `mask` selects.
    pub(super) fn filter(&self, mask: &BooleanArray) -> Self {
        Self { start: filter_i64(&self.start, mask), end: filter_i64(&self.end, mask) }
    }

    /// The windows of `length` rows from `offset` on; shares memory.
    pub(super) fn slice(&self, offset: usize, length: usize) -> Self {
        Self { start: self.start.slice(offset, length), end: self.end.slice(offset, length) }
    }
}

/// `values` at `indices`, which hold no nulls.
pub(super) fn take_i64(values: &ScalarBuffer<i64>, indices: &UInt32Array) -> ScalarBuffer<i64> {
    indices.values().iter().map(|&i| values[i as usize]).collect()
}

/// `values` where `mask` is true.
pub(super) fn filter_i64(values: &ScalarBuffer<i64>, mask: &BooleanArray) -> ScalarBuffer<i64> {
    let array = PrimitiveArray::<Int64Type>::new(values.clone(), None);
    filter(&array, mask).expect("mask and column have the batch's length").as_primitive::<Int64Type>().values().clone()
}
