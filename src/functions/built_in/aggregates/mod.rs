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
use levada_udf::{AggregateCall, functions};

use super::{Function, listed};
use crate::functions::function::{Returns, Variation};
use crate::types::{SqlType, StructField};

const CATEGORY: &str = "AGGREGATE";

pub(super) fn functions() -> Vec<Function> {
    let functions = functions![
        attr::attr,
        average::avg,
        collect_list::collect_list,
        collect_set::collect_set,
        correlation::correlation,
        count::count,
        count_distinct::count_distinct,
        earliest_by_offset::earliest_by_offset,
        histogram::histogram,
        latest_by_offset::latest_by_offset,
        extreme::min,
        extreme::max,
        stddev_samp::stddev_samp,
        stddev_sample::stddev_sample,
        sum::sum,
        sum_list::sum_list,
        topk::topk,
        topkdistinct::topkdistinct,
    ];
    let mut functions = listed(CATEGORY, functions);
    functions
        .iter_mut()
        .filter(|function| function.spelling == "TOPK")
        .for_each(|topk| topk.variations.iter_mut().for_each(of_columns));
    functions
}

/// `variation` gives structs when it takes several columns.
fn of_columns(variation: &mut Variation) {
    let shown = variation.returns.shown().clone();
    variation.returns = Returns::Computed { shown, compute: top_rows };
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
    let Some(text) = call.configuration.property(name) else { return Ok(usize::MAX) };
    let limit: i64 = text.trim().parse().map_err(|_| format!("{name} is '{text}', which is no whole number"))?;
    usize::try_from(limit).map_err(|_| format!("{name} is {limit}, which is less than 0"))
}
