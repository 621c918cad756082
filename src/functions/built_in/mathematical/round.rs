//! `ROUND(value [, places])`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::rounding::{Rounding, double_to_places};

/// The value rounded, halves upwards, to so many places.
#[scalar(name = "Round", example("ROUND(-2.5E0)" = "-2"))]
pub(super) fn int(value: i32) -> i64 {
    i64::from(value)
}

/// The same of BIGINT.
#[scalar(name = "Round")]
pub(super) fn bigint(value: i64) -> i64 {
    value
}

/// The same of DOUBLE: 0 of NaN, and the nearest BIGINT of what is beyond.
#[scalar(name = "Round")]
pub(super) fn double(value: f64) -> i64 {
    let below = value.floor();
    // Not `value + 0.5`, which would round before it is cut.
    let above = if value - below >= 0.5 { 1.0 } else { 0.0 };
    (below + above) as i64
}

/// The same with places.
#[scalar(name = "Round", example("ROUND(12345.678E0, -2)" = "12300E0"))]
pub(super) fn double_places(value: f64, places: i32) -> Result<f64, &'static str> {
    double_to_places(value, places, Rounding::HalfUp)
}

/// The same of DECIMAL.
#[scalar(name = "Round", signature = "(value DECIMAL) -> DECIMAL")]
pub(super) fn decimal(batch: &mut Batch<'_>) -> ArrayRef {
    Rounding::HalfUp.whole(batch)
}

/// The same of DECIMAL with places.
#[scalar(name = "Round", signature = "(value DECIMAL, places INT) -> DECIMAL", example("ROUND(1.25, 1)" = "1.30"))]
pub(super) fn decimal_places(batch: &mut Batch<'_>) -> ArrayRef {
    Rounding::HalfUp.to_places(batch)
}

#[cfg(test)]
mod tests {
    #[test]
    fn doubles_are_rounded_as_by_java() {
        let cases = [
            (1.5, 2),
            (2.5, 3),
            (-1.5, -1),
            (-2.5, -2),
            (-1.7, -2),
            (0.499_999_999_999_999_94, 0),
            (-0.500_000_000_000_000_1, -1),
            (-1e-300, 0),
            (4_503_599_627_370_497.0, 4_503_599_627_370_497),
            (9.3e18, i64::MAX),
            (f64::NEG_INFINITY, i64::MIN),
            (f64::NAN, 0),
        ];
        for (value, expected) in cases {
            assert_eq!(super::double(value), expected, "{value}");
        }
    }
}
