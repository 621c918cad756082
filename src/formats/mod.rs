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
mod error;
mod extents;
mod format;
mod json;
mod json_sr;
mod kafka;
mod nested_cells;
mod nested_column;
mod none;
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
use crate::types::{Column, RowError};

use protobuf::{Framing, ProtobufDecoder, ProtobufEncoder};

pub use error::FormatError;
pub use format::{Format, Serde, Side, printed};
pub use record_check::{RecordCheck, RecordRefusal};
pub use record_text::RecordTexts;
pub use schema_settings::{NullableRepresentation, SchemaSettings};
pub use schemas::{Schemas, Subject};

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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::SqlType;

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
