//! Why a read cannot go on.

use std::time::Duration;

use arrow::error::ArrowError;

use crate::state::StateError;

/// Why a read cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// What an operator keeps has no room.
    #[error("the query needs more memory than queries may take: {what} does not fit in {limit} bytes")]
    Memory {
        /// What is kept.
        what: &'static str,
        /// What all reads may take.
        limit: usize,
    },
    /// Somebody has ended it.
    #[error("the query was stopped")]
    Stopped,
    /// It has taken too long.
    #[error("the query was ended: it has taken longer than {} ms", .0.as_millis())]
    TimeOut(Duration),
    /// A query inside an expression has several rows.
    #[error("a query inside an expression has given more than one row")]
    SeveralRows,
    /// Files for what memory has no room for.
    #[error("rows cannot be kept in a file while they are sorted: {0}")]
    Spill(#[from] std::io::Error),
    /// A layer below.
    #[error("{0}")]
    Failed(String),
}

impl From<ArrowError> for BatchError {
    fn from(error: ArrowError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StateError> for BatchError {
    fn from(error: StateError) -> Self {
        Self::Failed(error.to_string())
    }
}
