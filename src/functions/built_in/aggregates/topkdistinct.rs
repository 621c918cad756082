//! `TOPKDISTINCT(value, k)`.

use levada_udf::{Accumulator, AggregateCall};

use super::top;

/// The greatest values of a call.
pub(super) fn accumulator(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    top::accumulator(call, true)
}
