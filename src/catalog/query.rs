//! Persistent queries, as far as the catalog cares: who reads and writes what.

use std::fmt;
use std::sync::Arc;

/// Id of a persistent query: `CSAS_ALERTS_3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryId(Arc<str>);

impl QueryId {
    /// The id spelled `text`.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What started a persistent query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// `CREATE … AS SELECT`.
    CreateAs,
    /// `INSERT INTO … SELECT`.
    Insert,
    /// `CREATE SOURCE TABLE`: fills a store and writes no topic.
    CreateSource,
}

/// A persistent query and the streams and tables it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryInfo {
    /// Its id.
    pub id: QueryId,
    /// What started it.
    pub kind: QueryKind,
    /// Streams and tables that it reads, left to right.
    pub reads: Vec<String>,
    /// Stream or table that it fills.
    pub sink: String,
    /// Functions that its statement calls, by their names in capitals; of those that are not built in.
    pub functions: Vec<String>,
    /// The statement that started it.
    pub sql: String,
}
