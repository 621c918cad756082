//! `COS(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The cosine of an angle in radians.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("COS(0)" = "1E0"))]
pub(super) fn cos(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::cos)
}
