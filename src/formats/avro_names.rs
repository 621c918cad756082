//! Names as Avro wants them: a letter or `_`, then letters, digits and `_`.

use super::FormatError;
use crate::types::{Column, SqlType, StructField};

/// Checks the names of `columns` and of all fields within. A single column that stands alone (`is_bare`) is no field.
pub(super) fn check(columns: &[Column], is_bare: bool) -> Result<(), FormatError> {
    for column in columns {
        if !is_bare {
            check_name(&column.name)?;
        }
        check_type(&column.sql_type)?;
    }
    Ok(())
}

fn check_type(sql_type: &SqlType) -> Result<(), FormatError> {
    match sql_type {
        SqlType::Array(element) => check_type(element),
        SqlType::Map(key, value) => check_type(key).and_then(|()| check_type(value)),
        SqlType::Struct(fields) => fields.iter().try_for_each(|StructField { name, sql_type }| {
            check_name(name)?;
            check_type(sql_type)
        }),
        _ => Ok(()),
    }
}

/// A point within a name is written as `_`.
fn check_name(name: &str) -> Result<(), FormatError> {
    let fits = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    let reason = match name.chars().next() {
        None => "Empty name".to_owned(),
        Some(first) if !(first.is_alphabetic() || matches!(first, '_' | '.')) => {
            format!("Illegal initial character: {name}")
        }
        Some(_) if !name.chars().all(fits) => format!("Illegal character in: {name}"),
        Some(_) => return Ok(()),
    };
    Err(FormatError::AvroName { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, is_bare: bool) -> Option<String> {
        let field = StructField { name: name.to_owned(), sql_type: SqlType::Integer };
        let nested = Column::new("C", SqlType::Struct(vec![field]));
        let flat = Column::new(name, SqlType::Integer);
        let [flat, nested] =
            [flat, nested].map(|column| check(&[column], is_bare).err().map(|error| error.to_string()));
        if is_bare {
            assert_eq!(flat, None, "a value that stands alone has no name");
        } else {
            assert_eq!(flat, nested);
        }
        nested
    }

    #[test]
    fn names_of_fields_must_be_names_in_avro() {
        for (name, expected) in [
            ("a", None),
            ("_1", None),
            ("a.b", None),
            ("1a", Some("Schema is not compatible with Avro: Illegal initial character: 1a")),
            ("a-b", Some("Schema is not compatible with Avro: Illegal character in: a-b")),
            ("", Some("Schema is not compatible with Avro: Empty name")),
        ] {
            for is_bare in [false, true] {
                assert_eq!(error(name, is_bare).as_deref(), expected, "{name}");
            }
        }
    }
}
