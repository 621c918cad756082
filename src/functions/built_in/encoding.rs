//! What bytes look like as text.

use std::fmt::{self, Display};

use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine as _};

/// As Java's decoder: padding may be left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
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
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let names = [("hex", Self::Hex), ("utf8", Self::Utf8), ("ascii", Self::Ascii), ("base64", Self::Base64)];
        let found = names.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, encoding)| encoding)
            .ok_or_else(|| format!("unknown encoding '{name}': known are hex, utf8, ascii and base64"))
    }

    /// The bytes that `text` stands for. Characters that ASCII does not have become question marks.
    pub(super) fn decode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Hex => from_hex(text).ok_or_else(|| format!("'{text}' is not hexadecimal digits in pairs")),
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Ascii => {
                Ok(text.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect())
            }
            Self::Base64 => BASE64.decode(text).map_err(|error| format!("'{text}' is not base64: {error}")),
        }
    }

    /// `bytes` as text. What is not text is shown as U+FFFD.
    pub(super) fn encoded(self, bytes: &[u8]) -> impl Display {
        fmt::from_fn(move |f| match self {
            Self::Hex => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Utf8 => bytes.utf8_chunks().try_for_each(|chunk| {
                f.write_str(chunk.valid())?;
                f.write_str(if chunk.invalid().is_empty() { "" } else { "\u{fffd}" })
            }),
            Self::Ascii => {
                bytes.chunk_by(|a, b| a.is_ascii() == b.is_ascii()).try_for_each(|run| match std::str::from_utf8(run) {
                    Ok(text) if text.is_ascii() => f.write_str(text),
                    _ => run.iter().try_for_each(|_| f.write_str("\u{fffd}")),
                })
            }
            Self::Base64 => base64::display::Base64Display::new(bytes, &BASE64).fmt(f),
        })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_every_encoding() {
        for name in ["hex", "UTF8", "ascii", "Base64"] {
            let encoding = Encoding::named(name).expect("a known name");
            let text = encoding.encoded(b"Example!").to_string();
            assert_eq!(encoding.decode(&text).as_deref(), Ok(b"Example!".as_slice()), "{name}");
        }
        assert!(Encoding::named("utf-8").is_err());
    }

    #[test]
    fn texts_are_spelt_as_java_spells_them() {
        let cases: [(Encoding, &[u8], &str); 6] = [
            (Encoding::Hex, b"\xce\x0f", "ce0f"),
            (Encoding::Base64, b"\xce\x95\xce", "zpXO"),
            (Encoding::Base64, b"f", "Zg=="),
            (Encoding::Ascii, "aüb".as_bytes(), "a\u{fffd}\u{fffd}b"),
            (Encoding::Utf8, b"a\xffb\xe2\x82", "a\u{fffd}b\u{fffd}"),
            (Encoding::Utf8, "αβ".as_bytes(), "αβ"),
        ];
        for (encoding, bytes, expected) in cases {
            assert_eq!(encoding.encoded(bytes).to_string(), expected, "{encoding:?} {bytes:?}");
        }
    }

    #[test]
    fn texts_that_are_none_are_refused() {
        for text in ["4", "4g", "0x41", "é"] {
            assert!(Encoding::Hex.decode(text).is_err(), "{text}");
        }
        for text in ["Z", "Zm9v!", "Zm 9v"] {
            assert!(Encoding::Base64.decode(text).is_err(), "{text}");
        }
        assert_eq!(Encoding::Base64.decode("Zg").as_deref(), Ok(b"f".as_slice()));
        assert_eq!(Encoding::Ascii.decode("aü€b").as_deref(), Ok(b"a??b".as_slice()));
        assert_eq!(Encoding::Hex.decode("CE0f").as_deref(), Ok(b"\xce\x0f".as_slice()));
    }

    #[test]
    fn what_has_no_character_is_replaced() {
        assert_eq!(Encoding::Ascii.decode("aé😀").as_deref(), Ok(&b"a??"[..]));
        assert_eq!(Encoding::Ascii.encoded("é".as_bytes()).to_string(), "\u{FFFD}\u{FFFD}");
        assert_eq!(Encoding::Utf8.encoded(b"a\xFFb").to_string(), "a\u{FFFD}b");
    }

    #[test]
    fn base64_is_read_as_java_does() {
        let cases = [("YQ==", Some(&b"a"[..])), ("YQ", Some(b"a")), ("YR==", Some(b"a")), ("Y", None), ("Y_==", None)];
        for (text, expected) in cases {
            assert_eq!(Encoding::Base64.decode(text).ok().as_deref(), expected, "{text}");
        }
    }
}
