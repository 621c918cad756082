//! The fields of dates and times.

use std::ops::RangeInclusive;

/// A field, in the words of java.time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    YearOfEra,
    WeekYear,
    Quarter,
    Month,
    Week,
    WeekOfMonth,
    Day,
    DayOfYear,
    JulianDay,
    AlignedDay,
    /// From 1, Monday.
    DayOfWeek,
    /// From 1, Sunday.
    LocalDayOfWeek,
    HalfDay,
    HourOfHalfDay,
    ClockHourOfHalfDay,
    Hour,
    ClockHour,
    Minute,
    Second,
    NanoOfSecond,
    MilliOfDay,
    NanoOfDay,
    OffsetSeconds,
}

const YEAR_MAX: i64 = 999_999_999;
const DAY_NANOS: i64 = 86_400_000_000_000;

impl Field {
    /// How many there are.
    pub(super) const COUNT: usize = Self::OffsetSeconds as usize + 1;

    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Era,
        Self::Year,
        Self::YearOfEra,
        Self::WeekYear,
        Self::Quarter,
        Self::Month,
        Self::Week,
        Self::WeekOfMonth,
        Self::Day,
        Self::DayOfYear,
        Self::JulianDay,
        Self::AlignedDay,
        Self::DayOfWeek,
        Self::LocalDayOfWeek,
        Self::HalfDay,
        Self::HourOfHalfDay,
        Self::ClockHourOfHalfDay,
        Self::Hour,
        Self::ClockHour,
        Self::Minute,
        Self::Second,
        Self::NanoOfSecond,
        Self::MilliOfDay,
        Self::NanoOfDay,
        Self::OffsetSeconds,
    ];

    pub(super) fn is_of_date(self) -> bool {
        (self as usize) < Self::HalfDay as usize
    }

    pub(super) fn is_of_time(self) -> bool {
        !self.is_of_date() && self != Self::OffsetSeconds
    }

    /// Its name in Java.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Era => "Era",
            Self::Year => "Year",
            Self::YearOfEra => "YearOfEra",
            Self::WeekYear => "WeekBasedYear",
            Self::Quarter => "QuarterOfYear",
            Self::Month => "MonthOfYear",
            Self::Week => "WeekOfWeekBasedYear",
            Self::WeekOfMonth => "WeekOfMonth",
            Self::Day => "DayOfMonth",
            Self::DayOfYear => "DayOfYear",
            Self::JulianDay => "ModifiedJulianDay",
            Self::AlignedDay => "AlignedDayOfWeekInMonth",
            Self::DayOfWeek | Self::LocalDayOfWeek => "DayOfWeek",
            Self::HalfDay => "AmPmOfDay",
            Self::HourOfHalfDay => "HourOfAmPm",
            Self::ClockHourOfHalfDay => "ClockHourOfAmPm",
            Self::Hour => "HourOfDay",
            Self::ClockHour => "ClockHourOfDay",
            Self::Minute => "MinuteOfHour",
            Self::Second => "SecondOfMinute",
            Self::NanoOfSecond => "NanoOfSecond",
            Self::MilliOfDay => "MilliOfDay",
            Self::NanoOfDay => "NanoOfDay",
            Self::OffsetSeconds => "OffsetSeconds",
        }
    }

    /// The values it may have.
    fn range(self) -> RangeInclusive<i64> {
        match self {
            Self::Era | Self::HalfDay => 0..=1,
            Self::Year | Self::WeekYear => -YEAR_MAX..=YEAR_MAX,
            Self::YearOfEra => 1..=YEAR_MAX,
            Self::Quarter => 1..=4,
            Self::Month => 1..=12,
            Self::Week => 1..=53,
            Self::WeekOfMonth => 0..=6,
            Self::Day => 1..=31,
            Self::DayOfYear => 1..=366,
            Self::JulianDay => -365_961_480_447..=365_241_780_471,
            Self::AlignedDay | Self::DayOfWeek | Self::LocalDayOfWeek => 1..=7,
            Self::HourOfHalfDay => 0..=11,
            Self::ClockHourOfHalfDay => 1..=12,
            Self::Hour => 0..=23,
            Self::ClockHour => 1..=24,
            Self::Minute | Self::Second => 0..=59,
            Self::NanoOfSecond => 0..=999_999_999,
            Self::MilliOfDay => 0..=DAY_NANOS / 1_000_000 - 1,
            Self::NanoOfDay => 0..=DAY_NANOS - 1,
            Self::OffsetSeconds => -18 * 3600..=18 * 3600,
        }
    }

    /// `value` if the field may have it.
    pub(super) fn checked(self, value: i64) -> Result<i64, String> {
        let range = self.range();
        if range.contains(&value) {
            return Ok(value);
        }
        let (name, first, last) = (self.name(), range.start(), range.end());
        Err(format!("Invalid value for {name} (valid values {first} - {last}): {value}"))
    }
}

/// What has been read of a text: the values of some fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    values: [i64; Field::COUNT],
    /// A bit per field that has a value.
    present: u32,
}

impl Default for Fields {
    fn default() -> Self {
        Self { values: [0; Field::COUNT], present: 0 }
    }
}

impl Fields {
    pub(super) fn get(&self, field: Field) -> Option<i64> {
        (self.present >> field as u32 & 1 == 1).then(|| self.values[field as usize])
    }

    pub(super) fn take(&mut self, field: Field) -> Option<i64> {
        let value = self.get(field);
        self.present &= !(1 << field as u32);
        value
    }

    /// Gives `field` a value; false if it has another one.
    #[must_use]
    pub(super) fn set(&mut self, field: Field, value: i64) -> bool {
        if let Some(known) = self.get(field) {
            return known == value;
        }
        self.values[field as usize] = value;
        self.present |= 1 << field as u32;
        true
    }

    /// As [`Self::set`], of a value that follows from `from`.
    pub(super) fn derive(&mut self, from: Field, field: Field, value: i64) -> Result<(), String> {
        if self.set(field, value) {
            return Ok(());
        }
        let known = self.values[field as usize];
        let (name, origin) = (field.name(), from.name());
        Err(format!("Conflict found: {name} {known} differs from {name} {value} while resolving {origin}"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present == 0
    }
}
