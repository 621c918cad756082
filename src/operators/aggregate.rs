//! `GROUP BY`: one row per key (and window) with the aggregates so far.
//!
//! The input's key is the group; its value columns are the carried columns, then the arguments. Rows with a null key or
//! value are dropped and reported. Each row belongs to every window that contains its time; a window takes it while
//! `window end > stream time - grace`, with stream time raised by this very row; a row that no window takes is reported
//! as late. Emission is a separate decision over the same state:
//!
//! - [`Emission::EveryRow`]: a result after every row (record cache off);
//! - [`Emission::AtCommit`]: the last result of every key that changed, in the order of their last change.
//!
//! The result's time is the greatest time of the group's rows. Over a table the old row is taken back before the new one
//! is added, in one step. Windows older than the retention are forgotten at commit. Semantics 4.1 to 4.4.
//!
//! State: key → `rowtime: i64 LE, row(key columns, carried columns, accumulator state)`, and `ff` → stream time.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::{BooleanBuffer, ScalarBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;

use super::accumulators::{Accumulator, Update};
use super::changes::Changes;
use super::keyed_rows::split_rowtime;
use super::{NO_RECORD, Operator, Output, Port};
use crate::state::key_encoding::{EncodedKeys, window_start};
use crate::state::row_format::{decode_rows_counted, encode_row};
use crate::state::{EntryWeight, RowRef, RowTable, SlotTable, StateError, Store, StoreSize};
use crate::storage::{Entry, WriteSet};
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

/// One aggregate: its accumulator and the index of its argument among the input's value columns.
pub struct Call {
    /// State of all groups.
    pub accumulator: Box<dyn Accumulator>,
    /// `None` for functions of no argument.
    pub argument: Option<usize>,
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
}

/// Aggregates rows by key and window.
pub struct Aggregate {
    options: AggregateOptions,
    store: Store,
    slots: SlotTable,
    /// Key columns and carried columns of the newest row of each group.
    rows: RowTable,
    /// Greatest time of each group; [`ABSENT`] for free slots.
    rowtimes: Vec<i64>,
    stream_time: i64,
    /// Slots by window start, and the newest start.
    windows: BTreeMap<i64, Vec<u32>>,
    newest_window: i64,
    changes: Changes,
    /// Results as of the last emission, of groups that have changed since; for old rows of held-back results.
    emitted: RowTable,
    weight: EntryWeight,
    keys: EncodedKeys,
    batch_slots: Vec<u32>,
    /// Per slot its last row in the batch at hand; [`NO_ROW`] between batches.
    last_rows: Vec<u32>,
}

const ABSENT: i64 = i64::MIN;
const NO_ROW: u32 = u32::MAX;
const STREAM_TIME_KEY: &[u8] = &[0xff];

/// Gives `calls` the stored `state` of `slots`, whose rows hold `counts` columns of it each. A row has fewer columns than the
/// calls when it was written before the last of them were added; those keep their initial value.
pub(crate) fn load_state(calls: &mut [Call], slots: &[u32], mut state: Vec<ArrayRef>, counts: &[usize]) {
    let mut columns = 0;
    for call in calls {
        let rest = state.split_off(call.accumulator.state_types().len());
        columns += state.len();
        if counts.iter().all(|&count| count >= columns) {
            call.accumulator.load(slots, &state);
        } else {
            let known: Vec<u32> = (0..slots.len() as u32).filter(|&row| counts[row as usize] >= columns).collect();
            let known_slots: Vec<u32> = known.iter().map(|&row| slots[row as usize]).collect();
            let known = UInt32Array::from(known);
            let take = |column: &ArrayRef| take(column, &known, None).expect("the rows are there");
            call.accumulator.load(&known_slots, &state.iter().map(take).collect::<Vec<_>>());
        }
        state = rest;
    }
}

/// Rows ready to be folded: one per group they belong to, and per direction.
struct Folding {
    batch: ChangeBatch,
    /// Rows taken back, where the input is a table.
    undone: Option<Vec<bool>>,
    /// Rows after which a result is due; `None`: all.
    emits: Option<BooleanBuffer>,
}

impl Aggregate {
    /// The aggregation with its state in `store`; what storage holds is read at once.
    pub fn open(options: AggregateOptions, store: &Store) -> Result<Self, StateError> {
        let row_types: Vec<DataType> = options.key_types.iter().chain(&options.carried_types).cloned().collect();
        let no_slots: &[u32] = &[];
        let result_types: Vec<DataType> = (options.carried_types.iter().cloned())
            .chain(options.calls.iter().map(|call| call.accumulator.results(no_slots).data_type().clone()))
            .collect();
        let mut aggregate = Self {
            options,
            store: store.clone(),
            slots: SlotTable::default(),
            rows: RowTable::new(&row_types),
            rowtimes: Vec::new(),
            stream_time: -1,
            windows: BTreeMap::new(),
            newest_window: i64::MIN,
            changes: Changes::default(),
            emitted: RowTable::new(&result_types),
            weight: EntryWeight::default(),
            keys: EncodedKeys::default(),
            batch_slots: Vec::new(),
            last_rows: Vec::new(),
        };
        store.scan(|entries| aggregate.load(entries, row_types.len()))?;
        Ok(aggregate)
    }

    /// Types of the rows in storage.
    fn stored_types(options: &AggregateOptions) -> Vec<DataType> {
        let row = options.key_types.iter().chain(&options.carried_types).cloned();
        row.chain(options.calls.iter().flat_map(|call| call.accumulator.state_types())).collect()
    }

    fn load(&mut self, entries: &[Entry], row_columns: usize) -> Result<(), StateError> {
        let mut slots = Vec::with_capacity(entries.len());
        let mut values = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let (rowtime, row) = split_rowtime(value)?;
            if key == STREAM_TIME_KEY {
                self.stream_time = rowtime;
                continue;
            }
            self.weight.note(key, value);
            let (slot, _) = self.slots.insert(key);
            self.grow();
            self.rowtimes[slot as usize] = rowtime;
            if self.options.windows.is_some() {
                self.index_window(slot, window_start(key));
            }
            slots.push(slot);
            values.push(row);
        }
        let (mut columns, counts) = decode_rows_counted(&Self::stored_types(&self.options), values)?;
        let state = columns.split_off(row_columns);
        let counts: Vec<usize> = counts.into_iter().map(|count| count.saturating_sub(row_columns)).collect();
        load_state(&mut self.options.calls, &slots, state, &counts);
        let segment = self.rows.add_segment(columns, slots.clone());
        for (row, slot) in slots.into_iter().enumerate() {
            self.rows.set(slot, RowRef::new(segment, row));
        }
        self.rows.compact();
        Ok(())
    }

    /// Makes room for all assigned slots.
    fn grow(&mut self) {
        let capacity = self.slots.capacity();
        if self.rowtimes.len() < capacity {
            let room = capacity.next_power_of_two();
            self.rowtimes.resize(room, ABSENT);
            self.changes.grow(room);
            self.options.calls.iter_mut().for_each(|call| call.accumulator.grow(room));
        }
    }

    fn index_window(&mut self, slot: u32, start: i64) {
        self.windows.entry(start).or_default().push(slot);
        self.newest_window = self.newest_window.max(start);
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
        out.report(&batch, late);
        let unchanged = indices.len() == batch.len() && indices.iter().zip(0..).all(|(&index, row)| index == row);
        let mut batch = if unchanged { batch } else { batch.take(&UInt32Array::from(indices)) };
        let ends: Vec<i64> = starts.iter().map(|start| start + size_ms).collect();
        batch.window = Some(WindowColumns { start: starts.into(), end: ends.into() });
        batch
    }

    /// Splits table changes into rows taken back and rows added.
    fn undo_and_add(&self, batch: &ChangeBatch, slots: &mut Vec<u32>) -> Folding {
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
                added.insert(slot);
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
        Folding {
            batch: expanded,
            undone: Some(sides.iter().map(|&(side, _)| side == 0).collect()),
            emits: Some(emits.into_iter().collect()),
        }
    }

    /// Folds the rows and returns their results, as value columns.
    fn fold(&mut self, folding: &Folding, slots: &[u32], out: &mut Output) -> Option<Vec<ArrayRef>> {
        let emit = self.options.emission == Emission::EveryRow;
        let carried = self.options.carried_types.len();
        let mut results: Vec<ArrayRef> = folding.batch.value[..carried].to_vec();
        for call in &mut self.options.calls {
            let argument = call.argument.map(|index| &folding.batch.value[index]);
            let rows = Update { slots, argument, undone: folding.undone.as_deref() };
            results.extend(call.accumulator.update(&rows, emit));
            out.report_lost(&folding.batch, call.accumulator.take_rejected());
        }
        emit.then_some(results)
    }

    /// Remembers key and carried columns of the newest row of each group.
    fn remember_rows(&mut self, batch: &ChangeBatch, slots: &[u32]) {
        let carried = self.options.carried_types.len();
        if carried == 0 && slots.iter().all(|&slot| self.rowtimes[slot as usize] != ABSENT) {
            return;
        }
        let columns: Vec<ArrayRef> = batch.key.iter().chain(&batch.value[..carried]).cloned().collect();
        if carried == 0 {
            let mut rows: Vec<u32> = Vec::new();
            for (row, &slot) in slots.iter().enumerate() {
                if self.rowtimes[slot as usize] == ABSENT {
                    self.rowtimes[slot as usize] = batch.rowtime[row];
                    rows.push(row as u32);
                }
            }
            let slots: Vec<u32> = rows.iter().map(|&row| slots[row as usize]).collect();
            let rows = UInt32Array::from(rows);
            let taken = columns
                .iter()
                .map(|column| arrow::compute::take(column, &rows, None).expect("rows are within the batch"));
            let segment = self.rows.add_segment(taken.collect(), slots.clone());
            for (row, slot) in slots.into_iter().enumerate() {
                self.rows.set(slot, RowRef::new(segment, row));
            }
        } else {
            let segment = self.rows.add_segment(columns, slots.to_vec());
            for (row, &slot) in slots.iter().enumerate() {
                self.rows.set(slot, RowRef::new(segment, row));
            }
        }
        self.rows.compact();
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

    /// Results of `slots` now: carried columns, then aggregates.
    fn results(&self, slots: &[u32]) -> Vec<ArrayRef> {
        let references: Vec<RowRef> = slots.iter().map(|&slot| self.rows.get(slot)).collect();
        let mut columns = self.rows.gather(&references).split_off(self.options.key_types.len());
        columns.extend(self.options.calls.iter().map(|call| call.accumulator.results(slots)));
        columns
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
        let mut seen = HashSet::new();
        let first: Vec<u32> = (slots.iter().copied())
            .filter(|&slot| !self.changes.contains(slot) && self.rowtimes[slot as usize] != ABSENT)
            .filter(|&slot| seen.insert(slot))
            .collect();
        if first.is_empty() {
            return;
        }
        let segment = self.emitted.add_segment(self.results(&first), first.clone());
        for (row, slot) in first.into_iter().enumerate() {
            self.emitted.set(slot, RowRef::new(segment, row));
        }
    }

    fn fold_and_emit(&mut self, folding: Folding, slots: &[u32], out: &mut Output) {
        let every_row = self.options.emission == Emission::EveryRow;
        let before = (self.options.attach_old && every_row).then(|| OldRows {
            value: self.results(slots),
            present: slots.iter().map(|&slot| self.rowtimes[slot as usize] != ABSENT).collect(),
        });
        if self.options.attach_old && !every_row {
            self.remember_emitted(slots);
        }
        let results = self.fold(&folding, slots, out);
        self.remember_rows(&folding.batch, slots);
        let rowtime = self.raise_rowtimes(&folding.batch, slots);
        self.changes.mark(slots);
        let Some(value) = results else { return };
        let old = before.map(|before| self.old_rows(slots, &before, &value, folding.emits.as_ref()));
        let batch = ChangeBatch { value, rowtime, old, ..folding.batch };
        out.emit(match &folding.emits {
            Some(emits) => batch.filter(emits),
            None => batch,
        });
    }

    /// Forgets windows beyond the retention.
    fn expire(&mut self, retention_ms: i64, writes: &mut WriteSet) {
        let oldest_kept = self.newest_window.saturating_sub(retention_ms).saturating_add(1);
        while let Some(entry) = self.windows.first_entry().filter(|entry| *entry.key() < oldest_kept) {
            for slot in entry.remove() {
                self.store.delete(writes, self.slots.key(slot));
                self.slots.remove(slot);
                self.rows.set(slot, RowRef::ABSENT);
                self.rowtimes[slot as usize] = ABSENT;
                self.options.calls.iter_mut().for_each(|call| call.accumulator.reset(slot));
            }
        }
        self.rows.compact();
    }
}

/// `left` where a source says 0, `right` where it says 1.
fn interleaved(left: &ArrayRef, right: &ArrayRef, sources: &[(usize, usize)]) -> ArrayRef {
    interleave(&[left.as_ref(), right.as_ref()], sources).expect("both sides have one type")
}

impl Operator for Aggregate {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let mut batch = without_null_rows(batch, self.options.undo, out);
        if let Some(windows) = self.options.windows {
            batch = self.assign_windows(batch, windows, out);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.keys.encode(&batch.key, batch.window.as_ref().map(|window| &window.start[..]), batch.len());
        let mut slots = std::mem::take(&mut self.batch_slots);
        let mut new = Vec::new();
        self.slots.assign(&self.keys, &mut slots, |slot, _| new.push(slot));
        self.grow();
        if self.options.windows.is_some() {
            for &slot in &new {
                self.index_window(slot, window_start(self.slots.key(slot)));
            }
        }
        let folding = if self.options.undo {
            self.undo_and_add(&batch, &mut slots)
        } else {
            Folding { batch, undone: None, emits: None }
        };
        if !folding.batch.is_empty() {
            self.fold_and_emit(folding, &slots, out);
        }
        self.batch_slots = slots;
        Ok(())
    }

    fn flush(&mut self, out: &mut Output) -> Result<(), StateError> {
        if self.options.emission == Emission::EveryRow || self.changes.is_empty() {
            return Ok(());
        }
        let slots = self.changes.in_order();
        let references: Vec<RowRef> = slots.iter().map(|&slot| self.rows.get(slot)).collect();
        let mut key = self.rows.gather(&references);
        key.truncate(self.options.key_types.len());
        let window = self.options.windows.map(|windows| {
            let start: Vec<i64> = slots.iter().map(|&slot| window_start(self.slots.key(slot))).collect();
            let end: Vec<i64> = start.iter().map(|start| start + windows.size_ms).collect();
            WindowColumns { start: start.into(), end: end.into() }
        });
        let old = self.options.attach_old.then(|| {
            let before: Vec<RowRef> = slots.iter().map(|&slot| self.emitted.get(slot)).collect();
            OldRows {
                value: self.emitted.gather(&before),
                present: before.iter().map(|row| row.is_present()).collect(),
            }
        });
        out.emit(ChangeBatch {
            key,
            value: self.results(&slots),
            rowtime: slots.iter().map(|&slot| self.rowtimes[slot as usize]).collect(),
            window,
            tombstones: None,
            null_keys: None,
            seq: vec![NO_RECORD; slots.len()].into(),
            headers: None,
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
        let references: Vec<RowRef> = slots.iter().map(|&slot| self.rows.get(slot)).collect();
        let mut columns = self.rows.gather(&references);
        for call in &self.options.calls {
            columns.extend(call.accumulator.state(&slots));
        }
        for (row, &slot) in slots.iter().enumerate() {
            let mut value = self.rowtimes[slot as usize].to_le_bytes().to_vec();
            encode_row(&columns, row, &mut value);
            self.weight.note(self.slots.key(slot), &value);
            self.store.put(writes, self.slots.key(slot), value);
        }
        if let Some(windows) = self.options.windows
            && !slots.is_empty()
        {
            self.store.put(writes, STREAM_TIME_KEY, self.stream_time.to_le_bytes().to_vec());
            self.expire(windows.retention_ms, writes);
        }
        Ok(())
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.store.size(self.slots.len(), self.weight)]
    }
}

/// The rows that can be aggregated: those with a key and, unless deletions count, a value.
fn without_null_rows(batch: ChangeBatch, tombstones_count: bool, out: &mut Output) -> ChangeBatch {
    let mut dropped = BooleanBuffer::new_unset(batch.len());
    if let Some(null_keys) = &batch.null_keys {
        dropped = &dropped | null_keys;
    }
    if let (Some(tombstones), false) = (&batch.tombstones, tombstones_count) {
        dropped = &dropped | tombstones;
    }
    if dropped.count_set_bits() == 0 {
        return batch;
    }
    out.errors.extend(dropped.set_indices().map(|row| RowError {
        row: batch.seq[row],
        reason: format!("null {}: the row is not aggregated", if batch.is_null_key(row) { "key" } else { "value" }),
    }));
    batch.filter(&!&dropped)
}
