//! Paths to jobs: spec files, files of tests in SQL and files of cases, folders recursively.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Outcome;
use super::conformance::{self, CaseFileError, ConformanceJob};
use super::driver::Open;
use super::pool::{self, Job};
use super::spec::SpecJob;
use super::sql::{self, SqlFileError, SqlJob};

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// A path cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The path.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that was named is neither a spec nor a file of cases.
    #[error("{path} is no .spec file, no .sql file of tests and no .json file of cases")]
    Unknown {
        /// The path.
        path: String,
    },
    /// There is nothing to run: likely another folder was meant.
    #[error("no specs, no tests and no cases in {paths}")]
    Nothing {
        /// What was searched.
        paths: String,
    },
    /// A file of SQL that was named holds no tests, or not as it should.
    #[error("{path}: {reason}")]
    Sql {
        /// The path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of cases cannot be understood.
    #[error(transparent)]
    Cases(#[from] CaseFileError),
}

/// Said of a file of SQL without tests.
const NO_TESTS: &str = "a plain script and no test: a test begins with a line --@test: name";

enum AnyJob {
    Spec(SpecJob),
    Sql(Box<SqlJob>),
    /// What is known of a file of SQL among others without running it.
    Known(Outcome),
    Conformance(Box<ConformanceJob>),
}

impl Job for AnyJob {
    fn id(&self) -> &str {
        match self {
            Self::Spec(job) => job.id(),
            Self::Sql(job) => job.id(),
            Self::Known(outcome) => &outcome.id,
            Self::Conformance(job) => job.id(),
        }
    }

    fn run(&self) -> Outcome {
        match self {
            Self::Spec(job) => job.run(),
            Self::Sql(job) => job.run(),
            Self::Known(outcome) => outcome.clone(),
            Self::Conformance(job) => job.run(),
        }
    }
}

/// Runs all specs and cases below `paths`, in the order of their names. With `bless`, specs are rewritten to expect
/// what came out.
pub fn run_paths(paths: &[PathBuf], open: Open, bless: bool) -> Result<Vec<Outcome>, CollectError> {
    let mut jobs = Vec::new();
    for path in paths {
        collect(path, path, open, bless, &mut jobs)?;
    }
    if jobs.is_empty() {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(CollectError::Nothing { paths: paths.join(", ") });
    }
    Ok(pool::run_all(jobs))
}

fn collect(root: &Path, path: &Path, open: Open, bless: bool, jobs: &mut Vec<AnyJob>) -> Result<(), CollectError> {
    let read = |source| CollectError::Read { path: path.display().to_string(), source };
    if fs::metadata(path).map_err(read)?.is_dir() {
        let entries = fs::read_dir(path).map_err(read)?;
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>().map_err(read)?;
        paths.sort();
        return paths.iter().try_for_each(|path| collect(root, path, open, bless, jobs));
    }
    let is_named = root == path;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("spec") => jobs.push(AnyJob::Spec(SpecJob::new(spec_id(root, path), path, open, bless))),
        Some("sql") => jobs.extend(sql_jobs(root, path)?),
        Some("json") if is_named || conformance::holds_cases(&fs::read_to_string(path).map_err(read)?) => {
            let cases = conformance::read_jobs(path, open)?;
            jobs.extend(cases.into_iter().map(|case| AnyJob::Conformance(Box::new(case))));
        }
        _ if is_named => return Err(CollectError::Unknown { path: path.display().to_string() }),
        _ => {}
    }
    Ok(())
}

/// The tests of a file. One that was named must have some; among others it is told that it has none, or not as it should.
fn sql_jobs(root: &Path, path: &Path) -> Result<Vec<AnyJob>, CollectError> {
    let file = spec_id(root, path);
    let wrong = match sql::read_jobs(&file, path) {
        Ok(jobs) if !jobs.is_empty() => return Ok(jobs.into_iter().map(|job| AnyJob::Sql(Box::new(job))).collect()),
        Ok(_) => Outcome::skipped(format!("{file}.sql"), NO_TESTS),
        Err(SqlFileError::Malformed(reason)) => Outcome::of(format!("{file}.sql"), Err(reason)),
        Err(SqlFileError::Read(source)) => {
            return Err(CollectError::Read { path: path.display().to_string(), source });
        }
    };
    if root == path {
        return Err(CollectError::Sql { path: path.display().to_string(), reason: wrong.reason });
    }
    Ok(vec![AnyJob::Known(wrong.always_told())])
}

/// `joins/left_join` for `tests/specs/joins/left_join.spec` below `tests/specs`.
fn spec_id(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).ok().filter(|relative| !relative.as_os_str().is_empty());
    let relative = relative.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    relative.with_extension("").to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_specs_are_paths_below_the_root() {
        assert_eq!(spec_id(Path::new("tests/specs"), Path::new("tests/specs/joins/left.spec")), "joins/left");
        assert_eq!(spec_id(Path::new("a/left.spec"), Path::new("a/left.spec")), "left");
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error() {
        let error = run_paths(&["no/such/folder".into()], super::super::driver::open, false);
        assert!(error.expect_err("nothing there").to_string().starts_with("cannot read no/such/folder"));
    }
}
