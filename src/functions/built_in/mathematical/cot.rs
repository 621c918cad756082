//! `COT(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The cotangent of an angle in radians.
#[scalar(signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("CAST(COT(0) AS STRING)" = "'Infinity'"))]
pub(super) fn cot(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, |angle| angle.tan().recip())
}
