//! The left side: sends references, takes answers, emits joined rows.
//!
//! INNER knows of every left key whether a row of its result is out. An answer to an older version of a left row does not count,
//! be it the one that would have taken that row back; so the newer version asks for an answer in any case if a row is out. A left
//! row that is gone is kept, without values and version, until the answer that takes its row back has come.
//!
//! State: left key → `rowtime: i64 LE, row(value columns, reference, version)`, and `ff` → the last version given. In the place
//! of the time INNER has 1 where a row of the result is out, else 0.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, SchemaRef};

use super::super::keyed_rows::Version;
use super::super::two_sides::{StepRows, TwoSides};
use super::super::versioned_rows::VersionedRows;
use super::super::{Fate, LEFT, Operator, Output, Port, RIGHT};
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

    /// Stores the changes of the left table.
    fn apply(&mut self, step: &StepRows, out: &mut Output) -> Result<Changes, StateError> {
        let batch = &step.sides[LEFT];
        let mut errors = Vec::new();
        let reference = self.options.reference.evaluate(&batch.rows(&self.options.rows), &mut errors);
        out.report(batch, errors);
        let first_version = self.version + 1;
        self.version += batch.len() as i64;
        let version = |row: usize| (!batch.is_tombstone(row)).then_some(first_version + row as i64);
        let mut columns = batch.value.clone();
        columns.extend([reference.clone(), i64_column((0..batch.len()).map(version))]);
        let before = if self.options.right_is_required {
            let kept = ChangeBatch { tombstones: None, ..batch.clone() };
            let before = self.rows.apply(&kept, columns, &step.places[LEFT])?;
            // The first change of a key comes last here.
            for (row, before) in before.iter().enumerate().rev() {
                let slot = self.rows.applied_slots()[row];
                self.rows.set_rowtime(slot, if before.is_present() { before.rowtime } else { NOT_OUT });
            }
            before
        } else {
            self.rows.apply(batch, columns, &step.places[LEFT])?
        };
        let old_rows: Vec<RowRef> = before.iter().map(|version| version.row).collect();
        let mut old_columns = self.rows.gather(&old_rows).split_off(self.options.value_types.len());
        let (old_version, old_reference) = (old_columns.remove(1), old_columns.remove(0));
        let references = [reference, old_reference];
        let keys = references.each_ref().map(|reference| {
            let mut keys = EncodedKeys::default();
            keys.encode(std::slice::from_ref(reference), None, batch.len());
            keys
        });
        let nulls = references.each_ref().map(Array::logical_nulls);
        Ok(Changes { references, keys, nulls, was_there: old_version.logical_nulls(), first_version })
    }

    /// Sends what the change in `row` asks for, and adds its result if that needs no answer.
    fn change(
        &mut self,
        step: &StepRows,
        (row, place): (usize, u32),
        changes: &Changes,
        sent: &mut Sent,
    ) -> Option<Joined> {
        let is_inner = self.options.right_is_required;
        let slot = self.rows.applied_slots()[row];
        let is_new = !step.sides[LEFT].is_tombstone(row);
        let was_there = is_valid(changes.was_there.as_ref(), row);
        if !is_new && !was_there {
            return None;
        }
        let refers = is_new && is_valid(changes.nulls[NEW].as_ref(), row);
        let referred = was_there && is_valid(changes.nulls[OLD].as_ref(), row);
        let is_other = referred && (!refers || changes.keys[NEW].key(row) != changes.keys[OLD].key(row));
        let version = is_new.then_some(changes.first_version + row as i64);
        if is_other {
            let asks = is_inner && !is_new;
            sent.push(OLD, row, version, if asks { Instruction::WithdrawAndAnswer } else { Instruction::Withdraw });
        }
        let is_out = is_inner && self.is_out(slot);
        if refers {
            // A row that referred to nothing has changed what it refers to.
            let always = is_other || (was_there && !referred) || !is_inner || is_out;
            sent.push(NEW, row, version, if always { Instruction::Answer } else { Instruction::AnswerIfFound });
            return None;
        }
        if is_inner {
            if !is_new || !(referred || is_out) {
                return None;
            }
            self.set_out(slot, false);
            return Some(Joined { made_by: (LEFT, row), left: RowRef::ABSENT, right: None });
        }
        Some(Joined { made_by: (LEFT, row), left: self.rows.at(slot, place).row, right: None })
    }

    /// Finds the rows that the answers belong to, as they are when the answers come.
    fn find_answered(&mut self, step: &StepRows) -> Result<Answered, StateError> {
        let slots = self.rows.slots(&step.sides[RIGHT])?;
        let current = slots.iter().zip(&step.places[RIGHT]);
        let left: Vec<RowRef> =
            current.map(|(slot, &place)| slot.map_or(Version::ABSENT, |slot| self.rows.at(slot, place)).row).collect();
        let versions = self.rows.gather(&left).swap_remove(self.options.value_types.len() + 1);
        Ok(Answered { slots, left, versions })
    }

    /// What the answer in `row` makes of the row as it is when the answer comes.
    fn answer(&mut self, step: &StepRows, row: usize, answered: &Answered) -> Option<Joined> {
        let answers = &step.sides[RIGHT];
        let version = i64_at(&answered.versions, row);
        if i64_at(&answers.value[0], row) != version || answers.is_tombstone(row) {
            return None;
        }
        let found = answers.value[2].as_boolean();
        let right = (found.is_valid(row) && found.value(row) && version.is_some()).then_some(row);
        let is_inner = self.options.right_is_required;
        if let Some(slot) = answered.slots[row].filter(|_| is_inner && answered.left[row].is_present()) {
            self.set_out(slot, right.is_some());
        }
        let is_gone = version.is_none() || (is_inner && right.is_none());
        let left = if is_gone { RowRef::ABSENT } else { answered.left[row] };
        Some(Joined { made_by: (RIGHT, row), left, right })
    }

    /// Whether a row of the result is out for the left key in `slot`.
    fn is_out(&self, slot: u32) -> bool {
        self.rows.newest(slot).rowtime != NOT_OUT
    }

    fn set_out(&mut self, slot: u32, is_out: bool) {
        self.rows.set_rowtime(slot, if is_out { OUT } else { NOT_OUT });
    }

    /// Forgets left rows that are gone and have no row out, of those in which this step has changed something.
    fn forget_gone(&mut self, step: &StepRows, answered: &Answered) {
        let changes = &step.sides[LEFT];
        let gone = (0..changes.len()).filter(|&row| changes.is_tombstone(row));
        let gone = gone.map(|row| self.rows.applied_slots()[row]);
        let answers = answered.slots.iter().enumerate().filter(|(row, _)| answered.versions.is_null(*row));
        let slots: Vec<u32> = gone.chain(answers.filter_map(|(_, slot)| *slot)).collect();
        let rows: Vec<RowRef> = slots.iter().map(|&slot| self.rows.newest(slot).row).collect();
        if rows.is_empty() {
            return;
        }
        let versions = self.rows.gather(&rows).swap_remove(self.options.value_types.len() + 1);
        for (index, (slot, row)) in slots.into_iter().zip(rows).enumerate() {
            if row.is_present() && versions.is_null(index) && !self.is_out(slot) {
                self.rows.remove(slot);
            }
        }
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

/// Counts the changes that refer to nothing, and the answers that say that there is no such row.
fn count(step: &StepRows, changes: Option<&Changes>, out: &mut Output) {
    if let Some(nulls) = changes.and_then(|changes| changes.nulls[NEW].as_ref()) {
        let batch = &step.sides[LEFT];
        let refers_to_nothing = |row: &usize| nulls.is_null(*row) && !batch.is_tombstone(*row);
        out.count(Fate::NullKey, (0..batch.len()).filter(refers_to_nothing).count());
    }
    let answers = &step.sides[RIGHT];
    if !answers.is_empty() {
        let found = answers.value[2].as_boolean();
        out.count(Fate::Unmatched, found.false_count());
    }
}

const NEW: usize = 0;
const OLD: usize = 1;

/// In the place of a row's time.
const NOT_OUT: i64 = 0;
const OUT: i64 = 1;

/// Changes of the left table that were stored.
struct Changes {
    /// What rows refer to, new and old.
    references: [ArrayRef; 2],
    keys: [EncodedKeys; 2],
    /// Rows that refer to nothing, new and old.
    nulls: [Option<NullBuffer>; 2],
    /// Rows that take the place of another.
    was_there: Option<NullBuffer>,
    /// Version of the first row; the others follow.
    first_version: i64,
}

/// The rows that answers belong to.
struct Answered {
    slots: Vec<Option<u32>>,
    left: Vec<RowRef>,
    /// Versions of `left`; null where there is no row any more.
    versions: ArrayRef,
}

fn is_valid(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_none_or(|nulls| nulls.is_valid(row))
}

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
        let key = interleave(&references.map(AsRef::as_ref), &self.rows).expect("both have one type");
        let mut value = moved.key.clone();
        value.push(i64_column(self.versions.into_iter()));
        value.push(i32_column(self.instructions.iter().map(|instruction| instruction.number())));
        value.push(i32_column(std::iter::repeat_n(partition as i32, rows.len())));
        ChangeBatch { key: vec![key], value, null_keys: None, ..moved }
    }
}

impl Operator for ReferringSide {
    fn process(&mut self, input: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let batch = out.with_keys(batch);
        self.step.add(input, batch);
        Ok(())
    }

    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(step) = self.step.take() else { return Ok(()) };
        let changes = if step.sides[LEFT].is_empty() { None } else { Some(self.apply(&step, out)?) };
        count(&step, changes.as_ref(), out);
        let answered = self.find_answered(&step)?;
        let (mut sent, mut results) = (Sent::default(), Vec::new());
        for (&(side, row), place) in step.order.iter().zip(0..) {
            results.extend(match &changes {
                Some(changes) if side == LEFT => self.change(&step, (row, place), changes, &mut sent),
                _ => self.answer(&step, row, &answered),
            });
        }
        if let Some(changes) = changes.filter(|_| !sent.rows.is_empty()) {
            out.references.push(sent.batch(&step.sides[LEFT], changes.references.each_ref(), self.options.partition));
        }
        if !results.is_empty() {
            out.emit(self.joined(&step, &results));
        }
        if self.options.right_is_required {
            self.forget_gone(&step, &answered);
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
