//! Aggregate functions over typed columns indexed by slot.
//!
//! An accumulator is one column of state for all groups of a task. A batch is folded in row order in one typed loop:
//! `state[slot] = f(state[slot], value); result[row] = state[slot]`, so that emission per record costs no second pass.
//! Rules: ksqldb-surface 4.2, semantics 4.1 and 4.2.

mod average;
mod count;
mod extreme;
mod sum;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type};
use arrow::datatypes::{Date32Type, Time32MillisecondType, TimestampMillisecondType};

use crate::types::RowError;

pub use average::Average;
pub use count::Count;
pub use extreme::{Extreme, ExtremeBytes, Which};
pub use sum::Sum;

/// The rows of one update, in order.
pub struct Update<'a> {
    /// Slot of each row.
    pub slots: &'a [u32],
    /// Argument of each row; `None` for functions of no argument.
    pub argument: Option<&'a ArrayRef>,
    /// Rows that are taken back instead of added; `None` when there is none.
    pub undone: Option<&'a [bool]>,
}

impl Update<'_> {
    fn is_undone(&self, row: usize) -> bool {
        self.undone.is_some_and(|undone| undone[row])
    }
}

/// State of one aggregate function for all groups.
pub trait Accumulator: Send {
    /// Makes room for slots below `slots`; new ones hold the initial value.
    fn grow(&mut self, slots: usize);

    /// Sets `slot` to the initial value.
    fn reset(&mut self, slot: u32);

    /// Folds rows in order. With `emit`, returns the result after each row.
    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef>;

    /// Adds the state of `from`, which stays as it is, to that of `into`, as if the rows of `from` had come after those of
    /// `into`. Semantics 4.5.
    ///
    /// # Errors
    /// Why there is no such state; `into` is as it was.
    fn merge(&mut self, into: u32, from: u32) -> Result<(), String>;

    /// Rows of the last update that could not be folded, with the reason; they left the state as it was.
    fn take_rejected(&mut self) -> Vec<RowError> {
        Vec::new()
    }

    /// Current results of `slots`.
    fn results(&self, slots: &[u32]) -> ArrayRef;

    /// Memory that the state of a slot takes, about.
    fn slot_bytes(&self) -> usize;

    /// Types of the columns that hold the state in storage.
    fn state_types(&self) -> Vec<DataType>;

    /// State of `slots`, as columns of [`Accumulator::state_types`].
    fn state(&self, slots: &[u32]) -> Vec<ArrayRef>;

    /// Sets the state of `slots` to what [`Accumulator::state`] gave.
    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]);
}

/// An aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Rows, or rows whose argument is not null.
    Count,
    /// Sum, 0 without values; integers wrap.
    Sum,
    /// Least value, null without values.
    Min,
    /// Greatest value, null without values.
    Max,
    /// Mean as DOUBLE, 0 without values.
    Avg,
}

/// The accumulator of `function` over arguments of type `argument` (ignored for COUNT); `None` if there is none.
pub fn accumulator(function: Function, argument: Option<&DataType>) -> Option<Box<dyn Accumulator>> {
    let data_type = argument.cloned().unwrap_or(DataType::Null);
    match function {
        Function::Count => Some(Box::new(Count::default())),
        Function::Sum => sum(&data_type),
        Function::Avg => average(&data_type),
        Function::Min => extreme(Which::Min, &data_type),
        Function::Max => extreme(Which::Max, &data_type),
    }
}

fn sum(data_type: &DataType) -> Option<Box<dyn Accumulator>> {
    Some(match data_type {
        DataType::Int32 => Box::new(Sum::<Int32Type>::new(data_type)),
        DataType::Int64 => Box::new(Sum::<Int64Type>::new(data_type)),
        DataType::Float64 => Box::new(Sum::<Float64Type>::new(data_type)),
        DataType::Decimal128(..) => Box::new(Sum::<Decimal128Type>::new(data_type)),
        DataType::Decimal256(..) => Box::new(Sum::<Decimal256Type>::new(data_type)),
        _ => return None,
    })
}

fn average(data_type: &DataType) -> Option<Box<dyn Accumulator>> {
    Some(match data_type {
        DataType::Int32 => Box::new(Average::<Int32Type>::default()),
        DataType::Int64 => Box::new(Average::<Int64Type>::default()),
        DataType::Float64 => Box::new(Average::<Float64Type>::default()),
        _ => return None,
    })
}

fn extreme(which: Which, data_type: &DataType) -> Option<Box<dyn Accumulator>> {
    Some(match data_type {
        DataType::Int32 => Box::new(Extreme::<Int32Type>::new(which, data_type)),
        DataType::Int64 => Box::new(Extreme::<Int64Type>::new(which, data_type)),
        DataType::Float64 => Box::new(Extreme::<Float64Type>::new(which, data_type)),
        DataType::Date32 => Box::new(Extreme::<Date32Type>::new(which, data_type)),
        DataType::Time32(_) => Box::new(Extreme::<Time32MillisecondType>::new(which, data_type)),
        DataType::Timestamp(..) => Box::new(Extreme::<TimestampMillisecondType>::new(which, data_type)),
        DataType::Decimal128(..) => Box::new(Extreme::<Decimal128Type>::new(which, data_type)),
        DataType::Decimal256(..) => Box::new(Extreme::<Decimal256Type>::new(which, data_type)),
        DataType::Utf8 | DataType::Binary => Box::new(ExtremeBytes::new(which, data_type)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray};

    use super::*;

    /// Folds `argument` over `slots`; the results after each row, and those of a second accumulator that loaded the
    /// state of the first, must be `expected` and its last row of each slot.
    fn check(function: Function, slots: &[u32], argument: &ArrayRef, undone: Option<&[bool]>, expected: &ArrayRef) {
        let new = || accumulator(function, Some(argument.data_type())).expect("the function has this type");
        let mut first = new();
        first.grow(8);
        let emitted = first.update(&Update { slots, argument: Some(argument), undone }, true).expect("emitted");
        assert_eq!(&emitted, expected);

        let mut second = new();
        second.grow(8);
        second.load(slots, &first.state(slots));
        assert_eq!(&second.results(slots), &first.results(slots));
    }

    #[test]
    fn count_skips_nulls() {
        let argument: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(1), Some(2)]));
        check(
            Function::Count,
            &[0, 0, 1, 0],
            &argument,
            None,
            &(Arc::new(Int64Array::from(vec![1, 1, 1, 2])) as ArrayRef),
        );
    }

    #[test]
    fn sum_starts_at_zero_and_wraps() {
        let argument: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(i32::MAX), Some(1)]));
        check(
            Function::Sum,
            &[0, 0, 0],
            &argument,
            None,
            &(Arc::new(Int32Array::from(vec![0, i32::MAX, i32::MIN])) as ArrayRef),
        );
    }

    #[test]
    fn rows_taken_back_are_subtracted() {
        let argument: ArrayRef = Arc::new(Int64Array::from(vec![5, 7, 5]));
        let undone = [false, false, true];
        check(
            Function::Sum,
            &[0; 3],
            &argument,
            Some(&undone),
            &(Arc::new(Int64Array::from(vec![5, 12, 7])) as ArrayRef),
        );
        check(
            Function::Count,
            &[0; 3],
            &argument,
            Some(&undone),
            &(Arc::new(Int64Array::from(vec![1, 2, 1])) as ArrayRef),
        );
        check(
            Function::Avg,
            &[0; 3],
            &argument,
            Some(&undone),
            &(Arc::new(Float64Array::from(vec![5.0, 6.0, 7.0])) as ArrayRef),
        );
    }

    #[test]
    fn average_without_values_is_zero() {
        let argument: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(1.0), Some(2.0)]));
        check(
            Function::Avg,
            &[0; 3],
            &argument,
            None,
            &(Arc::new(Float64Array::from(vec![0.0, 1.0, 1.5])) as ArrayRef),
        );
    }

    #[test]
    fn extremes_ignore_nulls() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(4), Some(9), Some(2)]));
        let least: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(4), Some(4), Some(2)]));
        check(Function::Min, &[3; 4], &numbers, None, &least);
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None, Some("c"), Some("a")]));
        let greatest: ArrayRef = Arc::new(StringArray::from(vec!["b", "b", "c", "c"]));
        check(Function::Max, &[3; 4], &texts, None, &greatest);
    }

    /// The state of rows folded apart and then merged must be that of all rows folded together.
    fn check_merge(function: Function, argument: &ArrayRef) {
        let rows = argument.len();
        for first in 0..=rows {
            let mut apart = accumulator(function, Some(argument.data_type())).expect("the function has this type");
            apart.grow(4);
            let slots: Vec<u32> = (0..rows).map(|row| u32::from(row >= first)).collect();
            apart.update(&Update { slots: &slots, argument: Some(argument), undone: None }, false);
            apart.merge(0, 1).expect("the merged state fits");
            apart.update(&Update { slots: &vec![2; rows], argument: Some(argument), undone: None }, false);
            let merged = apart.state(&[0, 3]);
            let together = apart.state(&[2, 3]);
            assert_eq!(merged, together, "{function:?}, cut at {first}");
        }
    }

    #[test]
    fn merging_is_folding_one_after_the_other() {
        let integers: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(7), Some(-3), None, Some(9), Some(2)]));
        let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.25), Some(-8.0)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![None, Some("b"), Some("ab"), Some("c"), None]));
        for function in [Function::Count, Function::Sum, Function::Min, Function::Max, Function::Avg] {
            check_merge(function, &integers);
            check_merge(function, &doubles);
        }
        for function in [Function::Count, Function::Min, Function::Max] {
            check_merge(function, &texts);
        }
    }

    #[test]
    fn a_merged_sum_that_has_too_many_digits_is_refused() {
        let argument = Decimal128Array::from(vec![60, 70]).with_precision_and_scale(2, 0).expect("two digits");
        let argument: ArrayRef = Arc::new(argument);
        let mut sums = accumulator(Function::Sum, Some(argument.data_type())).expect("decimals are summed");
        sums.grow(2);
        sums.update(&Update { slots: &[0, 1], argument: Some(&argument), undone: None }, false);
        let refused = sums.merge(0, 1);
        assert_eq!(refused, Err("Numeric field overflow: SUM has more digits than DECIMAL(2, 0)".to_owned()));
        assert_eq!(&sums.results(&[0, 1]), &argument, "both are as they were");
    }
}
