//! Java's order of values, where it is not that of their bytes.

use std::cmp::Ordering;

use arrow::array::{Array, StringArray};

/// `String.compareTo`: by units of UTF-16, in which characters past U+FFFF come before U+E000.
pub fn of_texts(a: &str, b: &str) -> Ordering {
    of_encoded_texts(a.as_bytes(), b.as_bytes())
}

/// [`of_texts`] of bytes that are UTF-8, or an encoding of such that keeps the order and has no other bytes from 0xEE on where two
/// values first differ.
pub fn of_encoded_texts(a: &[u8], b: &[u8]) -> Ordering {
    match first_difference(a, b) {
        // No byte from 0xEE on stands within a character, so these two begin one each.
        Some((a @ 0xEE.., b @ 0xEE..)) if (a < 0xF0) != (b < 0xF0) => b.cmp(&a),
        Some((a, b)) => a.cmp(&b),
        None => a.len().cmp(&b.len()),
    }
}

/// Whether the order of `texts` among each other and with others of that kind is that of their bytes: no character is past U+FFFF.
pub fn is_order_of_bytes(texts: &StringArray) -> bool {
    let offsets = texts.value_offsets();
    let bytes = &texts.value_data()[offsets[0] as usize..offsets[texts.len()] as usize];
    // In blocks, so that many bytes are looked at at once.
    bytes.chunks(256).all(|block| block.iter().fold(0, |greatest, &byte| byte.max(greatest)) < 0xF0)
}

/// `ByteBuffer.compareTo`: bytes have a sign.
pub fn of_bytes(a: &[u8], b: &[u8]) -> Ordering {
    match first_difference(a, b) {
        Some((a, b)) => a.cast_signed().cmp(&b.cast_signed()),
        None => a.len().cmp(&b.len()),
    }
}

/// The bytes at the first place where both have one and these differ.
#[inline]
fn first_difference(a: &[u8], b: &[u8]) -> Option<(u8, u8)> {
    let (a_words, a_rest) = a.as_chunks::<8>();
    let (b_words, b_rest) = b.as_chunks::<8>();
    for (index, (x, y)) in a_words.iter().zip(b_words).enumerate() {
        let differing = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differing != 0 {
            let place = index * 8 + differing.trailing_zeros() as usize / 8;
            return Some((a[place], b[place]));
        }
    }
    let (a, b) = match a_words.len().cmp(&b_words.len()) {
        Ordering::Equal => (a_rest, b_rest),
        Ordering::Less => (a_rest, &b[a_words.len() * 8..]),
        Ordering::Greater => (&a[b_words.len() * 8..], b_rest),
    };
    a.iter().zip(b).find(|(a, b)| a != b).map(|(&a, &b)| (a, b))
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
    fn bytes_tell_the_order_unless_a_character_is_past_u_ffff() {
        let texts = StringArray::from(vec!["a\u{10000}", "\u{E000}", &"a".repeat(1_000), "b"]);
        assert!(!is_order_of_bytes(&texts));
        assert!(is_order_of_bytes(&texts.slice(1, 3)) && is_order_of_bytes(&texts.slice(4, 0)));
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

        #[test]
        fn long_texts_and_bytes_are_compared_where_they_first_differ(
            start in "[a-z\u{10000}]{0,20}", a in "[a-b\u{FFFF}-\u{10001}]{0,12}", b in "[a-b\u{FFFF}-\u{10001}]{0,12}",
        ) {
            let (a, b) = (format!("{start}{a}"), format!("{start}{b}"));
            prop_assert_eq!(of_texts(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
            let signed = |text: &str| text.bytes().map(u8::cast_signed).collect::<Vec<_>>();
            prop_assert_eq!(of_bytes(a.as_bytes(), b.as_bytes()), signed(&a).cmp(&signed(&b)));
        }
    }
}
