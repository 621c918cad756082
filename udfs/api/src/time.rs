//! Dates and times as numbers, as Arrow has them.

/// DATE: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(pub i32);

/// TIME: milliseconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i32);

/// TIMESTAMP: milliseconds since 1970-01-01T00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// A unit of an interval, written as a bare word: `DAYS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Of 24 hours.
    Days,
}

impl Unit {
    /// The unit that this word means.
    pub fn named(word: &str) -> Self {
        match word.as_bytes() {
            [b'S', ..] => Self::Seconds,
            [b'H', ..] => Self::Hours,
            [b'D', ..] => Self::Days,
            [b'M', b'I', b'N', ..] => Self::Minutes,
            _ => Self::Milliseconds,
        }
    }

    /// Length of one unit in milliseconds.
    pub fn as_millis(self) -> i64 {
        match self {
            Self::Milliseconds => 1,
            Self::Seconds => 1_000,
            Self::Minutes => 60_000,
            Self::Hours => 3_600_000,
            Self::Days => 86_400_000,
        }
    }
}
