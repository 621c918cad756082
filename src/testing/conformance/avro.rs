//! Records of cases between JSON and Avro, by the schema that is registered for their topic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::json;
use crate::formats::avro::{Cursor, write_long};
use crate::registry::avro::{AvroSchema, Node, NodeId};

/// Appends `json` as a value of the node `id`.
pub fn encode(out: &mut Vec<u8>, schema: &AvroSchema, id: NodeId, json: &Value) -> Result<(), String> {
    let text = || json::text(json);
    let wrong = |what: &str| format!("{} is no {what}", text());
    match schema.node(id) {
        Node::Null | Node::Open => {}
        Node::Boolean => out.push(u8::from(json.as_bool().ok_or_else(|| wrong("boolean"))?)),
        Node::Int | Node::Long => write_long(out, text().parse().map_err(|_| wrong("integer"))?),
        Node::Float => out.extend_from_slice(&text().parse::<f32>().map_err(|_| wrong("float"))?.to_le_bytes()),
        Node::Double => out.extend_from_slice(&text().parse::<f64>().map_err(|_| wrong("double"))?.to_le_bytes()),
        Node::Bytes { scale: Some(scale) } => {
            let digits = unscaled(&text(), *scale).ok_or_else(|| wrong("decimal"))?;
            write_bytes(out, &digits.to_be_bytes());
        }
        Node::Bytes { scale: None } => write_bytes(out, &STANDARD.decode(text()).map_err(|_| wrong("base64"))?),
        Node::String => write_bytes(out, text().as_bytes()),
        Node::Fixed { .. } => out.extend(STANDARD.decode(text()).map_err(|_| wrong("base64"))?),
        Node::Enum(symbols) => {
            let symbol = symbols.iter().position(|symbol| *symbol == text()).ok_or_else(|| wrong("symbol"))?;
            write_long(out, symbol as i64);
        }
        Node::Array(items) => match json {
            Value::Object(object) if schema.is_entry(*items) => {
                let fields = schema.fields(*items).unwrap_or_default();
                write_block(out, object.iter(), |out, (key, value)| {
                    encode(out, schema, fields[0].node, &Value::String(key.clone()))?;
                    encode(out, schema, fields[1].node, value)
                })?;
            }
            Value::Array(elements) => {
                write_block(out, elements.iter(), |out, element| encode(out, schema, *items, element))?;
            }
            _ => return Err(wrong("array")),
        },
        Node::Map(values) => {
            let object = json.as_object().ok_or_else(|| wrong("map"))?;
            write_block(out, object.iter(), |out, (key, value)| {
                write_bytes(out, key.as_bytes());
                encode(out, schema, *values, value)
            })?;
        }
        Node::Record(fields) => {
            let object = json.as_object().ok_or_else(|| wrong("record"))?;
            for field in fields {
                let member = json::member(object, &field.name).unwrap_or(&Value::Null);
                let encoded = encode(out, schema, field.node, member);
                encoded.map_err(|reason| format!("{}: {reason}", field.name))?;
            }
        }
        Node::Union(branches) => encode_branch(out, schema, branches, json)?,
    }
    Ok(())
}

/// The first branch that takes the value.
fn encode_branch(out: &mut Vec<u8>, schema: &AvroSchema, branches: &[NodeId], json: &Value) -> Result<(), String> {
    let start = out.len();
    let mut reason = format!("the union has no branch for {json}");
    for (index, branch) in branches.iter().enumerate() {
        if (*schema.node(*branch) == Node::Null) != json.is_null() {
            continue;
        }
        write_long(out, index as i64);
        match encode(out, schema, *branch, json) {
            Ok(()) => return Ok(()),
            Err(refused) => reason = refused,
        }
        out.truncate(start);
    }
    Err(reason)
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

fn write_block<T>(
    out: &mut Vec<u8>,
    elements: impl ExactSizeIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> Result<(), String>,
) -> Result<(), String> {
    if elements.len() > 0 {
        write_long(out, elements.len() as i64);
        for element in elements {
            write(out, element)?;
        }
    }
    out.push(0);
    Ok(())
}

/// Digits of a decimal text with `scale` digits after the point; more of them must be zeros.
pub(super) fn unscaled(text: &str, scale: u8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(usize::from(scale)).collect();
    let lost = fraction.get(usize::from(scale)..).unwrap_or("");
    if !lost.bytes().all(|digit| digit == b'0') {
        return None;
    }
    format!("{whole}{kept}").parse().ok()
}

/// The value of the node `id`; fields that are null are there.
pub fn decode(cursor: &mut Cursor<'_>, schema: &AvroSchema, id: NodeId) -> Result<Value, String> {
    let fault = |fault: crate::formats::avro::Fault| fault.to_string();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "a string is no UTF-8".to_owned());
    Ok(match schema.node(id) {
        Node::Null | Node::Open => Value::Null,
        Node::Boolean => cursor.boolean().map_err(fault)?.into(),
        Node::Int | Node::Long => cursor.long().map_err(fault)?.into(),
        Node::Float => f64::from(cursor.float().map_err(fault)?).into(),
        Node::Double => double(cursor.double().map_err(fault)?),
        Node::Bytes { scale: Some(scale) } => decimal(cursor.bytes().map_err(fault)?, *scale)?,
        Node::Fixed { size, scale: Some(scale) } => decimal(cursor.take(*size).map_err(fault)?, *scale)?,
        Node::Bytes { scale: None } => STANDARD.encode(cursor.bytes().map_err(fault)?).into(),
        Node::Fixed { size, scale: None } => STANDARD.encode(cursor.take(*size).map_err(fault)?).into(),
        Node::String => text(cursor.bytes().map_err(fault)?)?.into(),
        Node::Enum(symbols) => {
            let index = cursor.long().map_err(fault)?;
            let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
            symbol.ok_or_else(|| format!("an enum has no symbol {index}"))?.clone().into()
        }
        Node::Array(items) if schema.is_entry(*items) => {
            let mut object = Map::new();
            for entry in elements(cursor, |cursor| decode(cursor, schema, *items))? {
                let key = match &entry["key"] {
                    Value::String(key) => key.clone(),
                    other => other.to_string(),
                };
                object.insert(key, entry["value"].clone());
            }
            object.into()
        }
        Node::Array(items) => elements(cursor, |cursor| decode(cursor, schema, *items))?.into(),
        Node::Map(values) => {
            let entries = elements(cursor, |cursor| {
                Ok((text(cursor.bytes().map_err(fault)?)?, decode(cursor, schema, *values)?))
            })?;
            Value::Object(entries.into_iter().collect())
        }
        Node::Record(fields) => {
            let mut object = Map::new();
            for field in fields {
                object.insert(field.name.clone(), decode(cursor, schema, field.node)?);
            }
            object.into()
        }
        Node::Union(branches) => {
            let index = cursor.long().map_err(fault)?;
            let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
            decode(cursor, schema, *branch.ok_or_else(|| format!("a union has no branch {index}"))?)?
        }
    })
}

fn elements<T>(
    cursor: &mut Cursor<'_>,
    mut read: impl FnMut(&mut Cursor<'_>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut all = Vec::new();
    loop {
        let count = cursor.block().map_err(|fault| fault.to_string())?;
        if count == 0 {
            return Ok(all);
        }
        for _ in 0..count {
            all.push(read(cursor)?);
        }
    }
}

/// JSON has no words for what is no number.
pub(super) fn double(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number)
}

/// A number with all digits of its scale.
pub(super) fn decimal(bytes: &[u8], scale: u8) -> Result<Value, String> {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
    let mut wide = [sign; 16];
    let start = 16_usize.checked_sub(bytes.len()).ok_or("a decimal has more than 128 bits")?;
    wide[start..].copy_from_slice(bytes);
    let mut text = Vec::new();
    crate::types::java_text::write_decimal128(&mut text, i128::from_be_bytes(wide), scale);
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_with_every_field() {
        let schema = r#"{"type": "record", "name": "r", "fields": [
            {"name": "A", "type": ["null", "int"]}, {"name": "M", "type": ["null", {"type": "bytes",
            "logicalType": "decimal", "precision": 4, "scale": 2}]}, {"name": "L", "type": {"type": "array",
            "items": ["null", "string"]}}, {"name": "D", "type": "double"}]}"#;
        let schema = AvroSchema::parse(schema, &[]).expect("a schema");
        let json: Value =
            serde_json::from_str(r#"{"a": "5", "M": "-0.5", "L": ["x", null], "d": 1, "z": 0}"#).expect("JSON");
        let mut bytes = Vec::new();
        encode(&mut bytes, &schema, schema.root(), &json).expect("it fits");
        let decoded = decode(&mut Cursor::new(&bytes), &schema, schema.root()).expect("it was written so");
        assert_eq!(decoded.to_string(), r#"{"A":5,"M":-0.50,"L":["x",null],"D":1.0}"#);
    }
}
