//! A [`KeyValue`] in memory: for tests, and for state that need not outlive the process.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arrow::array::{Array as _, BinaryArray};
use foldhash::fast::FixedState;

use super::{Entry, Family, KeyValue, StorageError, Write, WriteSet};

/// Entries in order, but for those that changed since order last mattered: most are written again and again before anybody asks
/// for a range.
#[derive(Debug, Default)]
struct Map {
    sorted: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Newer than what is sorted; `None`: removed.
    recent: HashMap<Vec<u8>, Option<Vec<u8>>, FixedState>,
}

impl Map {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.recent.get(key) {
            Some(value) => value.clone(),
            None => self.sorted.get(key).cloned(),
        }
    }

    /// All entries in order.
    fn settle(&mut self) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        for (key, value) in std::mem::take(&mut self.recent) {
            match value {
                Some(value) => self.sorted.insert(key, value),
                None => self.sorted.remove(&key),
            };
        }
        &mut self.sorted
    }
}

/// A map per family behind one lock: a [`WriteSet`] is applied under it, so readers see all of it or nothing.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    families: RwLock<Families>,
}

#[derive(Debug, Default)]
struct Families {
    meta: Map,
    records: Map,
    state: Map,
}

impl Families {
    fn map(&self, family: Family) -> &Map {
        match family {
            Family::Meta => &self.meta,
            Family::Records => &self.records,
            Family::State => &self.state,
        }
    }

    fn map_mut(&mut self, family: Family) -> &mut Map {
        match family {
            Family::Meta => &mut self.meta,
            Family::Records => &mut self.records,
            Family::State => &mut self.state,
        }
    }

    fn apply(&mut self, write: Write) {
        match write {
            Write::Put(family, key, value) => {
                self.map_mut(family).recent.insert(key, Some(value));
            }
            Write::Delete(family, key) => {
                self.map_mut(family).recent.insert(key, None);
            }
            Write::DeleteRange(family, from, to) if from < to => {
                let map = self.map_mut(family).settle();
                let doomed: Vec<_> = map.range(from..to).map(|(key, _)| key.clone()).collect();
                for key in doomed {
                    map.remove(&key);
                }
            }
            Write::DeleteRange(..) => {}
        }
    }
}

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Families> {
        // A panic between two writes of a set is impossible: applying one cannot fail.
        self.families.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Families> {
        self.families.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValue for MemoryStorage {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.read().map(family).get(key))
    }

    fn multi_get(&self, family: Family, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let families = self.read();
        let map = families.map(family);
        Ok(keys.iter().map(|key| map.get(key)).collect())
    }

    fn scan(&self, family: Family, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, StorageError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = (Bound::Included(from), Bound::Excluded(to));
        let mut families = self.change();
        let entries = families.map_mut(family).settle().range::<[u8], _>(range).take(limit);
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn write(&self, writes: &WriteSet) -> Result<(), StorageError> {
        let mut families = self.change();
        writes.writes().iter().cloned().for_each(|write| families.apply(write));
        Ok(())
    }

    fn write_owned(&self, writes: WriteSet) -> Result<(), StorageError> {
        let mut families = self.change();
        writes.into_writes().into_iter().for_each(|write| families.apply(write));
        Ok(())
    }

    fn load(
        &self,
        family: Family,
        prefix: &[u8],
        keys: &BinaryArray,
        values: &BinaryArray,
    ) -> Result<(), StorageError> {
        let mut families = self.change();
        for row in 0..keys.len() {
            let key = [prefix, keys.value(row)].concat();
            let write = if values.is_valid(row) {
                Write::Put(family, key, values.value(row).to_vec())
            } else {
                Write::Delete(family, key)
            };
            families.apply(write);
        }
        Ok(())
    }

    fn keep_loaded(&self, _: Family) -> Result<(), StorageError> {
        Ok(())
    }
}
