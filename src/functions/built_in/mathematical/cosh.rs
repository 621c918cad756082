//! `COSH(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The hyperbolic cosine.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("COSH(0)" = "1E0"))]
pub(super) fn cosh(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::cosh)
}
