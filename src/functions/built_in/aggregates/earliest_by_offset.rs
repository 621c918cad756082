//! `EARLIEST_BY_OFFSET(value)`, `EARLIEST_BY_OFFSET(value, count)`, each also with `ignore_nulls`.

use levada_udf::{Accumulator, AggregateCall};

use super::by_offset::{self, End};

/// The first values of a call.
pub(super) fn accumulator(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    by_offset::accumulator(call, End::First)
}
