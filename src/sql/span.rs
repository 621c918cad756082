//! Where in the text a node stands.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A place in the text that was parsed: 1-based line and column (in characters, as ksqlDB counts them),
/// and the byte range for showing the source.
///
/// Positions take no part in the comparison of trees: two spans are always equal and hash alike, so that
/// `GROUP BY a + b` matches the `a + b` of the SELECT list. Compare the fields to compare places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// Line of the first character, from 1; 0 when the node was not read from a text.
    pub line: u32,
    /// Column of the first character, from 1.
    pub column: u32,
    /// Byte offset of the first character.
    pub offset: u32,
    /// Length in bytes.
    pub length: u32,
}

impl Span {
    /// The position of nodes that were built, not read.
    pub const NONE: Span = Span { line: 0, column: 0, offset: 0, length: 0 };

    /// From the start of this span to the end of `last`.
    #[must_use]
    pub fn to(self, last: Span) -> Span {
        Span { length: (last.offset + last.length).saturating_sub(self.offset), ..self }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}

impl Eq for Span {}

impl Hash for Span {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Prints `Line: 3, Col: 8`, the way ksqlDB begins a message about a place.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line: {}, Col: {}", self.line, self.column)
    }
}
