//! `CONCAT_WS(separator, a, b, …)`.

use std::fmt::{self, Display};

use levada_udf::{Rest, Shown, scalar};

/// Texts or bytes one after the other, with the first in between; NULLs are left out.
#[scalar(name = "concat_ws", example("CONCAT_WS('-', 'a', NULL, 'b')" = "'a-b'"))]
pub(super) fn texts(separator: &str, first: Option<&str>, more: Rest<&str>) -> Shown<impl Display> {
    Shown(fmt::from_fn(move |f| {
        f.write_str(first.unwrap_or_default())?;
        let mut is_first = first.is_none();
        more.iter().flatten().try_for_each(|text| {
            if !std::mem::take(&mut is_first) {
                f.write_str(separator)?;
            }
            f.write_str(text)
        })
    }))
}

/// The same of bytes.
#[scalar(name = "concat_ws")]
pub(super) fn bytes(separator: &[u8], first: Option<&[u8]>, more: Rest<&[u8]>) -> Vec<u8> {
    let mut joined = first.unwrap_or_default().to_vec();
    let mut is_first = first.is_none();
    for bytes in more.iter().flatten() {
        if !std::mem::take(&mut is_first) {
            joined.extend_from_slice(separator);
        }
        joined.extend_from_slice(bytes);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_stand_only_between_what_is_not_null() {
        let cases: [(&[Option<&str>], &str); 5] = [
            (&[Some("a"), Some("b"), Some("c")], "a, b, c"),
            (&[None, Some("b"), None, Some("d")], "b, d"),
            (&[Some(""), Some("b")], ", b"),
            (&[None, Some(""), Some("")], ", "),
            (&[None, None], ""),
        ];
        for (values, expected) in cases {
            let get = |index: usize| values[index + 1];
            let rest = Rest::new(values.len() - 1, &get);
            assert_eq!(texts(", ", values[0], rest).0.to_string(), expected, "{values:?}");
            let get = |index: usize| values[index + 1].map(str::as_bytes);
            let rest = Rest::new(values.len() - 1, &get);
            assert_eq!(bytes(b", ", values[0].map(str::as_bytes), rest), expected.as_bytes(), "{values:?}");
        }
    }
}
