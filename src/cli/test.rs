//! `levada test`: specs, tests in SQL and conformance cases.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::testing::{
    CollectError, Outcome, Ratchet, Tally, driver, run_paths, write_brief, write_junit, write_report, write_told,
    write_verbose,
};

/// Failures told when not all are asked for.
const FAILURES_SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  levada test orders.sql                           tests in SQL
  levada test tests/specs                          our own specs
  levada test tests/specs/joins/inner.spec --bless  expect what comes out
  levada test ../shared/conformance --report out.jsonl
  levada test ../shared/conformance --ratchet tests/conformance.ratchet

Folders are searched for .spec files, .sql files of tests and .json files of
ksqlDB's cases. In SQL a test begins with a line --@test: name; INSERT VALUES
gives it records, ASSERT VALUES, ASSERT NULL VALUES, ASSERT STREAM and ASSERT
TABLE say what must come of them.
Every spec runs one record at a time and all at once, in memory and on
RocksDB, and with restarts in between.";

/// Arguments of `levada test`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct TestCommand {
    /// Files and folders of specs and cases
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// Write one JSON object per case: id, status, reason
    #[arg(long, value_name = "FILE.jsonl")]
    report: Option<PathBuf>,

    /// Write the outcomes as JUnit's XML
    #[arg(long, value_name = "FILE.xml")]
    junit: Option<PathBuf>,

    /// Tell all failures in full
    #[arg(long, short)]
    verbose: bool,

    /// Rewrite specs to expect what comes out
    #[arg(long)]
    bless: bool,

    /// Ask for rows over HTTP where cases ask a server
    #[arg(long)]
    http: bool,

    /// Fail only if a case listed in this file fails
    #[arg(long, value_name = "FILE")]
    ratchet: Option<PathBuf>,

    /// Add the cases that pass to the ratchet
    #[arg(long, requires = "ratchet")]
    update_ratchet: bool,
}

impl TestCommand {
    /// Runs everything; fails if a case does, or with a ratchet, if one of its cases does.
    pub fn run(&self) -> Result<(), Failure> {
        if let Some(path) = self.ratchet.as_ref().filter(|path| !self.update_ratchet && !path.exists()) {
            return Err(Failure::Usage(format!("no ratchet at {}; --update-ratchet makes one", path.display())));
        }
        let open = if self.http { driver::open_served } else { driver::open };
        let outcomes = run_paths(&self.paths, open, self.bless).map_err(|error| match error {
            CollectError::Nothing { .. } | CollectError::Sql { .. } => Failure::Usage(error.to_string()),
            error => Failure::new(error.to_string()),
        })?;
        if let Some(path) = &self.report {
            write_file(path, &outcomes, write_report)?;
        }
        if let Some(path) = &self.junit {
            write_file(path, &outcomes, write_junit)?;
        }
        let mut out = BufWriter::new(io::stdout());
        write_told(&mut out, &outcomes)?;
        if self.verbose {
            write_verbose(&mut out, &outcomes)?;
        } else {
            write_brief(&mut out, &outcomes, FAILURES_SHOWN)?;
        }
        let held = match &self.ratchet {
            Some(path) => self.check_ratchet(path, &outcomes, &mut out)?,
            None => Tally::of(&outcomes).failed == 0,
        };
        writeln!(out, "{}", Tally::of(&outcomes))?;
        out.flush()?;
        if held { Ok(()) } else { Err(Failure::Shown) }
    }

    /// Whether all cases of the ratchet pass.
    fn check_ratchet(&self, path: &Path, outcomes: &[Outcome], out: &mut dyn io::Write) -> Result<bool, Failure> {
        let failure = |error: io::Error| Failure::new(format!("cannot use {}: {error}", path.display()));
        let mut ratchet = Ratchet::read(path).map_err(failure)?;
        let broken = ratchet.broken(outcomes);
        for fault in &broken {
            writeln!(out, "ratchet: {fault}")?;
        }
        if self.update_ratchet {
            let new = ratchet.grow(outcomes);
            ratchet.write(path).map_err(failure)?;
            writeln!(out, "ratchet: {new} new, {} in all", ratchet.len())?;
        }
        Ok(broken.is_empty())
    }
}

fn write_file(
    path: &Path,
    outcomes: &[Outcome],
    write: fn(&mut dyn io::Write, &[Outcome]) -> io::Result<()>,
) -> Result<(), Failure> {
    let failure = |error: io::Error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let mut file = BufWriter::new(File::create(path).map_err(failure)?);
    write(&mut file, outcomes).map_err(failure)?;
    file.flush().map_err(failure)
}
