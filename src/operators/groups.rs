//! What an aggregation keeps of its groups, by slot: the newest row of each, and the state of every aggregate.
//!
//! It knows neither windows nor emission: [`Aggregate`](super::Aggregate) and
//! [`SessionAggregate`](super::SessionAggregate) decide which rows belong to which slot.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;

use super::{Fate, Output};
use crate::state::row_format::{RowEncoder, decode_rows_counted};
use crate::state::{RowRef, RowTable, StateError};
use crate::types::{ChangeBatch, RowError};
use levada_udf::{Accumulator, Rejected, Update};

/// One aggregate: its accumulator and the indices of its arguments among the input's value columns.
pub struct Call {
    /// State of all groups.
    pub accumulator: Box<dyn Accumulator>,
    /// Those that come from rows.
    pub arguments: Vec<usize>,
}

/// The state of `from` is added to that of `into` before row `at` is folded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merge {
    pub(super) at: u32,
    pub(super) into: u32,
    pub(super) from: u32,
}

/// Rows ready to be folded: one per group they belong to, and per direction.
pub(super) struct Folding<'a> {
    pub(super) batch: &'a ChangeBatch,
    /// The group of each row.
    pub(super) slots: &'a [u32],
    /// Rows taken back, where the input is a table.
    pub(super) undone: Option<&'a [bool]>,
    /// In the order of their rows; never together with `undone`.
    pub(super) merges: &'a [Merge],
    /// Results are wanted after every row.
    pub(super) emit: bool,
}

/// Rows and aggregates by slot.
pub(super) struct Groups {
    calls: Vec<Call>,
    key_columns: usize,
    row_types: Vec<DataType>,
    /// Key columns and carried columns of the newest row of each group.
    rows: RowTable,
}

impl Groups {
    pub(super) fn new(key_types: &[DataType], carried_types: &[DataType], calls: Vec<Call>) -> Self {
        let row_types: Vec<DataType> = key_types.iter().chain(carried_types).cloned().collect();
        Self { calls, key_columns: key_types.len(), rows: RowTable::new(&row_types), row_types }
    }

    fn carried(&self) -> usize {
        self.row_types.len() - self.key_columns
    }

    /// Types of [`Groups::results`].
    pub(super) fn result_types(&self) -> Vec<DataType> {
        let no_slots: &[u32] = &[];
        let calls = self.calls.iter().map(|call| call.accumulator.results(no_slots).data_type().clone());
        self.row_types[self.key_columns..].iter().cloned().chain(calls).collect()
    }

    /// Makes room for slots below `room`.
    pub(super) fn grow(&mut self, room: usize) {
        self.calls.iter_mut().for_each(|call| call.accumulator.grow(room));
    }

    /// Gives `slots` what [`Groups::encode`] has written, one row each.
    pub(super) fn load(&mut self, slots: Vec<u32>, rows: Vec<&[u8]>) -> Result<(), StateError> {
        let states = self.calls.iter().flat_map(|call| call.accumulator.state_types());
        let types: Vec<DataType> = self.row_types.iter().cloned().chain(states).collect();
        let (mut columns, counts) = decode_rows_counted(&types, rows)?;
        let state = columns.split_off(self.row_types.len());
        let counts: Vec<usize> = counts.into_iter().map(|count| count.saturating_sub(self.row_types.len())).collect();
        load_state(&mut self.calls, &slots, state, &counts)?;
        self.rows.put(columns, slots);
        self.rows.compact();
        Ok(())
    }

    /// `slots` as bytes, each after its time.
    pub(super) fn encode(
        &self,
        slots: &[u32],
        rowtime: impl Fn(u32) -> i64,
        mut each: impl FnMut(u32, Vec<u8>),
    ) -> Result<(), StateError> {
        // An array holds less than 2 GiB.
        let heap_bytes: usize = self.calls.iter().map(|call| call.accumulator.heap_bytes()).sum();
        let at_once = if heap_bytes < 1 << 30 { slots.len().max(1) } else { 32 };
        let mut encoder = RowEncoder::default();
        for slots in slots.chunks(at_once) {
            let mut columns = self.rows.gather(&self.rows.references(slots));
            for call in &self.calls {
                columns.extend(call.accumulator.state(slots).map_err(StateError::Function)?);
            }
            for (row, &slot) in slots.iter().enumerate() {
                each(slot, encoder.encode(&rowtime(slot).to_le_bytes(), &columns, row));
            }
        }
        Ok(())
    }

    /// Folds the rows in order and returns their results, as value columns. What cannot be folded is reported.
    pub(super) fn fold(&mut self, folding: &Folding<'_>, out: &mut Output) -> Option<Vec<ArrayRef>> {
        let mut results: Vec<ArrayRef> = folding.batch.value[..self.carried()].to_vec();
        for call in &mut self.calls {
            let mut rejected = Vec::new();
            results.extend(fold_call(call, folding, &mut rejected));
            out.report_lost(folding.batch, rejected);
        }
        folding.emit.then_some(results)
    }

    /// Keeps key and carried columns of the newest row of each group. `is_first` is asked in order whether a row is the
    /// first of its group: without carried columns only that one is looked at.
    pub(super) fn remember(
        &mut self,
        batch: &ChangeBatch,
        slots: &[u32],
        mut is_first: impl FnMut(usize, u32) -> bool,
    ) {
        let columns: Vec<ArrayRef> = batch.key.iter().chain(&batch.value[..self.carried()]).cloned().collect();
        let first: Vec<u32> = (0..slots.len()).filter(|&row| is_first(row, slots[row])).map(|row| row as u32).collect();
        if self.carried() > 0 {
            self.rows.put(columns, slots.to_vec());
        } else if !first.is_empty() {
            let slots = first.iter().map(|&row| slots[row as usize]).collect();
            let first = UInt32Array::from(first);
            let taken = columns.iter().map(|column| take(column, &first, None).expect("rows are within the batch"));
            self.rows.put(taken.collect(), slots);
        }
        self.rows.compact();
    }

    /// Key columns of `slots`.
    pub(super) fn keys(&self, slots: &[u32]) -> Vec<ArrayRef> {
        let mut columns = self.rows.gather(&self.rows.references(slots));
        columns.truncate(self.key_columns);
        columns
    }

    /// Results of `slots` now: carried columns, then aggregates.
    pub(super) fn results(&self, slots: &[u32]) -> Vec<ArrayRef> {
        let mut columns = self.rows.gather(&self.rows.references(slots)).split_off(self.key_columns);
        columns.extend(self.calls.iter().map(|call| call.accumulator.results(slots)));
        columns
    }

    /// Forgets `slot`, which may then be given to another group.
    pub(super) fn remove(&mut self, slot: u32) {
        self.rows.set(slot, RowRef::ABSENT);
        self.calls.iter_mut().for_each(|call| call.accumulator.reset(slot));
    }

    /// Memory that the state of a slot takes, about.
    pub(super) fn slot_bytes(&self) -> usize {
        self.calls.iter().map(|call| call.accumulator.slot_bytes()).sum()
    }

    /// Memory that rows take, and state beside [`Groups::slot_bytes`], about.
    pub(super) fn rows_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.calls.iter().map(|call| call.accumulator.heap_bytes()).sum::<usize>()
    }

    /// Merges memory where that pays.
    pub(super) fn compact(&mut self) {
        self.rows.compact();
    }
}

fn fold_call(call: &mut Call, folding: &Folding<'_>, rejected: &mut Vec<RowError>) -> Option<ArrayRef> {
    let &Folding { batch, slots, undone, merges, emit } = folding;
    let arguments: Vec<ArrayRef> = call.arguments.iter().map(|&index| batch.value[index].clone()).collect();
    if merges.is_empty() {
        let results = call.accumulator.update(&Update { slots, arguments: &arguments, undone }, emit);
        rejected.extend(call.accumulator.take_rejected().into_iter().map(|row| row_error(row, 0)));
        return results;
    }
    let mut parts = Vec::new();
    let mut folded = 0;
    let mut fold_until = |call: &mut Call, row: usize, rejected: &mut Vec<RowError>| {
        let arguments: Vec<ArrayRef> = arguments.iter().map(|column| column.slice(folded, row - folded)).collect();
        let rows = Update { slots: &slots[folded..row], arguments: &arguments, undone: None };
        parts.extend(call.accumulator.update(&rows, emit));
        rejected.extend(call.accumulator.take_rejected().into_iter().map(|row| row_error(row, folded)));
        folded = row;
    };
    for (i, merge) in merges.iter().enumerate() {
        if i == 0 || merge.at > merges[i - 1].at {
            fold_until(call, merge.at as usize, rejected);
        }
        if let Err(reason) = call.accumulator.merge(merge.into, merge.from) {
            rejected.push(RowError { row: merge.at, reason });
        }
    }
    fold_until(call, slots.len(), rejected);
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    emit.then(|| concat(&parts).expect("the results of a function have one type"))
}

/// `rejected`, of rows that begin at `first`.
fn row_error(rejected: Rejected, first: usize) -> RowError {
    RowError { row: (first + rejected.row) as u32, reason: rejected.reason }
}

/// Gives `calls` the stored `state` of `slots`, whose rows hold `counts` columns of it each. A row has fewer columns than the
/// calls when it was written before the last of them were added; those keep their initial value.
pub(crate) fn load_state(
    calls: &mut [Call],
    slots: &[u32],
    mut state: Vec<ArrayRef>,
    counts: &[usize],
) -> Result<(), StateError> {
    let mut columns = 0;
    for call in calls {
        let rest = state.split_off(call.accumulator.state_types().len());
        columns += state.len();
        let loaded = if counts.iter().all(|&count| count >= columns) {
            call.accumulator.load(slots, &state)
        } else {
            let known: Vec<u32> = (0..slots.len() as u32).filter(|&row| counts[row as usize] >= columns).collect();
            let known_slots: Vec<u32> = known.iter().map(|&row| slots[row as usize]).collect();
            let known = UInt32Array::from(known);
            let take = |column: &ArrayRef| take(column, &known, None).expect("the rows are there");
            call.accumulator.load(&known_slots, &state.iter().map(take).collect::<Vec<_>>())
        };
        loaded.map_err(StateError::Function)?;
        state = rest;
    }
    Ok(())
}

/// The rows that can be aggregated: those with a key and, unless deletions count, a value.
pub(super) fn without_null_rows(batch: ChangeBatch, tombstones_count: bool, out: &mut Output) -> ChangeBatch {
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
    let null_keys = batch.null_keys.as_ref().map_or(0, BooleanBuffer::count_set_bits);
    out.count(Fate::NullKey, null_keys);
    out.count(Fate::NullValue, dropped.count_set_bits() - null_keys);
    out.errors.extend(dropped.set_indices().map(|row| RowError {
        row: batch.seq[row],
        reason: format!("null {}: the row is not aggregated", if batch.is_null_key(row) { "key" } else { "value" }),
    }));
    batch.filter(&!&dropped)
}
