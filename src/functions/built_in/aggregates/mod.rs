//! Values of many rows.

mod attr;
mod average;
mod by_offset;
mod collect_list;
mod collect_set;
mod correlation;
mod count;
mod count_distinct;
mod distinct;
mod earliest_by_offset;
mod extreme;
mod histogram;
mod latest_by_offset;
mod moments;
mod packed;
mod stddev_samp;
mod stddev_sample;
mod sum;
mod sum_list;
#[cfg(test)]
mod tests;
mod top;
mod topk;
mod topkdistinct;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type};
use levada_udf::AggregateCall;

use super::{Function, function, numbers};
use crate::functions::function::{FunctionKind, Returns};
use crate::functions::{AggregateBody, ParamType};
use crate::types::{SqlType, StructField};

const CATEGORY: &str = "AGGREGATE";

const ORDERED: &str = "INT BIGINT DOUBLE DECIMAL DATE TIME TIMESTAMP STRING BYTES: (value %) -> %";
const MEAN: &str = numbers!("(value %) -> DOUBLE");
const BY_OFFSET: [&str; 4] = [
    "(value T) -> T",
    "(value T, LITERAL ignore_nulls BOOLEAN) -> T",
    "(value T, LITERAL count INT) -> ARRAY<T>",
    "(value T, LITERAL count INT, LITERAL ignore_nulls BOOLEAN) -> ARRAY<T>",
];
const MOMENTS: &str = "STRUCT<COUNT BIGINT, SUM DOUBLE, M2 DOUBLE>";

pub(super) fn functions() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| {
        function(FunctionKind::Aggregate, CATEGORY, spelling, description, signatures)
    };
    vec![
        function("ATTR", "The value that all rows of the group have, NULL if they differ.", &["(value T) -> T"])
            .keeping("ARRAY<STRUCT<VALUE T, COUNT INT>>")
            .with_undo()
            .accumulated_by(&AggregateBody::new(attr::accumulator)),
        function("AVG", "The mean of the values that are not NULL.", &[MEAN])
            .keeping("STRUCT<SUM DOUBLE, COUNT BIGINT>")
            .with_undo()
            .accumulated_by(&AggregateBody::new(average::accumulator)),
        function("COLLECT_LIST", "All values in the order of their arrival.", &["(value T) -> ARRAY<T>"])
            .with_undo()
            .accumulated_by(&AggregateBody::new(collect_list::accumulator)),
        function("COLLECT_SET", "All values without repetitions.", &["(value T) -> ARRAY<T>"])
            .accumulated_by(&AggregateBody::new(collect_set::accumulator)),
        function("CORRELATION", "Pearson's correlation of two columns.", &[numbers!("(x %, y %) -> DOUBLE")])
            .keeping("STRUCT<COUNT BIGINT, X DOUBLE, Y DOUBLE, XX DOUBLE, YY DOUBLE, XY DOUBLE>")
            .with_undo()
            .accumulated_by(&AggregateBody::new(correlation::accumulator)),
        function("COUNT", "How many rows there are, or how many values that are not NULL.", &["(value T) -> BIGINT"])
            .with_undo()
            .accumulated_by(&AggregateBody::new(count::accumulator)),
        function("COUNT_DISTINCT", "About how many different values there are.", &["(value T) -> BIGINT"])
            .keeping("ARRAY<INT>")
            .accumulated_by(&AggregateBody::new(count_distinct::accumulator)),
        function("EARLIEST_BY_OFFSET", "The value, or the values, that arrived first.", &BY_OFFSET)
            .keeping("ARRAY<STRUCT<SEQ BIGINT, VAL T>>")
            .accumulated_by(&AggregateBody::new(earliest_by_offset::accumulator)),
        function("HISTOGRAM", "How often each value occurs.", &["(value STRING) -> MAP<STRING, BIGINT>"])
            .with_undo()
            .accumulated_by(&AggregateBody::new(histogram::accumulator)),
        function("LATEST_BY_OFFSET", "The value, or the values, that arrived last.", &BY_OFFSET)
            .keeping("ARRAY<STRUCT<SEQ BIGINT, VAL T>>")
            .accumulated_by(&AggregateBody::new(latest_by_offset::accumulator)),
        function("MAX", "The greatest value.", &[ORDERED]).accumulated_by(&AggregateBody::new(extreme::greatest)),
        function("MIN", "The least value.", &[ORDERED]).accumulated_by(&AggregateBody::new(extreme::least)),
        function(
            "STDDEV_SAMP",
            "The variance of the values as a sample. Write STDDEV_SAMPLE for the deviation.",
            &[MEAN],
        )
        .keeping(MOMENTS)
        .with_undo()
        .accumulated_by(&AggregateBody::new(stddev_samp::accumulator)),
        function("STDDEV_SAMPLE", "The standard deviation of the values as a sample.", &[MEAN])
            .keeping(MOMENTS)
            .with_undo()
            .accumulated_by(&AggregateBody::new(stddev_sample::accumulator)),
        function("SUM", "The sum of the values that are not NULL.", &["INT BIGINT DOUBLE DECIMAL: (value %) -> %"])
            .with_undo()
            .accumulated_by(&AggregateBody::new(sum::accumulator)),
        function("SUM_LIST", "The sum of all elements of arrays.", &[numbers!("(values ARRAY<%>) -> %")])
            .with_undo()
            .accumulated_by(&AggregateBody::new(sum_list::accumulator)),
        top(function(
            "TOPK",
            "The greatest values, with other columns of their rows if there are any.",
            &["INT BIGINT DOUBLE STRING: (sort_value %, column ANY..., LITERAL k INT) -> ARRAY<%>"],
        ))
        .accumulated_by(&AggregateBody::new(topk::accumulator)),
        function(
            "TOPKDISTINCT",
            "The greatest values without repetitions.",
            &["INT BIGINT DOUBLE DECIMAL STRING DATE TIME TIMESTAMP BYTES: (value %, LITERAL k INT) -> ARRAY<%>"],
        )
        .accumulated_by(&AggregateBody::new(topkdistinct::accumulator)),
    ]
}

/// `function`, which gives structs when it takes several columns.
fn top(mut function: Function) -> Function {
    for variation in &mut function.variations {
        let shown = variation.returns.shown().clone();
        variation.returns = Returns::Computed { shown, compute: top_rows };
        variation.intermediate = Some(ParamType::Array(Box::new(ParamType::Any)));
    }
    function
}

fn top_rows(arguments: &[Option<SqlType>]) -> Option<SqlType> {
    let [sort, columns @ .., _] = arguments else { return None };
    let sort = sort.clone()?;
    if columns.is_empty() {
        return Some(SqlType::Array(Box::new(sort)));
    }
    let mut fields = vec![StructField { name: "sort_col".to_owned(), sql_type: sort }];
    for (i, column) in columns.iter().enumerate() {
        fields.push(StructField { name: format!("col{i}"), sql_type: column.clone()? });
    }
    Some(SqlType::Array(Box::new(SqlType::Struct(fields))))
}

/// ARRAY of `element`.
fn list_of(element: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element.clone(), true)))
}

/// Numbers as DOUBLE.
fn doubles(column: &ArrayRef) -> Float64Array {
    cast(column, &DataType::Float64).expect("the column has numbers").as_primitive::<Float64Type>().clone()
}

/// How many values a call may keep, which the property `name` says.
fn limit(call: &AggregateCall<'_>, name: &str) -> Result<usize, String> {
    let Some(text) = (call.property)(name) else { return Ok(usize::MAX) };
    let limit: i64 = text.trim().parse().map_err(|_| format!("{name} is '{text}', which is no whole number"))?;
    usize::try_from(limit).map_err(|_| format!("{name} is {limit}, which is less than 0"))
}
