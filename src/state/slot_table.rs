//! Keys to dense slots: operators keep typed columns indexed by slot instead of a map of rows.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::key_encoding::EncodedKeys;

/// Assigns each key a slot, reusing slots of removed keys.
#[derive(Debug, Default)]
pub struct SlotTable {
    slots: HashTable<u32>,
    keys: Vec<Box<[u8]>>,
    hashes: Vec<u64>,
    free: Vec<u32>,
    /// Bytes of all keys.
    key_bytes: usize,
}

/// What the allocator adds to a key, on average.
const KEY_OVERHEAD_BYTES: usize = 8;
/// What a slot takes: its place in the table, the reference to its key, its hash.
const SLOT_BYTES: usize = 6 + size_of::<Box<[u8]>>() + size_of::<u64>();

impl SlotTable {
    /// The slot of each key of `keys`, in row order; `assigned` is told of every key that was not there before.
    pub fn assign(&mut self, keys: &EncodedKeys, rows: &mut Vec<u32>, mut assigned: impl FnMut(u32, &[u8])) {
        rows.clear();
        rows.reserve(keys.len());
        for row in 0..keys.len() {
            let (slot, new) = self.insert_row(keys, row);
            if new {
                assigned(slot, keys.key(row));
            }
            rows.push(slot);
        }
    }

    /// The slot of the key in `row` of `keys`, and whether it is new.
    pub fn insert_row(&mut self, keys: &EncodedKeys, row: usize) -> (u32, bool) {
        self.insert_hashed(keys.hash(row), keys.key(row))
    }

    /// The slot of `key`, and whether it is new.
    pub fn insert(&mut self, key: &[u8]) -> (u32, bool) {
        self.insert_hashed(hash_key(key), key)
    }

    fn insert_hashed(&mut self, hash: u64, key: &[u8]) -> (u32, bool) {
        if let Some(&slot) = self.find(hash, key) {
            return (slot, false);
        }
        self.key_bytes += key.len();
        let slot = if let Some(slot) = self.free.pop() {
            self.keys[slot as usize] = key.into();
            self.hashes[slot as usize] = hash;
            slot
        } else {
            self.keys.push(key.into());
            self.hashes.push(hash);
            (self.keys.len() - 1) as u32
        };
        let hashes = &self.hashes;
        self.slots.insert_unique(hash, slot, |&slot| hashes[slot as usize]);
        (slot, true)
    }

    /// The slot of `key`, if it is there.
    pub fn get(&self, key: &[u8]) -> Option<u32> {
        self.find(hash_key(key), key).copied()
    }

    /// The slot of the key in `row` of `keys`, if it is there.
    pub fn get_row(&self, keys: &EncodedKeys, row: usize) -> Option<u32> {
        self.find(keys.hash(row), keys.key(row)).copied()
    }

    /// Frees the slot.
    pub fn remove(&mut self, slot: u32) {
        let hash = self.hashes[slot as usize];
        if let Ok(entry) = self.slots.find_entry(hash, |&other| other == slot) {
            entry.remove();
            self.key_bytes -= self.keys[slot as usize].len();
            self.keys[slot as usize] = Box::default();
            self.free.push(slot);
        }
    }

    /// Key of an occupied slot.
    pub fn key(&self, slot: u32) -> &[u8] {
        &self.keys[slot as usize]
    }

    /// One more than the greatest slot ever assigned.
    pub fn capacity(&self) -> usize {
        self.keys.len()
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The occupied slots.
    pub fn occupied(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().copied()
    }

    /// Memory that is there for slots, free or not, about.
    pub fn fixed_bytes(&self) -> usize {
        self.keys.capacity() * SLOT_BYTES + self.free.capacity() * size_of::<u32>()
    }

    /// Memory that slots and keys take, about.
    pub fn memory_bytes(&self) -> usize {
        self.fixed_bytes() + self.key_bytes + self.slots.len() * KEY_OVERHEAD_BYTES
    }

    fn find(&self, hash: u64, key: &[u8]) -> Option<&u32> {
        self.slots.find(hash, |&slot| *self.keys[slot as usize] == *key)
    }
}

/// The hash of a key in all tables of the process.
pub(super) fn hash_key(key: &[u8]) -> u64 {
    #[cfg(test)]
    HASHED.set(HASHED.get() + 1);
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(key);
    hasher.finish()
}

#[cfg(test)]
thread_local! {
    /// How many keys were hashed on this thread.
    pub static HASHED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_dense_and_reused() {
        let mut table = SlotTable::default();
        assert_eq!(table.insert(b"a"), (0, true));
        assert_eq!(table.insert(b"b"), (1, true));
        assert_eq!(table.insert(b"a"), (0, false));
        table.remove(0);
        assert_eq!(table.get(b"a"), None);
        assert_eq!(table.insert(b"c"), (0, true));
        assert_eq!((table.len(), table.capacity()), (2, 2));
        assert_eq!(table.key(0), b"c");
    }
}
