//! Numbers as they are written: digits and scale.

use std::cmp::Ordering;

/// `sign · digits · 10^-scale`; `1.50` and `1.5` differ in scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Without leading zeros; empty for zero.
    digits: String,
    scale: i64,
}

impl Decimal {
    /// Reads `-12`, `1.50`, `1.0E10`; `None` if `text` is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_start_matches('0').to_owned();
        Some(Self { negative: negative && !digits.is_empty(), digits, scale: fraction.len() as i64 - exponent })
    }

    /// Whether the text has neither point nor exponent.
    pub fn is_integer_literal(text: &str) -> bool {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Digits after the point; negative for trailing zeros that are not written.
    pub fn scale(&self) -> i64 {
        self.scale
    }

    /// Whether both are the same number, whatever their scales.
    pub fn same_value(&self, other: &Self) -> bool {
        let stripped = |decimal: &Self| {
            let trimmed = decimal.digits.trim_end_matches('0');
            let zeros = (decimal.digits.len() - trimmed.len()) as i64;
            let scale = if trimmed.is_empty() { 0 } else { decimal.scale - zeros };
            (decimal.negative, trimmed.to_owned(), scale)
        };
        stripped(self) == stripped(other)
    }

    /// The integer part, as Java's `intValue` and `longValue` see it before they wrap.
    pub fn truncated(&self) -> Self {
        let digits = match self.scale.cmp(&0) {
            Ordering::Equal => self.digits.clone(),
            Ordering::Greater => {
                let whole = self.digits.len().saturating_sub(usize::try_from(self.scale).unwrap_or(usize::MAX));
                self.digits[..whole].to_owned()
            }
            // A number nobody writes out: its digits are enough to tell it from any integer that fits.
            Ordering::Less if self.scale < -1000 => self.digits.clone(),
            Ordering::Less if self.digits.is_empty() => String::new(),
            Ordering::Less => format!("{}{}", self.digits, "0".repeat(self.scale.unsigned_abs() as usize)),
        };
        Self { negative: self.negative && !digits.is_empty(), digits, scale: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    #[test]
    fn scale_is_part_of_a_decimal() {
        assert_ne!(decimal("1.5"), decimal("1.50"));
        assert!(decimal("1.5").same_value(&decimal("1.50")));
        assert_eq!(decimal("1.0E10").scale(), -9);
        assert_ne!(decimal("1.0E10"), decimal("10000000000.0"));
        assert_eq!(decimal("0.10"), decimal("1.0e-1").clone());
        assert!(decimal("-0.0").same_value(&decimal("0")));
        assert!(Decimal::parse("1.x").is_none() && Decimal::parse("").is_none());
    }

    #[test]
    fn truncation_drops_the_fraction() {
        for (text, expected) in [("5.0", "5"), ("-5.9", "-5"), ("0.3", "0"), ("1.2E3", "1200"), ("12345E-2", "123")] {
            assert_eq!(decimal(text).truncated(), decimal(expected), "{text}");
        }
    }
}
