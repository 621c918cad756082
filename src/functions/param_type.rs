//! Types of parameters: those of SQL, and what only functions have.

use std::fmt;

use crate::types::{SqlType, StructField};

/// What a parameter takes, or what a function gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamType {
    /// A type without parameters, or a DECIMAL of certain digits.
    Sql(SqlType),
    /// DECIMAL of any digits. As a result: the decimal that holds all decimal arguments.
    Decimal,
    /// ARRAY
    Array(Box<ParamType>),
    /// MAP
    Map(Box<ParamType>, Box<ParamType>),
    /// STRUCT with exactly these fields
    Struct(Vec<(String, ParamType)>),
    /// A letter that stands for one type within a call.
    Generic(char),
    /// Any type, each argument its own.
    Any,
    /// A unit of time: `DAYS`.
    IntervalUnit,
    /// `(T, U) => R`
    Lambda {
        /// What its parameters are.
        inputs: Vec<ParamType>,
        /// What it gives.
        output: Box<ParamType>,
    },
}

impl ParamType {
    /// How many generic and free places there are: the fewer, the better it fits.
    pub(super) fn looseness(&self) -> usize {
        match self {
            Self::Generic(_) | Self::Any => 1,
            Self::Array(element) => element.looseness(),
            Self::Map(key, value) => key.looseness() + value.looseness(),
            Self::Struct(fields) => fields.iter().map(|(_, field)| field.looseness()).sum(),
            Self::Sql(_) | Self::Decimal | Self::IntervalUnit | Self::Lambda { .. } => 0,
        }
    }
}

impl From<&SqlType> for ParamType {
    fn from(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::Array(element) => Self::Array(Box::new(Self::from(&**element))),
            SqlType::Map(key, value) => Self::Map(Box::new(Self::from(&**key)), Box::new(Self::from(&**value))),
            SqlType::Struct(fields) => {
                let field = |field: &StructField| (field.name.clone(), Self::from(&field.sql_type));
                Self::Struct(fields.iter().map(field).collect())
            }
            other => Self::Sql(other.clone()),
        }
    }
}

/// Prints types as DESCRIBE FUNCTION does: `INT`, `VARCHAR`, `ARRAY<T>`.
impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(SqlType::Integer) => f.write_str("INT"),
            Self::Sql(SqlType::String) => f.write_str("VARCHAR"),
            Self::Sql(other) => write!(f, "{other}"),
            Self::Decimal => f.write_str("DECIMAL"),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Struct(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, field)| format!("{name} {field}")).collect();
                write!(f, "STRUCT<{}>", fields.join(", "))
            }
            Self::Generic(letter) => write!(f, "{letter}"),
            Self::Any => f.write_str("ANY"),
            Self::IntervalUnit => f.write_str("INTERVALUNIT"),
            Self::Lambda { inputs, output } => {
                let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
                write!(f, "LAMBDA ({}) => {output}", inputs.join(", "))
            }
        }
    }
}
