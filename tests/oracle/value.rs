//! Values of SQL, and their bytes in the two formats that cases use.

use std::fmt::Write as _;

/// A SQL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    Int,
    BigInt,
    Double,
    Text,
    Boolean,
}

impl SqlType {
    /// As SQL writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "INT",
            Self::BigInt => "BIGINT",
            Self::Double => "DOUBLE",
            Self::Text => "STRING",
            Self::Boolean => "BOOLEAN",
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::BigInt | Self::Double)
    }
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Int(i32),
    BigInt(i64),
    Double(f64),
    Text(String),
    Boolean(bool),
}

impl Value {
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The number as a DOUBLE.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(f64::from(*number)),
            Self::BigInt(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            Self::Null | Self::Text(_) | Self::Boolean(_) => None,
        }
    }

    /// The whole number as a BIGINT.
    pub fn as_bigint(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(*number)),
            Self::BigInt(number) => Some(*number),
            _ => None,
        }
    }

    /// As JSON writes it, and SQL too but for text. Numbers of cases are small enough for Java to need no exponent.
    pub fn json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::BigInt(number) => number.to_string(),
            Self::Double(number) => format!("{number:?}"),
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::Boolean(flag) => flag.to_string(),
        }
    }

    /// As SQL writes it.
    pub fn sql(&self) -> String {
        match self {
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            other => other.json(),
        }
    }
}

/// How keys are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFormat {
    Kafka,
    Json,
}

impl KeyFormat {
    /// As SQL writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "KAFKA",
            Self::Json => "JSON",
        }
    }

    /// The bytes of a key with columns `names`. A key of one column stands alone; a lone null is no key.
    pub fn encode(self, names: &[String], key: &[Value]) -> Option<Vec<u8>> {
        match (self, key) {
            (_, [] | [Value::Null]) => None,
            (Self::Kafka, [value]) => Some(kafka_bytes(value)),
            (Self::Json, [value]) => Some(value.json().into_bytes()),
            (_, values) => Some(json_object(names, values)),
        }
    }
}

/// What the bytes of a key are ordered by: names come in the same places in all keys.
pub fn key_order(format: KeyFormat, key: &[Value]) -> Option<Vec<u8>> {
    let names: Vec<String> = (0..key.len()).map(|index| format!("K{index}")).collect();
    format.encode(&names, key)
}

/// Kafka's own serializers: big-endian numbers, plain text.
fn kafka_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Int(number) => number.to_be_bytes().to_vec(),
        Value::BigInt(number) => number.to_be_bytes().to_vec(),
        Value::Double(number) => number.to_be_bytes().to_vec(),
        Value::Text(text) => text.clone().into_bytes(),
        Value::Null | Value::Boolean(_) => panic!("the KAFKA format does not hold {value:?}"),
    }
}

/// A JSON object of columns `names`.
pub fn json_object(names: &[String], values: &[Value]) -> Vec<u8> {
    let mut text = String::from("{");
    for (index, (name, value)) in names.iter().zip(values).enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}\"{name}\":{}", value.json()).expect("text can be appended to");
    }
    text.push('}');
    text.into_bytes()
}
