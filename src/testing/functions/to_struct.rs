//! `TOSTRUCT`: a struct of a text.

use std::sync::Arc;

use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::DataType;
use levada_udf::{Batch, scalar};

/// A struct of a text.
#[scalar(name = "toStruct", signature = "(value STRING) -> STRUCT<A STRING>")]
pub(super) fn to_struct(batch: &mut Batch<'_>) -> ArrayRef {
    structs(batch, batch.arguments()[0].expanded(batch.rows()))
}

/// Structs of the type of `batch`'s result, whose only field is `texts`.
pub(super) fn structs(batch: &Batch<'_>, texts: ArrayRef) -> ArrayRef {
    let DataType::Struct(fields) = batch.result_type() else { unreachable!("the signature says STRUCT") };
    Arc::new(StructArray::new(fields.clone(), vec![texts], None))
}
