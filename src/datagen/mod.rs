//! Made-up rows: what `levada datagen` fills topics with.
//!
//! ```text
//! schema of Avro, with "arg.properties" ── schema ──▶ Node, a source of values for each field ── value ──▶ JSON text
//!                    └── registry::read_type ──▶ columns                                       formats ──▶ arrays
//! ```
//!
//! The annotations are those that `ksql-datagen` reads (ksqldb-surface 10). The same schema, seed and times give the same rows.

mod pattern;
mod quickstart;
mod schema;
mod source;
mod value;

#[cfg(test)]
mod tests;

use arrow::array::{ArrayRef, BinaryBuilder};

use crate::formats::{Decoder, Format, FormatError, Serde, decoder};
use crate::registry::{MemoryRegistry, Names, SchemaDocument, SchemaError, SchemaType, read_type};
use crate::types::{Column, RowError, SqlType};

pub use quickstart::Quickstart;
use schema::Fault;
use value::Maker;

/// Why there is nothing to make rows of.
#[derive(Debug, thiserror::Error)]
pub enum DatagenError {
    /// An annotation asks for what its type cannot have.
    #[error("{place}: {reason}")]
    Annotation {
        /// The field, with those around it.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The schema is none, or SQL cannot hold it.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The schema is not one of records.
    #[error("the schema must be a record, whose fields become columns")]
    NoRecord,
    /// Its columns have no JSON.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl From<Fault> for DatagenError {
    fn from(fault: Fault) -> Self {
        Self::Annotation { place: fault.place, reason: fault.reason }
    }
}

/// Makes rows, one batch after the other.
pub struct Generator {
    columns: Vec<Column>,
    declared: Vec<Column>,
    maker: Maker,
    decoder: Box<dyn Decoder>,
}

/// Rows as they were made.
#[derive(Debug)]
pub struct Rows {
    /// Each as JSON text.
    pub texts: arrow::array::BinaryArray,
    /// An array per column.
    pub columns: Vec<ArrayRef>,
    /// Rows that do not fit their columns; none, unless the schema's default values or options are of another type.
    pub errors: Vec<RowError>,
}

impl Generator {
    /// A generator of records of the schema `text`.
    pub fn new(text: &str, seed: u64) -> Result<Self, DatagenError> {
        let document = SchemaDocument::new(SchemaType::Avro, text);
        let columns = |names| match read_type(&document, &MemoryRegistry::new(), None, names)? {
            SqlType::Struct(fields) => {
                Ok(fields.into_iter().map(|field| Column::new(field.name, field.sql_type)).collect::<Vec<_>>())
            }
            _ => Err(DatagenError::NoRecord),
        };
        let (columns, declared) = (columns(Names::AsWritten)?, columns(Names::Upper)?);
        let serde = Serde { format: Format::Json, wrap_single: true };
        let decoder = decoder(&serde, &columns, &vec![true; columns.len()])?;
        let maker = Maker::new(schema::read(text)?, seed);
        Ok(Self { columns, declared, maker, decoder })
    }

    /// The columns: the fields of the schema, called as they are there.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The same columns as one declares them in SQL: called in capitals, as are the fields within.
    pub fn declared(&self) -> &[Column] {
        &self.declared
    }

    /// A row for each of `times`, milliseconds since 1970: those of the records that the rows are for.
    pub fn rows(&mut self, times: &[i64]) -> Rows {
        let mut texts = BinaryBuilder::new();
        let mut text = Vec::new();
        for time in times {
            text.clear();
            self.maker.row(*time, &mut text);
            texts.append_value(&text);
        }
        let texts = texts.finish();
        let decoded = self.decoder.decode(&texts);
        Rows { texts, columns: decoded.columns, errors: decoded.errors }
    }
}
