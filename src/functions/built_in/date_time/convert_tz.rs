//! `CONVERT_TZ(timestamp, from_zone, to_zone)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Build, Column, Timestamp, Write, scalar};

use super::by_pattern::Meanings;
use crate::types::ZoneClock;

/// The time that clocks in the second zone show when those in the first one show this.
#[scalar(
    signature = "(time TIMESTAMP, from STRING, to STRING) -> TIMESTAMP",
    example("CONVERT_TZ(CAST('2021-07-01T12:00:00' AS TIMESTAMP), 'UTC', 'Europe/Paris')" = "CAST('2021-07-01T14:00:00' AS TIMESTAMP)")
)]
pub(super) fn convert_tz(batch: &mut Batch<'_>) -> ArrayRef {
    let arguments = batch.arguments();
    let times = Column::<Timestamp>::new(&arguments[0]);
    let (from, to) = (Column::<&str>::new(&arguments[1]), Column::<&str>::new(&arguments[2]));
    let (mut from_clocks, mut to_clocks) = (Meanings::new(ZoneClock::new), Meanings::new(ZoneClock::new));
    let mut results = <Timestamp as Write>::Builder::default();
    for row in 0..batch.rows() {
        let converted = match (times.value(row), from.value(row), to.value(row)) {
            (Some(time), Some(from), Some(to)) => from_clocks.get(from).and_then(|from| {
                let utc_ms = from.to_utc_ms(time.0);
                Ok(Some(Timestamp(to_clocks.get(to)?.to_local_ms(utc_ms))))
            }),
            _ => Ok(None),
        };
        if let Err(reason) = converted.write(&mut results) {
            batch.fail(row, reason);
        }
    }
    results.finish()
}
