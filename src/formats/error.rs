//! Why a format cannot be used.

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
