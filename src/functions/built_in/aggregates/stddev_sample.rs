//! `STDDEV_SAMPLE(value)`.

use levada_udf::{Accumulator, AggregateCall};

use super::moments;

/// The standard deviations of a call.
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn accumulator(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(moments::accumulator(f64::sqrt))
}
