//! `TIMESTAMPSUB(unit, count, timestamp)`.

use levada_udf::{Timestamp, Unit, scalar};

use super::timestampadd::later;

/// A timestamp so much earlier.
#[scalar(example("TIMESTAMPSUB(HOURS, 2, CAST('2021-03-01T01:00:00' AS TIMESTAMP))" = "CAST('2021-02-28T23:00:00' AS TIMESTAMP)"))]
pub(super) fn timestampsub(unit: Unit, count: i32, time: Timestamp) -> Result<Timestamp, String> {
    later(unit, -i64::from(count), time)
}
