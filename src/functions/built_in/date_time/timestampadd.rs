//! `TIMESTAMPADD(unit, count, timestamp)`.

use levada_udf::{Timestamp, Unit, scalar};

/// A timestamp so much later.
#[scalar(example("TIMESTAMPADD(HOURS, 2, CAST('2021-02-28T23:00:00' AS TIMESTAMP))" = "CAST('2021-03-01T01:00:00' AS TIMESTAMP)"))]
pub(super) fn timestampadd(unit: Unit, count: i32, time: Timestamp) -> Result<Timestamp, String> {
    later(unit, i64::from(count), time)
}

/// `time`, `count` units later.
pub(super) fn later(unit: Unit, count: i64, time: Timestamp) -> Result<Timestamp, String> {
    let later = time.0.checked_add(count * unit.as_millis());
    later.map(Timestamp).ok_or_else(|| "The timestamp is out of range".to_owned())
}
