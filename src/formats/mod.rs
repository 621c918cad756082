//! Bytes to columns and back, one module per format.
//!
//! ```text
//! RecordChunk.keys, .values ── Decoder ──▶ one array per column, null rows, wrong rows
//!                           ◀── Encoder ──
//! ```
//!
//! A decoder reads each record once and appends straight to the columns it builds; nothing a record holds can stop a
//! batch: a row that is wrong is reported and null. Windowed keys are taken apart by [`windowed`] before they get here.

pub mod avro;
mod avro_names;
pub mod byte_reader;
pub mod debezium;
mod decimal_bytes;
mod delimited;
mod json;
mod json_sr;
mod kafka;
mod nested_cells;
mod nested_column;
mod none;
mod number_text;
pub mod protobuf;
mod record_check;
mod record_text;
mod rows;
mod scalar_cells;
mod scalar_column;
mod schema_settings;
mod schemas;
pub mod windowed;
mod writer_plans;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::buffer::BooleanBuffer;

use crate::registry::protobuf::{MessageId, ProtobufSchema};
use crate::registry::{self, SchemaType, write_schema};
use crate::types::{Column, RowError, SqlType};

use protobuf::{Framing, ProtobufDecoder, ProtobufEncoder};

pub use record_check::{RecordCheck, RecordRefusal};
pub use record_text::RecordTexts;
pub use schema_settings::{NullableRepresentation, SchemaSettings};
pub use schemas::{Schemas, Subject};

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
    /// Avro in the wire format of Schema Registry.
    Avro(SchemaSettings),
    /// JSON text in the wire format of Schema Registry.
    JsonSr(SchemaSettings),
    /// Protobuf in the wire format of Schema Registry.
    Protobuf(SchemaSettings),
    /// Protobuf messages and nothing before them.
    ProtobufNoSr(SchemaSettings),
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

    /// The id of a schema that stands in front of all bytes that are written.
    fn schema_id(&self) -> Option<u32> {
        None
    }
}

/// Which part of a record a format is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The key.
    Key,
    /// The value.
    Value,
}

/// Why a format cannot carry a schema.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    /// A type the format has no representation for.
    #[error("The '{format}' format does not support type '{sql_type}'")]
    UnsupportedType {
        /// Format name.
        format: &'static str,
        /// The type, without parameters.
        sql_type: &'static str,
    },
    /// As [`FormatError::UnsupportedType`], of a format that can hold several columns.
    #[error("The '{format}' format does not support type '{sql_type}', column: `{column}`")]
    UnsupportedColumn {
        /// Format name.
        format: &'static str,
        /// Column name.
        column: String,
        /// The type, without parameters.
        sql_type: &'static str,
    },
    /// A MAP whose keys are not text.
    #[error("{rule}. Got: MAP<{key}, {value}>")]
    MapKey {
        /// What the format says of maps.
        rule: &'static str,
        /// Type of the map's keys.
        key: String,
        /// Type of the map's values.
        value: String,
    },
    /// Nobody knows whether a topic takes the records.
    #[error("topic {topic} takes only records of registered schemas, and they cannot be asked for: {reason}")]
    Unchecked {
        /// The topic.
        topic: String,
        /// Why.
        reason: String,
    },
    /// More columns than the format can carry.
    #[error("The '{format}' format only supports a single field. Got: [{columns}]")]
    SingleColumn {
        /// Format name.
        format: &'static str,
        /// The columns, printed.
        columns: String,
    },
    /// Columns where there can be none.
    #[error("The '{format}' format can only be used when no columns are defined. Got: [{columns}]")]
    NoColumns {
        /// Format name.
        format: &'static str,
        /// The columns, printed.
        columns: String,
    },
    /// A name that Avro has no room for.
    #[error("Schema is not compatible with Avro: {reason}")]
    AvroName {
        /// What is wrong with it.
        reason: String,
    },
    /// A name or a type that Protobuf has no room for.
    #[error("Schema is not compatible with Protobuf: {reason}")]
    Protobuf {
        /// What is wrong with it.
        reason: String,
    },
    /// The schema of records cannot be had, or has no room for them.
    #[error("the schema of {subject} cannot be used: {reason}")]
    Schema {
        /// Where it is registered.
        subject: String,
        /// Why.
        reason: String,
    },
    /// A format that nothing reads or writes without a registry.
    #[error("the format {format} needs a schema registry")]
    NoCodec {
        /// Format name.
        format: &'static str,
    },
}

/// The decoder of `serde` for `columns`, of which only those set in `needed` are built (all are checked). Formats with
/// registered schemas have theirs from [`Schemas`].
pub fn decoder(serde: &Serde, columns: &[Column], needed: &[bool]) -> Result<Box<dyn Decoder>, FormatError> {
    serde.supports(columns, Side::Value)?;
    Ok(match (&serde.format, columns) {
        (Format::None, _) => Box::new(none::NoneCodec { always_null: true }),
        (Format::Avro(_) | Format::JsonSr(_) | Format::Protobuf(_), [_, ..]) => {
            return Err(FormatError::NoCodec { format: serde.format.name() });
        }
        (Format::ProtobufNoSr(settings), [_, ..]) => {
            let (schema, message) = own_message(settings, columns)?;
            Box::new(ProtobufDecoder::new(columns, needed, Framing::Bare(Box::new(schema), message)))
        }
        (Format::Json, _) => Box::new(json::JsonDecoder::new(columns, needed, serde.is_bare(columns))),
        (Format::Kafka, [column, ..]) => Box::new(kafka::KafkaDecoder::new(column, needed[0])),
        (Format::Delimited { delimiter }, [_, ..]) => {
            Box::new(delimited::DelimitedDecoder::new(columns, needed, *delimiter))
        }
        _ => Box::new(none::NoneCodec { always_null: false }),
    })
}

/// The encoder of `serde` for `columns`. Formats with registered schemas have theirs from [`Schemas`].
pub fn encoder(serde: &Serde, columns: &[Column]) -> Result<Box<dyn Encoder>, FormatError> {
    serde.supports(columns, Side::Value)?;
    Ok(match (&serde.format, columns) {
        (Format::Avro(_) | Format::JsonSr(_) | Format::Protobuf(_), [_, ..]) => {
            return Err(FormatError::NoCodec { format: serde.format.name() });
        }
        (Format::ProtobufNoSr(settings), [_, ..]) => {
            let (schema, message) = own_message(settings, columns)?;
            Box::new(ProtobufEncoder::new(columns, &schema, message, None).map_err(own_schema)?)
        }
        (Format::Json, _) => Box::new(json::JsonEncoder::new(columns, serde.is_bare(columns))),
        (Format::Kafka, [column, ..]) => Box::new(kafka::KafkaEncoder::new(column)),
        (Format::Delimited { delimiter }, [_, ..]) => Box::new(delimited::DelimitedEncoder::new(columns, *delimiter)),
        _ => Box::new(none::NoneCodec { always_null: true }),
    })
}

/// The text of the message that rows of `columns` are in an answer to who asks for Protobuf, and what writes them.
pub fn answer_encoder(columns: &[Column]) -> Result<(String, Box<dyn Encoder>), FormatError> {
    let settings = SchemaSettings::default();
    let text = write_schema(SchemaType::Protobuf, columns, false, registry::Side::Value, "", settings.style()).text;
    let (schema, message) = own_message(&settings, columns)?;
    let encoder = ProtobufEncoder::new(columns, &schema, message, None).map_err(own_schema)?;
    Ok((text, Box::new(encoder)))
}

/// The message that ksqlDB makes of `columns`.
fn own_message(settings: &SchemaSettings, columns: &[Column]) -> Result<(ProtobufSchema, MessageId), FormatError> {
    let written = write_schema(SchemaType::Protobuf, columns, false, registry::Side::Value, "", settings.style());
    let schema = ProtobufSchema::parse(&written.text, &[]).map_err(own_schema)?;
    let message = schema.select(None).map_err(|_| own_schema("it has no message".to_owned()))?;
    Ok((schema, message))
}

fn own_schema(reason: String) -> FormatError {
    FormatError::Schema { subject: "the columns".to_owned(), reason }
}

impl Serde {
    /// Whether the bytes are those of a single value, not of a record.
    fn is_bare(&self, columns: &[Column]) -> bool {
        columns.len() == 1 && !self.wrap_single
    }

    /// Whether bytes can be read and written only with a registry.
    pub fn needs_registry(&self) -> bool {
        self.format.infers_schemas()
    }

    /// What is read again where `values` of `columns`, `rows` of each, were written: Protobuf has default values instead of
    /// nulls, unless its fields tell them apart.
    pub fn read_back(
        &self,
        columns: &[Column],
        values: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<Vec<ArrayRef>, FormatError> {
        let (Format::Protobuf(settings) | Format::ProtobufNoSr(settings), [_, ..]) = (&self.format, columns) else {
            return Ok(values);
        };
        if settings.nullable.is_some() {
            return Ok(values);
        }
        let bare = Self { format: Format::ProtobufNoSr(SchemaSettings::default()), wrap_single: true };
        let encoded = encoder(&bare, columns)?.encode(&values, rows, None);
        // What cannot be written stays what it is.
        if !encoded.errors.is_empty() {
            return Ok(values);
        }
        Ok(decoder(&bare, columns, &vec![true; columns.len()])?.decode(&encoded.bytes).columns)
    }

    /// Whether the format can carry `columns` as that side of a record.
    pub fn supports(&self, columns: &[Column], side: Side) -> Result<(), FormatError> {
        match &self.format {
            Format::Avro(_) => avro_names::check(columns, self.is_bare(columns))?,
            Format::Protobuf(_) | Format::ProtobufNoSr(_) => protobuf::check(columns)?,
            format => format.supports(columns, side)?,
        }
        match self.format.map_rule() {
            Some(rule) => columns.iter().try_for_each(|column| text_map_keys(rule, &column.sql_type)),
            None => Ok(()),
        }
    }
}

impl Format {
    /// The name as in `VALUE_FORMAT`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Kafka => "KAFKA",
            Self::Delimited { .. } => "DELIMITED",
            Self::Json => "JSON",
            Self::Avro(_) => "AVRO",
            Self::JsonSr(_) => "JSON_SR",
            Self::Protobuf(_) => "PROTOBUF",
            Self::ProtobufNoSr(_) => "PROTOBUF_NOSR",
        }
    }

    /// All formats, by name, with nothing said of schemas and commas between DELIMITED values.
    pub fn all() -> [Self; 8] {
        let settings = SchemaSettings::default;
        [
            Self::Avro(settings()),
            Self::Delimited { delimiter: ',' },
            Self::Json,
            Self::JsonSr(settings()),
            Self::Kafka,
            Self::None,
            Self::Protobuf(settings()),
            Self::ProtobufNoSr(settings()),
        ]
    }

    /// The one of [`Format::all`] that is called `name`, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|format| format.name().eq_ignore_ascii_case(name))
    }

    /// Whether schemas are in Schema Registry, so that columns can be learnt from there.
    pub fn infers_schemas(&self) -> bool {
        matches!(self, Self::Avro(_) | Self::JsonSr(_) | Self::Protobuf(_))
    }

    /// What is said about the schema, for formats that have one.
    pub fn schema_settings(&self) -> Option<&SchemaSettings> {
        match self {
            Self::Avro(settings) | Self::JsonSr(settings) | Self::Protobuf(settings) | Self::ProtobufNoSr(settings) => {
                Some(settings)
            }
            _ => None,
        }
    }

    /// The format of what is made from records of this one: a schema's id and name stay behind.
    #[must_use]
    pub fn derived(mut self) -> Self {
        if let Self::Avro(settings) | Self::JsonSr(settings) | Self::Protobuf(settings) | Self::ProtobufNoSr(settings) =
            &mut self
        {
            *settings = SchemaSettings { nullable: settings.nullable, ..SchemaSettings::default() };
        }
        self
    }

    /// Whether a single column can be wrapped in a record.
    pub fn can_wrap(&self) -> bool {
        !matches!(self, Self::None | Self::Kafka | Self::Delimited { .. })
    }

    /// Whether a single column can stand alone.
    pub fn can_unwrap(&self) -> bool {
        !matches!(self, Self::Protobuf(_) | Self::ProtobufNoSr(_))
    }

    /// What the format says of maps whose keys are not text, if it holds maps.
    fn map_rule(&self) -> Option<&'static str> {
        match self {
            Self::None | Self::Kafka | Self::Delimited { .. } => None,
            Self::Json | Self::JsonSr(_) => Some("JSON only supports MAP types with STRING keys"),
            Self::Avro(_) => Some("Avro only supports MAPs with STRING keys"),
            Self::Protobuf(_) | Self::ProtobufNoSr(_) => {
                Some("PROTOBUF format only supports MAP types with STRING keys")
            }
        }
    }

    /// Whether flat formats can carry `columns`.
    fn supports(&self, columns: &[Column], side: Side) -> Result<(), FormatError> {
        let format = self.name();
        match self {
            Self::None if columns.is_empty() => Ok(()),
            Self::None => Err(FormatError::NoColumns { format, columns: printed(columns, side) }),
            Self::Kafka => match columns {
                [_, _, ..] => Err(FormatError::SingleColumn { format, columns: printed(columns, side) }),
                [column] if !kafka::supports(&column.sql_type) => {
                    Err(FormatError::UnsupportedType { format, sql_type: column.sql_type.base_name() })
                }
                _ => Ok(()),
            },
            Self::Delimited { .. } => {
                let nested = columns.iter().find(|column| {
                    matches!(column.sql_type, SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_))
                });
                nested.map_or(Ok(()), |column| {
                    let (column, sql_type) = (column.name.clone(), column.sql_type.base_name());
                    Err(FormatError::UnsupportedColumn { format, column, sql_type })
                })
            }
            _ => Ok(()),
        }
    }
}

/// Columns as ksqlDB lists them in messages.
pub fn printed(columns: &[Column], side: Side) -> String {
    let role = if side == Side::Key { " KEY" } else { "" };
    columns.iter().map(|column| format!("{column}{role}")).collect::<Vec<_>>().join(", ")
}

/// Checks that all maps within `sql_type` have text keys; `rule` is what the format says otherwise.
fn text_map_keys(rule: &'static str, sql_type: &SqlType) -> Result<(), FormatError> {
    match sql_type {
        SqlType::Array(element) => text_map_keys(rule, element),
        SqlType::Map(key, value) if **key != SqlType::String => {
            Err(FormatError::MapKey { rule, key: key.to_string(), value: value.to_string() })
        }
        SqlType::Map(_, value) => text_map_keys(rule, value),
        SqlType::Struct(fields) => fields.iter().try_for_each(|field| text_map_keys(rule, &field.sql_type)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &Format, types: &[SqlType], side: Side, expected: Result<(), &str>) {
        let column = |(at, sql_type): (usize, &SqlType)| Column::new(format!("C{at}"), sql_type.clone());
        let columns: Vec<Column> = types.iter().enumerate().map(column).collect();
        let serde = Serde { format: format.clone(), wrap_single: true };
        let found = serde.supports(&columns, side).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn formats_refuse_what_they_cannot_carry() {
        let list = SqlType::Array(Box::new(SqlType::Integer));
        let map = SqlType::Map(Box::new(SqlType::Integer), Box::new(SqlType::Double));
        let delimited = Format::Delimited { delimiter: ',' };

        check(&Format::None, &[], Side::Key, Ok(()));
        let text = "The 'NONE' format can only be used when no columns are defined. Got: [`C0` INTEGER KEY]";
        check(&Format::None, &[SqlType::Integer], Side::Key, Err(text));

        check(&Format::Kafka, &[SqlType::Double], Side::Value, Ok(()));
        check(
            &Format::Kafka,
            &[SqlType::Boolean],
            Side::Key,
            Err("The 'KAFKA' format does not support type 'BOOLEAN'"),
        );
        let text = "The 'KAFKA' format only supports a single field. Got: [`C0` INTEGER, `C1` STRING]";
        check(&Format::Kafka, &[SqlType::Integer, SqlType::String], Side::Value, Err(text));

        let text = "The 'DELIMITED' format does not support type 'ARRAY', column: `C1`";
        check(&delimited, &[SqlType::Integer, list.clone()], Side::Value, Err(text));

        check(&Format::Json, std::slice::from_ref(&list), Side::Value, Ok(()));
        let text = "JSON only supports MAP types with STRING keys. Got: MAP<INTEGER, DOUBLE>";
        let nested = SqlType::Array(Box::new(map.clone()));
        check(&Format::Json, std::slice::from_ref(&nested), Side::Value, Err(text));
        check(&Format::JsonSr(SchemaSettings::default()), &[nested], Side::Value, Err(text));
        let text = "Avro only supports MAPs with STRING keys. Got: MAP<INTEGER, DOUBLE>";
        check(&Format::Avro(SchemaSettings::default()), std::slice::from_ref(&map), Side::Value, Err(text));
        let text = "PROTOBUF format only supports MAP types with STRING keys. Got: MAP<INTEGER, DOUBLE>";
        check(&Format::ProtobufNoSr(SchemaSettings::default()), &[map], Side::Value, Err(text));
    }

    #[test]
    fn formats_that_need_a_registry_say_so() {
        let columns = [Column::new("A", SqlType::Integer)];
        let settings = SchemaSettings::default;
        for format in [Format::Protobuf(settings()), Format::JsonSr(settings()), Format::Avro(settings())] {
            let text = format!("the format {} needs a schema registry", format.name());
            let serde = Serde { format, wrap_single: true };
            let errors = [decoder(&serde, &columns, &[true]).err(), encoder(&serde, &columns).err()];
            assert_eq!(errors.map(|error| error.map(|error| error.to_string())), [Some(text.clone()), Some(text)]);
        }
    }

    #[test]
    fn what_protobuf_reads_back_has_no_nulls() {
        use arrow::array::{Array, Int32Array};
        let columns = [Column::new("A", SqlType::Integer)];
        let read_back = |nullable| {
            let settings = SchemaSettings { nullable, ..SchemaSettings::default() };
            let serde = Serde { format: Format::Protobuf(settings), wrap_single: true };
            let values: ArrayRef = std::sync::Arc::new(Int32Array::from(vec![None, Some(2)]));
            serde.read_back(&columns, vec![values], 2).expect("it holds them").remove(0)
        };
        assert_eq!(read_back(None).to_data(), Int32Array::from(vec![0, 2]).to_data());
        assert_eq!(read_back(Some(NullableRepresentation::Optional)).null_count(), 1);
    }

    #[test]
    fn sides_without_columns_have_no_bytes_that_matter() {
        let none = Serde { format: Format::None, wrap_single: false };
        let bytes = BinaryArray::from(vec![Some(&b"ignored"[..]), None]);
        let decoded = decoder(&none, &[], &[]).expect("no columns suit any format").decode(&bytes);
        assert_eq!(decoded.nulls, Some(BooleanBuffer::new_set(2)));
        let encoded = encoder(&none, &[]).expect("no columns suit any format").encode(&[], 2, None);
        assert_eq!(encoded.bytes, BinaryArray::from(vec![None::<&[u8]>; 2]));

        let kafka = Serde { format: Format::Kafka, wrap_single: false };
        let decoded = decoder(&kafka, &[], &[]).expect("no columns suit any format").decode(&bytes);
        assert_eq!(decoded.nulls, Some(BooleanBuffer::from(vec![false, true])));
    }
}
