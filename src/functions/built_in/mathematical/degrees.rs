//! `DEGREES(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// An angle in radians as degrees.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("DEGREES(PI())" = "180E0"))]
pub(super) fn degrees(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::to_degrees)
}
