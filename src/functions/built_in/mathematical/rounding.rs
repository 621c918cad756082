//! Rounding of DECIMAL and DOUBLE to places.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, new_null_array};
use arrow::compute::binary;
use arrow::datatypes::{ArrowNativeType, DataType, Decimal128Type, Decimal256Type, DecimalType, Int32Type, i256};
use levada_udf::Batch;

use crate::types::number_text::EXACT_POWERS;

/// Where a value between two places goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To the greater one.
    Up,
    /// To the lesser one.
    Down,
    /// To the nearer one, and to the greater one from the middle.
    HalfUp,
    /// To the one nearer zero.
    Cut,
}

impl Rounding {
    /// `value` in units of `unit`, a power of ten.
    fn units<T: ArrowNativeTypeOp>(self, value: T, unit: T) -> T {
        let (units, rest) = (value.div_wrapping(unit), value.mod_wrapping(unit));
        let up = match self {
            Self::Up => rest.is_gt(T::ZERO),
            Self::HalfUp => rest.is_gt(T::ZERO) && rest.is_ge(unit.sub_wrapping(rest)),
            Self::Down | Self::Cut => false,
        };
        let down = match self {
            Self::Down => rest.is_lt(T::ZERO),
            Self::HalfUp => rest.is_lt(T::ZERO) && rest.neg_wrapping().is_gt(unit.add_wrapping(rest)),
            Self::Up | Self::Cut => false,
        };
        if up {
            units.add_wrapping(T::ONE)
        } else if down {
            units.sub_wrapping(T::ONE)
        } else {
            units
        }
    }

    /// The first argument, a DECIMAL, as a whole number.
    ///
    /// As in Java the result may have a digit more than its type says: 9.9 of DECIMAL(2, 1) is 10.
    pub(super) fn whole(self, batch: &Batch<'_>) -> ArrayRef {
        self.decimals(batch, false)
    }

    /// The first argument, a DECIMAL, with as many places as the second says; digits before the point go where that is
    /// negative. The type, and with it the number of digits that are shown, stays.
    pub(super) fn to_places(self, batch: &Batch<'_>) -> ArrayRef {
        self.decimals(batch, true)
    }

    fn decimals(self, batch: &Batch<'_>, has_places: bool) -> ArrayRef {
        let values = batch.arguments()[0].expanded(batch.rows());
        let places = has_places.then(|| batch.arguments()[1].expanded(batch.rows()));
        let is_untyped = |array: &ArrayRef| *array.data_type() == DataType::Null;
        if is_untyped(&values) || places.as_ref().is_some_and(is_untyped) {
            return new_null_array(batch.result_type(), batch.rows());
        }
        let places = places.as_ref().map(AsArray::as_primitive::<Int32Type>);
        match (values.data_type(), batch.result_type()) {
            (DataType::Decimal128(_, scale), result @ DataType::Decimal128(_, result_scale)) => {
                let scales = Scales::<Decimal128Type>::new(*scale, *result_scale);
                Arc::new(scales.rounded(self, values.as_primitive(), places).with_data_type(result.clone()))
            }
            (DataType::Decimal256(_, scale), result) => {
                let (DataType::Decimal128(_, result_scale) | DataType::Decimal256(_, result_scale)) = result else {
                    unreachable!("{result} is no decimal")
                };
                let scales = Scales::<Decimal256Type>::new(*scale, *result_scale);
                let rounded = scales.rounded(self, values.as_primitive(), places);
                match result {
                    DataType::Decimal128(..) => {
                        let narrow: PrimitiveArray<Decimal128Type> = rounded.unary_opt(i256::to_i128);
                        Arc::new(narrow.with_data_type(result.clone()))
                    }
                    _ => Arc::new(rounded.with_data_type(result.clone())),
                }
            }
            (from, to) => unreachable!("{from} is not rounded to {to}"),
        }
    }
}

/// The scales before and after, and powers of ten.
struct Scales<T: DecimalType> {
    from: i64,
    to: i64,
    powers: Vec<T::Native>,
}

impl<T: DecimalType> Scales<T> {
    fn new(from: i8, to: i8) -> Self {
        let next = |power: &T::Native| Some(power.mul_wrapping(T::Native::usize_as(10)));
        let powers = std::iter::successors(Some(T::Native::ONE), next);
        Self {
            from: i64::from(from),
            to: i64::from(to),
            powers: powers.take(usize::from(T::MAX_PRECISION) + 1).collect(),
        }
    }

    /// `values` with `places`, or with none.
    fn rounded(
        &self,
        rounding: Rounding,
        values: &PrimitiveArray<T>,
        places: Option<&PrimitiveArray<Int32Type>>,
    ) -> PrimitiveArray<T> {
        match places {
            Some(places) => binary(values, places, |value, places| self.one(rounding, value, i64::from(places)))
                .expect("both have a value per row"),
            None => values.unary(|value| self.one(rounding, value, 0)),
        }
    }

    fn one(&self, rounding: Rounding, value: T::Native, places: i64) -> T::Native {
        if places >= self.from {
            return value;
        }
        let power = |exponent: i64| self.powers.get(usize::try_from(exponent).ok()?).copied();
        match (power(self.from - places), power(self.to - places)) {
            (Some(unit), Some(zeros)) => rounding.units(value, unit).mul_wrapping(zeros),
            // The unit is more than ten times any value.
            _ => T::Native::ZERO,
        }
    }
}

/// 10^18 is the greatest power of ten in an `i64`.
const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// `value` with so many places: of the shortest decimal text that reads back as `value`, as Java's `BigDecimal.valueOf`.
///
/// # Errors
/// `value` is infinite or no number.
pub(super) fn double_to_places(value: f64, places: i32, rounding: Rounding) -> Result<f64, &'static str> {
    if !value.is_finite() {
        return Err("only finite numbers can be rounded to places");
    }
    let (digits, exponent) = shortest(value);
    let dropped = -i64::from(places) - exponent;
    if dropped <= 0 {
        // There is no negative zero among decimals.
        return Ok(value + 0.0);
    }
    let Some(&unit) = usize::try_from(dropped).ok().and_then(|dropped| POWERS.get(dropped)) else { return Ok(0.0) };
    Ok(decimal(rounding.units(digits, unit), -i64::from(places)))
}

/// The shortest decimal that reads back as `value`: digits, at most 18 of them, and the power of ten they are times of.
fn shortest(value: f64) -> (i64, i64) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let point = mantissa.find('.').unwrap_or(mantissa.len() - 1);
    let places = mantissa.len() - 1 - point;
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    let digits = digits.fold(0, |digits: i64, digit| digits * 10 + i64::from(digit - b'0'));
    let exponent: i64 = exponent.parse().expect("an exponent is a number");
    (if value < 0.0 { -digits } else { digits }, exponent - places as i64)
}

/// The double nearest `digits` · 10^`exponent`.
fn decimal(digits: i64, exponent: i64) -> f64 {
    let power = usize::try_from(exponent.unsigned_abs()).ok().and_then(|exponent| EXACT_POWERS.get(exponent));
    match power {
        // Both numbers are exact, so their product or quotient is the nearest one.
        Some(power) if digits.unsigned_abs() <= 1 << 53 => {
            if exponent < 0 {
                digits as f64 / power
            } else {
                digits as f64 * power
            }
        }
        _ => format!("{digits}e{exponent}").parse().expect("a number"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, Int32Array, NullArray};
    use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, i256};
    use levada_udf::{Batch, Operand};
    use proptest::prelude::*;

    use super::super::super::evaluated;
    use super::{Rounding, double_to_places};

    fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> Operand {
        let array = Decimal128Array::from(values).with_precision_and_scale(precision, scale).expect("a good type");
        Operand::Column(Arc::new(array))
    }

    fn wide(values: Vec<i256>, precision: u8, scale: i8) -> Operand {
        let array = Decimal256Array::from(values).with_precision_and_scale(precision, scale).expect("a good type");
        Operand::Column(Arc::new(array))
    }

    fn places(value: i32) -> Operand {
        Operand::Constant(Arc::new(Int32Array::from(vec![value])))
    }

    fn unscaled(array: &ArrayRef) -> Vec<Option<i128>> {
        array.as_primitive::<Decimal128Type>().iter().collect()
    }

    #[test]
    fn decimals_become_whole_in_four_ways() {
        let values = vec![Some(250), Some(-250), Some(251), Some(-251), Some(249), Some(300), Some(-5), Some(0), None];
        let cases = [
            ("CEIL", 2, vec![300, -200, 300, -200, 300, 300, 0, 0]),
            ("FLOOR", 2, vec![200, -300, 200, -300, 200, 300, -100, 0]),
            ("ROUND", 0, vec![3, -2, 3, -3, 2, 3, 0, 0]),
            ("TRUNC", 0, vec![2, -2, 2, -2, 2, 3, 0, 0]),
        ];
        for (name, scale, expected) in cases {
            let found = evaluated(name, &[decimals(values.clone(), 5, 2)], values.len());
            let precision = if scale == 0 { 3 } else { 5 };
            assert_eq!(*found.data_type(), DataType::Decimal128(precision, scale), "{name}");
            let expected: Vec<Option<i128>> = expected.into_iter().map(Some).chain([None]).collect();
            assert_eq!(unscaled(&found), expected, "{name}");
        }
    }

    #[test]
    fn places_may_be_negative_or_more_than_there_are() {
        let column = decimals(vec![Some(1_234_567), Some(-9_999_999), None], 7, 4);
        let cases = [
            ("ROUND", 9, [1_234_567, -9_999_999]),
            ("ROUND", 4, [1_234_567, -9_999_999]),
            ("ROUND", 2, [1_234_600, -10_000_000]),
            ("ROUND", -1, [1_200_000, -10_000_000]),
            ("ROUND", -3, [0, -10_000_000]),
            ("ROUND", -4, [0, 0]),
            ("ROUND", i32::MIN, [0, 0]),
            ("ROUND", i32::MAX, [1_234_567, -9_999_999]),
            ("TRUNC", 2, [1_234_500, -9_999_900]),
            ("TRUNC", -2, [1_000_000, -9_000_000]),
            ("TRUNC", -3, [0, 0]),
        ];
        for (name, count, expected) in cases {
            let found = evaluated(name, &[column.clone(), places(count)], 3);
            assert_eq!(*found.data_type(), DataType::Decimal128(7, 4));
            assert_eq!(unscaled(&found), [Some(expected[0]), Some(expected[1]), None], "{name} {count}");
        }
        let of_rows = Operand::Column(Arc::new(Int32Array::from(vec![Some(0), None, Some(0)])));
        assert_eq!(unscaled(&evaluated("ROUND", &[column.clone(), of_rows], 3)), [Some(1_230_000), None, None]);
        let untyped = Operand::Constant(Arc::new(NullArray::new(1)));
        assert_eq!(evaluated("ROUND", &[column, untyped], 3).null_count(), 3);
    }

    #[test]
    fn wide_decimals_become_narrow_where_their_digits_fit() {
        let digits = i256::from_string("12345678901234567890123456789012345678905").expect("a number");
        let found = evaluated("ROUND", &[wide(vec![digits, digits.wrapping_neg()], 41, 1)], 2);
        let whole = i256::from_string("1234567890123456789012345678901234567891").expect("a number");
        let below = whole.wrapping_sub(i256::ONE).wrapping_neg();
        assert_eq!(found.as_primitive::<Decimal256Type>().values(), &[whole, below]);

        let found = evaluated("TRUNC", &[wide(vec![digits], 41, 40)], 1);
        assert_eq!(unscaled(&found), [Some(1)]);
        let found = evaluated("CEIL", &[wide(vec![digits], 41, 40)], 1);
        let two = i256::from_string("20000000000000000000000000000000000000000").expect("a number");
        assert_eq!(found.as_primitive::<Decimal256Type>().values(), &[two]);
    }

    #[test]
    fn doubles_are_rounded_as_they_are_shown() {
        let cases = [
            (1.005, 2, 1.01, 1.0),
            (-1.005, 2, -1.0, -1.0),
            (-1.006, 2, -1.01, -1.0),
            (2.5, 0, 3.0, 2.0),
            (-2.5, 0, -2.0, -2.0),
            (12_345.678, -2, 12_300.0, 12_300.0),
            (12_345.678, i32::MIN, 0.0, 0.0),
            (12_345.678, i32::MAX, 12_345.678, 12_345.678),
            (-0.4, 0, 0.0, 0.0),
            (-0.0, 3, 0.0, 0.0),
            (1e300, -299, 1e300, 1e300),
            (1.5e300, -300, 2e300, 1e300),
            (9.99e22, -22, 1e23, 9e22),
            (1.234e-300, 302, 1.23e-300, 1.23e-300),
            (5e-324, 400, 5e-324, 5e-324),
        ];
        for (value, places, nearest, cut) in cases {
            for (rounding, expected) in [(Rounding::HalfUp, nearest), (Rounding::Cut, cut)] {
                let found = double_to_places(value, places, rounding).map(f64::to_bits);
                assert_eq!(found, Ok(f64::to_bits(expected)), "{value} {places} {rounding:?}");
            }
        }
        assert!(double_to_places(f64::NAN, 1, Rounding::Cut).is_err());
        assert!(double_to_places(f64::INFINITY, 1, Rounding::HalfUp).is_err());
    }

    /// What `rounding` makes of a DECIMAL, with `count` places if that is given.
    fn rounded(rounding: Rounding, value: Operand, count: Option<i32>) -> ArrayRef {
        let result = value.array().data_type().clone();
        let arguments: Vec<Operand> = [value].into_iter().chain(count.map(places)).collect();
        let fail = &mut |_, reason| panic!("{reason}");
        let batch = Batch::new(&arguments, 1, &result, fail);
        if count.is_some() { rounding.to_places(&batch) } else { rounding.whole(&batch) }
    }

    /// `value` in units of `unit`, by the definition of each way.
    fn defined(rounding: Rounding, value: i128, unit: i128) -> i128 {
        match rounding {
            Rounding::Up => -(-value).div_euclid(unit),
            Rounding::Down => value.div_euclid(unit),
            Rounding::HalfUp => (2 * value + unit).div_euclid(2 * unit),
            Rounding::Cut => value.signum() * value.abs().div_euclid(unit),
        }
    }

    proptest! {
        #[test]
        fn decimals_are_rounded_as_integers_are_divided(
            value in -10_i128.pow(30)..10_i128.pow(30), scale in 0_i8..=30, count in -40_i32..=40, zeros in 0_u32..20,
        ) {
            // Values with zeros at their ends lie in the middle more often.
            let value = value / 10_i128.pow(zeros) * 10_i128.pow(zeros) / 2;
            for rounding in [Rounding::HalfUp, Rounding::Cut] {
                let dropped = u32::try_from(i32::from(scale) - count).unwrap_or(0).min(36);
                let unit = 10_i128.pow(dropped);
                let expected = defined(rounding, value, unit) * unit;
                let found = rounded(rounding, decimals(vec![Some(value)], 37, scale), Some(count));
                prop_assert_eq!(unscaled(&found), vec![Some(expected)]);
                let found = rounded(rounding, wide(vec![i256::from_i128(value)], 60, scale), Some(count));
                prop_assert_eq!(found.as_primitive::<Decimal256Type>().value(0), i256::from_i128(expected));
            }
            let unit = 10_i128.pow(u32::from(scale.unsigned_abs()));
            for rounding in [Rounding::Up, Rounding::Down] {
                let found = rounded(rounding, decimals(vec![Some(value)], 37, scale), None);
                prop_assert_eq!(unscaled(&found), vec![Some(defined(rounding, value, unit) * unit)]);
            }
        }

        #[test]
        fn doubles_are_rounded_as_their_digits_are(digits in -10_i64.pow(15)..10_i64.pow(15), scale in 0_i32..25, count in -9_i32..25) {
            let read = |digits: i128, exponent: i32| format!("{digits}e{exponent}").parse::<f64>().expect("a number");
            let unit = 10_i128.pow(u32::try_from(scale - count).unwrap_or(0));
            for rounding in [Rounding::HalfUp, Rounding::Cut] {
                let expected = read(defined(rounding, digits.into(), unit) * unit, -scale);
                // Up to fifteen digits read back as they were.
                let found = double_to_places(read(digits.into(), -scale), count, rounding).expect("a number");
                prop_assert_eq!(found.to_bits(), (expected + 0.0).to_bits(), "{} at {} by {:?}", digits, scale, rounding);
            }
        }
    }
}
