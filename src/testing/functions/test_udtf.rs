//! `TEST_UDTF`: a row per argument.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, ListBuilder, StringBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type};
use levada_udf::{Batch, table};

use crate::types::java_text;

/// A row per argument, as a text.
#[table(
    name = "test_udtf",
    signature = "(i INT, l BIGINT, d DOUBLE, b BOOLEAN, s STRING, m DECIMAL, st STRUCT<A STRING>) -> STRING",
    signature = "(i ARRAY<INT>, l ARRAY<BIGINT>, d ARRAY<DOUBLE>, b ARRAY<BOOLEAN>, s ARRAY<STRING>, m ARRAY<DECIMAL>, st ARRAY<STRUCT<A STRING>>) -> STRING",
    signature = "STRING BIGINT: (i MAP<%, INT>, l MAP<STRING, BIGINT>, d MAP<STRING, DOUBLE>, b MAP<STRING, BOOLEAN>, s MAP<STRING, STRING>, m MAP<STRING, DECIMAL>, st MAP<STRING, STRUCT<A STRING>>) -> STRING"
)]
pub(super) fn texts(batch: &mut Batch<'_>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..batch.rows() {
        for argument in batch.arguments() {
            lists.values().append_option(text(argument.array(), argument.index(row)));
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// A row with the only argument.
#[table(
    name = "test_udtf",
    signature = "INT BIGINT DOUBLE BOOLEAN STRING: (value %) -> %",
    signature = "(value STRUCT<A STRING>) -> STRUCT<A STRING>",
    signature = "(value DECIMAL) -> DECIMAL(30, 10)"
)]
pub(super) fn only(batch: &mut Batch<'_>) -> ArrayRef {
    let DataType::List(field) = batch.result_type() else { unreachable!("a table function gives arrays") };
    let values = batch.arguments()[0].expanded(batch.rows());
    let values = cast(&values, field.data_type()).expect("the signature says so");
    let offsets = OffsetBuffer::from_lengths(vec![1; batch.rows()]);
    Arc::new(ListArray::new(Arc::clone(field), offsets, values, None))
}

/// A value as Java writes it, a collection as its first value.
fn text(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let first =
        |values: &ArrayRef, range: &[i32]| (range[0] < range[1]).then(|| text(values, range[0] as usize)).flatten();
    Some(match array.data_type() {
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => {
            let mut text = Vec::new();
            java_text::write_double(&mut text, array.as_primitive::<Float64Type>().value(row));
            String::from_utf8(text).ok()?
        }
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(..) => array.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Struct(_) => format!("Struct{{A={}}}", text(array.as_struct().column(0), row)?),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            first(list.values(), &list.value_offsets()[row..row + 2])?
        }
        DataType::Map(..) => {
            let map = array.as_map();
            first(map.values(), &map.value_offsets()[row..row + 2])?
        }
        _ => return None,
    })
}
