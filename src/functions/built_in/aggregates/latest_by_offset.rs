//! `LATEST_BY_OFFSET(value)`, `LATEST_BY_OFFSET(value, count)`, each also with `ignore_nulls`.

use levada_udf::{Accumulator, AggregateCall, aggregate};

use super::by_offset::{self, End};

/// The value, or the values, that arrived last.
#[aggregate(
    name = "LATEST_BY_OFFSET",
    signature = "(value T) -> T",
    signature = "(value T, LITERAL ignore_nulls BOOLEAN) -> T",
    signature = "(value T, LITERAL count INT) -> ARRAY<T>",
    signature = "(value T, LITERAL count INT, LITERAL ignore_nulls BOOLEAN) -> ARRAY<T>",
    keeps = "ARRAY<STRUCT<SEQ BIGINT, VAL T>>",
    example("LATEST_BY_OFFSET(v) FROM VALUES (1), (2), (3) AS (v)" = "3"),
    example("LATEST_BY_OFFSET(v, 2) FROM VALUES (1), (2), (3) AS (v)" = "ARRAY[2, 3]")
)]
pub(super) fn latest_by_offset(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    by_offset::accumulator(call, End::Last)
}
