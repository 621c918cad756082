//! `TEST_UDF`: which variation was chosen.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use levada_udf::{Batch, Rest, scalar};

use super::to_struct::structs;

/// Which variation was chosen.
#[scalar(name = "test_udf")]
pub(super) fn int_string(i: i32, s: Option<&str>) -> &'static str {
    let _ = (i, s);
    "doStuffIntString"
}

/// Which variation was chosen.
#[scalar(name = "test_udf")]
pub(super) fn bigint_string(l: i64, s: Option<&str>) -> &'static str {
    let _ = (l, s);
    "doStuffLongString"
}

/// Which variation was chosen.
#[scalar(name = "test_udf")]
pub(super) fn bigint_bigint_string(l: i64, m: i64, s: Option<&str>) -> &'static str {
    let _ = (l, m, s);
    "doStuffLongLongString"
}

/// Which variation was chosen.
#[scalar(name = "test_udf")]
pub(super) fn bigints(values: Rest<'_, i64>) -> &'static str {
    let _ = values;
    "doStuffLongVarargs"
}

/// The field of the struct.
#[scalar(name = "test_udf", signature = "(value STRUCT<A STRING>) -> STRING")]
pub(super) fn field(batch: &mut Batch<'_>) -> ArrayRef {
    let structs = batch.arguments()[0].expanded(batch.rows());
    let texts = structs.as_struct().column(0).as_string::<i32>();
    let field = |row| (structs.is_valid(row) && texts.is_valid(row)).then(|| texts.value(row));
    Arc::new((0..batch.rows()).map(field).collect::<StringArray>())
}

/// A struct.
#[scalar(name = "test_udf", signature = "() -> STRUCT<A STRING>")]
pub(super) fn made(batch: &mut Batch<'_>) -> ArrayRef {
    structs(batch, Arc::new(StringArray::from(vec!["foo"; batch.rows()])))
}
