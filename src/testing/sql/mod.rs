//! Tests in SQL, as ksqlDB's own tool runs them: statements, records by INSERT VALUES, and ASSERTs about what came of them.
//!
//! ```text
//! file ── script ──▶ cases ── run, each on a fresh engine ──▶ statement ─┬─ execute, then settle all queries
//!                                                                        ├─ ASSERT VALUES  ─▶ values: next record of a topic
//!                                                                        └─ ASSERT STREAM  ─▶ definition
//! ```
//!
//! The file format is described in `tests/sql/README.md`.

mod definition;
mod judgement;
mod run;
mod script;
mod values;

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Outcome;
use super::pool::Job;
use script::TestCase;

/// One test of a file, ready to run.
pub struct SqlJob {
    id: String,
    path: PathBuf,
    case: TestCase,
}

/// Why a file has no tests that could be run.
#[derive(Debug)]
pub enum SqlFileError {
    /// It cannot be read.
    Read(io::Error),
    /// It is no file of tests, for this reason.
    Malformed(String),
}

/// The tests of the file at `path`, in order; their ids begin with `file`. None if it is a plain script.
pub fn read_jobs(file: &str, path: &Path) -> Result<Vec<SqlJob>, SqlFileError> {
    let text = fs::read_to_string(path).map_err(SqlFileError::Read)?;
    let cases = script::cases(&text).map_err(SqlFileError::Malformed)?;
    let job = |case: TestCase| SqlJob { id: format!("{file} - {}", case.name), path: path.to_owned(), case };
    Ok(cases.into_iter().map(job).collect())
}

impl Job for SqlJob {
    fn id(&self) -> &str {
        &self.id
    }

    fn run(&self) -> Outcome {
        Outcome::of(&self.id, run::run(&self.case, &self.path)).always_told()
    }
}
