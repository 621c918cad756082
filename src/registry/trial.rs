//! A registry as it would be: what is registered and deleted in it is only known here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{RegisteredSchema, RegistryError, SchemaDocument, SchemaRegistry};

/// Another registry with what would have become of it.
pub struct TrialRegistry {
    registry: Arc<dyn SchemaRegistry>,
    changes: Mutex<Changes>,
}

#[derive(Default)]
struct Changes {
    /// The latest of subjects that would have changed; `None` for those that would have been deleted.
    latest: BTreeMap<String, Option<RegisteredSchema>>,
    /// What would have been registered, and under which subjects. Ids count down from the greatest, far from those that there are.
    registered: Vec<(SchemaDocument, BTreeSet<String>)>,
}

impl Changes {
    /// What would have the id `id`.
    fn by_id(&self, id: u32) -> Option<&(SchemaDocument, BTreeSet<String>)> {
        self.registered.get((u32::MAX - id) as usize)
    }

    fn register(&mut self, subject: &str, schema: &SchemaDocument) -> u32 {
        let place = self.registered.iter().position(|(known, _)| known == schema).unwrap_or(self.registered.len());
        if place == self.registered.len() {
            self.registered.push((schema.clone(), BTreeSet::new()));
        }
        self.registered[place].1.insert(subject.to_owned());
        let id = u32::MAX - place as u32;
        self.latest.insert(subject.to_owned(), Some(RegisteredSchema { id, schema: schema.clone() }));
        id
    }
}

impl TrialRegistry {
    /// A trial on `registry`, which stays as it is.
    pub fn new(registry: Arc<dyn SchemaRegistry>) -> Self {
        Self { registry, changes: Mutex::default() }
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SchemaRegistry for TrialRegistry {
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
        let changed = self.changes().latest.get(subject).cloned();
        changed.map_or_else(|| self.registry.latest(subject), Ok)
    }

    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        self.registry.version(subject, version)
    }

    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
        let schema = self.changes().by_id(id).map(|(schema, _)| schema.clone());
        schema.map_or_else(|| self.registry.by_id(id), |schema| Ok(Some(schema)))
    }

    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        let subjects = self.changes().by_id(id).map(|(_, subjects)| subjects.iter().cloned().collect());
        subjects.map_or_else(|| self.registry.subjects_of(id), Ok)
    }

    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
        match self.latest(subject)?.filter(|latest| latest.schema == *schema) {
            Some(latest) => Ok(latest.id),
            None => Ok(self.changes().register(subject, schema)),
        }
    }

    fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        let mut subjects = self.registry.subjects()?;
        for (subject, latest) in &self.changes().latest {
            subjects.retain(|other| other != subject);
            subjects.extend(latest.is_some().then(|| subject.clone()));
        }
        subjects.sort_unstable();
        Ok(subjects)
    }

    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
        let was_there = self.latest(subject)?.is_some();
        self.changes().latest.insert(subject.to_owned(), None);
        Ok(was_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{EmbeddedRegistry, SchemaType};

    #[test]
    fn a_trial_changes_nothing() {
        let registry: Arc<dyn SchemaRegistry> = Arc::new(EmbeddedRegistry::in_memory());
        let schema = |text: &str| SchemaDocument::new(SchemaType::Avro, text);
        registry.register("a", &schema("\"int\"")).expect("it fits");
        registry.register("b", &schema("\"int\"")).expect("it fits");
        let trial = TrialRegistry::new(Arc::clone(&registry));
        assert_eq!(trial.register("a", &schema("\"int\"")), Ok(1), "it is there");
        let id = trial.register("c", &schema("\"long\"")).expect("anything fits");
        assert_eq!(trial.latest("c").map(|latest| latest.map(|latest| latest.id)), Ok(Some(id)));
        assert_eq!((trial.by_id(id), trial.by_id(1)), (Ok(Some(schema("\"long\""))), Ok(Some(schema("\"int\"")))));
        assert_eq!((trial.delete_subject("b"), trial.delete_subject("b")), (Ok(true), Ok(false)));
        assert_eq!(trial.subjects(), Ok(vec!["a".to_owned(), "c".to_owned()]));
        assert_eq!(registry.subjects(), Ok(vec!["a".to_owned(), "b".to_owned()]));
    }
    #[test]
    fn every_schema_of_a_trial_has_an_id_of_its_own() {
        let trial = TrialRegistry::new(Arc::new(EmbeddedRegistry::in_memory()));
        let schema = |text: &str| SchemaDocument::new(SchemaType::Avro, text);
        let register = |subject: &str, text: &str| trial.register(subject, &schema(text)).expect("anything fits");
        let (first, second) = (register("a", "\"int\""), register("a", "\"long\""));
        let other = register("b", "\"string\"");
        assert_eq!(register("b", "\"int\""), first, "the same schema elsewhere");
        for (id, text, subjects) in
            [(first, "\"int\"", &["a", "b"][..]), (second, "\"long\"", &["a"]), (other, "\"string\"", &["b"])]
        {
            assert_eq!(trial.by_id(id), Ok(Some(schema(text))));
            assert_eq!(trial.subjects_of(id), Ok(subjects.iter().map(|&subject| subject.to_owned()).collect()));
        }
    }
}
