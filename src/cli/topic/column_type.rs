//! Types of CSV columns: found in the cells, or given.

use std::fmt;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnType {
    /// 32 bits.
    Integer,
    /// 64 bits.
    Bigint,
    Double,
    Boolean,
    String,
}

impl fmt::Display for ColumnType {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str(match self {
            Self::Integer => "INT",
            Self::Bigint => "BIGINT",
            Self::Double => "DOUBLE",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
        })
    }
}

/// Whether a cell stands for no value.
pub(super) fn is_null(cell: &[u8]) -> bool {
    matches!(cell, b"" | b"NA")
}

impl ColumnType {
    /// The narrowest type that holds `cell`, which is not null. Digits that a number would lose make a string: leading
    /// zeros, a plus sign, more than 64 bits.
    pub(super) fn of(cell: &[u8]) -> Self {
        match cell {
            _ if is_integer(cell) => match std::str::from_utf8(cell).map(str::parse::<i64>) {
                Ok(Ok(number)) if i32::try_from(number).is_ok() => Self::Integer,
                Ok(Ok(_)) => Self::Bigint,
                _ => Self::String,
            },
            _ if is_decimal(cell) => Self::Double,
            _ if cell.eq_ignore_ascii_case(b"true") || cell.eq_ignore_ascii_case(b"false") => Self::Boolean,
            _ => Self::String,
        }
    }

    /// The narrowest type that holds what `self` and `other` hold.
    pub(super) fn widened(self, other: Self) -> Self {
        use ColumnType::{Bigint, Boolean, Double, Integer, String};
        match (self, other) {
            (Boolean, Boolean) => Boolean,
            (String | Boolean, _) | (_, String | Boolean) => String,
            (Double, _) | (_, Double) => Double,
            (Bigint, _) | (_, Bigint) => Bigint,
            (Integer, Integer) => Integer,
        }
    }

    /// The type that SQL calls `name`, of those a column can have.
    fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "INT" | "INTEGER" => Some(Self::Integer),
            "BIGINT" => Some(Self::Bigint),
            "DOUBLE" => Some(Self::Double),
            "BOOLEAN" => Some(Self::Boolean),
            "STRING" | "VARCHAR" => Some(Self::String),
            _ => None,
        }
    }
}

/// `-?` and digits, without a leading zero.
pub(super) fn is_integer(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits[0] != b'0')
}

/// A number with a point or an exponent.
fn is_decimal(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    let leading_zero = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    let marks = digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    let starts = digits.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
    starts && marks && !leading_zero && number_of(cell).is_some_and(f64::is_finite)
}

/// The number that `cell` is the text of.
pub(super) fn number_of(cell: &[u8]) -> Option<f64> {
    let plain = cell.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
    std::str::from_utf8(cell).ok().filter(|_| plain)?.parse().ok()
}

/// Types of the columns of `header` that `text` gives: `col INT, col2 STRING`.
pub(super) fn parse_types(text: &str, header: &[String]) -> Result<Vec<Option<ColumnType>>, String> {
    let mut types = vec![None; header.len()];
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let written = || format!("'{part}' is not a column and its type; write them as 'col INT, col2 STRING'");
        let (name, type_name) = part.rsplit_once(char::is_whitespace).ok_or_else(written)?;
        let column = column_of(name.trim().trim_matches('`'), header)?;
        let known = ColumnType::named(type_name);
        types[column] = Some(known.ok_or_else(|| {
            format!("type {type_name} of column {name} is not one of INT, BIGINT, DOUBLE, BOOLEAN, STRING")
        })?);
    }
    Ok(types)
}

/// Index of the column called `name`: exactly, or else in another case.
pub(super) fn column_of(name: &str, header: &[String]) -> Result<usize, String> {
    let exact = header.iter().position(|column| column == name);
    let found = exact.or_else(|| header.iter().position(|column| column.eq_ignore_ascii_case(name)));
    found.ok_or_else(|| format!("there is no column '{name}'; the header has {}", header.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_narrowest_type() {
        let cases = [
            ("0", ColumnType::Integer),
            ("-12", ColumnType::Integer),
            ("2147483647", ColumnType::Integer),
            ("2147483648", ColumnType::Bigint),
            ("-9223372036854775808", ColumnType::Bigint),
            ("9223372036854775808", ColumnType::String),
            ("1.5", ColumnType::Double),
            ("-.5", ColumnType::Double),
            ("5.", ColumnType::Double),
            ("1e5", ColumnType::Double),
            ("1e999", ColumnType::String),
            ("true", ColumnType::Boolean),
            ("FALSE", ColumnType::Boolean),
            ("007", ColumnType::String),
            ("00.5", ColumnType::String),
            ("+49", ColumnType::String),
            (" 1", ColumnType::String),
            ("1-2", ColumnType::String),
            ("nan", ColumnType::String),
            ("inf", ColumnType::String),
            ("e5", ColumnType::String),
            ("-", ColumnType::String),
            ("2013-01-01", ColumnType::String),
            ("yes", ColumnType::String),
        ];
        for (cell, expected) in cases {
            assert_eq!(ColumnType::of(cell.as_bytes()), expected, "{cell}");
        }
    }

    #[test]
    fn columns_have_the_narrowest_type_of_all_their_cells() {
        let check = |cells: &[&str], expected| {
            let found = cells.iter().map(|cell| ColumnType::of(cell.as_bytes())).reduce(ColumnType::widened);
            assert_eq!(found, Some(expected), "{cells:?}");
        };
        check(&["1", "3000000000"], ColumnType::Bigint);
        check(&["3000000000", "1", "1.5"], ColumnType::Double);
        check(&["1", "true"], ColumnType::String);
        check(&["true", "false"], ColumnType::Boolean);
        check(&["1", "x", "2"], ColumnType::String);
    }

    #[test]
    fn given_types_are_read() {
        let header = ["a".to_owned(), "B c".to_owned(), "d".to_owned()];
        let types = parse_types("A int, `B c` VARCHAR,", &header);
        assert_eq!(types, Ok(vec![Some(ColumnType::Integer), Some(ColumnType::String), None]));
        let error = |text: &str| parse_types(text, &header).expect_err("it is wrong");
        assert_eq!(error("x INT"), "there is no column 'x'; the header has a, B c, d");
        assert_eq!(error("a DATE"), "type DATE of column a is not one of INT, BIGINT, DOUBLE, BOOLEAN, STRING");
        assert_eq!(error("a"), "'a' is not a column and its type; write them as 'col INT, col2 STRING'");
    }
}
