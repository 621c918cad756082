//! `ENCODE(text, from, to)`.

use std::borrow::Cow;

use levada_udf::scalar;

use super::super::encoding::Encoding;

/// A text in another encoding: hex, utf8, ascii or base64.
#[scalar(name = "encode", example("ENCODE('4b6579', 'hex', 'utf8')" = "'Key'"))]
pub(super) fn encode(
    /// Hexadecimal digits may stand alone, after 0x, or in X''.
    text: &str,
    from: &str,
    to: &str,
) -> Result<String, String> {
    let (from, to) = (Encoding::named(from)?, Encoding::named(to)?);
    let text = if from == Encoding::Hex { bare(text) } else { Cow::Borrowed(text) };
    Ok(to.encoded(&from.decode(&text)?).to_string())
}

/// The digits of `4A4b`, `0x4A4b` or `X'4A4b'`. After `0x` a first zero may have been left out.
fn bare(text: &str) -> Cow<'_, str> {
    if let Some(digits) = text.strip_prefix("0x") {
        if digits.len() % 2 == 1 { format!("0{digits}").into() } else { digits.into() }
    } else {
        let quoted = text.strip_prefix(['X', 'x']).and_then(|text| text.strip_prefix('\'')?.strip_suffix('\''));
        quoted.unwrap_or(text).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_can_be_written() {
        let to = ["hex", "utf8", "ASCII", "base64"].map(|to| encode("w5xi", "base64", to).expect("it is base64"));
        assert_eq!(to, ["c39c62", "Üb", "\u{FFFD}\u{FFFD}b", "w5xi"]);
        assert!(encode("a", "null", "utf8").is_err());
    }

    #[test]
    fn hexadecimal_has_three_forms() {
        let cases = [
            ("4A4b", Some("JK")),
            ("0x4A4b", Some("JK")),
            ("X'4A4b'", Some("JK")),
            ("x'4A4b'", Some("JK")),
            ("0x54b", Some("\u{5}K")),
            ("54b", None),
            ("x'54b'", None),
            ("", Some("")),
            ("0x", Some("")),
            ("x''", Some("")),
            ("X'", None),
            ("x'4A4b", None),
            ("0x0x", None),
            ("4é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(encode(text, "hex", "utf8").ok().as_deref(), expected, "{text}");
        }
    }
}
