//! `CONVERT_TZ(timestamp, from_zone, to_zone)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Build, Column, Timestamp, Write, scalar};

use super::by_pattern::Meanings;
use crate::types::ZoneClock;

/// The time that clocks in the second zone show when those in the first one show this. How far they are apart is taken from the
/// moment that the time is in UTC.
#[scalar(
    signature = "(time TIMESTAMP, from STRING, to STRING) -> TIMESTAMP",
    example("CONVERT_TZ(CAST('2021-07-01T12:00:00' AS TIMESTAMP), 'UTC', 'Europe/Paris')" = "CAST('2021-07-01T14:00:00' AS TIMESTAMP)")
)]
pub(super) fn convert_tz(batch: &mut Batch<'_>) -> ArrayRef {
    let arguments = batch.arguments();
    let times = Column::<Timestamp>::new(&arguments[0]);
    let (from, to) = (Column::<&str>::new(&arguments[1]), Column::<&str>::new(&arguments[2]));
    let (mut from_clocks, mut to_clocks) = (Meanings::new(clock), Meanings::new(clock));
    let mut results = <Timestamp as Write>::Builder::default();
    for row in 0..batch.rows() {
        let converted = match (times.value(row), from.value(row), to.value(row)) {
            (Some(time), Some(from), Some(to)) => from_clocks.get(from).and_then(|from| {
                let from = i64::from(from.offset_at(time.0).seconds);
                let to = i64::from(to_clocks.get(to)?.offset_at(time.0).seconds);
                Ok(Some(Timestamp(time.0.saturating_add((to - from) * 1000))))
            }),
            _ => Ok(None),
        };
        if let Err(reason) = converted.write(&mut results) {
            batch.fail(row, reason);
        }
    }
    results.finish()
}

/// The clock of a zone. `UTC+2` is that of Greenwich: ksqlDB asks `java.util.TimeZone`, which knows `GMT+2` only.
fn clock(id: &str) -> Result<ZoneClock, String> {
    let clock = ZoneClock::new(id)?;
    Ok(if id.starts_with("UT") && id.contains(['+', '-']) { ZoneClock::utc() } else { clock })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, StringArray, TimestampMillisecondArray};
    use arrow::datatypes::TimestampMillisecondType;
    use levada_udf::Operand;

    use super::super::super::evaluated;

    #[test]
    fn clocks_are_compared_at_the_moment_that_the_time_is_in_utc() {
        // 01:30 in UTC on the day on which clocks in Paris were moved from 02:00 to 03:00, at 01:00 UTC.
        let cases = [("UTC", "Europe/Paris", 7_200), ("Europe/Paris", "UTC", -7_200), ("UTC+5", "GMT+1", 3_600)];
        for (from, to, seconds) in cases {
            let time = 1_711_848_600_000;
            let text = |text: &str| Operand::Constant(Arc::new(StringArray::from(vec![text])));
            let times = Operand::Column(Arc::new(TimestampMillisecondArray::from(vec![time])));
            let converted = evaluated("CONVERT_TZ", &[times, text(from), text(to)], 1);
            let converted = converted.as_primitive::<TimestampMillisecondType>().value(0);
            assert_eq!(converted - time, seconds * 1000, "{from} {to}");
        }
    }
}
