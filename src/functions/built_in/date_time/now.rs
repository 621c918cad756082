//! The wall clock, for the functions whose answer it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00 UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the time of the call is what UNIX_TIMESTAMP() and UNIX_DATE() are asked for"
)]
pub(super) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as i64)
}
