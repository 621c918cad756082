//! `LN(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The natural logarithm.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("LN(1)" = "0E0"))]
pub(super) fn ln(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::ln)
}
