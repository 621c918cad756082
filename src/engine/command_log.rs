//! The statements that made the streams, tables and queries what they are, in order. Replayed at open.
//!
//! ```text
//! one server     family Meta, key := "command/" sequence: u64 big endian
//! on a cluster   topic _confluent-ksql-<service>levada-commands, key := sequence in digits
//! value          JSON {"version": 1, "origin": "file" | "session", "statement": text,
//!                      "properties": {name: value}, "server": {name: value}, "replayed": bool, "written": text,
//!                      "functions": [{"name", "kind", "volatile", "variations": [{"signature", "intermediate", "undo"}]}]}
//! ```
//!
//! A statement is replayed as it was understood: `server` has the server's properties that were asked for then, whatever the
//! server is started with later.
//!
//! On a cluster every server of the service reads the log and carries out what others have appended. Who wants to append takes over
//! the log, reads what is new, checks the statement against that, appends: two servers never append to the same past.
//!
//! A statement that leaves columns to Schema Registry stands here with the columns that it got, so that replaying it asks nobody;
//! `written` is then what its author wrote.
//!
//! `functions` is what a statement has taken from a library, so that its calls are understood whatever has become of the file.
//!
//! `INSERT VALUES` of a file is kept too, though it is not replayed: so a file that is run again knows what it has done.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::EngineError;
use super::libraries::RecordedFunction;
use crate::configuration::is_secret;
use crate::storage::{Family, KeyValue};
use crate::topics::{COMMANDS_LOG, SharedLog, TopicError, Topics, Transaction};
use crate::types::RecordChunk;

const PREFIX: &[u8] = b"command/";
const END: &[u8] = b"command0";
const VERSION: u32 = 1;

/// Who gave a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A file of statements, which may be run again.
    File,
    /// A client.
    Session,
}

/// One executed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    version: u32,
    /// Who gave it.
    pub origin: Origin,
    /// Its text.
    pub statement: String,
    /// Properties of the session.
    pub properties: BTreeMap<String, String>,
    /// Properties of the server that analysis asks for; older commands do not tell them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<BTreeMap<String, String>>,
    /// Whether it is executed again when the engine is opened.
    pub replayed: bool,
    /// How it was written, if it was completed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    /// Functions that it takes from a library, as they were then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<RecordedFunction>,
}

impl Command {
    /// A command of this version. Secrets of the session are not kept.
    pub fn new(origin: Origin, statement: &str, properties: &BTreeMap<String, String>, replayed: bool) -> Self {
        let kept = properties.iter().filter(|(name, _)| !is_secret(name));
        Self {
            version: VERSION,
            origin,
            statement: statement.to_owned(),
            properties: kept.map(|(name, value)| (name.clone(), value.clone())).collect(),
            server: None,
            replayed,
            written: None,
            functions: Vec::new(),
        }
    }

    /// The command as one that was given to a server with these properties.
    #[must_use]
    pub fn under(mut self, server: BTreeMap<String, String>) -> Self {
        self.server = Some(server);
        self
    }

    /// The command, whose statement was written as `text`.
    #[must_use]
    pub fn written_as(mut self, text: &str) -> Self {
        self.written = (text != self.statement).then(|| text.to_owned());
        self
    }

    /// The command as one that takes `functions` from a library.
    #[must_use]
    pub fn taking(mut self, functions: Vec<RecordedFunction>) -> Self {
        self.functions = functions;
        self
    }

    /// The statement as it was written.
    pub fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.statement)
    }
}

/// Where the commands are.
pub enum CommandLog {
    /// In the store of the data directory; whether they were read.
    Local(Arc<dyn Topics>, bool),
    /// On a topic that all servers of the service write.
    Shared(Box<dyn SharedLog>),
}

/// A command was not appended: others have been faster, and are to be read first.
#[derive(Debug)]
pub struct Overtaken;

impl CommandLog {
    /// The log of the engine on `topics`.
    pub fn open(topics: &Arc<dyn Topics>) -> Result<Self, EngineError> {
        Ok(match Arc::clone(topics).shared_log(COMMANDS_LOG)? {
            Some(log) => Self::Shared(log),
            None => Self::Local(Arc::clone(topics), false),
        })
    }

    /// Whether there are commands of other servers that were not read, as far as is known.
    pub fn has_more(&self) -> Result<bool, EngineError> {
        match self {
            Self::Local(..) => Ok(false),
            Self::Shared(log) => Ok(log.has_more()?),
        }
    }

    /// Commands since the last call with their sequence numbers, in order.
    pub fn read(&mut self) -> Result<Vec<(u64, Command)>, EngineError> {
        match self {
            Self::Local(_, true) => Ok(Vec::new()),
            Self::Local(topics, read) => {
                *read = true;
                read_local(&*topics.storage())
            }
            Self::Shared(log) => {
                let chunks = log.read()?;
                let records = chunks.iter().flat_map(|chunk| (0..chunk.len()).map(move |row| (chunk, row)));
                let command = |(chunk, row): (&RecordChunk, usize)| {
                    let sequence = str::from_utf8(chunk.keys.value(row)).ok().and_then(|digits| digits.parse().ok());
                    let sequence = sequence.ok_or_else(|| corrupt("a record has no sequence number"))?;
                    Ok((sequence, parse(chunk.values.value(row))?))
                };
                records.map(command).collect()
            }
        }
    }

    /// Makes this server the one that appends. True: what others have appended is to be read first.
    pub fn take_over(&mut self) -> Result<bool, EngineError> {
        match self {
            Self::Local(..) => Ok(false),
            Self::Shared(log) => Ok(log.take_over()?),
        }
    }

    /// Appends `command` as number `sequence`, with all that `transaction` holds.
    pub fn append(
        &mut self,
        sequence: u64,
        command: &Command,
        mut transaction: Transaction,
    ) -> Result<Result<(), Overtaken>, EngineError> {
        let value = serde_json::to_vec(command).expect("texts and maps of texts are JSON");
        match self {
            Self::Local(topics, _) => {
                let key = [PREFIX, &sequence.to_be_bytes()].concat();
                transaction.writes.put(Family::Meta, key, value);
                topics.commit(transaction)?;
            }
            Self::Shared(log) => match log.append(sequence.to_string().as_bytes(), &value, transaction) {
                Ok(()) => {}
                Err(TopicError::Fenced { .. }) => return Ok(Err(Overtaken)),
                Err(error) => return Err(error.into()),
            },
        }
        Ok(Ok(()))
    }
}

fn corrupt(reason: &str) -> EngineError {
    EngineError::new(format!("the command log is corrupt: {reason}"))
}

fn parse(value: &[u8]) -> Result<Command, EngineError> {
    let command: Command = serde_json::from_slice(value).map_err(|error| corrupt(&error.to_string()))?;
    if command.version > VERSION {
        return Err(EngineError::new(format!(
            "the command log has entries of version {}, this binary reads version {VERSION}",
            command.version
        ))
        .with_hint("a newer levada has written them: use that version"));
    }
    Ok(command)
}

fn read_local(storage: &dyn KeyValue) -> Result<Vec<(u64, Command)>, EngineError> {
    let entries = storage.scan(Family::Meta, PREFIX, END, usize::MAX).map_err(EngineError::environment)?;
    let command = |(key, value): (Vec<u8>, Vec<u8>)| {
        let sequence = key[PREFIX.len()..].try_into().map_err(|_| corrupt("a key has no sequence number"))?;
        Ok((u64::from_be_bytes(sequence), parse(&value)?))
    };
    entries.into_iter().map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_newer_version_are_refused() {
        let command = Command::new(Origin::Session, "SHOW STREAMS;", &BTreeMap::new(), true);
        let mut value = serde_json::to_value(&command).expect("a command is JSON");
        value["version"] = (VERSION + 1).into();
        let error = parse(value.to_string().as_bytes()).expect_err("version 2 is unknown");
        assert_eq!(error.message, "the command log has entries of version 2, this binary reads version 1");
    }
}
