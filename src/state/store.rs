//! One operator's entries in storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{EntryWeight, StoreSize};
use crate::storage::{Entry, Family, KeyValue, StorageError, WriteSet};

/// What went wrong with state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Bytes in storage are not what this version writes.
    #[error("state is corrupt: {0}")]
    Corrupt(String),
    /// A function cannot keep the state of a group, or take what it has kept.
    #[error("{0}")]
    Function(String),
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Which store: query, store name, partition. Entries of a store share the prefix that it encodes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoreId {
    /// Query whose state it is.
    pub query: Arc<str>,
    /// Store name within the query: `Aggregate-Aggregate-Materialize`.
    pub name: String,
    /// Partition of the task.
    pub partition: u32,
}

impl StoreId {
    /// Prefix of all keys of all stores of `query`.
    pub fn query_prefix(query: &str) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(query.len() + 1);
        prefix.extend_from_slice(query.as_bytes());
        prefix.push(0);
        prefix
    }

    /// The store that the entry with `key` in [`Family::State`] belongs to, and the rest of the key.
    pub fn split(key: &[u8]) -> Option<(Self, &[u8])> {
        let mut parts = key.splitn(3, |byte| *byte == 0);
        let (query, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let (partition, entry_key) = rest.split_first_chunk()?;
        let id = Self {
            query: str::from_utf8(query).ok()?.into(),
            name: str::from_utf8(name).ok()?.to_owned(),
            partition: u32::from_be_bytes(*partition),
        };
        Some((id, entry_key))
    }

    /// What the keys of all entries of the store begin with.
    pub fn prefix(&self) -> Vec<u8> {
        let mut prefix = Self::query_prefix(&self.query);
        prefix.extend_from_slice(self.name.as_bytes());
        prefix.push(0);
        prefix.extend_from_slice(&self.partition.to_be_bytes());
        prefix
    }
}

/// Reads and writes the entries of one store.
#[derive(Clone)]
pub struct Store {
    storage: Arc<dyn KeyValue>,
    prefix: Vec<u8>,
    preloaded_bytes_max: usize,
    /// Whether the process ends.
    ending: Arc<AtomicBool>,
}

const SCAN_ENTRIES: usize = 4096;

impl Store {
    /// The store `id` in `storage`.
    pub fn new(storage: Arc<dyn KeyValue>, id: &StoreId) -> Self {
        Self { storage, prefix: id.prefix(), preloaded_bytes_max: usize::MAX, ending: Arc::default() }
    }

    /// The store, of whose entries no more than about `bytes` are to be read when it is opened, and none any more once the process
    /// is `ending`.
    #[must_use]
    pub fn preloading(self, bytes: usize, ending: &Arc<AtomicBool>) -> Self {
        Self { preloaded_bytes_max: bytes, ending: Arc::clone(ending), ..self }
    }

    /// Whether the process ends, so that what is read for later is read in vain.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// How many bytes of entries to read, about, when the store is opened.
    pub fn preloaded_bytes_max(&self) -> usize {
        self.preloaded_bytes_max
    }

    /// How large the store is with `entries` entries.
    pub fn size(&self, entries: usize, weight: EntryWeight) -> StoreSize {
        let name = StoreId::split(&self.prefix).map(|(id, _)| id.name);
        StoreSize { store: name.unwrap_or_default(), entries: entries as u64, bytes: weight.of(entries) }
    }

    /// Value of `key`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Ok(self.storage.get(Family::State, &self.full_key(key))?)
    }

    /// Values of `keys`, in their order.
    pub fn multi_get<'a>(&self, keys: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let keys: Vec<Vec<u8>> = keys.map(|key| self.full_key(key)).collect();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        Ok(self.storage.multi_get(Family::State, &keys)?)
    }

    /// Values of `keys` in each of `stores`, which are in one storage: all of the first store, then all of the next.
    pub fn get_of_all(stores: &[Self], keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let Some(first) = stores.first() else { return Ok(Vec::new()) };
        if let ([store], [key]) = (stores, keys) {
            return Ok(vec![store.get(key)?]);
        }
        let full: Vec<Vec<u8>> = stores.iter().flat_map(|store| keys.iter().map(|key| store.full_key(key))).collect();
        let full: Vec<&[u8]> = full.iter().map(Vec::as_slice).collect();
        Ok(first.storage.multi_get(Family::State, &full)?)
    }

    /// Gives `each` entries in key order, in portions, until it answers `false`; keys come without the store's prefix. Returns
    /// whether there were no more.
    pub fn scan_while(&self, each: impl FnMut(Vec<Entry>) -> Result<bool, StateError>) -> Result<bool, StateError> {
        self.scan_full(self.prefix.clone(), &after(&self.prefix), each)
    }

    /// As [`Store::scan_while`], for keys from `from` on and before `to`.
    pub fn scan_range(
        &self,
        from: &[u8],
        to: &[u8],
        each: impl FnMut(Vec<Entry>) -> Result<bool, StateError>,
    ) -> Result<bool, StateError> {
        self.scan_full(self.full_key(from), &self.full_key(to), each)
    }

    fn scan_full(
        &self,
        mut from: Vec<u8>,
        to: &[u8],
        mut each: impl FnMut(Vec<Entry>) -> Result<bool, StateError>,
    ) -> Result<bool, StateError> {
        loop {
            let mut entries = self.storage.scan(Family::State, &from, to, SCAN_ENTRIES)?;
            let Some((last, _)) = entries.last() else { return Ok(true) };
            from.clone_from(last);
            from.push(0);
            let done = entries.len() < SCAN_ENTRIES;
            for (key, _) in &mut entries {
                key.drain(..self.prefix.len());
            }
            let goes_on = each(entries)?;
            if done || !goes_on {
                return Ok(done);
            }
        }
    }

    /// Calls `each` with all entries in key order, in portions; keys come without the store's prefix.
    pub fn scan(&self, each: impl FnMut(&[Entry]) -> Result<(), StateError>) -> Result<(), StateError> {
        self.scan_prefix(&[], each)
    }

    /// As [`Store::scan`], for the keys that begin with `key_prefix`.
    pub fn scan_prefix(
        &self,
        key_prefix: &[u8],
        mut each: impl FnMut(&[Entry]) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        let from = self.full_key(key_prefix);
        let to = after(&from);
        self.scan_full(from, &to, |entries| each(&entries).map(|()| true))?;
        Ok(())
    }

    /// Adds a put of `key` to `writes`.
    pub fn put(&self, writes: &mut WriteSet, key: &[u8], value: Vec<u8>) {
        writes.put(Family::State, self.full_key(key), value);
    }

    /// Adds a removal of `key` to `writes`.
    pub fn delete(&self, writes: &mut WriteSet, key: &[u8]) {
        writes.delete(Family::State, self.full_key(key));
    }

    /// Adds the removal of all entries whose keys are less than `key` to `writes`.
    pub fn delete_before(&self, writes: &mut WriteSet, key: &[u8]) {
        writes.delete_range(Family::State, self.prefix.clone(), self.full_key(key));
    }

    /// Adds the removal of the store `id` to `writes`.
    pub fn delete_all(writes: &mut WriteSet, id: &StoreId) {
        let prefix = id.prefix();
        let end = after(&prefix);
        writes.delete_range(Family::State, prefix, end);
    }

    /// The queries that have state in `storage`.
    pub fn queries(storage: &dyn KeyValue) -> Result<Vec<String>, StateError> {
        let mut queries = Vec::new();
        let mut from = Vec::new();
        while let Some((key, _)) = storage.scan(Family::State, &from, &[u8::MAX], 1)?.pop() {
            let corrupt = || StateError::Corrupt("an entry of state belongs to no store".to_owned());
            let (id, _) = StoreId::split(&key).ok_or_else(corrupt)?;
            from = after(&StoreId::query_prefix(&id.query));
            queries.push(id.query.to_string());
        }
        Ok(queries)
    }

    /// Adds the removal of all state of `query` to `writes`.
    pub fn delete_query(writes: &mut WriteSet, query: &str) {
        let prefix = StoreId::query_prefix(query);
        let end = after(&prefix);
        writes.delete_range(Family::State, prefix, end);
    }

    fn full_key(&self, key: &[u8]) -> Vec<u8> {
        [&self.prefix, key].concat()
    }
}

/// The least key greater than all keys with `prefix`.
fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}
