//! `GREATEST(a, b, …)`.

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::extreme;

/// The greatest of the values that are not NULL.
#[scalar(
    signature = "INT BIGINT DOUBLE DECIMAL STRING BYTES DATE TIME TIMESTAMP: (first %, more %...) -> %",
    example("GREATEST(3, NULL, 7, 5)" = "7")
)]
pub(super) fn greatest(batch: &mut Batch<'_>) -> ArrayRef {
    extreme::extreme(batch, Ordering::Greater)
}
