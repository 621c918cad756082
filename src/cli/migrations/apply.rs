//! `levada migrations apply`: files that come next, one after the other, up to the first that fails.

use std::io::{self, Write as _};
use std::path::PathBuf;

use super::files::{Files, MigrationFile};
use super::history::History;
use super::metadata::{Metadata, NO_REASON, Record, State};
use super::server::{Server, say};
use super::settings::{self, Settings};
use super::statements::{self, Step};
use super::{Failure, parse_version};
use crate::cli::counted::counted;
use crate::cli::data_dir::parse_property;
use crate::cli::shell::screen;
use crate::engine::{EngineError, Session};
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::shell::{Answer, Interrupt, OutputFormat, Source};

/// Arguments of `levada migrations apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    #[command(flatten)]
    which: Which,

    /// Show what would be applied, and apply nothing
    #[arg(long)]
    dry_run: bool,

    /// Variable for ${NAME} in statements, repeatable
    #[arg(short, long = "define", value_name = "NAME=VALUE", value_parser = parse_property)]
    define: Vec<(String, String)>,

    /// File with further headers of requests, a line `name: value` each
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
}

/// Which versions are applied.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// All that come behind the last one that was applied
    #[arg(short, long)]
    all: bool,

    /// The next one
    #[arg(short, long)]
    next: bool,

    /// All up to this version
    #[arg(short, long, value_name = "N", value_parser = parse_version)]
    until: Option<u32>,

    /// This version only; those between are passed over for good
    #[arg(short, long, value_name = "N", value_parser = parse_version)]
    version: Option<u32>,
}

impl Which {
    /// The files to apply when `latest` was the last.
    fn of<'a>(&self, files: &'a Files, latest: Option<u32>) -> Result<Vec<&'a MigrationFile>, Failure> {
        if let Some(version) = self.until.or(self.version) {
            files.require(version)?;
            if let Some(latest) = latest.filter(|latest| version <= *latest) {
                return Err(Failure::new(format!(
                    "version {version} does not come behind version {latest}, which was applied"
                ))
                .with_hint(
                    "migrations are applied in order; a new one gets the next version: `levada migrations create`",
                ));
            }
        }
        let comes_next = files.iter().filter(|file| latest.is_none_or(|latest| file.version > latest));
        Ok(match (self.next, self.until, self.version) {
            (true, ..) => comes_next.take(1).collect(),
            (_, Some(until), _) => comes_next.filter(|file| file.version <= until).collect(),
            (.., Some(version)) => comes_next.filter(|file| file.version == version).collect(),
            _ => comes_next.collect(),
        })
    }
}

/// A file that was read.
struct Migration<'a> {
    file: &'a MigrationFile,
    checksum: String,
    steps: Vec<Step>,
}

impl Migration<'_> {
    fn title(&self) -> String {
        format!("version {}, {}", self.file.version, self.file.name)
    }
}

impl Apply {
    /// Applies what comes next.
    pub(super) fn run(&self, settings: &Settings) -> Result<(), Failure> {
        let headers = self.headers.as_deref().map_or(Ok(Vec::new()), settings::headers)?;
        let server = Server::open(settings, &headers)?;
        let metadata = Metadata::new(&server, settings)?;
        metadata.require()?;
        let files = Files::read(&settings.folder)?;
        let history = History::read(&metadata, &files)?;
        refuse_running(&history)?;
        history.check()?;
        warn_passed_over(&files, &history);
        let migrations = self.read(&files, &history)?;
        if migrations.is_empty() {
            let latest = history.latest().map_or_else(String::new, |version| format!(" behind version {version}"));
            return say(&format!("there is nothing to apply{latest}"));
        }
        if self.dry_run {
            return migrations.iter().try_for_each(shown);
        }
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let mut applying =
            Applying { server: &server, metadata: &metadata, interrupt, previous: history.latest(), last: None };
        migrations.iter().try_for_each(|migration| applying.apply(migration))?;
        applying.finish()
    }

    /// Reads all files that are to be applied: one that cannot be read lets none be applied.
    fn read<'a>(&self, files: &'a Files, history: &History) -> Result<Vec<Migration<'a>>, Failure> {
        let mut migrations = Vec::new();
        for file in self.which.of(files, history.latest())? {
            let (text, checksum) = file.read()?;
            match statements::read(&text, &self.define) {
                Ok(steps) => migrations.push(Migration { file, checksum, steps }),
                Err(error) => return Err(explained(file, &text, &error)),
            }
        }
        Ok(migrations)
    }
}

/// Fails while another `apply` is at work, or has been killed.
fn refuse_running(history: &History) -> Result<(), Failure> {
    let Some(running) = history.current.as_ref().filter(|current| current.state == State::Running) else {
        return Ok(());
    };
    let text = format!(
        "version {}, {}, is RUNNING: somebody else applies it, or was stopped at it",
        running.version, running.name
    );
    Err(Failure::new(text)
        .with_hint("if nobody does, `levada migrations abort` makes it ERROR, and it can be applied again"))
}

/// Tells of files that will never be applied.
fn warn_passed_over(files: &Files, history: &History) {
    let Some(latest) = history.latest() else { return };
    for file in files.iter().filter(|file| file.version < latest && !history.has(file.version)) {
        // Without a standard error there is nobody to tell.
        let _ = writeln!(
            io::stderr(),
            "warning: {} was not applied, and is passed over: version {latest} was",
            file.path.display()
        );
    }
}

/// Shows what a migration would do.
fn shown(migration: &Migration<'_>) -> Result<(), Failure> {
    let path = migration.file.path.display();
    say(&format!(
        "{}: {} of {path} would be applied",
        migration.title(),
        counted(migration.steps.len() as u64, "statement")
    ))?;
    migration.steps.iter().try_for_each(|step| say(&step.text))
}

/// Migrations that are being applied.
struct Applying<'a> {
    server: &'a Server,
    metadata: &'a Metadata<'a>,
    interrupt: &'a Interrupt,
    /// The last version that was applied.
    previous: Option<u32>,
    /// What was written last.
    last: Option<Record>,
}

impl Applying<'_> {
    /// Waits until the table has what was written: who asks next must find it.
    fn finish(&self) -> Result<(), Failure> {
        self.last.as_ref().map_or(Ok(()), |last| self.metadata.see(last))
    }

    fn apply(&mut self, migration: &Migration<'_>) -> Result<(), Failure> {
        if self.interrupt.is_requested() {
            return Err(Failure::new(format!("interrupted before version {}", migration.file.version)));
        }
        let clock = SystemClock::new();
        let running = Record {
            version: migration.file.version,
            name: migration.file.name.clone(),
            state: State::Running,
            checksum: migration.checksum.clone(),
            started_on: clock.now_ms().to_string(),
            completed_on: String::new(),
            previous: self.previous,
            error_reason: NO_REASON.to_owned(),
        };
        say(&migration.title())?;
        self.metadata.write(&running)?;
        if self.last.is_none() {
            // Metadata that do not work are noticed before anything is done, once.
            self.metadata.see(&running)?;
        }
        let done = self.execute(migration);
        let ended = Record { completed_on: clock.now_ms().to_string(), ..running };
        match done {
            Ok(()) => {
                let migrated = Record { state: State::Migrated, ..ended };
                self.metadata.write(&migrated)?;
                self.previous = Some(migration.file.version);
                self.last = Some(migrated);
                say(&format!("version {} applied", migration.file.version))
            }
            Err((failure, reason)) => {
                failure.tell();
                let version = migration.file.version;
                let failed = ended.failed(&reason);
                self.metadata.write(&failed)?;
                self.metadata.see(&failed)?;
                Err(Failure::new(format!("version {version} is ERROR: what stands before that was carried out"))
                    .with_hint("mend the file and what was carried out, then apply it again"))
            }
        }
    }

    /// Sends the statements in order up to the first that fails; then what a person is told, and what the server is.
    fn execute(&self, migration: &Migration<'_>) -> Result<(), (Failure, String)> {
        let mut session = Session::default();
        for step in &migration.steps {
            if self.interrupt.is_requested() {
                let reason = format!("interrupted before line {}", step.place.0);
                return Err((Failure::new(reason.clone()), reason));
            }
            match self.server.execute(&mut session, &step.text) {
                // A migration is not left where it is because nobody reads what is said of it.
                Ok(answers) => drop(show(&answers)),
                Err(error) => {
                    let reason = format!("line {}: {}", step.place.0, error.message);
                    return Err((explained_step(migration, step, &error), reason));
                }
            }
        }
        Ok(())
    }
}

fn show(answers: &[Answer]) -> Result<(), Failure> {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut screen = screen(&mut out, &mut err, OutputFormat::Table);
    for answer in answers {
        screen.show(answer, &|| false)??;
    }
    Ok(())
}

/// Tells what is wrong with `file`, with its place.
fn explained(file: &MigrationFile, text: &str, error: &EngineError) -> Failure {
    let path = file.path.display().to_string();
    explained_in(Source::whole(Some(&path), text), error)
}

/// Tells what is wrong with a statement. The server knows its place in what was sent, which is another one where variables stand.
fn explained_step(migration: &Migration<'_>, step: &Step, error: &EngineError) -> Failure {
    let path = migration.file.path.display().to_string();
    let (line, column) = step.place;
    let source = Source { file: Some(&path), text: &step.text, line, column };
    explained_in(source, error)
}

fn explained_in(source: Source<'_>, error: &EngineError) -> Failure {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    match screen(&mut out, &mut err, OutputFormat::Table).problem(source, error) {
        Ok(()) => Failure::Shown,
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(arguments: &[&str], latest: Option<u32>) -> Result<Vec<u32>, String> {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            apply: Apply,
        }
        let line: Line = clap::Parser::try_parse_from([&["apply"][..], arguments].concat())
            .map_err(|error| error.kind().to_string())?;
        let folder = tempfile::tempdir().expect("a folder for the test");
        for version in [1, 2, 5] {
            std::fs::write(folder.path().join(crate::cli::migrations::files::file_name(version, "x")), "")
                .expect("a file");
        }
        let files = Files::read(folder.path()).map_err(|failure| failure.to_string())?;
        let which = line.apply.which.of(&files, latest).map_err(|failure| failure.to_string())?;
        Ok(which.iter().map(|file| file.version).collect())
    }

    #[test]
    fn versions_behind_the_last_are_applied_in_order() {
        assert_eq!(chosen(&["--all"], None), Ok(vec![1, 2, 5]));
        assert_eq!(chosen(&["-a"], Some(1)), Ok(vec![2, 5]));
        assert_eq!(chosen(&["-a"], Some(5)), Ok(vec![]));
        assert_eq!(chosen(&["--next"], None), Ok(vec![1]));
        assert_eq!(chosen(&["-n"], Some(2)), Ok(vec![5]));
        assert_eq!(chosen(&["-u", "2"], None), Ok(vec![1, 2]));
        assert_eq!(chosen(&["--until", "5"], Some(1)), Ok(vec![2, 5]));
        assert_eq!(chosen(&["-v", "5"], Some(1)), Ok(vec![5]), "version 2 is passed over");
    }

    #[test]
    fn versions_that_cannot_be_applied_are_told() {
        assert_eq!(chosen(&["-v", "3"], None), Err("version 3 has no migration file".to_owned()));
        assert_eq!(chosen(&["-u", "4"], None), Err("version 4 has no migration file".to_owned()));
        let behind = "version 1 does not come behind version 2, which was applied".to_owned();
        assert_eq!(chosen(&["-v", "1"], Some(2)), Err(behind));
    }

    #[test]
    fn exactly_one_way_to_choose_is_said() {
        for wrong in [&[][..], &["--all", "--next"], &["--all", "-v", "1"], &["-u", "1", "-v", "1"], &["-v", "0"]] {
            assert!(chosen(wrong, None).is_err(), "{wrong:?}");
        }
    }
}
