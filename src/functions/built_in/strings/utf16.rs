//! Texts as Java counts them: in units of UTF-16, of which characters past U+FFFF have two.

use std::fmt::{self, Display, Write as _};
use std::ops::Range;

use levada_udf::Write;
use levada_udf::arrow::array::StringBuilder;

/// What Java writes for half of a pair of units.
pub(super) const HALF: char = '?';

/// A text and the number of its units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Utf16<'a> {
    text: &'a str,
    len: usize,
}

/// Where a unit begins in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    /// Of its character.
    byte: usize,
    /// Whether it is the second unit of the character.
    is_in_pair: bool,
}

/// Part of a text. Of a pair that it has one half of it shows [`HALF`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    starts_in_pair: bool,
    whole: &'a str,
    ends_in_pair: bool,
}

impl<'a> Utf16<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, len: units(text) }
    }

    /// Number of units.
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// Whether units are bytes: any other character has more bytes than units.
    fn is_ascii(self) -> bool {
        self.len == self.text.len()
    }

    /// The units of `range`, which is in the text.
    pub(super) fn part(self, range: Range<usize>) -> Part<'a> {
        if self.is_ascii() {
            return Part { starts_in_pair: false, whole: &self.text[range], ends_in_pair: false };
        }
        if range.is_empty() {
            return Part { starts_in_pair: false, whole: "", ends_in_pair: false };
        }
        let (start, end) = (self.cut(range.start), self.cut(range.end));
        Part {
            starts_in_pair: start.is_in_pair,
            whole: &self.text[self.after(start)..end.byte],
            ends_in_pair: end.is_in_pair,
        }
    }

    /// The byte of the first character that begins at `unit` or later.
    pub(super) fn byte_from(self, unit: usize) -> usize {
        self.after(self.cut(unit))
    }

    /// The byte of the character that has `unit`.
    pub(super) fn byte_at(self, unit: usize) -> usize {
        self.cut(unit).byte
    }

    /// The unit that the character at `byte` begins with.
    pub(super) fn unit_at(self, byte: usize) -> usize {
        if self.is_ascii() { byte } else { units(&self.text[..byte]) }
    }

    fn cut(self, unit: usize) -> Cut {
        if self.is_ascii() {
            return Cut { byte: unit.min(self.len), is_in_pair: false };
        }
        let mut next = 0;
        for (byte, character) in self.text.char_indices() {
            let is_found = next >= unit;
            next += character.len_utf16();
            if is_found || next > unit {
                return Cut { byte, is_in_pair: !is_found };
            }
        }
        Cut { byte: self.text.len(), is_in_pair: false }
    }

    fn after(self, cut: Cut) -> usize {
        // A character of two units has four bytes.
        if cut.is_in_pair { cut.byte + 4 } else { cut.byte }
    }
}

/// Number of units of `text`.
fn units(text: &str) -> usize {
    text.bytes().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
}

impl Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.starts_in_pair {
            f.write_char(HALF)?;
        }
        f.write_str(self.whole)?;
        if self.ends_in_pair { f.write_char(HALF) } else { Ok(()) }
    }
}

impl Write for Part<'_> {
    type Builder = StringBuilder;

    fn sql() -> String {
        <&str as Write>::sql()
    }

    fn write(self, builder: &mut StringBuilder) -> Result<(), String> {
        if self.starts_in_pair || self.ends_in_pair {
            self.to_string().write(builder)
        } else {
            self.whole.write(builder)
        }
    }
}

/// The same with the units as a list, for tests.
#[cfg(test)]
pub(super) mod naive {
    use proptest::prelude::*;

    use super::HALF;

    /// Texts of few characters, of one to four bytes.
    pub(in super::super) fn texts() -> impl Strategy<Value = String> {
        let character = prop::sample::select(vec!['a', 'b', 'é', '€', '😀', '𐐷']);
        prop::collection::vec(character, 0..10).prop_map(String::from_iter)
    }

    pub(in super::super) fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    pub(in super::super) fn text(units: &[u16]) -> String {
        char::decode_utf16(units.iter().copied()).map(|decoded| decoded.unwrap_or(HALF)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_pair_is_a_question_mark() {
        let text = Utf16::new("a😀b");
        let cases = [(0..4, "a😀b"), (0..2, "a?"), (2..4, "?b"), (1..2, "?"), (2..3, "?"), (2..2, ""), (1..3, "😀")];
        for (range, part) in cases {
            assert_eq!(text.part(range.clone()).to_string(), part, "{range:?}");
        }
    }

    proptest! {
        #[test]
        fn units_are_those_of_a_list(text in naive::texts()) {
            let (utf16, units) = (Utf16::new(&text), naive::units(&text));
            prop_assert_eq!(utf16.len(), units.len());
            for start in 0..=units.len() {
                for end in start..=units.len() {
                    prop_assert_eq!(utf16.part(start..end).to_string(), naive::text(&units[start..end]));
                }
            }
            for (byte, _) in text.char_indices() {
                let unit = utf16.unit_at(byte);
                prop_assert_eq!((utf16.byte_at(unit), utf16.byte_from(unit)), (byte, byte));
            }
        }
    }
}
