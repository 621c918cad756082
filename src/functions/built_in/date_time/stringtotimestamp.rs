//! `STRINGTOTIMESTAMP(text, format[, zone])`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::by_pattern::parsed;
use crate::types::ZoneClock;
use crate::types::time_pattern::TimePattern;

/// The milliseconds since 1970-01-01 that a text means, in the zone of the machine unless it or a zone says otherwise.
/// Write PARSE_TIMESTAMP instead.
#[scalar(
    signature = "(text STRING, format STRING) -> BIGINT",
    signature = "(text STRING, format STRING, zone STRING) -> BIGINT",
    example("STRINGTOTIMESTAMP('00:00:01', 'HH:mm:ss', 'UTC')" = "1000")
)]
pub(super) fn stringtotimestamp(batch: &mut Batch<'_>) -> ArrayRef {
    parsed(batch, TimePattern::new, ZoneClock::system(), |parsed, clock| {
        parsed.timestamp(|local_ms| clock.to_utc_ms(local_ms))
    })
}
