//! SQL types and the Arrow types that hold their values.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

/// A type of KSQL. `Display` prints it as ksqlDB does: `` ARRAY<STRUCT<`A` INTEGER>> ``.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// `BOOLEAN`
    Boolean,
    /// `INTEGER`: 32 bits, wraps on overflow as Java does
    Integer,
    /// `BIGINT`: 64 bits, wraps on overflow as Java does
    Bigint,
    /// `DOUBLE`: IEEE 754, 64 bits
    Double,
    /// `DECIMAL(precision, scale)`: exact; 128 bits up to 38 digits, 256 bits beyond
    Decimal {
        /// digits in all, 1 to [`SqlType::DECIMAL_DIGITS_MAX`]
        precision: u8,
        /// digits after the point, at most `precision`
        scale: u8,
    },
    /// `STRING` (`VARCHAR`)
    String,
    /// `BYTES`
    Bytes,
    /// `DATE`: days since 1970-01-01
    Date,
    /// `TIME`: milliseconds of the day
    Time,
    /// `TIMESTAMP`: milliseconds since 1970-01-01T00:00:00Z
    Timestamp,
    /// `ARRAY<element>`
    Array(Box<SqlType>),
    /// `MAP<key, value>`
    Map(Box<SqlType>, Box<SqlType>),
    /// `STRUCT<name type, …>`
    Struct(Vec<StructField>),
}

/// One field of a [`SqlType::Struct`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StructField {
    /// Field name as stored: upper case unless it was quoted.
    pub name: String,
    /// Field type.
    pub sql_type: SqlType,
}

impl SqlType {
    /// Digits of the largest DECIMAL: as many as 256 bits hold.
    pub const DECIMAL_DIGITS_MAX: u8 = 76;

    /// The Arrow type whose arrays hold values of this type. Every nested field is nullable.
    ///
    /// `ARRAY` → `List` (field `item`), `MAP` → `Map` (entries `key`, `value`, unsorted), `TIME` → `Time32(ms)`,
    /// `TIMESTAMP` → `Timestamp(ms)` without a zone, `DECIMAL` → `Decimal128` up to 38 digits, else `Decimal256`.
    pub fn arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int32,
            Self::Bigint => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } if *precision <= 38 => DataType::Decimal128(*precision, *scale as i8),
            Self::Decimal { precision, scale } => DataType::Decimal256(*precision, *scale as i8),
            Self::String => DataType::Utf8,
            Self::Bytes => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time32(TimeUnit::Millisecond),
            Self::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
            Self::Array(element) => DataType::List(Arc::new(Field::new_list_field(element.arrow(), true))),
            Self::Map(key, value) => {
                let entries =
                    Fields::from(vec![Field::new("key", key.arrow(), false), Field::new("value", value.arrow(), true)]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
            }
            Self::Struct(fields) => DataType::Struct(
                fields.iter().map(|field| Field::new(&field.name, field.sql_type.arrow(), true)).collect(),
            ),
        }
    }

    /// Whether values are numbers: INTEGER, BIGINT, DECIMAL or DOUBLE.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Integer | Self::Bigint | Self::Double | Self::Decimal { .. })
    }

    /// The name of the type without parameters: `ARRAY`, `DECIMAL`, `INTEGER`.
    pub fn base_name(&self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Integer => "INTEGER",
            Self::Bigint => "BIGINT",
            Self::Double => "DOUBLE",
            Self::Decimal { .. } => "DECIMAL",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Date => "DATE",
            Self::Time => "TIME",
            Self::Timestamp => "TIMESTAMP",
            Self::Array(_) => "ARRAY",
            Self::Map(..) => "MAP",
            Self::Struct(_) => "STRUCT",
        }
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Struct(fields) => {
                f.write_str("STRUCT<")?;
                for (i, field) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {}", field.name, field.sql_type)?;
                }
                f.write_str(">")
            }
            simple => f.write_str(simple.base_name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_types_as_ksqldb_does() {
        let nested = SqlType::Array(Box::new(SqlType::Struct(vec![
            StructField { name: "A".into(), sql_type: SqlType::Integer },
            StructField { name: "b".into(), sql_type: SqlType::Decimal { precision: 4, scale: 2 } },
        ])));
        assert_eq!(nested.to_string(), "ARRAY<STRUCT<`A` INTEGER, `b` DECIMAL(4, 2)>>");
        let map = SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::Bigint));
        assert_eq!(map.to_string(), "MAP<STRING, BIGINT>");
    }

    #[test]
    fn decimals_past_38_digits_take_256_bits() {
        let wide = SqlType::Decimal { precision: 39, scale: 2 };
        assert_eq!(wide.arrow(), DataType::Decimal256(39, 2));
    }
}
