//! `TEST_UDAF`: sums.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StructArray};
use arrow::datatypes::{DataType, Fields, Int32Type};
use levada_udf::{Accumulator, AggregateCall, Fold, Folded, aggregate};

use super::lengths;
use crate::functions::Registry;

/// Sums.
#[aggregate(name = "test_udaf", signature = "INT BIGINT: (value %) -> BIGINT", undo)]
pub(super) fn with_undo(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    if call.arguments[0] != DataType::Int32 {
        return lengths::var_arg(call);
    }
    let init = call.configuration.get("init").and_then(|text| text.parse().ok());
    Ok(lengths::sums(init.unwrap_or(0), 0))
}

/// Sums.
#[aggregate(
    name = "test_udaf",
    signature = "(value DOUBLE) -> DOUBLE",
    signature = "(value STRING, LITERAL init STRING) -> BIGINT",
    signature = "(value STRUCT<A INT, B INT>) -> STRUCT<A INT, B INT>"
)]
pub(super) fn without_undo(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(match &call.arguments[0] {
        DataType::Struct(fields) => Folded::boxed(FieldSums { fields: fields.clone() }),
        DataType::Float64 => {
            let registry = Registry::default();
            let sum = registry.get("SUM").and_then(|sum| sum.variations[0].aggregate.clone());
            sum.ok_or("there is no SUM")?.accumulator(call)?
        }
        _ => return lengths::multi_arg(call),
    })
}

/// Sums of the two fields of structs.
struct FieldSums {
    fields: Fields,
}

impl FieldSums {
    fn array(&self, sums: &[[i32; 2]]) -> ArrayRef {
        let column = |i: usize| Arc::new(Int32Array::from_iter_values(sums.iter().map(|sum| sum[i]))) as ArrayRef;
        Arc::new(StructArray::new(self.fields.clone(), vec![column(0), column(1)], None))
    }
}

impl Fold for FieldSums {
    type State = [i32; 2];
    type Arguments<'a> = &'a StructArray;
    type Results = Vec<[i32; 2]>;

    fn initial(&self) -> [i32; 2] {
        [0, 0]
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> &'a StructArray {
        columns[0].as_struct()
    }

    fn add(&self, state: &mut [i32; 2], structs: &&StructArray, row: usize) -> Result<(), String> {
        for (sum, column) in state.iter_mut().zip(structs.columns()) {
            if structs.is_valid(row) && column.is_valid(row) {
                *sum = sum.wrapping_add(column.as_primitive::<Int32Type>().value(row));
            }
        }
        Ok(())
    }

    fn merge(&self, into: &mut [i32; 2], from: &[i32; 2]) -> Result<(), String> {
        *into = [into[0].wrapping_add(from[0]), into[1].wrapping_add(from[1])];
        Ok(())
    }

    fn result(&self, state: &[i32; 2], results: &mut Self::Results) -> Result<(), String> {
        results.push(*state);
        Ok(())
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        self.array(&results)
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![DataType::Struct(self.fields.clone())]
    }

    fn store(&self, states: &[&[i32; 2]]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![self.array(&states.iter().map(|&&state| state).collect::<Vec<_>>())])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<[i32; 2]>, String> {
        let structs = columns[0].as_struct();
        let sum = |row: usize, i: usize| structs.column(i).as_primitive::<Int32Type>().value(row);
        Ok((0..structs.len()).map(|row| [sum(row, 0), sum(row, 1)]).collect())
    }
}
