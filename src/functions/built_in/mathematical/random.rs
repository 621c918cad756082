//! `RANDOM()`.

use levada_udf::scalar;

/// A random number from 0 to below 1.
#[scalar(volatile, example("RANDOM() >= 0 AND RANDOM() < 1" = "TRUE"))]
pub(super) fn random() -> f64 {
    fastrand::f64()
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Float64Type;

    use super::super::super::evaluated;

    #[test]
    fn every_row_has_a_number_of_its_own_below_1() {
        let numbers = evaluated("RANDOM", &[], 1000);
        let mut numbers = numbers.as_primitive::<Float64Type>().values().to_vec();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        assert!(numbers.len() > 900, "{} different numbers of 1000", numbers.len());
    }
}
