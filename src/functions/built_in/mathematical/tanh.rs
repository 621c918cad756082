//! `TANH(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The hyperbolic tangent.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("TANH(0)" = "0E0"))]
pub(super) fn tanh(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::tanh)
}
