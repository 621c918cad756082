//! `TIMEADD(unit, count, time)`.

use levada_udf::{Time, Unit, scalar};

/// A time of day so much later; after midnight it goes on with 00:00.
#[scalar(example("TIMEADD(MINUTES, 90, CAST('23:00:00' AS TIME))" = "CAST('00:30:00' AS TIME)"))]
pub(super) fn timeadd(unit: Unit, count: i32, time: Time) -> Time {
    later(unit, count, 1, time)
}

/// `time`, `count` units later, or earlier with the `sign` -1. As in Java that is 292 years at most.
pub(super) fn later(unit: Unit, count: i32, sign: i64, time: Time) -> Time {
    const NANOS: i64 = 1_000_000;
    let (day, shift) = (Unit::Days.as_millis() * NANOS, i64::from(count).saturating_mul(unit.as_millis() * NANOS));
    let nanos = (i64::from(time.0) * NANOS + shift % day * sign).rem_euclid(day);
    Time((nanos / NANOS) as i32)
}
