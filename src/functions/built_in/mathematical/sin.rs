//! `SIN(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The sine of an angle in radians.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("SIN(0)" = "0E0"))]
pub(super) fn sin(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::sin)
}
