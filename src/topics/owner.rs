//! Whose state a data directory holds: written when it is first opened, and looked at ever after.
//!
//! ```text
//! family Meta, key  := "owner/"
//!              value := JSON {"version": 1, "service": text, "cluster": text or null}
//! ```
//!
//! `cluster` is the id of the Kafka cluster, null for embedded topics. A directory from before this was written is taken over.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TopicError;
use crate::storage::{Family, KeyValue, StorageError, WriteSet};

const KEY: &[u8] = b"owner/";
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    version: u32,
    service: String,
    cluster: Option<String>,
}

/// Makes sure that `storage` in `dir` belongs to `service` on `cluster`.
///
/// # Errors
/// [`TopicError::ForeignDirectory`] where it belongs to somebody else.
pub(super) fn claim(
    storage: &dyn KeyValue,
    dir: &Path,
    service: &str,
    cluster: Option<String>,
) -> Result<(), TopicError> {
    let wanted = Owner { version: VERSION, service: service.to_owned(), cluster };
    let Some(value) = storage.get(Family::Meta, KEY)? else { return write(storage, &wanted) };
    let path = dir.display().to_string();
    let found: Owner = serde_json::from_slice(&value).map_err(|error| {
        StorageError::Corrupt(format!("whose state data directory {path} holds cannot be read: {error}"))
    })?;
    if found.version > VERSION {
        return Err(StorageError::Version { path, found: found.version, supported: VERSION }.into());
    }
    if found == wanted {
        return Ok(());
    }
    Err(TopicError::ForeignDirectory { path, found: found.words(), wanted: wanted.words() })
}

fn write(storage: &dyn KeyValue, owner: &Owner) -> Result<(), TopicError> {
    let value = serde_json::to_vec(owner).map_err(|error| StorageError::Io(error.to_string()))?;
    let mut writes = WriteSet::default();
    writes.put(Family::Meta, KEY.to_vec(), value);
    Ok(storage.write(&writes)?)
}

impl Owner {
    fn words(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("service {} on Kafka cluster {cluster}", self.service),
            None => format!("service {} on embedded topics", self.service),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    fn claimed(storage: &MemoryStorage, service: &str, cluster: Option<&str>) -> Result<(), String> {
        claim(storage, Path::new("data"), service, cluster.map(ToOwned::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_directory_stays_with_who_opened_it_first() {
        let storage = MemoryStorage::new();
        assert_eq!(claimed(&storage, "a_", Some("c1")), Ok(()));
        assert_eq!(claimed(&storage, "a_", Some("c1")), Ok(()));
        for (service, cluster) in [("b_", Some("c1")), ("a_", Some("c2")), ("a_", None)] {
            let text = claimed(&storage, service, cluster).expect_err("it belongs to a_ on c1");
            assert!(text.contains("data directory data belongs to service a_ on Kafka cluster c1"), "{text}");
            assert!(text.contains(&format!("service {service} on")), "{text}");
        }
    }

    #[test]
    fn a_newer_format_is_refused() {
        let storage = MemoryStorage::new();
        let newer = Owner { version: VERSION + 1, service: "a_".to_owned(), cluster: None };
        write(&storage, &newer).expect("memory takes it");
        let text = claimed(&storage, "a_", None).expect_err("a newer format");
        assert!(text.contains("format version 2"), "{text}");
    }
}
