//! `UNIX_DATE([date])`.

use levada_udf::{Date, scalar};

use super::now::NO_CLOCK;

/// Days since 1970-01-01, of today if no date is given.
#[scalar(name = "unix_date", volatile)]
pub(super) fn today() -> Result<i32, &'static str> {
    Err(NO_CLOCK)
}

/// Days since 1970-01-01.
#[scalar(volatile, example("UNIX_DATE(CAST('1970-03-01' AS DATE))" = "59"))]
pub(super) fn unix_date(date: Date) -> i32 {
    date.0
}
