//! Entries of a store by stretches of time, so that what is over can go at once.
//!
//! The keys of entries begin with the number of their bucket, so a bucket is a range of keys.

use std::collections::BTreeMap;

use super::key_encoding::encode_i64;
use super::{StateError, Store};
use crate::storage::WriteSet;

/// Key of an entry that is no row: what else an operator keeps in its store. No encoded key begins like that.
pub const META_KEY: &[u8] = &[0xff];

/// Whether `key` is that of an entry that is no row.
pub fn is_meta(key: &[u8]) -> bool {
    key == META_KEY
}

/// What the keys of entries in the bucket `number` begin with whose keys begin with `key`.
pub fn bucket_prefix(number: i64, key: &[u8]) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(size_of::<i64>() + key.len());
    encode_i64(number, &mut prefix);
    prefix.extend_from_slice(key);
    prefix
}

/// How many entries each bucket has.
#[derive(Debug, Clone)]
pub struct Buckets {
    width_ms: i64,
    entries: BTreeMap<i64, u64>,
}

/// Buckets that a retention is divided into.
const BUCKETS: i64 = 64;

impl Buckets {
    /// Buckets for entries that are kept for `retention_ms`, whose times are multiples of `step_ms`.
    pub fn new(retention_ms: i64, step_ms: i64) -> Self {
        Self { width_ms: (retention_ms / BUCKETS).max(step_ms).max(1), entries: BTreeMap::new() }
    }

    /// One bucket, for entries that are kept for ever.
    pub fn single() -> Self {
        Self { width_ms: i64::MAX, entries: BTreeMap::new() }
    }

    /// Milliseconds of a bucket.
    pub fn width_ms(&self) -> i64 {
        self.width_ms
    }

    /// The bucket of an entry of `time`.
    pub fn number(&self, time: i64) -> i64 {
        time.div_euclid(self.width_ms)
    }

    /// The first time of the bucket `number`.
    pub fn start_of(&self, number: i64) -> i64 {
        number.saturating_mul(self.width_ms)
    }

    /// An entry of `time` is written that was not there.
    pub fn add(&mut self, time: i64) {
        *self.entries.entry(self.number(time)).or_default() += 1;
    }

    /// An entry of `time` is removed.
    pub fn remove(&mut self, time: i64) {
        if let Some(entries) = self.entries.get_mut(&self.number(time)) {
            *entries = entries.saturating_sub(1);
        }
    }

    /// Forgets the buckets of which all times are before `time`. Gives the number of the first bucket left, if any was forgotten.
    pub fn forget_before(&mut self, time: i64) -> Option<i64> {
        let first_left = self.number(time);
        let left = self.entries.split_off(&first_left);
        let forgotten = std::mem::replace(&mut self.entries, left);
        (!forgotten.is_empty()).then_some(first_left)
    }

    /// The numbers of all buckets, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = i64> {
        self.entries.keys().copied()
    }

    /// Entries in all buckets.
    pub fn total(&self) -> u64 {
        self.entries.values().sum()
    }

    /// Entries in the bucket `number`.
    pub fn entries(&self, number: i64) -> u64 {
        self.entries.get(&number).copied().unwrap_or_default()
    }

    /// Writes `stream_time` and the counts to the entry of `store` that is no row: `stream_time i64, (number i64, entries u64)*`,
    /// little endian.
    pub fn persist(&self, stream_time: i64, store: &Store, writes: &mut WriteSet) {
        let mut value = stream_time.to_le_bytes().to_vec();
        self.encode(&mut value);
        store.put(writes, META_KEY, value);
    }

    /// Takes the counts that [`Buckets::persist`] has written, and gives the stream time, if it ever has.
    pub fn load(&mut self, store: &Store) -> Result<Option<i64>, StateError> {
        let Some(value) = store.get(META_KEY)? else { return Ok(None) };
        let corrupt = || StateError::Corrupt("a stream time is cut off".to_owned());
        let (stream_time, counts) = value.split_first_chunk::<8>().ok_or_else(corrupt)?;
        self.decode(counts)?;
        Ok(Some(i64::from_le_bytes(*stream_time)))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        for (number, entries) in &self.entries {
            out.extend_from_slice(&number.to_le_bytes());
            out.extend_from_slice(&entries.to_le_bytes());
        }
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (chunks, rest) = bytes.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(StateError::Corrupt("counts of entries are cut off".to_owned()));
        }
        for chunk in chunks {
            let number: [u8; 8] = std::array::from_fn(|i| chunk[i]);
            let entries: [u8; 8] = std::array::from_fn(|i| chunk[i + 8]);
            self.entries.insert(i64::from_le_bytes(number), u64::from_le_bytes(entries));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_goes_when_all_its_times_are_over() {
        let mut buckets = Buckets::new(640, 1);
        [0, 9, 10, 25, 25].into_iter().for_each(|time| buckets.add(time));
        assert_eq!(buckets.numbers().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(buckets.forget_before(9), None, "9 itself is left");
        assert_eq!(buckets.forget_before(25), Some(2));
        assert_eq!((buckets.total(), buckets.numbers().collect::<Vec<_>>()), (2, vec![2]));
    }

    #[test]
    fn counts_are_read_back() {
        let mut buckets = Buckets::new(6_400, 500);
        [-700, 0, 499, 500].into_iter().for_each(|time| buckets.add(time));
        let mut bytes = Vec::new();
        buckets.encode(&mut bytes);
        let mut read = Buckets::new(6_400, 500);
        read.decode(&bytes).expect("whole counts");
        assert_eq!((read.total(), read.numbers().collect::<Vec<_>>()), (4, vec![-2, 0, 1]));
        assert!(read.decode(&bytes[1..]).is_err());
    }
}
