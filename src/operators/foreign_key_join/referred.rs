//! The right side: remembers who refers to what, and answers.
//!
//! State: right key → `rowtime: i64 LE, row(value columns)`, and the [`Subscriptions`].

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::super::keyed_rows::Version;
use super::super::memory::share;
use super::super::two_sides::{StepRows, TwoSides};
use super::super::versioned_rows::VersionedRows;
use super::super::{LEFT, Operator, Output, Port, RIGHT, SerializedKeys};
use super::subscriptions::Subscriptions;
use super::{Instruction, boolean_column, i32_at, subscription_tail};
use crate::state::key_encoding::EncodedKeys;
use crate::state::{RowRef, StateError, Store, StoreSize};
use crate::storage::WriteSet;
use crate::types::ChangeBatch;

/// Parameters of a [`ReferredSide`].
pub struct ReferredOptions {
    /// Types of the left side's key columns.
    pub left_key_types: Vec<DataType>,
    /// Types of the right side's value columns.
    pub value_types: Vec<DataType>,
    /// Bytes of left keys, by which answers to one change are ordered.
    pub serialized_left_keys: SerializedKeys,
}

/// The right side: references come from [`LEFT`], changes of the right table from [`RIGHT`].
pub struct ReferredSide {
    left_key_types: Vec<DataType>,
    serialized_left_keys: SerializedKeys,
    rows: VersionedRows,
    subscriptions: Subscriptions,
    step: TwoSides,
    reference_keys: EncodedKeys,
    left_keys: EncodedKeys,
    row_keys: EncodedKeys,
}

/// An answer.
struct Answer {
    made_by: (Port, usize),
    /// Who is answered, and for which version of its row.
    subscription: RowRef,
    right: RowRef,
    rowtime: i64,
}

impl ReferredSide {
    /// The side with the right table in `table` and references to it in `subscriptions`.
    pub fn open(options: ReferredOptions, table: &Store, subscriptions: &Store) -> Result<Self, StateError> {
        let types = [options.left_key_types.clone(), subscription_tail().to_vec()].concat();
        Ok(Self {
            left_key_types: options.left_key_types,
            serialized_left_keys: options.serialized_left_keys,
            rows: VersionedRows::open(table, &options.value_types, None)?,
            subscriptions: Subscriptions::open(subscriptions, &types)?,
            step: TwoSides::default(),
            reference_keys: EncodedKeys::default(),
            left_keys: EncodedKeys::default(),
            row_keys: EncodedKeys::default(),
        })
    }

    fn run(&mut self, step: &StepRows, out: &mut Output) -> Result<(), StateError> {
        let [references, changes] = &step.sides;
        let width = self.left_key_types.len();
        self.rows.apply(changes, changes.value.clone(), &step.places[RIGHT])?;
        self.row_keys.encode(&changes.key, None, changes.len());
        self.reference_keys.encode(&references.key, None, references.len());
        let mut right_slots = Vec::new();
        let mut segment = 0;
        if !references.is_empty() {
            right_slots = self.rows.slots(references)?;
            self.left_keys.encode(&references.value[..width], None, references.len());
            let columns = [&references.value[..=width], &references.value[width + 2..]].concat();
            segment = self.subscriptions.begin_batch(&self.reference_keys, &self.left_keys, columns)?;
        }
        let (mut answers, mut to_many) = (Vec::new(), Vec::new());
        for (&(side, row), place) in step.order.iter().zip(0..) {
            if side == RIGHT {
                let first = answers.len();
                self.answer_all(step, row, place, &mut answers)?;
                if answers.len() > first + 1 {
                    to_many.push(first..answers.len());
                }
            } else {
                let right = right_slots[row].map_or(Version::ABSENT, |slot| self.rows.at(slot, place));
                answers.extend(self.take_reference(references, row, right, segment));
            }
        }
        self.sort_by_key_bytes(&mut answers, &to_many);
        if !answers.is_empty() {
            out.emit(self.batch(step, &answers));
        }
        Ok(())
    }

    /// Remembers or forgets a reference, and answers it if it asks for that.
    fn take_reference(&mut self, references: &ChangeBatch, row: usize, right: Version, segment: u32) -> Option<Answer> {
        let width = self.left_key_types.len();
        let instruction = i32_at(&references.value[width + 1], row).and_then(Instruction::of)?;
        match instruction {
            Instruction::Withdraw | Instruction::WithdrawAndAnswer => self.subscriptions.remove(row),
            Instruction::Answer | Instruction::AnswerIfFound => {
                self.subscriptions.insert(row, self.reference_keys.key(row), segment);
            }
        }
        let right_row = match instruction {
            Instruction::Withdraw => return None,
            Instruction::AnswerIfFound if !right.is_present() => return None,
            Instruction::WithdrawAndAnswer => RowRef::ABSENT,
            Instruction::Answer | Instruction::AnswerIfFound => right.row,
        };
        let rowtime = references.rowtime[row];
        Some(Answer {
            made_by: (LEFT, row),
            subscription: RowRef::new(segment, row),
            right: right_row,
            rowtime: if right.is_present() { rowtime.max(right.rowtime) } else { rowtime },
        })
    }

    /// Orders each of the `ranges` of `answers` by the bytes of the left keys; all keys are gathered at once.
    fn sort_by_key_bytes(&mut self, answers: &mut [Answer], ranges: &[Range<usize>]) {
        if ranges.is_empty() {
            return;
        }
        let subscriptions: Vec<RowRef> =
            ranges.iter().flat_map(|range| &answers[range.clone()]).map(|answer| answer.subscription).collect();
        let mut keys = self.subscriptions.gather(&subscriptions);
        keys.truncate(self.left_key_types.len());
        let bytes = (self.serialized_left_keys)(&keys, subscriptions.len());
        let mut next = 0;
        for range in ranges {
            let mut order: Vec<usize> = (next..next + range.len()).collect();
            next += range.len();
            order.sort_unstable_by_key(|&index| bytes.value(index));
            for (answer, index) in answers[range.clone()].iter_mut().zip(order) {
                answer.subscription = subscriptions[index];
            }
        }
    }

    /// Answers all that refer to the right row that changes in `row`, in no order.
    fn answer_all(
        &mut self,
        step: &StepRows,
        row: usize,
        place: u32,
        answers: &mut Vec<Answer>,
    ) -> Result<(), StateError> {
        let subscribers = self.subscriptions.of(self.row_keys.key(row))?;
        let right = self.rows.at(self.rows.applied_slots()[row], place).row;
        let rowtime = step.sides[RIGHT].rowtime[row];
        answers.extend(subscribers.into_iter().map(|subscription| Answer {
            made_by: (RIGHT, row),
            subscription,
            right,
            rowtime,
        }));
        Ok(())
    }

    /// The answers as rows of their topic.
    fn batch(&self, step: &StepRows, answers: &[Answer]) -> ChangeBatch {
        let made_by: Vec<(Port, usize)> = answers.iter().map(|answer| answer.made_by).collect();
        let mut batch = step.take_rows(&made_by);
        let subscriptions: Vec<RowRef> = answers.iter().map(|answer| answer.subscription).collect();
        let mut key = self.subscriptions.gather(&subscriptions);
        let tail: Vec<ArrayRef> = key.split_off(self.left_key_types.len());
        let found = boolean_column(answers.iter().map(|answer| answer.right.is_present()));
        let right: Vec<RowRef> = answers.iter().map(|answer| answer.right).collect();
        batch.value = vec![ArrayRef::clone(&tail[0]), ArrayRef::clone(&tail[1]), found];
        batch.value.extend(self.rows.gather(&right));
        batch.rowtime = answers.iter().map(|answer| answer.rowtime).collect();
        batch.key = key;
        batch.tombstones = None;
        batch
    }
}

impl Operator for ReferredSide {
    fn process(&mut self, input: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        let batch = out.with_keys(batch);
        self.step.add(input, batch);
        Ok(())
    }

    fn end_step(&mut self, out: &mut Output) -> Result<(), StateError> {
        let Some(step) = self.step.take() else { return Ok(()) };
        self.run(&step, out)?;
        self.rows.end_step();
        self.subscriptions.compact();
        Ok(())
    }

    fn persist(&mut self, writes: &mut WriteSet) -> Result<(), StateError> {
        self.rows.persist(writes);
        self.subscriptions.persist(writes);
        Ok(())
    }

    fn changed_entries(&self) -> usize {
        self.rows.changed_entries() + self.subscriptions.changed_entries()
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.subscriptions.memory_bytes()
    }

    fn shrink(&mut self, bytes: usize) {
        let used = self.memory_bytes();
        self.rows.shrink(share(bytes, self.rows.memory_bytes(), used));
        self.subscriptions.shrink(share(bytes, self.subscriptions.memory_bytes(), used));
    }

    fn store_sizes(&self) -> Vec<StoreSize> {
        vec![self.rows.size(), self.subscriptions.size()]
    }
}
