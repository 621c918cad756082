//! `levada shell`: statements from a person, a file, a pipe or the command line.

use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::{DataDir, Failure};
use crate::engine::Engine;
use crate::shell::{Flow, Interpreter, Interrupt, Layout, OutputFormat, Palette, Prompt, Screen, Width};

const EXAMPLES: &str = "\
Examples:
  levada shell                               type statements; help explains
  levada shell -e 'SHOW STREAMS;'            one answer; exit code 1 on an error
  levada shell --output json -e \"SET 'auto.offset.reset' = 'earliest'\" \\
    -e 'SELECT * FROM s EMIT CHANGES LIMIT 3'
  levada shell -f report.sql --output csv > report.csv
  echo 'SHOW TOPICS;' | levada shell

The history is in ~/.local/state/levada/history; LEVADA_HISTORY names another
file.";

/// Arguments of `levada shell`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ShellCommand {
    #[command(flatten)]
    data: DataDir,

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
}

impl ShellCommand {
    /// Runs what the command line says, or what standard input brings.
    pub fn run(&self) -> Result<(), Failure> {
        let scripted = !self.execute.is_empty() || self.file.is_some();
        let interactive = !scripted && io::stdin().is_terminal();
        // The line editor takes Ctrl-C for itself when it is made: the process's own handlers must come after.
        let mut prompt = if interactive { Some(Prompt::new()?) } else { None };
        let interrupt = Interrupt::of_process();
        let engine = self.data.open_for_a_while()?;
        let outcome = self.converse(&engine, interrupt, prompt.as_mut());
        engine.shutdown();
        outcome
    }

    fn converse(&self, engine: &Engine, interrupt: &Interrupt, prompt: Option<&mut Prompt>) -> Result<(), Failure> {
        let (mut out, mut err) = (BufWriter::new(io::stdout()), io::stderr());
        let mut screen = screen(&mut out, &mut err, self.output);
        screen.tells_waiting = io::stderr().is_terminal() && !self.data.reads_from_start();
        let mut interpreter = Interpreter::new(engine, interrupt, screen);
        let flow = match prompt {
            Some(prompt) => {
                self.greet()?;
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

    fn greet(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "Levada {}, data in {}", env!("CARGO_PKG_VERSION"), self.data.path.display())?;
        writeln!(out, "Statements end with ; – help explains, Ctrl-D leaves.\n")
    }
}

/// Tables as wide as the terminal; as wide as their content where standard output is none.
pub(super) fn terminal_layout() -> Layout {
    let width = if io::stdout().is_terminal() { Width::Terminal } else { Width::Unlimited };
    Layout { width, palette: Palette::of(&io::stdout()) }
}

/// The screen of this process; `out` leads to standard output, `err` to standard error.
pub(super) fn screen<'a>(out: &'a mut dyn io::Write, err: &'a mut dyn io::Write, format: OutputFormat) -> Screen<'a> {
    let palette_err = Palette::of(&io::stderr());
    Screen { out, err, format, layout: terminal_layout(), palette_err, tells_waiting: false }
}
