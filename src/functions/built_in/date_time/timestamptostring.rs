//! `TIMESTAMPTOSTRING(millis, format[, zone])`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::by_pattern::formatted_moments;
use crate::types::ZoneClock;

/// Milliseconds since 1970-01-01 as text, in the zone of the machine unless one is given. Write FORMAT_TIMESTAMP instead.
#[scalar(
    signature = "(millis BIGINT, format STRING) -> STRING",
    signature = "(millis BIGINT, format STRING, zone STRING) -> STRING",
    example("TIMESTAMPTOSTRING(1000, 'HH:mm:ss', 'UTC')" = "'00:00:01'")
)]
pub(super) fn timestamptostring(batch: &mut Batch<'_>) -> ArrayRef {
    formatted_moments(batch, ZoneClock::system(), |millis: i64| millis)
}
