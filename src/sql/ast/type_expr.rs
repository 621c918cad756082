//! Types as they are written: nothing is looked up, so names of custom types stay names.

use super::super::span::Span;
use super::Identifier;

/// A type in a column definition, a CAST or CREATE TYPE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeExpr {
    /// A type that every catalog knows.
    Primitive(PrimitiveType),
    /// `DECIMAL(precision, scale)`; the numbers are as written, unchecked.
    Decimal {
        /// Number of digits.
        precision: i32,
        /// Digits after the point.
        scale: i32,
        /// Where the type stands.
        span: Span,
    },
    /// `ARRAY<element>` or `element ARRAY`.
    Array(Box<TypeExpr>),
    /// `MAP<key, value>`.
    Map {
        /// Type of the keys.
        key: Box<TypeExpr>,
        /// Type of the values.
        value: Box<TypeExpr>,
    },
    /// `STRUCT<name type, …>`, possibly without fields.
    Struct(Vec<StructField>),
    /// Any other name: a custom type, if the catalog has it.
    Custom(Identifier),
}

/// One field of a [`TypeExpr::Struct`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructField {
    /// Name, with the case rules of columns.
    pub name: Identifier,
    /// Type.
    pub data_type: TypeExpr,
}

/// The types with a fixed name. Their synonyms (INT, VARCHAR) are the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrimitiveType {
    /// BOOLEAN.
    Boolean,
    /// INTEGER or INT, 32 bit.
    Integer,
    /// BIGINT, 64 bit.
    BigInt,
    /// DOUBLE.
    Double,
    /// STRING or VARCHAR, with or without a length (which is ignored).
    String,
    /// BYTES.
    Bytes,
    /// TIME of day.
    Time,
    /// DATE.
    Date,
    /// TIMESTAMP.
    Timestamp,
}

impl PrimitiveType {
    /// The type with this (upper-case) name, if there is one.
    pub fn named(name: &str) -> Option<PrimitiveType> {
        Some(match name {
            "BOOLEAN" => PrimitiveType::Boolean,
            "INTEGER" | "INT" => PrimitiveType::Integer,
            "BIGINT" => PrimitiveType::BigInt,
            "DOUBLE" => PrimitiveType::Double,
            "STRING" | "VARCHAR" => PrimitiveType::String,
            "BYTES" => PrimitiveType::Bytes,
            "TIME" => PrimitiveType::Time,
            "DATE" => PrimitiveType::Date,
            "TIMESTAMP" => PrimitiveType::Timestamp,
            _ => return None,
        })
    }

    /// The name it is printed with.
    pub fn name(self) -> &'static str {
        match self {
            PrimitiveType::Boolean => "BOOLEAN",
            PrimitiveType::Integer => "INTEGER",
            PrimitiveType::BigInt => "BIGINT",
            PrimitiveType::Double => "DOUBLE",
            PrimitiveType::String => "STRING",
            PrimitiveType::Bytes => "BYTES",
            PrimitiveType::Time => "TIME",
            PrimitiveType::Date => "DATE",
            PrimitiveType::Timestamp => "TIMESTAMP",
        }
    }
}
