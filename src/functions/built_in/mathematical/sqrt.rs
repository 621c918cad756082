//! `SQRT(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The square root.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("SQRT(9)" = "3E0"))]
pub(super) fn sqrt(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::sqrt)
}
