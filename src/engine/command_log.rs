//! The statements that made this data directory what it is, in order. Replayed at open.
//!
//! ```text
//! family Meta, key  := "command/" sequence: u64 big endian
//!              value := JSON {"version": 1, "origin": "file" | "session", "statement": text,
//!                             "properties": {name: value}, "replayed": bool}
//! ```
//!
//! `INSERT VALUES` of a file is kept too, though it is not replayed: so a file that is run again knows what it has done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EngineError;
use crate::storage::{Family, KeyValue, WriteSet};

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
    /// Properties in force.
    pub properties: BTreeMap<String, String>,
    /// Whether it is executed again when the data directory is opened.
    pub replayed: bool,
}

impl Command {
    /// A command of this version.
    pub fn new(origin: Origin, statement: &str, properties: &BTreeMap<String, String>, replayed: bool) -> Self {
        Self { version: VERSION, origin, statement: statement.to_owned(), properties: properties.clone(), replayed }
    }
}

/// All commands with their sequence numbers, in order.
pub fn read(storage: &dyn KeyValue) -> Result<Vec<(u64, Command)>, EngineError> {
    let entries = storage.scan(Family::Meta, PREFIX, END, usize::MAX).map_err(EngineError::environment)?;
    let mut commands = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let corrupt = |reason: String| EngineError::new(format!("the command log is corrupt: {reason}"));
        let sequence: [u8; 8] =
            key[PREFIX.len()..].try_into().map_err(|_| corrupt("a key has no sequence number".to_owned()))?;
        let command: Command = serde_json::from_slice(&value).map_err(|error| corrupt(error.to_string()))?;
        if command.version > VERSION {
            return Err(EngineError::new(format!(
                "the command log has entries of version {}, this binary reads version {VERSION}",
                command.version
            )));
        }
        commands.push((u64::from_be_bytes(sequence), command));
    }
    Ok(commands)
}

/// Adds `command` to `writes`.
pub fn append(writes: &mut WriteSet, sequence: u64, command: &Command) {
    let key = [PREFIX, &sequence.to_be_bytes()].concat();
    let value = serde_json::to_vec(command).expect("texts and maps of texts are JSON");
    writes.put(Family::Meta, key, value);
}
