//! `TOPK(sort_value, column, …, k)`.

use levada_udf::{Accumulator, AggregateCall, aggregate};

use super::top;

/// The greatest values, with other columns of their rows if there are any.
#[aggregate(
    name = "TOPK",
    signature = "INT BIGINT DOUBLE STRING: (sort_value %, column ANY..., LITERAL k INT) -> ARRAY<%>",
    keeps = "ARRAY<ANY>",
    example("TOPK(v, 2) FROM VALUES (5), (9), (9) AS (v)" = "ARRAY[9, 9]")
)]
pub(super) fn topk(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    top::accumulator(call, false)
}
