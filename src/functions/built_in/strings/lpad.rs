//! `LPAD(value, length, padding)`.

use std::fmt::{self, Display};

use levada_udf::{Shown, scalar};

use super::padding::{padded, padded_bytes};

/// The value with padding before it, so long or cut to that.
#[scalar(name = "lpad", example("LPAD('42', 5, '0')" = "'00042'"))]
pub(super) fn texts<'a>(value: &'a str, length: i32, padding: &'a str) -> Result<Option<Shown<impl Display>>, String> {
    let shown = padded(value, length, padding)?;
    Ok(shown.map(|shown| Shown(fmt::from_fn(move |f| write!(f, "{}{}", shown.padding, shown.text)))))
}

/// The same of bytes.
#[scalar(name = "lpad")]
pub(super) fn bytes(value: &[u8], length: i32, padding: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let padded = padded_bytes(value, length, padding)?;
    Ok(padded.map(|padded| [&padded.padding, padded.bytes].concat()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::utf16::naive;
    use super::*;

    fn lpad(value: &str, length: i32, padding: &str) -> Result<Option<String>, String> {
        texts(value, length, padding).map(|shown| shown.map(|shown| shown.0.to_string()))
    }

    #[test]
    fn values_are_padded_or_cut() {
        let cases = [
            ("ab", 7, "xyz", Some("xyzxyab")),
            ("ab", 1, "xyz", Some("a")),
            ("ab", 0, "xyz", Some("")),
            ("ab", -1, "xyz", None),
            ("ab", 1, "", None),
            ("", 5, "😀", Some("😀😀?")),
        ];
        for (value, length, padding, expected) in cases {
            let expected = Ok(expected.map(str::to_owned));
            assert_eq!(lpad(value, length, padding), expected, "{value} {length} {padding}");
        }
        assert_eq!(bytes(b"ab", 5, b"xy"), Ok(Some(b"xyxab".to_vec())));
        assert_eq!(bytes(b"abc", 2, b"xy"), Ok(Some(b"ab".to_vec())));
        assert!(lpad("", i32::MAX, "x").is_err());
    }

    proptest! {
        #[test]
        fn it_is_what_a_list_of_units_gives(value in naive::texts(), padding in naive::texts(), length in -1_i32..24) {
            let (value_units, padding_units) = (naive::units(&value), naive::units(&padding));
            let expected = usize::try_from(length).ok().filter(|_| !padding.is_empty()).map(|length| {
                let missing = length.saturating_sub(value_units.len());
                let units: Vec<u16> = padding_units.iter().cycle().take(missing).chain(&value_units).copied().collect();
                // The two ends of halves do not make a pair.
                let (before, after) = units[..length].split_at(missing);
                naive::text(before) + &naive::text(after)
            });
            prop_assert_eq!(lpad(&value, length, &padding), Ok(expected));
        }
    }
}
