//! `ASIN(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The angle, in radians, with this sine.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("ASIN(0)" = "0E0"))]
pub(super) fn asin(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::asin)
}
