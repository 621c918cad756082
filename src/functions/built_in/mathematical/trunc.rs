//! `TRUNC(value [, places])`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::rounding::{Rounding, double_to_places};

/// The value cut to so many places.
#[scalar(name = "Trunc", example("TRUNC(-1.7E0)" = "-1"))]
pub(super) fn int(value: i32) -> i64 {
    i64::from(value)
}

/// The same of BIGINT.
#[scalar(name = "Trunc")]
pub(super) fn bigint(value: i64) -> i64 {
    value
}

/// The same of DOUBLE: 0 of NaN, and the nearest BIGINT of what is beyond.
#[scalar(name = "Trunc")]
pub(super) fn double(value: f64) -> i64 {
    value as i64
}

/// The same with places.
#[scalar(name = "Trunc", example("TRUNC(12345.678E0, 1)" = "12345.6E0"))]
pub(super) fn double_places(value: f64, places: i32) -> Result<f64, &'static str> {
    double_to_places(value, places, Rounding::Cut)
}

/// The same of DECIMAL.
#[scalar(name = "Trunc", signature = "(value DECIMAL) -> DECIMAL")]
pub(super) fn decimal(batch: &mut Batch<'_>) -> ArrayRef {
    Rounding::Cut.whole(batch)
}

/// The same of DECIMAL with places.
#[scalar(name = "Trunc", signature = "(value DECIMAL, places INT) -> DECIMAL", example("TRUNC(1.25, 1)" = "1.20"))]
pub(super) fn decimal_places(batch: &mut Batch<'_>) -> ArrayRef {
    Rounding::Cut.to_places(batch)
}
