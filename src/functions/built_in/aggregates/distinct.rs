//! Different byte strings, each with something that is known of it.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Up to so many are compared one by one.
const SCANNED_MAX: usize = 8;

/// Different byte strings in the order of their arrival, unless some were removed.
#[derive(Debug, Clone)]
pub(super) struct Distinct<V> {
    entries: Vec<(Box<[u8]>, V)>,
    /// Places in `entries`, once these are more than a few.
    index: HashTable<u32>,
    /// Bytes of all strings.
    bytes: usize,
}

impl<V> Default for Distinct<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashTable::new(), bytes: 0 }
    }
}

fn hash(value: &[u8]) -> u64 {
    FixedState::default().hash_one(value)
}

impl<V> Distinct<V> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// They in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &V)> {
        self.entries.iter().map(|(value, known)| (&**value, known))
    }

    /// Memory beside the size.
    pub(super) fn heap_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(Box<[u8]>, V)>() + self.bytes + self.index.allocation_size()
    }

    /// What is known of `value`.
    pub(super) fn get_mut(&mut self, value: &[u8]) -> Option<&mut V> {
        self.find(value).map(|place| &mut self.entries[place].1)
    }

    /// Whether `value` is among them.
    pub(super) fn contains(&self, value: &[u8]) -> bool {
        self.find(value).is_some()
    }

    fn find(&self, value: &[u8]) -> Option<usize> {
        if self.entries.len() <= SCANNED_MAX {
            return self.entries.iter().position(|(other, _)| **other == *value);
        }
        let is_same = |&place: &u32| *self.entries[place as usize].0 == *value;
        self.index.find(hash(value), is_same).map(|&place| place as usize)
    }

    /// Adds `value`, which is not among them.
    pub(super) fn insert(&mut self, value: &[u8], known: V) {
        let place = self.entries.len();
        self.entries.push((value.into(), known));
        self.bytes += value.len();
        if place > SCANNED_MAX {
            self.add_to_index(place);
        } else if place == SCANNED_MAX {
            (0..=place).for_each(|place| self.add_to_index(place));
        }
    }

    fn add_to_index(&mut self, place: usize) {
        let entries = &self.entries;
        let hash_at = |&place: &u32| hash(&entries[place as usize].0);
        self.index.insert_unique(hash(&entries[place].0), place as u32, hash_at);
    }

    /// Removes `value` if it is among them.
    pub(super) fn remove(&mut self, value: &[u8]) {
        let Some(place) = self.find(value) else { return };
        let last = self.entries.len() - 1;
        if last > SCANNED_MAX {
            let at = |wanted: usize| move |&place: &u32| place as usize == wanted;
            if let Ok(entry) = self.index.find_entry(hash(value), at(place)) {
                entry.remove();
            }
            if let Some(moved) = self.index.find_mut(hash(&self.entries[last].0), at(last)) {
                *moved = place as u32;
            }
        } else {
            self.index.clear();
        }
        self.entries.swap_remove(place);
        self.bytes -= value.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_removed_however_many_there_are() {
        let mut distinct = Distinct::default();
        let value = |i: u32| i.to_le_bytes();
        for i in 0..20 {
            assert!(!distinct.contains(&value(i)));
            distinct.insert(&value(i), i);
        }
        for i in (0..20).step_by(2) {
            distinct.remove(&value(i));
            distinct.remove(&value(i));
            for other in 0..20 {
                let is_left = other > i || other % 2 == 1;
                assert_eq!(distinct.get_mut(&value(other)).map(|i| *i), is_left.then_some(other));
            }
        }
        (20..30).for_each(|i| distinct.insert(&value(i), i));
        assert!((20..30).all(|i| distinct.contains(&value(i))) && distinct.len() == 20);
    }
}
