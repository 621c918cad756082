//! Records of any registered schema as text, for people: as ksqlDB's PRINT shows them, or as JSON.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::avro;
use super::protobuf;
use super::schemas::split_id;
use crate::registry::avro::AvroSchema;
use crate::registry::protobuf::ProtobufSchema;
use crate::registry::{SchemaDocument, SchemaRegistry, SchemaType, referenced_texts};

/// Finds the schemas of records, and prints by them.
#[derive(Clone, Default)]
pub struct RecordTexts {
    registry: Option<Arc<dyn SchemaRegistry>>,
    schemas: HashMap<u32, Schema>,
    /// Ids that nobody knew when they were asked for last.
    absent: HashSet<u32>,
    /// Why the registry could not be asked when it was asked last.
    failure: Option<String>,
    as_json: bool,
}

/// A schema, as far as printing needs it.
#[derive(Clone)]
enum Schema {
    Avro(Arc<AvroSchema>),
    Protobuf(Arc<ProtobufSchema>),
    /// The records say all themselves.
    Json,
}

impl RecordTexts {
    /// Texts of records with schemas of `registry`; without one no record has a text.
    pub fn new(registry: Option<Arc<dyn SchemaRegistry>>) -> Self {
        Self { registry, ..Self::default() }
    }

    /// The same, where every record is one value of JSON, but for a text alone.
    #[must_use]
    pub fn as_json(self) -> Self {
        Self { as_json: true, ..self }
    }

    /// Asks again for the schemas that were not there, and a registry that did not answer.
    pub fn ask_again(&mut self) {
        self.absent.clear();
        self.failure = None;
    }

    /// Why the registry could not be asked, if it could not. It is not asked any more until [`RecordTexts::ask_again`].
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The language of the schema whose id `record` begins with, and the record by it as text; `None` where there is no such
    /// schema, or the bytes are not of it.
    pub fn text(&mut self, record: &[u8]) -> Option<(SchemaType, String)> {
        let (id, datum) = split_id(record).ok()?;
        match self.schema(id)? {
            Schema::Avro(schema) => {
                let text = if self.as_json { avro::json(&schema, datum) } else { avro::text(&schema, datum) };
                Some((SchemaType::Avro, text.ok()?))
            }
            Schema::Json => {
                let value: serde_json::Value = serde_json::from_slice(datum).ok()?;
                Some((SchemaType::Json, value.to_string()))
            }
            Schema::Protobuf(schema) => {
                let (header, message) = record.split_at(protobuf::header_length(record).ok()?);
                let (_, path) = protobuf::split_header(header).ok()?;
                let id = schema.at(&path)?;
                let text = if self.as_json {
                    protobuf::json(&schema, id, message).map(|value| value.to_string())
                } else {
                    protobuf::text(&schema, id, message)
                };
                Some((SchemaType::Protobuf, text.ok()?))
            }
        }
    }

    fn schema(&mut self, id: u32) -> Option<Schema> {
        if let Some(known) = self.schemas.get(&id) {
            return Some(known.clone());
        }
        if self.absent.contains(&id) {
            return None;
        }
        // Who does not answer is asked once at a time: each question may take long.
        let registry = self.registry.as_deref().filter(|_| self.failure.is_none())?;
        let read = match registry.by_id(id) {
            Ok(document) => document.and_then(|document| read(registry, &document)),
            Err(error) => {
                self.failure = Some(error.to_string());
                return None;
            }
        };
        let Some(schema) = read else {
            self.absent.insert(id);
            return None;
        };
        self.schemas.insert(id, schema.clone());
        Some(schema)
    }
}

/// The schema in `document`, if it can be read.
fn read(registry: &dyn SchemaRegistry, document: &SchemaDocument) -> Option<Schema> {
    let references = || referenced_texts(document, registry).ok();
    Some(match document.schema_type {
        SchemaType::Avro => Schema::Avro(Arc::new(AvroSchema::parse(&document.text, &references()?).ok()?)),
        SchemaType::Protobuf => Schema::Protobuf(Arc::new(ProtobufSchema::parse(&document.text, &references()?).ok()?)),
        SchemaType::Json => Schema::Json,
    })
}
