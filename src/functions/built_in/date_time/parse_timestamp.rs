//! `PARSE_TIMESTAMP(text, format[, zone])`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Timestamp, scalar};

use super::by_pattern::parsed;
use crate::types::ZoneClock;
use crate::types::time_pattern::TimePattern;

/// The timestamp that a text means, in UTC unless it or a zone says otherwise.
#[scalar(
    signature = "(text STRING, format STRING) -> TIMESTAMP",
    signature = "(text STRING, format STRING, zone STRING) -> TIMESTAMP",
    example("PARSE_TIMESTAMP('1 Jul 2021 14:00', 'd MMM yyyy HH:mm', 'Europe/Paris')" = "CAST('2021-07-01T12:00:00' AS TIMESTAMP)")
)]
pub(super) fn parse_timestamp(batch: &mut Batch<'_>) -> ArrayRef {
    parsed(batch, TimePattern::new, ZoneClock::utc(), |parsed, clock| {
        parsed.timestamp(|local_ms| clock.to_utc_ms(local_ms)).map(Timestamp)
    })
}
