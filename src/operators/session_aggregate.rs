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
//! - [`Emission::AtCommit`]: what has become of the sessions of the last commit, in the order of their last change; sessions
//!   that came and went in between are not seen;
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
//! State: key ‖ end ‖ start → `end: i64 LE, row(key columns, carried columns, accumulator state)`, and `ff` → stream time.

mod batch_plan;
mod emission;

use arrow::array::UInt32Array;

use self::batch_plan::BatchPlan;
use super::aggregate::{AggregateOptions, Emission};
use super::changes::Changes;
use super::finals::{Causes, Finals};
use super::groups::{Folding, Groups, without_null_rows};
use super::keyed_rows::split_rowtime;
use super::session_table::{EndIndex, SessionTable};
use super::{Operator, Output, Port};
use crate::state::key_encoding::{EncodedKeys, split_session};
use crate::state::{EntryWeight, META_KEY, RowRef, RowTable, StateError, Store, StoreSize};
use crate::storage::{Entry, WriteSet};
use crate::types::ChangeBatch;

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
    /// Sessions in storage that are no more.
    removed: Vec<Removed>,
    /// Results as of the last commit, of sessions in storage that have changed since; for old rows of held-back results.
    emitted: RowTable,
    weight: EntryWeight,
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
    /// Its results as of the last commit, where asked for.
    old: RowRef,
}

impl SessionAggregate {
    /// The aggregation in `windows` with its state in `store`; what storage holds is read at once. The windows of `options` are
    /// others and do not count.
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
            removed: Vec::new(),
            weight: EntryWeight::default(),
            keys: EncodedKeys::default(),
            batch_keys: Vec::new(),
        };
        let mut loaded = Vec::new();
        store.scan(|entries| aggregate.load(entries, &mut loaded))?;
        let close_time = windows.close_time(aggregate.stream_time);
        for slot in loaded {
            aggregate.is_stored[slot as usize] = true;
            // Every row looked for sessions to close.
            aggregate.is_closed[slot as usize] = aggregate.sessions.end(slot) < close_time;
            aggregate.index(slot);
        }
        Ok(aggregate)
    }

    fn load(&mut self, entries: &[Entry], loaded: &mut Vec<u32>) -> Result<(), StateError> {
        let mut slots = Vec::with_capacity(entries.len());
        let mut values = Vec::with_capacity(entries.len());
        for (stored_key, value) in entries {
            let (rowtime, row) = split_rowtime(value)?;
            if stored_key == META_KEY {
                self.stream_time = rowtime;
                continue;
            }
            let too_short = || StateError::Corrupt("the key of a session has no bounds".to_owned());
            let (key, start, end) = split_session(stored_key).ok_or_else(too_short)?;
            self.weight.note(stored_key, value);
            let key = self.sessions.insert_key(key);
            let slot = self.sessions.insert(key, start, end);
            self.sessions.push(key, slot);
            slots.push(slot);
            values.push(row);
        }
        self.grow();
        loaded.extend(&slots);
        self.groups.load(slots, values)
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

    /// Forgets sessions beyond the retention.
    fn expire(&mut self, writes: &mut WriteSet) {
        let kept_from = self.visible_from();
        while let Some(slot) = self.kept.pop_before(kept_from, &self.sessions) {
            self.store.delete(writes, &self.stored_key(slot));
            self.sessions.remove_from_key(slot);
            self.free(slot);
        }
        self.groups.compact();
    }

    fn stored_key(&self, slot: u32) -> Vec<u8> {
        let sessions = &self.sessions;
        sessions.stored_key(sessions.key_of(slot), sessions.start(slot), sessions.end(slot))
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
        self.sessions.assign_keys(&self.keys, &mut keys, &mut new_keys);
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
            let stored_key = self.sessions.stored_key(removed.key, removed.start, removed.end);
            self.store.delete(writes, &stored_key);
        }
        let slots = self.changed_sessions();
        let (store, sessions, weight) = (&self.store, &self.sessions, &mut self.weight);
        self.groups.encode(
            &slots,
            |slot| sessions.end(slot),
            |slot, value| {
                let stored_key = sessions.stored_key(sessions.key_of(slot), sessions.start(slot), sessions.end(slot));
                weight.note(&stored_key, &value);
                store.put(writes, &stored_key, value);
            },
        );
        slots.iter().for_each(|&slot| self.is_stored[slot as usize] = true);
        if !self.changes.take().is_empty() {
            self.store.put(writes, META_KEY, self.stream_time.to_le_bytes().to_vec());
            self.expire(writes);
        }
        Ok(())
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.store.size(self.sessions.len(), self.weight)]
    }
}

impl SessionAggregate {
    /// Folds the rows of `batch` as planned, and emits what follows.
    fn carry_out(&mut self, plan: BatchPlan, batch: ChangeBatch, out: &mut Output) {
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
