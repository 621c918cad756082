//! What can be wrong with a JSON document.

use std::fmt;

use crate::types::json_scanner::Malformed;

/// What reading a document gives, or why it is refused.
pub(super) type Scan<T> = Result<T, Fault>;

/// Longest excerpt of a value in a message, in bytes.
const EXCERPT_MAX: usize = 100;

/// Why a document was refused. Boxed, so that what succeeds returns in registers.
#[derive(Debug)]
pub(super) struct Fault(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// It is not JSON.
    Malformed(Malformed),
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

impl From<Malformed> for Fault {
    #[cold]
    fn from(malformed: Malformed) -> Self {
        Self(Box::new(Kind::Malformed(malformed)))
    }
}

impl Fault {
    /// Bytes that are not UTF-8.
    #[cold]
    pub(super) fn not_text() -> Self {
        Self(Box::new(Kind::NotText))
    }

    /// More text than a batch can hold.
    #[cold]
    pub(super) fn too_large() -> Self {
        Self(Box::new(Kind::TooLarge))
    }

    /// A value that cannot be read as `expected`.
    #[cold]
    pub(super) fn mismatch(expected: &impl fmt::Display, value: &[u8]) -> Self {
        let shown = String::from_utf8_lossy(&value[..value.len().min(EXCERPT_MAX)]);
        let more = if value.len() > EXCERPT_MAX { "…" } else { "" };
        let (expected, got) = (expected.to_string(), format!("{shown}{more}"));
        Self(Box::new(Kind::Mismatch { path: String::new(), expected, got }))
    }

    /// The same fault seen from the record that holds it in member `name`.
    #[cold]
    pub(super) fn in_member(mut self, name: &str) -> Self {
        if let Kind::Mismatch { path, .. } = &mut *self.0 {
            *path = format!(".{name}{path}");
        }
        self
    }

    /// The same fault seen from the array that holds it at `index`.
    #[cold]
    pub(super) fn in_element(mut self, index: usize) -> Self {
        if let Kind::Mismatch { path, .. } = &mut *self.0 {
            *path = format!("[{index}]{path}");
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Malformed(malformed) => malformed.fmt(f),
            Kind::Mismatch { path, expected, got } => write!(f, "cannot read {got} as {expected} at ${path}"),
            Kind::NotText => f.write_str("invalid UTF-8"),
            Kind::TooLarge => f.write_str("the batch holds more than two gigabytes of text"),
        }
    }
}
