//! `levada shell`: statements from a person, a file, a pipe or the command line.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use super::data_dir::parse_property;
use super::shell_server::ServerOptions;
use super::{DataDir, Failure};
use crate::engine::{Engine, Session};
use crate::shell::{
    Backend, Flow, Interpreter, Interrupt, Keys, Layout, Limits, OutputFormat, Pager, Palette, Prompt, Screen, Spool,
    Width,
};

const EXAMPLES: &str = "\
Examples:
  levada shell                               type statements; help explains
  levada shell --server http://localhost:8088 -u ann      the same of a server
  levada shell -e 'SHOW STREAMS;'            one answer; exit code 1 on an error
  levada shell --output json -e \"SET 'auto.offset.reset' = 'earliest'\" \\
    -e 'SELECT * FROM s EMIT CHANGES LIMIT 3'
  levada shell -f report.sql --output csv > report.csv
  echo 'SHOW TOPICS;' | levada shell

LEVADA_PAGER or PAGER names the program for long results, less if neither does.
The history is in ~/.local/state/levada/history; LEVADA_HISTORY names another
file. NO_COLOR=1 leaves out colours.";

/// Arguments of `levada shell`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ShellCommand {
    #[command(flatten)]
    data: DataDir,

    #[command(flatten)]
    server: ServerOptions,

    /// Run these statements and exit; repeatable, in order
    // They may begin with a comment.
    #[arg(short, long = "execute", value_name = "SQL", allow_hyphen_values = true)]
    execute: Vec<String>,

    /// Run the statements of this file and exit; after those of -e
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Form of the results
    #[arg(long, value_enum, default_value_t, value_name = "FORM", ignore_case = true)]
    output: OutputFormat,

    /// Variable for ${NAME} in statements, repeatable
    #[arg(short, long = "define", value_name = "NAME=VALUE", value_parser = parse_property)]
    define: Vec<(String, String)>,

    /// Show at most so many rows of a query that goes on
    #[arg(long, value_name = "ROWS")]
    query_row_limit: Option<u64>,

    /// Show the rows of a query that goes on for so many milliseconds
    #[arg(long, value_name = "MS")]
    query_timeout: Option<u64>,

    /// Keys of the line editor; those of ~/.inputrc unless it is said
    #[arg(long, value_enum, ignore_case = true)]
    keys: Option<Keys>,
}

impl ShellCommand {
    /// Runs what the command line says, or what standard input brings.
    pub fn run(&self) -> Result<(), Failure> {
        let scripted = !self.execute.is_empty() || self.file.is_some();
        let interactive = !scripted && io::stdin().is_terminal();
        let remote = self.server.backend(&self.data, interactive)?;
        // The line editor takes Ctrl-C for itself when it is made: the process's own handlers must come after.
        let mut prompt = if interactive { Some(Prompt::new(Palette::of(&io::stdout()))?) } else { None };
        let interrupt = Interrupt::of_process();
        if interactive {
            interrupt.spare_process();
        }
        if let Some(remote) = remote {
            return self.converse(&remote, interrupt, prompt.as_mut());
        }
        let engine: Engine = self.data.open_for_a_while()?;
        let outcome = self.converse(&engine, interrupt, prompt.as_mut());
        engine.shutdown();
        outcome
    }

    fn converse(
        &self,
        backend: &dyn Backend,
        interrupt: &Interrupt,
        prompt: Option<&mut Prompt>,
    ) -> Result<(), Failure> {
        let spool = Spool::default();
        let (mut out, mut err) = (spool.copying(BufWriter::new(io::stdout())), spool.copying(io::stderr()));
        let mut screen = screen(&mut out, &mut err, self.output);
        screen.tells_waiting = io::stderr().is_terminal() && !self.reads_from_start();
        screen.limits = Limits { rows: self.query_row_limit, time: self.query_timeout.map(Duration::from_millis) };
        screen.spool = spool;
        if prompt.is_some() && io::stdout().is_terminal() {
            screen.pager = Some(Pager::of_environment());
        }
        let mut interpreter = Interpreter::with_session(backend, interrupt, screen, self.session());
        let flow = match prompt {
            Some(prompt) => {
                self.greet(backend, interrupt)?;
                interpreter.use_keys(self.keys.unwrap_or_else(Prompt::keys_of_person));
                prompt.run(&mut interpreter)?;
                Flow::Exit
            }
            None if self.execute.is_empty() && self.file.is_none() => {
                interpreter.run_reader(&mut io::stdin().lock())?
            }
            None => self.run_scripts(&mut interpreter)?,
        };
        if flow == Flow::Failed { Err(Failure::Shown) } else { Ok(()) }
    }

    /// What the command line says of the session. The properties of an engine in this process are its own.
    fn session(&self) -> Session {
        let mut session = Session::default();
        for (name, value) in &self.define {
            session.define(name, value);
        }
        if self.server.is_given() {
            session.properties = self.server.session_properties(&self.data);
        }
        session
    }

    fn reads_from_start(&self) -> bool {
        !self.server.is_given() && self.data.reads_from_start()
    }

    fn run_scripts(&self, interpreter: &mut Interpreter<'_>) -> io::Result<Flow> {
        for text in &self.execute {
            match interpreter.run_text(None, text)? {
                Flow::Continue => {}
                other => return Ok(other),
            }
        }
        match &self.file {
            Some(path) => interpreter.run_file(path),
            None => Ok(Flow::Continue),
        }
    }

    fn greet(&self, backend: &dyn Backend, interrupt: &Interrupt) -> Result<(), Failure> {
        let _work = interrupt.work();
        let place = match (backend.server(), backend.describe(&|| interrupt.is_requested())) {
            (None, _) => format!("Levada {}, data in {}", env!("CARGO_PKG_VERSION"), self.data.path.display()),
            (Some(_), Ok(described)) => described,
            // It may be there in a moment: each statement asks anew.
            (Some(_), Err(error)) => {
                Failure::from(error).tell();
                format!("Levada {}", env!("CARGO_PKG_VERSION"))
            }
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{place}")?;
        match backend.coming_back() {
            0 => {}
            1 => writeln!(out, "The state of a query comes back; \\progress shows how far it is.")?,
            count => writeln!(out, "The state of {count} queries comes back; \\progress shows how far they are.")?,
        }
        writeln!(out, "Statements end with ; – help explains, Tab completes, Ctrl-D leaves.\n")?;
        Ok(())
    }
}

/// Tables as wide as the terminal; as wide as their content where standard output is none.
pub(super) fn terminal_layout() -> Layout {
    let width = if io::stdout().is_terminal() { Width::Terminal } else { Width::Unlimited };
    Layout::new(width, Palette::of(&io::stdout()))
}

/// The screen of this process; `out` leads to standard output, `err` to standard error.
pub(super) fn screen<'a>(out: &'a mut dyn io::Write, err: &'a mut dyn io::Write, format: OutputFormat) -> Screen<'a> {
    let mut screen = Screen::new(out, err, terminal_layout());
    screen.format = format;
    screen.palette_err = Palette::of(&io::stderr());
    screen
}
