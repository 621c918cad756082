//! `TRIM(text)`.

use levada_udf::scalar;

/// The text without blanks at its ends.
#[scalar(name = "trim", example("TRIM('  a b ')" = "'a b'"))]
pub(super) fn trim(text: &str) -> &str {
    // Java's blanks here are all that comes up to it, line ends and control characters among them.
    text.trim_matches(|character| character <= ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_what_comes_up_to_a_space() {
        assert_eq!(trim(" \t\r\n\0a b\u{1}"), "a b");
        assert_eq!(trim("\u{A0}a\u{2003}"), "\u{A0}a\u{2003}");
    }
}
