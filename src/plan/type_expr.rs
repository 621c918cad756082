//! Written types to types.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::sql::Span;
use crate::sql::ast::{self, Identifier, PrimitiveType, TypeExpr};
use crate::types::{SqlType, StructField};

use super::error::{PlanError, PlanErrorKind, nearest_hint};

/// The type that `written` means; custom types are looked up in `catalog`.
pub fn resolve_type(written: &TypeExpr, catalog: &Catalog, span: Span) -> Result<SqlType, PlanError> {
    let resolve = |part: &TypeExpr| resolve_type(part, catalog, span);
    Ok(match written {
        TypeExpr::Primitive(primitive) => primitive_type(*primitive),
        TypeExpr::Decimal { precision, scale, span } => decimal(*precision, *scale, *span)?,
        TypeExpr::Array(element) => SqlType::Array(Box::new(resolve(element)?)),
        TypeExpr::Map { key, value } => SqlType::Map(Box::new(resolve(key)?), Box::new(resolve(value)?)),
        TypeExpr::Struct(fields) => {
            check_fields(fields, span)?;
            let fields = fields.iter().map(|field| {
                let sql_type = resolve(&field.data_type)?;
                Ok(StructField { name: field.name.name.clone(), sql_type })
            });
            SqlType::Struct(fields.collect::<Result<_, PlanError>>()?)
        }
        TypeExpr::Custom(name) => catalog.custom_type(name.as_str()).cloned().ok_or_else(|| {
            let hint = unknown_type_hint(name.as_str(), catalog);
            PlanError::at(PlanErrorKind::UnknownType { name: name.name.clone(), hint }, name.span).or_at(span)
        })?,
    })
}

/// What to write instead of a type called `name`: that of other systems has another name here, or a letter is wrong.
fn unknown_type_hint(name: &str, catalog: &Catalog) -> Option<String> {
    let here = match name.to_uppercase().as_str() {
        "TEXT" | "CHAR" | "NCHAR" | "NVARCHAR" | "CLOB" | "UUID" | "JSON" | "JSONB" => "STRING",
        "FLOAT" | "REAL" | "FLOAT4" | "FLOAT8" | "FLOAT64" => "DOUBLE",
        "TINYINT" | "SMALLINT" | "INT2" | "INT4" | "INT32" | "SHORT" => "INTEGER",
        "LONG" | "INT8" | "INT64" => "BIGINT",
        "NUMERIC" | "NUMBER" => "DECIMAL(digits, behind the point)",
        "BOOL" => "BOOLEAN",
        "DATETIME" | "TIMESTAMPTZ" => "TIMESTAMP",
        "BLOB" | "BYTEA" | "BINARY" | "VARBINARY" => "BYTES",
        "LIST" => "ARRAY<type>",
        "ROW" | "RECORD" => "STRUCT<name type, …>",
        _ => {
            let known = BUILT_IN.into_iter().chain(catalog.custom_types().map(|(name, _)| name));
            return nearest_hint(name, known);
        }
    };
    Some(format!("write {here}"))
}

/// Names of types that a slip may have meant.
const BUILT_IN: [&str; 13] = [
    "BOOLEAN",
    "INTEGER",
    "INT",
    "BIGINT",
    "DOUBLE",
    "DECIMAL",
    "STRING",
    "VARCHAR",
    "BYTES",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "STRUCT",
];

/// No two fields of a STRUCT have one name.
fn check_fields(fields: &[ast::StructField], span: Span) -> Result<(), PlanError> {
    let mut names = BTreeSet::new();
    match fields.iter().find(|field| !names.insert(field.name.as_str())) {
        None => Ok(()),
        Some(twice) => {
            let text = format!("Duplicate field names found in STRUCT: '{}'", twice.name.as_str());
            let error = PlanError::new(PlanErrorKind::Refused { text, hint: None });
            Err(error.or_at(twice.name.span).or_at(span))
        }
    }
}

/// How `sql_type` is written.
pub(super) fn written_type(sql_type: &SqlType) -> TypeExpr {
    let boxed = |sql_type: &SqlType| Box::new(written_type(sql_type));
    let primitive = |primitive| TypeExpr::Primitive(primitive);
    match sql_type {
        SqlType::Boolean => primitive(PrimitiveType::Boolean),
        SqlType::Integer => primitive(PrimitiveType::Integer),
        SqlType::Bigint => primitive(PrimitiveType::BigInt),
        SqlType::Double => primitive(PrimitiveType::Double),
        SqlType::String => primitive(PrimitiveType::String),
        SqlType::Bytes => primitive(PrimitiveType::Bytes),
        SqlType::Date => primitive(PrimitiveType::Date),
        SqlType::Time => primitive(PrimitiveType::Time),
        SqlType::Timestamp => primitive(PrimitiveType::Timestamp),
        SqlType::Decimal { precision, scale } => {
            TypeExpr::Decimal { precision: i32::from(*precision), scale: i32::from(*scale), span: Span::NONE }
        }
        SqlType::Array(element) => TypeExpr::Array(boxed(element)),
        SqlType::Map(key, value) => TypeExpr::Map { key: boxed(key), value: boxed(value) },
        SqlType::Struct(fields) => {
            let field = |field: &StructField| ast::StructField {
                name: Identifier::new(field.name.clone()),
                data_type: written_type(&field.sql_type),
            };
            TypeExpr::Struct(fields.iter().map(field).collect())
        }
    }
}

/// The type that a word of the language names.
pub fn primitive_type(primitive: PrimitiveType) -> SqlType {
    match primitive {
        PrimitiveType::Boolean => SqlType::Boolean,
        PrimitiveType::Integer => SqlType::Integer,
        PrimitiveType::BigInt => SqlType::Bigint,
        PrimitiveType::Double => SqlType::Double,
        PrimitiveType::String => SqlType::String,
        PrimitiveType::Bytes => SqlType::Bytes,
        PrimitiveType::Time => SqlType::Time,
        PrimitiveType::Date => SqlType::Date,
        PrimitiveType::Timestamp => SqlType::Timestamp,
    }
}

fn decimal(precision: i32, scale: i32, span: Span) -> Result<SqlType, PlanError> {
    let invalid = |reason: String| PlanError::at(PlanErrorKind::InvalidDecimal { reason }, span);
    if precision < 1 {
        return Err(invalid(format!("DECIMAL precision must be >= 1: DECIMAL({precision},{scale})")));
    }
    if scale < 0 {
        return Err(invalid(format!("DECIMAL scale must be >= 0: DECIMAL({precision},{scale})")));
    }
    if scale > precision {
        return Err(invalid(format!("DECIMAL precision must be >= scale: DECIMAL({precision},{scale})")));
    }
    if precision > i32::from(SqlType::DECIMAL_DIGITS_MAX) {
        let what = format!("DECIMAL of more than {} digits", SqlType::DECIMAL_DIGITS_MAX);
        return Err(PlanError::not_supported(what, span));
    }
    Ok(SqlType::Decimal { precision: precision as u8, scale: scale as u8 })
}
