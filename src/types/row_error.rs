//! What went wrong with one row of a batch.

/// A row that could not be decoded, evaluated or encoded. The batch goes on without it, or with NULL in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Index of the row in the batch that was being processed.
    pub row: u32,
    /// What was wrong, for a person: names the column or expression and the offending value.
    pub reason: String,
}

impl RowError {
    /// An error of row `row`.
    pub fn new(row: usize, reason: impl Into<String>) -> Self {
        Self { row: row as u32, reason: reason.into() }
    }
}
