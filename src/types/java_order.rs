//! Java's order of values, where it is not that of their bytes.

use std::cmp::Ordering;

/// `String.compareTo`: by units of UTF-16, in which characters past U+FFFF come before U+E000.
pub fn of_texts(a: &str, b: &str) -> Ordering {
    let differ = a.bytes().zip(b.bytes()).find(|(a, b)| a != b);
    // No byte from 0xEE on stands within a character, so these two begin one each.
    match differ {
        Some((a @ 0xEE.., b @ 0xEE..)) if (a < 0xF0) != (b < 0xF0) => b.cmp(&a),
        Some((a, b)) => a.cmp(&b),
        None => a.len().cmp(&b.len()),
    }
}

/// `ByteBuffer.compareTo`: bytes have a sign.
pub fn of_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let signed = |&byte: &u8| byte.cast_signed();
    a.iter().map(signed).cmp(b.iter().map(signed))
}

/// `Double.compare`: -0.0 before 0.0, and NaN, of which there is one, after all others.
pub fn of_doubles(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(&b),
        (a, b) => a.cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn characters_past_u_ffff_come_before_the_last_of_the_plane_below() {
        let ascending = ["", "a", "ab", "é", "\u{D7FF}", "\u{10000}", "\u{10FFFF}", "\u{E000}", "\u{FFFF}"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(of_texts(a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn bytes_have_a_sign_and_nan_is_the_greatest_double() {
        assert_eq!(of_bytes(b"a\x80", b"a\x7f"), Ordering::Less);
        assert_eq!(of_bytes(b"a", b"a\x80"), Ordering::Less);
        assert_eq!(of_doubles(-f64::NAN, f64::INFINITY), Ordering::Greater);
        assert_eq!(of_doubles(-f64::NAN, f64::NAN), Ordering::Equal);
        assert_eq!(of_doubles(-0.0, 0.0), Ordering::Less);
    }

    proptest! {
        #[test]
        fn texts_are_ordered_as_their_units_are(
            a in "[\u{40}-\u{41}\u{D7FE}-\u{D7FF}\u{E000}\u{FFFF}-\u{10001}]{0,3}",
            b in "[\u{40}-\u{41}\u{D7FE}-\u{D7FF}\u{E000}\u{FFFF}-\u{10001}]{0,3}",
        ) {
            prop_assert_eq!(of_texts(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
        }
    }
}
