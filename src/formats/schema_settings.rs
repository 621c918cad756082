//! What a WITH clause says about the schema of a format that has one.

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

/// How Protobuf tells null from a default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullableRepresentation {
    /// Fields are `optional`.
    Optional,
    /// Fields are messages that wrap a value.
    Wrapper,
}
