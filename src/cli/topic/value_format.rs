//! How values stand in lines.

use std::borrow::Cow;

use super::hex;

/// What a line of input or output has of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ValueFormat {
    /// The value itself
    Text,
    /// Its bytes, as digits: 0x00ff
    Hex,
}

impl ValueFormat {
    /// The bytes of a value that stands in a line as `text`.
    pub(super) fn bytes(self, text: &[u8]) -> Result<Cow<'_, [u8]>, String> {
        match self {
            Self::Text => Ok(Cow::Borrowed(text)),
            Self::Hex => {
                hex::bytes(text).map(Cow::Owned).ok_or_else(|| "the value is not of digits such as 0x00ff".to_owned())
            }
        }
    }
}
