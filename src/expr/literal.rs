//! Constant values.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array,
    Int32Array, Int64Array, StringArray, Time32MillisecondArray, TimestampMillisecondArray, new_null_array,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType, i256,
};

use crate::types::SqlType;

/// A value of a simple type.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// NULL.
    Null,
    /// BOOLEAN
    Boolean(bool),
    /// INTEGER
    Integer(i32),
    /// BIGINT
    Bigint(i64),
    /// DOUBLE
    Double(f64),
    /// DECIMAL: digits without the point, precision and scale.
    Decimal(i256, u8, u8),
    /// STRING
    String(String),
    /// BYTES
    Bytes(Vec<u8>),
    /// DATE: days since 1970-01-01
    Date(i32),
    /// TIME: milliseconds of the day
    Time(i32),
    /// TIMESTAMP: milliseconds since the epoch
    Timestamp(i64),
}

impl Literal {
    /// Type of the value; `None` for NULL.
    pub fn sql_type(&self) -> Option<SqlType> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(_) => SqlType::Boolean,
            Self::Integer(_) => SqlType::Integer,
            Self::Bigint(_) => SqlType::Bigint,
            Self::Double(_) => SqlType::Double,
            Self::Decimal(_, precision, scale) => SqlType::Decimal { precision: *precision, scale: *scale },
            Self::String(_) => SqlType::String,
            Self::Bytes(_) => SqlType::Bytes,
            Self::Date(_) => SqlType::Date,
            Self::Time(_) => SqlType::Time,
            Self::Timestamp(_) => SqlType::Timestamp,
        })
    }

    /// DECIMAL from digits such as `-12.50`: precision is the number of digits (scale + 1 for values below one).
    pub fn decimal(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if digits.len() <= usize::from(digits.contains('.'))
            || !format!("{whole}{fraction}").bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let all = format!("{whole}{fraction}");
        let precision = if whole.is_empty() { fraction.len() + 1 } else { all.len() };
        let value = if all.is_empty() { i256::ZERO } else { i256::from_string(&all)? };
        let value = if negative { value.wrapping_neg() } else { value };
        let fits = precision <= usize::from(SqlType::DECIMAL_DIGITS_MAX);
        fits.then_some(Self::Decimal(value, precision as u8, fraction.len() as u8))
    }

    /// The number that `text` is, of the smallest type that holds it: INTEGER, BIGINT or DECIMAL. An exponent is
    /// multiplied out.
    pub fn number(text: &str) -> Option<Self> {
        /// What no decimal reaches.
        const EXPONENT_MAX: usize = 100;
        let text = text.trim();
        let text = text.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(text);
        if let Ok(number) = text.parse() {
            return Some(Self::Integer(number));
        }
        if let Ok(number) = text.parse() {
            return Some(Self::Bigint(number));
        }
        let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Self::decimal(text) };
        let exponent: i32 = exponent.parse().ok()?;
        let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let shift = usize::try_from(exponent.unsigned_abs()).ok().filter(|shift| *shift <= EXPONENT_MAX)?;
        if exponent >= 0 {
            let fraction = format!("{fraction:0<shift$}");
            let (more, fraction) = fraction.split_at_checked(shift)?;
            let point = if fraction.is_empty() { "" } else { "." };
            return Self::decimal(&format!("{sign}{whole}{more}{point}{fraction}"));
        }
        let whole = format!("{whole:0>width$}", width = shift + 1);
        let (whole, more) = whole.split_at_checked(whole.len() - shift)?;
        Self::decimal(&format!("{sign}{whole}.{more}{fraction}"))
    }

    /// The first value of `array`, which is of type `sql_type`. `None` for NULL, for nested types, and for doubles that no text
    /// in SQL says.
    pub fn of(array: &ArrayRef, sql_type: &SqlType) -> Option<Self> {
        if array.is_empty() || array.is_null(0) {
            return None;
        }
        Some(match sql_type {
            SqlType::Boolean => Self::Boolean(array.as_boolean_opt()?.value(0)),
            SqlType::Integer => Self::Integer(array.as_primitive_opt::<Int32Type>()?.value(0)),
            SqlType::Bigint => Self::Bigint(array.as_primitive_opt::<Int64Type>()?.value(0)),
            SqlType::Double => {
                Self::Double(Some(array.as_primitive_opt::<Float64Type>()?.value(0)).filter(|value| value.is_finite())?)
            }
            SqlType::Decimal { precision, scale } => {
                let digits = match array.as_primitive_opt::<Decimal128Type>() {
                    Some(narrow) => i256::from_i128(narrow.value(0)),
                    None => array.as_primitive_opt::<Decimal256Type>()?.value(0),
                };
                Self::Decimal(digits, *precision, *scale)
            }
            SqlType::String => Self::String(array.as_string_opt::<i32>()?.value(0).to_owned()),
            SqlType::Bytes => Self::Bytes(array.as_binary_opt::<i32>()?.value(0).to_owned()),
            SqlType::Date => Self::Date(array.as_primitive_opt::<Date32Type>()?.value(0)),
            SqlType::Time => Self::Time(array.as_primitive_opt::<Time32MillisecondType>()?.value(0)),
            SqlType::Timestamp => Self::Timestamp(array.as_primitive_opt::<TimestampMillisecondType>()?.value(0)),
            SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => return None,
        })
    }

    /// An array of this value alone.
    pub fn array(&self) -> ArrayRef {
        match self {
            Self::Null => new_null_array(&DataType::Null, 1),
            Self::Boolean(value) => Arc::new(BooleanArray::from(vec![*value])),
            Self::Integer(value) => Arc::new(Int32Array::from(vec![*value])),
            Self::Bigint(value) => Arc::new(Int64Array::from(vec![*value])),
            Self::Double(value) => Arc::new(Float64Array::from(vec![*value])),
            Self::Decimal(value, precision, scale) if *precision <= 38 => {
                let value = value.to_i128().unwrap_or_default();
                let data_type = DataType::Decimal128(*precision, *scale as i8);
                Arc::new(Decimal128Array::from(vec![value]).with_data_type(data_type))
            }
            Self::Decimal(value, precision, scale) => {
                let data_type = DataType::Decimal256(*precision, *scale as i8);
                Arc::new(Decimal256Array::from(vec![*value]).with_data_type(data_type))
            }
            Self::String(value) => Arc::new(StringArray::from(vec![value.as_str()])),
            Self::Bytes(value) => Arc::new(BinaryArray::from(vec![value.as_slice()])),
            Self::Date(value) => Arc::new(Date32Array::from(vec![*value])),
            Self::Time(value) => Arc::new(Time32MillisecondArray::from(vec![*value])),
            Self::Timestamp(value) => Arc::new(TimestampMillisecondArray::from(vec![*value])),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(sql_type) = self.sql_type() else { return f.write_str("null") };
        let mut text = Vec::new();
        crate::types::java_text::write_value(&mut text, &self.array(), 0, &sql_type);
        let text = String::from_utf8_lossy(&text);
        match self {
            Self::String(_) => write!(f, "'{}'", text.replace('\'', "''")),
            _ => f.write_str(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_smallest_type_that_holds_them() {
        let cases = [
            ("7", Some("INTEGER 7")),
            (" -7 ", Some("INTEGER -7")),
            ("3000000000", Some("BIGINT 3000000000")),
            ("1.50", Some("DECIMAL(3, 2) 1.50")),
            ("2e1", Some("DECIMAL(2, 0) 20")),
            ("-1.5E1", Some("DECIMAL(2, 0) -15")),
            ("1.25e1", Some("DECIMAL(3, 1) 12.5")),
            ("25e-3", Some("DECIMAL(4, 3) 0.025")),
            ("1e-2", Some("DECIMAL(3, 2) 0.01")),
            ("", None),
            ("ten", None),
            ("1e", None),
            ("1e999", None),
            ("--1", None),
            ("1.2.3", None),
            ("é1e5", None),
        ];
        for (text, expected) in cases {
            let shown = Literal::number(text).map(|number| {
                let sql_type = number.sql_type().map_or_else(String::new, |sql_type| sql_type.to_string());
                format!("{sql_type} {number}")
            });
            assert_eq!(shown.as_deref(), expected, "{text}");
        }
    }
}
