//! `TOPKDISTINCT(value, k)`.

use levada_udf::{Accumulator, AggregateCall, aggregate};

use super::top;

/// The greatest values without repetitions.
#[aggregate(
    name = "TOPKDISTINCT",
    signature = "INT BIGINT DOUBLE DECIMAL STRING DATE TIME TIMESTAMP BYTES: (value %, LITERAL k INT) -> ARRAY<%>",
    example("TOPKDISTINCT(v, 2) FROM VALUES (5), (9), (9) AS (v)" = "ARRAY[9, 5]")
)]
pub(super) fn topkdistinct(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    top::accumulator(call, true)
}
