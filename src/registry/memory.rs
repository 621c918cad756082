//! A registry in memory: that of tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{RegisteredSchema, RegistryError, SchemaDocument, SchemaRegistry};

/// A registry that lives as long as the process. Every schema fits every other.
#[derive(Debug, Default)]
pub struct MemoryRegistry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Ids of the versions of each subject; version 1 first.
    subjects: BTreeMap<String, Vec<u32>>,
    schemas: BTreeMap<u32, SchemaDocument>,
}

impl MemoryRegistry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`SchemaRegistry::register`], under the id `id`, which nothing else must have.
    pub fn register_as(&self, subject: &str, schema: &SchemaDocument, id: u32) -> Result<(), RegistryError> {
        let mut state = self.state();
        if state.schemas.get(&id).is_some_and(|other| other != schema) {
            let reason = format!("another schema has the id {id}");
            let schema = schema.text.clone();
            return Err(RegistryError::Refused { subject: subject.to_owned(), reason, schema });
        }
        state.schemas.insert(id, schema.clone());
        state.add(subject, id);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, subject: &str, id: u32) {
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
    }

    fn registered(&self, id: u32) -> Option<RegisteredSchema> {
        self.schemas.get(&id).map(|schema| RegisteredSchema { id, schema: schema.clone() })
    }
}

impl SchemaRegistry for MemoryRegistry {
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
        let state = self.state();
        let id = state.subjects.get(subject).and_then(|versions| versions.last());
        Ok(id.and_then(|id| state.registered(*id)))
    }

    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        let state = self.state();
        let index = (version as usize).checked_sub(1);
        let id = state.subjects.get(subject).zip(index).and_then(|(versions, index)| versions.get(index));
        Ok(id.and_then(|id| state.registered(*id)))
    }

    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
        Ok(self.state().schemas.get(&id).cloned())
    }

    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        let state = self.state();
        let having = state.subjects.iter().filter(|(_, versions)| versions.contains(&id));
        Ok(having.map(|(subject, _)| subject.clone()).collect())
    }

    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
        let mut state = self.state();
        let known = state.schemas.iter().find(|(_, known)| *known == schema).map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| state.schemas.keys().last().map_or(1, |last| last + 1));
        state.schemas.insert(id, schema.clone());
        state.add(subject, id);
        Ok(id)
    }

    fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        Ok(self.state().subjects.keys().cloned().collect())
    }

    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
        Ok(self.state().subjects.remove(subject).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::SchemaType;

    fn schema(text: &str) -> SchemaDocument {
        SchemaDocument::new(SchemaType::Avro, text)
    }

    #[test]
    fn a_schema_has_one_id_and_a_subject_has_versions() {
        let registry = MemoryRegistry::new();
        let register = |subject: &str, text: &str| registry.register(subject, &schema(text)).expect("any schema fits");
        assert_eq!([register("a-value", "1"), register("b-value", "2"), register("b-value", "1")], [1, 2, 1]);
        assert_eq!(register("b-value", "2"), 2, "it is there already");
        let latest = registry.latest("b-value").expect("memory answers").expect("two versions");
        assert_eq!((latest.id, latest.schema.text.as_str()), (1, "1"));
        let first = registry.version("b-value", 1).expect("memory answers").expect("the first");
        assert_eq!(first.id, 2);
        assert_eq!(registry.version("b-value", 0), Ok(None));
        assert_eq!(registry.latest("c-value"), Ok(None));
        assert_eq!(registry.subjects(), Ok(vec!["a-value".to_owned(), "b-value".to_owned()]));
    }

    #[test]
    fn ids_can_be_given() {
        let registry = MemoryRegistry::new();
        registry.register_as("a-value", &schema("x"), 7).expect("the id is free");
        assert!(registry.register_as("a-value", &schema("y"), 7).is_err());
        assert_eq!(registry.register("a-value", &schema("y")), Ok(8));
        assert_eq!(registry.by_id(7).expect("memory answers"), Some(schema("x")));
    }
}
