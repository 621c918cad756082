//! A registry as it would be: what is registered and deleted in it is only known here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{RegisteredSchema, RegistryError, SchemaDocument, SchemaRegistry};

/// Another registry with what would have become of it.
pub struct TrialRegistry {
    registry: Arc<dyn SchemaRegistry>,
    /// The latest of subjects that would have changed; `None` for those that would have been deleted.
    changed: Mutex<BTreeMap<String, Option<RegisteredSchema>>>,
}

impl TrialRegistry {
    /// A trial on `registry`, which stays as it is.
    pub fn new(registry: Arc<dyn SchemaRegistry>) -> Self {
        Self { registry, changed: Mutex::default() }
    }

    fn changed(&self) -> MutexGuard<'_, BTreeMap<String, Option<RegisteredSchema>>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What would be registered, by its id.
    fn would_be(&self, id: u32) -> Option<(String, SchemaDocument)> {
        let changed = self.changed();
        let mut registered = changed.iter().filter_map(|(subject, latest)| Some((subject, latest.as_ref()?)));
        let (subject, found) = registered.find(|(_, latest)| latest.id == id)?;
        Some((subject.clone(), found.schema.clone()))
    }
}

impl SchemaRegistry for TrialRegistry {
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
        let changed = self.changed().get(subject).cloned();
        changed.map_or_else(|| self.registry.latest(subject), Ok)
    }

    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        self.registry.version(subject, version)
    }

    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
        match self.would_be(id) {
            Some((_, schema)) => Ok(Some(schema)),
            None => self.registry.by_id(id),
        }
    }

    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        match self.would_be(id) {
            Some((subject, _)) => Ok(vec![subject]),
            None => self.registry.subjects_of(id),
        }
    }

    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
        if let Some(latest) = self.latest(subject)?.filter(|latest| latest.schema == *schema) {
            return Ok(latest.id);
        }
        let mut changed = self.changed();
        // Far from those that there are.
        let id = u32::MAX - changed.len() as u32;
        changed.insert(subject.to_owned(), Some(RegisteredSchema { id, schema: schema.clone() }));
        Ok(id)
    }

    fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        let mut subjects = self.registry.subjects()?;
        for (subject, latest) in self.changed().iter() {
            subjects.retain(|other| other != subject);
            subjects.extend(latest.is_some().then(|| subject.clone()));
        }
        subjects.sort_unstable();
        Ok(subjects)
    }

    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
        let was_there = self.latest(subject)?.is_some();
        self.changed().insert(subject.to_owned(), None);
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
}
