//! `left [LEFT] JOIN right ON left.reference = right.key`, of two tables.
//!
//! Rows of the left table are in other partitions than the rows that they refer to. So a change of a left row sends a
//! *reference* to the partition of the right key that it names, which remembers who refers to what; the *answer* comes back
//! with the right row. A change of a right row answers all that refer to it. An answer counts only if the left row still is
//! the one that asked. Semantics 5.5.
//!
//! ```text
//! left table ──▶ ReferringSide ── references ──▶ topic ──▶ ReferredSide ◀── right table
//!                     ▲  └──▶ joined rows                       │
//!                     └────── topic ◀──────── answers ──────────┘
//! ```
//!
//! | change of a left row | INNER | LEFT |
//! |---|---|---|
//! | new, with a reference | an answer if there is a right row or a result is out | an answer |
//! | same reference | an answer if there is a right row or a result is out | an answer |
//! | other reference, or none before | the old one is withdrawn; an answer | the old one is withdrawn; an answer |
//! | reference becomes null | withdrawn; a tombstone, without asking | withdrawn; half a row, without asking |
//! | gone | withdrawn, with an answer | withdrawn; a tombstone, without asking |
//! | new without reference | nothing; a tombstone if a result is out | half a row, without asking |
//! | gone without reference, but was there | nothing | a tombstone, without asking |
//!
//! Changes may overtake each other on their way: a result is out for a new row if the answer to its deletion has not come yet, and
//! for a row without a partner if it asks before it hears that the partner is gone. Kafka Streams leaves such results standing.
//!
//! Each version of a left row has a number, which answers carry: Kafka Streams compares a hash of the row instead, so that an
//! answer to an older, equal row counts there. What is emitted last is the same.

mod referred;
mod referring;
mod subscriptions;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array};
use arrow::datatypes::{DataType, Int32Type, Int64Type};

pub use referred::{ReferredOptions, ReferredSide};
pub use referring::{ReferringOptions, ReferringSide};

use crate::types::{Column, SqlType};

/// What a reference asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instruction {
    /// To be forgotten.
    Withdraw,
    /// To be forgotten, and an answer without a row.
    WithdrawAndAnswer,
    /// To be remembered, and an answer if there is a row.
    AnswerIfFound,
    /// To be remembered, and an answer.
    Answer,
}

impl Instruction {
    const ALL: [Self; 4] = [Self::Withdraw, Self::WithdrawAndAnswer, Self::AnswerIfFound, Self::Answer];

    /// Its number in records: part of the format of the topic of references.
    fn number(self) -> i32 {
        match self {
            Self::Withdraw => 0,
            Self::WithdrawAndAnswer => 1,
            Self::AnswerIfFound => 2,
            Self::Answer => 3,
        }
    }

    fn of(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|instruction| instruction.number() == number)
    }
}

/// Columns of values of references: the left key, the version of the left row (null: it is gone), the instruction, and
/// the partition that the answer goes to.
pub fn reference_columns(left_key: &[Column]) -> Vec<Column> {
    let key = left_key.iter().enumerate().map(|(i, column)| Column::new(format!("K{i}"), column.sql_type.clone()));
    let rest = [("VERSION", SqlType::Bigint), ("INSTRUCTION", SqlType::Integer), ("PARTITION", SqlType::Integer)];
    key.chain(rest.into_iter().map(|(name, sql_type)| Column::new(name, sql_type))).collect()
}

/// Columns of values of answers: the version of the left row that asked, the partition that the answer goes to, whether there
/// is a right row, and its columns.
pub fn answer_columns(right_value: &[Column]) -> Vec<Column> {
    let own = [("VERSION", SqlType::Bigint), ("PARTITION", SqlType::Integer), ("FOUND", SqlType::Boolean)];
    let own = own.into_iter().map(|(name, sql_type)| Column::new(name, sql_type));
    let right = right_value.iter().enumerate();
    own.chain(right.map(|(i, column)| Column::new(format!("R{i}"), column.sql_type.clone()))).collect()
}

/// Which of the columns of answers says what partition they go to.
pub const ANSWER_PARTITION: usize = 1;

/// Number columns of a batch: a null is no number.
fn i64_at(column: &ArrayRef, row: usize) -> Option<i64> {
    let numbers = column.as_primitive::<Int64Type>();
    numbers.is_valid(row).then(|| numbers.value(row))
}

fn i32_at(column: &ArrayRef, row: usize) -> Option<i32> {
    let numbers = column.as_primitive::<Int32Type>();
    numbers.is_valid(row).then(|| numbers.value(row))
}

fn i64_column(numbers: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(numbers.collect::<Int64Array>())
}

fn i32_column(numbers: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(numbers.map(Some).collect::<Int32Array>())
}

fn boolean_column(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<BooleanArray>())
}

/// Types of the columns that subscriptions keep beside the left key.
fn subscription_tail() -> [DataType; 2] {
    [DataType::Int64, DataType::Int32]
}
