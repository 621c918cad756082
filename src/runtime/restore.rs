//! State brought back from changelogs, a portion at a time, so that a worker's other tasks go on meanwhile.
//!
//! A task that is to run is complete when it has everything that was in its changelogs when it was placed here; a standby never is,
//! and follows them. The local store never holds more than what is committed: changelogs are read committed.

use std::sync::Arc;

use super::metrics::RestoreFigures;
use super::{RuntimeError, changelog};
use crate::state::{Store, StoreId};
use crate::storage::{Family, WriteSet};
use crate::topics::{TopicError, TopicPartition, Topics};
use crate::types::RecordChunk;

/// Records applied with one write.
const PORTION_ROWS: usize = 16_384;
const PORTION_BYTES: usize = 8 << 20;
/// Less than this is applied with an ordinary write: what a standby follows comes in drops.
const LOAD_BYTES_MIN: usize = 256 << 10;
/// Loaded bytes that are applied again, at most, after a kill.
const LOADED_BYTES_MAX: usize = 64 << 20;

/// The stores of one task on their way.
pub(super) struct Restore {
    stores: Vec<StoreRestore>,
}

struct StoreRestore {
    id: StoreId,
    from: TopicPartition,
    /// Offset at which it began.
    start: i64,
    /// Offset of the next record to apply.
    offset: i64,
    /// Where it is complete; `None`: never.
    end: Option<i64>,
    /// Records applied.
    records: u64,
    /// Bytes that were loaded and would be lost with the process.
    loaded: usize,
}

impl StoreRestore {
    /// Another server keeps the state, and writes a changelog anew that was lost: the copy here follows from its beginning.
    fn start_over(&mut self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let mut writes = WriteSet::default();
        Store::delete_all(&mut writes, &self.id);
        topics.forget_restored(&self.from, &mut writes);
        topics.storage().write(&writes).map_err(TopicError::from)?;
        self.offset = topics.start_offset(&self.from)?;
        (self.start, self.records, self.loaded) = (self.offset, 0, 0);
        Ok(())
    }

    fn apply(&mut self, records: &RecordChunk, topics: &dyn Topics) -> Result<(), RuntimeError> {
        let Some(last) = records.offsets.last() else { return Ok(()) };
        self.offset = last + 1;
        self.records += records.len() as u64;
        let bytes = records.byte_size();
        if self.loaded == 0 && bytes < LOAD_BYTES_MIN {
            let mut writes = WriteSet::default();
            changelog::apply(&self.id, records, &mut writes);
            topics.note_restored(&self.from, self.offset, &mut writes);
            return Ok(topics.storage().write(&writes).map_err(TopicError::from)?);
        }
        self.loaded += bytes;
        let storage = topics.storage();
        Ok(storage.load(Family::State, &self.id.prefix(), &records.keys, &records.values).map_err(TopicError::from)?)
    }

    /// Makes durable what was loaded, and then the note of it: the other way round a kill could leave a note of what is lost.
    fn keep(&mut self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        if self.loaded == 0 {
            return Ok(());
        }
        let storage = topics.storage();
        storage.keep_loaded(Family::State).map_err(TopicError::from)?;
        let mut writes = WriteSet::default();
        topics.note_restored(&self.from, self.offset, &mut writes);
        storage.write(&writes).map_err(TopicError::from)?;
        self.loaded = 0;
        Ok(())
    }
}

impl Restore {
    /// Takes up each of `stores` where the local store stands.
    pub(super) fn begin(stores: Vec<(StoreId, TopicPartition)>, topics: &dyn Topics) -> Result<Self, RuntimeError> {
        let begun = stores.into_iter().map(|(id, from)| {
            let known = topics.restored_to(&from)?;
            let start = topics.start_offset(&from)?;
            let start = known.unwrap_or(start).max(start);
            Ok(StoreRestore { id, from, start, offset: start, end: None, records: 0, loaded: 0 })
        });
        Ok(Self { stores: begun.collect::<Result<_, RuntimeError>>()? })
    }

    /// Sets the ends of the changelogs as they are now as where it is complete. Whoever wrote them before must have ended. A
    /// changelog that ends before what the local store has of it was deleted or has lost records: it is written anew, if the
    /// local store has all that the groups of `inputs` have committed of them.
    pub(super) fn aim(
        &mut self,
        inputs: &[(Arc<str>, TopicPartition)],
        topics: &dyn Topics,
    ) -> Result<(), RuntimeError> {
        for store in &mut self.stores {
            let mut end = topics.end_offset(&store.from)?;
            if store.offset > end {
                end = changelog::rewrite(&store.id, &store.from, inputs, topics)?;
                store.offset = end;
            }
            store.end = Some(end);
            (store.start, store.records) = (store.offset, 0);
        }
        Ok(())
    }

    /// Applies at most one portion for each store; returns whether there was any.
    pub(super) fn step(&mut self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        let mut progressed = false;
        for store in &mut self.stores {
            let records = match topics.fetch(&store.from, store.offset, PORTION_ROWS, PORTION_BYTES) {
                Err(TopicError::Truncated { .. }) if store.end.is_none() => {
                    store.start_over(topics)?;
                    continue;
                }
                fetched => fetched?,
            };
            progressed |= !records.is_empty();
            store.apply(&records, topics)?;
            let follows = store.end.is_none() && records.is_empty();
            if follows || store.loaded > LOADED_BYTES_MAX {
                store.keep(topics)?;
            }
        }
        Ok(progressed)
    }

    /// Whether all stores have what was there at [`Restore::aim`].
    pub(super) fn is_complete(&self, topics: &dyn Topics) -> Result<bool, RuntimeError> {
        for store in &self.stores {
            let Some(end) = store.end else { return Ok(false) };
            if store.offset < end && !topics.has_reached(&store.from, store.offset, end)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes durable what was applied, before anything is written on top of it.
    pub(super) fn finish(&mut self, topics: &dyn Topics) -> Result<(), RuntimeError> {
        self.stores.iter_mut().try_for_each(|store| store.keep(topics))
    }

    /// Records applied since [`Restore::aim`].
    pub(super) fn restored(&self) -> u64 {
        self.stores.iter().map(|store| store.records).sum()
    }

    /// Records to apply at most, as offsets tell; compaction and the marks of transactions leave fewer.
    pub(super) fn to_restore(&self) -> u64 {
        self.stores.iter().map(|store| (store.end.unwrap_or(store.offset) - store.start).max(0) as u64).sum()
    }

    /// How far each store is; all the way once they are `complete`: the marks of transactions are no records.
    pub(super) fn figures(&self, complete: bool) -> Vec<RestoreFigures> {
        let figures = self.stores.iter().map(|store| RestoreFigures {
            store: store.id.name.clone(),
            start: store.start,
            position: store.end.filter(|_| complete).unwrap_or(store.offset),
            end: store.end,
            records: store.records,
        });
        figures.collect()
    }
}
