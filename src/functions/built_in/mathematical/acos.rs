//! `ACOS(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The angle, in radians, with this cosine.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("ACOS(1)" = "0E0"))]
pub(super) fn acos(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::acos)
}
