//! `LEAST(a, b, …)`.

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::extreme;

/// The least of the values that are not NULL.
#[scalar(
    signature = "INT BIGINT DOUBLE DECIMAL STRING BYTES DATE TIME TIMESTAMP: (first %, more %...) -> %",
    example("LEAST(3, NULL, 7, 5)" = "3")
)]
pub(super) fn least(batch: &mut Batch<'_>) -> ArrayRef {
    extreme::extreme(batch, Ordering::Less)
}
