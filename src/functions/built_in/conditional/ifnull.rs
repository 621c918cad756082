//! `IFNULL(value, otherwise)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::coalesce::first_valid;

/// The first value, or the second where that is NULL.
#[scalar(name = "IFNULL", signature = "(value T, otherwise T) -> T", example("IFNULL(NULL, 'none')" = "'none'"))]
pub(super) fn ifnull(batch: &mut Batch<'_>) -> ArrayRef {
    first_valid(batch)
}
