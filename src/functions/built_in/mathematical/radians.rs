//! `RADIANS(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// An angle in degrees as radians.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("RADIANS(180)" = "PI()"))]
pub(super) fn radians(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::to_radians)
}
