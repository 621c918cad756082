//! Which keys of a store are in memory, and which of those may go.
//!
//! ```text
//! keys of a batch ──▶ in memory? ── yes ──▶ slot
//!                        │ no
//!                        ├─ storage holds no more than memory (complete) ──▶ new slot
//!                        └─ else one look-up for all that are missing ─────▶ new slot, loaded or new
//! commit ──▶ what is in storage may be let go: the keys that were used longest ago
//! ```
//!
//! A key's bytes are those of its entry in storage. A store whose keys all fit in memory is read once, when it is opened, and never
//! again.

use super::buckets::is_meta;
use super::key_encoding::EncodedKeys;
use super::{EntryWeight, SlotTable, StateError, Store, StoreSize};
use crate::storage::Entry;

/// Entries that came from storage, and the slots of their keys.
#[derive(Debug, Default)]
pub struct Found {
    /// Slots.
    pub slots: Vec<u32>,
    /// Keys, without the store's prefix.
    pub keys: Vec<Vec<u8>>,
    /// Values.
    pub values: Vec<Vec<u8>>,
}

impl Found {
    fn push(&mut self, slot: u32, key: Vec<u8>, value: Vec<u8>) {
        self.slots.push(slot);
        self.keys.push(key);
        self.values.push(value);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// The keys of a store that are in memory.
pub struct HotKeys {
    store: Store,
    slots: SlotTable,
    /// Storage holds no key that is not here.
    is_complete: bool,
    /// Per slot the commit after which it was used last.
    used: Vec<u32>,
    commits: u32,
    /// Entries of the store, in memory or not.
    entries: u64,
    weight: EntryWeight,
}

impl HotKeys {
    /// The keys of `store`; nothing is read before [`HotKeys::load`].
    pub fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            slots: SlotTable::default(),
            is_complete: true,
            used: Vec::new(),
            commits: 0,
            entries: 0,
            weight: EntryWeight::default(),
        }
    }

    /// Reads storage into memory, portion by portion, until there is as much as the store may take, or the process ends: who asks
    /// one question does not wait until all is there. Entries that are no rows are left out.
    pub fn load(&mut self, mut take: impl FnMut(&Found) -> Result<(), StateError>) -> Result<(), StateError> {
        let (store, mut bytes) = (self.store.clone(), 0);
        self.is_complete = store.scan_while(|entries| {
            let mut found = Found::default();
            for (key, value) in entries.into_iter().filter(|(key, _)| !is_meta(key)) {
                bytes += key.len() + value.len();
                self.weight.note(&key, &value);
                found.push(self.insert(&key).0, key, value);
            }
            self.entries += found.slots.len() as u64;
            take(&found)?;
            Ok(bytes < store.preloaded_bytes_max() && !store.is_ending())
        })?;
        Ok(())
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn insert(&mut self, key: &[u8]) -> (u32, bool) {
        let inserted = self.slots.insert(key);
        self.note_used(inserted.0);
        inserted
    }

    fn insert_row(&mut self, keys: &EncodedKeys, row: usize) -> (u32, bool) {
        let inserted = self.slots.insert_row(keys, row);
        self.note_used(inserted.0);
        inserted
    }

    fn note_used(&mut self, slot: u32) {
        if self.used.len() <= slot as usize {
            self.used.resize(slot as usize + 1, 0);
        }
        self.used[slot as usize] = self.commits;
    }

    /// The slot of each of `keys` in `slots`, and those that nobody knew in `new`; gives those that storage knows and memory
    /// did not, to be loaded.
    pub fn assign(
        &mut self,
        keys: &EncodedKeys,
        slots: &mut Vec<u32>,
        new: &mut Vec<u32>,
    ) -> Result<Found, StateError> {
        slots.clear();
        new.clear();
        for row in 0..keys.len() {
            let (slot, is_new) = self.insert_row(keys, row);
            slots.push(slot);
            if is_new {
                new.push(slot);
            }
        }
        let mut found = Found::default();
        if self.is_complete || new.is_empty() {
            return Ok(found);
        }
        let mut values = self.store.multi_get(new.iter().map(|&slot| self.slots.key(slot)))?.into_iter();
        new.retain(|&slot| match values.next().flatten() {
            Some(value) => {
                found.push(slot, self.slots.key(slot).to_vec(), value);
                false
            }
            None => true,
        });
        Ok(found)
    }

    /// The slot of each of `keys` that memory or storage knows; gives those that only storage knew, to be loaded.
    pub fn find(&mut self, keys: &EncodedKeys) -> Result<(Vec<Option<u32>>, Found), StateError> {
        let mut slots: Vec<Option<u32>> = (0..keys.len()).map(|row| self.slots.get_row(keys, row)).collect();
        for slot in slots.iter().flatten() {
            self.used[*slot as usize] = self.commits;
        }
        let missing: Vec<usize> = (0..slots.len()).filter(|&row| slots[row].is_none()).collect();
        let mut found = Found::default();
        if self.is_complete || missing.is_empty() {
            return Ok((slots, found));
        }
        let values = self.store.multi_get(missing.iter().map(|&row| keys.key(row)))?;
        for (row, value) in missing.into_iter().zip(values) {
            let Some(value) = value else { continue };
            let (slot, is_new) = self.insert_row(keys, row);
            slots[row] = Some(slot);
            if is_new {
                found.push(slot, keys.key(row).to_vec(), value);
            }
        }
        Ok((slots, found))
    }

    /// Of the entries with keys from `from` on and before `to`, those that memory does not know, to be loaded.
    pub fn find_range(&mut self, from: &[u8], to: &[u8]) -> Result<Found, StateError> {
        let mut found = Found::default();
        if self.is_complete {
            return Ok(found);
        }
        let store = self.store.clone();
        store.scan_range(from, to, |entries| {
            self.insert_unknown(entries, &mut found);
            Ok(true)
        })?;
        Ok(found)
    }

    /// As [`HotKeys::find_range`], of the entries with keys that begin with `prefix`.
    pub fn find_prefix(&mut self, prefix: &[u8]) -> Result<Found, StateError> {
        let mut found = Found::default();
        if self.is_complete {
            return Ok(found);
        }
        let store = self.store.clone();
        store.scan_prefix(prefix, |entries| {
            self.insert_unknown(entries.to_vec(), &mut found);
            Ok(())
        })?;
        Ok(found)
    }

    fn insert_unknown(&mut self, entries: Vec<Entry>, found: &mut Found) {
        for (key, value) in entries {
            if let (slot, true) = self.insert(&key) {
                found.push(slot, key, value);
            }
        }
    }

    /// Whether storage holds no key that is not in memory.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Key of an occupied slot.
    pub fn key(&self, slot: u32) -> &[u8] {
        self.slots.key(slot)
    }

    /// One more than the greatest slot ever assigned.
    pub fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Takes note that the entry of `slot` is written with `value`; `is_new`: storage has had none.
    pub fn note_written(&mut self, slot: u32, value: &[u8], is_new: bool) {
        self.weight.note(self.slots.key(slot), value);
        self.entries += u64::from(is_new);
    }

    /// Takes note that `entries` entries of storage are removed.
    pub fn note_removed(&mut self, entries: u64) {
        self.entries = self.entries.saturating_sub(entries);
    }

    /// Frees `slot`.
    pub fn remove(&mut self, slot: u32) {
        self.slots.remove(slot);
    }

    /// Begins the time after a commit.
    pub fn end_commit(&mut self) {
        self.commits += 1;
    }

    /// Lets go of those keys that were used longest ago until at most `keep` are left. Whoever calls it gives back what is kept
    /// for the slots returned; storage must have all of it.
    pub fn evict(&mut self, keep: usize) -> Vec<u32> {
        let Some(surplus) = self.slots.len().checked_sub(keep).filter(|surplus| *surplus > 0) else {
            return Vec::new();
        };
        self.is_complete = false;
        let mut slots: Vec<u32> = self.slots.occupied().collect();
        if surplus < slots.len() {
            slots.select_nth_unstable_by_key(surplus, |&slot| (self.used[slot as usize], slot));
            slots.truncate(surplus);
        }
        slots.iter().for_each(|&slot| self.slots.remove(slot));
        slots
    }

    /// Keys in memory.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no key is in memory.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How large the store is.
    pub fn size(&self) -> StoreSize {
        self.store.size(self.entries as usize, self.weight)
    }

    /// Memory that is there for slots, free or not, about.
    pub fn fixed_bytes(&self) -> usize {
        self.slots.fixed_bytes() + self.used.capacity() * size_of::<u32>()
    }

    /// Memory that slots and keys take, about.
    pub fn memory_bytes(&self) -> usize {
        self.slots.memory_bytes() + self.used.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::state::StoreId;
    use crate::storage::{KeyValue as _, MemoryStorage, WriteSet};

    #[test]
    fn a_process_that_ends_reads_no_more_and_finds_what_it_has_not_read() {
        let storage = Arc::new(MemoryStorage::default());
        let id = StoreId { query: "Q".into(), name: "S".to_owned(), partition: 0 };
        let store = Store::new(Arc::clone(&storage) as _, &id);
        let mut writes = WriteSet::default();
        (0..10_000_u32).for_each(|key| store.put(&mut writes, &key.to_be_bytes(), b"value".to_vec()));
        storage.write(&writes).expect("memory takes it");
        let load = |ending: bool| {
            let mut keys = HotKeys::new(&store.clone().preloading(usize::MAX, &Arc::new(AtomicBool::new(ending))));
            keys.load(|_| Ok(())).expect("it is readable");
            keys
        };
        let all = load(false);
        assert!(all.is_complete() && all.len() == 10_000);
        let mut some = load(true);
        assert!(!some.is_complete() && some.len() < 10_000, "{} are read", some.len());
        let found = some.find_prefix(&9_999_u32.to_be_bytes()).expect("it is readable");
        assert_eq!(found.values, [b"value"]);
    }
}
