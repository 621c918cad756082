//! What a WITH clause says about the schema of a format that has one.

use crate::registry::SchemaStyle;

pub use crate::registry::NullableRepresentation;

/// Settings of formats whose bytes follow a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaSettings {
    /// Full name of the Avro record or Protobuf message.
    pub full_name: Option<String>,
    /// Id of the schema in Schema Registry; its names are taken as they are.
    pub schema_id: Option<u32>,
    /// How Protobuf tells null from a default value.
    pub nullable: Option<NullableRepresentation>,
}

impl SchemaSettings {
    /// What they say about a schema that is written.
    pub fn style(&self) -> SchemaStyle<'_> {
        SchemaStyle { full_name: self.full_name.as_deref(), nullable: self.nullable }
    }
}
