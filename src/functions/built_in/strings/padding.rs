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

/// `text` to be `length` units long; `None` if it cannot be.
///
/// # Errors
/// It would be too long.
pub(super) fn padded<'a>(text: &'a str, length: i32, padding: &'a str) -> Result<Option<Padded<'a>>, String> {
    let (text, padding) = (Utf16::new(text), Padding { units: Utf16::new(padding), text: padding });
    let Some((kept, missing)) = lengths(text.len(), length, padding.units.len())? else { return Ok(None) };
    Ok(Some(Padded { text: text.part(0..kept), padding: padding.repeated(missing) }))
}

struct Padding<'a> {
    units: Utf16<'a>,
    text: &'a str,
}

impl<'a> Padding<'a> {
    fn repeated(&self, units: usize) -> Repeated<'a> {
        let len = self.units.len();
        Repeated { whole: self.text, times: units / len, last: self.units.part(0..units % len) }
    }
}

/// The bytes of `value` that are kept and those that are missing to `length`; `None` if it cannot be so long.
///
/// # Errors
/// It would be too long.
pub(super) fn padded_bytes<'a>(
    value: &'a [u8],
    length: i32,
    padding: &[u8],
) -> Result<Option<(&'a [u8], Vec<u8>)>, String> {
    let Some((kept, missing)) = lengths(value.len(), length, padding.len())? else { return Ok(None) };
    Ok(Some((&value[..kept], padding.iter().copied().cycle().take(missing).collect())))
}

/// How much of a value of `len` is kept, and how much is missing to `length`.
fn lengths(len: usize, length: i32, padding: usize) -> Result<Option<(usize, usize)>, String> {
    let Some(length) = usize::try_from(length).ok().filter(|_| padding > 0) else { return Ok(None) };
    if length > len && length > LENGTH_MAX {
        return Err(format!("a value can be padded to {LENGTH_MAX} at most, and {length} is more"));
    }
    Ok(Some((len.min(length), length.saturating_sub(len))))
}
