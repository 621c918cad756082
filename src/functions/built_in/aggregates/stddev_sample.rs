//! `STDDEV_SAMPLE(value)`.

use levada_udf::{Accumulator, AggregateCall, aggregate};

use super::moments;

/// The standard deviation of the values as a sample.
#[aggregate(
    name = "STDDEV_SAMPLE",
    signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE",
    keeps = "STRUCT<COUNT BIGINT, SUM DOUBLE, M2 DOUBLE>",
    undo,
    example("STDDEV_SAMPLE(v) FROM VALUES (1), (3), (5) AS (v)" = "2E0")
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn stddev_sample(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(moments::accumulator(f64::sqrt))
}
