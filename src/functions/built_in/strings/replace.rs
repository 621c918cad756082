//! `REPLACE(text, old, new)`.

use std::fmt::{self, Display};

use levada_udf::{Shown, scalar};

/// The text with a part replaced wherever it occurs.
#[scalar(name = "replace", example("REPLACE('a-b-c', '-', '+')" = "'a+b+c'"))]
pub(super) fn replace(
    text: &str,
    /// What is replaced. It is literal; an empty one stands before and after every character.
    old: &str,
    new: &str,
) -> Shown<impl Display> {
    Shown(fmt::from_fn(move |f| {
        let mut kept = 0;
        for (start, part) in text.match_indices(old) {
            f.write_str(&text[kept..start])?;
            f.write_str(new)?;
            kept = start + part.len();
        }
        f.write_str(&text[kept..])
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_literal_and_do_not_overlap() {
        let cases = [
            ("a.b.c", ".", "", "abc"),
            ("aaa", "aa", "b", "ba"),
            ("ab", "x", "y", "ab"),
            ("a😀", "", "-", "-a-😀-"),
            ("", "", "-", "-"),
            ("$1 a", "a", "$1", "$1 $1"),
        ];
        for (text, old, new, expected) in cases {
            assert_eq!(replace(text, old, new).0.to_string(), expected, "{text} {old} {new}");
        }
    }
}
