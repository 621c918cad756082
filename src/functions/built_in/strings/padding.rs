//! What LPAD and RPAD share.

use std::fmt::{self, Display};

use super::utf16::{Part, Utf16};

/// The longest value that is padded.
const LENGTH_MAX: usize = 1 << 24;

/// A text, cut or with padding to a length.
pub(super) struct Padded<'a> {
    pub(super) text: Part<'a>,
    pub(super) padding: Repeated<'a>,
}

/// A text again and again, and part of it at the end.
pub(super) struct Repeated<'a> {
    whole: &'a str,
    times: usize,
    last: Part<'a>,
}

impl Display for Repeated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.times).try_for_each(|_| f.write_str(self.whole))?;
        self.last.fmt(f)
    }
}

impl<'a> Repeated<'a> {
    /// So many units.
    fn new(text: &'a str, units: usize) -> Self {
        let whole = Utf16::new(text);
        Self { whole: text, times: units / whole.len(), last: whole.part(0..units % whole.len()) }
    }
}

/// `text` to be `length` units long; `None` if it cannot be.
///
/// # Errors
/// It would be too long.
pub(super) fn padded<'a>(text: &'a str, length: i32, padding: &'a str) -> Result<Option<Padded<'a>>, String> {
    let text = Utf16::new(text);
    let lengths = lengths(text.len(), length, padding.is_empty())?;
    Ok(lengths.map(|(kept, missing)| Padded { text: text.part(0..kept), padding: Repeated::new(padding, missing) }))
}

/// Bytes, cut or with padding to a length.
pub(super) struct PaddedBytes<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) padding: Vec<u8>,
}

/// `bytes` to be `length` bytes long; `None` if they cannot be.
///
/// # Errors
/// They would be too many.
pub(super) fn padded_bytes<'a>(
    bytes: &'a [u8],
    length: i32,
    padding: &[u8],
) -> Result<Option<PaddedBytes<'a>>, String> {
    let lengths = lengths(bytes.len(), length, padding.is_empty())?;
    Ok(lengths.map(|(kept, missing)| PaddedBytes {
        bytes: &bytes[..kept],
        padding: padding.iter().copied().cycle().take(missing).collect(),
    }))
}

/// How much of a value of `len` is kept, and how much is missing to `length`.
fn lengths(len: usize, length: i32, is_padding_empty: bool) -> Result<Option<(usize, usize)>, String> {
    let Some(length) = usize::try_from(length).ok().filter(|_| !is_padding_empty) else { return Ok(None) };
    if length > len && length > LENGTH_MAX {
        return Err(format!("a value can be padded to {LENGTH_MAX} at most, and {length} is more"));
    }
    Ok(Some((len.min(length), length.saturating_sub(len))))
}
