//! A server elsewhere, ours or ksqlDB's, over its HTTP API.
//!
//! ```text
//! statement ─┬─ SET, DEFINE … ─────────▶ the session, which is sent with every request
//!            ├─ SELECT, PRINT ─▶ /query ─▶ a thread reads ─▶ queue ─▶ Answer (rows as columns of their types)
//!            └─ all others ────▶ /ksql ──▶ entities ─▶ Answer (tables of texts)
//! ```
//!
//! Whoever presses Ctrl-C waits for no answer: requests are made on threads of their own.

mod connection;
mod entities;
mod rows;
mod schema;
mod token;
mod values;
mod words;

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use ureq::Body;

pub use self::connection::{Access, Advice, Certificates, Credentials};
use self::connection::{Connection, UNREACHABLE};
use self::entities::{answers, text};
use self::rows::{Broken, Chunk, Header, RowReader};
pub use self::token::TokenRequest;
use super::answer::PrintedLines;
use super::backend::Words;
use super::{Answer, Backend};
use crate::engine::{EngineError, Listing, PushEnd, PushQuery, PushQueue, Response, ResultRows, Session};
use crate::runtime::{PushedRows, RowReceiver as _};
use crate::sql::ast::Statement;
use crate::sql::{parse_statements, substitute_variables};
use crate::types::STACK_BYTES;

/// How often somebody who waits for an answer asks whether to go on waiting.
const POLL: Duration = Duration::from_millis(20);
/// How often a reader whose rows nobody takes looks again.
const FULL: Duration = Duration::from_millis(5);
/// Lines of PRINT that may wait to be shown.
const LINES_MAX: usize = 1_000;
/// How long the server is waited for when it cannot be reached, where a person waits.
const PATIENCE: Duration = Duration::from_secs(15);
const PATIENCE_POLL: Duration = Duration::from_millis(250);
/// States of a command that is not carried out yet.
const UNDER_WAY: [&str; 3] = ["QUEUED", "PARSING", "EXECUTING"];
/// What is encoded in the id of a command, ``stream/`A`/create``.
const COMMAND_ID: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'_');

/// A server as a shell asks it.
pub struct RemoteBackend {
    connection: RwLock<Arc<Connection>>,
    access: Access,
    /// Whether a server that is away for a moment is waited for.
    patient: bool,
    /// The last command that was carried out for us; those after it wait for it, on whatever server. -1: none.
    sequence: AtomicI64,
    pipelining: AtomicBool,
}

impl RemoteBackend {
    /// Prepares to ask the server at `url`; nothing is asked yet. A `patient` one waits for a server that is away.
    pub fn new(url: &str, access: Access, patient: bool) -> Result<Self, EngineError> {
        let connection = Connection::new(url, &access)?;
        Ok(Self {
            connection: RwLock::new(Arc::new(connection)),
            access,
            patient,
            sequence: AtomicI64::new(-1),
            pipelining: AtomicBool::new(false),
        })
    }

    fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn body(&self, session: &Session, text: &str) -> Value {
        let properties: Map<String, Value> =
            session.properties.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let variables: Map<String, Value> =
            session.variables.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let mut body = json!({"ksql": text, "streamsProperties": properties, "sessionVariables": variables});
        let sequence = self.sequence.load(Ordering::Relaxed);
        if sequence >= 0 && !self.pipelining.load(Ordering::Relaxed) {
            body["commandSequenceNumber"] = sequence.into();
        }
        body
    }

    /// What `work` gives, done on a thread of its own; `None` when nobody waits for it any more. A server that cannot be
    /// reached is waited for a while if there is a person who does.
    fn ask<T: Send + 'static>(
        &self,
        stopped: &dyn Fn() -> bool,
        work: impl Fn(&Connection) -> Result<T, EngineError> + Send + Clone + 'static,
    ) -> Option<Result<T, EngineError>> {
        let tries = if self.patient { PATIENCE.as_millis() / PATIENCE_POLL.as_millis() } else { 0 };
        let mut tried = 0;
        loop {
            let (connection, work) = (self.connection(), work.clone());
            let (sender, answer) = channel();
            let asking = move || {
                // Nobody waits any more, perhaps.
                let _ = sender.send(work(&connection));
            };
            if let Err(error) = spawn(asking) {
                return Some(Err(error));
            }
            let outcome = loop {
                match answer.recv_timeout(POLL) {
                    Ok(outcome) => break outcome,
                    Err(RecvTimeoutError::Timeout) if stopped() => return None,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break Err(EngineError::new("the request was not made")),
                }
            };
            match outcome {
                Err(error) if error.code == Some(UNREACHABLE) && tried < tries => {
                    if tried == 0 {
                        let url = self.connection().url.clone();
                        let _ = writeln!(io::stderr(), "waiting for the server at {url} … (Ctrl-C gives up)");
                    }
                    tried += 1;
                    std::thread::park_timeout(PATIENCE_POLL);
                    if stopped() {
                        return None;
                    }
                }
                outcome => return Some(outcome),
            }
        }
    }

    /// A statement that is no query.
    fn command(
        &self,
        session: &Session,
        text: &str,
        stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        match self.entities(session, text, stopped)? {
            Some(entities) => entities.iter().flat_map(answers).for_each(show),
            None => show(Answer::message("not waited for; the server may carry the statement out all the same")),
        }
        Ok(())
    }

    /// What the server says to statements that are no queries, as it says it; `None` when `stopped` says that nobody waits for it any
    /// more. A command that the server has taken and could not carry out is an error, too.
    pub fn entities(
        &self,
        session: &Session,
        text: &str,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Value>>, EngineError> {
        let body = self.body(session, text);
        let Some(answered) = self.ask(stopped, move |server| server.post_for_json("/ksql", &body)) else {
            return Ok(None);
        };
        let Value::Array(mut entities) = answered? else {
            return Err(EngineError::new("the server has answered with something unexpected"));
        };
        for entity in &mut entities {
            if let Some(number) = entity["commandSequenceNumber"].as_i64() {
                self.sequence.store(number, Ordering::Relaxed);
            }
            if !self.pipelining.load(Ordering::Relaxed) {
                self.await_command(entity, stopped);
            }
            let status = &entity["commandStatus"];
            if status["status"] == "ERROR" {
                return Err(EngineError::new(self::text(&status["message"])));
            }
        }
        Ok(Some(entities))
    }

    /// Waits until the command of `entity` is carried out: a server that is slow answers before. Its status is in `entity` then.
    fn await_command(&self, entity: &mut Value, stopped: &dyn Fn() -> bool) {
        let path = format!("/status/{}", utf8_percent_encode(&text(&entity["commandId"]), &COMMAND_ID));
        while UNDER_WAY.iter().any(|word| entity["commandStatus"]["status"] == *word) && !stopped() {
            std::thread::park_timeout(PATIENCE_POLL);
            let path = path.clone();
            match self.ask(stopped, move |server| server.get(&path)) {
                Some(Ok(status)) => entity["commandStatus"] = status,
                // A server that cannot tell has taken the command all the same.
                _ => return,
            }
        }
    }

    /// What the server says of itself: its version, its service, its state.
    pub fn info(&self, stopped: &dyn Fn() -> bool) -> Result<Value, EngineError> {
        let asked = self.ask(stopped, |server| server.get("/info"));
        let given_up = || EngineError::new(format!("{} is not waited for", self.connection().url));
        let mut info = asked.unwrap_or_else(|| Err(given_up()))?;
        Ok(info["KsqlServerInfo"].take())
    }

    /// A SELECT.
    fn query(
        &self,
        session: &Session,
        text: &str,
        ends: bool,
        stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        let body = self.body(session, text);
        let begun = self.ask(stopped, move |server| {
            let mut reader = RowReader::new(server.post("/query", &body)?.into_body().into_reader());
            let header = reader.header().map_err(|broken| told(server, broken))?;
            if !ends {
                return Ok((header, Reading::Goes(Box::new(reader))));
            }
            let mut batches = Vec::new();
            loop {
                match reader.chunk(&header.columns).map_err(|broken| told(server, broken))? {
                    Chunk::Rows(batch, _) => batches.push(batch),
                    Chunk::End(end) => return Ok((header, Reading::Ended(batches, end))),
                }
            }
        });
        let Some(begun) = begun else { return Ok(()) };
        match begun? {
            (header, Reading::Ended(batches, end)) => {
                let Header { columns, roles, .. } = header;
                show(Response::Rows(ResultRows { columns, roles, batches, end }).into());
            }
            (header, Reading::Goes(reader)) => show(Response::Push(self.push(header, reader)?).into()),
        }
        Ok(())
    }

    /// Rows that keep coming: a thread reads them until the query ends, on whatever side.
    fn push(
        &self,
        header: Header,
        mut reader: Box<RowReader<ureq::BodyReader<'static>>>,
    ) -> Result<PushQuery, EngineError> {
        let (connection, id) = (self.connection(), header.id.clone());
        let queue = PushQueue::new(None).telling(move || close(Arc::clone(&connection), id.clone()));
        let queue = Arc::new(queue);
        let (connection, into, columns) = (self.connection(), Arc::clone(&queue), header.columns.clone());
        spawn(move || {
            while !into.is_closed() {
                if into.is_full() {
                    std::thread::park_timeout(FULL);
                    continue;
                }
                match reader.chunk(&columns) {
                    Ok(Chunk::Rows(batch, gone)) => into.push(PushedRows::new(batch, gone)),
                    Ok(Chunk::End(end)) => into.end(end.unwrap_or(PushEnd::Completed)),
                    Err(broken) => into.fail(&told(&connection, broken).message),
                }
            }
        })?;
        Ok(PushQuery::new(header.id, header.columns, queue))
    }

    /// PRINT.
    fn print(
        &self,
        session: &Session,
        text: &str,
        only_new: bool,
        stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        let body = self.body(session, text);
        let Some(begun) = self.ask(stopped, move |server| Ok(server.post_for_text("/query", &body)?.into_body()))
        else {
            return Ok(());
        };
        let (sender, lines) = sync_channel(LINES_MAX);
        let (connection, body): (_, Body) = (self.connection(), begun?);
        spawn(move || {
            for line in BufReader::new(body.into_reader()).lines() {
                let line = line.map_err(|error| connection.lost(&error.to_string()));
                let is_last = line.is_err();
                let is_empty = line.as_ref().is_ok_and(String::is_empty);
                // Empty lines ask whether we are there. Nobody reads when the person has seen enough.
                if is_last || (!is_empty && sender.send(line).is_err()) {
                    return;
                }
            }
        })?;
        show(Answer::Printed(PrintedLines::new(lines, only_new)));
        Ok(())
    }

    /// SET and its like, which only concern the session; `None` when `statement` is another one.
    fn local(&self, session: &mut Session, statement: &Statement) -> Option<Result<Option<Answer>, EngineError>> {
        Some(Ok(match statement {
            Statement::SetProperty { name, value } => {
                // A server that cannot tell takes the property, or refuses the next statement.
                match self.connection().get(&format!("/is_valid_property/{name}")) {
                    Err(error) if error.code != Some(UNREACHABLE) && error.message.contains(name.as_str()) => {
                        return Some(Err(error));
                    }
                    _ => Some(Answer::message(session.put(name, value))),
                }
            }
            Statement::UnsetProperty { name } => Some(Answer::message(session.unset(name))),
            Statement::DefineVariable { name, value } => {
                session.define(name, value);
                None
            }
            Statement::UndefineVariable { name } => session.undefine(name).map(Answer::message),
            Statement::ShowVariables => {
                let rows = session.variables.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
                Some(Answer::listing(vec![Listing::table("", &["Variable Name", "Value"], rows.collect())]))
            }
            _ => return None,
        }))
    }
}

/// How a query was read so far.
enum Reading {
    /// To its end.
    Ended(Vec<arrow::array::RecordBatch>, Option<PushEnd>),
    /// Its header.
    Goes(Box<RowReader<ureq::BodyReader<'static>>>),
}

/// What a statement is to the server.
enum Kind {
    Command,
    Query { ends: bool },
    Print { only_new: bool },
}

/// What `text` is. It may be a statement of a server that knows more than we do: then its first word tells.
fn kind(text: &str, statement: Option<&Statement>) -> Kind {
    match statement {
        Some(Statement::Query(query)) => Kind::Query { ends: query.is_pull() },
        Some(Statement::Read(_)) => Kind::Query { ends: true },
        Some(Statement::PrintTopic(print)) => Kind::Print { only_new: !print.from_beginning },
        Some(_) => Kind::Command,
        None => {
            let upper = text.to_uppercase();
            let mut words = upper.split_whitespace();
            match words.next() {
                Some("SELECT" | "WITH") => Kind::Query { ends: !words.any(|word| word == "EMIT") },
                Some("PRINT") => Kind::Print { only_new: !words.any(|word| word == "BEGINNING") },
                _ => Kind::Command,
            }
        }
    }
}

impl Backend for RemoteBackend {
    fn execute(
        &self,
        session: &mut Session,
        text: &str,
        stopped: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        // Servers replace variables themselves; what is not sent to them, or sent to another place, is replaced here.
        let replaced = substitute_variables(text, &session.variables);
        let parsed = parse_statements(replaced.as_deref().unwrap_or(text)).ok();
        let statement = parsed.as_ref().and_then(|parsed| parsed.first()).map(|parsed| &parsed.statement);
        if let Some(done) = statement.and_then(|statement| self.local(session, statement)) {
            done?.into_iter().for_each(show);
            return Ok(());
        }
        match kind(text, statement) {
            Kind::Command => self.command(session, text, stopped, show),
            Kind::Query { ends } => self.query(session, text, ends, stopped, show),
            Kind::Print { only_new } => self.print(session, text, only_new, stopped, show),
        }
    }

    fn learn(&self, words: &Words) {
        let (connection, words) = (self.connection(), Arc::clone(words));
        // Who cannot start a thread completes nothing.
        let _ = spawn(move || words::learn(&connection, &words));
    }

    fn describe(&self, stopped: &dyn Fn() -> bool) -> Result<String, EngineError> {
        let info = self.info(stopped)?;
        let name = match info["levadaVersion"].as_str() {
            Some(version) => format!("Levada {version}"),
            None => format!("ksqlDB {}", text(&info["version"])),
        };
        let url = self.connection().url.clone();
        let state = match info["serverStatus"].as_str() {
            None | Some("RUNNING") => String::new(),
            Some(other) => format!(" ({other})"),
        };
        Ok(format!("{name} at {url}, service {}{state}", text(&info["ksqlServiceId"])))
    }

    fn server(&self) -> Option<String> {
        Some(self.connection().url.clone())
    }

    fn connect(&self, url: &str) -> Result<(), EngineError> {
        let connection = Connection::new(url, &self.access)?;
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(connection);
        self.sequence.store(-1, Ordering::Relaxed);
        Ok(())
    }

    fn pipelining(&self, change: Option<bool>) -> bool {
        if let Some(on) = change {
            self.pipelining.store(on, Ordering::Relaxed);
        }
        self.pipelining.load(Ordering::Relaxed)
    }
}

/// Tells the server that a query is not read any more; it notices late by itself.
fn close(connection: Arc<Connection>, id: String) {
    // It notices by itself, where no thread can be started or no request made.
    let _ = spawn(move || drop(connection.post("/close-query", &json!({"queryId": id}))));
}

fn told(connection: &Connection, broken: Broken) -> EngineError {
    match broken {
        Broken::Failed(error) => error,
        Broken::Lost(error) => connection.lost(&error.to_string()),
    }
}

/// What servers send may be nested.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), EngineError> {
    let thread = std::thread::Builder::new().name("shell-http".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).map(drop).map_err(EngineError::environment)
}
