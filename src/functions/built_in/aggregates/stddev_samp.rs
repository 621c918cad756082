//! `STDDEV_SAMP(value)`: the variance, as it always was in ksqlDB; the deviation is `STDDEV_SAMPLE`.

use levada_udf::{Accumulator, AggregateCall, aggregate};

use super::moments;

/// The variance of the values as a sample. Write STDDEV_SAMPLE for the deviation.
#[aggregate(
    name = "STDDEV_SAMP",
    signature = "INT BIGINT DOUBLE: (value %) -> DOUBLE",
    keeps = "STRUCT<COUNT BIGINT, SUM DOUBLE, M2 DOUBLE>",
    undo,
    example("STDDEV_SAMP(v) FROM VALUES (1), (3) AS (v)" = "2E0")
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn stddev_samp(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(moments::accumulator(std::convert::identity))
}
