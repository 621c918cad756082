//! The registry in a data directory: what Confluent's Schema Registry keeps in a topic, in the store of local topics.
//!
//! ```text
//! subject ── version 1, 2, … ──▶ id ──▶ schema      a schema has one id, wherever it is registered
//!    ├── compatibility: what a new version must be able to do with those before it
//!    └── mode: whether there may be new versions
//! ```
//!
//! All is in memory; each change is one atomic write first. A version that is deleted can be seen when it is asked for, and its id
//! still leads to its schema, until it is deleted for good. Ids are never given again.

mod changes;
mod layout;
mod mode;
mod refusal;
mod state;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

pub use changes::Registration;
pub use mode::Mode;
pub use refusal::Refusal;
pub use state::Config;

use super::compatibility::Compatibility;
use super::languages::ParsedSchema;
use super::{RegisteredSchema, RegistryError, SchemaDocument, SchemaRegistry, references_of};
use crate::storage::{KeyValue, MemoryStorage, StorageError};
use state::{GLOBAL, State, Step, Version};

/// A registry in a store.
pub struct EmbeddedRegistry {
    storage: Arc<dyn KeyValue>,
    state: RwLock<State>,
    /// Held by who changes something, from looking to writing.
    changing: Mutex<()>,
    /// Schemas that were read before.
    parsed: Mutex<HashMap<u32, Arc<ParsedSchema>>>,
}

/// Which version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionId {
    /// The one with this number.
    Number(u32),
    /// The last that was not deleted.
    Latest,
}

/// A version with its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectVersion {
    /// The subject.
    pub subject: String,
    /// Its number there.
    pub version: u32,
    /// The id of its schema.
    pub id: u32,
    /// Whether it was deleted.
    pub deleted: bool,
    /// The schema.
    pub schema: SchemaDocument,
}

/// So many schemas are kept as they were read.
const PARSED_MAX: usize = 1_000;

impl EmbeddedRegistry {
    /// The registry in `storage`.
    pub fn open(storage: Arc<dyn KeyValue>) -> Result<Self, StorageError> {
        let state = RwLock::new(layout::load(&*storage)?);
        Ok(Self { storage, state, changing: Mutex::default(), parsed: Mutex::default() })
    }

    /// A registry that lives as long as the process.
    pub fn in_memory() -> Self {
        Self::open(Arc::new(MemoryStorage::new())).expect("an empty store holds nothing that cannot be read")
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        // It changes in one step, after the store has.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `steps`, then takes them over.
    fn apply(&self, steps: Vec<Step>) -> Result<(), Refusal> {
        let writes = state::writes(&steps);
        self.storage.write(&writes).map_err(|error| Refusal::Storage(error.to_string()))?;
        self.state.write().unwrap_or_else(PoisonError::into_inner).apply(steps);
        Ok(())
    }

    /// All subjects in order.
    pub fn all_subjects(&self, with_deleted: bool) -> Vec<String> {
        let state = self.state();
        let has_versions = |subject: &&String| state.versions(subject, with_deleted).next().is_some();
        state.subjects.keys().filter(has_versions).cloned().collect()
    }

    /// Versions of a subject, with whether each was deleted.
    pub fn versions(&self, subject: &str) -> Vec<(u32, bool)> {
        self.state().versions(subject, true).map(|(number, version)| (number, version.deleted)).collect()
    }

    /// A version of a subject.
    pub fn find(&self, subject: &str, version: VersionId, with_deleted: bool) -> Result<SubjectVersion, Refusal> {
        let state = self.state();
        if state.versions(subject, with_deleted).next().is_none() {
            return Err(Refusal::SubjectNotFound(subject.to_owned()));
        }
        let found = match version {
            VersionId::Latest => state.versions(subject, with_deleted).next_back(),
            VersionId::Number(number) => {
                let version = state.version(subject, number).filter(|version| with_deleted || !version.deleted);
                version.map(|version| (number, version))
            }
        };
        let found = found.ok_or_else(|| Refusal::VersionNotFound(version.to_string()))?;
        subject_version(&state, subject, found).ok_or_else(|| Refusal::SchemaNotFound(String::new()))
    }

    /// All versions of all subjects.
    pub fn all_versions(&self, with_deleted: bool) -> Vec<SubjectVersion> {
        let state = self.state();
        let subjects = state.subjects.keys();
        let versions = subjects.flat_map(|subject| {
            let versions = state.versions(subject, with_deleted);
            versions.filter_map(|version| subject_version(&state, subject, version)).collect::<Vec<_>>()
        });
        versions.collect()
    }

    /// The schema with the id `id`.
    pub fn schema(&self, id: u32) -> Option<SchemaDocument> {
        self.state().schemas.get(&id).cloned()
    }

    /// The greatest id there is.
    pub fn id_max(&self) -> u32 {
        self.state().next_id - 1
    }

    /// Subjects and versions that have the schema `id`.
    pub fn places_of(&self, id: u32, with_deleted: bool) -> Vec<(String, u32)> {
        self.state().places_of(id, with_deleted)
    }

    /// Ids of the schemas that refer to a version.
    pub fn referring_to(&self, subject: &str, version: u32) -> Vec<u32> {
        self.state().referring_to(subject, version)
    }

    /// Settings of `subject`, or of all; its own only, or what holds for it.
    pub fn config(&self, subject: Option<&str>, own: bool) -> Option<Config> {
        let state = self.state();
        match subject {
            Some(subject) if own => state.config(subject),
            subject => Some(state.effective_config(subject.unwrap_or(GLOBAL))),
        }
    }

    /// The mode of `subject`, or of all; its own only, or what holds for it.
    pub fn mode(&self, subject: Option<&str>, own: bool) -> Option<Mode> {
        let state = self.state();
        match subject {
            Some(subject) if own => state.mode(subject),
            subject => Some(state.effective_mode(subject.unwrap_or(GLOBAL))),
        }
    }

    /// The version of `subject` that has `schema`.
    pub fn look_up(
        &self,
        subject: &str,
        schema: &SchemaDocument,
        normalize: bool,
        with_deleted: bool,
    ) -> Result<SubjectVersion, Refusal> {
        if self.state().versions(subject, with_deleted).next().is_none() {
            return Err(Refusal::SubjectNotFound(subject.to_owned()));
        }
        let (schema, parsed) = self.read(schema, false)?;
        let normalize = normalize || self.normalizes(subject);
        let version = self.same_in(subject, &schema, normalize.then_some(&parsed), with_deleted);
        let version = version.ok_or_else(|| Refusal::SchemaNotFound(String::new()))?;
        let state = self.state();
        subject_version(&state, subject, version).ok_or_else(|| Refusal::SchemaNotFound(String::new()))
    }

    fn normalizes(&self, subject: &str) -> bool {
        self.state().effective_config(subject).normalize == Some(true)
    }

    /// The last version of `subject` that is `schema`, or says the same as `parsed` when both are normalized.
    fn same_in(
        &self,
        subject: &str,
        schema: &SchemaDocument,
        parsed: Option<&ParsedSchema>,
        with_deleted: bool,
    ) -> Option<(u32, Version)> {
        let (same, versions) = {
            let state = self.state();
            let versions: Vec<(u32, Version)> = state.versions(subject, with_deleted).rev().collect();
            // Imported schemas may have several ids.
            let same = versions.iter().find(|(_, version)| state.schemas.get(&version.id) == Some(schema)).copied();
            (same, versions)
        };
        if let Some(parsed) = parsed.filter(|_| same.is_none()) {
            let normal = parsed.canonical_text(true);
            let says_the_same = |(_, version): &&(u32, Version)| {
                let other = self.schema(version.id);
                let is_alike = other.is_some_and(|other| {
                    other.schema_type == schema.schema_type && other.references == schema.references
                });
                is_alike && self.parsed(version.id).is_ok_and(|other| other.canonical_text(true) == normal)
            };
            return versions.iter().find(says_the_same).copied();
        }
        same
    }

    /// Why `schema` cannot follow what `subject` has: `None` asks about all versions that its level asks about.
    pub fn incompatibilities(
        &self,
        subject: &str,
        schema: &SchemaDocument,
        version: Option<VersionId>,
    ) -> Result<Vec<String>, Refusal> {
        let (_, parsed) = self.read(schema, true)?;
        match version {
            None => self.messages(subject, &parsed),
            Some(version) => match self.find(subject, version, false) {
                Ok(found) => self.compare(subject, &parsed, &[(found.version, found.id)]),
                // Whatever comes first fits.
                Err(Refusal::SubjectNotFound(_)) if version == VersionId::Latest => Ok(Vec::new()),
                Err(Refusal::SubjectNotFound(_)) => Err(Refusal::VersionNotFound(version.to_string())),
                Err(refusal) => Err(refusal),
            },
        }
    }

    /// Why `parsed` cannot be the next version of `subject`.
    fn messages(&self, subject: &str, parsed: &ParsedSchema) -> Result<Vec<String>, Refusal> {
        let (level, mut versions) = {
            let state = self.state();
            let versions: Vec<(u32, u32)> =
                state.versions(subject, false).map(|(number, version)| (number, version.id)).rev().collect();
            (state.effective_config(subject).compatibility.unwrap_or_default(), versions)
        };
        if !level.is_transitive() {
            versions.truncate(1);
        }
        self.compare(subject, parsed, &versions)
    }

    /// Why `parsed` cannot follow the versions with these numbers and ids; the first that does not fit is told.
    fn compare(&self, subject: &str, parsed: &ParsedSchema, versions: &[(u32, u32)]) -> Result<Vec<String>, Refusal> {
        let level = self.state().effective_config(subject).compatibility.unwrap_or_default();
        if level == Compatibility::None {
            return Ok(Vec::new());
        }
        for (number, id) in versions {
            let old = self.parsed(*id)?;
            let faults = parsed.faults(&old, level);
            if !faults.is_empty() {
                let mut messages: Vec<String> = faults.iter().map(ToString::to_string).collect();
                messages.push(format!("{{oldSchemaVersion: {number}}}"));
                let text = self.schema(*id).map(|schema| schema.text).unwrap_or_default();
                messages.push(format!("{{oldSchema: '{text}'}}"));
                messages.push(format!("{{compatibility: '{}'}}", level.name()));
                return Ok(messages);
            }
        }
        Ok(Vec::new())
    }

    /// Reads `schema`: the form in which it is stored, and what it says.
    fn read(&self, schema: &SchemaDocument, is_new: bool) -> Result<(SchemaDocument, ParsedSchema), Refusal> {
        if schema.text.trim().is_empty() {
            return Err(Refusal::InvalidSchema("it is empty".to_owned()));
        }
        let references = references_of(schema, self).map_err(|error| Refusal::InvalidSchema(error.to_string()))?;
        let parsed = ParsedSchema::parse(schema.schema_type, &schema.text, &references, is_new);
        let parsed = parsed.map_err(Refusal::InvalidSchema)?;
        let text = parsed.canonical_text(false);
        Ok((SchemaDocument { text, ..schema.clone() }, parsed))
    }

    /// The schema with the id `id`, read.
    fn parsed(&self, id: u32) -> Result<Arc<ParsedSchema>, Refusal> {
        let known = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parsed) = known().get(&id) {
            return Ok(Arc::clone(parsed));
        }
        let schema = self.schema(id).ok_or_else(|| Refusal::SchemaNotFound(format!("{id} ")))?;
        let parsed = Arc::new(self.read(&schema, false)?.1);
        let mut known = known();
        if known.len() >= PARSED_MAX {
            known.clear();
        }
        known.insert(id, Arc::clone(&parsed));
        Ok(parsed)
    }

    /// The schema with the id `id` as a serialized descriptor, if it is a Protobuf file.
    pub fn serialized(&self, id: u32) -> Result<Option<String>, Refusal> {
        Ok(self.parsed(id)?.serialized())
    }
}

fn subject_version(state: &State, subject: &str, (number, version): (u32, Version)) -> Option<SubjectVersion> {
    let schema = state.schemas.get(&version.id)?.clone();
    let Version { id, deleted } = version;
    Some(SubjectVersion { subject: subject.to_owned(), version: number, id, deleted, schema })
}

impl std::fmt::Display for VersionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl SchemaRegistry for EmbeddedRegistry {
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
        Ok(registered(self.find(subject, VersionId::Latest, false)))
    }

    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        // One that was deleted may still be referred to.
        Ok(registered(self.find(subject, VersionId::Number(version), true)))
    }

    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
        Ok(self.schema(id))
    }

    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        let mut subjects: Vec<String> = self.places_of(id, false).into_iter().map(|(subject, _)| subject).collect();
        subjects.dedup();
        Ok(subjects)
    }

    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
        EmbeddedRegistry::register(self, subject, schema, Registration::default()).map(|version| version.id).map_err(
            |refusal| match refusal {
                Refusal::Storage(_) => RegistryError::Unavailable { reason: refusal.to_string() },
                refusal => {
                    let (subject, schema) = (subject.to_owned(), schema.text.clone());
                    RegistryError::Refused { subject, reason: refusal.to_string(), schema }
                }
            },
        )
    }

    fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        Ok(self.all_subjects(false))
    }

    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
        match EmbeddedRegistry::delete_subject(self, subject, false) {
            Ok(_) => Ok(true),
            Err(Refusal::SubjectNotFound(_) | Refusal::SubjectSoftDeleted(_)) => Ok(false),
            Err(refusal @ Refusal::Storage(_)) => Err(RegistryError::Unavailable { reason: refusal.to_string() }),
            Err(refusal) => Err(RegistryError::NotDeleted { subject: subject.to_owned(), reason: refusal.to_string() }),
        }
    }
}

fn registered(found: Result<SubjectVersion, Refusal>) -> Option<RegisteredSchema> {
    found.ok().map(|version| RegisteredSchema { id: version.id, schema: version.schema })
}
