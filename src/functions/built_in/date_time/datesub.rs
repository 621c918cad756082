//! `DATESUB(unit, count, date)`.

use levada_udf::{Date, Unit, scalar};

use super::dateadd::later;

/// A date so much earlier; the day of the moment that is so much earlier than its midnight.
#[scalar(example("DATESUB(DAYS, 10, CAST('2021-03-02' AS DATE))" = "CAST('2021-02-20' AS DATE)"))]
pub(super) fn datesub(unit: Unit, count: i32, date: Date) -> Result<Date, String> {
    later(unit, -i64::from(count), date)
}
