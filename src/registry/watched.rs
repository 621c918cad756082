//! A registry of which is noted when it could not be asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{RegisteredSchema, RegistryError, SchemaDocument, SchemaRegistry};

/// Why a registry could not be asked, if it could not. What was read meanwhile must not be taken for wrong.
#[derive(Debug, Clone, Default)]
pub struct Outage(Arc<Mutex<Option<RegistryError>>>);

impl Outage {
    fn lock(&self) -> MutexGuard<'_, Option<RegistryError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has happened since the last call.
    pub fn take(&self) -> Option<RegistryError> {
        self.lock().take()
    }
}

/// A registry that notes its outages.
pub struct WatchedRegistry {
    registry: Arc<dyn SchemaRegistry>,
    outage: Outage,
}

impl WatchedRegistry {
    /// Asks `registry`, and notes in `outage` when that is not possible.
    pub fn new(registry: Arc<dyn SchemaRegistry>, outage: Outage) -> Self {
        Self { registry, outage }
    }

    fn noted<T>(&self, answer: Result<T, RegistryError>) -> Result<T, RegistryError> {
        if let Err(error @ (RegistryError::Unavailable { .. } | RegistryError::Denied { .. })) = &answer {
            *self.outage.lock() = Some(error.clone());
        }
        answer
    }
}

impl SchemaRegistry for WatchedRegistry {
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError> {
        self.noted(self.registry.latest(subject))
    }

    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError> {
        self.noted(self.registry.version(subject, version))
    }

    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError> {
        self.noted(self.registry.by_id(id))
    }

    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError> {
        self.noted(self.registry.subjects_of(id))
    }

    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError> {
        self.noted(self.registry.register(subject, schema))
    }

    fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        self.noted(self.registry.subjects())
    }

    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError> {
        self.noted(self.registry.delete_subject(subject))
    }
}
