//! Names and types as Protobuf wants them: a letter or `_`, then letters, digits and `_`; lists of single values.

use crate::formats::FormatError;
use crate::types::{Column, SqlType};

/// Checks the names of `columns` and of all fields within, and that lists are not nested in each other.
pub(in crate::formats) fn check(columns: &[Column]) -> Result<(), FormatError> {
    columns.iter().try_for_each(|column| check_field(&column.name, &column.sql_type))
}

fn check_field(name: &str, sql_type: &SqlType) -> Result<(), FormatError> {
    let is_first = |character: char| character.is_ascii_alphabetic() || character == '_';
    let fits = name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit());
    if !fits {
        return Err(FormatError::Protobuf { reason: format!("\"{name}\" is not a valid identifier.") });
    }
    match sql_type {
        SqlType::Array(element) => match &**element {
            SqlType::Array(_) | SqlType::Map(..) => {
                let reason = format!("Array cannot be nested. Got: {sql_type}, column: `{name}`");
                Err(FormatError::Protobuf { reason })
            }
            element => check_type(name, element),
        },
        other => check_type(name, other),
    }
}

fn check_type(name: &str, sql_type: &SqlType) -> Result<(), FormatError> {
    match sql_type {
        SqlType::Map(_, value) => check_field(name, value),
        SqlType::Struct(fields) => fields.iter().try_for_each(|field| check_field(&field.name, &field.sql_type)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::StructField;

    fn error(name: &str, sql_type: SqlType) -> Option<String> {
        check(&[Column::new(name, sql_type)]).err().map(|error| error.to_string())
    }

    #[test]
    fn names_are_identifiers_and_lists_are_flat() {
        let list = |element: SqlType| SqlType::Array(Box::new(element));
        let map = |value: SqlType| SqlType::Map(Box::new(SqlType::String), Box::new(value));
        let record = |name: &str| SqlType::Struct(vec![StructField { name: name.to_owned(), sql_type: SqlType::Date }]);
        assert_eq!(error("_a1", list(record("X"))), None);
        assert_eq!(error("A", map(list(SqlType::Integer))), None);
        let text = "Schema is not compatible with Protobuf: \"a b\" is not a valid identifier.";
        assert_eq!(error("a b", SqlType::Date).as_deref(), Some(text));
        assert_eq!(error("A", map(list(record("a b")))).as_deref(), Some(text));
        for nested in [list(list(SqlType::Integer)), list(map(SqlType::Integer)), map(list(list(SqlType::Integer)))] {
            assert!(error("A", nested).expect("it is nested").contains("Array cannot be nested"));
        }
    }
}
