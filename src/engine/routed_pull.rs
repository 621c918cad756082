//! A pull query whose rows several servers have.

use std::collections::BTreeMap;
use std::time::Duration;

use super::monitoring::PullKind;
use super::pull::PreparedPull;
use super::{Engine, EngineError, ResultRows, Shared};
use crate::plan::{ColumnRole, query_group};
use crate::runtime::StoreOwners;
use crate::types::Column;

/// What a pull query answers.
#[derive(Debug)]
pub enum Pulled {
    /// All rows.
    Rows(ResultRows),
    /// Other servers are to be asked.
    Routed(Box<RoutedPull>),
}

impl Pulled {
    /// The rows, if all of them are here.
    pub(super) fn here(self) -> Result<ResultRows, EngineError> {
        match self {
            Self::Rows(rows) => Ok(rows),
            Self::Routed(routed) => Err(routed.not_here()),
        }
    }
}

/// A pull query of a table of which other servers have rows.
#[derive(Debug)]
pub struct RoutedPull {
    /// Names and types of what it answers.
    pub columns: Vec<Column>,
    /// What each column is.
    pub roles: Vec<ColumnRole>,
    /// Who has the partitions that may have rows.
    pub owners: Vec<StoreOwners>,
    /// The query that keeps the rows.
    pub query: String,
    /// Its consumer group.
    pub group: String,
    /// Its store that has them.
    pub store: String,
    limit: Option<u64>,
    kind: PullKind,
    begun: Duration,
}

impl RoutedPull {
    /// What `prepared` answers, asked at `begun`.
    pub(super) fn new(
        (shared, prepared): (&Shared, &PreparedPull),
        kind: PullKind,
        owners: Vec<StoreOwners>,
        begun: Duration,
    ) -> Self {
        let (columns, roles) = prepared.header();
        let (query, store) = prepared.store();
        let group = query_group(shared.properties(&BTreeMap::new()).service_id(), query);
        let (query, store) = (query.to_owned(), store.to_owned());
        Self { columns, roles, owners, query, group, store, limit: prepared.limit(), kind, begun }
    }

    /// What is said where nobody can be asked.
    pub(super) fn not_here(&self) -> EngineError {
        let partition = self.owners.iter().find(|owners| !owners.is_here()).map_or(0, |owners| owners.partition);
        let query = &self.query;
        EngineError::new(format!("this server has not all rows of {query}: partition {partition} is not here"))
            .with_hint("ask a server over HTTP: it asks the others")
            .with_code(EngineError::NOT_HERE)
    }
}

impl Engine {
    /// The answer of `pull`, of which servers have answered `parts`, or have not; counted.
    pub fn gathered(&self, pull: RoutedPull, parts: Option<Vec<ResultRows>>) -> Option<ResultRows> {
        let shared = &self.inner.shared;
        let rows = parts.map(|parts| {
            let mut left = pull.limit.unwrap_or(u64::MAX) as usize;
            let mut batches = Vec::new();
            for batch in parts.into_iter().flat_map(|part| part.batches) {
                let taken = batch.num_rows().min(left);
                left -= taken;
                if taken > 0 {
                    batches.push(batch.slice(0, taken));
                }
            }
            ResultRows { columns: pull.columns, roles: pull.roles, batches, end: None }
        });
        let time = shared.clock.elapsed().saturating_sub(pull.begun);
        shared.pulls.answered(pull.kind, time, rows.as_ref().map(ResultRows::len));
        rows
    }
}
