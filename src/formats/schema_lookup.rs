//! Schemas by the ids that stand in front of records, as Schema Registry's serializers write them.
//!
//! ```text
//! record   0 (1 byte) ‖ id (4, big-endian) ‖ datum
//! ```

use std::sync::Arc;

/// The text of a schema, and of those that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaText {
    /// The schema.
    pub text: String,
    /// What it refers to, in the order in which it is read.
    pub references: Vec<String>,
}

/// Finds a schema by its id; `None` if there is none. The error says why nobody knows.
pub type SchemaLookup = Arc<dyn Fn(u32) -> Result<Option<SchemaText>, String> + Send + Sync>;

/// The byte that every record begins with.
const MAGIC: u8 = 0;

/// The id in front of a record, and its datum.
pub(super) fn split_id(record: &[u8]) -> Result<(u32, &[u8]), String> {
    match record.split_first_chunk::<5>() {
        Some(([MAGIC, id @ ..], datum)) => Ok((u32::from_be_bytes(*id), datum)),
        _ => Err("the bytes do not begin with the id of a schema".to_owned()),
    }
}

/// Writes what stands in front of a datum.
pub(super) fn write_id(out: &mut Vec<u8>, id: u32) {
    out.push(MAGIC);
    out.extend_from_slice(&id.to_be_bytes());
}
