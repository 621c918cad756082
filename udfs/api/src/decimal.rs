//! DECIMAL as numbers of Rust.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Builder};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type};

use super::{Build, Read, Write};

/// DECIMAL(`PRECISION`, `SCALE`): a whole number of units of 10⁻ˢᶜᵃˡᵉ. At most 38 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal<const PRECISION: u8, const SCALE: u8>(pub i128);

/// DECIMAL of any digits, as a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnyDecimal {
    /// How many units of 10⁻ˢᶜᵃˡᵉ.
    pub unscaled: i128,
    /// Digits behind the point.
    pub scale: u8,
}

/// Greatest precision of a [`Decimal`].
const DIGITS_MAX: u8 = 38;

impl AnyDecimal {
    /// The number with `scale` digits behind the point, rounded half up as SQL does; `None` if it has too many digits.
    pub fn rescaled(self, scale: u8) -> Option<i128> {
        let power = |digits: u8| 10_i128.checked_pow(u32::from(digits));
        if scale >= self.scale {
            return self.unscaled.checked_mul(power(scale - self.scale)?);
        }
        let Some(divisor) = power(self.scale - scale) else { return Some(0) };
        let (quotient, remainder) = (self.unscaled / divisor, self.unscaled % divisor);
        let rounds = remainder.unsigned_abs() >= divisor.unsigned_abs() - remainder.unsigned_abs();
        Some(if rounds { quotient + self.unscaled.signum() } else { quotient })
    }
}

impl fmt::Display for AnyDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scale, digits) = (usize::from(self.scale), self.unscaled.unsigned_abs().to_string());
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        if scale == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

/// The numbers of an array of either width. One beyond 38 digits is missing, as NULL is.
fn unscaled(array: &ArrayRef, index: usize) -> Option<i128> {
    match array.data_type() {
        DataType::Decimal128(..) => Some(array.as_primitive::<Decimal128Type>().value(index)),
        DataType::Decimal256(..) => array.as_primitive::<Decimal256Type>().value(index).to_i128(),
        _ => None,
    }
}

impl<'a> Read<'a> for AnyDecimal {
    type Array = (&'a ArrayRef, u8);

    fn sql() -> String {
        "DECIMAL".to_owned()
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        let scale = match array.data_type() {
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => u8::try_from(*scale).unwrap_or(0),
            _ => 0,
        };
        (array, scale)
    }

    fn lacks((array, _): &Self::Array, index: usize) -> bool {
        unscaled(array, index).is_none()
    }

    fn get((array, scale): &Self::Array, index: usize) -> Self {
        Self { unscaled: unscaled(array, index).unwrap_or(0), scale: *scale }
    }
}

impl<'a, const PRECISION: u8, const SCALE: u8> Read<'a> for Decimal<PRECISION, SCALE> {
    type Array = &'a ArrayRef;

    fn sql() -> String {
        format!("DECIMAL({PRECISION}, {SCALE})")
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        array
    }

    fn lacks(array: &Self::Array, index: usize) -> bool {
        unscaled(array, index).is_none()
    }

    fn get(array: &Self::Array, index: usize) -> Self {
        Self(unscaled(array, index).unwrap_or(0))
    }
}

/// A column of DECIMAL(`PRECISION`, `SCALE`) that grows.
#[derive(Debug, Default)]
pub struct DecimalBuilder<const PRECISION: u8, const SCALE: u8>(Decimal128Builder);

impl<const PRECISION: u8, const SCALE: u8> Build for DecimalBuilder<PRECISION, SCALE> {
    fn append_null(&mut self) {
        self.0.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        const {
            assert!(1 <= PRECISION && PRECISION <= DIGITS_MAX && SCALE <= PRECISION, "DECIMAL has 1 to 38 digits");
        }
        let numbers = Decimal128Builder::finish(&mut self.0).with_precision_and_scale(PRECISION, SCALE as i8);
        Arc::new(numbers.expect("the digits are checked when this is compiled"))
    }
}

impl<const PRECISION: u8, const SCALE: u8> Write for Decimal<PRECISION, SCALE> {
    type Builder = DecimalBuilder<PRECISION, SCALE>;

    fn sql() -> String {
        <Self as Read<'_>>::sql()
    }

    fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
        if self.0.unsigned_abs() < 10_u128.pow(u32::from(PRECISION)) {
            builder.0.append_value(self.0);
            return Ok(());
        }
        builder.0.append_null();
        Err(format!("{} does not fit DECIMAL({PRECISION}, {SCALE})", AnyDecimal { unscaled: self.0, scale: SCALE }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_half_up_and_shown_with_all_digits() {
        let number = |unscaled, scale| AnyDecimal { unscaled, scale };
        assert_eq!(number(12_345, 3).rescaled(2), Some(1_235));
        assert_eq!(number(-12_345, 3).rescaled(2), Some(-1_235));
        assert_eq!(number(12_344, 3).rescaled(2), Some(1_234));
        assert_eq!(number(5, 0).rescaled(2), Some(500));
        assert_eq!(number(i128::MAX, 0).rescaled(1), None);
        let shown = [number(-5, 2), number(12_345, 2), number(7, 0)].map(|number| number.to_string());
        assert_eq!(shown, ["-0.05", "123.45", "7"]);
    }

    #[test]
    fn a_number_with_too_many_digits_is_an_error() {
        let mut builder = DecimalBuilder::<4, 2>::default();
        assert_eq!(Decimal::<4, 2>(9_999).write(&mut builder), Ok(()));
        let error = Decimal::<4, 2>(10_000).write(&mut builder).expect_err("five digits");
        assert_eq!(error, "100.00 does not fit DECIMAL(4, 2)");
        let column = builder.finish();
        assert_eq!(*column.data_type(), DataType::Decimal128(4, 2));
        assert_eq!((column.len(), column.null_count()), (2, 1));
    }
}
