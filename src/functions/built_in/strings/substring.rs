//! `SUBSTRING(value, position[, length])`.

use std::ops::Range;

use levada_udf::scalar;

use super::utf16::{Part, Utf16};

/// The part from a position on, so long or to the end; a negative position counts from the end.
#[scalar(name = "substring", example("SUBSTRING('stream', -3)" = "'eam'"))]
pub(super) fn text_to_end(
    text: &str,
    /// 1 is the first character, -1 the last.
    position: i32,
) -> Part<'_> {
    text_of_length(text, position, i32::MAX)
}

/// The same, so long.
#[scalar(name = "substring", example("SUBSTRING('stream', 2, 3)" = "'tre'"))]
pub(super) fn text_of_length(
    text: &str,
    /// 1 is the first character, -1 the last.
    position: i32,
    length: i32,
) -> Part<'_> {
    let text = Utf16::new(text);
    text.part(range(text.len(), position, length))
}

/// The same of bytes.
#[scalar(name = "substring")]
pub(super) fn bytes_to_end(
    bytes: &[u8],
    /// 1 is the first byte, -1 the last.
    position: i32,
) -> &[u8] {
    bytes_of_length(bytes, position, i32::MAX)
}

/// The same of bytes, so long.
#[scalar(name = "substring")]
pub(super) fn bytes_of_length(
    bytes: &[u8],
    /// 1 is the first byte, -1 the last.
    position: i32,
    length: i32,
) -> &[u8] {
    &bytes[range(bytes.len(), position, length)]
}

/// Which of `len` places are meant.
fn range(len: usize, position: i32, length: i32) -> Range<usize> {
    let distance = position.unsigned_abs() as usize;
    let start = if position < 0 { len.saturating_sub(distance) } else { distance.saturating_sub(1).min(len) };
    let length = usize::try_from(length).unwrap_or(0);
    start..start.saturating_add(length).min(len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::utf16::naive;
    use super::*;

    #[test]
    fn positions_start_at_one_and_are_clipped() {
        let cases = [
            ("stream", 1, 3, "str"),
            ("stream", 0, 2, "st"),
            ("stream", 6, 9, "m"),
            ("stream", 7, 1, ""),
            ("stream", 99, 1, ""),
            ("stream", -1, 9, "m"),
            ("stream", -6, 2, "st"),
            ("stream", -99, 2, "st"),
            ("stream", 2, 0, ""),
            ("stream", 2, -1, ""),
            ("stream", i32::MIN, i32::MAX, "stream"),
            ("häßlich", 2, 2, "äß"),
            ("a😀b", 3, 2, "?b"),
        ];
        for (text, position, length, part) in cases {
            assert_eq!(text_of_length(text, position, length).to_string(), part, "{text} {position} {length}");
        }
        assert_eq!(text_to_end("stream", 4).to_string(), "eam");
        assert_eq!((bytes_to_end(b"abc", -2), bytes_of_length(b"abc", 2, 1)), (&b"bc"[..], &b"b"[..]));
    }

    proptest! {
        #[test]
        fn it_is_what_a_list_of_units_gives(text in naive::texts(), position in -20_i32..20, length in -2_i32..20) {
            let units = naive::units(&text);
            let len = units.len() as i32;
            let start = if position < 0 { len + position } else { position - 1 }.clamp(0, len);
            let part: Vec<u16> = units.into_iter().skip(start as usize).take(length.max(0) as usize).collect();
            prop_assert_eq!(text_of_length(&text, position, length).to_string(), naive::text(&part));
        }
    }
}
