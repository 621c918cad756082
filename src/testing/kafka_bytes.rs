//! Bytes of Kafka's own serializers, as cases and specs write them: as text.

use crate::types::SqlType;

/// The bytes of a value of `sql_type` whose text is `text`.
pub fn encode(text: &str, sql_type: Option<&SqlType>) -> Result<Vec<u8>, String> {
    let wrong = |name: &str| format!("{text} is no {name}");
    Ok(match sql_type {
        Some(SqlType::Integer) => text.parse::<i32>().map_err(|_| wrong("INTEGER"))?.to_be_bytes().to_vec(),
        Some(SqlType::Bigint) => text.parse::<i64>().map_err(|_| wrong("BIGINT"))?.to_be_bytes().to_vec(),
        Some(SqlType::Double) => text.parse::<f64>().map_err(|_| wrong("DOUBLE"))?.to_be_bytes().to_vec(),
        _ => text.as_bytes().to_vec(),
    })
}
