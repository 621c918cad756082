//! `FROM_UNIXTIME(millis)`.

use levada_udf::{Timestamp, scalar};

/// The timestamp so many milliseconds after 1970-01-01.
#[scalar(example("FROM_UNIXTIME(1000)" = "CAST('1970-01-01T00:00:01' AS TIMESTAMP)"))]
pub(super) fn from_unixtime(millis: i64) -> Timestamp {
    Timestamp(millis)
}
