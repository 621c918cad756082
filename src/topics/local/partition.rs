//! One partition: its bounds, and reading from it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::layout::{self, Bounds, PartitionId};
use crate::storage::{Family, KeyValue, RocksStorage, StorageError};
use crate::topics::chunk_encoding::decode;
use crate::topics::gather::Gather;
use crate::topics::{ChunkSummary, TopicError};
use crate::types::RecordChunk;

/// Marks bounds that were not read yet.
const UNKNOWN: i64 = -1;

/// A partition and what is known of it. Bounds are read at first use, so that opening does not pay for topics that
/// nobody touches.
pub(super) struct Partition {
    pub(super) id: PartitionId,
    start: AtomicI64,
    end: AtomicI64,
    cleaned_to: AtomicI64,
    loading: Mutex<()>,
    /// The chunk that the limits of the last fetch cut, with its last offset: the next fetch goes on within it.
    cut: Mutex<Option<(RecordChunk, i64)>>,
}

impl Partition {
    pub(super) fn new(topic: u32, partition: u32) -> Self {
        Self {
            id: PartitionId { topic, partition },
            start: AtomicI64::new(UNKNOWN),
            end: AtomicI64::new(UNKNOWN),
            cleaned_to: AtomicI64::new(UNKNOWN),
            loading: Mutex::default(),
            cut: Mutex::default(),
        }
    }

    /// Reads the bounds unless they are known.
    pub(super) fn load(&self, storage: &RocksStorage) -> Result<(), StorageError> {
        if self.end() != UNKNOWN {
            return Ok(());
        }
        let _once = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if self.end() != UNKNOWN {
            return Ok(());
        }
        let noted = storage.get(Family::Meta, &self.id.bounds())?;
        let noted = noted.map_or(Ok(Bounds::default()), |value| layout::decode_bounds(&value))?;
        let (from, to) = self.id.summaries();
        let last = storage.last(Family::Records, &from, &to)?;
        let last = last.map_or(Ok(-1), |(key, _)| layout::offset_of(&key))?;
        self.start.store(noted.start, Ordering::Release);
        self.cleaned_to.store(noted.cleaned_to, Ordering::Release);
        self.end.store(noted.end.max(last + 1), Ordering::Release);
        Ok(())
    }

    pub(super) fn start(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) -> i64 {
        self.end.load(Ordering::Acquire)
    }

    pub(super) fn cleaned_to(&self) -> i64 {
        self.cleaned_to.load(Ordering::Acquire)
    }

    /// To be called under the append lock, once the records before `end` are written.
    pub(super) fn set_end(&self, end: i64) {
        self.end.store(end, Ordering::Release);
    }

    /// To be called once `bounds` are written.
    pub(super) fn set_bounds(&self, bounds: Bounds) {
        self.start.store(bounds.start, Ordering::Release);
        self.cleaned_to.store(bounds.cleaned_to, Ordering::Release);
    }

    /// Fills `gather` from where it wants to begin.
    pub(super) fn gather(&self, storage: &RocksStorage, gather: &mut Gather) -> Result<(), TopicError> {
        if let Some((chunk, offset_last)) = self.take_cut(gather.offset_next()) {
            gather.push(chunk, offset_last);
        }
        if gather.wants_more() {
            let (from, to) = self.id.chunks_from(gather.offset_next());
            storage.visit(Family::Records, &from, &to, |key, value| {
                let offset_last = layout::offset_of(key)?;
                gather.push(decode(value.to_vec(), offset_last)?, offset_last);
                Ok::<_, StorageError>(gather.wants_more())
            })?;
        }
        *self.cut() = gather.take_cut();
        Ok(())
    }

    /// Offset of the first kept record whose time is at least `timestamp_ms`, or the end.
    pub(super) fn offset_for_time(&self, storage: &RocksStorage, timestamp_ms: i64) -> Result<i64, TopicError> {
        let (start, end) = (self.start(), self.end());
        let (from, to) = self.id.summaries();
        let mut offset = end;
        storage.visit(Family::Records, &from, &to, |key, value| {
            if layout::decode_summary(key, value)?.timestamp_max < timestamp_ms {
                return Ok(true);
            }
            let Some(chunk) = self.chunk(storage, layout::offset_of(key)?)? else { return Ok(true) };
            let late_enough = |row: &usize| chunk.offsets[*row] >= start && chunk.timestamps[*row] >= timestamp_ms;
            let Some(row) = (0..chunk.len()).find(late_enough) else { return Ok(true) };
            offset = chunk.offsets[row];
            Ok::<_, StorageError>(false)
        })?;
        Ok(offset)
    }

    /// Summaries of all chunks in order.
    pub(super) fn summaries(&self, storage: &RocksStorage) -> Result<Vec<ChunkSummary>, StorageError> {
        let (from, to) = self.id.summaries();
        let mut summaries = Vec::new();
        storage.visit(Family::Records, &from, &to, |key, value| {
            summaries.push(layout::decode_summary(key, value)?);
            Ok::<_, StorageError>(true)
        })?;
        Ok(summaries)
    }

    /// The chunk stored under `offset_last`, if it is still there.
    pub(super) fn chunk(&self, storage: &RocksStorage, offset_last: i64) -> Result<Option<RecordChunk>, StorageError> {
        let bytes = storage.get(Family::Records, &self.id.chunk(offset_last))?;
        bytes.map(|bytes| decode(bytes, offset_last)).transpose()
    }

    fn take_cut(&self, offset: i64) -> Option<(RecordChunk, i64)> {
        let covers = |(chunk, offset_last): &mut (RecordChunk, i64)| {
            chunk.offsets.first().is_some_and(|&first| first <= offset) && offset <= *offset_last
        };
        self.cut().take_if(covers)
    }

    fn cut(&self) -> MutexGuard<'_, Option<(RecordChunk, i64)>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
