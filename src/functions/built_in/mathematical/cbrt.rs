//! `CBRT(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The cube root.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("CBRT(27)" = "3E0"))]
pub(super) fn cbrt(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::cbrt)
}
