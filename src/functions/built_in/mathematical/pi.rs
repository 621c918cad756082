//! `PI()`.

use levada_udf::scalar;

/// The number pi.
#[scalar(example("PI()" = "3.141592653589793E0"))]
pub(super) fn pi() -> f64 {
    std::f64::consts::PI
}
