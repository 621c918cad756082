//! `POWER(first, second)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::doubles;

/// The first value to the power of the second.
#[scalar(signature = "INT BIGINT DOUBLE: (first %, second %) -> DOUBLE", example("POWER(2, 10)" = "1024E0"))]
pub(super) fn power(batch: &mut Batch<'_>) -> ArrayRef {
    doubles::of_two(batch, raised)
}

/// As Java has it, to which NaN and infinite powers of ±1 are NaN; to C, and so to Rust, they are 1.
#[expect(clippy::float_cmp, reason = "the rule is about ±1 alone")]
fn raised(base: f64, exponent: f64) -> f64 {
    if exponent.is_nan() || (exponent.is_infinite() && base.abs() == 1.0) { f64::NAN } else { base.powf(exponent) }
}
