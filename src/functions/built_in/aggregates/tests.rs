//! What aggregate functions keep and give.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use levada_udf::{Accumulator, AggregateCall, Update};

use crate::functions::Registry;

/// The state of a call of `function` over `argument`.
fn accumulator(function: &str, argument: &DataType) -> Box<dyn Accumulator> {
    let registry = Registry::default();
    let variations = &registry.get(function).expect("a function of the language").variations;
    let body = variations[0].aggregate.as_ref().expect("it is computed");
    let call = AggregateCall {
        arguments: std::slice::from_ref(argument),
        literals: &[],
        result: &DataType::Null,
        property: &|_| None,
    };
    body.accumulator(&call).expect("the function has this type")
}

/// Folds `argument` over `slots`; the results after each row, and those of a second accumulator that loaded the
/// state of the first, must be `expected` and its last row of each slot.
fn check(function: &str, slots: &[u32], argument: &ArrayRef, undone: Option<&[bool]>, expected: &ArrayRef) {
    let new = || accumulator(function, argument.data_type());
    let mut first = new();
    first.grow(8);
    let emitted =
        first.update(&Update { slots, arguments: std::slice::from_ref(argument), undone }, true).expect("emitted");
    assert_eq!(&emitted, expected);

    let mut second = new();
    second.grow(8);
    second.load(slots, &first.state(slots));
    assert_eq!(&second.results(slots), &first.results(slots));
}

#[test]
fn count_skips_nulls() {
    let argument: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(1), Some(2)]));
    check("COUNT", &[0, 0, 1, 0], &argument, None, &(Arc::new(Int64Array::from(vec![1, 1, 1, 2])) as ArrayRef));
}

#[test]
fn sum_starts_at_zero_and_wraps() {
    let argument: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(i32::MAX), Some(1)]));
    check("SUM", &[0, 0, 0], &argument, None, &(Arc::new(Int32Array::from(vec![0, i32::MAX, i32::MIN])) as ArrayRef));
}

#[test]
fn rows_taken_back_are_subtracted() {
    let argument: ArrayRef = Arc::new(Int64Array::from(vec![5, 7, 5]));
    let undone = [false, false, true];
    check("SUM", &[0; 3], &argument, Some(&undone), &(Arc::new(Int64Array::from(vec![5, 12, 7])) as ArrayRef));
    check("COUNT", &[0; 3], &argument, Some(&undone), &(Arc::new(Int64Array::from(vec![1, 2, 1])) as ArrayRef));
    check("AVG", &[0; 3], &argument, Some(&undone), &(Arc::new(Float64Array::from(vec![5.0, 6.0, 7.0])) as ArrayRef));
}

#[test]
fn average_without_values_is_zero() {
    let argument: ArrayRef = Arc::new(Float64Array::from(vec![None, Some(1.0), Some(2.0)]));
    check("AVG", &[0; 3], &argument, None, &(Arc::new(Float64Array::from(vec![0.0, 1.0, 1.5])) as ArrayRef));
}

#[test]
fn extremes_ignore_nulls() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(4), Some(9), Some(2)]));
    let least: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(4), Some(4), Some(2)]));
    check("MIN", &[3; 4], &numbers, None, &least);
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None, Some("c"), Some("a")]));
    let greatest: ArrayRef = Arc::new(StringArray::from(vec!["b", "b", "c", "c"]));
    check("MAX", &[3; 4], &texts, None, &greatest);
}

/// The state of rows folded apart and then merged must be that of all rows folded together.
fn check_merge(function: &str, argument: &ArrayRef) {
    let rows = argument.len();
    for first in 0..=rows {
        let mut apart = accumulator(function, argument.data_type());
        apart.grow(4);
        let slots: Vec<u32> = (0..rows).map(|row| u32::from(row >= first)).collect();
        apart.update(&Update { slots: &slots, arguments: std::slice::from_ref(argument), undone: None }, false);
        apart.merge(0, 1).expect("the merged state fits");
        apart.update(&Update { slots: &vec![2; rows], arguments: std::slice::from_ref(argument), undone: None }, false);
        let merged = apart.state(&[0, 3]);
        let together = apart.state(&[2, 3]);
        assert_eq!(merged, together, "{function}, cut at {first}");
    }
}

#[test]
fn merging_is_folding_one_after_the_other() {
    let integers: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(7), Some(-3), None, Some(9), Some(2)]));
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.25), Some(-8.0)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![None, Some("b"), Some("ab"), Some("c"), None]));
    for function in ["COUNT", "SUM", "MIN", "MAX", "AVG"] {
        check_merge(function, &integers);
        check_merge(function, &doubles);
    }
    for function in ["COUNT", "MIN", "MAX"] {
        check_merge(function, &texts);
    }
}

#[test]
fn a_merged_sum_that_has_too_many_digits_is_refused() {
    let argument = Decimal128Array::from(vec![60, 70]).with_precision_and_scale(2, 0).expect("two digits");
    let argument: ArrayRef = Arc::new(argument);
    let mut sums = accumulator("SUM", argument.data_type());
    sums.grow(2);
    sums.update(&Update { slots: &[0, 1], arguments: std::slice::from_ref(&argument), undone: None }, false);
    let refused = sums.merge(0, 1);
    assert_eq!(refused, Err("Numeric field overflow: SUM has more digits than DECIMAL(2, 0)".to_owned()));
    assert_eq!(&sums.results(&[0, 1]), &argument, "both are as they were");
}
