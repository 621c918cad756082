//! The common type of values that stand beside each other: IN, ARRAY[] and MAP() (ksqldb-surface 2.2).
//!
//! It is that of the first value that is not NULL, widened by the others: numbers to larger ones, structs by fields that
//! they lack. A literal may stand for a value of another type: any for its text, and a text for what can be read from it.
//! Constructors are looked into, so the same holds for the literals in `ARRAY['1', 2]`.

use std::fmt::Display;

use super::build::Operand;
use super::cast::{can_cast, is_boolean_text};
use super::number_type::wider_number;
use super::{Expr, ExprKind, Literal, TypeError};
use crate::types::{SqlType, StructField};

/// `elements` converted to their common type. Where none has a type, the message names `what` they were to be and calls
/// them `plural`.
pub(super) fn elements(
    elements: Vec<Operand>,
    what: &'static str,
    plural: &'static str,
) -> Result<(Vec<Expr>, SqlType), TypeError> {
    let first = elements.iter().find_map(|(element, _)| element.sql_type().cloned());
    let first = first.ok_or(TypeError::NoElementType { what, elements: plural })?;
    let common = elements.iter().try_fold(first, |common, element| with(&common, element))?;
    Ok((elements.into_iter().map(|(element, _)| element.fitted(&common)).collect(), common))
}

/// `common` widened so that it holds `element` too.
pub(super) fn with(common: &SqlType, (element, text): &Operand) -> Result<SqlType, TypeError> {
    widened(common, element).map_err(|mismatch| match mismatch {
        Mismatch::Type => TypeError::NoCommonType {
            left: common.to_string(),
            right: element.sql_type().map_or_else(|| "null".to_owned(), ToString::to_string),
            value: format!(" ({})", text as &dyn Display),
        },
        Mismatch::Text { sql_type, text } => TypeError::InvalidText { sql_type: sql_type.to_string(), text },
    })
}

/// Why there is no common type.
enum Mismatch {
    /// The types have none.
    Type,
    /// The text of a literal is no value of the type.
    Text { sql_type: SqlType, text: String },
}

fn widened(common: &SqlType, element: &Expr) -> Result<SqlType, Mismatch> {
    match (common, &element.kind) {
        (_, ExprKind::Literal(literal)) => with_literal(common, literal),
        (SqlType::Array(inner), ExprKind::MakeArray(elements)) => Ok(SqlType::Array(Box::new(
            elements.iter().try_fold((**inner).clone(), |inner, one| widened(&inner, one))?,
        ))),
        (SqlType::Map(key, value), ExprKind::MakeMap(entries)) => {
            let (mut key, mut value) = ((**key).clone(), (**value).clone());
            for (one_key, one_value) in entries {
                key = widened(&key, one_key)?;
                value = widened(&value, one_value)?;
            }
            Ok(SqlType::Map(Box::new(key), Box::new(value)))
        }
        (SqlType::Struct(fields), ExprKind::MakeStruct(values)) => {
            let mut fields = fields.clone();
            for (name, value) in values {
                match fields.iter_mut().find(|field| field.name == *name) {
                    Some(field) => field.sql_type = widened(&field.sql_type, value)?,
                    None => {
                        let sql_type = value.sql_type().cloned().ok_or(Mismatch::Type)?;
                        fields.push(StructField { name: name.clone(), sql_type });
                    }
                }
            }
            Ok(SqlType::Struct(fields))
        }
        _ => match element.sql_type() {
            Some(sql_type) => wider(common, sql_type).ok_or(Mismatch::Type),
            None => Ok(common.clone()),
        },
    }
}

fn with_literal(common: &SqlType, literal: &Literal) -> Result<SqlType, Mismatch> {
    match (common, literal) {
        (_, Literal::Null) | (SqlType::String, _) => Ok(common.clone()),
        (_, Literal::String(text)) => with_text(common, text),
        _ => literal.sql_type().and_then(|sql_type| wider(common, &sql_type)).ok_or(Mismatch::Type),
    }
}

/// `common` widened so that it holds what is read from `text`.
fn with_text(common: &SqlType, text: &str) -> Result<SqlType, Mismatch> {
    let unreadable = || Mismatch::Text { sql_type: common.clone(), text: text.to_owned() };
    match common {
        SqlType::Boolean if is_boolean_text(text) => Ok(SqlType::Boolean),
        SqlType::Boolean => Err(unreadable()),
        number if number.is_numeric() => {
            let read = Literal::number(text).and_then(|literal| literal.sql_type());
            read.and_then(|read| wider_number(number, &read)).ok_or_else(unreadable)
        }
        other if can_cast(&SqlType::String, other) => {
            let read = Expr::literal(Literal::String(text.to_owned())).converted(other).constant();
            match read {
                Ok(value) if value.null_count() == 0 => Ok(other.clone()),
                _ => Err(unreadable()),
            }
        }
        _ => Err(Mismatch::Type),
    }
}

/// The type that holds all values of two types.
fn wider(left: &SqlType, right: &SqlType) -> Option<SqlType> {
    Some(match (left, right) {
        (left, right) if left == right => left.clone(),
        (SqlType::Array(left), SqlType::Array(right)) => SqlType::Array(Box::new(wider(left, right)?)),
        (SqlType::Map(left_key, left), SqlType::Map(right_key, right)) => {
            SqlType::Map(Box::new(wider(left_key, right_key)?), Box::new(wider(left, right)?))
        }
        (SqlType::Struct(left), SqlType::Struct(right)) => {
            let mut fields = left.clone();
            for other in right {
                match fields.iter_mut().find(|field| field.name == other.name) {
                    Some(field) => field.sql_type = wider(&field.sql_type, &other.sql_type)?,
                    None => fields.push(other.clone()),
                }
            }
            SqlType::Struct(fields)
        }
        _ => wider_number(left, right)?,
    })
}

impl Expr {
    /// This value as one of type `to`, which was widened by it: literals are read, constructors rebuilt, anything else is
    /// converted.
    pub(super) fn fitted(self, to: &SqlType) -> Self {
        if self.sql_type() == Some(to) {
            return self;
        }
        let kind = match (self.kind, to) {
            (ExprKind::Literal(Literal::String(text)), to) if to.is_numeric() => {
                let number = Literal::number(&text).unwrap_or(Literal::Null);
                return Self::literal(number).converted(to);
            }
            (ExprKind::MakeArray(elements), SqlType::Array(inner)) => {
                ExprKind::MakeArray(elements.into_iter().map(|element| element.fitted(inner)).collect())
            }
            (ExprKind::MakeMap(entries), SqlType::Map(key, value)) => ExprKind::MakeMap(
                entries.into_iter().map(|(one_key, one)| (one_key.fitted(key), one.fitted(value))).collect(),
            ),
            (ExprKind::MakeStruct(mut values), SqlType::Struct(fields)) => {
                let fields = fields.iter().map(|field| {
                    let found = values.iter().position(|(name, _)| *name == field.name);
                    let value = found.map_or_else(|| Self::literal(Literal::Null), |index| values.swap_remove(index).1);
                    (field.name.clone(), value.fitted(&field.sql_type))
                });
                ExprKind::MakeStruct(fields.collect())
            }
            (kind, to) => return Self { kind, sql_type: self.sql_type }.converted(to),
        };
        Self::new(kind, to.clone())
    }
}
