//! `ATAN2(y, x)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The angle, in radians, of the point with these y and x.
#[scalar(signature = "INT BIGINT DOUBLE: (y %, x %) -> DOUBLE", example("ATAN2(0, -1)" = "PI()"))]
pub(super) fn atan2(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_two(batch, f64::atan2)
}
