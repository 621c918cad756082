//! The left side: sends references, takes answers, emits joined rows.
//!
//! State: left key → `rowtime: i64 LE, row(value columns, reference, version)`, and `ff` → the last version given.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, SchemaRef};

use super::super::keyed_rows::Version;
use super::super::two_sides::{StepRows, TwoSides};
use super::super::versioned_rows::VersionedRows;
use super::super::{LEFT, Operator, Output, Port, RIGHT};
use super::{Instruction, i32_column, i64_at, i64_column};
use crate::expr::CompiledExpr;
use crate::state::key_encoding::EncodedKeys;
use crate::state::{META_KEY, RowRef, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::ChangeBatch;

/// Parameters of a [`ReferringSide`].
pub struct ReferringOptions {
    /// Every result has a right row (INNER).
    pub right_is_required: bool,
    /// The reference, over rows of the left side.
    pub reference: CompiledExpr,
    /// Layout of the left side's rows.
    pub rows: SchemaRef,
    /// Types of the left side's value columns.
    pub value_types: Vec<DataType>,
    /// Type of references.
    pub reference_type: DataType,
    /// Types of the right side's value columns.
    pub right_types: Vec<DataType>,
    /// Partition of the task, to which answers go.
    pub partition: u32,
}

/// The left side: changes of the left table come from [`LEFT`], answers from [`RIGHT`].
pub struct ReferringSide {
    options: ReferringOptions,
    rows: VersionedRows,
    store: Store,
    /// The last version that was given.
    version: i64,
    step: TwoSides,
}

/// A result.
struct Joined {
    place: u32,
    /// Side and row that made it.
    made_by: (Port, usize),
    left: RowRef,
    /// Row of the answers with the right row.
    right: Option<usize>,
}

impl ReferringSide {
    /// The side with the left table in `store`.
    pub fn open(options: ReferringOptions, store: &Store) -> Result<Self, StateError> {
        let mut types = options.value_types.clone();
        types.extend([options.reference_type.clone(), DataType::Int64]);
        let version = match store.get(META_KEY)? {
            None => 0,
            Some(bytes) => {
                let corrupt = |_| StateError::Corrupt("the version of a foreign-key join is no number".to_owned());
                i64::from_le_bytes(bytes.try_into().map_err(corrupt)?)
            }
        };
        let rows = VersionedRows::open(store, &types, None)?;
        Ok(Self { options, rows, store: store.clone(), version, step: TwoSides::default() })
    }

    /// Stores the changes of the left table, sends what they refer to, and adds results that need no answer.
    fn change(&mut self, step: &StepRows, out: &mut Output, results: &mut Vec<Joined>) -> Result<(), StateError> {
        let batch = &step.sides[LEFT];
        let mut errors = Vec::new();
        let reference = self.options.reference.evaluate(&batch.rows(&self.options.rows), &mut errors);
        out.report(batch, errors);
        let first_version = self.version + 1;
        self.version += batch.len() as i64;
        let versions = i64_column((first_version..=self.version).map(Some));
        let mut columns = batch.value.clone();
        columns.extend([reference.clone(), versions]);
        let before = self.rows.apply(batch, columns, &step.places[LEFT])?;
        let old_rows: Vec<RowRef> = before.iter().map(|version| version.row).collect();
        let old_reference = self.rows.gather(&old_rows).swap_remove(self.options.value_types.len());
        let (mut new_keys, mut old_keys) = (EncodedKeys::default(), EncodedKeys::default());
        new_keys.encode(std::slice::from_ref(&reference), None, batch.len());
        old_keys.encode(std::slice::from_ref(&old_reference), None, batch.len());
        let (new_nulls, old_nulls) = (reference.logical_nulls(), old_reference.logical_nulls());

        let mut sent = Sent::default();
        for row in 0..batch.len() {
            let is_new = !batch.is_tombstone(row);
            let was_there = before[row].is_present();
            if !is_new && !was_there {
                continue;
            }
            let refers = is_new && new_nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            let referred = was_there && old_nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            let is_other = referred && (!refers || new_keys.key(row) != old_keys.key(row));
            let version = is_new.then_some(first_version + row as i64);
            if is_other {
                let asks = self.options.right_is_required && !is_new;
                sent.push(OLD, row, version, if asks { Instruction::WithdrawAndAnswer } else { Instruction::Withdraw });
            }
            if refers {
                // A row that referred to nothing has changed what it refers to.
                let always = is_other || (was_there && !referred) || !self.options.right_is_required;
                sent.push(NEW, row, version, if always { Instruction::Answer } else { Instruction::AnswerIfFound });
            } else if !self.options.right_is_required || (is_new && referred) {
                let place = step.places[LEFT][row];
                let slot = self.rows.applied_slots()[row];
                let left = self.rows.at(slot, place).row;
                let left = if self.options.right_is_required { RowRef::ABSENT } else { left };
                results.push(Joined { place, made_by: (LEFT, row), left, right: None });
            }
        }
        if !sent.rows.is_empty() {
            out.references.push(sent.batch(batch, [&reference, &old_reference], self.options.partition));
        }
        Ok(())
    }

    /// Adds what the answers make of the rows as they are when they come.
    fn answer(&mut self, step: &StepRows, results: &mut Vec<Joined>) -> Result<(), StateError> {
        let answers = &step.sides[RIGHT];
        let slots = self.rows.slots(answers)?;
        let current = slots.into_iter().zip(&step.places[RIGHT]);
        let current: Vec<RowRef> =
            current.map(|(slot, &place)| slot.map_or(Version::ABSENT, |slot| self.rows.at(slot, place)).row).collect();
        let versions = self.rows.gather(&current).swap_remove(self.options.value_types.len() + 1);
        let found = answers.value[2].as_boolean();
        for (row, left) in current.into_iter().enumerate() {
            let is_current = i64_at(&answers.value[0], row) == i64_at(&versions, row);
            if is_current && !answers.is_tombstone(row) {
                let right = (found.is_valid(row) && found.value(row) && left.is_present()).then_some(row);
                let left = if right.is_none() && self.options.right_is_required { RowRef::ABSENT } else { left };
                results.push(Joined { place: step.places[RIGHT][row], made_by: (RIGHT, row), left, right });
            }
        }
        Ok(())
    }

    /// The results as rows.
    fn joined(&self, step: &StepRows, results: &[Joined]) -> ChangeBatch {
        let made_by: Vec<(Port, usize)> = results.iter().map(|joined| joined.made_by).collect();
        let mut batch = step.take_rows(&made_by);
        let left: Vec<RowRef> = results.iter().map(|joined| joined.left).collect();
        batch.value = self.rows.gather(&left);
        batch.value.truncate(self.options.value_types.len());
        let answers = &step.sides[RIGHT];
        if answers.is_empty() {
            let nulls = self.options.right_types.iter().map(|data_type| new_null_array(data_type, results.len()));
            batch.value.extend(nulls);
        } else {
            let rows: UInt32Array = results.iter().map(|joined| joined.right.map(|row| row as u32)).collect();
            let right = answers.value[3..].iter();
            batch.value.extend(right.map(|column| take(column, &rows, None).expect("rows are among the answers")));
        }
        let tombstones: BooleanBuffer = left.iter().map(|left| !left.is_present()).collect();
        batch.tombstones = (tombstones.count_set_bits() > 0).then_some(tombstones);
        batch
    }
}

const NEW: usize = 0;
const OLD: usize = 1;

/// References that are sent.
#[derive(Default)]
struct Sent {
    /// New or old reference, and row of the change.
    rows: Vec<(usize, usize)>,
    versions: Vec<Option<i64>>,
    instructions: Vec<Instruction>,
}

impl Sent {
    fn push(&mut self, which: usize, row: usize, version: Option<i64>, instruction: Instruction) {
        self.rows.push((which, row));
        self.versions.push(version);
        self.instructions.push(instruction);
    }

    /// As rows of the topic of references, in the order of `changes`.
    fn batch(self, changes: &ChangeBatch, references: [&ArrayRef; 2], partition: u32) -> ChangeBatch {
        let rows: UInt32Array = self.rows.iter().map(|&(_, row)| row as u32).collect::<Vec<_>>().into();
        let moved = ChangeBatch { value: Vec::new(), old: None, tombstones: None, ..changes.clone() }.take(&rows);
        let key = interleave(&references.map(|column| column.as_ref()), &self.rows).expect("both have one type");
        let mut value = moved.key.clone();
        value.push(i64_column(self.versions.into_iter()));
        value.push(i32_column(self.instructions.iter().map(|instruction| instruction.number())));
        value.push(i32_column(std::iter::repeat_n(partition as i32, rows.len())));
        ChangeBatch { key: vec![key], value, null_keys: None, ..moved }
    }
}

impl Operator for ReferringSide {
    fn process(&mut self, input: Port, batch: ChangeBatch, _: &mut Output) -> Result<(), StateError> {
        self.step.add(input, batch.without_null_keys());
        Ok(())
    }

    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(step) = self.step.take() else { return Ok(()) };
        let mut results = Vec::new();
        if !step.sides[LEFT].is_empty() {
            self.change(&step, out, &mut results)?;
        }
        if !step.sides[RIGHT].is_empty() {
            self.answer(&step, &mut results)?;
        }
        results.sort_by_key(|joined| joined.place);
        if !results.is_empty() {
            out.emit(self.joined(&step, &results));
        }
        self.rows.end_step();
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.rows.persist(writes);
        self.store.put(writes, META_KEY, self.version.to_le_bytes().to_vec());
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.rows.changed_entries()
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes()
    }

    fn shrink(&mut self, bytes: usize) {
        self.rows.shrink(bytes);
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.rows.size()]
    }
}
