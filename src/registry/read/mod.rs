//! Schemas to SQL types, by the rules of Kafka Connect's converters.
//!
//! ```text
//! SchemaDocument ── references_of ──▶ texts ─┬─ avro ────────┐
//!                                            ├─ json_schema ─┼─▶ SqlType ── Names ──▶ that of the columns
//!                                            └─ protobuf ────┘   without what SQL has no type for
//! ```

mod avro;
mod json_schema;
mod protobuf;

use std::collections::{HashMap, HashSet};

use crate::types::{SqlType, StructField};

use super::{ReferenceError, RegistryError, SchemaDocument, SchemaRegistry, SchemaType, references_of};

/// How names of fields become names of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// In upper case, as unquoted names are.
    Upper,
    /// As they are written.
    AsWritten,
}

/// Why a schema says nothing about columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The registry has no answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The text is no schema of its language.
    #[error("the {language} schema cannot be read: {reason}")]
    Malformed {
        /// Its language.
        language: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The schema as a whole stands for no type.
    #[error("the schema cannot be held by columns: {reason}")]
    Unsupported {
        /// Which part.
        reason: String,
    },
    /// The message or record that is asked for is not there.
    #[error("Schema name {name} is not found in the schema; it has {}", .known.join(", "))]
    UnknownName {
        /// The name.
        name: String,
        /// The names that are there.
        known: Vec<String>,
    },
}

/// The type of all that `document` describes; of a Protobuf file it is the message called `full_name`, or the first. Fields
/// that SQL has no type for are left out, and the log says so.
pub fn read_type(
    document: &SchemaDocument,
    registry: &dyn SchemaRegistry,
    full_name: Option<&str>,
    names: Names,
) -> Result<SqlType, SchemaError> {
    let references =
        references_of(document, registry).map_err(|error| SchemaError::of_references(error, document.schema_type))?;
    let text = document.text.as_str();
    let read = match document.schema_type {
        SchemaType::Avro => avro::read(text, &references)?,
        SchemaType::Json => json_schema::read(text, &references)?,
        SchemaType::Protobuf => protobuf::read(text, &references, full_name)?,
    };
    Ok(match names {
        Names::Upper => upper(read)?,
        Names::AsWritten => read,
    })
}

impl SchemaError {
    /// What is wrong with the references of a schema of this language.
    fn of_references(error: ReferenceError, language: SchemaType) -> Self {
        match error {
            ReferenceError::Registry(error) => Self::Registry(error),
            ReferenceError::Endless => Self::Unsupported { reason: error.to_string() },
            other => Self::Malformed { language: language.name(), reason: other.to_string() },
        }
    }
}

/// `sql_type` with names in upper case, which must still differ.
fn upper(sql_type: SqlType) -> Result<SqlType, SchemaError> {
    Ok(match sql_type {
        SqlType::Array(element) => SqlType::Array(Box::new(upper(*element)?)),
        SqlType::Map(key, value) => SqlType::Map(key, Box::new(upper(*value)?)),
        SqlType::Struct(fields) => {
            let mut written: HashMap<String, String> = HashMap::with_capacity(fields.len());
            let mut read = Vec::with_capacity(fields.len());
            for StructField { name, sql_type } in fields {
                let upper_name = name.to_uppercase();
                if let Some(other) = written.insert(upper_name.clone(), name.clone()) {
                    let reason = format!(
                        "the fields {other} and {name} would both be called {upper_name}; with KEY_SCHEMA_ID and VALUE_SCHEMA_ID \
                         names stay as they are"
                    );
                    return Err(SchemaError::Unsupported { reason });
                }
                read.push(StructField { name: upper_name, sql_type: upper(sql_type)? });
            }
            SqlType::Struct(read)
        }
        other => other,
    })
}

/// What a name or a note in a schema stands for.
enum Meaning {
    /// A type.
    Type(SqlType),
    /// Something that SQL has no type for.
    NotInSql,
}

impl Meaning {
    fn into_type(self) -> Option<SqlType> {
        match self {
            Self::Type(sql_type) => Some(sql_type),
            Self::NotInSql => None,
        }
    }
}

/// Digits of a DECIMAL whose schema does not say how many.
const PRECISION_DEFAULT: u8 = 64;

/// `DECIMAL(precision, scale)` if there is such a type.
fn decimal(precision: Option<u64>, scale: u64) -> Meaning {
    let precision = precision.map_or(Ok(PRECISION_DEFAULT), u8::try_from);
    match (precision, u8::try_from(scale)) {
        (Ok(precision @ 1..=SqlType::DECIMAL_DIGITS_MAX), Ok(scale)) if scale <= precision => {
            Meaning::Type(SqlType::Decimal { precision, scale })
        }
        _ => Meaning::NotInSql,
    }
}

/// Types with more parts are refused: names that stand for each other grow without end.
const PARTS_MAX: usize = 10_000;

/// The fields that have a type; the others are left out. No two have the same name: nobody could tell their columns apart.
fn fields(all: Vec<(String, Option<SqlType>)>) -> Result<SqlType, SchemaError> {
    let mut names = HashSet::with_capacity(all.len());
    if let Some((twice, _)) = all.iter().find(|(name, _)| !names.insert(name)) {
        return Err(SchemaError::Unsupported { reason: format!("two fields are called {twice}") });
    }
    let field = |(name, sql_type): (String, Option<SqlType>)| match sql_type {
        Some(sql_type) => Some(StructField { name, sql_type }),
        None => {
            tracing::warn!("the field {name} of a schema has a type that SQL does not have: it is left out");
            None
        }
    };
    let together = SqlType::Struct(all.into_iter().filter_map(field).collect());
    if parts(&together) > PARTS_MAX {
        return Err(SchemaError::Unsupported { reason: format!("it has more than {PARTS_MAX} parts") });
    }
    Ok(together)
}

fn parts(sql_type: &SqlType) -> usize {
    1 + match sql_type {
        SqlType::Array(element) => parts(element),
        SqlType::Map(_, value) => parts(value),
        SqlType::Struct(fields) => fields.iter().map(|field| parts(&field.sql_type)).sum(),
        _ => 0,
    }
}

fn array(element: SqlType) -> SqlType {
    SqlType::Array(Box::new(element))
}

/// Maps have texts as keys.
fn map(key: &SqlType, value: SqlType) -> Option<SqlType> {
    (*key == SqlType::String).then(|| SqlType::Map(Box::new(SqlType::String), Box::new(value)))
}
