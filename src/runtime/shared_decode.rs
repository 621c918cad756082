//! Queries that read the same topic partition in the same way share its decode.
//!
//! ```text
//! Input of query 1 ─┐                       ┌─ decoded by someone, the same bytes: its columns, those not needed masked
//! Input of query 2 ─┼─▶ Group (partition, ──┤
//! Input of query n ─┘    way of reading)    └─ the next bytes of the partition: decoded once, with all columns that any of them needs
//!                                              other bytes (a query that catches up): decoded alone
//! ```
//!
//! Whether bytes are the same is decided by where they lie: readers at the head of a partition get slices of one fetched chunk, and
//! a group keeps the chunks that it has decoded. So what a query sees is what decoding alone would give it, whoever decoded. A
//! group is of one worker, as the chunks are: its tasks take a chunk each in turn, so that a few decoded chunks are enough for all, and the
//! lock, which is per chunk, is free.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::ThreadId;

use arrow::array::{Array as _, ArrayRef, new_null_array};

use super::RuntimeError;
use super::decoding::{Decoding, Rejected};
use super::lock;
use crate::formats::Schemas;
use crate::plan::Source;
use crate::topics::TopicPartition;
use crate::types::{ChangeBatch, RecordChunk};

/// Chunks that a group keeps for members a little behind.
const KEPT_MAX: usize = 4;

/// All groups of a process.
#[derive(Default)]
pub struct SharedDecodes {
    groups: Mutex<HashMap<(ThreadId, TopicPartition, String), Weak<Group>>>,
}

/// The inputs of one worker that read one partition in one way.
struct Group {
    members: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    source: Source,
    changes: bool,
    schemas: Schemas,
    /// Decodes what any member has ever needed; `None` when it has to be made.
    decoding: Option<Decoding>,
    kept: VecDeque<Kept>,
}

/// A decoded chunk.
struct Kept {
    chunk: RecordChunk,
    batch: ChangeBatch,
    rejected: Vec<Rejected>,
    /// In place of columns that a member does not need.
    nulls: Vec<ArrayRef>,
    /// Members that have it.
    taken: usize,
}

/// One input in its group. It leaves when it is dropped.
pub struct Member {
    group: Arc<Group>,
    /// Value columns that are built for it.
    needed: Vec<bool>,
}

impl SharedDecodes {
    /// The group of those on this thread who read `partition` as `source` says, which now has one more member.
    pub fn join(&self, partition: &TopicPartition, source: &Source, changes: bool, schemas: &Schemas) -> Member {
        let needed = &source.needed;
        let mut groups = lock(&self.groups);
        let key = (std::thread::current().id(), partition.clone(), format!("{} {changes}", source.way_of_reading()));
        let group = groups.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
            groups.retain(|_, group| group.strong_count() > 0);
            let source = Source { needed: vec![false; needed.len()], ..source.clone() };
            let schemas = schemas.clone();
            let state = State { source, changes, schemas, decoding: None, kept: VecDeque::new() };
            let group = Arc::new(Group { members: AtomicUsize::new(0), state: Mutex::new(state) });
            groups.insert(key, Arc::downgrade(&group));
            group
        });
        group.members.fetch_add(1, Ordering::Relaxed);
        lock(&group.state).widen(needed);
        Member { group, needed: needed.clone() }
    }
}

impl State {
    fn widen(&mut self, needed: &[bool]) {
        if self.source.needed.iter().zip(needed).any(|(built, needed)| *needed && !*built) {
            self.source.needed.iter_mut().zip(needed).for_each(|(built, needed)| *built |= *needed);
            self.decoding = None;
            self.kept.clear();
        }
    }

    /// Whether `chunk` comes after everything that was decoded here.
    fn is_next(&self, chunk: &RecordChunk) -> bool {
        self.kept.back().is_none_or(|kept| kept.chunk.offsets.last() < chunk.offsets.first())
    }

    fn decode(&mut self, chunk: &RecordChunk, partition: u32) -> Result<(), RuntimeError> {
        let decoding = match &mut self.decoding {
            Some(decoding) => decoding,
            empty => empty.insert(Decoding::new(&self.source, self.changes, &self.schemas)?),
        };
        let mut rejected = Vec::new();
        let batch = decoding.decode(chunk, partition, &mut rejected)?;
        let declared = &batch.value[..self.source.needed.len()];
        let nulls = declared.iter().map(|column| new_null_array(column.data_type(), batch.len())).collect();
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { chunk: chunk.clone(), batch, rejected, nulls, taken: 0 });
        Ok(())
    }
}

impl Kept {
    /// Whether `chunk` is the same records in the same memory.
    fn is(&self, chunk: &RecordChunk) -> bool {
        let place = |chunk: &RecordChunk| {
            (chunk.values.value_data().as_ptr(), chunk.values.value_offsets().as_ptr(), chunk.offsets.as_ptr())
        };
        chunk.len() == self.chunk.len() && place(chunk) == place(&self.chunk)
    }
}

impl Member {
    /// The rows of `chunk` and its rejected records, as a decoding of its own would give them; `None` when it should decode
    /// alone: nobody shares with it, or it is elsewhere than the others.
    pub fn decode(
        &self,
        chunk: &RecordChunk,
        partition: u32,
    ) -> Result<Option<(ChangeBatch, Vec<Rejected>)>, RuntimeError> {
        let members = self.group.members.load(Ordering::Relaxed);
        if members < 2 {
            return Ok(None);
        }
        let mut state = lock(&self.group.state);
        let index = match state.kept.iter().position(|kept| kept.is(chunk)) {
            Some(index) => index,
            None if state.is_next(chunk) => {
                state.decode(chunk, partition)?;
                state.kept.len() - 1
            }
            None => return Ok(None),
        };
        let kept = &mut state.kept[index];
        kept.taken += 1;
        let batch = self.masked(kept);
        let rejected = kept.rejected.clone();
        if kept.taken >= members && index + 1 < state.kept.len() {
            // All have it; the last one stays, since it says what comes next.
            state.kept.remove(index);
        }
        Ok(Some((batch, rejected)))
    }

    /// The columns that this member needs.
    fn masked(&self, kept: &Kept) -> ChangeBatch {
        let mut batch = kept.batch.clone();
        let mask = |value: &mut [ArrayRef]| {
            for (index, column) in value.iter_mut().enumerate().take(self.needed.len()) {
                if !self.needed[index] {
                    *column = Arc::clone(&kept.nulls[index]);
                }
            }
        };
        mask(&mut batch.value);
        if let Some(old) = &mut batch.old {
            mask(&mut old.value);
        }
        batch
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if self.group.members.fetch_sub(1, Ordering::Relaxed) == 2 {
            // Who is left decodes alone.
            lock(&self.group.state).kept.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Format, Serde};
    use crate::plan::Collection;
    use crate::types::{Column, RecordChunkBuilder, Schema, SqlType};

    fn source(needed: [bool; 2]) -> Source {
        let serde = Serde { format: Format::Json, wrap_single: true };
        let columns = vec![Column::new("A".to_owned(), SqlType::Integer), Column::new("B".to_owned(), SqlType::String)];
        Source {
            name: "S".to_owned(),
            topic: "s".to_owned(),
            collection: Collection::Stream,
            key_serde: Serde { format: Format::None, wrap_single: false },
            value_serde: serde,
            declared: Schema { key: Vec::new(), value: columns },
            needed: needed.to_vec(),
            envelope: None,
            window: None,
            timestamp: None,
            pseudo_columns: Vec::new(),
            materialized: false,
            old_rows_known: true,
        }
    }

    fn chunk(first: i64, values: &[&str]) -> RecordChunk {
        let mut builder = RecordChunkBuilder::new();
        for (offset, value) in (first..).zip(values) {
            builder.push_full(None, Some(value.as_bytes()), 5, offset, Arc::default());
        }
        builder.finish()
    }

    fn partition() -> TopicPartition {
        TopicPartition { topic: "s".into(), partition: 0 }
    }

    /// What a decoding of its own gives for `source`.
    fn alone(source: &Source, chunk: &RecordChunk) -> (Vec<ArrayRef>, Vec<u32>) {
        let mut rejected = Vec::new();
        let mut decoding = Decoding::new(source, false, &Schemas::default()).expect("JSON carries the columns");
        let batch = decoding.decode(chunk, 0, &mut rejected).expect("JSON needs no registry");
        (batch.value, rejected.iter().map(|record| record.row).collect())
    }

    fn shared(member: &Member, chunk: &RecordChunk) -> Option<(Vec<ArrayRef>, Vec<u32>)> {
        let decoded = member.decode(chunk, 0).expect("JSON carries the columns");
        decoded.map(|(batch, rejected)| (batch.value, rejected.iter().map(|record| record.row).collect()))
    }

    #[test]
    fn members_get_what_decoding_alone_would_give_them() {
        let decodes = SharedDecodes::default();
        let sources = [source([true, false]), source([false, true]), source([true, true])];
        let members = sources.each_ref().map(|source| decodes.join(&partition(), source, false, &Schemas::default()));
        let values = [r#"{"a":1,"b":"x"}"#, r#"{"a":"no number"}"#, r#"{"b":"y"}"#];
        for first in [0, 3, 6] {
            let chunk = chunk(first, &values);
            for (member, source) in members.iter().zip(&sources) {
                assert_eq!(shared(member, &chunk), Some(alone(source, &chunk)), "offset {first}");
            }
        }
    }

    #[test]
    fn the_same_bytes_are_decoded_once() {
        let decodes = SharedDecodes::default();
        let source = source([true, true]);
        let members = [(); 2].map(|()| decodes.join(&partition(), &source, false, &Schemas::default()));
        let chunk = chunk(0, &[r#"{"a":1}"#]);
        let [one, other] = members.each_ref().map(|member| shared(member, &chunk).expect("they share").0);
        assert!(Arc::ptr_eq(&one[0], &other[0]));
    }

    #[test]
    fn who_is_elsewhere_or_on_its_own_decodes_alone() {
        let decodes = SharedDecodes::default();
        let source = source([true, true]);
        let first = decodes.join(&partition(), &source, false, &Schemas::default());
        assert_eq!(shared(&first, &chunk(10, &["{}"])), None, "nobody to share with");
        let second = decodes.join(&partition(), &source, false, &Schemas::default());
        assert!(shared(&first, &chunk(11, &["{}"])).is_some());
        assert_eq!(shared(&second, &chunk(3, &["{}"])), None, "it catches up");
        assert_eq!(shared(&second, &chunk(11, &[r#"{"a":2}"#])), None, "other bytes at the same offset");
        drop(first);
        assert_eq!(shared(&second, &chunk(12, &["{}"])), None, "the other has left");
    }

    #[test]
    fn other_ways_of_reading_do_not_mix() {
        let decodes = SharedDecodes::default();
        let plain = decodes.join(&partition(), &source([true, true]), false, &Schemas::default());
        let csv = Serde { format: Format::Delimited { delimiter: ',' }, wrap_single: true };
        let other = decodes.join(
            &partition(),
            &Source { value_serde: csv, ..source([true, true]) },
            false,
            &Schemas::default(),
        );
        let chunk = chunk(0, &["{}"]);
        assert_eq!((shared(&plain, &chunk), shared(&other, &chunk)), (None, None));
    }
}
