//! The records of one side of a join of streams, by key and time.
//!
//! Rows stay the Arrow arrays in which they came ([`RowTable`]); a record is a slot of that table. Each key has its records
//! in the order of time and, at equal times, of arrival. A record is visible while `time ≥ S - retention + 1`, `S` being
//! the greatest time that was kept on this side; those beyond are removed bucket by bucket.
//!
//! Records from [`Buffer::floor`] on are all in memory. Older ones may be in storage only: partners have close times, so it
//! takes a late record to ask for them, and then they are read.
//!
//! State: `bucket i64 ‖ key ‖ time i64 ‖ arrival u64 → row(key columns, window, value columns)`.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::super::memory::keys_within;
use super::key_uses::KeyUses;
use super::times::Times;
use crate::state::key_encoding::{decode_i64, encode_i64};
use crate::state::row_format::{RowEncoder, decode_rows};
use crate::state::{Buckets, EntryWeight, RowRef, RowTable, StateError, Store, StoreSize, bucket_prefix, is_meta};
use crate::storage::{Entry, WriteSet};

/// A record that is kept, or was in this step.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "who can find it and whether it waits are apart from each other")]
pub(super) struct Record {
    pub(super) time: i64,
    /// Slot of its key.
    pub(super) key: u32,
    /// Number among all that ever came on this side.
    pub(super) arrival: u64,
    /// The slot is taken.
    is_known: bool,
    /// Others can find it.
    is_kept: bool,
    /// Storage has no such entry yet.
    is_dirty: bool,
    /// It is among those that wait for a partner, or did when it was last looked at.
    pub(super) is_listed: bool,
    /// It has met no partner yet, and will come out without one.
    pub(super) is_unmatched: bool,
    /// Storage has it among those that wait.
    pub(super) is_stored_unmatched: bool,
}

/// The records of one side.
pub(super) struct Buffer {
    store: Store,
    retention_ms: i64,
    types: Vec<DataType>,
    rows: RowTable,
    records: Vec<Record>,
    free: Vec<u32>,
    /// Times and records of each key.
    by_key: Vec<Times>,
    /// How many records others can find, in memory or in storage only.
    buckets: Buckets,
    /// Those of them that are in memory, by bucket.
    in_memory: BTreeMap<i64, Vec<u32>>,
    /// All records of this time or a later one are in memory.
    floor: i64,
    /// Greatest time that was kept.
    pub(super) newest: i64,
    arrivals: u64,
    /// Records kept since the last commit; some have expired already, and others have taken their place.
    dirty: Vec<u32>,
    /// No earlier bucket has entries in storage.
    stored_from: i64,
    weight: EntryWeight,
}

impl Buffer {
    /// An empty buffer over `store` with rows of `types`.
    pub(super) fn new(store: &Store, types: Vec<DataType>, retention_ms: i64) -> Self {
        Self {
            store: store.clone(),
            retention_ms,
            rows: RowTable::new(&types),
            types,
            records: Vec::new(),
            free: Vec::new(),
            by_key: Vec::new(),
            buckets: Buckets::new(retention_ms, 1),
            in_memory: BTreeMap::new(),
            floor: i64::MIN,
            newest: i64::MIN,
            arrivals: 0,
            dirty: Vec::new(),
            stored_from: i64::MAX,
            weight: EntryWeight::default(),
        }
    }

    /// Reads what storage holds, and keeps the newest in memory; `keys` gives slots to keys.
    pub(super) fn load(&mut self, keys: &mut KeyUses) -> Result<(), StateError> {
        let store = self.store.clone();
        store.scan(|entries| {
            let entries: Vec<&Entry> = entries.iter().filter(|(key, _)| !is_meta(key)).collect();
            for (key, _) in &entries {
                let time = split_entry_key(key)?.1;
                self.buckets.add(time);
                self.stored_from = self.stored_from.min(self.buckets.number(time));
            }
            self.take_entries(&entries, keys)?;
            self.rows.compact();
            if self.memory_bytes() > store.preloaded_bytes_max().saturating_mul(2) {
                self.shrink(store.preloaded_bytes_max(), keys);
            }
            Ok(())
        })
    }

    /// Takes records as storage has them.
    fn take_entries(&mut self, entries: &[&Entry], keys: &mut KeyUses) -> Result<(), StateError> {
        let columns = decode_rows(&self.types, entries.iter().map(|(_, value)| value.as_slice()))?;
        let mut added = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let (key_bytes, time, arrival) = split_entry_key(key)?;
            self.weight.note(key, value);
            let record = self.add(Record { time, arrival, key: keys.add(key_bytes), ..Record::default() });
            self.arrivals = self.arrivals.max(arrival + 1);
            self.index(record);
            added.push(record);
        }
        self.rows.put(columns, added);
        Ok(())
    }

    /// Reads the records of the key in slot `key` with times from `from` to `to` that are in storage only.
    pub(super) fn warm(&mut self, key: u32, from: i64, to: i64, keys: &mut KeyUses) -> Result<(), StateError> {
        let (from, to) = (from.max(self.oldest_visible()), to.min(self.floor.saturating_sub(1)));
        let mut found: Vec<Entry> = Vec::new();
        if from <= to {
            let numbers = self.buckets.number(from)..=self.buckets.number(to);
            for number in numbers.filter(|number| self.has_cold(*number)) {
                let bound = |time: i64| {
                    let mut bound = bucket_prefix(number, keys.key(key));
                    encode_i64(time, &mut bound);
                    bound
                };
                self.store.scan_range(&bound(from), &bound(to.saturating_add(1)), |entries| {
                    found.extend(entries);
                    Ok(true)
                })?;
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let mut cold = Vec::new();
        for entry in &found {
            let (_, time, arrival) = split_entry_key(&entry.0)?;
            if self.find(key, time, arrival).is_none() {
                cold.push(entry);
            }
        }
        self.take_entries(&cold, keys)
    }

    /// Lets go of the oldest records, but for those that wait for a partner, until about `bytes` of memory are left. Storage has
    /// all of them.
    pub(super) fn shrink(&mut self, bytes: usize, keys: &mut KeyUses) {
        let mut times: Vec<i64> =
            self.in_memory.values().flatten().map(|&record| self.records[record as usize].time).collect();
        let keep = keys_within(bytes, times.len(), self.memory_bytes());
        let surplus = times.len() - keep;
        if surplus == 0 {
            return;
        }
        let floor = match times.get(surplus) {
            Some(_) => *times.select_nth_unstable(surplus).1,
            None => self.newest.saturating_add(1),
        };
        self.floor = self.floor.max(floor);
        let (mut in_memory, last) = (std::mem::take(&mut self.in_memory), self.buckets.number(self.floor));
        for (_, records) in in_memory.range_mut(..=last) {
            records.retain(|&record| {
                let Record { time, is_listed, .. } = self.records[record as usize];
                let stays = time >= self.floor || is_listed;
                if !stays {
                    self.let_go(record, keys);
                }
                stays
            });
        }
        self.in_memory = in_memory;
        self.rows.compact();
    }

    /// Takes `record` out of memory.
    fn let_go(&mut self, record: u32, keys: &mut KeyUses) {
        let Record { time, key, .. } = self.records[record as usize];
        self.by_key[key as usize].remove((time, record));
        self.records[record as usize].is_kept = false;
        if self.forget_unless_needed(record) {
            keys.remove(key);
        }
    }

    fn add(&mut self, record: Record) -> u32 {
        let record = Record { is_known: true, ..record };
        if let Some(free) = self.free.pop() {
            self.records[free as usize] = record;
            return free;
        }
        self.records.push(record);
        (self.records.len() - 1) as u32
    }

    /// Takes the rows of a step, of which others cannot find any yet; `None` where the key is null. Returns their records.
    pub(super) fn add_rows(&mut self, columns: Vec<ArrayRef>, times: &[i64], keys: &[Option<u32>]) -> Vec<u32> {
        let rows = times.iter().zip(keys).zip(self.arrivals..);
        let records: Vec<u32> = rows
            .map(|((&time, key), arrival)| {
                self.add(Record { time, arrival, key: key.unwrap_or(u32::MAX), ..Record::default() })
            })
            .collect();
        self.arrivals += records.len() as u64;
        self.rows.put(columns, records.clone());
        records
    }

    /// A record that waits for a partner and is not in memory, as storage has it.
    pub(super) fn add_unmatched(&mut self, time: i64, key: u32, arrival: u64, row: &[u8]) -> Result<u32, StateError> {
        let columns = decode_rows(&self.types, [row])?;
        self.arrivals = self.arrivals.max(arrival + 1);
        let record = self.add(Record { time, key, arrival, ..Record::default() });
        self.rows.put(columns, vec![record]);
        if self.has_cold(self.buckets.number(time)) {
            // Others can find it, so they must find this one.
            self.index(record);
        }
        self.rows.compact();
        Ok(record)
    }

    /// The kept record with the key in slot `key`, of `time` and `arrival`.
    pub(super) fn find(&self, key: u32, time: i64, arrival: u64) -> Option<u32> {
        let records = self.by_key.get(key as usize)?;
        let of_time = records.since(time).take_while(|(other, _)| *other == time);
        of_time.map(|(_, record)| record).find(|&record| self.records[record as usize].arrival == arrival)
    }

    pub(super) fn record(&self, record: u32) -> &Record {
        &self.records[record as usize]
    }

    pub(super) fn record_mut(&mut self, record: u32) -> &mut Record {
        &mut self.records[record as usize]
    }

    /// The visible records with the key in slot `key` and times from `from` to `to`, both inclusive, in the order of time and
    /// arrival.
    pub(super) fn between(&self, key: u32, from: i64, to: i64) -> impl Iterator<Item = u32> {
        let from = from.max(self.oldest_visible());
        let records = self.by_key.get(key as usize).filter(|_| from <= to);
        let up_to = move |(time, _): &(i64, u32)| *time <= to;
        records.into_iter().flat_map(move |records| records.since(from).take_while(up_to).map(|(_, record)| record))
    }

    fn oldest_visible(&self) -> i64 {
        self.newest.saturating_sub(self.retention_ms).saturating_add(1)
    }

    /// Lets others find `record`, unless it is too old already.
    pub(super) fn keep(&mut self, record: u32) {
        let time = self.records[record as usize].time;
        self.newest = self.newest.max(time);
        if time >= self.oldest_visible() {
            self.index(record);
            self.buckets.add(time);
            self.records[record as usize].is_dirty = true;
            self.dirty.push(record);
        }
    }

    fn index(&mut self, record: u32) {
        let Record { time, key, arrival, .. } = self.records[record as usize];
        self.records[record as usize].is_kept = true;
        if self.by_key.len() <= key as usize {
            self.by_key.resize_with(key as usize + 1, Times::default);
        }
        let (all, records) = (&self.records, &mut self.by_key[key as usize]);
        // What comes back from storage may have come before what is here.
        let is_before = |(other_time, other): &(i64, u32)| {
            *other_time < time || (*other_time == time && all[*other as usize].arrival < arrival)
        };
        records.insert((time, record), is_before);
        self.in_memory.entry(self.buckets.number(time)).or_default().push(record);
    }

    /// Whether records of the bucket `number` are in storage only.
    fn has_cold(&self, number: i64) -> bool {
        self.buckets.entries(number) > self.in_memory.get(&number).map_or(0, Vec::len) as u64
    }

    /// Forgets `record` if it is neither kept nor listed; returns whether it is forgotten now.
    pub(super) fn forget_unless_needed(&mut self, record: u32) -> bool {
        let Record { is_known, is_kept, is_listed, .. } = self.records[record as usize];
        let forgotten = is_known && !is_kept && !is_listed;
        if forgotten {
            self.records[record as usize].is_known = false;
            self.rows.set(record, RowRef::ABSENT);
            self.free.push(record);
        }
        forgotten
    }

    /// The columns of `records`; nulls where there is none.
    pub(super) fn gather(&self, records: &[Option<u32>]) -> Vec<ArrayRef> {
        let rows: Vec<RowRef> =
            records.iter().map(|record| record.map_or(RowRef::ABSENT, |record| self.rows.get(record))).collect();
        self.rows.gather(&rows)
    }

    /// Merges memory where that pays.
    pub(super) fn compact(&mut self) {
        self.rows.compact();
    }

    /// Forgets the buckets of which nothing is visible any more.
    pub(super) fn expire(&mut self, keys: &mut KeyUses) {
        let Some(first_left) = self.buckets.forget_before(self.oldest_visible()) else { return };
        let kept_from = self.buckets.start_of(first_left);
        let left = self.in_memory.split_off(&first_left);
        for record in std::mem::replace(&mut self.in_memory, left).into_values().flatten() {
            let Record { key, .. } = self.records[record as usize];
            // Within a key, what is older is in no later bucket, so it goes in this turn too.
            self.by_key[key as usize].remove_before(kept_from);
            self.records[record as usize].is_kept = false;
            if self.forget_unless_needed(record) {
                keys.remove(key);
            }
        }
    }

    /// Adds what was kept since the last commit, and is still, to `writes`, and has storage forget what has expired.
    pub(super) fn persist(&mut self, writes: &mut WriteSet, keys: &KeyUses) {
        let first_left = self.buckets.number(self.oldest_visible());
        if self.stored_from < first_left {
            self.store.delete_before(writes, &bucket_prefix(first_left, &[]));
            self.stored_from = first_left;
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.retain(|&record| {
            let Record { is_kept, is_dirty, .. } = &mut self.records[record as usize];
            std::mem::take(is_dirty) && *is_kept
        });
        let columns = self.gather(&dirty.iter().copied().map(Some).collect::<Vec<_>>());
        let (mut encoder, mut entry_key) = (RowEncoder::default(), Vec::new());
        for (row, record) in dirty.into_iter().enumerate() {
            let Record { time, key, arrival, .. } = self.records[record as usize];
            let number = self.buckets.number(time);
            self.stored_from = self.stored_from.min(number);
            entry_key.clear();
            encode_i64(number, &mut entry_key);
            entry_key.extend_from_slice(keys.key(key));
            encode_i64(time, &mut entry_key);
            entry_key.extend_from_slice(&arrival.to_be_bytes());
            let value = encoder.encode(&[], &columns, row);
            self.weight.note(&entry_key, &value);
            self.store.put(writes, &entry_key, value);
        }
    }

    /// How many entries have changed since the last commit.
    pub(super) fn changed_entries(&self) -> usize {
        self.dirty.len()
    }

    /// Memory that the records take, about.
    pub(super) fn memory_bytes(&self) -> usize {
        let known = self.records.len() - self.free.len();
        let records = known * (size_of::<Record>() + 2 * size_of::<u32>());
        let times = known * size_of::<(i64, u32)>();
        self.rows.memory_bytes() + records + times + self.by_key.len() * size_of::<Times>()
    }

    pub(super) fn size(&self) -> StoreSize {
        self.store.size(self.buckets.total() as usize, self.weight)
    }
}

/// Key, time and arrival in the key of an entry.
fn split_entry_key(key: &[u8]) -> Result<(&[u8], i64, u64), StateError> {
    let corrupt = || StateError::Corrupt("a key of a join's record is too short".to_owned());
    let (rest, arrival) = key.split_last_chunk::<8>().ok_or_else(corrupt)?;
    let (rest, time) = rest.split_last_chunk::<8>().ok_or_else(corrupt)?;
    let (_, key) = rest.split_first_chunk::<8>().ok_or_else(corrupt)?;
    Ok((key, decode_i64(*time), u64::from_be_bytes(*arrival)))
}
