//! Which types the generics of a variation stand for in a call.

use std::collections::BTreeMap;

use super::{Argument, ParamType, Returns, Variation};
use crate::types::{SqlType, StructField};

/// What generics stand for so far, and the decimals seen.
#[derive(Debug, Clone, Default)]
pub struct Binding {
    generics: BTreeMap<char, SqlType>,
    decimal: Option<(u8, u8)>,
}

impl Binding {
    /// Whether `param_type` takes a value of `sql_type`; generics that are free are bound by it. With `casts`, numbers
    /// are taken where larger ones are wanted, and texts where times are.
    pub fn accepts(&mut self, param_type: &ParamType, sql_type: &SqlType, casts: bool) -> bool {
        match (param_type, sql_type) {
            (ParamType::Any, _) => true,
            (ParamType::Generic(letter), _) => match self.generics.get(letter) {
                Some(bound) => bound == sql_type,
                None => {
                    self.generics.insert(*letter, sql_type.clone());
                    true
                }
            },
            (ParamType::Sql(wanted), _) => wanted == sql_type || (casts && is_converted(sql_type, wanted)),
            (ParamType::Decimal, SqlType::Decimal { precision, scale }) => self.add_decimal(*precision, *scale),
            (ParamType::Decimal, SqlType::Integer) if casts => self.add_decimal(10, 0),
            (ParamType::Decimal, SqlType::Bigint) if casts => self.add_decimal(19, 0),
            (ParamType::Array(element), SqlType::Array(found)) => self.accepts(element, found, false),
            (ParamType::Map(key, value), SqlType::Map(found_key, found)) => {
                self.accepts(key, found_key, false) && self.accepts(value, found, false)
            }
            (ParamType::Struct(fields), SqlType::Struct(found)) => {
                fields.len() == found.len()
                    && fields.iter().zip(found).all(|((name, field), found)| {
                        *name == found.name && self.accepts(field, &found.sql_type, false)
                    })
            }
            _ => false,
        }
    }

    /// Notes a decimal; the result is the one that holds all.
    fn add_decimal(&mut self, precision: u8, scale: u8) -> bool {
        let (p, s) = self.decimal.unwrap_or((precision, scale));
        let common = s.max(scale);
        self.decimal = Some(((p - s).max(precision - scale) + common, common));
        true
    }

    /// The type that `param_type` stands for; `None` while something in it is free.
    pub fn sql_type(&self, param_type: &ParamType) -> Option<SqlType> {
        Some(match param_type {
            ParamType::Sql(sql_type) => sql_type.clone(),
            ParamType::Decimal => {
                let (precision, scale) = self.decimal?;
                // As where numbers are added: a value that has more digits has no place.
                SqlType::Decimal { precision: precision.min(SqlType::DECIMAL_DIGITS_MAX), scale }
            }
            ParamType::Array(element) => SqlType::Array(Box::new(self.sql_type(element)?)),
            ParamType::Map(key, value) => SqlType::Map(Box::new(self.sql_type(key)?), Box::new(self.sql_type(value)?)),
            ParamType::Struct(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| Some(StructField { name: name.clone(), sql_type: self.sql_type(field)? }));
                SqlType::Struct(fields.collect::<Option<_>>()?)
            }
            ParamType::Generic(letter) => self.generics.get(letter)?.clone(),
            ParamType::Any | ParamType::IntervalUnit | ParamType::Lambda { .. } => return None,
        })
    }

    /// Type of the result of `variation` over `arguments`; `None` where they do not say.
    pub fn result(&self, variation: &Variation, arguments: &[Argument]) -> Option<SqlType> {
        match &variation.returns {
            Returns::Type(param_type) => self.sql_type(param_type),
            Returns::Computed { compute, .. } => {
                let types: Vec<Option<SqlType>> = arguments.iter().map(Argument::sql_type).collect();
                compute(&types)
            }
        }
    }
}

/// Whether a value of type `from` is converted to `to` by itself; decimals are where no digit can be lost.
fn is_converted(from: &SqlType, to: &SqlType) -> bool {
    if *from == SqlType::String {
        return matches!(to, SqlType::Date | SqlType::Time | SqlType::Timestamp);
    }
    if let (SqlType::Decimal { precision: p, scale: s }, SqlType::Decimal { precision, scale }) = (from, to) {
        return scale >= s && precision - scale >= p - s;
    }
    let rank = |sql_type: &SqlType| match sql_type {
        SqlType::Integer => Some(0),
        SqlType::Bigint => Some(1),
        SqlType::Decimal { .. } => Some(2),
        SqlType::Double => Some(3),
        _ => None,
    };
    matches!((rank(from), rank(to)), (Some(from), Some(to)) if from < to)
}
