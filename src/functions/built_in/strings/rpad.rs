//! `RPAD(value, length, padding)`.

use std::fmt::{self, Display};

use levada_udf::{Shown, scalar};

use super::padding::{padded, padded_bytes};

/// The value with padding after it, so long or cut to that.
#[scalar(name = "rpad", example("RPAD('ab', 5, '.')" = "'ab...'"))]
pub(super) fn texts<'a>(value: &'a str, length: i32, padding: &'a str) -> Result<Option<Shown<impl Display>>, String> {
    let shown = padded(value, length, padding)?;
    Ok(shown.map(|shown| Shown(fmt::from_fn(move |f| write!(f, "{}{}", shown.text, shown.padding)))))
}

/// The same of bytes.
#[scalar(name = "rpad")]
pub(super) fn bytes(value: &[u8], length: i32, padding: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let padded = padded_bytes(value, length, padding)?;
    Ok(padded.map(|padded| [padded.bytes, &padded.padding].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_padded_or_cut() {
        let rpad = |value, length, padding| {
            texts(value, length, padding)
                .map(|shown| shown.map_or_else(|| "NULL".to_owned(), |shown| shown.0.to_string()))
        };
        for (value, length, padding, expected) in
            [("ab", 7, "xyz", "abxyzxy"), ("ab", 1, "xyz", "a"), ("ab", -1, "x", "NULL"), ("ab", 4, "", "NULL")]
        {
            assert_eq!(rpad(value, length, padding), Ok(expected.to_owned()), "{value} {length} {padding}");
        }
        assert_eq!(bytes(b"ab", 5, b"xy"), Ok(Some(b"abxyx".to_vec())));
    }
}
