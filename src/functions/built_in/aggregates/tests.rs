//! What aggregate functions keep and give.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array,
    ListArray, StringArray, StructArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type};
use levada_udf::{Accumulator, AggregateCall, Configuration, Update};

use crate::functions::Registry;

/// The state of a call of `function` over `argument`; TOPK and its like keep three values.
fn accumulator(function: &str, argument: &DataType) -> Box<dyn Accumulator> {
    let three: ArrayRef = Arc::new(Int32Array::from(vec![3]));
    let literals = if function.starts_with("TOPK") { vec![three] } else { Vec::new() };
    called(function, std::slice::from_ref(argument), &literals, &DataType::Null)
}

fn called(function: &str, arguments: &[DataType], literals: &[ArrayRef], result: &DataType) -> Box<dyn Accumulator> {
    let call = AggregateCall { arguments, literals, result, configuration: &Configuration::default() };
    accumulated(function, &call).expect("the function has this type")
}

fn accumulated(function: &str, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    let registry = Registry::default();
    let variations = &registry.get(function).expect("a function of the language").variations;
    variations[0].aggregate.as_ref().expect("it is computed").accumulator(call)
}

/// Lists of numbers.
fn lists<const N: usize>(lists: [&[Option<i32>]; N]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists.map(|list| Some(list.to_vec()))))
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
    second.load(slots, &first.state(slots).expect("kept")).expect("taken");
    assert_eq!(&second.results(slots), &first.results(slots));
    let types: Vec<DataType> =
        first.state(slots).expect("kept").iter().map(|column| column.data_type().clone()).collect();
    assert_eq!(types, first.state_types(), "{function}");

    slots.iter().for_each(|&slot| first.reset(slot));
    assert_eq!(first.heap_bytes(), 0, "{function} forgets what it took");
    assert_eq!(&first.results(slots), &accumulator_of_nothing(function, argument.data_type()).results(slots));
}

fn accumulator_of_nothing(function: &str, argument: &DataType) -> Box<dyn Accumulator> {
    let mut nothing = accumulator(function, argument);
    nothing.grow(8);
    nothing
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

#[test]
fn values_are_in_the_order_of_java() {
    // U+FFFF is after what is past it, 0x80 before 0x7F, and a NaN of either sign after all others.
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a\u{10000}b", "a\u{FFFF}", "a\u{10000}", "a"]));
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..], b"\x7f", b"\x80\x00", b"\x80"]));
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![f64::INFINITY, f64::NAN, 1.0, -0.0]));
    for values in [texts, bytes, doubles] {
        let after_all = |function| {
            let mut accumulator = accumulator(function, values.data_type());
            accumulator.grow(1);
            let arguments = std::slice::from_ref(&values);
            accumulator.update(&Update { slots: &[0; 4], arguments, undone: None }, false);
            accumulator.results(&[0])
        };
        assert_eq!(&after_all("MAX"), &values.slice(1, 1));
        assert_eq!(&after_all("MIN"), &values.slice(3, 1));
        let greatest = take(&values, &UInt32Array::from(vec![1, 0, 2]), None).expect("within");
        assert_eq!(after_all("TOPK").as_list::<i32>().values(), &greatest);
        assert_eq!(after_all("TOPKDISTINCT").as_list::<i32>().values(), &greatest);
        ["MIN", "MAX", "TOPK", "TOPKDISTINCT"].iter().for_each(|function| check_merge(function, &values));
    }
    let nans: ArrayRef = Arc::new(Float64Array::from(vec![-f64::NAN, 1.0, f64::NAN]));
    let mut least = accumulator("MIN", nans.data_type());
    least.grow(1);
    least.update(&Update { slots: &[0; 3], arguments: std::slice::from_ref(&nans), undone: None }, false);
    assert_eq!(&least.results(&[0]), &nans.slice(1, 1));
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
        assert_eq!(&apart.results(&[0, 3]), &apart.results(&[2, 3]), "{function}, cut at {first}");
        if !function.ends_with("_BY_OFFSET") {
            assert_eq!(apart.state(&[0, 3]), apart.state(&[2, 3]), "{function}, cut at {first}");
        }
    }
}

#[test]
fn merging_is_folding_one_after_the_other() {
    let integers: ArrayRef = Arc::new(Int32Array::from(vec![None, Some(7), Some(-3), None, Some(9), Some(2)]));
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.5), None, Some(2.25), Some(-8.0)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![None, Some("b"), Some("ab"), Some("c"), None]));
    let any =
        ["ATTR", "COLLECT_LIST", "COLLECT_SET", "COUNT", "COUNT_DISTINCT", "EARLIEST_BY_OFFSET", "LATEST_BY_OFFSET"];
    for function in any.iter().chain(&["SUM", "MIN", "MAX", "AVG", "TOPK", "TOPKDISTINCT"]) {
        check_merge(function, &integers);
        check_merge(function, &doubles);
    }
    for function in any.iter().chain(&["HISTOGRAM", "MIN", "MAX", "TOPK", "TOPKDISTINCT"]) {
        check_merge(function, &texts);
    }
    check_merge("SUM_LIST", &lists([&[Some(1), None], &[], &[Some(i32::MAX), Some(7)]]));
}

#[test]
fn merged_deviations_are_those_of_all_values() {
    let values: Vec<f64> = vec![2.0, -4.5, 7.25, 2.0, 100.0];
    let argument: ArrayRef = Arc::new(Float64Array::from(values.clone()));
    for first in 0..=values.len() {
        let mut variances = accumulator("STDDEV_SAMP", argument.data_type());
        variances.grow(3);
        let slots: Vec<u32> = (0..values.len()).map(|row| u32::from(row >= first)).collect();
        let arguments = std::slice::from_ref(&argument);
        variances.update(&Update { slots: &slots, arguments, undone: None }, false);
        variances.merge(0, 1).expect("variances are merged");
        variances.update(&Update { slots: &[2; 5], arguments, undone: None }, false);
        let results = variances.results(&[0, 2]);
        let [merged, together] = [0, 1].map(|row| results.as_primitive::<Float64Type>().value(row));
        assert!((merged - together).abs() < 1e-9, "cut at {first}: {merged} {together}");
    }
}

#[test]
fn values_taken_back_are_as_if_they_had_not_been() {
    let argument: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(1), Some(1), None, Some(5)]));
    let undone = [false, false, false, true, true, true];
    let collected =
        lists([&[Some(1)], &[Some(1), None], &[Some(1), None, Some(1)], &[Some(1), None], &[Some(1)], &[Some(1)]]);
    check("COLLECT_LIST", &[0; 6], &argument, Some(&undone), &collected);
    let only: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, None, None, Some(1), Some(1)]));
    check("ATTR", &[0; 6], &argument, Some(&undone), &only);
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 4.0, 4.0, 7.0, 7.0]));
    let undone = [false, false, true, false, true];
    let variances: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 4.5, 0.0, 18.0, 0.0]));
    check("STDDEV_SAMP", &[0; 5], &values, Some(&undone), &variances);
    let numbers = lists([&[Some(1), None, Some(2)], &[Some(5)], &[Some(1), Some(2)]]);
    let sums: ArrayRef = Arc::new(Int32Array::from(vec![3, 8, 5]));
    check("SUM_LIST", &[0; 3], &numbers, Some(&[false, false, true]), &sums);
}

#[test]
fn a_histogram_counts_a_thousand_values() {
    let values: Vec<String> = (0..1001).map(|i| i.to_string()).chain(["7".to_owned(), "8".to_owned()]).collect();
    let argument: ArrayRef = Arc::new(StringArray::from(values));
    let mut undone = vec![false; 1003];
    undone[1002] = true;
    let mut histogram = accumulator("HISTOGRAM", argument.data_type());
    histogram.grow(2);
    let arguments = std::slice::from_ref(&argument);
    histogram.update(&Update { slots: &[0; 1003], arguments, undone: Some(&undone) }, false);
    histogram.load(&[1], &histogram.state(&[0]).expect("kept")).expect("taken");
    let results = histogram.results(&[0, 1]);
    for counts in results.as_map().iter().flatten() {
        let values: Vec<&str> = counts.column(0).as_string::<i32>().iter().flatten().collect();
        let counts = counts.column(1).as_primitive::<arrow::datatypes::Int64Type>();
        assert_eq!(values.len(), 999, "one is gone, and one never came");
        let count = |value: &str| values.iter().position(|other| *other == value).map(|at| counts.value(at));
        assert_eq!([count("7"), count("8"), count("1000"), count("999")], [Some(2), None, None, Some(1)]);
    }
}

#[test]
fn sets_keep_each_value_once_and_lists_up_to_a_limit() {
    let argument: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(1), None, Some(2)]));
    let sets = lists([&[Some(1)], &[Some(1), None], &[Some(1), None], &[Some(1), None], &[Some(1), None, Some(2)]]);
    check("COLLECT_SET", &[0; 5], &argument, None, &sets);
    for (function, expected) in [("COLLECT_LIST", [1, 1]), ("COLLECT_SET", [1, 2])] {
        let name = format!("ksql.functions.{}.limit", function.to_lowercase());
        let made_with = |limit: &str| {
            let configuration = &Configuration::new(function, [(name.as_str(), limit)]);
            let arguments = &[DataType::Int32];
            accumulated(function, &AggregateCall { arguments, literals: &[], result: &DataType::Null, configuration })
        };
        let mut limited = made_with("2").expect("a limit");
        limited.grow(1);
        let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 1, 2, 3]));
        limited.update(&Update { slots: &[0; 4], arguments: &[values], undone: None }, false);
        assert_eq!(&limited.results(&[0]), &lists([&expected.map(Some)]), "{function}");
        let refused = made_with("few").map(drop);
        assert_eq!(refused, Err(format!("{name} is 'few', which is no whole number")));
    }
}

#[test]
fn the_latest_and_the_earliest_are_by_arrival_whatever_is_merged_with_what() {
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(3)]));
    let literals = |count: i32, ignores_nulls: bool| -> Vec<ArrayRef> {
        vec![Arc::new(Int32Array::from(vec![count])), Arc::new(BooleanArray::from(vec![ignores_nulls]))]
    };
    let cases: [(&str, i32, bool, &[Option<i32>]); 5] = [
        ("EARLIEST_BY_OFFSET", 2, true, &[Some(1), Some(2)]),
        ("LATEST_BY_OFFSET", 2, true, &[Some(2), Some(3)]),
        ("LATEST_BY_OFFSET", 2, false, &[None, Some(3)]),
        ("EARLIEST_BY_OFFSET", 3, false, &[Some(1), Some(2), None]),
        ("LATEST_BY_OFFSET", 9, true, &[Some(1), Some(2), Some(3)]),
    ];
    for (function, count, ignores_nulls, expected) in cases {
        let new = || called(function, &[DataType::Int32], &literals(count, ignores_nulls), &DataType::Null);
        let mut first = new();
        first.grow(2);
        let rows = Update { slots: &[1, 0, 0, 1], arguments: std::slice::from_ref(&values), undone: None };
        first.update(&rows, false);
        let mut second = new();
        second.grow(2);
        second.load(&[1, 0], &first.state(&[1, 0]).expect("kept")).expect("taken");
        second.merge(0, 1).expect("values are merged");
        assert_eq!(&second.results(&[0]), &lists([expected]), "{function} {count} {ignores_nulls}");
    }
    let none = accumulated(
        "EARLIEST_BY_OFFSET",
        &AggregateCall {
            arguments: &[DataType::Int32],
            literals: &[Arc::new(Int32Array::from(vec![0]))],
            result: &DataType::Null,
            configuration: &Configuration::default(),
        },
    );
    assert_eq!(none.map(drop), Err("the number of values must be 1 or greater".to_owned()));
}

#[test]
fn the_greatest_values_are_in_descending_order_with_what_stands_beside_them() {
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(5), None, Some(5), Some(3), Some(0)]));
    let top = lists([
        &[Some(1)],
        &[Some(5), Some(1)],
        &[Some(5), Some(1)],
        &[Some(5), Some(5), Some(1)],
        &[Some(5), Some(5), Some(3)],
        &[Some(5), Some(5), Some(3)],
    ]);
    check("TOPK", &[0; 6], &values, None, &top);
    let top = lists([
        &[Some(1)],
        &[Some(5), Some(1)],
        &[Some(5), Some(1)],
        &[Some(5), Some(1)],
        &[Some(5), Some(3), Some(1)],
        &[Some(5), Some(3), Some(1)],
    ]);
    check("TOPKDISTINCT", &[0; 6], &values, None, &top);

    let texts: ArrayRef =
        Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("c"), None, Some("e"), Some("f")]));
    let fields = vec![Field::new("sort_col", DataType::Int32, true), Field::new("col0", DataType::Utf8, true)];
    let result = super::list_of(&DataType::Struct(fields.clone().into()));
    let two: ArrayRef = Arc::new(Int32Array::from(vec![2]));
    let mut structs = called("TOPK", &[DataType::Int32, DataType::Utf8], &[two], &result);
    structs.grow(2);
    structs.update(&Update { slots: &[0; 6], arguments: &[values, texts], undone: None }, false);
    structs.load(&[1], &structs.state(&[0]).expect("kept")).expect("taken");
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![5, 5])), Arc::new(StringArray::from(vec![Some("b"), None]))];
    let expected: ArrayRef = Arc::new(StructArray::new(fields.into(), columns, None));
    for row in structs.results(&[0, 1]).as_list::<i32>().iter() {
        assert_eq!(row.as_ref(), Some(&expected));
    }
}

#[test]
fn correlation_is_of_rows_with_both() {
    let x: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(3), Some(9)]));
    let y: ArrayRef = Arc::new(Int32Array::from(vec![Some(2), Some(4), Some(1), Some(6), Some(0)]));
    let mut correlation = called("CORRELATION", &[DataType::Int32, DataType::Int32], &[], &DataType::Float64);
    correlation.grow(1);
    let undone = [false, false, false, false, true];
    let arguments = [x, y];
    let rows =
        Update { slots: &[0, 0, 0, 0], arguments: &arguments.clone().map(|column| column.slice(0, 4)), undone: None };
    let results = correlation.update(&rows, true).expect("emitted");
    let results = results.as_primitive::<Float64Type>();
    assert!(results.value(0).is_nan());
    assert_eq!(&results.values()[1..], [1.0, 1.0, 1.0]);
    let both = Update {
        slots: &[0, 0],
        arguments: &arguments.map(|column| {
            let last = column.slice(4, 1);
            arrow::compute::concat(&[&last, &last]).expect("of one type")
        }),
        undone: Some(&undone[3..]),
    };
    let results = correlation.update(&both, true).expect("emitted");
    let results = results.as_primitive::<Float64Type>();
    assert!(results.value(0) < 0.0);
    assert_eq!(results.value(1).to_bits(), 1.0_f64.to_bits());
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
