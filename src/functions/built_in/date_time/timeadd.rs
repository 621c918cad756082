//! `TIMEADD(unit, count, time)`.

use levada_udf::{Time, Unit, scalar};

/// A time of day so much later; after midnight it goes on with 00:00.
#[scalar(example("TIMEADD(MINUTES, 90, CAST('23:00:00' AS TIME))" = "CAST('00:30:00' AS TIME)"))]
pub(super) fn timeadd(unit: Unit, count: i32, time: Time) -> Time {
    later(unit, i64::from(count), time)
}

/// `time`, `count` units later.
pub(super) fn later(unit: Unit, count: i64, time: Time) -> Time {
    let ms = i64::from(time.0) + count * unit.as_millis();
    Time(ms.rem_euclid(Unit::Days.as_millis()) as i32)
}
