//! The formats: what they are called, and which columns they can carry.

use super::{FormatError, SchemaSettings, avro_names, kafka, protobuf};
use crate::types::{Column, SqlType};

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

/// Which part of a record a format is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl Serde {
    /// Whether the bytes are those of a single value, not of a record.
    pub(super) fn is_bare(&self, columns: &[Column]) -> bool {
        columns.len() == 1 && !self.wrap_single
    }

    /// Whether bytes can be read and written only with a registry.
    pub fn needs_registry(&self) -> bool {
        self.format.infers_schemas()
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
}
