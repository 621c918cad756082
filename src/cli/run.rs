//! `levada run`: a file of statements, headless.

use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use super::progress::Progress;
use super::shell::{screen, terminal_layout};
use super::summary;
use super::{DataDir, Failure};
use crate::engine::{Engine, QueryStatus};
use crate::shell::{Interrupt, OutputFormat, Source};

/// Until nothing has arrived for this long, unless the command line says.
const IDLE: Duration = Duration::from_secs(1);

/// How often figures are looked at while queries run.
const LOOK: Duration = Duration::from_millis(250);

const EXAMPLES: &str = "\
Examples:
  levada run pipeline.sql                  run its queries until Ctrl-C
  levada run pipeline.sql --until-idle     process what there is, then exit
  levada run pipeline.sql --until-idle 5   wait 5 seconds for more to arrive
  levada run pipeline.sql --data-dir /tmp/try
  levada run pipeline.sql --headless       and drop what the file has no more
  cat a.sql b.sql | levada run -

All statements are checked before the first takes effect. What the data
directory has applied before is not applied again: run the same file after a
stop or a crash, and its queries continue where they were.";

/// Arguments of `levada run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RunCommand {
    /// File of statements; - for standard input
    #[arg(value_name = "FILE", required_unless_present = "until_idle")]
    file: Option<String>,

    #[command(flatten)]
    data: DataDir,

    /// The file says all that is to run: what a former version of it has made and this one lacks is dropped (topics stay), what
    /// has changed goes on under its new definition; `levada plan` shows what that would be
    #[arg(long)]
    headless: bool,

    /// Process everything there is, wait until nothing has arrived for this long (1 unless given), exit
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1", allow_negative_numbers = true)]
    until_idle: Option<String>,
}

impl RunCommand {
    /// Applies the file and processes until told to stop, or until there is nothing left to do.
    pub fn run(&self) -> Result<(), Failure> {
        let (file, idle) = self.resolve()?;
        let text = read(file)?;
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let engine = if idle.is_some() { self.data.open_for_a_while()? } else { self.data.open()? };
        if let Some(address) = engine.registry_url() {
            eprintln!("schema registry at {address}");
        }
        let outcome = self.process(&engine, file, &text, idle, interrupt);
        engine.shutdown();
        outcome
    }

    fn process(
        &self,
        engine: &Engine,
        file: &str,
        text: &str,
        idle: Option<Duration>,
        interrupt: &Interrupt,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new();
        apply(engine, (file, text), self.headless, interrupt)?;
        let mut note = |queries: &[QueryStatus]| progress.note(queries);
        match idle {
            Some(idle) => engine.run_until_idle(idle, &|| interrupt.is_requested(), &mut note),
            None => {
                while !interrupt.wait(LOOK) {
                    note(&engine.queries());
                    engine.maintain();
                }
            }
        }
        let queries = engine.queries();
        progress.note(&queries);
        let busy = progress.finish();
        let mut out = BufWriter::new(io::stdout());
        summary::write(&mut out, terminal_layout(), &queries, busy, &self.data)?;
        out.flush()?;
        failed(&queries)
    }

    /// The file and the idle time. In `--until-idle a.sql` the name is taken for the time: it is told apart here.
    fn resolve(&self) -> Result<(&str, Option<Duration>), Failure> {
        let idle = self.until_idle.as_deref().map(|text| (text, parse_seconds(text)));
        match (self.file.as_deref(), idle) {
            (Some(file), None) => Ok((file, None)),
            (Some(file), Some((_, Some(idle)))) => Ok((file, Some(idle))),
            (Some(_), Some((text, None))) => {
                Err(Failure::new(format!("--until-idle takes a number of seconds, not '{text}'")))
            }
            (None, Some((file, None))) => Ok((file, Some(IDLE))),
            (None, _) => Err(Failure::new("no file given").with_hint("levada run FILE.sql --until-idle")),
        }
    }
}

/// Applies the statements of a file, of its name and its text, and shows what they say. With `headless` it says all that is to run.
pub(super) fn apply(
    engine: &Engine,
    (file, text): (&str, &str),
    headless: bool,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let (mut out, mut err) = (BufWriter::new(io::stdout()), io::stderr());
    let mut screen = screen(&mut out, &mut err, OutputFormat::Table);
    let mut written = Ok(());
    let mut show = |response: crate::engine::Response| {
        if written.is_ok() {
            // What could fail while it is shown cannot stand in a file.
            written = screen.show(&response.into(), &|| interrupt.is_requested()).map(|_| ());
        }
    };
    let applied =
        if headless { engine.apply_whole_file(text, &mut show).map(drop) } else { engine.apply_file(text, &mut show) };
    written?;
    let Err(error) = applied else { return Ok(()) };
    screen.problem(Source::whole(Some(if file == "-" { "<stdin>" } else { file }), text), &error)?;
    Err(Failure::Shown)
}

/// A failure if a query is in error.
fn failed(queries: &[QueryStatus]) -> Result<(), Failure> {
    let failures: Vec<String> = (queries.iter())
        .filter_map(|query| query.failure.as_ref().map(|failure| format!("{} does not run: {failure}", query.id)))
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new(failures.join("\n")))
}

/// Seconds with or without a fraction.
fn parse_seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

pub(super) fn read(file: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let done = match file {
        "-" => io::stdin().lock().read_to_string(&mut text).map(|_| text),
        path => std::fs::read_to_string(Path::new(path)),
    };
    done.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(format!("no such file: {file}")),
        io::ErrorKind::InvalidData => Failure::new(format!("{file} is not UTF-8 text")),
        _ => Failure::new(format!("cannot read {file}: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Cli, Command};

    fn resolve(arguments: &str) -> Option<(String, Option<u64>)> {
        let cli = Cli::try_parse_from(format!("levada run {arguments}").split_whitespace()).ok()?;
        let Command::Run(command) = cli.command else { return None };
        let (file, idle) = command.resolve().ok()?;
        Some((file.to_owned(), idle.map(|idle| idle.as_millis() as u64)))
    }

    #[test]
    fn the_idle_time_is_optional_wherever_it_stands() {
        let check = |arguments: &str, idle: Option<u64>| {
            assert_eq!(resolve(arguments), Some(("a.sql".to_owned(), idle)), "{arguments}");
        };
        check("a.sql", None);
        check("a.sql --until-idle", Some(1000));
        check("a.sql --until-idle 2.5", Some(2500));
        check("--until-idle 2 a.sql", Some(2000));
        check("--until-idle a.sql", Some(1000));
        check("--until-idle --data-dir d a.sql", Some(1000));
        check("a.sql --property a=b --property c=d", None);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for arguments in [
            "",
            "--until-idle",
            "--until-idle 2",
            "a.sql --until-idle soon",
            "a.sql --until-idle=-1",
            "a.sql --until-idle -1",
        ] {
            assert_eq!(resolve(arguments), None, "{arguments}");
        }
    }
}
