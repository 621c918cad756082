//! Default values of fields: JSON in the schema, bytes in a datum.

use serde_json::Value;

use crate::registry::avro::{AvroSchema, Node, NodeId};

use super::cursor::write_long;

/// `value` as a datum of the node `id`; `None` if it is none.
pub(super) fn datum(schema: &AvroSchema, id: NodeId, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    write(&mut out, schema, id, value, 0)?;
    Some(out)
}

/// Defaults are not nested deeper.
const DEPTH_MAX: u32 = 64;

fn write(out: &mut Vec<u8>, schema: &AvroSchema, id: NodeId, value: &Value, depth: u32) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    match schema.node(id) {
        Node::Null => value.as_null()?,
        Node::Boolean => out.push(u8::from(value.as_bool()?)),
        Node::Int => write_long(out, i64::from(i32::try_from(value.as_i64()?).ok()?)),
        Node::Long => write_long(out, value.as_i64()?),
        Node::Float => out.extend_from_slice(&(value.as_f64()? as f32).to_le_bytes()),
        Node::Double => out.extend_from_slice(&value.as_f64()?.to_le_bytes()),
        Node::String => write_bytes(out, value.as_str()?.as_bytes()),
        Node::Bytes { .. } => write_bytes(out, &bytes(value)?),
        Node::Fixed { size, .. } => out.extend(bytes(value).filter(|bytes| bytes.len() == *size)?),
        Node::Enum(symbols) => {
            let symbol = symbols.iter().position(|symbol| Some(&**symbol) == value.as_str())?;
            write_long(out, symbol as i64);
        }
        Node::Array(items) => {
            let elements = value.as_array()?;
            if !elements.is_empty() {
                write_long(out, elements.len() as i64);
                elements.iter().try_for_each(|element| write(out, schema, *items, element, depth + 1))?;
            }
            out.push(0);
        }
        Node::Map(values) => {
            let entries = value.as_object()?;
            if !entries.is_empty() {
                write_long(out, entries.len() as i64);
            }
            for (key, value) in entries {
                write_bytes(out, key.as_bytes());
                write(out, schema, *values, value, depth + 1)?;
            }
            out.push(0);
        }
        Node::Record(fields) => {
            for field in fields {
                let value = value.get(&field.name).or(field.default.as_ref())?;
                write(out, schema, field.node, value, depth + 1)?;
            }
        }
        // A default is of the first branch.
        Node::Union(branches) => {
            out.push(0);
            write(out, schema, *branches.first()?, value, depth + 1)?;
        }
        Node::Open => return None,
    }
    Some(())
}

/// Bytes are written as the characters of their numbers.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_by_their_type() {
        let check = |schema: &str, value: &str, expected: Option<&[u8]>| {
            let parsed = AvroSchema::parse(schema, &[]).expect("a schema");
            let value = serde_json::from_str(value).expect("JSON");
            assert_eq!(datum(&parsed, parsed.root(), &value).as_deref(), expected, "{schema} {value}");
        };
        check("\"int\"", "64", Some(&[0x80, 1]));
        check("\"int\"", "\"x\"", None);
        check("\"string\"", "\"ab\"", Some(&[4, b'a', b'b']));
        check("\"bytes\"", "\"\\u00ff\"", Some(&[2, 0xff]));
        check(r#"["null", "int"]"#, "null", Some(&[0]));
        check(r#"["int", "null"]"#, "1", Some(&[0, 2]));
        check(r#"{"type": "array", "items": "boolean"}"#, "[true]", Some(&[2, 1, 0]));
        check(r#"{"type": "enum", "name": "e", "symbols": ["A", "B"]}"#, "\"B\"", Some(&[2]));
        let inner = r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": "int", "default": 3}]}"#;
        check(inner, "{}", Some(&[6]));
    }
}
