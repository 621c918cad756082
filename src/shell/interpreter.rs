//! Statements and commands, one after the other: executed, shown, failures explained.
//!
//! ```text
//! text, file, reader, prompt ─▶ Input ─┬─ command ───▶ commands, progress, visualise ──────────────────┐
//!                                      └─ statement ─▶ Session (SET, DEFINE, ${…}) ─▶ Backend ─ Answer ─┴─▶ Screen
//! ```

mod commands;
mod progress;
mod visualise;

use std::cell::RefCell;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use super::backend::Words;
use super::input::{Input, Item, Statement};
use super::{Backend, Interrupt, Keys, Screen, Source};
use crate::engine::{EngineError, Session};
use crate::sql::{ParseError, ast, parse_test_statements, substitute_variables};

/// How to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// With what comes next.
    Continue,
    /// Something failed and was explained: a script ends here, a person may try again.
    Failed,
    /// Ctrl-C stopped a query: a script ends here, a person goes on.
    Stopped,
    /// Not at all: `exit`.
    Exit,
}

/// A script that runs: as it was named, and where it really is.
struct Script {
    named: PathBuf,
    real: PathBuf,
}

/// Executes input against a backend and shows the answers on a screen.
pub struct Interpreter<'a> {
    backend: &'a dyn Backend,
    interrupt: &'a Interrupt,
    screen: Screen<'a>,
    session: Session,
    /// Whether a person waits for rows, and none are read from the beginning unless the session says so.
    tells_waiting: bool,
    /// The script that runs, after those that run it.
    scripts: Vec<Script>,
    /// Whether it is said how long statements take.
    timing: bool,
    /// The last statement, for `\\watch`.
    last: Option<String>,
    /// What was typed, oldest first; the line editor keeps it.
    history: Rc<RefCell<Vec<String>>>,
    keys: Keys,
}

impl<'a> Interpreter<'a> {
    /// A new session. `interrupt` stops a running query.
    pub fn new(backend: &'a dyn Backend, interrupt: &'a Interrupt, screen: Screen<'a>) -> Self {
        Self::with_session(backend, interrupt, screen, Session::default())
    }

    /// A session that has begun: with properties and variables.
    pub fn with_session(
        backend: &'a dyn Backend,
        interrupt: &'a Interrupt,
        screen: Screen<'a>,
        session: Session,
    ) -> Self {
        let tells_waiting = screen.tells_waiting;
        Self {
            backend,
            interrupt,
            screen,
            session,
            tells_waiting,
            scripts: Vec::new(),
            timing: false,
            last: None,
            history: Rc::default(),
            keys: Keys::default(),
        }
    }

    /// Has the line editor use these keys.
    pub fn use_keys(&mut self, keys: Keys) {
        self.keys = keys;
    }

    /// Runs all statements of `text`, which is that of `file` or was typed, up to the first failure.
    pub fn run_text(&mut self, file: Option<&str>, text: &str) -> io::Result<Flow> {
        let mut input = Input::new();
        input.push(text);
        while let Some(item) = input.next().or_else(|| input.finish()) {
            match self.run_item(&item, file)? {
                Flow::Continue => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Continue)
    }

    /// Runs what `reader` gives, each statement as soon as it is complete, up to the first failure.
    pub fn run_reader(&mut self, reader: &mut dyn BufRead) -> io::Result<Flow> {
        let mut input = Input::new();
        let mut line = String::new();
        loop {
            line.clear();
            let at_end = match reader.read_line(&mut line) {
                Ok(length) => length == 0,
                Err(error) => return self.refuse(Source::whole(None, ""), unreadable("standard input", &error)),
            };
            input.push(&line);
            while let Some(item) = input.next().or_else(|| if at_end { input.finish() } else { None }) {
                match self.run_item(&item, Some("<stdin>"))? {
                    Flow::Continue => {}
                    other => return Ok(other),
                }
            }
            if at_end {
                return Ok(Flow::Continue);
            }
        }
    }

    /// Runs the statements of the file at `path`.
    pub fn run_file(&mut self, path: &Path) -> io::Result<Flow> {
        match self.open_script(path) {
            Ok((script, text)) => self.run_opened(script, &text),
            Err(message) => self.refuse(Source::whole(None, ""), message),
        }
    }

    /// Runs the script `path` at a statement of `source`: from the folder of the script that the statement stands in, else
    /// from the current one.
    fn run_script(&mut self, path: &str, source: Source<'_>) -> io::Result<Flow> {
        let path = with_variables(path, &self.session);
        let beside = self.scripts.last().and_then(|script| script.named.parent()).map(|folder| folder.join(&path));
        let path = beside.filter(|beside| beside.exists()).unwrap_or_else(|| PathBuf::from(&path));
        match self.open_script(&path) {
            Ok((script, text)) => self.run_opened(script, &text),
            Err(message) => self.refuse(source, message),
        }
    }

    fn run_opened(&mut self, script: Script, text: &str) -> io::Result<Flow> {
        let name = script.named.display().to_string();
        self.scripts.push(script);
        let flow = self.run_text(Some(&name), text);
        self.scripts.pop();
        flow
    }

    /// The script at `path` and its text, unless it runs already.
    fn open_script(&self, path: &Path) -> Result<(Script, String), String> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(&name, &error))?;
        let real = path.canonicalize().map_err(|error| unreadable(&name, &error))?;
        if let Some(first) = self.scripts.iter().position(|running| running.real == real) {
            let chain = self.scripts[first..].iter().map(|running| running.named.display().to_string());
            let chain: Vec<String> = chain.chain([name]).collect();
            return Err(format!("a script cannot run itself: {}", chain.join(" runs ")));
        }
        Ok((Script { named: path.to_owned(), real }, text))
    }

    /// Runs one statement or command, which is from `file` or was typed.
    pub(super) fn run_item(&mut self, item: &Item, file: Option<&str>) -> io::Result<Flow> {
        let interrupt = self.interrupt;
        let _work = interrupt.work();
        match item {
            Item::Statement(Statement { text, line, column }) if begins_with_run(text) => {
                let source = Source { file, text, line: *line, column: *column };
                match script_of(text) {
                    Ok(path) => self.run_script(&path, source),
                    Err(error) => self.fail(source, &error.into()),
                }
            }
            Item::Statement(statement) => self.run_statement(statement, file),
            Item::Command(command, place) => {
                let Statement { text, line, column } = place;
                self.run_command(command, Source { file, text, line: *line, column: *column })
            }
        }
    }

    /// Puts names that a person may want to complete into `words`, at once or soon.
    pub(super) fn learn(&self, words: &Words) {
        let _work = self.interrupt.work();
        self.backend.learn(words);
    }

    /// Where what was typed is kept.
    pub(super) fn history(&self) -> &Rc<RefCell<Vec<String>>> {
        &self.history
    }

    /// Keys of the line editor.
    pub(super) fn keys(&self) -> Keys {
        self.keys
    }

    /// Writes what was typed into the file that the session is copied to.
    pub(super) fn note_typed(&mut self, prompt: &str, typed: &str) -> io::Result<()> {
        self.screen.spool.typed(&format!("{prompt}{typed}"))
    }

    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    fn run_statement(&mut self, statement: &Statement, file: Option<&str>) -> io::Result<Flow> {
        let interrupt = self.interrupt;
        let _work = interrupt.work();
        let begin = Instant::now();
        let stopped = || interrupt.is_requested();
        let mut answers = Vec::new();
        let executed =
            self.backend.execute(&mut self.session, &statement.text, &stopped, &mut |answer| answers.push(answer));
        self.screen.tells_waiting = self.tells_waiting && !reads_from_start(&self.session);
        self.last = Some(statement.text.clone());
        // Shown only now, so that a query that runs for hours does not do so inside the engine's call.
        let mut shown = Ok(());
        for answer in answers {
            shown = shown.and(self.screen.show(&answer, &stopped)?);
        }
        if self.timing {
            self.screen.timing(begin.elapsed())?;
        }
        match executed.and(shown) {
            Err(error) => {
                let Statement { text, line, column } = statement;
                self.fail(Source { file, text, line: *line, column: *column }, &error)
            }
            Ok(()) if interrupt.is_requested() => Ok(Flow::Stopped),
            Ok(()) => Ok(Flow::Continue),
        }
    }

    fn refuse(&mut self, source: Source<'_>, message: String) -> io::Result<Flow> {
        self.fail(source, &EngineError::new(message))
    }

    fn fail(&mut self, source: Source<'_>, error: &EngineError) -> io::Result<Flow> {
        self.screen.problem(source, error)?;
        Ok(Flow::Failed)
    }
}

/// Whether a statement is one that only a shell knows, over several lines.
fn begins_with_run(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("run"))
}

/// The script that the statement `text` runs.
fn script_of(text: &str) -> Result<String, ParseError> {
    match parse_test_statements(text)?.pop().map(|parsed| parsed.statement) {
        Some(ast::Statement::RunScript { path }) => Ok(path),
        // No other statement begins with this word.
        _ => Ok(String::new()),
    }
}

/// `path` with the values of its variables: it stands in quotes, where none of them can be wrong.
fn with_variables(path: &str, session: &Session) -> String {
    let quoted = format!("'{}'", path.replace('\'', "''"));
    let replaced = substitute_variables(&quoted, &session.variables).unwrap_or(quoted);
    replaced[1..replaced.len() - 1].replace("''", "'")
}

fn unreadable(source: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => format!("{source} is not UTF-8 text"),
        _ => format!("cannot read {source}: {error}"),
    }
}

fn reads_from_start(session: &Session) -> bool {
    let of_reset = session.properties.iter().find(|(name, _)| name.ends_with("auto.offset.reset"));
    of_reset.is_some_and(|(_, value)| value.eq_ignore_ascii_case("earliest"))
}

#[cfg(test)]
mod tests;
