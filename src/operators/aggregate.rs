//! `GROUP BY`: one row per key (and window) with the aggregates so far.
//!
//! The input's key is the group; its value columns are the carried columns, then the arguments. Rows with a null key or
//! value are dropped and reported. Each row belongs to every window that contains its time; a window takes it while
//! `window end > stream time - grace`, with stream time raised by this very row; a row that no window takes is reported
//! as late. Emission is a separate decision over the same state:
//!
//! - [`Emission::EveryRow`]: a result after every row (record cache off);
//! - [`Emission::AtCommit`]: the last result of every key that changed, in the order of their last change and with its headers;
//! - with [`AggregateOptions::finals`], one result per window, when it has closed, see `finals`.
//!
//! The result's time is the greatest time of the group's rows. Over a table the old row is taken back before the new one
//! is added, in one step. Windows older than the retention are forgotten at commit. Semantics 4.1 to 4.4 and 4.6.
//!
//! The groups used last are in memory, the others come back from storage when a row needs them; under EMIT FINAL also when
//! their windows close.
//!
//! State: key, windowed ones behind the bucket of their window → `rowtime: i64 LE, row(key columns, carried columns,
//! accumulator state)`, and `ff` → stream time and the numbers of entries by bucket.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{ArrayRef, UInt32Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::interleave;
use arrow::datatypes::DataType;

use super::changes::{Changes, LastHeaders};
use super::finals::{Causes, Finals, SerializedKeys, time_windows_closed};
pub use super::groups::Call;
pub(crate) use super::groups::load_state;
use super::groups::{Folding, Groups, without_null_rows};
use super::keyed_rows::split_rowtime;
use super::memory::keys_within;
use super::{Fate, NO_RECORD, Operator, Output, Port, WindowClock};
use crate::state::key_encoding::{EncodedKeys, window_start};
use crate::state::{Buckets, Found, HotKeys, RowRef, RowTable, StateError, Store, StoreSize, bucket_prefix};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, OldRows, RowError, WindowColumns};

/// When results are emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emission {
    /// After every row.
    EveryRow,
    /// At commit, once per key that changed.
    AtCommit,
}

/// Windows of fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeWindows {
    /// Length.
    pub size_ms: i64,
    /// Distance of two starts; equals the length for tumbling windows.
    pub advance_ms: i64,
    /// How late a row may be.
    pub grace_ms: i64,
    /// How long a window is kept.
    pub retention_ms: i64,
}

/// Parameters of an [`Aggregate`].
pub struct AggregateOptions {
    /// Types of the group's key columns.
    pub key_types: Vec<DataType>,
    /// Types of the carried columns, the first of the input's value columns.
    pub carried_types: Vec<DataType>,
    /// The aggregates, in the order of the result's columns.
    pub calls: Vec<Call>,
    /// Windows, if any.
    pub windows: Option<TimeWindows>,
    /// When results are emitted.
    pub emission: Emission,
    /// An operator downstream needs old rows.
    pub attach_old: bool,
    /// The input is a table: old rows are taken back.
    pub undo: bool,
    /// Only results of windows that have closed, whatever `emission` says; gives keys as in their topic.
    pub finals: Option<SerializedKeys>,
}

/// Aggregates rows by key and window.
pub struct Aggregate {
    windows: Option<TimeWindows>,
    emission: Emission,
    attach_old: bool,
    undo: bool,
    finals: Option<Finals>,
    slots: HotKeys,
    groups: Groups,
    /// Greatest time of each group; [`ABSENT`] for free slots.
    rowtimes: Vec<i64>,
    /// Slots whose groups storage has.
    is_stored: Vec<bool>,
    /// Entries of storage.
    buckets: Buckets,
    stream_time: i64,
    /// Slots in memory by window start.
    starts: BTreeMap<i64, Vec<u32>>,
    changes: Changes,
    /// For held-back results.
    headers: LastHeaders,
    /// Results as of the last emission, of groups that have changed since; for old rows of held-back results.
    emitted: RowTable,
    keys: EncodedKeys,
    batch_slots: Vec<u32>,
    new: Vec<u32>,
    /// Per slot its last row in the batch at hand; [`NO_ROW`] between batches.
    last_rows: Vec<u32>,
}

const ABSENT: i64 = i64::MIN;
const NO_ROW: u32 = u32::MAX;

/// Changes of a table, taken apart into rows taken back and rows added.
struct TakenApart {
    batch: ChangeBatch,
    /// Rows taken back.
    undone: Vec<bool>,
    /// Rows after which a result is due.
    emits: BooleanBuffer,
}

impl Aggregate {
    /// The aggregation with its state in `store`; what storage holds is read as far as memory allows.
    pub fn open(options: AggregateOptions, store: &Store) -> Result<Self, StateError> {
        let AggregateOptions { key_types, carried_types, calls, windows, emission, attach_old, undo, finals } = options;
        let groups = Groups::new(&key_types, &carried_types, calls);
        let mut aggregate = Self {
            windows,
            emission,
            attach_old,
            undo,
            finals: finals.map(|serialized| Finals::new(serialized, attach_old)),
            slots: HotKeys::new(store),
            buckets: windows.map_or_else(Buckets::single, TimeWindows::buckets),
            emitted: RowTable::new(&groups.result_types()),
            groups,
            rowtimes: Vec::new(),
            is_stored: Vec::new(),
            stream_time: -1,
            starts: BTreeMap::new(),
            changes: Changes::default(),
            headers: LastHeaders::default(),
            keys: EncodedKeys::default(),
            batch_slots: Vec::new(),
            new: Vec::new(),
            last_rows: Vec::new(),
        };
        aggregate.load()?;
        Ok(aggregate)
    }

    fn load(&mut self) -> Result<(), StateError> {
        if let Some(stream_time) = self.buckets.load(self.slots.store())? {
            self.stream_time = stream_time;
        }
        let mut slots = HotKeys::new(self.slots.store());
        slots.load(|found| self.take_stored(found))?;
        self.slots = slots;
        Ok(())
    }

    /// Takes groups as storage has them.
    fn take_stored(&mut self, found: &Found) -> Result<(), StateError> {
        let Some(last) = found.slots.iter().max() else { return Ok(()) };
        self.grow(*last as usize + 1);
        let mut rows = Vec::with_capacity(found.slots.len());
        for ((&slot, key), value) in found.slots.iter().zip(&found.keys).zip(&found.values) {
            let (rowtime, row) = split_rowtime(value)?;
            self.rowtimes[slot as usize] = rowtime;
            self.is_stored[slot as usize] = true;
            if self.windows.is_some() {
                self.starts.entry(window_start(key)).or_default().push(slot);
            }
            rows.push(row);
        }
        self.groups.load(found.slots.clone(), rows)
    }

    /// Makes room for slots below `capacity`.
    fn grow(&mut self, capacity: usize) {
        if self.rowtimes.len() < capacity {
            let room = capacity.next_power_of_two();
            self.rowtimes.resize(room, ABSENT);
            self.is_stored.resize(room, false);
            self.changes.grow(room);
            self.groups.grow(room);
        }
    }

    /// The slots of the groups of `batch`, brought into memory.
    fn assign_slots(&mut self, batch: &ChangeBatch, slots: &mut Vec<u32>) -> Result<(), StateError> {
        match &batch.window {
            Some(window) => self.keys.encode_bucketed(&batch.key, &window.start, &self.buckets, batch.len()),
            None => self.keys.encode(&batch.key, None, batch.len()),
        }
        let found = self.slots.assign(&self.keys, slots, &mut self.new)?;
        self.take_stored(&found)?;
        self.grow(self.slots.capacity());
        if self.windows.is_some() {
            for &slot in &self.new {
                self.starts.entry(window_start(self.slots.key(slot))).or_default().push(slot);
            }
        }
        Ok(())
    }

    /// Brings the windows into memory that close when the stream time is raised from `before` to what it is now.
    fn load_closing(&mut self, windows: TimeWindows, before: i64) -> Result<(), StateError> {
        if self.slots.is_complete() || before == self.stream_time {
            return Ok(());
        }
        let bound = |start: i64| bucket_prefix(self.buckets.number(start.max(0)), &[]);
        let from = bound(windows.newest_closed(before).saturating_add(1));
        let to = bound(windows.newest_closed(self.stream_time).saturating_add(self.buckets.width_ms()));
        let found = self.slots.find_range(&from, &to)?;
        self.take_stored(&found)
    }

    /// One row per window that takes it, with its window.
    fn assign_windows(&mut self, batch: ChangeBatch, windows: TimeWindows, out: &mut Output) -> ChangeBatch {
        let TimeWindows { size_ms, advance_ms, grace_ms, .. } = windows;
        let mut indices: Vec<u32> = Vec::with_capacity(batch.len());
        let mut starts: Vec<i64> = Vec::with_capacity(batch.len());
        let mut late = Vec::new();
        for (row, &time) in batch.rowtime.iter().enumerate() {
            self.stream_time = self.stream_time.max(time);
            let open_after = self.stream_time - grace_ms;
            let first = (time - size_ms + advance_ms).max(0) / advance_ms * advance_ms;
            let taken = starts.len();
            let mut start = first;
            while start <= time {
                if start + size_ms > open_after {
                    indices.push(row as u32);
                    starts.push(start);
                }
                start += advance_ms;
            }
            if starts.len() == taken {
                let stream_time = self.stream_time;
                late.push(RowError::new(
                    row,
                    format!(
                        "late: the window of time {time} is closed at stream time {stream_time}, grace {grace_ms} ms"
                    ),
                ));
            }
        }
        out.count(Fate::Late, late.len());
        out.report(&batch, late);
        let unchanged = indices.len() == batch.len() && indices.iter().zip(0..).all(|(&index, row)| index == row);
        let mut batch = if unchanged { batch } else { batch.take(&UInt32Array::from(indices)) };
        let ends: Vec<i64> = starts.iter().map(|start| start + size_ms).collect();
        batch.window = Some(WindowColumns { start: starts.into(), end: ends.into() });
        batch
    }

    /// Splits table changes into rows taken back and rows added.
    fn undo_and_add(&self, batch: &ChangeBatch, slots: &mut Vec<u32>) -> TakenApart {
        let no_old = BooleanBuffer::new_unset(batch.len());
        let present = batch.old.as_ref().map_or(&no_old, |old| &old.present);
        let (mut indices, mut sides, mut emits, mut folded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut added = HashSet::new();
        for (row, &slot) in slots.iter().enumerate() {
            let exists = self.rowtimes[slot as usize] != ABSENT || added.contains(&slot);
            let (undo, add) = (present.value(row) && exists, !batch.is_tombstone(row));
            if undo {
                indices.push(row as u32);
                sides.push((0, row));
                folded.push(slot);
                emits.push(!add);
            }
            if add {
                if !exists {
                    added.insert(slot);
                }
                indices.push(row as u32);
                sides.push((1, row));
                folded.push(slot);
                emits.push(true);
            }
        }
        let mut expanded = batch.take(&UInt32Array::from(indices));
        if let Some(old) = &batch.old {
            expanded.value =
                old.value.iter().zip(&batch.value).map(|(old, new)| interleaved(old, new, &sides)).collect();
        }
        (expanded.old, expanded.tombstones) = (None, None);
        *slots = folded;
        TakenApart {
            batch: expanded,
            undone: sides.iter().map(|&(side, _)| side == 0).collect(),
            emits: emits.into_iter().collect(),
        }
    }

    /// Raises the groups' times; returns each row's.
    fn raise_rowtimes(&mut self, batch: &ChangeBatch, slots: &[u32]) -> ScalarBuffer<i64> {
        let mut rowtimes = Vec::with_capacity(slots.len());
        for (&slot, &time) in slots.iter().zip(&batch.rowtime) {
            let rowtime = &mut self.rowtimes[slot as usize];
            *rowtime = (*rowtime).max(time);
            rowtimes.push(*rowtime);
        }
        rowtimes.into()
    }

    /// What each row's group was before the row: the result of the row before it in this batch, or that before the batch.
    fn old_rows(
        &mut self,
        slots: &[u32],
        before: &OldRows,
        after: &[ArrayRef],
        emits: Option<&BooleanBuffer>,
    ) -> OldRows {
        self.last_rows.resize(self.rowtimes.len(), NO_ROW);
        let mut sources = Vec::with_capacity(slots.len());
        let mut present = Vec::with_capacity(slots.len());
        for (row, &slot) in slots.iter().enumerate() {
            let last = &mut self.last_rows[slot as usize];
            if *last == NO_ROW {
                sources.push((0, row));
                present.push(before.present.value(row));
            } else {
                sources.push((1, *last as usize));
                present.push(true);
            }
            if emits.is_none_or(|emits| emits.value(row)) {
                *last = row as u32;
            }
        }
        slots.iter().for_each(|&slot| self.last_rows[slot as usize] = NO_ROW);
        let value = before.value.iter().zip(after).map(|(before, after)| interleaved(before, after, &sources));
        OldRows { value: value.collect(), present: present.into_iter().collect() }
    }

    /// Keeps the last emitted results of groups that change for the first time since the commit.
    fn remember_emitted(&mut self, slots: &[u32]) {
        let mut first = Vec::new();
        for &slot in slots {
            if !self.changes.contains(slot) && self.rowtimes[slot as usize] != ABSENT {
                first.push(slot);
                // The slots are marked in order when they have changed; until then this says that the group is remembered.
                self.changes.mark_one(slot);
            }
        }
        if first.is_empty() {
            return;
        }
        self.emitted.put(self.groups.results(&first), first);
    }

    /// Folds the rows of `batch` into the groups `slots`; `undone` are taken back, and results are due after rows of `emits`.
    fn fold_and_emit(
        &mut self,
        batch: ChangeBatch,
        slots: &[u32],
        (undone, emits): (Option<&[bool]>, Option<&BooleanBuffer>),
        out: &mut Output,
    ) {
        let every_row = self.emission == Emission::EveryRow && self.finals.is_none();
        let before = (self.attach_old && every_row).then(|| OldRows {
            value: self.groups.results(slots),
            present: slots.iter().map(|&slot| self.rowtimes[slot as usize] != ABSENT).collect(),
        });
        if self.attach_old && !every_row && self.finals.is_none() {
            self.remember_emitted(slots);
        }
        let folding = Folding { batch: &batch, slots, undone, merges: &[], emit: every_row };
        let results = self.groups.fold(&folding, out);
        let rowtimes = &mut self.rowtimes;
        self.groups.remember(&batch, slots, |row, slot| {
            let rowtime = &mut rowtimes[slot as usize];
            let is_first = *rowtime == ABSENT;
            if is_first {
                *rowtime = batch.rowtime[row];
            }
            is_first
        });
        let rowtime = self.raise_rowtimes(&batch, slots);
        self.changes.mark(slots);
        if !every_row && self.finals.is_none() {
            self.headers.note(&batch, slots);
        }
        let Some(value) = results else { return };
        let old = before.map(|before| self.old_rows(slots, &before, &value, emits));
        let batch = ChangeBatch { value, rowtime, old, ..batch };
        out.emit(match emits {
            Some(emits) => batch.filter(emits),
            None => batch,
        });
    }

    /// Forgets windows beyond the retention: those in memory one by one, in storage whole buckets.
    fn expire(&mut self, windows: TimeWindows, writes: &mut WriteSet) {
        let oldest_kept = windows.oldest_kept(self.stream_time, self.finals.is_some());
        while let Some(entry) = self.starts.first_entry().filter(|entry| *entry.key() < oldest_kept) {
            for slot in entry.remove() {
                self.slots.remove(slot);
                self.forget(slot);
            }
        }
        if let Some(first_left) = self.buckets.forget_before(oldest_kept) {
            self.slots.store().delete_before(writes, &bucket_prefix(first_left, &[]));
        }
        self.groups.compact();
    }

    /// Memory that is there for what is kept by slot, whether slots are free or not, about.
    fn cells_bytes(&self) -> usize {
        let cell = 2 * size_of::<i64>() + size_of::<u32>() + 1 + self.groups.slot_bytes();
        self.rowtimes.len() * cell
    }

    /// Forgets what is kept for `slot`.
    fn forget(&mut self, slot: u32) {
        self.groups.remove(slot);
        self.rowtimes[slot as usize] = ABSENT;
        self.is_stored[slot as usize] = false;
    }
}

impl TimeWindows {
    /// The buckets that windows are stored in.
    pub(crate) fn buckets(self) -> Buckets {
        Buckets::new(self.retention_ms, self.advance_ms)
    }

    /// The newest start of a window that has closed at `stream_time`.
    pub(super) fn newest_closed(self, stream_time: i64) -> i64 {
        stream_time.saturating_sub(self.grace_ms).saturating_sub(self.size_ms)
    }

    /// The oldest start of a window that can be read at `stream_time`: a retention before the newest window. Stores that find
    /// windows by their time, as EMIT FINAL has (`by_time`), keep one more.
    pub(crate) fn oldest_kept(self, stream_time: i64, by_time: bool) -> i64 {
        let newest = stream_time.div_euclid(self.advance_ms) * self.advance_ms;
        newest.saturating_sub(self.retention_ms).saturating_add(i64::from(!by_time))
    }
}

/// `left` where a source says 0, `right` where it says 1.
pub(super) fn interleaved(left: &ArrayRef, right: &ArrayRef, sources: &[(usize, usize)]) -> ArrayRef {
    interleave(&[left.as_ref(), right.as_ref()], sources).expect("both sides have one type")
}

impl Operator for Aggregate {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut batch = without_null_rows(batch, self.undo, out);
        let (stream_time, causes) = (self.stream_time, self.finals.is_some().then(|| Causes::of(&batch)));
        if let Some(windows) = self.windows {
            batch = self.assign_windows(batch, windows, out);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let mut slots = std::mem::take(&mut self.batch_slots);
        self.assign_slots(&batch, &mut slots)?;
        if self.undo {
            let TakenApart { batch, undone, emits } = self.undo_and_add(&batch, &mut slots);
            if !batch.is_empty() {
                self.fold_and_emit(batch, &slots, (Some(&undone), Some(&emits)), out);
            }
        } else {
            self.fold_and_emit(batch, &slots, (None, None), out);
        }
        if let (Some(windows), Some(_)) = (self.windows, &causes) {
            self.load_closing(windows, stream_time)?;
        }
        if let (Some(finals), Some(windows), Some(causes)) = (&mut self.finals, self.windows, causes) {
            let closed = time_windows_closed(&self.starts, windows, stream_time, &causes.rowtime);
            finals.emit(&closed, &causes, &self.groups, |closed| self.rowtimes[closed.slot as usize], out);
        }
        self.batch_slots = slots;
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), StateError> {
        if self.emission == Emission::EveryRow || self.finals.is_some() || self.changes.is_empty() {
            return Ok(());
        }
        let slots = self.changes.in_order();
        let window = self.windows.map(|windows| {
            let start: Vec<i64> = slots.iter().map(|&slot| window_start(self.slots.key(slot))).collect();
            let end: Vec<i64> = start.iter().map(|start| start + windows.size_ms).collect();
            WindowColumns { start: start.into(), end: end.into() }
        });
        let old = self.attach_old.then(|| {
            let before = self.emitted.references(&slots);
            OldRows {
                value: self.emitted.gather(&before),
                present: before.iter().map(|row| row.is_present()).collect(),
            }
        });
        out.emit(ChangeBatch {
            key: self.groups.keys(&slots),
            value: self.groups.results(&slots),
            rowtime: slots.iter().map(|&slot| self.rowtimes[slot as usize]).collect(),
            window,
            tombstones: None,
            null_keys: None,
            seq: vec![NO_RECORD; slots.len()].into(),
            headers: self.headers.take(&slots),
            old,
        });
        for slot in slots {
            self.emitted.set(slot, RowRef::ABSENT);
        }
        self.emitted.compact();
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        let slots = self.changes.take();
        if !slots.is_empty() {
            let (keys, buckets, is_stored) = (&mut self.slots, &mut self.buckets, &mut self.is_stored);
            let windows = self.windows;
            self.groups.encode(
                &slots,
                |slot| self.rowtimes[slot as usize],
                |slot, value| {
                    let is_new = !std::mem::replace(&mut is_stored[slot as usize], true);
                    if is_new {
                        buckets.add(windows.map_or(0, |_| window_start(keys.key(slot))));
                    }
                    keys.note_written(slot, &value, is_new);
                    keys.store().put(writes, keys.key(slot), value);
                },
            )?;
            if let Some(windows) = self.windows {
                self.expire(windows, writes);
            }
            self.buckets.persist(self.stream_time, self.slots.store(), writes);
        }
        self.slots.end_commit();
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.changes.len()
    }

    fn memory_bytes(&self) -> usize {
        let starts = self.slots.len() * 2 * size_of::<u32>();
        self.slots.memory_bytes() + self.cells_bytes() + self.groups.rows_bytes() + self.emitted.memory_bytes() + starts
    }

    fn shrink(&mut self, bytes: usize) {
        let fixed = self.slots.fixed_bytes() + self.cells_bytes();
        let keep = keys_within(bytes.saturating_sub(fixed), self.slots.len(), self.memory_bytes() - fixed);
        let evicted = self.slots.evict(keep);
        if evicted.is_empty() {
            return;
        }
        evicted.into_iter().for_each(|slot| self.forget(slot));
        let rowtimes = &self.rowtimes;
        self.starts.retain(|_, slots| {
            slots.retain(|&slot| rowtimes[slot as usize] != ABSENT);
            !slots.is_empty()
        });
        self.groups.compact();
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![StoreSize { entries: self.buckets.total(), ..self.slots.size() }]
    }

    fn window_clock(&self) -> Option<WindowClock> {
        let windows = self.windows?;
        let newest_closed = windows.newest_closed(self.stream_time);
        let mut open = self.starts.range(newest_closed.saturating_add(1)..).map(|(start, _)| *start).peekable();
        let next_close =
            open.peek().map(|start| start.saturating_add(windows.size_ms).saturating_add(windows.grace_ms));
        Some(WindowClock { stream_time: self.stream_time, open: open.count() as u64, next_close })
    }
}
