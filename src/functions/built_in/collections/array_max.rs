//! `ARRAY_MAX(array)`.

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::extreme::extremes;

/// The greatest element; NULLs do not count.
#[scalar(
    name = "array_max",
    signature = "(array ARRAY<T>) -> T",
    example("ARRAY_MAX(ARRAY[2, 3, NULL, 1])" = "3")
)]
pub(super) fn array_max(batch: &mut Batch<'_>) -> ArrayRef {
    extremes(batch, Ordering::Greater)
}
