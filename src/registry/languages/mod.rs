//! Schemas of any language as a registry sees them: texts that are checked, have one form, and are compared with each other.
//!
//! ```text
//! text ── parse ──▶ ParsedSchema ── canonical_text ──▶ what is kept, and found again
//!                        │
//!        new and old ── faults, at a Compatibility ──▶ why readers of one cannot read what the other wrote
//! ```

mod avro;
mod json_schema;
mod protobuf;

use self::avro::AvroSchema;
use self::json_schema::JsonSchema;
use self::protobuf::ProtobufFile;
use super::compatibility::{Compatibility, Fault, Sides};
use super::{Reference, SchemaType};

/// A schema whose text was read.
#[derive(Debug)]
pub(super) enum ParsedSchema {
    Avro(AvroSchema),
    Json(JsonSchema),
    Protobuf(ProtobufFile),
}

impl ParsedSchema {
    /// Reads `text`, which may name `references`; one that `is_new` is checked for more than those that are there already.
    pub(super) fn parse(
        schema_type: SchemaType,
        text: &str,
        references: &[Reference],
        is_new: bool,
    ) -> Result<Self, String> {
        Ok(match schema_type {
            SchemaType::Avro => {
                let texts: Vec<String> = references.iter().map(|(_, text)| text.clone()).collect();
                Self::Avro(AvroSchema::parse(text, &texts, is_new)?)
            }
            SchemaType::Json => Self::Json(JsonSchema::parse(text, references)?),
            SchemaType::Protobuf => Self::Protobuf(ProtobufFile::parse(text, references)?),
        })
    }

    /// The text under which it is stored: that of all schemas that differ in form only; with `normalize`, also those that
    /// differ in the order of what has none.
    pub(super) fn canonical_text(&self, normalize: bool) -> String {
        match self {
            Self::Avro(schema) => schema.canonical_text(normalize),
            Self::Json(schema) => schema.canonical_text(normalize),
            Self::Protobuf(file) => file.canonical_text(),
        }
    }

    /// The schema of a Protobuf file as a serialized descriptor; others have none.
    pub(super) fn serialized(&self) -> Option<String> {
        match self {
            Self::Protobuf(file) => Some(file.serialized()),
            Self::Avro(_) | Self::Json(_) => None,
        }
    }

    /// Why this schema cannot follow `old` at `level`; nothing if it can.
    pub(super) fn faults(&self, old: &Self, level: Compatibility) -> Vec<Fault> {
        let mut faults = Vec::new();
        if level.is_backward() {
            faults.extend(read_faults(self, old, Sides::BACKWARD));
        }
        if level.is_forward() {
            faults.extend(read_faults(old, self, Sides::FORWARD));
        }
        faults
    }
}

fn read_faults(reader: &ParsedSchema, writer: &ParsedSchema, sides: Sides) -> Vec<Fault> {
    match (reader, writer) {
        (ParsedSchema::Avro(reader), ParsedSchema::Avro(writer)) => avro::read_faults(reader, writer, sides),
        (ParsedSchema::Json(reader), ParsedSchema::Json(writer)) => json_schema::read_faults(reader, writer, sides),
        (ParsedSchema::Protobuf(reader), ParsedSchema::Protobuf(writer)) => {
            protobuf::read_faults(reader, writer, sides)
        }
        _ => vec![Fault {
            kind: "SCHEMA_TYPE_CHANGED",
            path: "/".to_owned(),
            description: "the new schema is of another language than the old one".to_owned(),
            info: String::new(),
        }],
    }
}
