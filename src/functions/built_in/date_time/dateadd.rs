//! `DATEADD(unit, count, date)`.

use levada_udf::{Date, Unit, scalar};

/// A date so much later; what is less than a day counts nothing.
#[scalar(example("DATEADD(DAYS, 10, CAST('2021-02-20' AS DATE))" = "CAST('2021-03-02' AS DATE)"))]
pub(super) fn dateadd(unit: Unit, count: i32, date: Date) -> Result<Date, String> {
    later(unit, i64::from(count), date)
}

/// `date`, `count` units later.
pub(super) fn later(unit: Unit, count: i64, date: Date) -> Result<Date, String> {
    let days = count * unit.as_millis() / Unit::Days.as_millis();
    let later = i64::from(date.0) + days;
    i32::try_from(later).map(Date).map_err(|_| "The date is out of range".to_owned())
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
        check(Unit::Hours, -47, 99);
        check(Unit::Milliseconds, i32::MAX, 124);
        assert!(dateadd(Unit::Days, i32::MAX, Date(1)).is_err());
    }
}
