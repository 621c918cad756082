//! `ARRAY_MIN(array)`.

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::extreme::extremes;

/// The least element; NULLs do not count.
#[scalar(
    name = "array_min",
    signature = "(array ARRAY<T>) -> T",
    example("ARRAY_MIN(ARRAY[2, 3, NULL, 1])" = "1")
)]
pub(super) fn array_min(batch: &mut Batch<'_>) -> ArrayRef {
    extremes(batch, Ordering::Less)
}
