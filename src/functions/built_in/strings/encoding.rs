//! How bytes are written as a text: ENCODE.

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

/// How bytes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Utf8,
    Ascii,
    Base64,
}

impl Encoding {
    /// The encoding called `name`.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let all = [("hex", Self::Hex), ("utf8", Self::Utf8), ("ascii", Self::Ascii), ("base64", Self::Base64)];
        let found = all.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, encoding)| encoding)
            .ok_or_else(|| format!("there is no encoding '{name}': known are hex, utf8, ascii and base64"))
    }

    /// The bytes that `text` stands for.
    ///
    /// # Errors
    /// It stands for none.
    pub(super) fn bytes(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Hex => hex_bytes(text).ok_or_else(|| format!("'{text}' is not hexadecimal")),
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Ascii => {
                Ok(text.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect())
            }
            Self::Base64 => BASE64.decode(text).map_err(|error| format!("'{text}' is not base64: {error}")),
        }
    }

    /// `bytes` as a text; what is no character becomes U+FFFD.
    pub(super) fn text(self, bytes: &[u8]) -> String {
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

/// The bytes of `4A4b`, `0x4A4b` or `X'4A4b'`. Only after `0x` the first zero may be left out.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let (digits, lead) = if let Some(digits) = text.strip_prefix("0x") {
        digits.as_bytes().split_at(digits.len() % 2)
    } else if let Some(digits) = text.strip_prefix("X'").or_else(|| text.strip_prefix("x'")) {
        (&[][..], digits.strip_suffix('\'')?.as_bytes())
    } else {
        (&[][..], text.as_bytes())
    };
    let (lead, (pairs, rest)) = (digits, lead.as_chunks::<2>());
    let lead = lead.iter().map(|digit| hex_value(*digit));
    let bytes = lead.chain(pairs.iter().map(|[high, low]| Some(hex_value(*high)? << 4 | hex_value(*low)?)));
    bytes.collect::<Option<_>>().filter(|_| rest.is_empty())
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The small digit of `value`, which is below 16.
pub(super) fn hex_digit(value: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_has_three_forms() {
        let cases: [(&str, Option<&[u8]>); 14] = [
            ("4A4b", Some(b"JK")),
            ("0x4A4b", Some(b"JK")),
            ("X'4A4b'", Some(b"JK")),
            ("x'4A4b'", Some(b"JK")),
            ("0x54b", Some(b"\x05K")),
            ("54b", None),
            ("x'54b'", None),
            ("", Some(b"")),
            ("0x", Some(b"")),
            ("x''", Some(b"")),
            ("X'", None),
            ("x'4A4b", None),
            ("0x0x", None),
            ("4é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Encoding::Hex.bytes(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_has_no_character_is_replaced() {
        assert_eq!(Encoding::Ascii.bytes("aé😀").as_deref(), Ok(&b"a??"[..]));
        assert_eq!(Encoding::Ascii.text("é".as_bytes()), "\u{FFFD}\u{FFFD}");
        assert_eq!(Encoding::Utf8.text(b"a\xFFb"), "a\u{FFFD}b");
    }

    #[test]
    fn base64_is_read_as_java_does() {
        for (text, expected) in
            [("YQ==", Some(&b"a"[..])), ("YQ", Some(b"a")), ("YR==", Some(b"a")), ("Y", None), ("Y_==", None)]
        {
            assert_eq!(Encoding::Base64.bytes(text).ok().as_deref(), expected, "{text}");
        }
    }
}
