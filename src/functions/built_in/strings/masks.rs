//! What the MASK functions share: characters replaced by the class they belong to.

use std::ops::{Range, RangeInclusive};

use super::utf16::{HALF, Utf16};

/// What stands in for the characters of each class; those of a class without it stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct Masks {
    upper: Option<char>,
    lower: Option<char>,
    digit: Option<char>,
    other: Option<char>,
}

/// Where the decimal digits of each script begin; those of mathematics are five times ten in a row.
const ZEROS: [u32; 58] = [
    0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x11066, 0x110F0, 0x11136,
    0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11C50, 0x16A60, 0x16B50, 0x1D7CE,
    0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E950,
];

/// Characters that count as lower case to Unicode and are no letters, or not of two cases.
const OTHER_LOWERCASE: [RangeInclusive<char>; 23] = [
    'ª'..='ª',
    'º'..='º',
    '\u{2B0}'..='\u{2B8}',
    '\u{2C0}'..='\u{2C1}',
    '\u{2E0}'..='\u{2E4}',
    '\u{345}'..='\u{345}',
    '\u{37A}'..='\u{37A}',
    '\u{10FC}'..='\u{10FC}',
    '\u{1D2C}'..='\u{1D6A}',
    '\u{1D78}'..='\u{1D78}',
    '\u{1D9B}'..='\u{1DBF}',
    '\u{2071}'..='\u{2071}',
    '\u{207F}'..='\u{209C}',
    '\u{2170}'..='\u{217F}',
    '\u{24D0}'..='\u{24E9}',
    '\u{2C7C}'..='\u{2C7D}',
    '\u{A69C}'..='\u{A69D}',
    '\u{A770}'..='\u{A770}',
    '\u{A7F1}'..='\u{A7F4}',
    '\u{A7F8}'..='\u{A7F9}',
    '\u{AB5C}'..='\u{AB5F}',
    '\u{AB69}'..='\u{AB69}',
    '\u{10780}'..='\u{107BA}',
];

/// As [`OTHER_LOWERCASE`], of upper case.
const OTHER_UPPERCASE: [RangeInclusive<char>; 3] =
    ['\u{2160}'..='\u{216F}', '\u{24B6}'..='\u{24CF}', '\u{1F130}'..='\u{1F189}'];

impl Default for Masks {
    fn default() -> Self {
        Self { upper: Some('X'), lower: Some('x'), digit: Some('n'), other: Some('-') }
    }
}

impl Masks {
    /// These, each of one unit.
    ///
    /// # Errors
    /// One of them has another length.
    pub(super) fn new(
        upper: Option<&str>,
        lower: Option<&str>,
        digit: Option<&str>,
        other: Option<&str>,
    ) -> Result<Self, &'static str> {
        let first = |mask: Option<&str>| {
            let only = |mask: &str| mask.chars().next().filter(|c| c.len_utf8() == mask.len() && c.len_utf16() == 1);
            mask.map(|mask| only(mask).ok_or("a mask is not one character")).transpose()
        };
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
            // To ksqlDB the first half is the whole character, and the second half another one besides.
            match ([unit, unit + 1].map(|unit| range.contains(&unit)), self.other) {
                ([true, true], other) => {
                    masked.extend([self.of(character).unwrap_or(character), other.unwrap_or(HALF)]);
                }
                ([false, false], _) | (_, None) => masked.push(character),
                (are_masked, Some(other)) => {
                    masked.extend(are_masked.map(|is_masked| if is_masked { other } else { HALF }));
                }
            }
            unit += 2;
        }
        masked
    }

    /// What stands in for `character`.
    fn of(self, character: char) -> Option<char> {
        let is_in = |ranges: &[RangeInclusive<char>]| ranges.iter().any(|range| range.contains(&character));
        if character.is_uppercase() && !is_in(&OTHER_UPPERCASE) {
            self.upper
        } else if character.is_lowercase() && !is_in(&OTHER_LOWERCASE) {
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
    let code = u32::from(character);
    let following = ZEROS.partition_point(|zero| *zero <= code);
    following > 0 && code - ZEROS[following - 1] < 10
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
        assert_eq!(own.all("A😀"), "*😀?");
        assert_eq!(Masks::default().all("𐐀𐐨𝟘ªⅣ"), "X-x-n---");
        assert!(Masks::new(Some("ab"), None, None, None).is_err());
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
    fn classes_are_those_of_unicode() {
        let class = |name: &str| regex::Regex::new(&format!("^\\p{{{name}}}$")).expect("a pattern");
        let classes = [(class("Lu"), 'X'), (class("Ll"), 'x'), (class("Nd"), 'n')];
        // Those left out have come, or have changed, with versions of Unicode that not everybody has.
        let is_settled = |character: &char| !matches!(character, 'ʕ' | '\u{A7CB}'..='\u{A7DC}');
        for character in (0..=0x107BF).filter_map(char::from_u32).filter(is_settled) {
            let text = character.to_string();
            let expected = classes.iter().find(|(class, _)| class.is_match(&text)).map_or('-', |(_, mask)| *mask);
            assert_eq!(Masks::default().of(character), Some(expected), "{character:?}");
        }
    }
}
