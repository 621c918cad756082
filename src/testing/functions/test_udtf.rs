//! `TEST_UDTF`: a row per argument.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, ListBuilder, StringBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type};
use levada_udf::Batch;

use crate::types::java_text;

/// All arguments of a row as texts.
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

/// The only argument of each row.
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
