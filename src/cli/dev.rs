//! `levada dev`: a file of statements and its tests, again whenever they are saved.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::progress::Progress;
use super::shell::{screen, terminal_layout};
use super::{DataDir, Failure, run, summary};
use crate::engine::{ChangeKind, Engine, FilePlan};
use crate::http::Listen;
use crate::server::{ApiServer, ServerError};
use crate::shell::{Interrupt, OutputFormat, Source};
use crate::testing::{Outcome, Status, Tally, driver, run_paths, write_brief, write_told};

const EXAMPLES: &str = "\
Examples:
  levada dev pipeline.sql                     and tests in pipeline.test.sql, if it is there
  levada dev pipeline.sql --test tests/       tests elsewhere
  levada shell --server http://127.0.0.1:8088 look at what runs, from another terminal

The file says all that is to run. Whenever it is saved, what has changed is done and what has not goes on: a new query begins, a
query that is gone ends, a query with another text is replaced in place where its state fits. A file with a mistake changes nothing.
INSERT VALUES are done once. Then the tests run; one takes over the file itself with RUN SCRIPT 'pipeline.sql';";

/// Arguments of `levada dev`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DevCommand {
    /// File of statements
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// File or folder of tests, repeatable; FILE.test.sql beside FILE.sql unless given
    #[arg(long = "test", value_name = "PATH")]
    tests: Vec<PathBuf>,

    /// Address of ksqlDB's HTTP API; any free port where that one is taken
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8088")]
    listen: String,

    /// Begin anew: drop what an earlier run has made; topics stay
    #[arg(long)]
    fresh: bool,

    #[command(flatten)]
    data: DataDir,
}

/// How often files and figures are looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Failures of tests that are told.
const FAILURES_SHOWN: usize = 10;

impl DevCommand {
    /// Works on the file until told to stop.
    pub fn run(&self) -> Result<(), Failure> {
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        // A name that was mistyped is told before anything is opened.
        read(&self.file)?;
        let engine = Arc::new(self.data.open()?);
        let server = self.serve(&engine)?;
        for address in server.addresses() {
            eprintln!("{address} for a shell: levada shell --server {address}");
        }
        if self.fresh {
            engine.apply_draft("", &mut |_| ())?;
        }
        let mut progress = Progress::per_query();
        let mut watched = Watched::new(self.watched());
        while !interrupt.is_requested() {
            if watched.have_changed() {
                progress.hide();
                self.work(&engine)?;
            }
            progress.note(&engine.queries());
            engine.maintain();
            interrupt.wait(LOOK);
        }
        let queries = engine.queries();
        let busy = progress.finish();
        drop(server);
        drop(engine);
        let mut out = BufWriter::new(io::stdout());
        summary::write(&mut out, terminal_layout(), &queries, busy, &self.data)?;
        Ok(out.flush()?)
    }

    fn serve(&self, engine: &Arc<Engine>) -> Result<ApiServer, Failure> {
        let mut listen = Listen::parse(&self.listen).map_err(|error| Failure::Usage(error.to_string()))?;
        let server = match ApiServer::start(engine, &[listen], None) {
            Err(ServerError::Listen(..)) => {
                listen.address.set_port(0);
                ApiServer::start(engine, &[listen], None)
            }
            other => other,
        };
        server.map_err(|error| Failure::new(error.to_string()))
    }

    /// The tests there are.
    fn tests(&self) -> Vec<PathBuf> {
        if !self.tests.is_empty() {
            return self.tests.clone();
        }
        let beside = self.file.with_extension("test.sql");
        if beside.is_file() { vec![beside] } else { Vec::new() }
    }

    /// What is watched: the file, and its tests, also those that are not there yet.
    fn watched(&self) -> Vec<PathBuf> {
        let mut watched = vec![self.file.clone()];
        if self.tests.is_empty() {
            watched.push(self.file.with_extension("test.sql"));
        }
        watched.extend(self.tests.iter().cloned());
        watched
    }

    /// Applies the file as it is now, then runs the tests.
    fn work(&self, engine: &Engine) -> Result<(), Failure> {
        let (mut out, mut err) = (io::stdout(), io::stderr());
        let text = match read(&self.file) {
            Ok(text) => text,
            // Who saves a file may move another one to its place: it is there again in a moment.
            Err(_) if !self.file.exists() => return Ok(()),
            Err(failure) => {
                writeln!(err, "{failure}")?;
                return Ok(());
            }
        };
        if self.apply(engine, &text, &mut out, &mut err)? {
            self.test(&mut out)?;
        }
        Ok(out.flush()?)
    }

    /// Makes what runs what `text` says; false if it could not, which was told.
    fn apply(&self, engine: &Engine, text: &str, out: &mut dyn Write, err: &mut dyn Write) -> Result<bool, Failure> {
        let name = self.file.display().to_string();
        let applied = engine.apply_draft(text, &mut |_| ()).map(|plan| {
            let done = changes(&plan);
            (done, engine.apply_records(text, &mut |_| ()))
        });
        let (done, error) = match applied {
            Ok((done, Ok(()))) => (done, None),
            Ok((done, Err(error))) => (format!("{done}; its records are not inserted"), Some(error)),
            Err(error) => ("not applied; what ran before goes on".to_owned(), Some(error)),
        };
        if let Some(error) = &error {
            screen(out, err, OutputFormat::Table).problem(Source::whole(Some(&name), text), error)?;
        }
        writeln!(out, "{name}: {done}")?;
        Ok(error.is_none())
    }

    fn test(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let tests = self.tests();
        if tests.is_empty() {
            return Ok(());
        }
        match run_paths(&tests, driver::open, false) {
            Ok(outcomes) => {
                let failed = outcomes.iter().filter(|outcome| outcome.status == Status::Failed);
                let failed: Vec<Outcome> = failed.cloned().collect();
                write_told(out, &failed)?;
                write_brief(out, &failed, FAILURES_SHOWN)?;
                writeln!(out, "tests: {}", Tally::of(&outcomes))?;
            }
            Err(error) => writeln!(out, "tests: {error}")?,
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    run::read(&file.display().to_string())
}

/// What applying a file has done, in a line.
fn changes(plan: &FilePlan) -> String {
    let done = |kind: &ChangeKind| match kind {
        ChangeKind::Create => "created",
        ChangeKind::Replace => "replaced",
        ChangeKind::Drop => "dropped",
        ChangeKind::Terminate => "terminated",
        other => other.verb(),
    };
    let changed = plan.changes.iter().filter(|change| change.kind != ChangeKind::Unchanged);
    let changed: Vec<String> = changed.map(|change| format!("{} {}", change.name, done(&change.kind))).collect();
    if changed.is_empty() { "nothing to change".to_owned() } else { changed.join(", ") }
}

/// Files and folders, and when they last changed.
struct Watched {
    paths: Vec<PathBuf>,
    seen: Option<Vec<Stamp>>,
}

/// What a change of a file changes.
type Stamp = Option<(SystemTime, u64)>;

impl Watched {
    fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, seen: None }
    }

    /// Whether one of them is another one than when this was last asked; so it is the first time.
    fn have_changed(&mut self) -> bool {
        let mut stamps = Vec::new();
        self.paths.iter().for_each(|path| stamp(path, &mut stamps));
        let have_changed = self.seen.as_ref() != Some(&stamps);
        self.seen = Some(stamps);
        have_changed
    }
}

/// Adds the stamp of `path`, or of all files below it.
fn stamp(path: &Path, stamps: &mut Vec<Stamp>) {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut entries: Vec<PathBuf> =
                std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            entries.sort();
            entries.iter().for_each(|entry| stamp(entry, stamps));
        }
        Ok(metadata) => stamps.push(metadata.modified().ok().map(|modified| (modified, metadata.len()))),
        Err(_) => stamps.push(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, below) = (folder.path().join("a.sql"), folder.path().join("tests"));
        std::fs::create_dir(&below).expect("a folder");
        let mut watched = Watched::new(vec![file.clone(), below.clone()]);
        assert!(watched.have_changed(), "the first time");
        assert!(!watched.have_changed());
        std::fs::write(&file, "x").expect("a file");
        assert!(watched.have_changed() && !watched.have_changed());
        std::fs::write(below.join("b.sql"), "x").expect("a file");
        assert!(watched.have_changed() && !watched.have_changed());
        std::fs::remove_file(&file).expect("it is there");
        assert!(watched.have_changed() && !watched.have_changed());
    }
}
