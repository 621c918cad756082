//! `EXP(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// e to the power of the value.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("EXP(0)" = "1E0"))]
pub(super) fn exp(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::exp)
}
