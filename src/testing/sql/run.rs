//! Runs one test: statement after statement, each with all that follows from it, before the next.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::script::{ExpectedFailure, TestCase};
use super::{definition, judgement, values};
use crate::plan::{AssertedRow, PlanError, asserted_row};
use crate::sql::ast::{AssertSource, CreateSource, InsertValues, Literal, Statement};
use crate::sql::{ParsedStatement, parse_test_statements, split_statements, substitute_variables};
use crate::testing::driver::{Driver as _, Failure, RunMode, Stage};
use crate::testing::engine_driver::{EngineDriver, misread, rejected};

/// Line and column in a file, from 1.
pub type Place = (usize, usize);

/// Where and why a test stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// In which file.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// What happened.
    pub cause: Cause,
}

/// What stops a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A statement failed, or a query that runs.
    Failed(Box<Failure>),
    /// Something is not as asserted.
    Asserted(String),
    /// Something about the test itself.
    Broken(String),
}

/// Runs `case` of the file at `path`.
pub fn run(case: &TestCase, path: &Path) -> Result<(), String> {
    let mut runner = Runner::open().map_err(|failure| failure.message)?;
    let stopped = runner.file(path, &case.text);
    match &case.expected {
        Some(ExpectedFailure { class, message }) => judgement::check(class.as_deref(), message.as_deref(), stopped),
        None => stopped.map_err(|stop| stop.to_string()),
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (file, (line, column)) = (&self.file, self.place);
        write!(f, "{file}:{line}:{column}: ")?;
        match &self.cause {
            Cause::Failed(failure) => {
                // Syntax errors begin with their place.
                let message = failure.message.strip_prefix(&format!("line {line}:{column}: "));
                f.write_str(message.unwrap_or(&failure.message))?;
                failure.hint.iter().try_for_each(|hint| write!(f, "\nhint: {hint}"))
            }
            Cause::Asserted(text) | Cause::Broken(text) => f.write_str(text),
        }
    }
}

impl From<Failure> for Cause {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl Cause {
    /// The text of the error.
    pub fn text(&self) -> String {
        match self {
            Self::Failed(failure) => failure.full_text(),
            Self::Asserted(text) | Self::Broken(text) => text.clone(),
        }
    }
}

struct Runner {
    driver: EngineDriver,
    /// How many records of each topic were looked at.
    read: HashMap<String, usize>,
    /// The files that run, each run by the one before it.
    files: Vec<PathBuf>,
}

impl Runner {
    fn open() -> Result<Self, Failure> {
        // As in ksqlDB's tool, all records of a topic are in one partition, in the order in which they were written.
        let driver = EngineDriver::open_as_server(RunMode::CONFORMANCE)?;
        Ok(Self { driver, read: HashMap::new(), files: Vec::new() })
    }

    /// Runs the statements of `text`, which is that of the file at `path`, or a part of it.
    fn file(&mut self, path: &Path, text: &str) -> Result<(), Stop> {
        self.files.push(path.to_owned());
        for piece in split_statements(text).into_iter().filter(|piece| *piece != ";") {
            let begin = place_of(text, piece.as_ptr() as usize - text.as_ptr() as usize);
            self.piece(piece, begin)?;
        }
        self.files.pop();
        Ok(())
    }

    /// Runs the statement `text`, which begins at `begin` of the current file.
    fn piece(&mut self, text: &str, begin: Place) -> Result<(), Stop> {
        let replaced = self.replaced(text).and_then(|text| Self::parse(&text, begin));
        let parsed = replaced.map_err(|failure| self.stop(begin, failure.into()))?;
        match &parsed.statement {
            Statement::RunScript { path } => return self.script(path, begin),
            Statement::AssertValues(assert) => self.assert_record(assert, false, &parsed.text),
            Statement::AssertTombstone(assert) => self.assert_record(assert, true, &parsed.text),
            Statement::AssertSource(assert) => self.assert_source(assert, &parsed.text),
            statement => match answer_of(statement) {
                Some(what) => {
                    Err(Cause::Broken(format!("a test cannot hold {what}: nothing would look at its answer")))
                }
                // It replaces variables itself, and once only.
                None => Self::parse(text, begin)
                    .and_then(|written| self.execute(&parsed.statement, &written))
                    .map_err(Cause::from),
            },
        }
        .map_err(|cause| self.stop(begin, cause))
    }

    /// `text` with the values of its variables.
    fn replaced(&self, text: &str) -> Result<String, Failure> {
        substitute_variables(text, self.driver.variables())
            .map_err(|error| Failure::new(Stage::Rejected, error.to_string()))
    }

    /// The statement `text`. What is wrong with it is told by places in the file.
    fn parse(text: &str, (line, column): Place) -> Result<ParsedStatement, Failure> {
        let text = format!("{}{}{text}", "\n".repeat(line - 1), " ".repeat(column - 1));
        let parsed = parse_test_statements(&text).map_err(|error| misread(&error))?;
        let nothing = || Failure::new(Stage::Rejected, "a statement vanished when its variables were replaced");
        parsed.into_iter().next().ok_or_else(nothing)
    }

    /// Executes `statement`, which is `written` with variables in it, and lets every query process what follows from it.
    fn execute(&mut self, statement: &Statement, written: &ParsedStatement) -> Result<(), Failure> {
        if let Statement::CreateSource(create) = statement {
            self.create_topic(create)?;
        }
        self.driver.execute_parsed(written)?;
        self.driver.settle_all()
    }

    /// Makes the topic that a source is to stand on, as if it had been there before; ksqlDB's tool does so too.
    fn create_topic(&mut self, create: &CreateSource) -> Result<(), Failure> {
        let property = |name: &str| {
            let found = create.properties.iter().find(|property| property.name.eq_ignore_ascii_case(name));
            found.map(|property| &property.value)
        };
        match (property("KAFKA_TOPIC"), property("PARTITIONS")) {
            (Some(Literal::String(topic)), None) if !self.driver.topics().contains(topic) => {
                self.driver.create_topic(topic, 1)
            }
            _ => Ok(()),
        }
    }

    /// Runs a script: from the folder of the file that names it, else from the current one.
    fn script(&mut self, name: &str, begin: Place) -> Result<(), Stop> {
        let folder = self.files.last().and_then(|file| file.parent());
        let beside = folder.map(|folder| folder.join(name)).filter(|beside| beside.exists());
        let path = beside.unwrap_or_else(|| PathBuf::from(name));
        let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.files.iter().any(|running| place(running) == place(&path)) {
            let text = format!("a script cannot run itself: {}", path.display());
            return Err(self.stop(begin, Cause::Broken(text)));
        }
        let text = fs::read_to_string(&path);
        let text =
            text.map_err(|error| self.stop(begin, Cause::Broken(format!("cannot read {}: {error}", path.display()))))?;
        self.file(&path, &text)
    }

    /// Takes the next record of a source's topic and compares it.
    fn assert_record(&mut self, assert: &InsertValues, is_tombstone: bool, sql: &str) -> Result<(), Cause> {
        let analyzed = self.driver.analyze(|catalog, settings| {
            let row = asserted_row(assert, is_tombstone, catalog, settings)?;
            Ok(catalog.source(&row.source).cloned().map(|source| (row, source)))
        });
        let analyzed: Option<(AssertedRow, _)> = analyzed
            .and_then(|analyzed: Result<_, PlanError>| analyzed.map_err(|error| rejected(error.into(), sql)))
            .map_err(Cause::from)?;
        let Some((row, source)) = analyzed else { return Ok(()) };
        let read = self.read.entry(source.topic.clone()).or_default();
        let topic = &source.topic;
        let Some(record) = self.driver.records(topic).into_iter().nth(*read) else {
            let text = format!("Expected another record, but all records have already been read for topic {topic}");
            return Err(Cause::Asserted(text));
        };
        *read += 1;
        values::check(&source, &row, &record, is_tombstone).map_err(|faults| {
            Cause::Asserted(format!("Expected record does not match actual.\nrecord {read} of topic {topic}\n{faults}"))
        })
    }

    fn assert_source(&mut self, assert: &AssertSource, sql: &str) -> Result<(), Cause> {
        let checked = self.driver.analyze(|catalog, settings| definition::check(assert, catalog, settings));
        let checked = checked.and_then(|checked| checked.map_err(|error| rejected(error.into(), sql)));
        checked.map_err(Cause::from)?.map_err(Cause::Asserted)
    }

    /// `cause`, of a statement that begins at `begin` of the current file.
    fn stop(&self, begin: Place, cause: Cause) -> Stop {
        let within = match &cause {
            Cause::Failed(failure) => failure.position,
            Cause::Asserted(_) | Cause::Broken(_) => None,
        };
        let file = self.files.last().map_or_else(String::new, |path| path.display().to_string());
        let (line, column) = within.unwrap_or(begin);
        Stop { file, place: (line, column), cause }
    }
}

/// What a statement is, if all that it does is to answer.
fn answer_of(statement: &Statement) -> Option<&'static str> {
    Some(match statement {
        Statement::Query(_) | Statement::Read(_) => "SELECT",
        Statement::PrintTopic(_) => "PRINT",
        Statement::Explain(_) => "EXPLAIN",
        Statement::Diagnose(_) => "DIAGNOSE",
        Statement::DescribeSource { .. }
        | Statement::DescribeSources { .. }
        | Statement::DescribeFunction { .. }
        | Statement::DescribeConnector { .. } => "DESCRIBE",
        Statement::ShowProperties
        | Statement::ShowTopics { .. }
        | Statement::ShowSources { .. }
        | Statement::ShowFunctions
        | Statement::ShowConnectors(_)
        | Statement::ShowConnectorPlugins
        | Statement::ShowTypes
        | Statement::ShowVariables
        | Statement::ShowQueries { .. } => "SHOW",
        _ => return None,
    })
}

/// Line and column of the byte at `offset`.
fn place_of(text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let line_begin = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_begin..].chars().count() + 1)
}
