//! Where the registry keeps things in the store of a data directory.
//!
//! ```text
//! schema/next                          the next free id
//! schema/id/ ‖ id                      a schema: language, text, references
//! schema/subject/ ‖ name ‖ 0 ‖ version its id, and whether it was deleted
//! schema/config/ ‖ name                level and more of a subject; of all, where the name is empty
//! schema/mode/ ‖ name                  the same for modes
//! ```
//!
//! Ids and versions are 4 bytes, big-endian; values are JSON with the version of their form.

use serde::{Deserialize, Serialize};

use super::state::{Config, State, Version};
use super::{Compatibility, Mode};
use crate::registry::{SchemaDocument, SchemaReference, SchemaType};
use crate::storage::{Family, KeyValue, StorageError};

const ALL: &[u8] = b"schema/";
const ALL_END: &[u8] = b"schema0";
const NEXT: &[u8] = b"schema/next";
const ID: &[u8] = b"schema/id/";
const SUBJECT: &[u8] = b"schema/subject/";
const CONFIG: &[u8] = b"schema/config/";
const MODE: &[u8] = b"schema/mode/";

/// Version of the form of values.
const FORM: u32 = 1;
/// Entries that are read at once.
const PAGE: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct StoredSchema {
    form: u32,
    language: String,
    text: String,
    references: Vec<(String, String, u32)>,
}

#[derive(Serialize, Deserialize)]
struct StoredVersion {
    form: u32,
    id: u32,
    deleted: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredConfig {
    form: u32,
    compatibility: Option<String>,
    normalize: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct StoredWord {
    form: u32,
    value: String,
}

/// A key and its value; no value removes it.
pub(super) type Change = (Vec<u8>, Option<Vec<u8>>);

fn value<T: Serialize>(stored: &T) -> Vec<u8> {
    serde_json::to_vec(stored).expect("texts and numbers can be written as JSON")
}

pub(super) fn next(id: u32) -> Change {
    (NEXT.to_vec(), Some(value(&StoredWord { form: FORM, value: id.to_string() })))
}

pub(super) fn schema(id: u32, schema: Option<&SchemaDocument>) -> Change {
    let stored = schema.map(|schema| {
        let references = schema.references.iter();
        value(&StoredSchema {
            form: FORM,
            language: schema.schema_type.name().to_owned(),
            text: schema.text.clone(),
            references: references.map(|one| (one.name.clone(), one.subject.clone(), one.version)).collect(),
        })
    });
    ([ID, &id.to_be_bytes()].concat(), stored)
}

pub(super) fn version(subject: &str, number: u32, version: Option<Version>) -> Change {
    let stored = version.map(|Version { id, deleted }| value(&StoredVersion { form: FORM, id, deleted }));
    ([SUBJECT, subject.as_bytes(), &[0], &number.to_be_bytes()].concat(), stored)
}

pub(super) fn config(subject: &str, config: Config) -> Change {
    let compatibility = config.compatibility.map(|level| level.name().to_owned());
    let stored = StoredConfig { form: FORM, compatibility, normalize: config.normalize };
    ([CONFIG, subject.as_bytes()].concat(), (config != Config::default()).then(|| value(&stored)))
}

pub(super) fn mode(subject: &str, mode: Option<Mode>) -> Change {
    let stored = mode.map(|mode| value(&StoredWord { form: FORM, value: mode.name().to_owned() }));
    ([MODE, subject.as_bytes()].concat(), stored)
}

/// Everything that `storage` has.
pub(super) fn load(storage: &dyn KeyValue) -> Result<State, StorageError> {
    let mut state = State::default();
    let mut from = ALL.to_vec();
    loop {
        let page = storage.scan(Family::Meta, &from, ALL_END, PAGE)?;
        for (key, value) in &page {
            entry(&mut state, key, value).ok_or_else(|| {
                StorageError::Corrupt(format!("{} is not what a registry writes", String::from_utf8_lossy(key)))
            })?;
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => from = [key.as_slice(), &[0]].concat(),
            _ => return Ok(state),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(value: &'a [u8], form: impl FnOnce(&T) -> u32) -> Option<T> {
    let read: T = serde_json::from_slice(value).ok()?;
    (form(&read) == FORM).then_some(read)
}

fn name(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Enters one entry of the store; nothing if it cannot be read.
fn entry(state: &mut State, key: &[u8], value: &[u8]) -> Option<()> {
    if key == NEXT {
        let next: StoredWord = read(value, |word: &StoredWord| word.form)?;
        state.next_id = next.value.parse().ok()?;
    } else if let Some(id) = key.strip_prefix(ID) {
        let stored: StoredSchema = read(value, |stored: &StoredSchema| stored.form)?;
        let references = stored.references.into_iter();
        let references = references.map(|(name, subject, version)| SchemaReference { name, subject, version });
        let schema_type = SchemaType::of(&stored.language)?;
        let schema = SchemaDocument { schema_type, text: stored.text, references: references.collect() };
        state.set_schema(u32::from_be_bytes(id.try_into().ok()?), Some(schema));
    } else if let Some(rest) = key.strip_prefix(SUBJECT) {
        let (subject, number) = rest.split_last_chunk::<4>()?;
        let stored: StoredVersion = read(value, |stored: &StoredVersion| stored.form)?;
        let version = Version { id: stored.id, deleted: stored.deleted };
        state.set_version(&name(subject.strip_suffix(&[0])?)?, u32::from_be_bytes(*number), Some(version));
    } else if let Some(subject) = key.strip_prefix(CONFIG) {
        let stored: StoredConfig = read(value, |stored: &StoredConfig| stored.form)?;
        let compatibility = match &stored.compatibility {
            Some(word) => Some(Compatibility::of(word)?),
            None => None,
        };
        state.set_config(&name(subject)?, Config { compatibility, normalize: stored.normalize });
    } else if let Some(subject) = key.strip_prefix(MODE) {
        let stored: StoredWord = read(value, |word: &StoredWord| word.form)?;
        state.set_mode(&name(subject)?, Some(Mode::of(&stored.value)?));
    } else {
        return None;
    }
    Some(())
}
