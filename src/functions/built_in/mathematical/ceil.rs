//! `CEIL(value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::rounding::Rounding;

/// The least whole number that is not below the value.
#[scalar(name = "Ceil", example("CEIL(-1.5)" = "-1.0"))]
pub(super) fn int(value: i32) -> i32 {
    value
}

/// The same of BIGINT.
#[scalar(name = "Ceil")]
pub(super) fn bigint(value: i64) -> i64 {
    value
}

/// The same of DOUBLE.
#[scalar(name = "Ceil")]
pub(super) fn double(value: f64) -> f64 {
    value.ceil()
}

/// The same of DECIMAL, which keeps its places.
#[scalar(name = "Ceil", signature = "(value DECIMAL) -> DECIMAL")]
pub(super) fn decimal(batch: &mut Batch<'_>) -> ArrayRef {
    Rounding::Up.whole(batch)
}
