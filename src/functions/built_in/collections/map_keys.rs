//! `MAP_KEYS(map)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use levada_udf::{Batch, scalar};

use super::super::elements::lists;

/// The keys.
#[scalar(
    name = "map_keys",
    signature = "(map MAP<STRING, T>) -> ARRAY<STRING>",
    example("MAP_KEYS(MAP('a' := 1))" = "ARRAY['a']")
)]
pub(super) fn map_keys(batch: &mut Batch<'_>) -> ArrayRef {
    let maps = batch.arguments()[0].expanded(batch.rows());
    match maps.as_map_opt() {
        Some(maps) => {
            lists(batch.result_type(), maps.offsets().clone(), Arc::clone(maps.keys()), maps.nulls().cloned())
        }
        None => arrow::array::new_null_array(batch.result_type(), batch.rows()),
    }
}
