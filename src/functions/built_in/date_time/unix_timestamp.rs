//! `UNIX_TIMESTAMP([timestamp])`.

use levada_udf::{Timestamp, scalar};

use super::now::NO_CLOCK;

/// Milliseconds since 1970-01-01, of now if no time is given.
#[scalar(name = "unix_timestamp", volatile)]
pub(super) fn now() -> Result<i64, &'static str> {
    Err(NO_CLOCK)
}

/// Milliseconds since 1970-01-01.
#[scalar(volatile, example("UNIX_TIMESTAMP(CAST('1970-01-01T00:00:01' AS TIMESTAMP))" = "1000"))]
pub(super) fn unix_timestamp(time: Timestamp) -> i64 {
    time.0
}
