//! `MASK_RIGHT(text, count[, upper, lower, digit, other])`.

use levada_udf::scalar;

use super::masks::Masks;

/// The text with the last characters masked.
#[scalar(name = "mask_right", example("MASK_RIGHT('My Test $123', 4)" = "'My Test -nnn'"))]
pub(super) fn plain(text: &str, count: i32) -> Result<String, &'static str> {
    Masks::default().right(text, count)
}

/// The same with other masks.
#[scalar(name = "mask_right")]
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
    Masks::new(upper, lower, digit, other)?.right(text, count)
}
