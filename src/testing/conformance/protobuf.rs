//! Records of cases between JSON and Protobuf messages, field by field: no code of the engine's format is used but that of
//! numbers and tags.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::avro::{decimal, double, unscaled};
use super::json;
use crate::formats::byte_reader::{ByteReader, unzigzag, write_varint, zigzag};
use crate::formats::protobuf::wire::{DELIMITED, FIXED32, FIXED64, VARINT, delimited, tag, wire_type, wire_type_of};
use crate::registry::protobuf::{Field, FieldKind, MessageId, Presence, ProtobufSchema, Scalar, WellKnown};
use crate::types::calendar::{CivilDate, days_from_civil};

/// Appends `json` as the message `id`.
pub fn encode(out: &mut Vec<u8>, schema: &ProtobufSchema, id: MessageId, json: &Value) -> Result<(), String> {
    let object = json.as_object().ok_or_else(|| format!("{json} is no message"))?;
    let message = schema.message(id);
    for field in &message.fields {
        let holder = match field.one_of {
            Some(index) => match json::member(object, &format!("{}_{index}", message.one_ofs[index])) {
                Some(Value::Object(choice)) => choice,
                _ => continue,
            },
            None => object,
        };
        let Some(value) = json::member(holder, &field.name).filter(|value| !value.is_null()) else { continue };
        encode_field(out, schema, field, value).map_err(|reason| format!("{}: {reason}", field.name))?;
    }
    Ok(())
}

fn encode_field(out: &mut Vec<u8>, schema: &ProtobufSchema, field: &Field, json: &Value) -> Result<(), String> {
    if !field.repeated {
        return encode_value(out, schema, field, json);
    }
    match json {
        Value::Array(elements) => elements.iter().try_for_each(|element| encode_value(out, schema, field, element)),
        Value::Object(entries) => entries.iter().try_for_each(|(key, value)| {
            let entry = serde_json::json!({"key": key, "value": value});
            encode_value(out, schema, field, &entry)
        }),
        other => Err(format!("{other} is no list")),
    }
}

/// A tag and a value; the default value too, which readers must take.
fn encode_value(out: &mut Vec<u8>, schema: &ProtobufSchema, field: &Field, json: &Value) -> Result<(), String> {
    let number = field.number;
    match field.kind {
        FieldKind::Scalar(scalar) => {
            write_varint(out, tag(number, wire_type_of(scalar)));
            encode_scalar(out, scalar, json)
        }
        FieldKind::Enum(id) => {
            let values = &schema.enumeration(id).values;
            let found = values.iter().find(|(name, _)| Some(name.as_str()) == json.as_str());
            let (_, value) = found.ok_or_else(|| format!("{json} is no name of the enum"))?;
            write_varint(out, tag(number, VARINT));
            write_varint(out, i64::from(*value) as u64);
            Ok(())
        }
        FieldKind::Group => Err("groups are not written".to_owned()),
        FieldKind::Message(id) => {
            let mut inner = Vec::new();
            encode(&mut inner, schema, id, json)?;
            write_delimited(out, number, &inner);
            Ok(())
        }
        FieldKind::WellKnown(known) => {
            let mut inner = Vec::new();
            encode_known(&mut inner, known, field, json)?;
            write_delimited(out, number, &inner);
            Ok(())
        }
    }
}

fn write_delimited(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    write_varint(out, tag(number, DELIMITED));
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn encode_scalar(out: &mut Vec<u8>, scalar: Scalar, json: &Value) -> Result<(), String> {
    let text = json::text(json);
    let wrong = || format!("{text} is no {}", scalar.name());
    let integer = || text.parse::<i64>().map_err(|_| wrong());
    match scalar {
        Scalar::Double => out.extend_from_slice(&text.parse::<f64>().map_err(|_| wrong())?.to_le_bytes()),
        Scalar::Float => out.extend_from_slice(&text.parse::<f32>().map_err(|_| wrong())?.to_le_bytes()),
        Scalar::Int32 | Scalar::Int64 | Scalar::Uint32 | Scalar::Uint64 => write_varint(out, integer()? as u64),
        Scalar::Sint32 | Scalar::Sint64 => write_varint(out, zigzag(integer()?)),
        Scalar::Fixed32 | Scalar::Sfixed32 => out.extend_from_slice(&(integer()? as u32).to_le_bytes()),
        Scalar::Fixed64 | Scalar::Sfixed64 => out.extend_from_slice(&integer()?.to_le_bytes()),
        Scalar::Bool => out.push(json.as_bool().ok_or_else(wrong)?.into()),
        Scalar::String | Scalar::Bytes => {
            let bytes = match scalar {
                Scalar::String => text.clone().into_bytes(),
                _ => STANDARD.decode(&text).map_err(|_| wrong())?,
            };
            write_varint(out, bytes.len() as u64);
            out.extend_from_slice(&bytes);
        }
    }
    Ok(())
}

fn encode_known(out: &mut Vec<u8>, known: WellKnown, field: &Field, json: &Value) -> Result<(), String> {
    let text = json::text(json);
    let number = || text.parse::<i64>().map_err(|_| format!("{text} is no number"));
    let mut numbers = |numbers: &[i64]| {
        for (index, value) in (1..).zip(numbers) {
            write_varint(out, tag(index, VARINT));
            write_varint(out, *value as u64);
        }
    };
    match known {
        WellKnown::Wrapper(scalar) => {
            write_varint(out, tag(1, wire_type_of(scalar)));
            return encode_scalar(out, scalar, json);
        }
        WellKnown::Timestamp => {
            let millis = number()?;
            numbers(&[millis.div_euclid(1_000), millis.rem_euclid(1_000) * 1_000_000]);
        }
        WellKnown::Date => {
            let date = CivilDate::new(number()?);
            numbers(&[date.year, date.month.into(), date.day.into()]);
        }
        WellKnown::TimeOfDay => {
            let millis = number()?;
            let seconds = millis / 1_000;
            numbers(&[seconds / 3_600, seconds / 60 % 60, seconds % 60, millis % 1_000 * 1_000_000]);
        }
        WellKnown::Decimal => {
            let scale = scale_of(field);
            let digits = unscaled(&text, scale).ok_or_else(|| format!("{text} is no decimal of scale {scale}"))?;
            write_delimited(out, 1, &digits.to_be_bytes());
            write_varint(out, tag(3, VARINT));
            write_varint(out, scale.into());
        }
    }
    Ok(())
}

fn scale_of(field: &Field) -> u8 {
    field.parameters.get("scale").and_then(|scale| scale.parse().ok()).unwrap_or(0)
}

/// The message `id` as text: the fields that came, in the order of the file, a line each.
pub fn text_format(bytes: &[u8], schema: &ProtobufSchema, id: MessageId) -> Result<String, String> {
    let mut text = String::new();
    write_text_format(&mut text, bytes, schema, id, 0)?;
    Ok(text)
}

fn write_text_format(
    out: &mut String,
    bytes: &[u8],
    schema: &ProtobufSchema,
    id: MessageId,
    depth: usize,
) -> Result<(), String> {
    let raw = raw_fields(bytes)?;
    let indent = "  ".repeat(depth);
    for field in &schema.message(id).fields {
        for value in raw.get(&field.number).into_iter().flatten() {
            match (field.kind, value) {
                (FieldKind::Message(inner), Raw::Bytes(bytes)) => {
                    *out += &format!("{indent}{} {{\n", field.name);
                    write_text_format(out, bytes, schema, inner, depth + 1)?;
                    *out += &format!("{indent}}}\n");
                }
                (FieldKind::Scalar(Scalar::String | Scalar::Bytes), Raw::Bytes(bytes)) => {
                    *out += &format!("{indent}{}: \"{}\"\n", field.name, bytes.escape_ascii());
                }
                (FieldKind::Scalar(scalar), raw) => {
                    *out += &format!("{indent}{}: {}\n", field.name, scalar_json(*raw, scalar)?);
                }
                _ => return Err(format!("the field {} has no text", field.name)),
            }
        }
    }
    Ok(())
}

/// A value on the wire.
#[derive(Clone, Copy)]
enum Raw<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The message `id`; fields that are null are there.
pub fn decode(bytes: &[u8], schema: &ProtobufSchema, id: MessageId) -> Result<Value, String> {
    let message = schema.message(id);
    let raw = raw_fields(bytes)?;
    let mut object = Map::new();
    for (index, one_of) in message.one_ofs.iter().enumerate() {
        let set = message.fields.iter().filter(|field| field.one_of == Some(index));
        let mut choice = Map::new();
        for field in set {
            let value = raw.get(&field.number).and_then(|values| values.last());
            choice.insert(field.name.clone(), value.map_or(Ok(Value::Null), |raw| decode_value(*raw, schema, field))?);
        }
        let is_set = choice.values().any(|value| !value.is_null());
        object.insert(format!("{one_of}_{index}"), if is_set { choice.into() } else { Value::Null });
    }
    for field in message.fields.iter().filter(|field| field.one_of.is_none()) {
        let values = raw.get(&field.number).map_or(&[][..], Vec::as_slice);
        let decoded = decode_field(values, schema, field).map_err(|reason| format!("{}: {reason}", field.name))?;
        object.insert(field.name.clone(), decoded);
    }
    Ok(object.into())
}

fn raw_fields(bytes: &[u8]) -> Result<BTreeMap<u32, Vec<Raw<'_>>>, String> {
    let mut reader = ByteReader::new(bytes);
    let mut fields: BTreeMap<u32, Vec<Raw<'_>>> = BTreeMap::new();
    let fault = |fault: crate::formats::byte_reader::Fault| fault.to_string();
    while !reader.is_at_end() {
        let tag = reader.varint().map_err(fault)?;
        let raw = match wire_type(tag) {
            VARINT => Raw::Number(reader.varint().map_err(fault)?),
            FIXED64 => Raw::Number(u64::from_le_bytes(reader.array().map_err(fault)?)),
            FIXED32 => Raw::Number(u32::from_le_bytes(reader.array().map_err(fault)?).into()),
            DELIMITED => Raw::Bytes(delimited(&mut reader).map_err(fault)?),
            other => return Err(format!("the wire type {other} is not expected")),
        };
        fields.entry((tag >> 3) as u32).or_default().push(raw);
    }
    Ok(fields)
}

fn decode_field(values: &[Raw<'_>], schema: &ProtobufSchema, field: &Field) -> Result<Value, String> {
    if !field.repeated {
        return match values.last() {
            Some(raw) => decode_value(*raw, schema, field),
            None => Ok(absent(schema, field)),
        };
    }
    let entry = match field.kind {
        FieldKind::Message(id) => schema.message(id).entry,
        _ => None,
    };
    let mut elements = Vec::new();
    for raw in values {
        match (raw, packed_type(field)) {
            (Raw::Bytes(packed), Some(wire_type)) => {
                let mut reader = ByteReader::new(packed);
                while !reader.is_at_end() {
                    let number = match wire_type {
                        FIXED64 => reader.array().map(u64::from_le_bytes),
                        FIXED32 => reader.array().map(|bytes| u32::from_le_bytes(bytes).into()),
                        _ => reader.varint(),
                    };
                    let raw = Raw::Number(number.map_err(|fault| fault.to_string())?);
                    elements.push(decode_value(raw, schema, field)?);
                }
            }
            (raw, _) => elements.push(decode_value(*raw, schema, field)?),
        }
    }
    if entry.is_none() {
        return Ok(elements.into());
    }
    let entries = elements.into_iter().map(|mut entry| (json::text(&entry["key"]), entry["value"].take()));
    Ok(Value::Object(entries.collect()))
}

/// Wire type of the elements that may be packed.
fn packed_type(field: &Field) -> Option<u8> {
    match field.kind {
        FieldKind::Scalar(scalar) => Some(wire_type_of(scalar)).filter(|wire_type| *wire_type != DELIMITED),
        FieldKind::Enum(_) => Some(VARINT),
        _ => None,
    }
}

fn absent(schema: &ProtobufSchema, field: &Field) -> Value {
    match field.kind {
        _ if field.presence == Presence::Optional => Value::Null,
        FieldKind::Message(_) | FieldKind::WellKnown(_) | FieldKind::Group => Value::Null,
        FieldKind::Enum(id) => {
            schema.enumeration(id).values.first().map_or(Value::Null, |(name, _)| name.clone().into())
        }
        FieldKind::Scalar(scalar) => scalar_json(Raw::Number(0), scalar).unwrap_or_default(),
    }
}

fn decode_value(raw: Raw<'_>, schema: &ProtobufSchema, field: &Field) -> Result<Value, String> {
    match (field.kind, raw) {
        (FieldKind::Scalar(scalar), raw) => scalar_json(raw, scalar),
        (FieldKind::Enum(id), Raw::Number(number)) => {
            let values = &schema.enumeration(id).values;
            let found = values.iter().find(|(_, known)| *known == number as i32);
            Ok(found.ok_or_else(|| format!("an enum has no number {number}"))?.0.clone().into())
        }
        (FieldKind::Message(id), Raw::Bytes(bytes)) => decode(bytes, schema, id),
        (FieldKind::WellKnown(known), Raw::Bytes(bytes)) => known_json(bytes, known),
        _ => Err("the wire type is not that of the field".to_owned()),
    }
}

fn scalar_json(raw: Raw<'_>, scalar: Scalar) -> Result<Value, String> {
    Ok(match (scalar, raw) {
        (Scalar::String, Raw::Bytes(bytes)) => {
            std::str::from_utf8(bytes).map_err(|_| "a string is no UTF-8".to_owned())?.into()
        }
        (Scalar::Bytes, Raw::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        // What did not come.
        (Scalar::String, Raw::Number(_)) => "".into(),
        (Scalar::Bytes, Raw::Number(_)) => Value::Null,
        (Scalar::Bool, Raw::Number(number)) => (number != 0).into(),
        (Scalar::Double, Raw::Number(bits)) => double(f64::from_bits(bits)),
        (Scalar::Float, Raw::Number(bits)) => double(f32::from_bits(bits as u32).into()),
        (Scalar::Int32 | Scalar::Sfixed32, Raw::Number(number)) => (number as i32).into(),
        (Scalar::Uint32 | Scalar::Fixed32, Raw::Number(number)) => (number as u32).into(),
        (Scalar::Sint32 | Scalar::Sint64, Raw::Number(number)) => unzigzag(number).into(),
        (_, Raw::Number(number)) => Value::Number(Number::from(number as i64)),
        (_, Raw::Bytes(_)) => return Err("the wire type is not that of the field".to_owned()),
    })
}

fn known_json(bytes: &[u8], known: WellKnown) -> Result<Value, String> {
    let raw = raw_fields(bytes)?;
    let last = |number: u32| raw.get(&number).and_then(|values| values.last()).copied();
    let number = |field: u32| match last(field) {
        Some(Raw::Number(number)) => number as i64,
        _ => 0,
    };
    Ok(match known {
        WellKnown::Wrapper(scalar) => scalar_json(last(1).unwrap_or(Raw::Number(0)), scalar)?,
        WellKnown::Timestamp => (number(1) * 1_000 + number(2) / 1_000_000).into(),
        WellKnown::Date => days_from_civil(number(1), number(2) as u32, number(3) as u32).into(),
        WellKnown::TimeOfDay => {
            (((number(1) * 60 + number(2)) * 60 + number(3)) * 1_000 + number(4) / 1_000_000).into()
        }
        WellKnown::Decimal => match last(1) {
            Some(Raw::Bytes(digits)) => decimal(digits, number(3) as u8)?,
            _ => 0.into(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_with_every_field() {
        let schema = ProtobufSchema::parse(
            "syntax = 'proto3'; import 'x'; message M { int32 i = 1; optional string s = 2; repeated sint64 r = 3;
             map<string, double> m = 4; confluent.type.Decimal d = 5 [(confluent.field_meta) = { params: [
             { key: 'scale', value: '2' }] }]; google.type.Date at = 6; N n = 7; E e = 8; oneof o { bool b = 9; } }
             message N { bytes y = 1; } enum E { A = 0; B = 1; }",
            &[],
        )
        .expect("a schema");
        let json = serde_json::json!({"I": "5", "r": [1, -1], "m": {"k": 1.5}, "d": "-0.5", "at": -1, "n": {}, "e": "B", "o_0": {"b": true}});
        let mut bytes = Vec::new();
        encode(&mut bytes, &schema, 0, &json).expect("it fits");
        let decoded = decode(&bytes, &schema, 0).expect("it was written so");
        let expected =
            r#"{"o_0":{"b":true},"i":5,"s":null,"r":[1,-1],"m":{"k":1.5},"d":-0.50,"at":-1,"n":{"y":null},"e":"B"}"#;
        assert_eq!(decoded.to_string(), expected);
    }
}
