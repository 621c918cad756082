//! `LOG([base,] value)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The logarithm to a base, the natural one if none is given.
#[scalar(name = "log", signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE", example("LOG(1)" = "0E0"))]
pub(super) fn natural(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_one(batch, f64::ln)
}

/// The same to a base; NaN where there is no such logarithm.
#[scalar(
    name = "log",
    signature = "INT BIGINT DOUBLE: (base %, value %) -> DOUBLE",
    example("LOG(2, 8)" = "3E0")
)]
pub(super) fn to_base(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_two(batch, logarithm)
}

#[expect(clippy::float_cmp, reason = "1 is no base, and only 1 is")]
fn logarithm(base: f64, value: f64) -> f64 {
    if base <= 0.0 || base == 1.0 { f64::NAN } else { value.ln() / base.ln() }
}
