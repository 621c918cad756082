//! Both sides of the interface of plug-ins in one process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int32Array, Int64Array, ListBuilder, MapBuilder,
    StringArray, StringBuilder, StructArray,
};
use arrow::array::{Int64Builder, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Decimal128Type, Field, Fields, Float64Type, Int32Type, Int64Type};
use levada_udf::abi::{Plugin, VERSION};
use levada_udf::{
    Accumulator, AggregateCall, Batch, Configuration, Decimal, Definition, Exported, Functions, List, Map, Operand,
    Rejected, Resource, Rest, Struct, Update, aggregate, scalar, table,
};

use super::library::Library;
use super::{add, linked};
use crate::functions::{Function, Registry};

/// A share of a whole.
#[scalar(name = "share", example("share(6, 3)" = "2"))]
fn share(
    /// What is divided.
    whole: i32,
    parts: i32,
) -> Result<i32, String> {
    assert!(parts >= 0, "there cannot be {parts} parts");
    whole.checked_div(parts).ok_or_else(|| "there are no parts".to_owned())
}

/// Texts, the first one of them so many times.
#[scalar(volatile)]
fn joined(count: Option<i32>, texts: Rest<&str>) -> String {
    let first = texts.get(0).unwrap_or("-").repeat(count.unwrap_or(0) as usize);
    texts.iter().skip(1).fold(first, |joined, text| joined + text.unwrap_or("?"))
}

/// What is of another type than it says.
#[scalar(signature = "(value T) -> T")]
fn liar(batch: &mut Batch<'_>) -> ArrayRef {
    Arc::new(Int64Array::from(vec![0; batch.rows()]))
}

/// What greetings end with, from the configuration.
struct Mark(String);

impl Resource for Mark {
    fn open(configuration: &Configuration) -> Result<Self, String> {
        configuration.required("mark").map(|mark| Self(mark.to_owned()))
    }
}

/// A greeting.
#[scalar(blocking = 2)]
fn greet(#[resource] mark: &Mark, name: &str) -> String {
    format!("Hello, {name}{}", mark.0)
}

/// A price.
#[derive(Struct)]
struct Price {
    amount: Decimal<6, 2>,
    currency: Option<String>,
}

/// The price of so many.
#[scalar]
fn times(price: Price, count: i32) -> Result<Price, String> {
    let amount = price.amount.0.checked_mul(i128::from(count)).ok_or("too much")?;
    Ok(Price { amount: Decimal(amount), ..price })
}

/// The sum of a map's values, those of unknown keys twice.
#[scalar]
#[expect(clippy::needless_pass_by_value, reason = "a function takes its arguments")]
fn weighed<'a>(counts: Map<'a, &'a str, i64>, known: List<'a, &'a str>) -> i64 {
    let known: Vec<_> = known.iter().flatten().collect();
    let weights = counts.iter().map(|(key, count)| count.unwrap_or(0) * if known.contains(&key) { 1 } else { 2 });
    weights.sum()
}

/// The parts of a text.
#[table]
fn parts(text: &str, _most: Option<i32>) -> Option<Vec<String>> {
    (!text.is_empty()).then(|| text.split(',').map(str::to_owned).collect())
}

/// The mean of the values, each so many times.
#[derive(Default, Clone, Struct)]
struct WeightedMean {
    sum: f64,
    count: i64,
}

/// The mean of values that weigh.
#[aggregate]
impl WeightedMean {
    fn add(&mut self, value: f64, weight: i64, #[literal] limit: i32) -> Result<(), String> {
        assert!(weight >= 0, "a negative weight");
        if value > f64::from(limit) {
            return Err(format!("{value} is greater than {limit}"));
        }
        self.sum += value * weight as f64;
        self.count += weight;
        Ok(())
    }

    fn undo(&mut self, value: f64, weight: i64, _limit: i32) {
        self.sum -= value * weight as f64;
        self.count -= weight;
    }

    fn merge(&mut self, later: &Self) {
        self.sum += later.sum;
        self.count += later.count;
    }

    fn result(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// The sum, unless it is one that cannot be kept.
#[derive(Default)]
struct Superstitious(i64);

/// The sum of numbers that no storage holds when it is 13, and that storage does not give back when it is 14.
#[aggregate]
impl Superstitious {
    fn add(&mut self, number: i64) {
        self.0 += number;
    }

    fn merge(&mut self, later: &Self) {
        self.0 += later.0;
    }

    fn result(&self) -> i64 {
        self.0
    }

    fn store(&self) -> i64 {
        assert!(self.0 != 13, "13 brings bad luck");
        self.0
    }

    fn restore(stored: i64) -> Self {
        assert!(stored != 14, "14 is 13 with another name");
        Self(stored)
    }
}

struct Own;

impl Functions for Own {
    fn definitions() -> Vec<Definition> {
        levada_udf::functions![share, joined, liar, greet, times, weighed, parts, WeightedMean, Superstitious]
    }

    fn kept() -> &'static OnceLock<Vec<Definition>> {
        static ALL: OnceLock<Vec<Definition>> = OnceLock::new();
        &ALL
    }
}

static PLUGIN: Plugin = Exported::<Own>::PLUGIN;

fn functions() -> Vec<Function> {
    let properties = BTreeMap::from([("ksql.functions._global_.mark".to_owned(), "!".to_owned())]);
    let mut functions = linked(&PLUGIN, &properties).expect("good functions");
    functions.iter_mut().for_each(|function| function.origin = Some(PathBuf::from("own.so")));
    functions
}

/// What the function `name` gives for `arguments`, and which rows fail.
fn evaluated(name: &str, arguments: &[Operand], rows: usize, result: &DataType) -> (ArrayRef, Vec<(usize, String)>) {
    let functions = functions();
    let function = functions.iter().find(|function| function.spelling == name).expect("it is there");
    let variation = &function.variations[0];
    let lists = variation.table.as_ref().map(|table| &table.lists);
    let body = variation.scalar.as_ref().or(lists).expect("it is in the library");
    let mut failures = Vec::new();
    let values = body.evaluate(arguments, rows, result, &mut |row, reason| failures.push((row, reason)));
    (values, failures)
}

fn numbers(values: Vec<Option<i32>>) -> Operand {
    Operand::Column(Arc::new(Int32Array::from(values)))
}

#[test]
fn functions_are_as_their_author_says() {
    let all = functions();
    let calls: Vec<String> = all.iter().map(|one| Function::call_text(&one.name(), &one.variations[0])).collect();
    let expected = [
        "SHARE(whole INT, parts INT)",
        "JOINED(count INT, texts VARCHAR...)",
        "LIAR(value T)",
        "GREET(name VARCHAR)",
        "TIMES(price STRUCT<AMOUNT DECIMAL(6, 2), CURRENCY VARCHAR>, count INT)",
        "WEIGHED(counts MAP<VARCHAR, BIGINT>, known ARRAY<VARCHAR>)",
        "PARTS(text VARCHAR, most INT)",
        "WEIGHTED_MEAN(value DOUBLE, weight BIGINT, limit INT)",
        "SUPERSTITIOUS(number BIGINT)",
    ];
    assert_eq!(calls, expected);
    assert_eq!(all[0].description, "A share of a whole.");
    assert_eq!(all[0].examples, [("share(6, 3)".to_owned(), "2".to_owned())]);
    assert_eq!(all[0].variations[0].parameters[0].description, "What is divided.");
    assert!(all[1].is_volatile && !all[0].is_volatile);
}

#[test]
fn rows_that_fail_or_panic_are_null_and_told_apart() {
    let arguments =
        [numbers(vec![Some(6), Some(6), Some(6), None]), numbers(vec![Some(3), Some(0), Some(-1), Some(1)])];
    let (shares, failures) = evaluated("share", &arguments, 4, &DataType::Int32);
    assert_eq!(*shares.as_primitive::<Int32Type>(), Int32Array::from(vec![Some(2), None, None, None]));
    let panic = "the function panicked: there cannot be -1 parts".to_owned();
    assert_eq!(failures, [(1, "there are no parts".to_owned()), (2, panic)]);
}

#[test]
fn constants_nulls_and_any_number_of_arguments_cross_the_interface() {
    let text = |text: Option<&str>| Operand::Constant(Arc::new(StringArray::from(vec![text])) as ArrayRef);
    let arguments = [numbers(vec![Some(2), None]), text(Some("ab")), text(None)];
    let (joined, failures) = evaluated("joined", &arguments, 2, &DataType::Utf8);
    assert_eq!(*joined.as_string::<i32>(), StringArray::from(vec!["abab?", "?"]));
    assert_eq!(failures, []);
}

#[test]
fn a_result_of_another_type_fails_all_rows() {
    let (values, failures) = evaluated("liar", &[numbers(vec![Some(1), Some(2)])], 2, &DataType::Int32);
    assert_eq!(*values.as_primitive::<Int32Type>(), Int32Array::from(vec![None, None]));
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0].1, "liar: the plug-in has not given Int32 for every row, as its signature says");
}

#[test]
fn plug_ins_for_another_interface_are_refused() {
    let refused = |plugin: Plugin| {
        // SAFETY: it lives until the end of the call, and a refused one is not kept.
        unsafe { Library::of(&raw const plugin) }.err().expect("it is refused")
    };
    let newer = refused(Plugin { version: VERSION + 1, ..Exported::<Own>::PLUGIN });
    assert_eq!(newer, "it is built for version 4 of the interface of plug-ins, and this server speaks version 3");
    assert_eq!(
        refused(Plugin { magic: *b"whatever", ..Exported::<Own>::PLUGIN }),
        "it is no plug-in: it begins otherwise"
    );
}

#[test]
fn a_name_that_is_taken_refuses_the_whole_plug_in() {
    let mut registry = Registry::default();
    add(functions(), Path::new("own.so"), &mut registry).expect("the names are new");
    let error = add(functions(), Path::new("other.so"), &mut registry).expect_err("the names are taken");
    let text = "Cannot load functions from other.so: the function SHARE is there already, from own.so";
    assert_eq!(error.to_string(), text);
    let mut own = functions().remove(0);
    own.spelling = "ucase".to_owned();
    let error = add(vec![own], Path::new("third.so"), &mut registry).expect_err("it is built in");
    assert!(error.to_string().ends_with("the function UCASE is there already, from Levada itself"), "{error}");
}

#[test]
fn a_function_is_opened_with_what_it_is_configured_to() {
    let names = Operand::Column(Arc::new(StringArray::from(vec!["Ada", "Bob", "Cleo"])));
    let (greetings, failures) = evaluated("greet", &[names], 3, &DataType::Utf8);
    assert_eq!(*greetings.as_string::<i32>(), StringArray::from(vec!["Hello, Ada!", "Hello, Bob!", "Hello, Cleo!"]));
    assert_eq!(failures, []);
    let error = linked(&PLUGIN, &BTreeMap::new()).expect_err("there is no mark");
    assert_eq!(error, "greet: the property ksql.functions.greet.mark is missing");
}

#[test]
fn structs_and_decimals_cross_the_interface() {
    let amounts = Decimal128Array::from(vec![Some(150), Some(999_999), None]).with_precision_and_scale(6, 2);
    let amounts: ArrayRef = Arc::new(amounts.expect("good digits"));
    let currencies: ArrayRef = Arc::new(StringArray::from(vec![None, Some("EUR"), Some("EUR")]));
    let fields = Fields::from(vec![
        Field::new("AMOUNT", DataType::Decimal128(6, 2), true),
        Field::new("CURRENCY", DataType::Utf8, true),
    ]);
    let prices: ArrayRef = Arc::new(StructArray::new(fields.clone(), vec![amounts, currencies], None));
    let arguments = [Operand::Column(prices), numbers(vec![Some(2), Some(2), Some(2)])];
    let (found, failures) = evaluated("times", &arguments, 3, &DataType::Struct(fields));
    assert_eq!(found.as_struct().column(0).as_primitive::<Decimal128Type>().value(0), 300);
    assert!(found.as_struct().column(1).is_null(0));
    assert!(found.is_null(2), "the amount is NULL, for which a price has no place");
    assert_eq!(failures, [(1, "19999.98 does not fit DECIMAL(6, 2)".to_owned())]);
}

#[test]
fn maps_and_arrays_cross_the_interface() {
    let mut counts = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for (key, count) in [("a", 1), ("b", 10)] {
        counts.keys().append_value(key);
        counts.values().append_value(count);
    }
    counts.append(true).expect("as many keys as values");
    let mut known = ListBuilder::new(StringBuilder::new());
    known.append_value([Some("a"), None]);
    let arguments = [Operand::Column(Arc::new(counts.finish())), Operand::Constant(Arc::new(known.finish()))];
    let (found, _) = evaluated("weighed", &arguments, 1, &DataType::Int64);
    assert_eq!(found.as_primitive::<Int64Type>().value(0), 21);
}

#[test]
fn a_table_function_gives_an_array_per_row() {
    let result = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let texts = Operand::Column(Arc::new(StringArray::from(vec!["a,b", ""])));
    let (found, _) = evaluated("parts", &[texts, numbers(vec![None, None])], 2, &result);
    assert_eq!(*found.as_list::<i32>().value(0).as_string::<i32>(), StringArray::from(vec!["a", "b"]));
    assert!(found.is_null(1));
    let function = functions().into_iter().find(|function| function.spelling == "parts").expect("it is there");
    assert_eq!(function.variations[0].returns.shown().to_string(), "VARCHAR");
}

/// The state of `WEIGHTED_MEAN` for two groups.
fn means() -> Box<dyn Accumulator> {
    let functions = functions();
    let function = functions.iter().find(|function| function.spelling == "weighted_mean").expect("it is there");
    assert!(function.variations[0].has_undo);
    let limit: ArrayRef = Arc::new(Int32Array::from(vec![100]));
    let call = AggregateCall {
        arguments: &[DataType::Float64, DataType::Int64],
        literals: &[limit],
        result: &DataType::Float64,
        configuration: &Configuration::default(),
    };
    let mut means =
        function.variations[0].aggregate.as_ref().expect("it is computed").accumulator(&call).expect("good");
    means.grow(2);
    means
}

fn rows(values: Vec<f64>, weights: Vec<Option<i64>>) -> [ArrayRef; 2] {
    [Arc::new(Float64Array::from(values)), Arc::new(Int64Array::from(weights))]
}

fn doubles(array: &ArrayRef) -> Vec<Option<f64>> {
    array.as_primitive::<Float64Type>().iter().collect()
}

#[test]
fn an_aggregate_function_adds_takes_back_merges_and_stores() {
    let mut means = means();
    let arguments = rows(vec![1.0, 4.0, 8.0, 4.0], vec![Some(1), Some(2), Some(1), Some(2)]);
    let undone = [false, false, false, true];
    let update = Update { slots: &[0, 0, 1, 0], arguments: &arguments, undone: Some(&undone) };
    let after = means.update(&update, true).expect("results are wanted");
    assert_eq!(doubles(&after), [Some(1.0), Some(3.0), Some(8.0), Some(1.0)]);
    means.merge(0, 1).expect("groups are merged");
    assert_eq!(doubles(&means.results(&[0, 1])), [Some(4.5), Some(8.0)]);

    let stored = means.state(&[1, 0]).expect("they are kept");
    assert_eq!(stored.iter().map(|column| column.data_type().clone()).collect::<Vec<_>>(), means.state_types());
    let mut restored = self::means();
    restored.load(&[0, 1], &stored).expect("they are taken");
    assert_eq!(doubles(&restored.results(&[0, 1])), [Some(8.0), Some(4.5)]);
    restored.reset(0);
    assert_eq!(doubles(&restored.results(&[0])), [None]);
    assert!(restored.slot_bytes() > 0);
    let first = UInt32Array::from(vec![0]);
    let second: Vec<ArrayRef> = stored.iter().map(|column| take(column, &first, None).expect("a row")).collect();
    restored.load(&[0], &second).expect("it is taken");
    assert_eq!(doubles(&restored.results(&[0])), [Some(8.0)]);
}

#[test]
fn rows_that_an_aggregate_function_refuses_or_panics_at_are_told_and_leave_the_group() {
    let mut means = means();
    let arguments = rows(vec![1.0, 500.0, 2.0, 3.0], vec![Some(1), Some(1), Some(-1), None]);
    means.update(&Update { slots: &[0; 4], arguments: &arguments, undone: None }, false);
    let expected = [(1, "500 is greater than 100"), (2, "the function panicked: a negative weight")];
    let expected = expected.map(|(row, reason)| Rejected { row, reason: reason.to_owned() });
    assert_eq!(means.take_rejected(), expected);
    assert_eq!(doubles(&means.results(&[0])), [Some(1.0)]);
}

#[test]
fn groups_that_cannot_be_kept_or_taken_are_an_error() {
    let functions = functions();
    let function = functions.iter().find(|function| function.spelling == "superstitious").expect("it is there");
    let call = AggregateCall {
        arguments: &[DataType::Int64],
        literals: &[],
        result: &DataType::Int64,
        configuration: &Configuration::default(),
    };
    let mut sums = function.variations[0].aggregate.as_ref().expect("it is computed").accumulator(&call).expect("good");
    sums.grow(2);
    let numbers: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![13, 14]))];
    sums.update(&Update { slots: &[0, 1], arguments: &numbers, undone: None }, false);
    let error = sums.state(&[1, 0]).expect_err("13 is not kept");
    assert_eq!(error, "superstitious: a group cannot be kept: the function panicked: 13 brings bad luck");
    let stored = sums.state(&[1]).expect("14 is kept");
    let error = sums.load(&[0], &stored).expect_err("14 is not taken");
    let text =
        "superstitious: what was kept of a group cannot be taken: the function panicked: 14 is 13 with another name";
    assert_eq!(error, text);
}
