//! `ATAN(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The angle, in radians, with this tangent.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("ATAN(0)" = "0E0"))]
pub(super) fn atan(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::atan)
}
