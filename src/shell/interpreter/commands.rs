//! Commands of the shell, carried out.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Flow, Interpreter};
use crate::engine::{EngineError, Listing, Response};
use crate::shell::command::{BACKSLASHES, Command, HELP, Paging};
use crate::shell::{Answer, OutputFormat, Pager, Source};

/// What a terminal is told to begin anew.
const CLEAR: &[u8] = b"\x1b[2J\x1b[3J\x1b[H";

impl Interpreter<'_> {
    pub(super) fn run_command(&mut self, command: &Command, source: Source<'_>) -> io::Result<Flow> {
        match command {
            Command::Exit => return Ok(Flow::Exit),
            Command::Help => self.show(&Answer::message(HELP.trim_end()))?,
            Command::Clear if self.screen.clears() => self.screen.out.write_all(CLEAR)?,
            Command::Clear => {}
            Command::Output(Some(format)) => self.screen.format = *format,
            Command::Output(None) => {
                let text = format!("output is {}", self.screen.format.name());
                self.screen.message(&text)?;
            }
            Command::Expanded(on) => self.expand(*on)?,
            Command::Timing(on) => {
                self.timing = on.unwrap_or(!self.timing);
                self.screen.message(if self.timing { "timing is on" } else { "timing is off" })?;
            }
            Command::Watch(every_ms) => return self.watch(Duration::from_millis(*every_ms), source),
            Command::RunScript(path) => return self.run_script(path, source),
            Command::Statements(text) => return self.run_text(None, text),
            Command::Functions(name) => return self.functions(name, source),
            Command::History => self.show_history()?,
            Command::Version => {
                self.screen.message(&format!("shell: Levada {}", env!("CARGO_PKG_VERSION")))?;
                let interrupt = self.interrupt;
                match self.backend.describe(&|| interrupt.is_requested()) {
                    Ok(text) => self.screen.message(&format!("server: {text}"))?,
                    Err(error) => return self.fail(source, &error),
                }
            }
            Command::Server(url) => return self.server(url.as_deref(), source),
            Command::Pipelining(change) => return self.pipelining(*change, source),
            Command::Spool(path) => return self.spool(path.as_deref(), source),
            Command::Pager(paging) => self.page(paging)?,
            Command::Keys(keys) => self.keys = *keys,
            Command::Wrap(wraps) => self.screen.layout.wraps = *wraps,
            Command::ColumnWidth(width) => self.screen.layout.column_width = *width,
            Command::Visualise { what, file } => return self.visualise(what.as_deref(), file.as_deref(), source),
            Command::Progress => return self.follow_progress(source),
            Command::Unknown => {
                return self.refuse(source, format!("there is no such command; there are {}", BACKSLASHES.join(" ")));
            }
            Command::Misused(usage) => return self.refuse(source, format!("the command is: {usage}")),
        }
        self.screen.out.flush()?;
        Ok(Flow::Continue)
    }

    /// Shows something that does not fail.
    pub(super) fn show(&mut self, answer: &Answer) -> io::Result<()> {
        let interrupt = self.interrupt;
        self.screen.show(answer, &|| interrupt.is_requested()).map(drop)
    }

    /// What the statement `text` answers, not shown.
    pub(super) fn ask(&mut self, text: &str) -> Result<Vec<Answer>, EngineError> {
        let interrupt = self.interrupt;
        let mut answers = Vec::new();
        let stopped = || interrupt.is_requested();
        self.backend.execute(&mut self.session, text, &stopped, &mut |answer| answers.push(answer))?;
        Ok(answers)
    }

    fn expand(&mut self, on: Option<bool>) -> io::Result<()> {
        let is_expanded = self.screen.format == OutputFormat::Expanded;
        self.screen.format = if on.unwrap_or(!is_expanded) { OutputFormat::Expanded } else { OutputFormat::Table };
        let text = format!("output is {}", self.screen.format.name());
        self.screen.message(&text)
    }

    /// The last statement, every so often until Ctrl-C.
    fn watch(&mut self, every: Duration, source: Source<'_>) -> io::Result<Flow> {
        let Some(text) = self.last.clone() else {
            return self.refuse(source, "there is no statement to run again".to_owned());
        };
        let interrupt = self.interrupt;
        let _work = interrupt.work();
        loop {
            let title =
                format!("every {} s: {}", every.as_secs_f64(), text.split_whitespace().collect::<Vec<_>>().join(" "));
            if self.screen.clears() {
                self.screen.out.write_all(CLEAR)?;
                writeln!(self.screen.out, "{}", self.screen.layout.palette.faint(&title))?;
            }
            match self.run_text(None, &text)? {
                Flow::Continue => {}
                Flow::Stopped => return Ok(Flow::Continue),
                other => return Ok(other),
            }
            if interrupt.wait(every) {
                return Ok(Flow::Continue);
            }
        }
    }

    /// Functions whose names hold `name`; all about one that is called so, or that is the only one.
    fn functions(&mut self, name: &str, source: Source<'_>) -> io::Result<Flow> {
        let listings: Vec<Listing> = match self.ask("SHOW FUNCTIONS;") {
            Ok(answers) => answers.into_iter().flat_map(listings).collect(),
            Err(error) => return self.fail(source, &error),
        };
        let wanted = name.trim_matches('%').to_uppercase();
        let mut found = listings.into_iter().next().unwrap_or_default();
        found.rows.retain(|row| row.first().is_some_and(|known| known.to_uppercase().contains(&wanted)));
        let is_one = found.rows.iter().any(|row| row[0].eq_ignore_ascii_case(name));
        match found.rows.as_slice() {
            [] => self.refuse(source, format!("no function is called {name} or has that in its name")),
            [only] => {
                let text = format!("DESCRIBE FUNCTION {};", only[0]);
                self.run_text(None, &text)
            }
            _ if is_one => self.run_text(None, &format!("DESCRIBE FUNCTION {name};")),
            _ => {
                self.show(&Answer::listing(vec![found]))?;
                Ok(Flow::Continue)
            }
        }
    }

    fn show_history(&mut self) -> io::Result<()> {
        let entries = self.history.borrow().clone();
        let width = entries.len().to_string().len();
        let lines = entries.iter().zip(1..).map(|(text, number)| {
            let below = format!("\n{:width$}  ", "");
            vec![format!("{number:>width$}  {}", text.replace('\n', &below))]
        });
        self.show(&Answer::listing(vec![Listing::table("", &[], lines.collect())]))
    }

    fn server(&mut self, url: Option<&str>, source: Source<'_>) -> io::Result<Flow> {
        let Some(url) = url else {
            let text = self.backend.server().unwrap_or_else(|| "the engine of this process".to_owned());
            self.screen.message(&text)?;
            return Ok(Flow::Continue);
        };
        let connected = self.backend.connect(url).and_then(|()| {
            // What was set for one server is not what another one is to have.
            self.session.properties.clear();
            let interrupt = self.interrupt;
            self.backend.describe(&|| interrupt.is_requested())
        });
        match connected {
            Ok(text) => self.screen.message(&text)?,
            Err(error) => return self.fail(source, &error),
        }
        Ok(Flow::Continue)
    }

    fn pipelining(&mut self, change: Option<bool>, source: Source<'_>) -> io::Result<Flow> {
        if change == Some(true) && self.backend.server().is_none() {
            return self.refuse(source, "statements of an engine in this process wait for each other".to_owned());
        }
        let on = self.backend.pipelining(change);
        self.screen.message(if on { "request-pipelining is on" } else { "request-pipelining is off" })?;
        Ok(Flow::Continue)
    }

    fn spool(&mut self, path: Option<&str>, source: Source<'_>) -> io::Result<Flow> {
        let done = match path {
            Some(path) => {
                self.screen.spool.begin(Path::new(path)).map(|()| format!("the session is copied into {path}"))
            }
            None => self.screen.spool.end().map(|ended| {
                if ended { "the session is not copied any more" } else { "the session was not copied" }.to_owned()
            }),
        };
        match done {
            Ok(text) => self.screen.message(&text)?,
            Err(error) => {
                let path = path.unwrap_or("the file");
                return self.refuse(source, format!("{path} cannot be written: {error}"));
            }
        }
        Ok(Flow::Continue)
    }

    fn page(&mut self, paging: &Paging) -> io::Result<()> {
        let is_on = self.screen.pager.as_ref().is_some_and(Pager::is_on);
        self.screen.pager = match paging {
            Paging::Command(command) => Some(Pager { command: command.clone() }),
            Paging::Switch(on) => on.unwrap_or(!is_on).then(Pager::of_environment),
        };
        let text = match &self.screen.pager {
            Some(pager) if pager.is_on() => format!("long results are shown by {}", pager.command),
            _ => "there is no pager".to_owned(),
        };
        self.screen.message(&text)
    }
}

/// The tables of an answer.
pub(super) fn listings(answer: Answer) -> Vec<Listing> {
    match answer {
        Answer::Response(Response::Listing(listings)) => listings,
        _ => Vec::new(),
    }
}
