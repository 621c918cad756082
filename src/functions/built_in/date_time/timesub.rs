//! `TIMESUB(unit, count, time)`.

use levada_udf::{Time, Unit, scalar};

use super::timeadd::later;

/// A time of day so much earlier; before midnight it goes on with 23:59.
#[scalar(example("TIMESUB(MINUTES, 90, CAST('00:30:00' AS TIME))" = "CAST('23:00:00' AS TIME)"))]
pub(super) fn timesub(unit: Unit, count: i32, time: Time) -> Time {
    later(unit, count, -1, time)
}
