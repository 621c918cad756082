//! `SIGN(value)`.

use levada_udf::scalar;

/// -1, 0 or 1 as the value is below, at or above 0.
#[scalar(name = "sign", example("SIGN(-7)" = "-1"))]
pub(super) fn int(value: i32) -> i32 {
    value.signum()
}

/// The same of BIGINT.
#[scalar(name = "sign")]
pub(super) fn bigint(value: i64) -> i32 {
    value.signum() as i32
}

/// The same of DOUBLE; 0 of NaN.
#[scalar(name = "sign")]
pub(super) fn double(value: f64) -> i32 {
    i32::from(value > 0.0) - i32::from(value < 0.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn zeros_and_nan_have_no_sign() {
        let values = [-3.5, -0.0, 0.0, f64::NAN, f64::MIN_POSITIVE, f64::NEG_INFINITY];
        assert_eq!(values.map(super::double), [-1, 0, 0, 0, 1, -1]);
        assert_eq!([i64::MIN, 0, 3].map(super::bigint), [-1, 0, 1]);
    }
}
