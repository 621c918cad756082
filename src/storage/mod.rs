//! One key-value store for the whole process: records of local topics, offsets, operator state and the command log.
//!
//! Because they share one store, whatever a commit touches changes in one atomic write ([`WriteSet`]).
//!
//! ```text
//! data directory
//! ├── lock      held by the one process that has the directory open
//! └── store/    RocksDB: column families meta, records, state
//! ```
//!
//! Keys of [`Family::Meta`] start with a word and a slash that name their owner, so that owners never meet:
//! `format/` is the store's own; `topic/`, `topic-next/`, `partition/` and `position/` belong to local topics
//! ([`crate::topics::LocalTopics`]); everything else is free.

mod memory;
mod rocks;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use arrow::array::BinaryArray;

pub use memory::MemoryStorage;
pub use rocks::RocksStorage;

/// A part of the store with its own key space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Topic metadata, committed offsets, command log, format version.
    Meta,
    /// Chunks of records of local topics.
    Records,
    /// Operator state.
    State,
}

/// Writes that become visible and durable together, in order of insertion.
#[derive(Debug, Default)]
pub struct WriteSet {
    writes: Vec<Write>,
}

/// One write of a [`WriteSet`].
#[derive(Debug, Clone)]
pub enum Write {
    /// Sets `key` to `value`.
    Put(Family, Vec<u8>, Vec<u8>),
    /// Removes `key`.
    Delete(Family, Vec<u8>),
    /// Removes all keys from the first (inclusive) to the second (exclusive).
    DeleteRange(Family, Vec<u8>, Vec<u8>),
}

impl WriteSet {
    /// Adds a put.
    pub fn put(&mut self, family: Family, key: Vec<u8>, value: Vec<u8>) {
        self.writes.push(Write::Put(family, key, value));
    }

    /// Adds a removal of one key.
    pub fn delete(&mut self, family: Family, key: Vec<u8>) {
        self.writes.push(Write::Delete(family, key));
    }

    /// Adds a removal of a range of keys.
    pub fn delete_range(&mut self, family: Family, from: Vec<u8>, to: Vec<u8>) {
        self.writes.push(Write::DeleteRange(family, from, to));
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The writes in order, to be kept.
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    /// The writes in order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Appends the writes of `other`.
    pub fn extend(&mut self, other: WriteSet) {
        self.writes.extend(other.writes);
    }
}

/// What went wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has the data directory open.
    #[error("data directory {path} is in use by another process: end that one first, or take another --data-dir")]
    InUse {
        /// The data directory.
        path: String,
    },
    /// The directory cannot be created or written.
    #[error("data directory {path} is not usable: {reason}")]
    NotUsable {
        /// The data directory.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The data was written by another version.
    #[error("data directory {path} has format version {found}, this binary reads version {supported}")]
    Version {
        /// The data directory.
        path: String,
        /// Version on disk.
        found: u32,
        /// Version of this binary.
        supported: u32,
    },
    /// A read or write failed.
    #[error("storage failed: {0}")]
    Io(String),
    /// Bytes on disk do not have the layout they should have.
    #[error("storage is corrupt: {0}")]
    Corrupt(String),
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// What a store takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StorageUsage {
    /// Memory of blocks that were read.
    pub cache: u64,
    /// Memory of what was written and is not in files yet.
    pub write_buffers: u64,
    /// Memory of indices and filters of files.
    pub indices: u64,
    /// Files on disk.
    pub disk: u64,
}

/// An ordered key-value store. Reads see every completed [`KeyValue::write`].
pub trait KeyValue: Send + Sync {
    /// The value of `key`.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;

    /// The values of `keys`, in their order.
    fn multi_get(&self, family: Family, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StorageError>;

    /// Entries whose keys are at least `from` and less than `to`, ascending, at most `limit`.
    fn scan(&self, family: Family, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, StorageError>;

    /// Applies all of `writes` atomically.
    fn write(&self, writes: &WriteSet) -> Result<(), StorageError>;

    /// As [`KeyValue::write`], for a store that can keep what it is given without copying it.
    fn write_owned(&self, writes: WriteSet) -> Result<(), StorageError> {
        self.write(&writes)
    }

    /// Sets `prefix` followed by each of `keys` to its value in `values`, or removes it where that is null, later ones over earlier
    /// ones. Cheaper than [`KeyValue::write`], but lost when the process is killed before [`KeyValue::keep_loaded`].
    fn load(&self, family: Family, prefix: &[u8], keys: &BinaryArray, values: &BinaryArray)
    -> Result<(), StorageError>;

    /// Lets blocks that were read take `bytes` of memory.
    fn set_cache_bytes(&self, bytes: usize) {
        let _ = bytes;
    }

    /// A folder for files that nobody needs once the store is closed; `None`: it keeps nothing on disk.
    fn folder(&self) -> Option<PathBuf> {
        None
    }

    /// Memory and disk that the store takes, about.
    fn usage(&self) -> StorageUsage {
        StorageUsage::default()
    }

    /// Makes durable what was loaded into `family`.
    fn keep_loaded(&self, family: Family) -> Result<(), StorageError>;
}
