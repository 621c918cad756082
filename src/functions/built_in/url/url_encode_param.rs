//! `URL_ENCODE_PARAM(text)`.

use std::fmt::{self, Display, Write as _};

use levada_udf::{Shown, scalar};

/// A text as a parameter of a URL.
#[scalar(example("URL_ENCODE_PARAM('a&b c')" = "'a%26b+c'"))]
pub(super) fn url_encode_param(text: &str) -> Shown<impl Display> {
    Shown(fmt::from_fn(move |f| {
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => f.write_char(char::from(byte)),
                b' ' => f.write_char('+'),
                _ => write!(f, "%{byte:02X}"),
            }?;
        }
        Ok(())
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::url_decode_param::url_decode_param;
    use super::url_encode_param;

    #[test]
    fn only_letters_digits_and_four_marks_stay() {
        let cases = [("?foo $bar", "%3Ffoo+%24bar"), ("aZ9-_.*~", "aZ9-_.*%7E"), ("你\n", "%E4%BD%A0%0A"), ("", "")];
        for (text, expected) in cases {
            assert_eq!(url_encode_param(text).0.to_string(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_it(text in ".{0,8}") {
            let encoded = url_encode_param(&text).0.to_string();
            prop_assert_eq!(url_decode_param(&encoded).expect("a good text").0, text);
        }
    }
}
