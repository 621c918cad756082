//! What the MASK functions share: characters replaced by the class they belong to.

use std::ops::Range;

use super::utf16::{HALF, Utf16};

/// What stands in for the characters of each class; those of a class without it stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Masks {
    upper: Option<char>,
    lower: Option<char>,
    digit: Option<char>,
    other: Option<char>,
}

/// Where the decimal digits of each script begin that are not past U+FFFF.
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

impl Default for Masks {
    fn default() -> Self {
        Self { upper: Some('X'), lower: Some('x'), digit: Some('n'), other: Some('-') }
    }
}

impl Masks {
    /// The first characters of these.
    ///
    /// # Errors
    /// One of them has none.
    pub(super) fn new(
        upper: Option<&str>,
        lower: Option<&str>,
        digit: Option<&str>,
        other: Option<&str>,
    ) -> Result<Self, &'static str> {
        let first =
            |mask: Option<&str>| mask.map(|mask| mask.chars().next().ok_or("a mask is an empty text")).transpose();
        Ok(Self { upper: first(upper)?, lower: first(lower)?, digit: first(digit)?, other: first(other)? })
    }

    /// `text` with all characters masked.
    pub(super) fn all(self, text: &str) -> String {
        self.masked(text, 0..usize::MAX)
    }

    /// `text` with the first `count` masked.
    pub(super) fn left(self, text: &str, count: i32) -> Result<String, &'static str> {
        Ok(self.masked(text, 0..checked(count)?))
    }

    /// `text` with the last `count` masked.
    pub(super) fn right(self, text: &str, count: i32) -> Result<String, &'static str> {
        Ok(self.masked(text, Utf16::new(text).len().saturating_sub(checked(count)?)..usize::MAX))
    }

    /// `text` with all but the first `count` masked.
    pub(super) fn keep_left(self, text: &str, count: i32) -> Result<String, &'static str> {
        Ok(self.masked(text, checked(count)?..usize::MAX))
    }

    /// `text` with all but the last `count` masked.
    pub(super) fn keep_right(self, text: &str, count: i32) -> Result<String, &'static str> {
        Ok(self.masked(text, 0..Utf16::new(text).len().saturating_sub(checked(count)?)))
    }

    /// `text` with the units of `range` masked.
    fn masked(self, text: &str, range: Range<usize>) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut unit = 0;
        for character in text.chars() {
            if character.len_utf16() == 1 {
                masked.push(if range.contains(&unit) { self.of(character).unwrap_or(character) } else { character });
                unit += 1;
                continue;
            }
            // To Java this is two characters, and neither is a letter or a digit.
            let are_masked = [unit, unit + 1].map(|unit| range.contains(&unit));
            match self.other.filter(|_| are_masked != [false, false]) {
                Some(other) => masked.extend(are_masked.map(|is_masked| if is_masked { other } else { HALF })),
                None => masked.push(character),
            }
            unit += 2;
        }
        masked
    }

    /// What stands in for `character`.
    fn of(self, character: char) -> Option<char> {
        if character.is_uppercase() {
            self.upper
        } else if character.is_lowercase() {
            self.lower
        } else if is_digit(character) {
            self.digit
        } else {
            self.other
        }
    }
}

fn checked(count: i32) -> Result<usize, &'static str> {
    usize::try_from(count).map_err(|_| "the number of characters is negative")
}

fn is_digit(character: char) -> bool {
    let Ok(unit) = u16::try_from(u32::from(character)) else { return false };
    let following = ZEROS.partition_point(|zero| *zero <= unit);
    following > 0 && unit - ZEROS[following - 1] < 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_mask() {
        let own = Masks::new(Some("*"), None, Some("1"), None).expect("no mask is empty");
        assert_eq!(Masks::default().all("My Test $123"), "Xx-Xxxx--nnn");
        assert_eq!(own.all("My Test $123"), "*y *est $111");
        assert_eq!(Masks::default().all("Äß٣中😀"), "Xxn---");
        assert_eq!(own.all("A😀"), "*😀");
        assert!(Masks::new(Some(""), None, None, None).is_err());
    }

    #[test]
    fn counts_are_of_units() {
        let masks = Masks::default();
        let masked = |text, count| {
            [
                masks.left(text, count),
                masks.right(text, count),
                masks.keep_left(text, count),
                masks.keep_right(text, count),
            ]
            .map(|masked| masked.expect("a count"))
        };
        assert_eq!(masked("Ab12", 1), ["Xb12", "Ab1n", "Axnn", "Xxn2"]);
        assert_eq!(masked("Ab12", 0), ["Ab12", "Ab12", "Xxnn", "Xxnn"]);
        assert_eq!(masked("Ab12", 9), ["Xxnn", "Xxnn", "Ab12", "Ab12"]);
        assert_eq!(masked("😀b", 1), ["-?b", "😀x", "?-x", "--b"]);
        assert!(masks.left("Ab12", -1).is_err());
    }

    #[test]
    fn digits_are_decimal_ones_of_any_script() {
        let decimal = regex::Regex::new(r"^\p{Nd}$").expect("a pattern");
        for character in (0..=0xFFFF).filter_map(char::from_u32) {
            assert_eq!(is_digit(character), decimal.is_match(character.encode_utf8(&mut [0; 4])), "{character:?}");
        }
    }
}
