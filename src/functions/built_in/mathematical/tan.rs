//! `TAN(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The tangent of an angle in radians.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("TAN(0)" = "0E0"))]
pub(super) fn tan(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::tan)
}
