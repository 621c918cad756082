//! From the fields of a text to dates and times, by the rules of `ResolverStyle.SMART`.

use super::field::{Field, Fields};
use super::parse::Read;
use crate::types::Zone;
use crate::types::calendar::{self, CivilDate, DAY_MS};

const HOUR_NANOS: i64 = 3_600_000_000_000;
const MINUTE_NANOS: i64 = 60_000_000_000;
const SECOND_NANOS: i64 = 1_000_000_000;
const MILLI_NANOS: i64 = 1_000_000;

/// What a text says: a date, a time of day, a zone, or parts of them.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Days since 1970-01-01, if the text says them all.
    date: Option<i64>,
    /// Nanoseconds of the day, if the text says the hour.
    nanos: Option<i64>,
    /// The time is 24:00: the next day's midnight.
    is_next_day: bool,
    offset: Option<i64>,
    zone: Option<Zone>,
    /// The parts that make no date or time.
    rest: Fields,
}

impl Parsed {
    pub(super) fn resolved(read: Read) -> Result<Self, String> {
        let Read { mut fields, zone } = read;
        let offset = fields.take(Field::OffsetSeconds);
        let date = date(&mut fields)?;
        let nanos = nanos(&mut fields)?;
        if let Some(days) = date {
            check_date(days, &mut fields)?;
        }
        let mut parsed = Self { date, nanos, is_next_day: false, offset, zone, rest: fields };
        parsed.end_day();
        Ok(parsed)
    }

    /// A time of 24:00 is 00:00 of the next day.
    fn end_day(&mut self) {
        if self.nanos == Some(24 * HOUR_NANOS) {
            self.nanos = Some(0);
            self.is_next_day = true;
        }
    }

    /// Days since 1970-01-01.
    ///
    /// # Errors
    /// The text does not say all parts of a date.
    pub fn date(&self) -> Result<i64, String> {
        self.date.ok_or_else(|| "The text is no whole date".to_owned())
    }

    /// As [`Self::date`]; what the text does not say is that of 1970-01-01.
    ///
    /// # Errors
    /// There is no such date.
    pub fn date_or_default(&self) -> Result<i64, String> {
        if let Some(days) = self.date {
            return Ok(days);
        }
        let year = self.rest.get(Field::Year).unwrap_or(1970);
        if let Some(day) = self.rest.get(Field::DayOfYear) {
            return year_day(year, day);
        }
        year_month_day(year, self.rest.get(Field::Month).unwrap_or(1), self.rest.get(Field::Day).unwrap_or(1))
    }

    /// Milliseconds since midnight.
    ///
    /// # Errors
    /// The text does not say the hour.
    pub fn time(&self) -> Result<i32, String> {
        let nanos = self.nanos.ok_or_else(|| "The text is no whole time".to_owned())?;
        Ok((nanos / MILLI_NANOS) as i32)
    }

    /// Milliseconds since 1970-01-01T00:00 UTC; what the text does not say is that of 1970-01-01T00:00, in the zone whose clocks
    /// show a time (in milliseconds since 1970-01-01T00:00 there) at the moment that `to_utc_ms` says.
    ///
    /// # Errors
    /// There is no such moment.
    pub fn timestamp(&self, to_utc_ms: impl FnOnce(i64) -> i64) -> Result<i64, String> {
        let (nanos, is_next_day) = match self.nanos {
            Some(nanos) => (nanos, self.is_next_day),
            None => {
                let part = |field| self.rest.get(field).unwrap_or(0);
                let hour = self.rest.get(Field::Hour).unwrap_or_else(|| part(Field::HourOfHalfDay));
                (time(hour, part(Field::Minute), part(Field::Second), part(Field::NanoOfSecond))?, false)
            }
        };
        let days = self.date_or_default()? + i64::from(is_next_day);
        let overflow = || "The year is out of range".to_owned();
        let local_ms =
            days.checked_mul(DAY_MS).and_then(|ms| ms.checked_add(nanos / MILLI_NANOS)).ok_or_else(overflow)?;
        match (self.offset, self.zone) {
            (Some(seconds), _) => {
                let seconds = Field::OffsetSeconds.checked(seconds)?;
                local_ms.checked_sub(seconds * 1000).ok_or_else(overflow)
            }
            (None, Some(zone)) => Ok(zone.to_utc_ms(local_ms)),
            (None, None) => Ok(to_utc_ms(local_ms)),
        }
    }
}

/// The date that `fields` say, which lose what makes it.
fn date(fields: &mut Fields) -> Result<Option<i64>, String> {
    if fields.is_empty() {
        return Ok(None);
    }
    resolve_year(fields)?;
    if let Some(day) = fields.take(Field::JulianDay) {
        return Ok(Some(Field::JulianDay.checked(day)? - calendar::MODIFIED_JULIAN_EPOCH));
    }
    if let Some(local) = fields.take(Field::LocalDayOfWeek) {
        let iso = (Field::LocalDayOfWeek.checked(local)? + 5) % 7 + 1;
        fields.derive(Field::LocalDayOfWeek, Field::DayOfWeek, iso)?;
    }
    let all = |wanted: [Field; 3]| {
        let [first, second, third] = wanted.map(|field| fields.get(field));
        Some((first?, second?, third?))
    };
    if let Some((year, month, day)) = all([Field::Year, Field::Month, Field::Day]) {
        take(fields, &[Field::Year, Field::Month, Field::Day]);
        return year_month_day(year, month, day).map(Some);
    }
    if let (Some(year), Some(day)) = (fields.get(Field::Year), fields.get(Field::DayOfYear)) {
        take(fields, &[Field::Year, Field::DayOfYear]);
        return year_day(year, day).map(Some);
    }
    if let Some((year, week, day)) = all([Field::WeekYear, Field::Week, Field::DayOfWeek]) {
        let (year, week) = (Field::WeekYear.checked(year)?, Field::Week.checked(week)?);
        let day = Field::DayOfWeek.checked(day)?;
        take(fields, &[Field::WeekYear, Field::Week, Field::DayOfWeek]);
        return Ok(Some(calendar::day_of_week_year(year, week, day)));
    }
    if let Some((year, month, week)) = all([Field::Year, Field::Month, Field::WeekOfMonth])
        && let Some(day) = fields.get(Field::DayOfWeek)
    {
        let first = year_month_day(year, month, 1)?;
        let (week, day) = (Field::WeekOfMonth.checked(week)?, Field::DayOfWeek.checked(day)?);
        take(fields, &[Field::Year, Field::Month, Field::WeekOfMonth, Field::DayOfWeek]);
        let from_sunday = |day: i64| day % 7;
        return Ok(Some(first + (week - 1) * 7 + from_sunday(day) - from_sunday(calendar::day_of_week(first))));
    }
    Ok(None)
}

/// The year that the year of the era means.
fn resolve_year(fields: &mut Fields) -> Result<(), String> {
    let era = fields.take(Field::Era);
    let Some(of_era) = fields.take(Field::YearOfEra) else {
        // An era alone says nothing of a date that it could contradict unless there is a year.
        return match (era, fields.get(Field::Year)) {
            (Some(era), Some(year)) if era != i64::from(year > 0) => {
                Err(format!("Conflict found: Era {era} differs from Era {} derived from {year}", 1 - era))
            }
            _ => Ok(()),
        };
    };
    let of_era = Field::YearOfEra.checked(of_era)?;
    let year = match era {
        Some(0) => 1 - of_era,
        Some(_) => of_era,
        None if fields.get(Field::Year).is_some_and(|year| year <= 0) => 1 - of_era,
        None => of_era,
    };
    fields.derive(Field::YearOfEra, Field::Year, year)
}

fn take(fields: &mut Fields, taken: &[Field]) {
    for field in taken {
        fields.take(*field);
    }
}

fn year_day(year: i64, day: i64) -> Result<i64, String> {
    let (year, day) = (Field::Year.checked(year)?, Field::DayOfYear.checked(day)?);
    if day == 366 && !calendar::is_leap(year) {
        return Err(format!("Invalid date 'DayOfYear 366' as '{year}' is not a leap year"));
    }
    Ok(calendar::days_from_civil(year, 1, 1) + day - 1)
}

/// A day beyond the month's end means its last day.
fn year_month_day(year: i64, month: i64, day: i64) -> Result<i64, String> {
    let (year, month) = (Field::Year.checked(year)?, Field::Month.checked(month)? as u32);
    let day = Field::Day.checked(day)? as u32;
    Ok(calendar::days_from_civil(year, month, day.min(calendar::month_days(year, month))))
}

/// Fields that did not make the date must not say something else.
fn check_date(days: i64, fields: &mut Fields) -> Result<(), String> {
    let date = CivilDate::new(days);
    for field in Field::ALL.into_iter().filter(|field| field.is_of_date()) {
        if let Some(said) = fields.take(field) {
            let value = date_value(&date, field);
            if value != said {
                let name = field.name();
                let (year, month, day) = (date.year, date.month, date.day);
                return Err(format!(
                    "Conflict found: {name} {said} differs from {name} {value} derived from {year:04}-{month:02}-{day:02}"
                ));
            }
        }
    }
    Ok(())
}

/// The value of `field`, one of those of dates.
pub(super) fn date_value(date: &CivilDate, field: Field) -> i64 {
    match field {
        Field::Era => i64::from(date.year > 0),
        Field::Year => date.year,
        Field::YearOfEra if date.year > 0 => date.year,
        Field::YearOfEra => 1 - date.year,
        Field::WeekYear => date.week_year().0,
        Field::Quarter => i64::from((date.month - 1) / 3 + 1),
        Field::Month => i64::from(date.month),
        Field::Week => date.week_year().1,
        Field::WeekOfMonth => date.week_of_month(),
        Field::Day => i64::from(date.day),
        Field::DayOfYear => date.day_of_year(),
        Field::JulianDay => date.days + calendar::MODIFIED_JULIAN_EPOCH,
        Field::AlignedDay => i64::from((date.day - 1) % 7 + 1),
        Field::LocalDayOfWeek => calendar::day_of_week(date.days) % 7 + 1,
        _ => calendar::day_of_week(date.days),
    }
}

/// Nanoseconds of the day that `fields` say, which lose what makes them.
fn nanos(fields: &mut Fields) -> Result<Option<i64>, String> {
    if fields.is_empty() {
        return Ok(None);
    }
    if let Some(hour) = fields.take(Field::ClockHour) {
        let hour = if hour == 0 { 0 } else { Field::ClockHour.checked(hour)? % 24 };
        fields.derive(Field::ClockHour, Field::Hour, hour)?;
    }
    if let Some(hour) = fields.take(Field::ClockHourOfHalfDay) {
        let hour = if hour == 0 { 0 } else { Field::ClockHourOfHalfDay.checked(hour)? % 12 };
        fields.derive(Field::ClockHourOfHalfDay, Field::HourOfHalfDay, hour)?;
    }
    if let (Some(half), Some(hour)) = (fields.get(Field::HalfDay), fields.get(Field::HourOfHalfDay)) {
        let hour = Field::HalfDay.checked(half)? * 12 + Field::HourOfHalfDay.checked(hour)?;
        take(fields, &[Field::HalfDay, Field::HourOfHalfDay]);
        fields.derive(Field::HalfDay, Field::Hour, hour)?;
    }
    let is_alone = Field::ALL
        .into_iter()
        .all(|field| !field.is_of_time() || field == Field::HalfDay || fields.get(field).is_none());
    if is_alone && let Some(half) = fields.take(Field::HalfDay) {
        // Java takes the middle of the half.
        fields.derive(Field::HalfDay, Field::Hour, Field::HalfDay.checked(half)? * 12 + 6)?;
    }
    for (field, nanos) in [(Field::NanoOfDay, 1), (Field::MilliOfDay, MILLI_NANOS)] {
        if let Some(value) = fields.take(field) {
            let nanos = field.checked(value)? * nanos;
            fields.derive(field, Field::Hour, nanos / HOUR_NANOS)?;
            fields.derive(field, Field::Minute, nanos / MINUTE_NANOS % 60)?;
            fields.derive(field, Field::Second, nanos / SECOND_NANOS % 60)?;
            // Milliseconds and a fraction of a second agree if they do in what both have.
            match fields.get(Field::NanoOfSecond).filter(|_| field == Field::MilliOfDay) {
                Some(fraction) if fraction / MILLI_NANOS == nanos % SECOND_NANOS / MILLI_NANOS => {}
                _ => fields.derive(field, Field::NanoOfSecond, nanos % SECOND_NANOS)?,
            }
        }
    }
    for field in [Field::HalfDay, Field::HourOfHalfDay, Field::Minute, Field::Second, Field::NanoOfSecond] {
        if let Some(value) = fields.get(field) {
            field.checked(value)?;
        }
    }
    let Some(hour) = fields.get(Field::Hour) else { return Ok(None) };
    let [minute, second, nano] = [Field::Minute, Field::Second, Field::NanoOfSecond].map(|field| fields.get(field));
    let skips = (minute.is_none() && (second.is_some() || nano.is_some())) || (second.is_none() && nano.is_some());
    if skips {
        return Ok(None);
    }
    let nanos = time(hour, minute.unwrap_or(0), second.unwrap_or(0), nano.unwrap_or(0))?;
    take(fields, &[Field::Hour, Field::Minute, Field::Second, Field::NanoOfSecond]);
    if let Some(half) = fields.take(Field::HalfDay)
        && half != nanos / (12 * HOUR_NANOS) % 2
    {
        return Err(format!("Conflict found: AmPmOfDay {half} differs from that of the hour {hour}"));
    }
    if let Some(of_half) = fields.take(Field::HourOfHalfDay)
        && of_half != hour % 12
    {
        return Err(format!("Conflict found: HourOfAmPm {of_half} differs from that of the hour {hour}"));
    }
    Ok(Some(nanos))
}

/// Nanoseconds of a time of day, of which 24:00 is the last.
fn time(hour: i64, minute: i64, second: i64, nano: i64) -> Result<i64, String> {
    if (hour, minute, second, nano) != (24, 0, 0, 0) {
        Field::Hour.checked(hour)?;
    }
    let (minute, second) = (Field::Minute.checked(minute)?, Field::Second.checked(second)?);
    let nano = Field::NanoOfSecond.checked(nano)?;
    Ok(hour * HOUR_NANOS + minute * MINUTE_NANOS + second * SECOND_NANOS + nano)
}
