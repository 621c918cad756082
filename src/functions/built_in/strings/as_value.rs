//! `AS_VALUE(column)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

/// A copy of a key column for the value.
#[scalar(name = "AS_VALUE", signature = "(column T) -> T")]
pub(super) fn as_value(batch: &mut Batch<'_>) -> ArrayRef {
    batch.arguments()[0].expanded(batch.rows())
}
