//! Names of fields, in English.

use super::field::Field;

/// How long a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Short,
    Full,
    Narrow,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const QUARTERS: [[&str; 3]; 4] =
    [["Q1", "1st quarter", "1"], ["Q2", "2nd quarter", "2"], ["Q3", "3rd quarter", "3"], ["Q4", "4th quarter", "4"]];
const ERAS: [[&str; 3]; 2] = [["BC", "Before Christ", "B"], ["AD", "Anno Domini", "A"]];
const HALF_DAYS: [&str; 2] = ["AM", "PM"];

/// The value of the first name of `field`, and how many have names.
fn values(field: Field) -> (i64, i64) {
    match field {
        Field::Month => (1, 12),
        Field::DayOfWeek => (1, 7),
        Field::Quarter => (1, 4),
        _ => (0, 2),
    }
}

/// What `value` of `field` is called.
pub(super) fn name(field: Field, style: Style, value: i64) -> &'static str {
    let index = (value - values(field).0) as usize;
    let of_word = |word: &'static str| match style {
        Style::Short => &word[..3],
        Style::Full => word,
        Style::Narrow => &word[..1],
    };
    match field {
        Field::Month => of_word(MONTHS[index]),
        Field::DayOfWeek => of_word(DAYS[index]),
        Field::Quarter => QUARTERS[index][style as usize],
        Field::Era => ERAS[index][style as usize],
        _ => HALF_DAYS[index],
    }
}

/// The value whose name `text` begins with, and how long the name is. The longest counts, then the last: in Java that is the one
/// of two months with one letter.
pub(super) fn read(field: Field, style: Style, text: &str) -> Option<(i64, usize)> {
    let (first, count) = values(field);
    let fitting = (first..first + count).filter_map(|value| {
        let name = name(field, style, value);
        text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)).then_some((value, name.len()))
    });
    fitting.max_by_key(|(_, length)| *length)
}
