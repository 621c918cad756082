//! `STDDEV_SAMP(value)`: the variance, as it always was in ksqlDB; the deviation is `STDDEV_SAMPLE`.

use levada_udf::{Accumulator, AggregateCall};

use super::moments;

/// The variances of a call.
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn accumulator(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(moments::accumulator(std::convert::identity))
}
