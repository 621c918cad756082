//! Schema Registry: schemas by subject, version and id, and what they mean in SQL.
//!
//! ```text
//! subject <topic>-key, <topic>-value ── versions ──▶ ids ──▶ SchemaDocument ── read ──▶ SqlType
//!                                                                         ◀── write ── columns
//! ```
//!
//! A schema has one id wherever it is registered, and a subject has versions of schemas. The types that a schema stands for
//! are those that Kafka Connect's converters give it, since other tools of a cluster see the same.

pub mod avro;
mod client;
mod compatibility;
mod embedded;
pub mod json_schema;
mod languages;
mod memory;
pub mod protobuf;
mod read;
mod references;
mod server;
mod trial;
mod watched;
mod write;

pub use client::RemoteRegistry;
pub use compatibility::Compatibility;
pub use embedded::{Config, EmbeddedRegistry, Mode, Refusal, Registration, SubjectVersion, VersionId};
pub use memory::MemoryRegistry;
pub use read::{Names, SchemaError, read_type};
pub use references::{Reference, ReferenceError, referenced_texts, references_of};
pub use server::{Access, AccessError, Now, ServeError, serve, serve_to};
pub use trial::TrialRegistry;
pub use watched::{Outage, WatchedRegistry};
pub use write::{NullableRepresentation, SchemaStyle, Side, write_schema};

/// Language of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaType {
    /// Avro.
    Avro,
    /// JSON Schema.
    Json,
    /// Protobuf.
    Protobuf,
}

impl SchemaType {
    /// The language that the registry calls `word`.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Avro, Self::Json, Self::Protobuf].into_iter().find(|schema_type| schema_type.name() == word)
    }

    /// The word that the registry uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }
}

/// A schema as it is written, with what it refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaDocument {
    /// Its language.
    pub schema_type: SchemaType,
    /// Its text.
    pub text: String,
    /// Other schemas that the text names.
    pub references: Vec<SchemaReference>,
}

impl SchemaDocument {
    /// A schema that refers to no other.
    pub fn new(schema_type: SchemaType, text: impl Into<String>) -> Self {
        Self { schema_type, text: text.into(), references: Vec::new() }
    }
}

/// A schema that another one names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaReference {
    /// The name in the other's text: a type of Avro, an import of Protobuf, a `$ref` of JSON Schema.
    pub name: String,
    /// Its subject.
    pub subject: String,
    /// Its version there.
    pub version: u32,
}

/// A schema with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// The id that stands in front of every record.
    pub id: u32,
    /// The schema.
    pub schema: SchemaDocument,
}

/// Why the registry has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The schema does not fit those that are registered.
    #[error("the schema cannot be registered under the subject '{subject}': {reason}\nnew schema: {schema}")]
    Refused {
        /// The subject.
        subject: String,
        /// Why, with the schema that it does not fit.
        reason: String,
        /// The text of the schema.
        schema: String,
    },
    /// The subject stays.
    #[error("the subject '{subject}' cannot be deleted: {reason}")]
    NotDeleted {
        /// The subject.
        subject: String,
        /// Why.
        reason: String,
    },
    /// The registry does not let us ask.
    #[error("{reason}")]
    Denied {
        /// Why.
        reason: String,
    },
    /// The registry cannot be asked.
    #[error("{reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// A Schema Registry.
pub trait SchemaRegistry: Send + Sync {
    /// The latest version of `subject`.
    fn latest(&self, subject: &str) -> Result<Option<RegisteredSchema>, RegistryError>;

    /// A version of `subject`.
    fn version(&self, subject: &str, version: u32) -> Result<Option<RegisteredSchema>, RegistryError>;

    /// The schema with this id.
    fn by_id(&self, id: u32) -> Result<Option<SchemaDocument>, RegistryError>;

    /// The subjects that have the schema with this id as a version, in order.
    fn subjects_of(&self, id: u32) -> Result<Vec<String>, RegistryError>;

    /// Adds `schema` to `subject`, unless it is there; returns its id.
    fn register(&self, subject: &str, schema: &SchemaDocument) -> Result<u32, RegistryError>;

    /// All subjects, in order.
    fn subjects(&self) -> Result<Vec<String>, RegistryError>;

    /// Deletes `subject`; false if it was not there. Ids of its schemas still lead to them.
    fn delete_subject(&self, subject: &str) -> Result<bool, RegistryError>;
}

/// The subject of the keys of `topic`.
pub fn key_subject(topic: &str) -> String {
    format!("{topic}-key")
}

/// The subject of the values of `topic`.
pub fn value_subject(topic: &str) -> String {
    format!("{topic}-value")
}
