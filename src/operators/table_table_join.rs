//! `table [LEFT | RIGHT | FULL] JOIN table ON left_key = right_key`.
//!
//! A change of either side emits what the key's joined row is now. A side is *required* if every result has a row of it:
//! both for INNER, the left one for LEFT, the right one for RIGHT, none for FULL. For a change of one side:
//!
//! | other side's row | the row is new | the row is gone |
//! |---|---|---|
//! | absent, required | nothing | nothing |
//! | absent, not required | half a row | a tombstone, if it was there |
//! | present | the joined row | a tombstone if this side is required, else the other half |
//!
//! Rows equal to the last are emitted again, tombstones too. The time is the later of both rows' times; the key, its
//! window and headers are those of the change. Semantics 5.4.
//!
//! State: one store per side, key → `rowtime: i64 LE, row(value columns)`.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::DataType;

use super::keyed_rows::Version;
use super::memory::share;
use super::two_sides::{StepRows, TwoSides};
use super::versioned_rows::VersionedRows;
use super::{Fate, LEFT, Operator, Output, Port, RIGHT};
use crate::state::{RowRef, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::{ChangeBatch, OldRows, WindowColumns, WindowKind};

/// Parameters of a [`TableTableJoin`].
pub struct TableJoinOptions {
    /// Whether every result has a row of the side.
    pub required: [bool; 2],
    /// Types of the value columns of each side.
    pub types: [Vec<DataType>; 2],
    /// Windows of the left side's keys; those of the right side are of the same family.
    pub window: Option<WindowKind>,
    /// An operator downstream needs old rows.
    pub attach_old: bool,
}

/// Joins the rows of two tables with equal keys.
pub struct TableTableJoin {
    required: [bool; 2],
    window: Option<WindowKind>,
    attach_old: bool,
    tables: [VersionedRows; 2],
    step: TwoSides,
}

/// What a change emits.
struct Emitted {
    /// Side and row of the change.
    change: (Port, usize),
    /// The joined row by sides; a tombstone where both are absent.
    now: [RowRef; 2],
    /// What it was before.
    before: [RowRef; 2],
    rowtime: i64,
}

/// The changes of one side in a step.
#[derive(Default)]
struct Applied {
    /// What each replaced.
    replaced: Vec<Version>,
    /// The slot of each key in the other side's table.
    other_slots: Vec<Option<u32>>,
}

impl TableTableJoin {
    /// The join over the tables in `stores`.
    pub fn open(options: TableJoinOptions, stores: [&Store; 2]) -> Result<Self, StateError> {
        let TableJoinOptions { required, types, window, attach_old } = options;
        let open = |side: Port| VersionedRows::open(stores[side], &types[side], window);
        let tables = [open(LEFT)?, open(RIGHT)?];
        Ok(Self { required, window, attach_old, tables, step: TwoSides::default() })
    }

    /// The joined row of the two sides, if they make one.
    fn pair(&self, rows: [RowRef; 2]) -> [RowRef; 2] {
        let lacks = |side: Port| self.required[side] && !rows[side].is_present();
        if lacks(LEFT) || lacks(RIGHT) { [RowRef::ABSENT; 2] } else { rows }
    }

    /// What the change at `place` emits.
    fn emitted(&self, step: &StepRows, place: u32, applied: &[Applied; 2], unmatched: &mut usize) -> Option<Emitted> {
        let (side, row) = step.order[place as usize];
        let batch = &step.sides[side];
        let other_side = 1 - side;
        let before = applied[side].replaced[row];
        let own = |row: RowRef, other: RowRef| if side == LEFT { [row, other] } else { [other, row] };
        let now = self.tables[side].at(self.tables[side].applied_slots()[row], place);
        let other_slot = applied[side].other_slots[row];
        let other = other_slot.map_or(Version::ABSENT, |slot| self.tables[other_side].at(slot, place));
        let is_deletion = batch.is_tombstone(row);
        *unmatched += usize::from(!other.is_present() && !is_deletion);
        if !other.is_present() && (self.required[other_side] || (is_deletion && !before.is_present())) {
            return None;
        }
        let rowtime = if other.is_present() { batch.rowtime[row].max(other.rowtime) } else { batch.rowtime[row] };
        Some(Emitted {
            change: (side, row),
            now: self.pair(own(now.row, other.row)),
            before: self.pair(own(before.row, other.row)),
            rowtime,
        })
    }

    fn join(&mut self, step: &StepRows, out: &mut Output) -> Result<(), StateError> {
        let mut applied = [Applied::default(), Applied::default()];
        for side in [LEFT, RIGHT] {
            let batch = &step.sides[side];
            applied[side].replaced = self.tables[side].apply(batch, batch.value.clone(), &step.places[side])?;
        }
        let [left, right] = &mut self.tables;
        if !step.sides[LEFT].is_empty() {
            applied[LEFT].other_slots = right.slots_of_applied(left)?;
        }
        if !step.sides[RIGHT].is_empty() {
            applied[RIGHT].other_slots = left.slots_of_applied(right)?;
        }
        let places = 0..step.order.len() as u32;
        let mut unmatched = 0;
        let emitted = places.filter_map(|place| self.emitted(step, place, &applied, &mut unmatched));
        let emitted: Vec<Emitted> = emitted.collect();
        out.count(Fate::Unmatched, unmatched);
        if !emitted.is_empty() {
            out.emit(self.batch(step, &emitted));
        }
        Ok(())
    }

    /// `emitted` as a batch.
    fn batch(&self, step: &StepRows, emitted: &[Emitted]) -> ChangeBatch {
        let changes: Vec<(Port, usize)> = emitted.iter().map(|row| row.change).collect();
        let mut batch = step.take_rows(&changes);
        let is_present = |rows: &[RowRef; 2]| rows.iter().any(|row| row.is_present());
        let values = |rows_of: fn(&Emitted) -> &[RowRef; 2]| -> Vec<ArrayRef> {
            let of_side = |side: Port| {
                let rows: Vec<RowRef> = emitted.iter().map(|row| rows_of(row)[side]).collect();
                self.tables[side].gather(&rows)
            };
            [of_side(LEFT), of_side(RIGHT)].concat()
        };
        let tombstones: BooleanBuffer = emitted.iter().map(|row| !is_present(&row.now)).collect();
        batch.value = values(|row| &row.now);
        batch.tombstones = (tombstones.count_set_bits() > 0).then_some(tombstones);
        batch.rowtime = emitted.iter().map(|row| row.rowtime).collect();
        batch.old = self.attach_old.then(|| OldRows {
            value: values(|row| &row.before),
            present: emitted.iter().map(|row| is_present(&row.before)).collect(),
        });
        if let (Some(WindowKind::Time { size_ms }), Some(window)) = (self.window, &batch.window) {
            let end = window.start.iter().map(|start| start.saturating_add(size_ms)).collect();
            batch.window = Some(WindowColumns { start: window.start.clone(), end });
        }
        batch
    }
}

impl Operator for TableTableJoin {
    fn process(&mut self, input: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let batch = out.with_keys(batch);
        self.step.add(input, batch);
        Ok(())
    }

    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(step) = self.step.take() else { return Ok(()) };
        self.join(&step, out)?;
        self.tables.iter_mut().for_each(VersionedRows::end_step);
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.tables.iter_mut().for_each(|table| table.persist(writes));
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.tables.iter().map(VersionedRows::changed_entries).sum()
    }

    fn memory_bytes(&self) -> usize {
        self.tables.iter().map(VersionedRows::memory_bytes).sum()
    }

    fn shrink(&mut self, bytes: usize) {
        let used = self.memory_bytes();
        self.tables.iter_mut().for_each(|table| table.shrink(share(bytes, table.memory_bytes(), used)));
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        self.tables.iter().map(VersionedRows::size).collect()
    }
}
