//! `FROM_DAYS(days)`.

use levada_udf::{Date, scalar};

/// The date so many days after 1970-01-01.
#[scalar(example("FROM_DAYS(59)" = "CAST('1970-03-01' AS DATE)"))]
pub(super) fn from_days(days: i32) -> Date {
    Date(days)
}
