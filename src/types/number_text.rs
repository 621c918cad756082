//! Numbers as text, read exactly: the digits are taken apart once and then fitted to whatever type the column has.

use arrow::datatypes::i256;

use super::{SqlType, java_text};

const DIGITS_MAX: usize = SqlType::DECIMAL_DIGITS_MAX as usize;

/// Most digits that surely fit 64 bits.
const DIGITS_64: usize = 19;

const POWERS_OF_TEN: [u128; 39] = {
    let mut powers = [1; 39];
    let mut i = 1;
    while i < 39 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Powers of ten that a double holds exactly.
pub const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A decimal number taken apart: ±(`whole` `fraction`) · 10^(`exponent` − length of `fraction`).
#[derive(Debug, Clone, Copy)]
pub struct NumberText<'a> {
    /// Whether it has a minus.
    pub negative: bool,
    /// Digits before the point.
    pub whole: &'a [u8],
    /// Digits after the point.
    pub fraction: &'a [u8],
    /// What follows `e`; saturates.
    pub exponent: i64,
    /// Whether there was neither a point nor an exponent.
    pub integral: bool,
    /// All digits as one number, where they are at most nineteen.
    pub mantissa: u64,
    /// The number as it stood.
    pub text: &'a [u8],
}

impl<'a> NumberText<'a> {
    /// Reads what Java's `new BigDecimal(text)` accepts: `-1.5`, `+.5`, `1.`, `1e3`.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, unsigned) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let (mut mantissa, mut at) = (0, 0);
        let whole = digits(unsigned, &mut at, &mut mantissa);
        let mut fraction: &[u8] = &[];
        let point = unsigned.get(at) == Some(&b'.');
        if point {
            at += 1;
            fraction = digits(unsigned, &mut at, &mut mantissa);
        }
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match unsigned.get(at..)? {
            [] => 0,
            [b'e' | b'E', rest @ ..] => std::str::from_utf8(rest).ok()?.parse::<i32>().ok()?.into(),
            _ => return None,
        };
        let integral = !point && at == unsigned.len();
        Some(Self { negative, whole, fraction, exponent, integral, mantissa, text })
    }

    fn fits_mantissa(&self) -> bool {
        self.whole.len() + self.fraction.len() <= DIGITS_64
    }

    /// Digits after the point once the exponent is applied; negative for trailing zeros before it.
    fn scale(&self) -> i64 {
        (self.fraction.len() as i64).saturating_sub(self.exponent)
    }

    /// The value, if it is a whole number of 64 bits.
    #[inline]
    pub fn to_i64(self) -> Option<i64> {
        if self.integral && self.whole.len() < DIGITS_64 {
            let magnitude = self.mantissa as i64;
            return Some(if self.negative { -magnitude } else { magnitude });
        }
        i64::try_from(self.to_decimal128(38, 0)?).ok()
    }

    /// The nearest double; `None` when it is too large for one.
    #[inline]
    pub fn to_f64(self) -> Option<f64> {
        let scale = self.scale();
        if self.fits_mantissa() && self.mantissa <= 1 << 53 && (-22..=22).contains(&scale) {
            // Both operands are exact, so the one rounding of the operation is the only one.
            let power = EXACT_POWERS[scale.unsigned_abs() as usize];
            let mantissa = self.mantissa as f64;
            let magnitude = if scale > 0 { mantissa / power } else { mantissa * power };
            return Some(if self.negative { -magnitude } else { magnitude });
        }
        let value: f64 = std::str::from_utf8(self.text).ok()?.parse().ok()?;
        value.is_finite().then_some(value)
    }

    /// The unscaled value at `scale`, if it needs no rounding and has at most `precision` digits, at most 38.
    #[inline]
    pub fn to_decimal128(self, precision: u8, scale: u8) -> Option<i128> {
        let shift = i64::from(scale).saturating_sub(self.scale());
        if self.fits_mantissa() && (0..=18).contains(&shift) {
            let value = u128::from(self.mantissa) * POWERS_OF_TEN[shift as usize];
            return (value < POWERS_OF_TEN[usize::from(precision)]).then(|| self.signed(value as i128));
        }
        let mut digits = [b'0'; DIGITS_MAX];
        let count = self.fitted_digits(precision, scale, &mut digits)?;
        Some(self.signed(number_of(&digits[..count])))
    }

    /// As [`NumberText::to_decimal128`], for up to 76 digits.
    pub fn to_decimal256(self, precision: u8, scale: u8) -> Option<i256> {
        let mut digits = [b'0'; DIGITS_MAX];
        let count = self.fitted_digits(precision, scale, &mut digits)?;
        let (high, low) = digits[..count].split_at(count.saturating_sub(38));
        let half = i256::from_i128(10_i128.pow(38));
        let value = i256::from_i128(number_of(high)).wrapping_mul(half).wrapping_add(i256::from_i128(number_of(low)));
        Some(if self.negative { value.wrapping_neg() } else { value })
    }

    fn signed(&self, magnitude: i128) -> i128 {
        if self.negative { -magnitude } else { magnitude }
    }

    /// Digits from the first to the last one that is not zero, and how many zeros followed.
    fn significant(&self) -> (impl Iterator<Item = u8>, usize, usize) {
        let digits = || self.whole.iter().chain(self.fraction).copied();
        let total = self.whole.len() + self.fraction.len();
        let leading = digits().take_while(|&digit| digit == b'0').count();
        let trailing = if leading == total { 0 } else { digits().rev().take_while(|&digit| digit == b'0').count() };
        let count = total - leading - trailing;
        (self.whole.iter().chain(self.fraction).copied().skip(leading).take(count), count, trailing)
    }

    /// Digits of the unscaled value at `scale`, without leading zeros.
    fn fitted_digits(&self, precision: u8, scale: u8, out: &mut [u8; DIGITS_MAX]) -> Option<usize> {
        let (digits, count, trailing) = self.significant();
        if count == 0 {
            return Some(0);
        }
        let padding = i64::from(scale).saturating_sub(self.scale().saturating_sub(trailing as i64));
        let fits = padding >= 0 && padding <= DIGITS_MAX as i64 && count + padding as usize <= usize::from(precision);
        if !fits {
            return None;
        }
        for (slot, digit) in out.iter_mut().zip(digits) {
            *slot = digit;
        }
        Some(count + padding as usize)
    }

    /// Writes the number as Java prints it after reading it: integers as such, others as `BigDecimal.toString`.
    pub fn write_java(&self, out: &mut Vec<u8>, digits: &mut Vec<u8>) {
        digits.clear();
        digits.extend(self.whole.iter().chain(self.fraction).skip_while(|&&digit| digit == b'0'));
        let negative = self.negative && !digits.is_empty();
        if digits.is_empty() {
            digits.push(b'0');
        }
        java_text::write_big_decimal(out, negative, digits, self.scale());
    }
}

/// The run of digits at `at`, appended to `mantissa`.
#[inline]
pub fn digits<'a>(bytes: &'a [u8], at: &mut usize, mantissa: &mut u64) -> &'a [u8] {
    let start = *at;
    while let Some(digit) = bytes.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        *mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        *at += 1;
    }
    &bytes[start..*at]
}

/// The number that at most 38 digits stand for.
fn number_of(digits: &[u8]) -> i128 {
    digits.iter().fold(0, |value, digit| value * 10 + i128::from(digit - b'0'))
}

/// Java's `Long.parseLong`: digits with an optional sign.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Java's `Integer.parseInt`.
pub fn parse_i32(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Java's `Double.parseDouble`, without its hexadecimal form: blanks around the number are ignored, `NaN` and `Infinity`
/// are numbers, and a closing `d` or `f` is allowed. `None` also when the number is too large.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let unsigned = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let sign = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
    match unsigned {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(sign * f64::INFINITY),
        [.., b'd' | b'D' | b'f' | b'F'] => NumberText::parse(&text[..text.len() - 1])?.to_f64(),
        _ => NumberText::parse(text)?.to_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> NumberText<'_> {
        NumberText::parse(text.as_bytes()).expect("the test gives a number")
    }

    #[test]
    fn whole_numbers_of_any_spelling_become_integers() {
        let cases = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("42", Some(42)),
            ("5.0", Some(5)),
            ("1e3", Some(1000)),
            ("120e-1", Some(12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("99999999999999999999999999999999999999999", None),
            ("1.5", None),
            ("1e999999999", None),
            ("0e999999999", Some(0)),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text).to_i64(), expected, "{text}");
        }
    }

    #[test]
    fn decimals_are_fitted_without_rounding() {
        let cases = [
            ("12.34", (4, 2), Some(1234)),
            ("12.3", (4, 2), Some(1230)),
            ("12.3400", (4, 2), Some(1234)),
            ("12.345", (4, 2), None),
            ("123.4", (4, 2), None),
            ("-.5", (4, 2), Some(-50)),
            ("1e1", (4, 2), Some(1000)),
            ("0.00", (4, 2), Some(0)),
            ("00000000000000000000000000001.5", (4, 2), Some(150)),
            ("99999999999999999999999999999999999999", (38, 0), Some(10_i128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", (38, 0), None),
        ];
        for (text, (precision, scale), expected) in cases {
            assert_eq!(number(text).to_decimal128(precision, scale), expected, "{text}");
            let wide = number(text).to_decimal256(precision, scale);
            assert_eq!(wide, expected.map(i256::from_i128), "{text}");
        }
        let widest = "9".repeat(76);
        let value = number(&widest).to_decimal256(76, 0).expect("76 digits fit");
        assert_eq!(value.to_string(), widest);
    }

    #[test]
    fn doubles_are_the_nearest_ones() {
        for text in ["0", "1.5", "-1.5", "0.1", "123456789.123456789", "1e22", "1e23", "9007199254740993", "5e-324"] {
            assert_eq!(number(text).to_f64(), text.parse().ok(), "{text}");
        }
        assert_eq!(number("1e400").to_f64(), None);
        assert!(number("-0").to_f64().is_some_and(f64::is_sign_negative));
    }

    #[test]
    fn text_is_parsed_as_java_parses_it() {
        assert_eq!(parse_i32(b"+7"), Some(7));
        assert_eq!(parse_i32(b" 7"), None);
        assert_eq!(parse_i32(b"2147483648"), None);
        assert_eq!(parse_i64(b"7.0"), None);
        assert_eq!(parse_f64(b" 1.5d "), Some(1.5));
        assert_eq!(parse_f64(b"1e3"), Some(1000.0));
        assert_eq!(parse_f64(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert!(parse_f64(b"NaN").is_some_and(f64::is_nan));
        for wrong in ["", "-", ".", "e5", "1e", "inf", "nan", "0x1p3", "1_0", "1e5.0"] {
            assert_eq!(parse_f64(wrong.as_bytes()), None, "{wrong}");
            assert!(NumberText::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn numbers_print_as_java_does_after_reading() {
        let cases = [
            ("1", "1"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("1.50", "1.50"),
            ("0.10", "0.10"),
            ("1e3", "1E+3"),
            ("1.0E10", "1.0E+10"),
            ("1e-7", "1E-7"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ];
        for (text, expected) in cases {
            let mut out = Vec::new();
            number(text).write_java(&mut out, &mut Vec::new());
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
