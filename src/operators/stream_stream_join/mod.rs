//! `stream [LEFT | RIGHT | FULL] JOIN stream WITHIN … ON left_key = right_key`.
//!
//! A record meets those of the other side whose keys are equal and whose times are in reach: from `time - before` to
//! `time + after`, both inclusive. Each pair is emitted when its second record comes, in the order of the first ones' times,
//! with the later time; then the record is kept for those that follow. `T` is the greatest time seen on either side.
//!
//! What becomes of a record without a partner, on a side whose rows come out without one too:
//!
//! - *eager* (no GRACE PERIOD): it comes out at once, and again if a partner arrives;
//! - else it waits, and comes out when `time + after + grace < T`, when a record raises or repeats `T` (and see
//!   `Waiting::take_due`); at once, if `time + after < T` already. Those due together come out by time, the secondary
//!   side's first, then by key bytes.
//!
//! Null values are dropped; a null key comes out alone where rows come out without a partner, else it is dropped. Nothing is
//! dropped for being late: a late record simply meets what is still visible. ksqlDB looks for records that are due at most
//! once a second; here it is after every record, so that results follow from records alone. Semantics 5.2.
//!
//! ```text
//!             ┌─ probe ─▶ Buffer of the other side ─▶ pairs
//! record ─▶ T ┤
//!             └─ keep ──▶ Buffer of its own side ···▶ Waiting (outer sides) ─▶ halves, when T has passed
//! ```
//!
//! RIGHT is LEFT with sides exchanged, and so is its reach: the *primary* side, to which `before` and `after` belong, is then
//! the right one.

mod buffer;
mod key_uses;
mod times;
mod waiting;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Int64Type};

use self::buffer::Buffer;
use self::key_uses::KeyUses;
use self::waiting::Waiting;
use super::memory::share;
use super::two_sides::{StepRows, TwoSides};
use super::{Fate, Fates, LEFT, Operator, Output, Port, RIGHT, SerializedKeys, WindowClock};
use crate::state::key_encoding::EncodedKeys;
use crate::state::{META_KEY, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, WindowColumns, WindowKind};

/// Parameters of a [`StreamStreamJoin`].
pub struct StreamJoinOptions {
    /// Whether every result has a row of the side.
    pub required: [bool; 2],
    /// Earlier times in reach of a record of the primary side: later ones of the other side's.
    pub before_ms: i64,
    /// Later times in reach of a record of the primary side.
    pub after_ms: i64,
    /// How long after its reach a record still finds partners.
    pub grace_ms: i64,
    /// Types of the key columns.
    pub key_types: Vec<DataType>,
    /// Types of the value columns of each side.
    pub types: [Vec<DataType>; 2],
    /// Windows of the left side's keys; those of the right side are of the same family.
    pub window: Option<WindowKind>,
    /// Bytes of keys, by which what is due together is ordered.
    pub serialized_keys: SerializedKeys,
}

/// Joins the records of two streams that are close in time.
pub struct StreamStreamJoin {
    options: StreamJoinOptions,
    primary: Port,
    /// Greatest time seen.
    stream_time: i64,
    keys: KeyUses,
    buffers: [Buffer; 2],
    /// Outer joins that are not eager.
    waiting: Option<Waiting>,
    times: Store,
    step: TwoSides,
    encoded: EncodedKeys,
}

/// A result: its records by sides, and which record made it.
struct Pair {
    records: [Option<u32>; 2],
    time: i64,
    made_by: (Port, usize),
}

/// Rows that are being joined.
struct Joining<'a> {
    rows: &'a StepRows,
    /// Slots of their keys, where they have one.
    keys: [Vec<Option<u32>>; 2],
    /// Their records.
    records: [Vec<u32>; 2],
    pairs: Vec<Pair>,
    /// Records that wait no longer.
    released: Vec<(Port, u32)>,
    fates: Fates,
}

impl StreamStreamJoin {
    /// The join with the records of both sides in `stores`, and with those that wait for a partner in `waiting`, which outer
    /// joins with a grace period have; what storage holds is read as far as memory allows.
    pub fn open(options: StreamJoinOptions, stores: [&Store; 2], waiting: Option<&Store>) -> Result<Self, StateError> {
        let retention_ms = options.before_ms.saturating_add(options.after_ms).saturating_add(options.grace_ms);
        let buffer = |side: Port| {
            let bounds = vec![DataType::Int64; if options.window.is_some() { 2 } else { 0 }];
            let types = [options.key_types.clone(), bounds, options.types[side].clone()].concat();
            Buffer::new(stores[side], types, retention_ms)
        };
        let mut join = Self {
            primary: if options.required == [false, true] { RIGHT } else { LEFT },
            stream_time: -1,
            keys: KeyUses::default(),
            buffers: [buffer(LEFT), buffer(RIGHT)],
            waiting: waiting.map(Waiting::new),
            times: stores[LEFT].clone(),
            step: TwoSides::default(),
            encoded: EncodedKeys::default(),
            options,
        };
        join.load()?;
        Ok(join)
    }

    fn load(&mut self) -> Result<(), StateError> {
        if let Some(times) = self.times.get(META_KEY)? {
            let corrupt = || StateError::Corrupt("the times of a join are too short".to_owned());
            let read = |at: usize| -> Result<i64, StateError> {
                let bytes = times.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).ok_or_else(corrupt)?;
                Ok(i64::from_le_bytes(bytes))
            };
            self.stream_time = read(0)?;
            self.buffers[LEFT].newest = read(8)?;
            self.buffers[RIGHT].newest = read(16)?;
            if let Some(waiting) = &mut self.waiting {
                waiting.set_visited(read(24)?);
            }
        }
        for buffer in &mut self.buffers {
            buffer.load(&mut self.keys)?;
        }
        match &mut self.waiting {
            Some(waiting) => waiting.load(&mut self.buffers, &mut self.keys),
            None => Ok(()),
        }
    }

    /// Whether rows of `side` come out without a partner.
    fn is_outer(&self, side: Port) -> bool {
        !self.options.required[1 - side]
    }

    /// How much earlier and later than a record of `side` its partners may be.
    fn reach(&self, side: Port) -> (i64, i64) {
        let StreamJoinOptions { before_ms, after_ms, .. } = self.options;
        if side == self.primary { (before_ms, after_ms) } else { (after_ms, before_ms) }
    }

    fn join(&mut self, rows: &StepRows, out: &mut Output) -> Result<(), StateError> {
        let keys = [LEFT, RIGHT].map(|side| self.slots(&rows.sides[side]));
        let records = [LEFT, RIGHT].map(|side| {
            let batch = &rows.sides[side];
            if batch.is_empty() {
                return Vec::new();
            }
            self.buffers[side].add_rows(stored_columns(batch), &batch.rowtime, &keys[side])
        });
        let mut joining =
            Joining { rows, keys, records, pairs: Vec::new(), released: Vec::new(), fates: Fates::default() };
        for &(side, row) in &rows.order {
            self.take(side, row, &mut joining)?;
        }
        out.fates.add_all(&joining.fates);
        if !joining.pairs.is_empty() {
            out.emit(self.batch(&joining));
        }
        for side in [LEFT, RIGHT] {
            joining.records[side].iter().for_each(|&record| self.forget_unless_needed(side, record));
        }
        joining.released.iter().for_each(|&(side, record)| self.forget_unless_needed(side, record));
        Ok(())
    }

    /// The slots of the keys of `batch`, each used once more.
    fn slots(&mut self, batch: &ChangeBatch) -> Vec<Option<u32>> {
        self.encoded.encode_windowed(&batch.key, batch.window.as_ref().zip(self.options.window), batch.len());
        let slot = |row| (!batch.is_null_key(row)).then(|| self.keys.add_row(&self.encoded, row));
        (0..batch.len()).map(slot).collect()
    }

    fn forget_unless_needed(&mut self, side: Port, record: u32) {
        if self.buffers[side].forget_unless_needed(record) {
            self.keys.remove(self.buffers[side].record(record).key);
        }
    }

    /// Joins the record in `row` of `side` with what came before it.
    fn take(&mut self, side: Port, row: usize, joining: &mut Joining) -> Result<(), StateError> {
        let batch = &joining.rows.sides[side];
        let (time, record) = (batch.rowtime[row], joining.records[side][row]);
        self.stream_time = self.stream_time.max(time);
        let alone = |time| Pair { records: of_side(side, record), time, made_by: (side, row) };
        if batch.is_tombstone(row) {
            joining.fates.add(Fate::NullValue, 1);
            return Ok(());
        }
        let Some(key) = joining.keys[side][row] else {
            if self.is_outer(side) {
                joining.pairs.push(alone(time));
                joining.fates.add(Fate::Unmatched, 1);
            } else {
                joining.fates.add(Fate::NullKey, 1);
            }
            return Ok(());
        };
        if time == self.stream_time {
            self.release_due((side, row), joining);
        }
        let is_matched = self.probe(side, row, key, joining)?;
        joining.fates.add(Fate::Waited, usize::from(!is_matched));
        if !is_matched && self.is_outer(side) {
            let may_meet = time.saturating_add(self.reach(side).1) >= self.stream_time;
            match &mut self.waiting {
                Some(waiting) if may_meet => {
                    let listed = self.buffers[side].record_mut(record);
                    (listed.is_listed, listed.is_unmatched) = (true, true);
                    waiting.list(side, time, record);
                }
                _ => joining.pairs.push(alone(time)),
            }
        }
        self.buffers[side].keep(record);
        Ok(())
    }

    /// Adds the pairs that the record in `row` makes; returns whether there are any.
    fn probe(&mut self, side: Port, row: usize, key: u32, joining: &mut Joining) -> Result<bool, StateError> {
        let (time, record) = (joining.rows.sides[side].rowtime[row], joining.records[side][row]);
        let (before, after) = self.reach(side);
        let (from, to) = (time.saturating_sub(before).max(0), time.saturating_add(after));
        let first = joining.pairs.len();
        self.buffers[1 - side].warm(key, from, to, &mut self.keys)?;
        for partner in self.buffers[1 - side].between(key, from, to) {
            let mut records = of_side(side, record);
            records[1 - side] = Some(partner);
            joining.pairs.push(Pair { records, time, made_by: (side, row) });
        }
        for pair in &mut joining.pairs[first..] {
            let Some(partner) = pair.records[1 - side] else { continue };
            let partner = self.buffers[1 - side].record_mut(partner);
            pair.time = time.max(partner.time);
            let met = *partner;
            (partner.is_unmatched, partner.is_stored_unmatched) = (false, false);
            if let (true, Some(waiting)) = (met.is_unmatched, &mut self.waiting) {
                if met.is_stored_unmatched {
                    waiting.unstore(1 - side, &met, self.keys.key(met.key));
                }
                for record in waiting.meet(1 - side, met.time) {
                    self.buffers[1 - side].record_mut(record).is_listed = false;
                    joining.released.push((1 - side, record));
                }
            }
        }
        Ok(joining.pairs.len() > first)
    }

    /// Lets come out what waits in vain now that `T` has been raised by `made_by`.
    fn release_due(&mut self, made_by: (Port, usize), joining: &mut Joining) {
        let later = [LEFT, RIGHT].map(|side| self.reach(side).1.saturating_add(self.options.grace_ms));
        let Some(waiting) = &mut self.waiting else { return };
        for (side, time, records) in waiting.take_due(self.stream_time, later, (made_by.0, self.primary)) {
            let mut due = Vec::with_capacity(records.len());
            for record in records {
                let buffer = &mut self.buffers[side];
                let state = *buffer.record(record);
                if state.is_unmatched {
                    due.push(record);
                }
                if let (true, Some(waiting)) = (state.is_stored_unmatched, &mut self.waiting) {
                    waiting.unstore(side, &state, self.keys.key(state.key));
                }
                let listed = buffer.record_mut(record);
                (listed.is_listed, listed.is_unmatched, listed.is_stored_unmatched) = (false, false, false);
                joining.released.push((side, record));
            }
            joining.fates.add(Fate::Unmatched, due.len());
            self.sort_by_key_bytes(side, &mut due);
            let halves = due.into_iter().map(|record| Pair { records: of_side(side, record), time, made_by });
            joining.pairs.extend(halves);
        }
    }

    /// Orders records of equal time by the bytes of their keys with the windows of these, then by arrival.
    fn sort_by_key_bytes(&mut self, side: Port, records: &mut Vec<u32>) {
        if records.len() < 2 {
            return;
        }
        let mut columns = self.buffers[side].gather(&records.iter().copied().map(Some).collect::<Vec<_>>());
        // A window's bounds come first, if rows have any.
        let others = columns.split_off(self.options.key_types.len());
        let bytes = (self.options.serialized_keys)(&columns, records.len());
        let mut order: Vec<usize> = (0..records.len()).collect();
        match self.options.window {
            None => order.sort_by_key(|&row| bytes.value(row)),
            Some(kind) => {
                order.sort_by_cached_key(|&row| [bytes.value(row), &window_bytes(kind, &others, row)].concat());
            }
        }
        *records = order.into_iter().map(|row| records[row]).collect();
    }

    /// The pairs as rows.
    fn batch(&self, joining: &Joining) -> ChangeBatch {
        let made_by: Vec<(Port, usize)> = joining.pairs.iter().map(|pair| pair.made_by).collect();
        let mut batch = joining.rows.take_rows(&made_by);
        let mut sides = [LEFT, RIGHT].map(|side| {
            let records: Vec<Option<u32>> = joining.pairs.iter().map(|pair| pair.records[side]).collect();
            self.buffers[side].gather(&records)
        });
        let carried = self.options.key_types.len() + if self.options.window.is_some() { 2 } else { 0 };
        let values = sides.each_mut().map(|columns| columns.split_off(carried));
        let has_left: BooleanArray = joining.pairs.iter().map(|pair| Some(pair.records[LEFT].is_some())).collect();
        let [left, right] = sides;
        let mut key: Vec<ArrayRef> = if has_left.false_count() == 0 {
            left
        } else {
            let either = |(left, right): (ArrayRef, ArrayRef)| zip(&has_left, &left, &right);
            let either = left.into_iter().zip(right).map(either);
            either.map(|column| column.expect("keys of both sides have one type")).collect()
        };
        if let Some(kind) = self.options.window {
            batch.window = Some(windows(&key.split_off(self.options.key_types.len()), kind));
        }
        batch.key = key;
        batch.value = values.concat();
        batch.rowtime = joining.pairs.iter().map(|pair| pair.time).collect();
        batch
    }
}

fn of_side(side: Port, record: u32) -> [Option<u32>; 2] {
    let mut records = [None; 2];
    records[side] = Some(record);
    records
}

/// What follows the bytes of a windowed key (semantics 4.7); `bounds` are the starts and ends of windows.
fn window_bytes(kind: WindowKind, bounds: &[ArrayRef], row: usize) -> Vec<u8> {
    let bound = |at: usize| bounds[at].as_primitive::<Int64Type>().value(row).to_be_bytes();
    match kind {
        WindowKind::Time { .. } => bound(0).to_vec(),
        WindowKind::Session => [bound(1), bound(0)].concat(),
    }
}

/// Key columns, window and value columns of `batch`.
fn stored_columns(batch: &ChangeBatch) -> Vec<ArrayRef> {
    let bounds = batch.window.iter().flat_map(|window| [&window.start, &window.end]);
    let bounds = bounds.map(|bound| std::sync::Arc::new(Int64Array::new(bound.clone(), None)) as ArrayRef);
    batch.key.iter().cloned().chain(bounds).chain(batch.value.iter().cloned()).collect()
}

/// Windows with the starts and, for sessions, the ends in `bounds`.
fn windows(bounds: &[ArrayRef], kind: WindowKind) -> WindowColumns {
    let start = bounds[0].as_primitive::<Int64Type>().values().clone();
    let end = match kind {
        WindowKind::Time { size_ms } => start.iter().map(|start| start.saturating_add(size_ms)).collect(),
        WindowKind::Session => bounds[1].as_primitive::<Int64Type>().values().clone(),
    };
    WindowColumns { start, end }
}

impl Operator for StreamStreamJoin {
    fn process(&mut self, input: Port, batch: ChangeBatch, _: &mut Output) -> Result<(), StateError> {
        self.step.add(input, batch);
        Ok(())
    }

    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(step) = self.step.take() else { return Ok(()) };
        self.join(&step, out)?;
        for buffer in &mut self.buffers {
            buffer.expire(&mut self.keys);
            buffer.compact();
        }
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        let visited = self.waiting.as_ref().map_or(i64::MAX, Waiting::visited);
        let mut times = Vec::with_capacity(4 * size_of::<i64>());
        for time in [self.stream_time, self.buffers[LEFT].newest, self.buffers[RIGHT].newest, visited] {
            times.extend_from_slice(&time.to_le_bytes());
        }
        self.times.put(writes, META_KEY, times);
        if let Some(waiting) = &mut self.waiting {
            waiting.persist(&mut self.buffers, writes, &self.keys);
        }
        self.buffers.iter_mut().for_each(|buffer| buffer.persist(writes, &self.keys));
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.buffers.iter().map(Buffer::changed_entries).sum()
    }

    fn memory_bytes(&self) -> usize {
        let waiting = self.waiting.as_ref().map_or(0, Waiting::memory_bytes);
        self.keys.memory_bytes() + self.buffers.iter().map(Buffer::memory_bytes).sum::<usize>() + waiting
    }

    fn shrink(&mut self, bytes: usize) {
        let used = self.memory_bytes();
        for buffer in &mut self.buffers {
            buffer.shrink(share(bytes, buffer.memory_bytes(), used), &mut self.keys);
        }
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        let waiting = self.waiting.iter().map(Waiting::size);
        self.buffers.iter().map(Buffer::size).chain(waiting).collect()
    }

    fn window_clock(&self) -> Option<WindowClock> {
        let open = self.waiting.as_ref().map_or(0, |waiting| waiting.size().entries);
        Some(WindowClock { stream_time: self.stream_time, open, next_close: None })
    }
}
