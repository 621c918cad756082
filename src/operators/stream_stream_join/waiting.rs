//! Records of outer sides that have met no partner yet.
//!
//! State: `time i64 ‖ side u8 ‖ key ‖ arrival u64 → row(key columns, window, value columns)`. The row is there once more, since
//! a record may still wait when others can find it no longer.

use std::collections::BTreeMap;

use super::super::{LEFT, Port, RIGHT};
use super::buffer::{Buffer, Record};
use crate::state::key_encoding::{decode_i64, encode_i64};
use crate::state::row_format::encode_row;
use crate::state::{EntryWeight, StateError, Store, StoreSize};
use crate::storage::WriteSet;

/// Records by time, for each side.
pub(super) struct Waiting {
    store: Store,
    listed: [BTreeMap<i64, Vec<u32>>; 2],
    /// Listed since the last commit.
    added: Vec<(Port, u32)>,
    /// Entries of storage that are to go.
    removed: Vec<Vec<u8>>,
    stored: usize,
    weight: EntryWeight,
}

/// Records of one side and time that are due together.
type Due = (Port, i64, Vec<u32>);

impl Waiting {
    pub(super) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            listed: [BTreeMap::new(), BTreeMap::new()],
            added: Vec::new(),
            removed: Vec::new(),
            stored: 0,
            weight: EntryWeight::default(),
        }
    }

    /// Reads what storage holds of the records of `buffers`; `slot_of` gives the slot of a key, used once more.
    pub(super) fn load(
        &mut self,
        buffers: &mut [Buffer; 2],
        mut slot_of: impl FnMut(&[u8]) -> u32,
    ) -> Result<(), StateError> {
        let store = self.store.clone();
        store.scan(|entries| {
            for (key, row) in entries {
                let (time, side, key_bytes, arrival) = split_entry_key(key)?;
                self.weight.note(key, row);
                self.stored += 1;
                let slot = slot_of(key_bytes);
                let record = match buffers[side].find(slot, time, arrival) {
                    Some(record) => record,
                    None => buffers[side].add_unmatched(time, slot, arrival, row)?,
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
        self.added.push((side, record));
    }

    fn list_only(&mut self, side: Port, time: i64, record: u32) {
        self.listed[side].entry(time).or_default().push(record);
    }

    /// Takes out all whose time plus `later` of their side is before `stream_time`: by time, then those of the secondary side
    /// first. Among them are records that have met a partner meanwhile.
    pub(super) fn take_due(&mut self, stream_time: i64, later: [i64; 2], primary: Port) -> Vec<Due> {
        let mut due = Vec::new();
        for side in [LEFT, RIGHT] {
            let is_due = |time: i64| time.saturating_add(later[side]) < stream_time;
            while let Some(first) = self.listed[side].first_entry().filter(|first| is_due(*first.key())) {
                let (time, records) = first.remove_entry();
                due.push((side, time, records));
            }
        }
        due.sort_by_key(|(side, time, _)| (*time, *side == primary));
        due
    }

    /// Lets storage forget `record`, whose key is `key`.
    pub(super) fn unstore(&mut self, side: Port, record: &Record, key: &[u8]) {
        self.removed.push(entry_key(side, record, key));
    }

    /// Adds what changed since the last commit to `writes`.
    pub(super) fn persist<'a>(
        &mut self,
        buffers: &mut [Buffer; 2],
        writes: &mut WriteSet,
        key_of: impl Fn(u32) -> &'a [u8],
    ) {
        for key in std::mem::take(&mut self.removed) {
            self.store.delete(writes, &key);
            self.stored -= 1;
        }
        let added = std::mem::take(&mut self.added);
        for side in [LEFT, RIGHT] {
            let of_side = added.iter().filter(|(other, _)| *other == side).map(|(_, record)| *record);
            let waiting: Vec<u32> = of_side.filter(|&record| buffers[side].record(record).is_unmatched).collect();
            let columns = buffers[side].gather(&waiting.iter().copied().map(Some).collect::<Vec<_>>());
            for (row, record) in waiting.into_iter().enumerate() {
                let record = buffers[side].record_mut(record);
                record.is_stored_unmatched = true;
                let key = entry_key(side, record, key_of(record.key));
                let mut value = Vec::new();
                encode_row(&columns, row, &mut value);
                self.weight.note(&key, &value);
                self.stored += 1;
                self.store.put(writes, &key, value);
            }
        }
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
