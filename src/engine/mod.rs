//! One statement in, one effect out: DDL, persistent queries, push and pull queries.

mod command_log;
mod config;
mod response;

use std::collections::BTreeMap;
use std::path::Path;

pub use response::{Listing, PushEvent, PushQuery, PushQueue, Response, ResultRows};

/// Settings of one client: what `SET` changes.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Properties by their ksqlDB names, `auto.offset.reset` among them.
    pub properties: BTreeMap<String, String>,
    /// Variables of `DEFINE`.
    pub variables: BTreeMap<String, String>,
}

/// Figures of one persistent query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryStatus {
    /// Query id: `CSAS_ALERTS_3`.
    pub id: String,
    /// Stream or table that it writes.
    pub sink: String,
    /// `RUNNING`, `PAUSED` or `ERROR`.
    pub state: String,
    /// Records read.
    pub rows_in: u64,
    /// Records written to the sink.
    pub rows_out: u64,
    /// Records that went to the dead letters.
    pub rejected: u64,
    /// Records not read yet.
    pub lag: u64,
}

/// What went wrong, for a person.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What is wrong.
    pub message: String,
    /// Where in the text that was executed: line and column, from 1.
    pub position: Option<(usize, usize)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl EngineError {
    /// An error without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None, hint: None }
    }

    /// An error of what the engine stands on.
    pub fn environment(error: impl std::fmt::Display) -> Self {
        Self::new(error.to_string())
    }
}

/// The engine: catalog, queries and topics of one data directory.
pub struct Engine {}

impl Engine {
    /// Opens the data directory `dir` with server properties `properties`; persistent queries continue.
    pub fn open(dir: &Path, properties: BTreeMap<String, String>) -> Result<Self, EngineError> {
        let _ = (dir, properties);
        Ok(Self {})
    }

    /// Executes the statements of `text` in order. Stops at the first that fails; the responses so far are given to
    /// `show` as they come.
    pub fn execute(
        &self,
        session: &mut Session,
        text: &str,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        let _ = (session, text, show);
        Ok(())
    }

    /// Applies a file of statements headless: all are checked before the first takes effect; statements that this data
    /// directory has applied from a file before are not applied twice.
    pub fn apply_file(&self, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
        let _ = (text, show);
        Ok(())
    }

    /// Figures of all persistent queries, in order of creation.
    pub fn queries(&self) -> Vec<QueryStatus> {
        Vec::new()
    }

    /// Processes everything there is and returns when nothing has arrived for `idle`, or `interrupted` says stop.
    pub fn run_until_idle(
        &self,
        idle: std::time::Duration,
        interrupted: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(&[QueryStatus]),
    ) {
        let _ = (idle, interrupted, progress);
    }

    /// Names for completion and hints: streams, tables, topics.
    pub fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Commits what is processed and stops all queries; they continue at the next open.
    pub fn shutdown(self) {}
}
