//! Records of cases between JSON and bytes, by the formats that the statements declare on their topics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::driver::SourceInfo;
use super::super::windowed_key::{self, Window};
use super::case::{CaseRecord, CaseWindow, WindowFamily};
use super::{avro, connect_json, json, protobuf};
use crate::formats::avro::Cursor;
use crate::formats::byte_reader::{ByteReader, unzigzag, write_varint, zigzag};
use crate::formats::{Format, SchemaSettings, Serde};
use crate::registry::avro::AvroSchema;
use crate::registry::json_schema::JsonSchema;
use crate::registry::protobuf::ProtobufSchema;
use crate::registry::{
    SchemaDocument, SchemaRegistry, SchemaType, Side, key_subject, referenced_texts, references_of, value_subject,
    write_schema,
};
use crate::testing::driver::TestRecord;
use crate::testing::kafka_bytes;
use crate::types::{Column, Header, SqlType, StructField, WindowKind};

/// The record to append for `record`, whose topic holds the records of `source`.
pub fn to_bytes(
    record: &CaseRecord,
    source: Option<&SourceInfo>,
    registry: &dyn SchemaRegistry,
) -> Result<TestRecord, String> {
    let (key, value) = match source {
        Some(source) => {
            let side = |serde, subject| Origin { serde, registry, subject };
            let key = side(&source.key_serde, key_subject(&record.topic));
            let value = side(&source.value_serde, value_subject(&record.topic));
            (key.encode(&record.key, &source.schema.key), value.encode(&record.value, &source.schema.value))
        }
        None => (Ok(plain(&record.key)), Ok(plain(&record.value))),
    };
    let key = key.map_err(|reason| format!("input key: {reason}"))?;
    let kind = source.and_then(|source| source.window);
    Ok(TestRecord {
        partition: None,
        key: key.map(|key| with_window(key, record.window, kind)),
        value: value.map_err(|reason| format!("input value: {reason}"))?,
        timestamp: record.timestamp.unwrap_or(0),
        headers: record.headers.iter().flatten().map(header).collect::<Result<_, _>>()?,
    })
}

fn header(case: &super::case::CaseHeader) -> Result<Header, String> {
    let bytes = |text: &String| STANDARD.decode(text).map_err(|_| format!("header {}: no base64: {text}", case.key));
    Ok(Header { key: case.key.clone(), value: case.value.as_ref().map(bytes).transpose()? })
}

fn with_window(key: Vec<u8>, window: Option<CaseWindow>, kind: Option<WindowKind>) -> Vec<u8> {
    let Some(window) = window else { return key };
    let kind = match (window.family, kind) {
        (WindowFamily::Session, _) => WindowKind::Session,
        (WindowFamily::Time, Some(kind @ WindowKind::Time { .. })) => kind,
        (WindowFamily::Time, _) => WindowKind::Time { size_ms: window.end - window.start },
    };
    windowed_key::join(key, Window { start: window.start, end: window.end }, kind)
}

/// One side of the records of a topic.
struct Origin<'a> {
    serde: &'a Serde,
    registry: &'a dyn SchemaRegistry,
    subject: String,
}

impl Origin<'_> {
    fn encode(&self, json: &Value, columns: &[Column]) -> Result<Option<Vec<u8>>, String> {
        if json.is_null() {
            return Ok(None);
        }
        let settings = self.serde.format.schema_settings();
        let full_name = settings.and_then(|settings| settings.full_name.as_deref());
        let mut bytes = Vec::new();
        match &self.serde.format {
            Format::None => return Ok(None),
            Format::Json => return Ok(Some(json.to_string().into_bytes())),
            Format::Delimited { .. } => return Ok(plain(json)),
            Format::Kafka => {
                return kafka_bytes::encode(&json::text(json), columns.first().map(|column| &column.sql_type))
                    .map(Some);
            }
            Format::Avro(_) => {
                let document = self.latest(&mut bytes)?;
                let schema = avro_schema(&document, self.registry)?;
                avro::encode(&mut bytes, &schema, schema.root(), json)?;
            }
            Format::JsonSr(_) => {
                let document = self.latest(&mut bytes)?;
                let schema = json_schema(&document, self.registry)?;
                bytes
                    .extend_from_slice(connect_json::to_document(&schema, schema.root(), json)?.to_string().as_bytes());
            }
            Format::Protobuf(_) => {
                let document = self.latest(&mut bytes)?;
                let schema = protobuf_schema(&document, self.registry)?;
                let message = schema.select(full_name).map_err(|known| format!("the schema has {known:?}"))?;
                // The long form of the place, which readers must take as well as the short one.
                let path = &schema.message(message).path;
                write_varint(&mut bytes, zigzag(path.len() as i64));
                path.iter().for_each(|index| write_varint(&mut bytes, zigzag(i64::from(*index))));
                protobuf::encode(&mut bytes, &schema, message, json)?;
            }
            Format::ProtobufNoSr(settings) => {
                protobuf::encode(&mut bytes, &own_protobuf(settings, columns)?, 0, json)?;
            }
        }
        Ok(Some(bytes))
    }

    /// The latest schema of the subject; its id goes to `bytes`.
    fn latest(&self, bytes: &mut Vec<u8>) -> Result<SchemaDocument, String> {
        let latest = self.registry.latest(&self.subject).map_err(|error| error.to_string())?;
        let latest = latest.ok_or_else(|| format!("there is no schema for {}", self.subject))?;
        bytes.push(0);
        bytes.extend_from_slice(&latest.id.to_be_bytes());
        Ok(latest.schema)
    }
}

/// The schema by whose id `bytes` begin, and what is behind it.
fn split_schema<'a>(bytes: &'a [u8], registry: &dyn SchemaRegistry) -> Result<(SchemaDocument, &'a [u8]), String> {
    let Some(([0, id @ ..], datum)) = bytes.split_first_chunk::<5>() else {
        return Err("the bytes do not begin with the id of a schema".to_owned());
    };
    let document = registry.by_id(u32::from_be_bytes(*id)).map_err(|error| error.to_string())?;
    Ok((document.ok_or("the schema is not registered")?, datum))
}

/// Avro behind the id of its schema.
fn decode_avro(bytes: &[u8], registry: &dyn SchemaRegistry) -> Result<Value, String> {
    let (document, datum) = split_schema(bytes, registry)?;
    let schema = avro_schema(&document, registry)?;
    let mut cursor = Cursor::new(datum);
    let value = avro::decode(&mut cursor, &schema, schema.root())?;
    if cursor.is_at_end() { Ok(value) } else { Err("bytes are left over".to_owned()) }
}

/// JSON behind the id of its schema.
fn decode_json_sr(bytes: &[u8], registry: &dyn SchemaRegistry) -> Result<Value, String> {
    let (document, datum) = split_schema(bytes, registry)?;
    let schema = json_schema(&document, registry)?;
    let json: Value = serde_json::from_slice(datum).map_err(|error| format!("no JSON: {error}"))?;
    connect_json::from_document(&schema, schema.root(), &json)
}

/// A message behind the id of its schema and its place there.
fn decode_protobuf(bytes: &[u8], registry: &dyn SchemaRegistry) -> Result<Value, String> {
    let (document, datum) = split_schema(bytes, registry)?;
    let schema = protobuf_schema(&document, registry)?;
    let mut reader = ByteReader::new(datum);
    let mut number = || reader.varint().map(unzigzag).map_err(|fault| fault.to_string());
    let mut path = Vec::new();
    for _ in 0..number()? {
        path.push(number()? as u32);
    }
    let message = schema.at(if path.is_empty() { &[0] } else { &path });
    protobuf::decode(reader.rest(), &schema, message.ok_or("there is no such message")?)
}

fn avro_schema(document: &SchemaDocument, registry: &dyn SchemaRegistry) -> Result<AvroSchema, String> {
    let references = referenced_texts(document, registry).map_err(|error| error.to_string())?;
    AvroSchema::parse(&document.text, &references)
}

fn json_schema(document: &SchemaDocument, registry: &dyn SchemaRegistry) -> Result<JsonSchema, String> {
    JsonSchema::parse(&document.text, &references_of(document, registry).map_err(|error| error.to_string())?)
}

fn protobuf_schema(document: &SchemaDocument, registry: &dyn SchemaRegistry) -> Result<ProtobufSchema, String> {
    ProtobufSchema::parse(&document.text, &referenced_texts(document, registry).map_err(|error| error.to_string())?)
}

/// The schema that ksqlDB makes of `columns`.
fn own_protobuf(settings: &SchemaSettings, columns: &[Column]) -> Result<ProtobufSchema, String> {
    let written = write_schema(SchemaType::Protobuf, columns, false, Side::Value, "", settings.style());
    ProtobufSchema::parse(&written.text, &[])
}

/// The characters of a string, the text of anything else.
fn plain(json: &Value) -> Option<Vec<u8>> {
    match json {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

/// One side of a record, ready to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparable {
    /// What it holds.
    pub json: Value,
    /// Its type, which says which numbers are doubles.
    pub sql_type: Option<SqlType>,
}

/// A key and its window, ready to be compared.
pub fn comparable_key(
    bytes: Option<&[u8]>,
    source: Option<&SourceInfo>,
    registry: &dyn SchemaRegistry,
) -> Result<(Comparable, Option<Window>), String> {
    let kind = source.and_then(|source| source.window);
    let (bytes, window) = match (bytes, kind) {
        (Some(bytes), Some(kind)) => {
            let (key, window) = windowed_key::split(bytes, kind).ok_or("the key is too short for a window")?;
            (Some(key), Some(window))
        }
        (bytes, _) => (bytes, None),
    };
    let key = match source {
        Some(source) => decode(bytes, &source.key_serde, &source.schema.key, registry)?,
        None => undeclared(bytes),
    };
    Ok((key, window))
}

/// A value, ready to be compared.
pub fn comparable_value(
    bytes: Option<&[u8]>,
    source: Option<&SourceInfo>,
    registry: &dyn SchemaRegistry,
) -> Result<Comparable, String> {
    match source {
        Some(source) => decode(bytes, &source.value_serde, &source.schema.value, registry),
        None => Ok(undeclared(bytes)),
    }
}

fn undeclared(bytes: Option<&[u8]>) -> Comparable {
    let json = bytes.map_or(Value::Null, |bytes| {
        serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
    });
    Comparable { json, sql_type: None }
}

fn decode(
    bytes: Option<&[u8]>,
    serde: &Serde,
    columns: &[Column],
    registry: &dyn SchemaRegistry,
) -> Result<Comparable, String> {
    let sql_type = side_type(serde, columns);
    let Some(bytes) = bytes else { return Ok(Comparable { json: Value::Null, sql_type }) };
    let text = || String::from_utf8_lossy(bytes).into_owned();
    let json = match &serde.format {
        Format::None => return Err(format!("bytes where the format NONE writes none: {}", text())),
        Format::Json => serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}: {}", text()))?,
        Format::Delimited { .. } => return Ok(Comparable { json: text().into(), sql_type: None }),
        Format::Kafka => primitive_json(bytes, columns.first().map(|column| &column.sql_type))?,
        Format::Avro(_) => decode_avro(bytes, registry)?,
        Format::JsonSr(_) => decode_json_sr(bytes, registry)?,
        Format::Protobuf(_) => decode_protobuf(bytes, registry)?,
        Format::ProtobufNoSr(settings) => protobuf::decode(bytes, &own_protobuf(settings, columns)?, 0)?,
    };
    Ok(Comparable { json, sql_type })
}

/// Type of a whole side: its only column, where that stands alone, or a struct of all columns.
fn side_type(serde: &Serde, columns: &[Column]) -> Option<SqlType> {
    match columns {
        [] => None,
        [column] if !serde.wrap_single || serde.format == Format::Kafka => Some(column.sql_type.clone()),
        columns => {
            let field = |column: &Column| StructField { name: column.name.clone(), sql_type: column.sql_type.clone() };
            Some(SqlType::Struct(columns.iter().map(field).collect()))
        }
    }
}

fn primitive_json(bytes: &[u8], sql_type: Option<&SqlType>) -> Result<Value, String> {
    let length =
        || format!("{} bytes where {} was written", bytes.len(), sql_type.map_or("nothing", SqlType::base_name));
    Ok(match sql_type {
        Some(SqlType::Integer) => i32::from_be_bytes(bytes.try_into().map_err(|_| length())?).into(),
        Some(SqlType::Bigint) => i64::from_be_bytes(bytes.try_into().map_err(|_| length())?).into(),
        Some(SqlType::Double) => f64::from_be_bytes(bytes.try_into().map_err(|_| length())?).into(),
        _ => String::from_utf8_lossy(bytes).into_owned().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::MemoryRegistry;

    fn check(json: &str, serde: &Serde, sql_type: SqlType, bytes: &[u8], expected: &str) {
        let columns = [Column::new("K", sql_type)];
        let json: Value = serde_json::from_str(json).expect("JSON");
        let registry = MemoryRegistry::new();
        let origin = Origin { serde, registry: &registry, subject: String::new() };
        assert_eq!(origin.encode(&json, &columns).expect("fits").as_deref(), Some(bytes), "{json}");
        assert_eq!(
            decode(Some(bytes), serde, &columns, &MemoryRegistry::new()).expect("fits").json.to_string(),
            expected
        );
    }

    #[test]
    fn bytes_follow_the_declared_format() {
        let kafka = Serde { format: Format::Kafka, wrap_single: false };
        check("7", &kafka, SqlType::Integer, &[0, 0, 0, 7], "7");
        check("\"7\"", &kafka, SqlType::Bigint, &[0, 0, 0, 0, 0, 0, 0, 7], "7");
        check("1.5", &kafka, SqlType::Double, &1.5_f64.to_be_bytes(), "1.5");
        check("\"x y\"", &kafka, SqlType::String, b"x y", "\"x y\"");
        let json = Serde { format: Format::Json, wrap_single: true };
        check(r#"{"K":1.10}"#, &json, SqlType::Double, br#"{"K":1.10}"#, r#"{"K":1.10}"#);
        let delimited = Serde { format: Format::Delimited { delimiter: ',' }, wrap_single: true };
        check("\"1,2\"", &delimited, SqlType::String, b"1,2", "\"1,2\"");
    }

    #[test]
    fn wrong_bytes_are_named() {
        let kafka = Serde { format: Format::Kafka, wrap_single: false };
        let error = decode(Some(b"abc"), &kafka, &[Column::new("K", SqlType::Integer)], &MemoryRegistry::new())
            .expect_err("three bytes");
        assert_eq!(error, "3 bytes where INTEGER was written");
    }
}
