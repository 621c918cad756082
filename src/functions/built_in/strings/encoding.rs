//! What bytes look like as text.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// As Java reads it: padding may be left out, and bits that are left over are whatever they are.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A way to write bytes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Utf8,
    Ascii,
    Base64,
}

impl Encoding {
    /// The one with this name.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let all = [("hex", Self::Hex), ("utf8", Self::Utf8), ("ascii", Self::Ascii), ("base64", Self::Base64)];
        let found = all.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, encoding)| encoding)
            .ok_or_else(|| format!("unknown encoding '{name}': known are hex, utf8, ascii and base64"))
    }

    /// The bytes that `text` stands for. Characters that ASCII does not have become question marks.
    ///
    /// # Errors
    /// It stands for none.
    pub(super) fn decode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Hex => hex_bytes(text).ok_or_else(|| format!("'{text}' is not hexadecimal digits in pairs")),
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Ascii => {
                Ok(text.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect())
            }
            Self::Base64 => BASE64.decode(text).map_err(|error| format!("'{text}' is not base64: {error}")),
        }
    }

    /// `bytes` as text. What is no character becomes U+FFFD.
    pub(super) fn encoded(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]).map(hex_digit).collect(),
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Ascii => {
                let character =
                    |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER };
                bytes.iter().map(character).collect()
            }
            Self::Base64 => BASE64.encode(bytes),
        }
    }
}

fn hex_bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect()
}

/// The small digit of `value`, which is below 16.
fn hex_digit(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_character_is_replaced() {
        assert_eq!(Encoding::Ascii.decode("aé😀").as_deref(), Ok(&b"a??"[..]));
        assert_eq!(Encoding::Ascii.encoded("é".as_bytes()), "\u{FFFD}\u{FFFD}");
        assert_eq!(Encoding::Utf8.encoded(b"a\xFFb"), "a\u{FFFD}b");
    }

    #[test]
    fn base64_is_read_as_java_does() {
        let cases = [("YQ==", Some(&b"a"[..])), ("YQ", Some(b"a")), ("YR==", Some(b"a")), ("Y", None), ("Y_==", None)];
        for (text, expected) in cases {
            assert_eq!(Encoding::Base64.decode(text).ok().as_deref(), expected, "{text}");
        }
    }
}
