//! Which records of a compacted partition a newer one replaces.
//!
//! A pass reads the part that no pass has seen yet, notes the newest offset of every key there, and then drops every
//! older record with one of these keys from the whole partition. A record without a value (a tombstone) is itself
//! dropped once readers had a day to see it. Offsets never change. Records without a key replace nothing and stay,
//! and so does the last record of the partition, so that a reader can always reach the end.

use std::hash::{BuildHasher, Hasher};

use arrow::array::{Array, AsArray, BinaryArray, BooleanArray};
use arrow::compute::filter;
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::ChunkSummary;
use crate::storage::StorageError;
use crate::types::RecordChunk;

/// How long a tombstone stays after the pass that first saw it (`delete.retention.ms`).
pub(super) const TOMBSTONE_RETENTION_MS: i64 = 24 * 60 * 60 * 1000;

/// A pass ends early rather than remember more keys than this, 25 bytes each: the table is then just short of doubling its 2^20
/// places, with room for those of one more chunk.
const KEYS_MAX: usize = 800_000;

/// Whether a pass over `chunks`, of which those up to offset `cleaned_to` (exclusive) had one, is worth its work: at
/// least half of the bytes are new, or tombstones have served their time.
pub(super) fn is_due(chunks: &[ChunkSummary], cleaned_to: i64, now_ms: i64) -> bool {
    let (clean, dirty): (Vec<&ChunkSummary>, Vec<_>) = chunks.iter().partition(|chunk| chunk.offset_last < cleaned_to);
    let bytes = |chunks: &[&ChunkSummary]| chunks.iter().map(|chunk| chunk.bytes).sum::<u64>();
    let half_is_new = !dirty.is_empty() && bytes(&dirty) >= bytes(&clean);
    // The last chunk may hold a tombstone that stays for being the last record.
    let over = |chunk: &&ChunkSummary| chunk.tombstones > 0 && tombstones_are_over(chunk, now_ms);
    half_is_new || chunks.split_last().is_some_and(|(_, before)| before.iter().any(|chunk| over(&chunk)))
}

/// Whether tombstones of `chunk` have been readable for long enough.
pub(super) fn tombstones_are_over(chunk: &ChunkSummary, now_ms: i64) -> bool {
    chunk.cleaned_at_ms >= 0 && now_ms.saturating_sub(chunk.cleaned_at_ms) >= TOMBSTONE_RETENTION_MS
}

/// 128 bits that stand for a key, as MD5 does in Kafka: that two keys of a pass share them is out of the question.
type Fingerprint = (u64, u64);

/// The newest offset of each key in the part that a pass reads.
#[derive(Debug, Default)]
pub(super) struct NewestOffsets {
    by_key: HashTable<(Fingerprint, i64)>,
    hashers: [RandomState; 2],
}

impl NewestOffsets {
    /// Notes the records of `chunk`, which follows all noted before.
    pub(super) fn note(&mut self, chunk: &RecordChunk) {
        for (key, &offset) in chunk.keys.iter().zip(chunk.offsets.iter()) {
            let Some(key) = key else { continue };
            let key = self.fingerprint(key);
            let entry = self.by_key.entry(key.0, |(known, _)| *known == key, |(known, _)| known.0);
            entry.and_modify(|(_, newest)| *newest = offset).or_insert((key, offset));
        }
    }

    fn fingerprint(&self, key: &[u8]) -> Fingerprint {
        let [first, second] = &self.hashers;
        let hash = |hasher: &RandomState| {
            let mut hasher = hasher.build_hasher();
            hasher.write(key);
            hasher.finish()
        };
        (hash(first), hash(second))
    }

    fn get(&self, key: &[u8]) -> Option<i64> {
        let key = self.fingerprint(key);
        self.by_key.find(key.0, |(known, _)| *known == key).map(|(_, newest)| *newest)
    }

    /// Whether the pass should end here.
    pub(super) fn is_full(&self) -> bool {
        self.by_key.len() >= KEYS_MAX
    }

    /// The records of `chunk` that stay; `None` when all do. The record at `offset_always` stays in any case.
    pub(super) fn survivors(
        &self,
        chunk: &RecordChunk,
        drop_tombstones: bool,
        offset_always: i64,
    ) -> Result<Option<RecordChunk>, StorageError> {
        let stays = |row: usize| {
            let offset = chunk.offsets[row];
            if offset == offset_always || chunk.keys.is_null(row) {
                return true;
            }
            let newest = self.get(chunk.keys.value(row)).is_none_or(|newest| newest <= offset);
            newest && !(drop_tombstones && chunk.values.is_null(row))
        };
        let mask: BooleanArray = (0..chunk.len()).map(|row| Some(stays(row))).collect();
        if mask.true_count() == chunk.len() { Ok(None) } else { select(chunk, &mask).map(Some) }
    }
}

fn select(chunk: &RecordChunk, mask: &BooleanArray) -> Result<RecordChunk, StorageError> {
    let column = |array: &BinaryArray| -> Result<BinaryArray, StorageError> {
        let kept = filter(array, mask).map_err(|error| StorageError::Io(format!("a chunk cannot shrink: {error}")))?;
        Ok(kept.as_binary::<i32>().clone())
    };
    let rows: Vec<usize> = mask.values().set_indices().collect();
    Ok(RecordChunk {
        keys: column(&chunk.keys)?,
        values: column(&chunk.values)?,
        timestamps: rows.iter().map(|&row| chunk.timestamps[row]).collect(),
        offsets: rows.iter().map(|&row| chunk.offsets[row]).collect(),
        headers: chunk.headers.as_ref().map(|all| rows.iter().map(|&row| all[row].clone()).collect()),
    })
}
