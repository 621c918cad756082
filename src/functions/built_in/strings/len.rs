//! `LEN(value)`.

use levada_udf::scalar;

use super::utf16::Utf16;

/// The number of characters or bytes.
#[scalar(name = "len", example("LEN('abc')" = "3"))]
pub(super) fn texts(value: &str) -> i32 {
    Utf16::new(value).len() as i32
}

/// The same of bytes.
#[scalar(name = "len")]
pub(super) fn bytes(value: &[u8]) -> i32 {
    value.len() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_past_the_first_plane_counts_twice() {
        assert_eq!([texts(""), texts("abc"), texts("é€"), texts("a😀")], [0, 3, 2, 3]);
    }
}
