//! What expressions cost: rows per CPU-second over batches in memory.
//!
//! `make bench ARGS="-- functions"` prints this alone.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use levada::expr::{ArithmeticOp, CompareOp, CompiledExpr, Expr, Literal};
use levada::functions::{Argument, Registry};
use levada::types::SqlType;

use crate::cpu::runs_per_second;

/// Rows of a batch, about as many as a fetch gives.
const ROWS: usize = 4_096;

/// The columns that expressions read.
const NUMBER: usize = 0;
const DOUBLE: usize = 1;
const TEXT: usize = 2;
const TIME: usize = 3;
const DOCUMENT: usize = 4;
const CYRILLIC: usize = 5;

fn rows() -> (SchemaRef, RecordBatch) {
    let numbers = 0..ROWS as i64;
    let text = |number: i64| format!("account-{:04} Region", number * 7919 % 10_000);
    let document = |number: i64| {
        let tags =
            "\"tags\": [\"alpha\", \"beta\", \"gamma\"], \"note\": \"what a document of this size may say, and more\"";
        format!(
            "{{\"id\": {number}, \"kind\": \"order\", {tags}, \"place\": {{\"street\": \"Rua da Levada {number}\", \
             \"city\": \"Funchal\", \"zip\": \"9000-{:03}\"}}, \"price\": {number}.25, \"open\": true, \"region\": \"PT-30\"}}",
            number % 1_000
        )
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(numbers.clone())),
        Arc::new(Float64Array::from_iter_values(numbers.clone().map(|number| number as f64 / 3.0))),
        Arc::new(StringArray::from_iter_values(numbers.clone().map(text))),
        Arc::new(TimestampMillisecondArray::from_iter_values(numbers.clone().map(|n| 1_700_000_000_000 + n * 61_001))),
        Arc::new(StringArray::from_iter_values(numbers.clone().map(document))),
        Arc::new(StringArray::from_iter_values(numbers.map(|number| format!("Счёт {:04} Юг", number * 7919 % 10_000)))),
    ];
    let field = |(index, column): (usize, &ArrayRef)| Field::new(format!("C{index}"), column.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of one length");
    (schema, batch)
}

fn column(index: usize) -> Expr {
    let types =
        [SqlType::Bigint, SqlType::Double, SqlType::String, SqlType::Timestamp, SqlType::String, SqlType::String];
    Expr::column(index, types[index].clone())
}

fn text(value: &str) -> Expr {
    Expr::literal(Literal::String(value.to_owned()))
}

fn number(value: i32) -> Expr {
    Expr::literal(Literal::Integer(value))
}

/// The call of the function `name`.
fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let registry = Registry::default();
    let function = registry.get(name).expect("a function of the language");
    let types: Vec<Argument> = arguments.iter().map(|argument| Argument::from(argument.sql_type())).collect();
    let (index, binding) = function.resolve(&types).expect("a variation that takes these");
    let result = binding.result(&function.variations[index], &types).expect("the result has a type");
    Expr::call(function, index, &binding, arguments, result)
}

/// What is measured, and rows per CPU-second at least.
fn expressions() -> Vec<(&'static str, Expr, f64)> {
    let sum = Expr::arithmetic(ArithmeticOp::Add, column(NUMBER), Expr::literal(Literal::Bigint(7)));
    let product = Expr::arithmetic(ArithmeticOp::Multiply, column(DOUBLE), column(DOUBLE));
    let bound = Expr::literal(Literal::Bigint(2_000));
    let less = Expr::compare(CompareOp::Less, (column(NUMBER), &"n"), (bound, &"2000"));
    let before = Expr::compare(CompareOp::Less, (column(TEXT), &"t"), (text("account-5000"), &"'account-5000'"));
    vec![
        ("BIGINT + constant", sum.expect("numbers are added"), 100e6),
        ("DOUBLE * DOUBLE", product.expect("numbers are multiplied"), 100e6),
        ("BIGINT < constant", less.expect("numbers are compared"), 100e6),
        ("STRING < constant, 19 bytes", before.expect("texts are compared"), 30e6),
        ("UCASE, 19 bytes", call("UCASE", vec![column(TEXT)]), 10e6),
        ("UCASE, 20 bytes of Cyrillic", call("UCASE", vec![column(CYRILLIC)]), 10e6),
        ("SUBSTRING, 19 bytes", call("SUBSTRING", vec![column(TEXT), number(3), number(10)]), 10e6),
        ("CONCAT, 19 bytes and a constant", call("CONCAT", vec![column(TEXT), text("-x")]), 10e6),
        ("FORMAT_TIMESTAMP", call("FORMAT_TIMESTAMP", vec![column(TIME), text("yyyy-MM-dd HH:mm:ss.SSS")]), 3e6),
        ("EXTRACTJSONFIELD, 256 bytes", call("EXTRACTJSONFIELD", vec![column(DOCUMENT), text("$.place.city")]), 2e6),
    ]
}

/// Prints the table; whether the goals are met.
pub fn report(repeats: usize) -> bool {
    let (schema, batch) = rows();
    println!("\nRows per CPU-second, median of {repeats}, batches of {ROWS} rows\n");
    println!("| expression | rows/s | goal |\n|---|--:|--:|");
    let mut met = true;
    for (name, expression, goal) in expressions() {
        let compiled = CompiledExpr::new(&expression, &schema);
        let mut errors = Vec::new();
        let batches = runs_per_second(repeats, || {
            std::hint::black_box(compiled.evaluate(&batch, &mut errors));
        });
        assert!(errors.is_empty(), "no row fails");
        let speed = batches * ROWS as f64;
        println!("| {name} | {:.1} M | >= {:.0} M |", speed / 1e6, goal / 1e6);
        met &= speed >= goal;
    }
    met
}
