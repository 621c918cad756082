//! The sessions of keys: who has which, their bounds, and which end when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::state::key_encoding::{EncodedKeys, encode_session};
use crate::state::{Buckets, SlotTable, bucket_prefix};

/// Sessions by slot, and the slots of each key. Sessions of one key are apart from each other, so their order is that of
/// their ends and that of their starts.
#[derive(Default)]
pub(super) struct SessionTable {
    keys: SlotTable,
    /// By slot of the key.
    lists: Vec<SessionList>,
    /// By slot of the key: all sessions that end then or later are here.
    known_from: Vec<i64>,
    /// By slot of the key: the commit after which it was used last.
    used: Vec<u32>,
    commits: u32,
    starts: Vec<i64>,
    ends: Vec<i64>,
    /// Slot of the key; [`NONE`] for free slots.
    key_slots: Vec<u32>,
    /// How often a session with the slot has ended: tells its sessions apart.
    generations: Vec<u32>,
    free: Vec<u32>,
    len: usize,
}

const NONE: u32 = u32::MAX;

/// The sessions of one key, oldest first. Most keys have one, which then costs no allocation.
struct SessionList {
    older: Vec<u32>,
    newest: u32,
}

impl SessionList {
    const EMPTY: Self = Self { older: Vec::new(), newest: NONE };

    fn len(&self) -> usize {
        self.older.len() + usize::from(self.newest != NONE)
    }

    fn at(&self, index: usize) -> u32 {
        self.older.get(index).copied().unwrap_or(self.newest)
    }

    /// Puts `slot` in the place of the sessions `range`.
    fn replace(&mut self, range: Range<usize>, slot: u32) {
        if range.end < self.len() {
            self.older.splice(range, [slot]);
            return;
        }
        if range.is_empty() && self.newest != NONE {
            self.older.push(self.newest);
        }
        self.older.truncate(range.start);
        self.newest = slot;
    }

    fn remove(&mut self, slot: u32) {
        if self.newest == slot {
            self.newest = self.older.pop().unwrap_or(NONE);
        } else {
            self.older.retain(|&other| other != slot);
        }
    }
}

impl SessionTable {
    /// The slot of each key of `keys`, in row order; adds those that are `new` to that list. Of new keys, sessions are known that
    /// end at `known_from` or later.
    pub(super) fn assign_keys(&mut self, keys: &EncodedKeys, known_from: i64, rows: &mut Vec<u32>, new: &mut Vec<u32>) {
        self.keys.assign(keys, rows, |slot, _| new.push(slot));
        self.grow_keys();
        new.iter().for_each(|&key| self.known_from[key as usize] = known_from);
        rows.iter().for_each(|&key| self.used[key as usize] = self.commits);
    }

    /// The slot of one key; if it is new, sessions are known that end at `known_from` or later.
    pub(super) fn insert_key(&mut self, key: &[u8], known_from: i64) -> u32 {
        let (slot, is_new) = self.keys.insert(key);
        self.grow_keys();
        if is_new {
            self.known_from[slot as usize] = known_from;
            self.used[slot as usize] = self.commits;
        }
        slot
    }

    fn grow_keys(&mut self) {
        let capacity = self.keys.capacity();
        self.lists.resize_with(capacity, || SessionList::EMPTY);
        self.known_from.resize(capacity, i64::MIN);
        self.used.resize(capacity, 0);
    }

    /// All sessions of `key` are here that end then or later.
    pub(super) fn known_from(&self, key: u32) -> i64 {
        self.known_from[key as usize]
    }

    /// All sessions of `key` are here that end at `time` or later.
    pub(super) fn set_known_from(&mut self, key: u32, time: i64) {
        self.known_from[key as usize] = time;
    }

    /// The bytes of `key`.
    pub(super) fn key(&self, key: u32) -> &[u8] {
        self.keys.key(key)
    }

    /// Begins the time after a commit.
    pub(super) fn end_commit(&mut self) {
        self.commits += 1;
    }

    /// Number of keys.
    pub(super) fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// The keys that were used longest ago, `count` of those that may go.
    pub(super) fn coldest(&self, count: usize, may_go: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut keys: Vec<u32> = self.keys.occupied().filter(|&key| may_go(key)).collect();
        if count < keys.len() {
            keys.select_nth_unstable_by_key(count, |&key| (self.used[key as usize], key));
            keys.truncate(count);
        }
        keys
    }

    /// The slots of the sessions of `key`, oldest first.
    pub(super) fn of_key(&self, key: u32) -> impl Iterator<Item = u32> {
        let list = &self.lists[key as usize];
        (0..list.len()).map(|position| list.at(position))
    }

    /// Takes `key` and its sessions out, whose slots are retired and not free yet.
    pub(super) fn take_key(&mut self, key: u32) -> Vec<u32> {
        let slots: Vec<u32> = self.of_key(key).collect();
        slots.iter().for_each(|&slot| self.retire(slot));
        self.lists[key as usize] = SessionList::EMPTY;
        self.keys.remove(key);
        slots
    }

    /// Memory that keys and bounds take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let key = size_of::<SessionList>() + size_of::<i64>() + size_of::<u32>();
        let session = 2 * size_of::<i64>() + 3 * size_of::<u32>();
        self.keys.memory_bytes() + self.keys.len() * key + self.len * session
    }

    /// Frees the slot of `key` if it has no session.
    pub(super) fn remove_key_without_sessions(&mut self, key: u32) {
        if self.lists[key as usize].len() == 0 {
            self.keys.remove(key);
        }
    }

    /// The sessions of `key` that do not end before `end_min` nor start after `start_max`, as positions among its sessions. No
    /// session ends before one that it follows, so a session from `end_min` to `start_max` belongs in their place.
    pub(super) fn find(&self, key: u32, end_min: i64, start_max: i64) -> Range<usize> {
        let list = &self.lists[key as usize];
        let mut end = list.len();
        if end > 0 && self.start(list.newest) > start_max {
            end = list.older.partition_point(|&slot| self.start(slot) <= start_max);
        }
        let mut start = end;
        while start > 0 && self.end(list.at(start - 1)) >= end_min {
            start -= 1;
        }
        start..end
    }

    /// The session of `key` at `position`.
    pub(super) fn at(&self, key: u32, position: usize) -> u32 {
        self.lists[key as usize].at(position)
    }

    /// The newest session of `key`, which has one.
    pub(super) fn newest(&self, key: u32) -> u32 {
        self.lists[key as usize].newest
    }

    /// A slot for a session of `key` with these bounds; [`SessionTable::replace`] makes it one of the key's sessions.
    pub(super) fn insert(&mut self, key: u32, start: i64, end: i64) -> u32 {
        self.len += 1;
        let Some(slot) = self.free.pop() else {
            self.starts.push(start);
            self.ends.push(end);
            self.key_slots.push(key);
            self.generations.push(0);
            return (self.starts.len() - 1) as u32;
        };
        self.set_bounds(slot, start, end);
        self.key_slots[slot as usize] = key;
        slot
    }

    /// Puts `slot` in the place of the sessions of `key` at `positions`, whose slots stay as they are.
    pub(super) fn replace(&mut self, key: u32, positions: Range<usize>, slot: u32) {
        self.lists[key as usize].replace(positions, slot);
    }

    /// Adds `slot` as the newest session of `key`.
    pub(super) fn push(&mut self, key: u32, slot: u32) {
        let len = self.lists[key as usize].len();
        self.replace(key, len..len, slot);
    }

    /// Takes `slot` out of the sessions of its key, and retires it.
    pub(super) fn remove_from_key(&mut self, slot: u32) {
        self.retire(slot);
        let key = self.key_slots[slot as usize];
        self.lists[key as usize].remove(slot);
        self.remove_key_without_sessions(key);
    }

    /// No index of ends finds `slot` any more, which is among the sessions of no key.
    pub(super) fn retire(&mut self, slot: u32) {
        self.generations[slot as usize] = self.generations[slot as usize].wrapping_add(1);
    }

    /// Lets other sessions have `slot`, which is retired.
    pub(super) fn free(&mut self, slot: u32) {
        self.key_slots[slot as usize] = NONE;
        self.free.push(slot);
        self.len -= 1;
    }

    pub(super) fn set_bounds(&mut self, slot: u32, start: i64, end: i64) {
        self.starts[slot as usize] = start;
        self.ends[slot as usize] = end;
    }

    pub(super) fn start(&self, slot: u32) -> i64 {
        self.starts[slot as usize]
    }

    pub(super) fn end(&self, slot: u32) -> i64 {
        self.ends[slot as usize]
    }

    /// Slot of the key of `slot`.
    pub(super) fn key_of(&self, slot: u32) -> u32 {
        self.key_slots[slot as usize]
    }

    pub(super) fn is_live(&self, slot: u32) -> bool {
        self.key_slots[slot as usize] != NONE
    }

    /// The key in storage of the session of `key` with these bounds: the bucket of its end comes first.
    pub(super) fn stored_key(&self, key: u32, (start, end): (i64, i64), buckets: &Buckets) -> Vec<u8> {
        let mut stored = bucket_prefix(buckets.number(end), self.keys.key(key));
        encode_session(start, end, &mut stored);
        stored
    }

    /// One more than the greatest slot ever given to a session.
    pub(super) fn capacity(&self) -> usize {
        self.starts.len()
    }

    /// Number of sessions.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

/// Sessions in the order of their ends. An entry holds an end that its session once had; ends only grow, so it is looked at
/// again when its turn comes, and a session that goes on for long costs nothing in between.
#[derive(Default)]
pub(super) struct EndIndex {
    entries: BinaryHeap<Reverse<(i64, u32, u32)>>,
}

impl EndIndex {
    /// Adds the session `slot`, which must not be there.
    pub(super) fn add(&mut self, slot: u32, sessions: &SessionTable) {
        self.entries.push(Reverse((sessions.end(slot), slot, sessions.generations[slot as usize])));
    }

    /// Forgets the sessions that are no more.
    pub(super) fn compact(&mut self, sessions: &SessionTable) {
        self.entries.retain(|Reverse((_, slot, generation))| sessions.generations[*slot as usize] == *generation);
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes out a session that ended before `limit`; the earlier ends come first.
    pub(super) fn pop_before(&mut self, limit: i64, sessions: &SessionTable) -> Option<u32> {
        while let Some(&Reverse((end, slot, generation))) = self.entries.peek()
            && end < limit
        {
            self.entries.pop();
            if sessions.generations[slot as usize] != generation {
                continue;
            }
            if sessions.end(slot) < limit {
                return Some(slot);
            }
            self.add(slot, sessions);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key with sessions of these bounds.
    fn table(bounds: &[(i64, i64)]) -> (SessionTable, u32) {
        let mut sessions = SessionTable::default();
        let key = sessions.insert_key(b"k", i64::MIN);
        for &(start, end) in bounds {
            let slot = sessions.insert(key, start, end);
            sessions.push(key, slot);
        }
        (sessions, key)
    }

    #[test]
    fn both_bounds_of_what_is_looked_for_are_inclusive() {
        let (sessions, key) = table(&[(0, 4), (10, 14), (20, 24)]);
        let cases =
            [((5, 9), 1..1), ((4, 9), 0..1), ((5, 10), 1..2), ((4, 20), 0..3), ((25, 30), 3..3), ((-9, -1), 0..0)];
        for ((end_min, start_max), expected) in cases {
            assert_eq!(sessions.find(key, end_min, start_max), expected, "{end_min}, {start_max}");
        }
    }

    #[test]
    fn a_session_takes_the_place_of_those_it_is_made_of() {
        for (range, expected) in
            [(0..0, vec![3, 0, 1, 2]), (0..2, vec![3, 2]), (1..3, vec![0, 3]), (3..3, vec![0, 1, 2, 3])]
        {
            let (mut sessions, key) = table(&[(0, 4), (10, 14), (20, 24)]);
            sessions.replace(key, range, 3);
            let list = &sessions.lists[key as usize];
            assert_eq!((0..list.len()).map(|i| list.at(i)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn sessions_come_by_the_end_they_have_now() {
        let (mut sessions, _) = table(&[(0, 4), (10, 14), (20, 24)]);
        let mut index = EndIndex::default();
        (0..3).for_each(|slot| index.add(slot, &sessions));
        sessions.set_bounds(0, 0, 17);
        sessions.remove_from_key(2);
        sessions.free(2);
        assert_eq!(index.pop_before(14, &sessions), None);
        assert_eq!(index.pop_before(100, &sessions), Some(1));
        assert_eq!(index.pop_before(100, &sessions), Some(0));
        assert_eq!(index.pop_before(100, &sessions), None);
    }
}
