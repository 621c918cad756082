//! Bytes to columns and back, one module per format.

pub mod windowed;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::buffer::BooleanBuffer;

use crate::types::{Column, RowError};

/// A serialization format of keys or values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// No bytes at all: every key is null.
    None,
    /// Kafka's own primitive serializers: one column of INTEGER, BIGINT, DOUBLE, STRING or BYTES.
    Kafka,
    /// CSV text.
    Delimited {
        /// Field separator, one character.
        delimiter: char,
    },
    /// JSON text.
    Json,
}

/// How one side of a topic (key or value) is laid out in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serde {
    /// The format.
    pub format: Format,
    /// Whether a single column is wrapped in a record (`{"A": 1}`) or stands alone (`1`). Only for one column; several
    /// columns are always wrapped.
    pub wrap_single: bool,
}

/// Columns decoded from one chunk.
#[derive(Debug)]
pub struct Decoded {
    /// One array per declared column, `len` rows each. Columns that were not needed are all null.
    pub columns: Vec<ArrayRef>,
    /// Rows that are null as a whole: null bytes, or what the format writes for null. `None` when there is none.
    pub nulls: Option<BooleanBuffer>,
    /// Rows that could not be decoded, ascending; their columns are null.
    pub errors: Vec<RowError>,
}

/// Turns bytes into columns. Built once per schema; keeps buffers between calls.
pub trait Decoder: Send {
    /// Decodes every row of `bytes`.
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded;
}

/// Bytes encoded from columns.
#[derive(Debug)]
pub struct Encoded {
    /// One value per row; null where the row is null as a whole or failed.
    pub bytes: BinaryArray,
    /// Rows that could not be encoded, ascending.
    pub errors: Vec<RowError>,
}

/// Turns columns into bytes. Built once per schema.
pub trait Encoder: Send {
    /// Encodes `rows` rows of `columns`; rows set in `nulls` become null bytes.
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded;
}

/// Why a format cannot carry a schema.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    /// A type the format has no representation for.
    #[error("The '{format}' format does not support type '{sql_type}'. Column: '{column}'")]
    UnsupportedType {
        /// Format name.
        format: &'static str,
        /// Column name.
        column: String,
        /// The type.
        sql_type: String,
    },
    /// More columns than the format can carry.
    #[error("The '{format}' format only supports a single field. Got: {columns}")]
    SingleColumn {
        /// Format name.
        format: &'static str,
        /// The columns, printed.
        columns: String,
    },
}

/// The decoder of `serde` for `columns`, of which only those set in `needed` are built (all are checked).
pub fn decoder(serde: &Serde, columns: &[Column], needed: &[bool]) -> Result<Box<dyn Decoder>, FormatError> {
    let _ = (columns, needed);
    Err(FormatError::SingleColumn { format: serde.format.name(), columns: String::new() })
}

/// The encoder of `serde` for `columns`.
pub fn encoder(serde: &Serde, columns: &[Column]) -> Result<Box<dyn Encoder>, FormatError> {
    let _ = columns;
    Err(FormatError::SingleColumn { format: serde.format.name(), columns: String::new() })
}

impl Format {
    /// The name as in `VALUE_FORMAT`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Kafka => "KAFKA",
            Self::Delimited { .. } => "DELIMITED",
            Self::Json => "JSON",
        }
    }
}
