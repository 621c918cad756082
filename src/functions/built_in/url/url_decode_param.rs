//! `URL_DECODE_PARAM(text)`.

use std::borrow::Cow;

use levada_udf::{Shown, scalar};

use super::uri::escaped;

/// A parameter as it was before it was encoded.
#[scalar(example("URL_DECODE_PARAM('a%26b+c')" = "'a&b c'"))]
pub(super) fn url_decode_param(text: &str) -> Result<Shown<Cow<'_, str>>, &'static str> {
    if !text.contains(['%', '+']) {
        return Ok(Shown(Cow::Borrowed(text)));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let byte = escaped(rest).or_else(|| signed(rest));
            decoded.push(byte.ok_or("there is a '%' without two hexadecimal digits")?);
            rest = &rest[3..];
        } else {
            decoded.push(if *first == b'+' { b' ' } else { *first });
            rest = after;
        }
    }
    Ok(Shown(Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())))
}

/// To Java what follows the `%` is a number, which may have a sign.
fn signed(text: &[u8]) -> Option<u8> {
    match text {
        [_, b'+', digit, ..] => char::from(*digit).to_digit(16).map(|digit| digit as u8),
        [_, b'-', b'0', ..] => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::url_decode_param;

    #[test]
    fn what_was_encoded_is_decoded() {
        let cases = [
            ("%3Ffoo+%24bar", "?foo $bar"),
            ("nothing/ü", "nothing/ü"),
            ("%e4%BD%a0", "你"),
            ("%ff", "\u{FFFD}"),
            ("%+a%-0", "\n\0"),
        ];
        for (text, expected) in cases {
            assert_eq!(url_decode_param(text).expect("a good text").0, expected, "{text}");
        }
        for text in ["%", "a%4", "%4g", "%ü"] {
            assert!(url_decode_param(text).is_err(), "{text}");
        }
    }
}
