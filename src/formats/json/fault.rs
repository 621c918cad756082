//! What can be wrong with a JSON document.

use std::fmt;

/// Longest excerpt of a value in a message, in bytes.
const EXCERPT_MAX: usize = 100;

/// Why a document was refused.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not JSON.
    Malformed {
        /// Byte at which reading stopped.
        at: usize,
        /// What was expected there.
        what: &'static str,
    },
    /// A value does not fit its column.
    Mismatch {
        /// Where the value stands below the root: `.ADDRESS.LINES[0]`.
        path: String,
        /// Type of the column or field.
        expected: String,
        /// The value, shortened.
        got: String,
    },
    /// It is not UTF-8.
    NotText,
    /// The batch's text would pass two gigabytes.
    TooLarge,
}

impl Fault {
    /// A value that cannot be read as `expected`.
    #[cold]
    pub(super) fn mismatch(expected: &impl fmt::Display, value: &[u8]) -> Box<Self> {
        let shown = String::from_utf8_lossy(&value[..value.len().min(EXCERPT_MAX)]);
        let more = if value.len() > EXCERPT_MAX { "…" } else { "" };
        Box::new(Self::Mismatch { path: String::new(), expected: expected.to_string(), got: format!("{shown}{more}") })
    }

    /// The same fault seen from the record that holds it in member `name`.
    #[cold]
    pub(super) fn in_member(mut self: Box<Self>, name: &str) -> Box<Self> {
        if let Self::Mismatch { path, .. } = &mut *self {
            *path = format!(".{name}{path}");
        }
        self
    }

    /// The same fault seen from the array that holds it at `index`.
    #[cold]
    pub(super) fn in_element(mut self: Box<Self>, index: usize) -> Box<Self> {
        if let Self::Mismatch { path, .. } = &mut *self {
            *path = format!("[{index}]{path}");
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { at, what } => write!(f, "malformed JSON at byte {at}: {what}"),
            Self::Mismatch { path, expected, got } => write!(f, "cannot read {got} as {expected} at ${path}"),
            Self::NotText => f.write_str("invalid UTF-8"),
            Self::TooLarge => f.write_str("the batch holds more than two gigabytes of text"),
        }
    }
}
