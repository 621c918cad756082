//! The proleptic Gregorian calendar: days since 1970-01-01, and years, months and days.

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// 1970-01-01 as a modified Julian day.
pub const MODIFIED_JULIAN_EPOCH: i64 = 40_587;

/// A day by its year, month and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilDate {
    /// Days since 1970-01-01.
    pub days: i64,
    /// The year; the one before 1 is 0.
    pub year: i64,
    /// From 1.
    pub month: u32,
    /// Of the month, from 1.
    pub day: u32,
}

/// Days of the years before each month, when it is no leap year.
const DAYS_BEFORE: [u32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

impl CivilDate {
    /// The date of `days` since 1970-01-01.
    ///
    /// Counts from 0000-03-01 in eras of 400 years, so that the leap day comes last in its year
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    pub fn new(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097) as u32;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self { days, year: i64::from(year_of_era) + era * 400 + i64::from(month <= 2), month, day }
    }

    /// From 1.
    pub fn day_of_year(&self) -> i64 {
        let leap = self.month > 2 && is_leap(self.year);
        i64::from(DAYS_BEFORE[self.month as usize - 1] + self.day + u32::from(leap))
    }

    /// The year of the week and the week of that year, where weeks begin on Sunday and 1 January is in the first one.
    pub fn week_year(&self) -> (i64, i64) {
        let (day_of_year, from_sunday) = (self.day_of_year(), day_of_week(self.days) % 7);
        let year_days = 365 + i64::from(is_leap(self.year));
        if day_of_year + 6 - from_sunday > year_days {
            return (self.year + 1, 1);
        }
        (self.year, weeks(day_of_year, from_sunday))
    }

    /// The week of the month, where weeks begin on Sunday and the month's first day is in the first one.
    pub fn week_of_month(&self) -> i64 {
        weeks(i64::from(self.day), day_of_week(self.days) % 7)
    }
}

/// The week of the `day`th day of something, which is so many days after a Sunday.
fn weeks(day: i64, from_sunday: i64) -> i64 {
    (day - 1 + (from_sunday - (day - 1)).rem_euclid(7)) / 7 + 1
}

/// The day of the week in which a day is, from 1, which is Monday.
pub fn day_of_week(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// Days since 1970-01-01 of the day of a week of [`CivilDate::week_year`]; `day` counts from 1, which is Monday.
pub fn day_of_week_year(year: i64, week: i64, day: i64) -> i64 {
    let first = days_from_civil(year, 1, 1);
    let next_first = days_from_civil(year + 1, 1, 1);
    let before = day_of_week(first) % 7;
    // The week of the next 1 January is not one of this year.
    let weeks = (next_first - first + before - day_of_week(next_first) % 7) / 7;
    first - before + (week.min(weeks) - 1) * 7 + day % 7
}

/// Days since 1970-01-01 of a date that exists.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Whether `year` has a 29 February.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// How many days `month` has in `year`.
pub fn month_days(year: i64, month: u32) -> u32 {
    let days = DAYS_BEFORE[month as usize] - DAYS_BEFORE[month as usize - 1];
    days + u32::from(month == 2 && is_leap(year))
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn days_are_those_of_the_calendar(days in -90_000_000_i64..90_000_000) {
            let expected = NaiveDate::default() + chrono::TimeDelta::days(days);
            let date = CivilDate::new(days);
            prop_assert_eq!(
                (date.year, date.month, date.day),
                (i64::from(expected.year()), expected.month(), expected.day())
            );
            prop_assert_eq!(days_from_civil(date.year, date.month, date.day), days);
            prop_assert_eq!(date.day_of_year(), i64::from(expected.ordinal()));
            prop_assert_eq!(day_of_week(days), i64::from(expected.weekday().number_from_monday()));
            prop_assert!(date.day <= month_days(date.year, date.month));
            let (year, week) = date.week_year();
            prop_assert_eq!(day_of_week_year(year, week, day_of_week(days)), days);
        }
    }
}
