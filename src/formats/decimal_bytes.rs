//! Digits of decimals as the bytes of whole numbers in two's complement, highest byte first.

use arrow::datatypes::i256;

use crate::types::SqlType;

use super::byte_reader::{Fault, Read};
use super::scalar_column::decimal_parameters;

/// The number in `bytes`; none is 0. `None` if it has more than 256 bits.
pub(super) fn big_endian(bytes: &[u8]) -> Option<i256> {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
    let extra = bytes.len().saturating_sub(32);
    let (head, tail) = bytes.split_at(extra);
    let is_padding =
        head.iter().all(|byte| *byte == sign) && tail.first().is_none_or(|first| first & 0x80 == sign & 0x80);
    if extra > 0 && !is_padding {
        return None;
    }
    let mut wide = [sign; 32];
    wide[32 - tail.len()..].copy_from_slice(tail);
    Some(i256::from_be_bytes(wide))
}

/// The bytes of a number, of which the last ones are needed.
pub(super) struct Digits {
    wide: [u8; 32],
    start: usize,
}

impl Digits {
    pub(super) fn new(digits: i256) -> Self {
        let wide = digits.to_be_bytes();
        let sign = if digits < i256::ZERO { 0xff } else { 0 };
        // The fewest bytes that keep the sign.
        let padding = wide.iter().take_while(|byte| **byte == sign).count().min(31);
        let start = if wide[padding] & 0x80 == sign & 0x80 { padding } else { padding - 1 };
        Self { wide, start }
    }

    /// The fewest bytes that keep number and sign.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.wide[self.start..]
    }
}

fn power_of_ten(exponent: u8) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::from(exponent))
}

/// `digits` with the scale `to` instead of `from`, which is no greater. `None` if there is no such number.
pub(super) fn widen(digits: i256, from: u8, to: u8) -> Option<i256> {
    digits.checked_mul(power_of_ten(to.checked_sub(from)?)?)
}

/// `digits` behind the scale `from` as those of the DECIMAL `sql_type`: no digit may be lost.
pub(super) fn fit(digits: Option<i256>, from: u8, sql_type: &SqlType) -> Read<i256> {
    let (precision, to) = decimal_parameters(sql_type);
    let scaled = digits.and_then(|digits| {
        if to >= from {
            return widen(digits, from, to);
        }
        let power = power_of_ten(from - to)?;
        (digits.checked_rem(power)? == i256::ZERO).then(|| digits.checked_div(power))?
    });
    let fits =
        |digits: &i256| power_of_ten(precision).is_none_or(|limit| *digits < limit && digits.wrapping_neg() < limit);
    scaled.filter(fits).ok_or_else(|| Fault::Wrong(format!("a decimal does not fit {sql_type}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_fewest_bytes_that_keep_their_sign() {
        for (number, bytes) in
            [(0, &[0][..]), (127, &[0x7f]), (128, &[0, 0x80]), (-128, &[0x80]), (-129, &[0xff, 0x7f])]
        {
            let number = i256::from_i128(number);
            assert_eq!(Digits::new(number).bytes(), bytes);
            assert_eq!(big_endian(bytes), Some(number));
        }
        assert_eq!(big_endian(&[]), Some(i256::ZERO));
        assert_eq!(big_endian(&[1; 33]), None);
        assert_eq!(big_endian(&[[0; 8].as_slice(), &[1; 32]].concat()), big_endian(&[1; 32]));
    }

    #[test]
    fn digits_are_never_lost() {
        let decimal = SqlType::Decimal { precision: 4, scale: 2 };
        let fitted = |digits: i128, from: u8| fit(Some(i256::from_i128(digits)), from, &decimal).ok();
        assert_eq!(fitted(5, 0), Some(i256::from_i128(500)));
        assert_eq!(fitted(1500, 3), Some(i256::from_i128(150)));
        assert_eq!(fitted(1501, 3), None);
        assert_eq!(fitted(100, 0), None);
        assert_eq!(fitted(i128::MIN, 200), None);
    }
}
