//! `EARLIEST_BY_OFFSET(value)`, `EARLIEST_BY_OFFSET(value, count)`, each also with `ignore_nulls`.

use levada_udf::{Accumulator, AggregateCall, aggregate};

use super::by_offset::{self, End};

/// The value, or the values, that arrived first.
#[aggregate(
    name = "EARLIEST_BY_OFFSET",
    signature = "(value T) -> T",
    signature = "(value T, LITERAL ignore_nulls BOOLEAN) -> T",
    signature = "(value T, LITERAL count INT) -> ARRAY<T>",
    signature = "(value T, LITERAL count INT, LITERAL ignore_nulls BOOLEAN) -> ARRAY<T>",
    keeps = "ARRAY<STRUCT<SEQ BIGINT, VAL T>>",
    example("EARLIEST_BY_OFFSET(v) FROM VALUES (1), (2), (3) AS (v)" = "1"),
    example("EARLIEST_BY_OFFSET(v, 2) FROM VALUES (1), (2), (3) AS (v)" = "ARRAY[1, 2]")
)]
pub(super) fn earliest_by_offset(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    by_offset::accumulator(call, End::First)
}
