//! What the interface of plug-ins costs: the same function called directly, as built-in ones are, and through the interface of C.
//!
//! `make bench ARGS="-- plugins"` prints this alone.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use levada::functions::{ScalarBody, plugins};
use levada_udf::abi::Plugin;
use levada_udf::{Body, Configuration, Definition, Exported, Functions, Operand, scalar};

use crate::cpu::runs_per_second;

/// Rows of a batch, about as many as a fetch gives.
const ROWS: usize = 4_096;
/// Time of a call through the interface, as a multiple of that of a direct one.
const GOAL: f64 = 1.2;

/// The sum of two numbers.
#[scalar]
fn plus(left: i64, right: i64) -> i64 {
    left.wrapping_add(right)
}

/// A number with two digits behind the point.
#[scalar]
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The text in capitals.
#[scalar]
fn capitals(text: &str) -> String {
    text.to_uppercase()
}

/// A part of the text.
#[scalar]
fn part(text: &str) -> Option<&str> {
    text.get(3..13)
}

struct Own;

impl Functions for Own {
    fn definitions() -> Vec<Definition> {
        levada_udf::functions![plus, rounded, capitals, part]
    }

    fn kept() -> &'static OnceLock<Vec<Definition>> {
        static ALL: OnceLock<Vec<Definition>> = OnceLock::new();
        &ALL
    }
}

/// The bodies of all functions, called directly.
fn direct() -> Vec<ScalarBody> {
    let open = |definition: Definition| match (definition.open)(&Configuration::default()) {
        Ok(Body::Scalar(scalar)) => ScalarBody::from(scalar),
        _ => unreachable!("all are scalar functions that need nothing"),
    };
    Own::definitions().into_iter().map(open).collect()
}

/// The bodies of all functions, called through the interface.
fn linked() -> Vec<ScalarBody> {
    static PLUGIN: Plugin = Exported::<Own>::PLUGIN;
    let functions = plugins::linked(&PLUGIN, &BTreeMap::new()).expect("a plug-in");
    functions.iter().map(|function| function.variations[0].scalar.clone().expect("a scalar function")).collect()
}

/// Prints the table; whether the goal is met.
pub fn report(repeats: usize) -> bool {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ROWS as i64));
    let doubles: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ROWS).map(|number| number as f64 / 3.0)));
    let texts = (0..ROWS).map(|number| format!("account-{number:04} Region"));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let calls = [
        ("BIGINT + BIGINT", vec![&numbers, &numbers], DataType::Int64),
        ("DOUBLE rounded", vec![&doubles], DataType::Float64),
        ("capitals, 19 bytes", vec![&texts], DataType::Utf8),
        ("part of 19 bytes", vec![&texts], DataType::Utf8),
    ];
    println!(
        "\nRows per CPU-second, median of {repeats}, batches of {ROWS} rows; time as a multiple of the direct call's\n"
    );
    println!("| function | direct | plug-in | time | goal |\n|---|--:|--:|--:|--:|");
    let mut met = true;
    for ((name, columns, result), (direct, linked)) in calls.into_iter().zip(direct().into_iter().zip(linked())) {
        let arguments: Vec<Operand> = columns.into_iter().map(|column| Operand::Column(Arc::clone(column))).collect();
        let speed = |body: &ScalarBody| {
            let mut fails = |_: usize, reason: String| unreachable!("no row fails: {reason}");
            let batches = runs_per_second(repeats, || {
                std::hint::black_box(body.evaluate(&arguments, ROWS, &result, &mut fails));
            });
            batches * ROWS as f64
        };
        let (direct, linked) = (speed(&direct), speed(&linked));
        let ratio = direct / linked;
        println!("| {name} | {:.1} M | {:.1} M | {ratio:.2} | <= {GOAL} |", direct / 1e6, linked / 1e6);
        met &= ratio <= GOAL;
    }
    met
}
