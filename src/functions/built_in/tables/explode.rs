//! `EXPLODE(array)`: a row per element, NULLs included. NULL has none.

use arrow::array::ArrayRef;
use levada_udf::{Batch, table};

/// A row for every element of an array.
#[table(
    signature = "(array ARRAY<T>) -> T",
    signature = "(array ARRAY<DECIMAL>) -> DECIMAL",
    example("EXPLODE(ARRAY['a', 'b'])" = "ARRAY['a', 'b']")
)]
pub(super) fn explode(batch: &mut Batch<'_>) -> ArrayRef {
    batch.arguments()[0].expanded(batch.rows())
}
