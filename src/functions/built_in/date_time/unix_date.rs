//! `UNIX_DATE([date])`.

use levada_udf::{Date, scalar};

use super::now::now_ms;
use crate::types::ZoneClock;

/// Days since 1970-01-01, of today if no date is given.
#[scalar(name = "unix_date", volatile)]
pub(super) fn today() -> i32 {
    ZoneClock::system().to_local_ms(now_ms()).div_euclid(86_400_000) as i32
}

/// Days since 1970-01-01.
#[scalar(volatile, example("UNIX_DATE(CAST('1970-03-01' AS DATE))" = "59"))]
pub(super) fn unix_date(date: Date) -> i32 {
    date.0
}
