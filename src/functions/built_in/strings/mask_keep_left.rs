//! `MASK_KEEP_LEFT(text, count[, upper, lower, digit, other])`.

use levada_udf::scalar;

use super::masks::Masks;

/// The text with all but the first characters masked.
#[scalar(name = "mask_keep_left", example("MASK_KEEP_LEFT('My Test $123', 4)" = "'My Txxx--nnn'"))]
pub(super) fn plain(text: &str, count: i32) -> Result<String, &'static str> {
    Masks::default().keep_left(text, count)
}

/// The same with other masks.
#[scalar(name = "mask_keep_left")]
pub(super) fn with_masks(
    text: &str,
    count: i32,
    /// For capital letters; NULL keeps them.
    upper: Option<&str>,
    /// For small letters; NULL keeps them.
    lower: Option<&str>,
    /// For digits; NULL keeps them.
    digit: Option<&str>,
    /// For all other characters; NULL keeps them.
    other: Option<&str>,
) -> Result<String, &'static str> {
    Masks::new(upper, lower, digit, other)?.keep_left(text, count)
}
