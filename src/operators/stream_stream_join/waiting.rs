//! Records of outer sides that have met no partner yet.
//!
//! State: `time i64 ‖ side u8 ‖ key ‖ arrival u64 → row(key columns, window, value columns)`. The row is there once more, since
//! a record may still wait when others can find it no longer.

use std::collections::BTreeMap;

use super::super::{LEFT, Port, RIGHT};
use super::buffer::{Buffer, Record};
use super::key_uses::KeyUses;
use crate::state::key_encoding::{decode_i64, encode_i64};
use crate::state::row_format::encode_row;
use crate::state::{EntryWeight, StateError, Store, StoreSize};
use crate::storage::WriteSet;

/// Records by time, for each side.
pub(super) struct Waiting {
    store: Store,
    listed: [BTreeMap<i64, Group>; 2],
    /// Time of the record that was looked at last, or of an earlier one that came since.
    visited: i64,
    /// Listed since the last commit.
    added: Vec<(Port, u32)>,
    /// Entries of storage that are to go.
    removed: Vec<Vec<u8>>,
    stored: usize,
    weight: EntryWeight,
}

/// Records of one time.
#[derive(Default)]
struct Group {
    /// Those that wait, and others that have met a partner.
    records: Vec<u32>,
    /// How many wait.
    waiting: usize,
}

/// Records of one side and time that are due together.
type Due = (Port, i64, Vec<u32>);

impl Waiting {
    pub(super) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            listed: [BTreeMap::new(), BTreeMap::new()],
            visited: i64::MAX,
            added: Vec::new(),
            removed: Vec::new(),
            stored: 0,
            weight: EntryWeight::default(),
        }
    }

    /// Reads what storage holds of the records of `buffers`.
    pub(super) fn load(&mut self, buffers: &mut [Buffer; 2], keys: &mut KeyUses) -> Result<(), StateError> {
        let store = self.store.clone();
        store.scan(|entries| {
            for (key, row) in entries {
                let (time, side, key_bytes, arrival) = split_entry_key(key)?;
                self.weight.note(key, row);
                self.stored += 1;
                let slot = keys.add(key_bytes);
                let record = if let Some(record) = buffers[side].find(slot, time, arrival) {
                    // The record has used the key once already.
                    keys.remove(slot);
                    record
                } else {
                    buffers[side].add_unmatched(time, slot, arrival, row)?
                };
                let listed = buffers[side].record_mut(record);
                (listed.is_listed, listed.is_unmatched, listed.is_stored_unmatched) = (true, true, true);
                self.list_only(side, time, record);
            }
            Ok(())
        })
    }

    /// Takes `record` of `side` in.
    pub(super) fn list(&mut self, side: Port, time: i64, record: u32) {
        self.list_only(side, time, record);
        self.visited = self.visited.min(time);
        self.added.push((side, record));
    }

    fn list_only(&mut self, side: Port, time: i64, record: u32) {
        let group = self.listed[side].entry(time).or_default();
        group.records.push(record);
        group.waiting += 1;
    }

    /// A record of `side` and `time` has met a partner. Gives the records of that time if none of them waits any more.
    pub(super) fn meet(&mut self, side: Port, time: i64) -> Vec<u32> {
        let Some(group) = self.listed[side].get_mut(&time) else { return Vec::new() };
        group.waiting -= 1;
        if group.waiting > 0 {
            return Vec::new();
        }
        self.listed[side].remove(&time).map(|group| group.records).unwrap_or_default()
    }

    /// Takes out all whose time plus `later` of their side is before `stream_time`: by time, then those of the secondary side
    /// first. Among them are records that have met a partner meanwhile. `by` is the side of the record that raised or
    /// repeated the stream time.
    ///
    /// As Kafka Streams does, they are only looked for when the record that was looked at last could be among them, were it one of
    /// side `by`.
    pub(super) fn take_due(&mut self, stream_time: i64, later: [i64; 2], (by, primary): (Port, Port)) -> Vec<Due> {
        if self.visited.saturating_add(later[by]) >= stream_time {
            return Vec::new();
        }
        let mut due = Vec::new();
        for side in [LEFT, RIGHT] {
            let is_due = |time: i64| time.saturating_add(later[side]) < stream_time;
            while let Some(first) = self.listed[side].first_entry().filter(|first| is_due(*first.key())) {
                let (time, group) = first.remove_entry();
                due.push((side, time, group.records));
            }
        }
        due.sort_by_key(|(side, time, _)| (*time, *side == primary));
        self.visited = self.last_visited(&due, primary);
        due
    }

    /// The time of the record that is looked at last: the first one after both sides have shown one that is not due; without
    /// such, the last of all.
    fn last_visited(&self, due: &[Due], primary: Port) -> i64 {
        let place = |side: Port, time: i64| (time, side == primary);
        let firsts = [LEFT, RIGHT].map(|side| self.listed[side].first_key_value().map(|(time, _)| place(side, *time)));
        let [Some(left), Some(right)] = firsts else {
            let lasts = self.listed.iter().filter_map(|groups| groups.last_key_value().map(|(time, _)| *time));
            return lasts.chain(due.last().map(|(_, time, _)| *time)).max().unwrap_or(i64::MAX);
        };
        let (time, side) = (left.max(right).0, if left > right { LEFT } else { RIGHT });
        if self.listed[side][&time].waiting > 1 {
            return time;
        }
        let is_after = |side: Port, other: i64| place(side, other) > left.max(right);
        let next =
            |side: Port| self.listed[side].range(time..).map(|(other, _)| *other).find(|&other| is_after(side, other));
        next(LEFT).into_iter().chain(next(RIGHT)).min().unwrap_or(time)
    }

    /// The time of the record that was looked at last, `i64::MAX` if there is none.
    pub(super) fn visited(&self) -> i64 {
        self.visited
    }

    /// The last look was at a record of `time`.
    pub(super) fn set_visited(&mut self, time: i64) {
        self.visited = time;
    }

    /// Lets storage forget `record`, whose key is `key`.
    pub(super) fn unstore(&mut self, side: Port, record: &Record, key: &[u8]) {
        self.removed.push(entry_key(side, record, key));
    }

    /// Adds what changed since the last commit to `writes`.
    pub(super) fn persist(&mut self, buffers: &mut [Buffer; 2], writes: &mut WriteSet, keys: &KeyUses) {
        for key in std::mem::take(&mut self.removed) {
            self.store.delete(writes, &key);
            self.stored -= 1;
        }
        let added = std::mem::take(&mut self.added);
        for side in [LEFT, RIGHT] {
            let of_side = added.iter().filter(|(other, _)| *other == side).map(|(_, record)| *record);
            let is_new = |&record: &u32| {
                let Record { is_unmatched, is_stored_unmatched, .. } = buffers[side].record_mut(record);
                // One that is gone since may have left its place to another, which is listed too.
                *is_unmatched && !std::mem::replace(is_stored_unmatched, true)
            };
            let waiting: Vec<u32> = of_side.filter(is_new).collect();
            let columns = buffers[side].gather(&waiting.iter().copied().map(Some).collect::<Vec<_>>());
            for (row, record) in waiting.into_iter().enumerate() {
                let record = buffers[side].record(record);
                let key = entry_key(side, record, keys.key(record.key));
                let mut value = Vec::new();
                encode_row(&columns, row, &mut value);
                self.weight.note(&key, &value);
                self.stored += 1;
                self.store.put(writes, &key, value);
            }
        }
    }

    /// Memory that the lists take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        self.stored * 2 * size_of::<u32>()
    }

    pub(super) fn size(&self) -> StoreSize {
        self.store.size(self.stored, self.weight)
    }
}

fn entry_key(side: Port, record: &Record, key: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(key.len() + 17);
    encode_i64(record.time, &mut entry);
    entry.push(side as u8);
    entry.extend_from_slice(key);
    entry.extend_from_slice(&record.arrival.to_be_bytes());
    entry
}

/// Time, side, key and arrival in the key of an entry.
fn split_entry_key(entry: &[u8]) -> Result<(i64, Port, &[u8], u64), StateError> {
    let corrupt = || StateError::Corrupt("a key of a record that waits for a partner is wrong".to_owned());
    let (time, rest) = entry.split_first_chunk::<8>().ok_or_else(corrupt)?;
    let (side, rest) = rest.split_first().ok_or_else(corrupt)?;
    let (key, arrival) = rest.split_last_chunk::<8>().ok_or_else(corrupt)?;
    let side = Port::from(*side);
    if side > RIGHT {
        return Err(corrupt());
    }
    Ok((decode_i64(*time), side, key, u64::from_be_bytes(*arrival)))
}
