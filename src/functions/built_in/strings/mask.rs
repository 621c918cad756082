//! `MASK(text[, upper, lower, digit, other])`.

use levada_udf::scalar;

use super::masks::Masks;

/// The text with every character masked.
#[scalar(name = "mask", example("MASK('My Test $123')" = "'Xx-Xxxx--nnn'"))]
pub(super) fn plain(text: &str) -> String {
    Masks::default().all(text)
}

/// The same with other masks.
#[scalar(name = "mask", example("MASK('My Test $123', '*', NULL, '1', NULL)" = "'*y *est $111'"))]
pub(super) fn with_masks(
    text: &str,
    /// For capital letters; NULL keeps them.
    upper: Option<&str>,
    /// For small letters; NULL keeps them.
    lower: Option<&str>,
    /// For digits; NULL keeps them.
    digit: Option<&str>,
    /// For all other characters; NULL keeps them.
    other: Option<&str>,
) -> Result<String, &'static str> {
    Ok(Masks::new(upper, lower, digit, other)?.all(text))
}
