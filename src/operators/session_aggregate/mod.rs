//! `GROUP BY` in SESSION windows: one row per key and session with the aggregates so far.
//!
//! A session is a stretch of rows of one key that follow each other by at most the gap; both of its bounds are times of
//! rows. A row meets the sessions of its key that are no further than the gap from it: none, and it begins one; one, and it
//! goes on; several, and they become one. So the bounds of a session, which are part of its key, change: whatever session a
//! row meets is deleted and the new one added, unless a row repeats the only instant of its session. A row is late, and
//! dropped, where even the session that it would make ended before `stream time - grace - gap`. Emission is a separate
//! decision over the same state:
//!
//! - [`Emission::EveryRow`]: after every row, the deletions of the sessions it met and then the new session;
//! - [`Emission::AtCommit`]: what has become of the sessions of the last commit, with the headers and in the order of their last
//!   change; sessions that came and went in between are not seen;
//! - finals: one row per session that has closed, see [`finals`](super::finals).
//!
//! The time of a row is the end of its session. Semantics 2.3, 4.3, 4.5 and 4.6.
//!
//! Sessions older than the retention are met by no row any more, although they leave storage only at commit; so a row may begin
//! a session that is there already, and takes its place. What has not closed by then is looked for in segments of time, and
//! closes unless all of its segment is older than the retention.
//!
//! Rows are folded as in [`Aggregate`](super::Aggregate), a batch at a time by slot of their session: what the rows of a batch
//! do to sessions is worked out first, from times alone. A session that goes on keeps its slot.
//!
//! The keys used last are in memory, each with its sessions from some end on; older ones come back from storage when a row
//! may meet them. Under EMIT FINAL, keys with a session that has not closed stay.
//!
//! State: bucket of the end ‖ key ‖ end ‖ start → `end: i64 LE, row(key columns, carried columns, accumulator state)`, and `ff` →
//! stream time and the numbers of entries by bucket.

mod batch_plan;
mod emission;
mod session_table;

use std::sync::Arc;

use arrow::array::UInt32Array;

use self::batch_plan::BatchPlan;
use super::aggregate::{AggregateOptions, Emission};
use super::changes::{Changes, LastHeaders};
use super::finals::{Causes, Finals};
use super::groups::{Folding, Groups, without_null_rows};
use super::keyed_rows::split_rowtime;
use super::memory::keys_within;
use super::{Fate, Operator, Output, Port, WindowClock};
use crate::state::key_encoding::{EncodedKeys, split_session};
use crate::state::{Buckets, EntryWeight, RowRef, RowTable, StateError, Store, StoreSize, bucket_prefix, is_meta};
use crate::storage::{Entry, WriteSet};
use crate::types::{ChangeBatch, Headers};

use session_table::{EndIndex, SessionTable};

/// Windows that last as long as rows follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionWindows {
    /// Longest pause within a session.
    pub gap_ms: i64,
    /// How late a row may be.
    pub grace_ms: i64,
    /// How long a session is kept.
    pub retention_ms: i64,
}

/// What an entry takes in storage, about.
const ENTRY_BYTES: usize = 64;

/// Least length of the segments of time that sessions are in.
const SEGMENT_MS_MIN: i64 = 60_000;

impl SessionWindows {
    /// Sessions that end before it have closed.
    fn close_time(self, stream_time: i64) -> i64 {
        stream_time.saturating_sub(self.grace_ms).saturating_sub(self.gap_ms)
    }

    /// Sessions that end before it are not found when they close.
    fn segment_start(self, stream_time: i64) -> i64 {
        let segment_ms = (self.retention_ms / 2).max(SEGMENT_MS_MIN);
        stream_time.saturating_sub(self.retention_ms) / segment_ms * segment_ms
    }
}

/// Aggregates rows by key and session.
pub struct SessionAggregate {
    windows: SessionWindows,
    emission: Emission,
    attach_old: bool,
    finals: Option<Finals>,
    store: Store,
    sessions: SessionTable,
    groups: Groups,
    stream_time: i64,
    /// By slot: the session is in storage, with these bounds.
    is_stored: Vec<bool>,
    /// By slot: the session has closed, its row was emitted.
    is_closed: Vec<bool>,
    /// Sessions that have not closed, where rows come when they do.
    open: EndIndex,
    /// The other sessions.
    kept: EndIndex,
    changes: Changes,
    /// For held-back results.
    headers: LastHeaders,
    /// Sessions in storage that are no more.
    removed: Vec<Removed>,
    /// Results as of the last commit, of sessions in storage that have changed since; for old rows of held-back results.
    emitted: RowTable,
    weight: EntryWeight,
    /// Entries of storage.
    buckets: Buckets,
    /// Storage holds no session that is not in memory.
    is_complete: bool,
    keys: EncodedKeys,
    batch_keys: Vec<u32>,
}

/// A session in storage that another one, with other bounds, has taken the place of.
struct Removed {
    /// Slot of its key.
    key: u32,
    start: i64,
    end: i64,
    /// Its own slot, until the end of the batch.
    slot: u32,
    /// When it was removed, among all changes.
    tick: u64,
    /// The row that removed it, until the end of the batch, and the headers of that row, where changes are held back.
    row: u32,
    headers: Option<Headers>,
    /// Its results as of the last commit, where asked for.
    old: RowRef,
}

impl SessionAggregate {
    /// The aggregation in `windows` with its state in `store`; what storage holds is read as far as memory
    /// allows. The windows of `options` are others and do not count.
    pub fn open(options: AggregateOptions, windows: SessionWindows, store: &Store) -> Result<Self, StateError> {
        let groups = Groups::new(&options.key_types, &options.carried_types, options.calls);
        let mut aggregate = Self {
            windows,
            emission: options.emission,
            attach_old: options.attach_old,
            finals: options.finals.map(|serialized| Finals::new(serialized, options.attach_old)),
            store: store.clone(),
            sessions: SessionTable::default(),
            emitted: RowTable::new(&groups.result_types()),
            groups,
            stream_time: -1,
            is_stored: Vec::new(),
            is_closed: Vec::new(),
            open: EndIndex::default(),
            kept: EndIndex::default(),
            changes: Changes::default(),
            headers: LastHeaders::default(),
            removed: Vec::new(),
            weight: EntryWeight::default(),
            buckets: Buckets::new(windows.retention_ms, 1),
            is_complete: true,
            keys: EncodedKeys::default(),
            batch_keys: Vec::new(),
        };
        aggregate.load()?;
        Ok(aggregate)
    }

    /// Reads sessions from storage: all, if they fit, else those that rows wait for.
    fn load(&mut self) -> Result<(), StateError> {
        let Some(stream_time) = self.buckets.load(&self.store)? else { return Ok(()) };
        self.stream_time = stream_time;
        let store = self.store.clone();
        let fits = self.buckets.total() as usize <= store.preloaded_bytes_max() / ENTRY_BYTES;
        let first = match (fits, &self.finals) {
            (true, _) => i64::MIN,
            (false, Some(_)) => self.buckets.number(self.windows.close_time(stream_time)),
            (false, None) => i64::MAX,
        };
        self.is_complete = fits;
        let known_from = self.buckets.start_of(first);
        let numbers: Vec<i64> = self.buckets.numbers().filter(|number| *number >= first).collect();
        for number in numbers {
            store.scan_prefix(&bucket_prefix(number, &[]), |entries| self.take_stored(entries, known_from, None))?;
        }
        Ok(())
    }

    /// Takes sessions as storage has them, ordered by key and then end. Of keys that are new, all sessions are known that end at
    /// `known_from` or later. `before`: the position among the sessions of their one key at which to put them, else they are the
    /// newest.
    fn take_stored(
        &mut self,
        entries: &[Entry],
        known_from: i64,
        mut before: Option<&mut usize>,
    ) -> Result<(), StateError> {
        let mut slots = Vec::with_capacity(entries.len());
        let mut values = Vec::with_capacity(entries.len());
        for (stored_key, value) in entries.iter().filter(|(key, _)| !is_meta(key)) {
            let (_, row) = split_rowtime(value)?;
            let corrupt = || StateError::Corrupt("the key of a session has no bounds".to_owned());
            let (key, start, end) = split_session(stored_key).ok_or_else(corrupt)?;
            let (_, key) = key.split_first_chunk::<8>().ok_or_else(corrupt)?;
            self.weight.note(stored_key, value);
            let key = self.sessions.insert_key(key, known_from);
            let slot = self.sessions.insert(key, start, end);
            match &mut before {
                Some(position) => {
                    self.sessions.replace(key, **position..**position, slot);
                    **position += 1;
                }
                None => self.sessions.push(key, slot),
            }
            slots.push(slot);
            values.push(row);
        }
        self.grow();
        let close_time = self.windows.close_time(self.stream_time);
        for &slot in &slots {
            self.is_stored[slot as usize] = true;
            // Every row looked for sessions to close.
            self.is_closed[slot as usize] = self.sessions.end(slot) < close_time;
            self.index(slot);
        }
        self.groups.load(slots, values)
    }

    /// Brings the sessions into memory that the rows of `batch`, with keys in the slots `keys`, may meet.
    fn load_met(&mut self, batch: &ChangeBatch, keys: &[u32]) -> Result<(), StateError> {
        if self.is_complete {
            return Ok(());
        }
        let visible_from = self.visible_from();
        for (&key, &time) in keys.iter().zip(&batch.rowtime) {
            let end_min = time.saturating_sub(self.windows.gap_ms).max(visible_from);
            let known_from = self.sessions.known_from(key);
            if end_min >= known_from {
                continue;
            }
            let first = self.buckets.number(end_min);
            let start = self.buckets.start_of(first);
            let mut position = 0;
            let unknown = |number: &i64| *number >= first && self.buckets.start_of(*number) < known_from;
            let numbers: Vec<i64> = self.buckets.numbers().filter(unknown).collect();
            for number in numbers {
                let prefix = bucket_prefix(number, self.sessions.key(key));
                let store = self.store.clone();
                store.scan_prefix(&prefix, |entries| self.take_stored(entries, start, Some(&mut position)))?;
            }
            self.sessions.set_known_from(key, start);
        }
        Ok(())
    }

    /// Makes room for all sessions.
    fn grow(&mut self) {
        let capacity = self.sessions.capacity();
        if self.is_stored.len() < capacity {
            let room = capacity.next_power_of_two();
            self.is_stored.resize(room, false);
            self.is_closed.resize(room, false);
            self.changes.grow(room);
            self.groups.grow(room);
        }
    }

    /// Lets the session be found by its end.
    fn index(&mut self, slot: u32) {
        let index =
            if self.finals.is_some() && !self.is_closed[slot as usize] { &mut self.open } else { &mut self.kept };
        index.add(slot, &self.sessions);
    }

    /// Whether changes are held back until the commit.
    fn holds_back(&self) -> bool {
        self.emission == Emission::AtCommit && self.finals.is_none()
    }

    /// Forgets everything about a session that is among those of no key any more.
    fn free(&mut self, slot: u32) {
        self.is_stored[slot as usize] = false;
        self.is_closed[slot as usize] = false;
        self.emitted.set(slot, RowRef::ABSENT);
        self.groups.remove(slot);
        self.sessions.free(slot);
    }

    /// Sessions that end before it are met by no row.
    fn visible_from(&self) -> i64 {
        self.stream_time.saturating_sub(self.windows.retention_ms).saturating_add(1)
    }

    /// Forgets sessions beyond the retention: those in memory one by one, in storage whole buckets.
    fn expire(&mut self, writes: &mut WriteSet) {
        let kept_from = self.visible_from();
        while let Some(slot) = self.kept.pop_before(kept_from, &self.sessions) {
            self.sessions.remove_from_key(slot);
            self.free(slot);
        }
        // Those that have not closed yet are waited for, however short the retention.
        let closed_before = self.windows.close_time(self.stream_time);
        let stored_from = if self.finals.is_some() { kept_from.min(closed_before) } else { kept_from };
        if let Some(first_left) = self.buckets.forget_before(stored_from) {
            self.store.delete_before(writes, &bucket_prefix(first_left, &[]));
        }
        self.groups.compact();
    }

    /// The sessions that changed since the last commit and are still there, in the order of their last changes.
    fn changed_sessions(&self) -> Vec<u32> {
        self.changes.in_order().into_iter().filter(|&slot| self.sessions.is_live(slot)).collect()
    }
}

impl Operator for SessionAggregate {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let batch = without_null_rows(batch, false, out);
        if batch.is_empty() {
            return Ok(());
        }
        self.keys.encode(&batch.key, None, batch.len());
        let mut keys = std::mem::take(&mut self.batch_keys);
        let mut new_keys = Vec::new();
        let known_from = if self.is_complete { i64::MIN } else { i64::MAX };
        self.sessions.assign_keys(&self.keys, known_from, &mut keys, &mut new_keys);
        self.load_met(&batch, &keys)?;
        let plan = BatchPlan::new(self, &batch, &keys);
        // A key may have had late rows only.
        new_keys.into_iter().for_each(|key| self.sessions.remove_key_without_sessions(key));
        self.batch_keys = keys;
        self.carry_out(plan, batch, out);
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), StateError> {
        if self.holds_back() && !self.changes.is_empty() {
            self.emit_held_back(out);
        }
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        for removed in std::mem::take(&mut self.removed) {
            let bounds = (removed.start, removed.end);
            self.store.delete(writes, &self.sessions.stored_key(removed.key, bounds, &self.buckets));
            self.buckets.remove(removed.end);
        }
        let slots = self.changed_sessions();
        let (store, sessions, weight) = (&self.store, &self.sessions, &mut self.weight);
        let (buckets, is_stored) = (&mut self.buckets, &mut self.is_stored);
        self.groups.encode(
            &slots,
            |slot| sessions.end(slot),
            |slot, value| {
                let (key, bounds) = (sessions.key_of(slot), (sessions.start(slot), sessions.end(slot)));
                let stored_key = sessions.stored_key(key, bounds, buckets);
                if !std::mem::replace(&mut is_stored[slot as usize], true) {
                    buckets.add(bounds.1);
                }
                weight.note(&stored_key, &value);
                store.put(writes, &stored_key, value);
            },
        )?;
        if !self.changes.take().is_empty() {
            self.expire(writes);
            self.buckets.persist(self.stream_time, &self.store, writes);
        }
        self.sessions.end_commit();
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.changes.len() + self.removed.len()
    }

    fn memory_bytes(&self) -> usize {
        let session = size_of::<u64>() + 2;
        let ends = (self.open.len() + self.kept.len()) * size_of::<(i64, u32, u32)>();
        let states = self.is_stored.len() * self.groups.slot_bytes();
        let groups = self.groups.rows_bytes() + states + self.emitted.memory_bytes();
        self.sessions.memory_bytes() + groups + ends + self.sessions.len() * session
    }

    fn shrink(&mut self, bytes: usize) {
        let keep = keys_within(bytes, self.sessions.key_count(), self.memory_bytes());
        let surplus = self.sessions.key_count() - keep;
        let (sessions, is_closed) = (&self.sessions, &self.is_closed);
        let all = self.finals.is_none();
        let evicted = sessions.coldest(surplus, |key| all || sessions.of_key(key).all(|slot| is_closed[slot as usize]));
        if evicted.is_empty() {
            return;
        }
        self.is_complete = false;
        for key in evicted {
            self.sessions.take_key(key).into_iter().for_each(|slot| self.free(slot));
        }
        self.open.compact(&self.sessions);
        self.kept.compact(&self.sessions);
        self.groups.compact();
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.store.size(self.buckets.total() as usize, self.weight)]
    }

    fn window_clock(&self) -> Option<WindowClock> {
        let open = if self.finals.is_some() { self.open.len() } else { self.sessions.len() };
        Some(WindowClock { stream_time: self.stream_time, open: open as u64, next_close: None })
    }
}

impl SessionAggregate {
    /// Folds the rows of `batch` as planned, and emits what follows.
    fn carry_out(&mut self, plan: BatchPlan, batch: ChangeBatch, out: &mut Output) {
        out.count(Fate::Late, plan.late.len());
        out.report(&batch, plan.late);
        if plan.rows.is_empty() {
            return;
        }
        self.remember_emitted(&plan.first_changed);
        for removed in self.removed.iter_mut().rev().take(plan.removed) {
            removed.old = self.emitted.get(removed.slot);
        }
        let before = plan.emissions.before(&self.groups);
        let causes = self.finals.is_some().then(|| Causes::of(&batch));
        let batch = if plan.rows.len() == batch.len() { batch } else { batch.take(&UInt32Array::from(plan.rows)) };
        if self.holds_back() {
            self.headers.note(&batch, &plan.slots);
            for removed in self.removed.iter_mut().rev().take(plan.removed) {
                removed.headers = batch.headers.as_ref().map(|all| Arc::clone(&all[removed.row as usize]));
            }
        }
        let emit = self.emission == Emission::EveryRow && self.finals.is_none();
        let folding = Folding { batch: &batch, slots: &plan.slots, undone: None, merges: &plan.merges, emit };
        let results = self.groups.fold(&folding, out);
        let mut created = plan.created.iter().peekable();
        self.groups.remember(&batch, &plan.slots, |row, _| created.next_if(|&&first| first as usize == row).is_some());
        if let Some(results) = results {
            out.emit(plan.emissions.into_batch(&batch, &results, before));
        }
        if let (Some(finals), Some(causes)) = (&mut self.finals, causes) {
            finals.emit(&plan.closed, &causes, &self.groups, |closed| closed.end, out);
        }
        plan.freed.into_iter().for_each(|slot| self.free(slot));
        self.groups.compact();
    }
}
