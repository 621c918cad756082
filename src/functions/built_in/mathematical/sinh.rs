//! `SINH(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The hyperbolic sine.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("SINH(0)" = "0E0"))]
pub(super) fn sinh(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::sinh)
}
