//! `FLOOR(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::rounding::Rounding;

/// The greatest whole number that is not above the value.
#[scalar(name = "Floor", example("FLOOR(-1.5)" = "-2.0"))]
pub(super) fn int(value: i32) -> i32 {
    value
}

/// The same of BIGINT.
#[scalar(name = "Floor")]
pub(super) fn bigint(value: i64) -> i64 {
    value
}

/// The same of DOUBLE.
#[scalar(name = "Floor")]
pub(super) fn double(value: f64) -> f64 {
    value.floor()
}

/// The same of DECIMAL, which keeps its places.
#[scalar(name = "Floor", signature = "(value DECIMAL) -> DECIMAL")]
pub(super) fn decimal(batch: &mut Batch<'_>) -> ArrayRef {
    Rounding::Down.whole(batch)
}
