//! Sums of numbers and of the lengths of texts: `VAR_ARG`, `MID_VAR_ARG`, `MULTI_ARG`, `FOUR_ARG`, `FIVE_ARG`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveBuilder};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use levada_udf::{Accumulator, AggregateCall, Build, Fold, Folded, aggregate};

/// Sums numbers and lengths.
#[aggregate(name = "VAR_ARG", signature = "(number BIGINT, texts STRING...) -> BIGINT")]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn var_arg(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(sums(0, 0))
}

/// Sums numbers and lengths; the literals count once in what is shown.
#[aggregate(
    name = "MID_VAR_ARG",
    signature = "(number BIGINT, texts STRING..., LITERAL c1 INT, LITERAL c2 INT) -> BIGINT"
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn mid_var_arg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(sums(0, sum(call.literals, 0)))
}

/// Sums numbers and lengths; the literals count once in what is kept.
#[aggregate(
    name = "MULTI_ARG",
    signature = "(number BIGINT, a STRING, LITERAL init INT, LITERAL texts STRING...) -> BIGINT"
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn multi_arg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(sums(sum(call.literals, 0), 0))
}

/// Sums numbers and lengths; the literals count once in what is kept.
#[aggregate(
    name = "FOUR_ARG",
    signature = "(number BIGINT, a STRING, b STRING, c STRING, LITERAL init INT, LITERAL texts STRING...) -> BIGINT"
)]
pub(super) fn four_arg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    multi_arg(call)
}

/// Sums numbers and lengths; the literals count once in what is kept.
#[aggregate(
    name = "FIVE_ARG",
    signature = "(number BIGINT, a STRING, b STRING, c STRING, d INT, LITERAL init INT, LITERAL texts STRING...) -> BIGINT"
)]
pub(super) fn five_arg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    multi_arg(call)
}

/// Sums that begin with `init`; results are `more` beyond them.
pub(super) fn sums(init: i64, more: i64) -> Box<dyn Accumulator> {
    Folded::boxed(Lengths { init, more })
}

/// What `row` adds: numbers as they are, texts by their length, NULL nothing.
fn sum(columns: &[ArrayRef], row: usize) -> i64 {
    let known = columns.iter().filter(|column| column.is_valid(row));
    let number = known.map(|column| match column.data_type() {
        DataType::Int32 => i64::from(column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row),
        DataType::Utf8 => column.as_string::<i32>().value(row).encode_utf16().count() as i64,
        _ => 0,
    });
    number.fold(0, i64::wrapping_add)
}

struct Lengths {
    init: i64,
    more: i64,
}

impl Fold for Lengths {
    type State = i64;
    type Arguments<'a> = &'a [ArrayRef];
    type Results = PrimitiveBuilder<Int64Type>;

    fn initial(&self) -> i64 {
        self.init
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> &'a [ArrayRef] {
        columns
    }

    fn add(&self, state: &mut i64, columns: &&[ArrayRef], row: usize) -> Result<(), String> {
        *state = state.wrapping_add(sum(columns, row));
        Ok(())
    }

    fn undo(&self, state: &mut i64, columns: &&[ArrayRef], row: usize) -> Result<(), String> {
        *state = state.wrapping_sub(sum(columns, row));
        Ok(())
    }

    fn merge(&self, into: &mut i64, from: &i64) -> Result<(), String> {
        *into = into.wrapping_add(*from).wrapping_sub(self.init);
        Ok(())
    }

    fn result(&self, state: &i64, results: &mut Self::Results) -> Result<(), String> {
        results.append_value(state.wrapping_add(self.more));
        Ok(())
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        Build::finish(results)
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn store(&self, states: &[&i64]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![Arc::new(Int64Array::from_iter_values(states.iter().map(|&&sum| sum)))])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<i64>, String> {
        Ok(columns[0].as_primitive::<Int64Type>().values().to_vec())
    }
}
