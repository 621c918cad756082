//! Columns to schemas, as ksqlDB registers them.
//!
//! ```text
//! columns, Side, SchemaStyle ── avro │ json_schema │ protobuf ──▶ text ──▶ SchemaDocument
//! ```

mod avro;
mod json_schema;
mod protobuf;

use crate::types::{Column, SqlType};

use super::{SchemaDocument, SchemaType};

/// Which part of a record a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The key.
    Key,
    /// The value.
    Value,
}

/// How Protobuf tells null from a default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullableRepresentation {
    /// Fields are `optional`.
    Optional,
    /// Fields are messages that wrap a value.
    Wrapper,
}

/// What somebody has said about the form of a schema.
#[derive(Debug, Clone, Copy, Default)]
pub struct SchemaStyle<'a> {
    /// Full name of the record or message.
    pub full_name: Option<&'a str>,
    /// How Protobuf tells null from a default value.
    pub nullable: Option<NullableRepresentation>,
}

/// The schema of records of `columns`. With `bare`, a single column stands alone. `source` is the name of the stream or
/// table.
pub fn write_schema(
    schema_type: SchemaType,
    columns: &[Column],
    bare: bool,
    side: Side,
    source: &str,
    style: SchemaStyle<'_>,
) -> SchemaDocument {
    let alone = match columns {
        [column] if bare => Some(&column.sql_type),
        _ => None,
    };
    let text = match schema_type {
        SchemaType::Avro => {
            let name = style.full_name.map_or_else(|| avro::record_name(side, source), str::to_owned);
            avro::write(columns, alone, &name).to_string()
        }
        SchemaType::Json => json_schema::write(columns, alone).to_string(),
        SchemaType::Protobuf => protobuf::write(columns, alone, style.full_name, style.nullable),
    };
    SchemaDocument::new(schema_type, text)
}

/// A column for every field of a struct.
fn columns_of(sql_type: &SqlType) -> Option<Vec<Column>> {
    match sql_type {
        SqlType::Struct(fields) => {
            Some(fields.iter().map(|field| Column::new(field.name.clone(), field.sql_type.clone())).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{MemoryRegistry, Names, read_type};
    use crate::types::StructField;

    fn every_type() -> Vec<Column> {
        let inner = SqlType::Struct(vec![StructField { name: "X".to_owned(), sql_type: SqlType::Date }]);
        let map = SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::Bigint));
        let types = [
            SqlType::Boolean,
            SqlType::Integer,
            SqlType::Bigint,
            SqlType::Double,
            SqlType::Decimal { precision: 6, scale: 2 },
            SqlType::String,
            SqlType::Bytes,
            SqlType::Date,
            SqlType::Time,
            SqlType::Timestamp,
            SqlType::Array(Box::new(SqlType::Integer)),
            SqlType::Array(Box::new(inner.clone())),
            map,
            inner,
        ];
        types.into_iter().enumerate().map(|(i, sql_type)| Column::new(format!("C{i}"), sql_type)).collect()
    }

    #[test]
    fn what_is_written_reads_as_the_same_columns() {
        for schema_type in [SchemaType::Avro, SchemaType::Json, SchemaType::Protobuf] {
            let columns = every_type();
            let schema = write_schema(schema_type, &columns, false, Side::Value, "S", SchemaStyle::default());
            let read = read_type(&schema, &MemoryRegistry::new(), None, Names::AsWritten);
            let read = read.unwrap_or_else(|error| panic!("{error}: {}", schema.text));
            assert_eq!(columns_of(&read), Some(columns), "{}", schema.text);
        }
    }

    #[test]
    fn a_single_column_can_stand_alone() {
        for schema_type in [SchemaType::Avro, SchemaType::Json] {
            for column in every_type() {
                let schema = write_schema(
                    schema_type,
                    std::slice::from_ref(&column),
                    true,
                    Side::Key,
                    "S",
                    SchemaStyle::default(),
                );
                let read = read_type(&schema, &MemoryRegistry::new(), None, Names::AsWritten);
                assert_eq!(read, Ok(column.sql_type), "{}", schema.text);
            }
        }
    }
}
