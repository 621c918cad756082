//! Values that rows are found by.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};

use crate::expr::CompiledExpr;
use crate::state::key_encoding::EncodedKeys;

/// The values of `expressions` over `batch`, encoded so that equal ones have equal bytes; and which rows have none that is equal to
/// anything: NULL and NaN are not.
pub(super) fn equal_keys(expressions: &[CompiledExpr], batch: &RecordBatch) -> (EncodedKeys, Vec<bool>) {
    let rows = batch.num_rows();
    let columns: Vec<ArrayRef> =
        expressions.iter().map(|expression| comparable(expression.evaluate(batch, &mut Vec::new()))).collect();
    let is_equal_to_some = (0..rows).map(|row| columns.iter().all(|column| column.is_valid(row)));
    let is_equal_to_some = is_equal_to_some.collect();
    let mut keys = EncodedKeys::default();
    keys.encode(&columns, None, rows);
    (keys, is_equal_to_some)
}

/// `column` where zeros have one sign and NaN is NULL.
fn comparable(column: ArrayRef) -> ArrayRef {
    if *column.data_type() != DataType::Float64 {
        return column;
    }
    let numbers = column.as_primitive::<Float64Type>().iter();
    let numbers = numbers.map(|number| number.filter(|number| !number.is_nan()).map(|number| number + 0.0));
    Arc::new(numbers.collect::<Float64Array>())
}
