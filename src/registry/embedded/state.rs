//! Everything that the registry knows, in memory; each change also says what it is in the store.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::layout::{self, Change};
use super::{Compatibility, Mode};
use crate::registry::SchemaDocument;
use crate::storage::{Family, WriteSet};

/// A version of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) id: u32,
    /// It can come back, and its id still leads to its schema.
    pub(super) deleted: bool,
}

/// Settings of a subject, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Config {
    /// What new schemas must be able to do.
    pub compatibility: Option<Compatibility>,
    /// Whether schemas are normalized before they are compared.
    pub normalize: Option<bool>,
}

/// The name under which settings of all subjects are kept.
pub(super) const GLOBAL: &str = "";

#[derive(Debug)]
pub(super) struct State {
    pub(super) next_id: u32,
    pub(super) schemas: BTreeMap<u32, SchemaDocument>,
    /// The id of each schema: the least of those that mode IMPORT has given it.
    ids: HashMap<SchemaDocument, u32>,
    pub(super) subjects: BTreeMap<String, BTreeMap<u32, Version>>,
    /// How many versions have the schema, deleted ones too.
    uses: HashMap<u32, usize>,
    configs: BTreeMap<String, Config>,
    modes: BTreeMap<String, Mode>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            next_id: 1,
            schemas: BTreeMap::new(),
            ids: HashMap::new(),
            subjects: BTreeMap::new(),
            uses: HashMap::new(),
            configs: BTreeMap::new(),
            modes: BTreeMap::new(),
        }
    }
}

/// What is to be changed, for memory and store alike.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Next(u32),
    Schema(u32, Option<SchemaDocument>),
    Version(String, u32, Option<Version>),
    Config(String, Config),
    Mode(String, Option<Mode>),
}

impl Step {
    fn change(&self) -> Change {
        match self {
            Self::Next(id) => layout::next(*id),
            Self::Schema(id, schema) => layout::schema(*id, schema.as_ref()),
            Self::Version(subject, number, version) => layout::version(subject, *number, *version),
            Self::Config(subject, config) => layout::config(subject, *config),
            Self::Mode(subject, mode) => layout::mode(subject, *mode),
        }
    }
}

/// What `steps` write.
pub(super) fn writes(steps: &[Step]) -> WriteSet {
    let mut writes = WriteSet::default();
    for (key, value) in steps.iter().map(Step::change) {
        match value {
            Some(value) => writes.put(Family::Meta, key, value),
            None => writes.delete(Family::Meta, key),
        }
    }
    writes
}

impl State {
    pub(super) fn apply(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Next(id) => self.next_id = id,
                Step::Schema(id, schema) => self.set_schema(id, schema),
                Step::Version(subject, number, version) => self.set_version(&subject, number, version),
                Step::Config(subject, config) => self.set_config(&subject, config),
                Step::Mode(subject, mode) => self.set_mode(&subject, mode),
            }
        }
    }

    pub(super) fn set_schema(&mut self, id: u32, schema: Option<SchemaDocument>) {
        if let Some(old) = self.schemas.remove(&id).filter(|old| self.id_of(old) == Some(id)) {
            match self.schemas.iter().find(|(_, other)| **other == old) {
                Some((other, _)) => self.ids.insert(old, *other),
                None => self.ids.remove(&old),
            };
        }
        if let Some(schema) = schema {
            let least = self.id_of(&schema).map_or(id, |other| other.min(id));
            self.ids.insert(schema.clone(), least);
            self.schemas.insert(id, schema);
        }
    }

    pub(super) fn set_version(&mut self, subject: &str, number: u32, version: Option<Version>) {
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        let old = match version {
            Some(version) => versions.insert(number, version),
            None => versions.remove(&number),
        };
        if versions.is_empty() {
            self.subjects.remove(subject);
        }
        if let Some(uses) = old.and_then(|old| self.uses.get_mut(&old.id)) {
            *uses = uses.saturating_sub(1);
        }
        if let Some(version) = version {
            *self.uses.entry(version.id).or_default() += 1;
        }
    }

    pub(super) fn set_config(&mut self, subject: &str, config: Config) {
        if config == Config::default() {
            self.configs.remove(subject);
        } else {
            self.configs.insert(subject.to_owned(), config);
        }
    }

    pub(super) fn set_mode(&mut self, subject: &str, mode: Option<Mode>) {
        match mode {
            Some(mode) => drop(self.modes.insert(subject.to_owned(), mode)),
            None => drop(self.modes.remove(subject)),
        }
    }

    pub(super) fn config(&self, subject: &str) -> Option<Config> {
        self.configs.get(subject).copied()
    }

    /// What holds for `subject`.
    pub(super) fn effective_config(&self, subject: &str) -> Config {
        let (own, global) = (self.config(subject).unwrap_or_default(), self.config(GLOBAL).unwrap_or_default());
        let compatibility = own.compatibility.or(global.compatibility).unwrap_or_default();
        Config { compatibility: Some(compatibility), normalize: own.normalize.or(global.normalize) }
    }

    pub(super) fn mode(&self, subject: &str) -> Option<Mode> {
        self.modes.get(subject).copied()
    }

    pub(super) fn effective_mode(&self, subject: &str) -> Mode {
        let global = self.mode(GLOBAL).unwrap_or_default();
        if global == Mode::ReadOnlyOverride { global } else { self.mode(subject).unwrap_or(global) }
    }

    /// The id of a schema, wherever it is registered.
    pub(super) fn id_of(&self, schema: &SchemaDocument) -> Option<u32> {
        self.ids.get(schema).copied()
    }

    /// How many versions have the schema `id`, deleted ones too.
    pub(super) fn uses(&self, id: u32) -> usize {
        self.uses.get(&id).copied().unwrap_or(0)
    }

    /// Versions of `subject` in order.
    pub(super) fn versions(
        &self,
        subject: &str,
        with_deleted: bool,
    ) -> impl DoubleEndedIterator<Item = (u32, Version)> {
        let versions = self.subjects.get(subject).into_iter().flatten();
        versions.map(|(number, version)| (*number, *version)).filter(move |(_, one)| with_deleted || !one.deleted)
    }

    pub(super) fn version(&self, subject: &str, number: u32) -> Option<Version> {
        self.subjects.get(subject)?.get(&number).copied()
    }

    /// Subjects and versions that have the schema `id`.
    pub(super) fn places_of(&self, id: u32, with_deleted: bool) -> Vec<(String, u32)> {
        let all = self
            .subjects
            .iter()
            .flat_map(|(subject, versions)| versions.iter().map(move |(number, version)| (subject, *number, *version)));
        let having = all.filter(|(.., version)| version.id == id && (with_deleted || !version.deleted));
        having.map(|(subject, number, _)| (subject.clone(), number)).collect()
    }

    /// Ids of the schemas that refer to a version, of which at least one version is not deleted.
    pub(super) fn referring_to(&self, subject: &str, number: u32) -> Vec<u32> {
        let refers = |schema: &SchemaDocument| {
            schema.references.iter().any(|one| one.subject == subject && one.version == number)
        };
        let referring: BTreeSet<u32> =
            self.schemas.iter().filter(|(_, schema)| refers(schema)).map(|(id, _)| *id).collect();
        if referring.is_empty() {
            return Vec::new();
        }
        let live = self.subjects.values().flat_map(BTreeMap::values).filter(|version| !version.deleted);
        let live: BTreeSet<u32> = live.map(|version| version.id).filter(|id| referring.contains(id)).collect();
        live.into_iter().collect()
    }
}
