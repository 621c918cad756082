//! ksqlDB's own cases, read from files and run on the production engine.
//!
//! ```text
//! file ── case ──▶ Case ─┬─ qtt   statements, then records one at a time, query by query
//!                        └─ rqtt  statements, records, then SELECTs and their answers: of the engine, or over HTTP (rest)
//!          payload: JSON ─▶ bytes ─▶ topic ─▶ bytes ─▶ Comparable ── comparison ──▶ same, or where not
//! ```
//!
//! The cases are not part of this repository: they belong to ksqlDB, and only their ids appear here. What each member
//! of a case means is fixed by ksqlDB's own runner; the rules are repeated beside the code that follows them. What
//! a case brings to the registry is registered.

mod avro;
mod case;
mod comparison;
mod connect_json;
mod decimal;
mod json;
mod judgement;
mod payload;
mod post;
mod protobuf;
mod qtt;
mod relaxation;
mod rest;
mod rqtt;
mod setting;

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use super::driver::{Open, RunMode};
use super::pool::Job;
use super::{Outcome, driver};
use case::{Case, CaseFile};
use relaxation::{Relaxation, Rules};

/// Folder of the cases that ask a server.
const SERVER_SUITE: &str = "rqtt";

/// One case, ready to run.
pub struct ConformanceJob {
    case: Case,
    suite: Suite,
    relaxation: Relaxation,
    unfit: Option<String>,
    open: Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suite {
    /// Persistent queries.
    Qtt,
    /// Statements and SELECTs, as a server answers them.
    Rqtt,
}

/// What went wrong with a file of cases.
#[derive(Debug, thiserror::Error)]
pub enum CaseFileError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It holds no cases.
    #[error("{path} holds no cases: {source}")]
    Parse {
        /// The file.
        path: String,
        /// Why.
        source: serde_json::Error,
    },
}

/// The cases of the file at `path`, in order.
pub fn read_jobs(path: &Path, open: Open) -> Result<Vec<ConformanceJob>, CaseFileError> {
    let shown = || path.display().to_string();
    let read = |source| CaseFileError::Read { path: shown(), source };
    let text = fs::read_to_string(path).map_err(read)?;
    let file: CaseFile =
        serde_json::from_str(&text).map_err(|source| CaseFileError::Parse { path: shown(), source })?;
    let rules = Arc::new(Rules::near(path).map_err(read)?);
    let in_server_suite = path.parent().is_some_and(|folder| folder.ends_with(SERVER_SUITE));
    let job = |case: Case| {
        let asks_a_server = in_server_suite || case.responses.is_some() || case.expected_error.is_some();
        ConformanceJob {
            suite: if asks_a_server { Suite::Rqtt } else { Suite::Qtt },
            relaxation: rules.relaxation(&case.id),
            unfit: rules.unfit(&case.id).map(str::to_owned),
            case,
            open,
        }
    };
    Ok(file.tests.into_iter().map(job).collect())
}

/// Whether a JSON text looks like a file of cases; other files lie beside them.
pub fn holds_cases(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|json| json.get("tests").is_some_and(serde_json::Value::is_array))
}

impl Job for ConformanceJob {
    fn id(&self) -> &str {
        &self.case.id
    }

    fn run(&self) -> Outcome {
        if let Some(reason) = &self.unfit {
            return Outcome::skipped(&self.case.id, format!("unfit: {reason}"));
        }
        Outcome::of(&self.case.id, self.run_fresh())
    }
}

/// When cases are run: some day, since cases ask for the time and want it to be long after the epoch.
const NOW_MS: i64 = 1_700_000_000_000;

impl ConformanceJob {
    fn run_fresh(&self) -> Result<(), String> {
        let mode = match self.suite {
            Suite::Qtt => RunMode::CONFORMANCE,
            Suite::Rqtt => RunMode::ONE_BY_ONE,
        };
        let mut driver: Box<dyn driver::Driver> = (self.open)(mode).map_err(|failure| failure.message)?;
        driver.set_clock(NOW_MS);
        match self.suite {
            Suite::Qtt => qtt::run(&self.case, &self.relaxation, &mut *driver),
            Suite::Rqtt => rqtt::run(&self.case, &mut *driver),
        }
    }
}
