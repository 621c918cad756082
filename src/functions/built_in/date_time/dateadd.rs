//! `DATEADD(unit, count, date)`.

use levada_udf::{Date, Unit, scalar};

/// A date so much later; the day of the moment that is so much later than its midnight.
#[scalar(example("DATEADD(DAYS, 10, CAST('2021-02-20' AS DATE))" = "CAST('2021-03-02' AS DATE)"))]
pub(super) fn dateadd(unit: Unit, count: i32, date: Date) -> Result<Date, String> {
    later(unit, i64::from(count), date)
}

/// `date`, `count` units later. As in ksqlDB the day is cut towards that of 1970-01-01.
pub(super) fn later(unit: Unit, count: i64, date: Date) -> Result<Date, String> {
    let day_ms = Unit::Days.as_millis();
    i32::try_from((i64::from(date.0) * day_ms + count * unit.as_millis()) / day_ms)
        .map(Date)
        .map_err(|_| "The date is out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole() {
        let check =
            |unit, count, expected| assert_eq!(dateadd(unit, count, Date(100)), Ok(Date(expected)), "{count} {unit:?}");
        check(Unit::Days, -5, 95);
        check(Unit::Hours, 47, 101);
        check(Unit::Hours, -47, 98);
        check(Unit::Milliseconds, i32::MAX, 124);
        assert_eq!(dateadd(Unit::Hours, 1, Date(-1)), Ok(Date(0)));
        assert!(dateadd(Unit::Days, i32::MAX, Date(1)).is_err());
    }
}
