//! JSON behind the id of its schema: the schema says in which of several forms values are written.

use arrow::array::BinaryArray;
use serde_json::Value;

use crate::formats::json::{Dialect, JsonDecoder};
use crate::formats::schemas::{SchemaLookup, no_schema, split_id};
use crate::formats::writer_plans::{Found, WriterPlans};
use crate::formats::{Decoded, Decoder};
use crate::registry::json_schema::{DECIMAL, JsonSchema, noted};
use crate::types::Column;

/// Decodes JSON by Connect's rules.
pub(in crate::formats) struct JsonSrDecoder {
    json: JsonDecoder,
    schemas: SchemaLookup<JsonSchema>,
    dialects: WriterPlans<Dialect>,
}

impl JsonSrDecoder {
    pub(in crate::formats) fn new(
        columns: &[Column],
        needed: &[bool],
        bare: bool,
        schemas: SchemaLookup<JsonSchema>,
    ) -> Self {
        Self { json: JsonDecoder::new(columns, needed, bare), schemas, dialects: WriterPlans::new() }
    }
}

impl Decoder for JsonSrDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let Self { json, schemas, dialects } = self;
        dialects.begin_batch();
        json.decode_documents(bytes, |record| {
            let (id, document) = split_id(record)?;
            let dialect = dialects.get(&record[..record.len() - document.len()], || match schemas(id) {
                Ok(Some(schema)) => Found::Plan(Ok(dialect(&schema))),
                absent => Found::Absent(absent.err().unwrap_or_else(|| no_schema(id))),
            });
            dialect.as_ref().map(|dialect| (document, *dialect)).map_err(Clone::clone)
        })
    }
}

/// The forms that `schema` asks for anywhere.
fn dialect(schema: &JsonSchema) -> Dialect {
    let mut dialect = Dialect { entries: true, ..Dialect::default() };
    schema.documents().for_each(|document| look_through(document, &mut dialect, 0));
    dialect
}

/// Schemas are not nested deeper: serde_json reads no more than 128 levels.
const DEPTH_MAX: usize = 256;

fn look_through(value: &Value, dialect: &mut Dialect, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Object(object) => {
            if noted(object, "title") == Some(DECIMAL) && noted(object, "type") == Some("string") {
                dialect.base64_decimals = true;
            }
            let is_null = |branch: &Value| branch.get("type").and_then(Value::as_str) == Some("null");
            let choices = ["oneOf", "anyOf"].into_iter().filter_map(|name| object.get(name)?.as_array());
            for branches in choices {
                dialect.unions |= branches.iter().filter(|branch| !is_null(branch)).count() > 1;
            }
            object.values().for_each(|inner| look_through(inner, dialect, depth + 1));
        }
        Value::Array(elements) => elements.iter().for_each(|inner| look_through(inner, dialect, depth + 1)),
        _ => {}
    }
}
