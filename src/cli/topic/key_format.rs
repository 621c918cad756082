//! How the text of a key becomes bytes, and bytes become text.

use serde_json::Value;

use super::hex;

/// How keys are stored: what `KEY_FORMAT` and the key's type in SQL must agree with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KeyFormat {
    /// The text as it is (KEY_FORMAT='KAFKA', STRING)
    #[value(name = "kafka:string")]
    KafkaString,
    /// 4 bytes (KEY_FORMAT='KAFKA', INTEGER)
    #[value(name = "kafka:int")]
    KafkaInt,
    /// 8 bytes (KEY_FORMAT='KAFKA', BIGINT)
    #[value(name = "kafka:bigint")]
    KafkaBigint,
    /// 8 bytes (KEY_FORMAT='KAFKA', DOUBLE)
    #[value(name = "kafka:double")]
    KafkaDouble,
    /// JSON text (KEY_FORMAT='JSON')
    #[value(name = "json")]
    Json,
    /// The bytes themselves, as digits: 0x00ff
    #[value(name = "hex")]
    Hex,
}

impl KeyFormat {
    /// The bytes of a key written as `text`. JSON is taken as it is; what is no JSON becomes a JSON string.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        let invalid = |sql_type| format!("key '{text}' is not of type {sql_type}");
        match self {
            Self::KafkaString => Ok(text.as_bytes().to_vec()),
            Self::KafkaInt => big_endian(text.parse().map(i32::to_be_bytes)).ok_or_else(|| invalid("INTEGER")),
            Self::KafkaBigint => big_endian(text.parse().map(i64::to_be_bytes)).ok_or_else(|| invalid("BIGINT")),
            Self::KafkaDouble => big_endian(text.parse().map(f64::to_be_bytes)).ok_or_else(|| invalid("DOUBLE")),
            Self::Json if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => Ok(text.as_bytes().to_vec()),
            Self::Json => Ok(Value::from(text).to_string().into_bytes()),
            Self::Hex => {
                hex::bytes(text.as_bytes()).ok_or_else(|| format!("key '{text}' is not of digits such as 0x00ff"))
            }
        }
    }

    /// The bytes of a key given as a JSON value; `None` for null.
    pub(super) fn encode_value(self, value: &Value) -> Result<Option<Vec<u8>>, String> {
        match (self, value) {
            (_, Value::Null) => Ok(None),
            (Self::Json, value) => Ok(Some(value.to_string().into_bytes())),
            (format, Value::String(text)) => format.encode(text).map(Some),
            (format, value) => format.encode(&value.to_string()).map(Some),
        }
    }

    /// The key as text, if `bytes` are of this format.
    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::KafkaString | Self::Json => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::KafkaInt => Some(i32::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Self::KafkaBigint => Some(i64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Self::Hex => Some(hex::digits(bytes)),
            Self::KafkaDouble => Some(ryu::Buffer::new().format(f64::from_be_bytes(bytes.try_into().ok()?)).to_owned()),
        }
    }

    /// The format's `KEY_FORMAT` and the SQL type of a key in it; no type where any will do.
    pub(super) fn in_sql(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::KafkaString => ("KAFKA", Some("STRING")),
            Self::KafkaInt => ("KAFKA", Some("INT")),
            Self::KafkaBigint => ("KAFKA", Some("BIGINT")),
            Self::KafkaDouble => ("KAFKA", Some("DOUBLE")),
            Self::Json => ("JSON", None),
            Self::Hex => ("KAFKA", Some("BYTES")),
        }
    }
}

fn big_endian<const N: usize, E>(bytes: Result<[u8; N], E>) -> Option<Vec<u8>> {
    bytes.ok().map(|bytes| bytes.to_vec())
}

/// `bytes` for a person: as `format` says; without a format or with other bytes the text they are, or else their
/// digits, `0x00ff`.
pub(super) fn shown(bytes: &[u8], format: Option<KeyFormat>) -> String {
    if let Some(text) = format.and_then(|format| format.decode(bytes)) {
        return text;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if format.is_none() && !text.contains('\0') => text.to_owned(),
        _ => hex::digits(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_bytes() {
        let check = |format: KeyFormat, text: &str, expected: &[u8]| {
            assert_eq!(format.encode(text).as_deref(), Ok(expected), "{text}");
        };
        check(KeyFormat::KafkaString, "12", b"12");
        check(KeyFormat::KafkaInt, "-2", &[0xff, 0xff, 0xff, 0xfe]);
        check(KeyFormat::KafkaBigint, "258", &[0, 0, 0, 0, 0, 0, 1, 2]);
        check(KeyFormat::KafkaDouble, "1.0", &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
        check(KeyFormat::Hex, "0x0aFF", &[10, 255]);
        check(KeyFormat::Json, "12", b"12");
        check(KeyFormat::Json, "{\"a\": 1}", b"{\"a\": 1}");
        check(KeyFormat::Json, "a\"b", b"\"a\\\"b\"");
    }

    #[test]
    fn texts_of_another_type_are_refused() {
        let error = KeyFormat::KafkaInt.encode("3000000000").expect_err("more than 32 bits");
        assert_eq!(error, "key '3000000000' is not of type INTEGER");
        assert!(KeyFormat::KafkaBigint.encode("1.5").is_err());
        assert_eq!(KeyFormat::Hex.encode("0x1"), Err("key '0x1' is not of digits such as 0x00ff".to_owned()));
        assert!(KeyFormat::KafkaDouble.encode("x").is_err());
    }

    #[test]
    fn json_values_become_bytes() {
        let check = |format: KeyFormat, json: &str, expected: Option<&[u8]>| {
            let value: Value = serde_json::from_str(json).expect("the specs write JSON");
            assert_eq!(format.encode_value(&value).expect("it fits").as_deref(), expected, "{json}");
        };
        check(KeyFormat::KafkaString, "\"UA\"", Some(b"UA"));
        check(KeyFormat::KafkaString, "12.50", Some(b"12.50"));
        check(KeyFormat::KafkaInt, "\"7\"", Some(&[0, 0, 0, 7]));
        check(KeyFormat::Json, "\"UA\"", Some(b"\"UA\""));
        check(KeyFormat::KafkaBigint, "null", None);
    }

    #[test]
    fn bytes_are_shown() {
        let check = |bytes: &[u8], format, expected: &str| assert_eq!(shown(bytes, format), expected);
        check(b"UA", None, "UA");
        check(&[0, 0, 0, 7], None, "0x00000007");
        check(&[0xff], None, "0xff");
        check(&[0, 0, 0, 7], Some(KeyFormat::KafkaInt), "7");
        check(&[0, 7], Some(KeyFormat::KafkaInt), "0x0007");
        check(b"UA", Some(KeyFormat::Hex), "0x5541");
        check(&1.5_f64.to_be_bytes(), Some(KeyFormat::KafkaDouble), "1.5");
    }
}
