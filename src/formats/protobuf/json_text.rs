//! A message as JSON, for people: fields by the names of their file, those that are not there with their default values.

use serde_json::{Map, Value};

use super::wire::{
    self, DELIMITED, FIXED32, FIXED64, ScalarValue, VARINT, delimited, number, skip, wire_type, wire_type_of,
};
use crate::formats::byte_reader::{ByteReader, Fault, Read};
use crate::formats::decimal_bytes::big_endian;
use crate::registry::protobuf::{
    Entry, Field, FieldDefault, FieldKind, MessageId, Presence, ProtobufSchema, Scalar, WellKnown,
};
use crate::types::java_text::{write_base64, write_decimal256, write_double, write_timestamp};

/// As deep as Protobuf's own readers go.
const DEPTH_MAX: u32 = 100;

/// The message `bytes` of the type `id` as JSON.
pub(in crate::formats) fn json(schema: &ProtobufSchema, id: MessageId, bytes: &[u8]) -> Result<Value, String> {
    Reader { schema }.message(id, bytes, 0).map(Value::Object).map_err(|fault| fault.to_string())
}

struct Reader<'a> {
    schema: &'a ProtobufSchema,
}

/// What a record has of one field.
#[derive(Default)]
struct Found {
    values: Vec<Value>,
    /// All parts of a message that stands alone: together they are one.
    message: Option<Vec<u8>>,
}

impl Reader<'_> {
    fn message(&self, id: MessageId, bytes: &[u8], depth: u32) -> Read<Map<String, Value>> {
        if depth > DEPTH_MAX {
            return Err(Fault::Wrong("messages are nested too deep".to_owned()));
        }
        let fields = &self.schema.message(id).fields;
        let mut found: Vec<Found> = fields.iter().map(|_| Found::default()).collect();
        let mut reader = ByteReader::new(bytes);
        while !reader.is_at_end() {
            let tag = reader.varint()?;
            match fields.iter().position(|field| u64::from(field.number) == number(tag)) {
                Some(index) => self.note(&fields[index], tag, &mut reader, &mut found[index], depth)?,
                None => skip(&mut reader, tag)?,
            }
        }
        let mut members = Map::new();
        for (field, found) in fields.iter().zip(found) {
            if let Some(value) = self.member(field, found, depth)? {
                members.insert(field.name.clone(), value);
            }
        }
        Ok(members)
    }

    /// Reads the value of `field` at the cursor, behind `tag`.
    fn note(&self, field: &Field, tag: u64, reader: &mut ByteReader<'_>, found: &mut Found, depth: u32) -> Read<()> {
        let expected = match field.kind {
            FieldKind::Scalar(scalar) => wire_type_of(scalar),
            FieldKind::Enum(_) => VARINT,
            FieldKind::Message(_) | FieldKind::WellKnown(_) => DELIMITED,
            FieldKind::Group => return skip(reader, tag),
        };
        match (field.kind, wire_type(tag)) {
            (FieldKind::Message(_) | FieldKind::WellKnown(_), DELIMITED) if !field.repeated => {
                found.message.get_or_insert_default().extend_from_slice(delimited(reader)?);
            }
            (kind, wire) if wire == expected => found.values.push(self.value(kind, reader, depth)?),
            (kind, DELIMITED) if field.repeated && matches!(expected, VARINT | FIXED32 | FIXED64) => {
                let mut packed = ByteReader::new(delimited(reader)?);
                while !packed.is_at_end() {
                    found.values.push(self.value(kind, &mut packed, depth)?);
                }
            }
            _ => skip(reader, tag)?,
        }
        Ok(())
    }

    /// What `found` makes of `field`; `None` where it has no value.
    fn member(&self, field: &Field, mut found: Found, depth: u32) -> Read<Option<Value>> {
        if self.is_map(field) {
            return Ok(Some(entries(found.values)));
        }
        if field.repeated {
            return Ok(Some(Value::Array(found.values)));
        }
        if let Some(bytes) = found.message {
            return Ok(Some(match field.kind {
                FieldKind::Message(id) => Value::Object(self.message(id, &bytes, depth + 1)?),
                FieldKind::WellKnown(known) => well_known(known, &bytes)?,
                _ => return Ok(None),
            }));
        }
        let is_implicit = field.presence == Presence::Implicit && field.one_of.is_none();
        let default = || self.default(field).filter(|_| is_implicit || field.default.is_some());
        Ok(found.values.pop().or_else(default))
    }

    fn is_map(&self, field: &Field) -> bool {
        matches!(field.kind, FieldKind::Message(id) if field.repeated && self.schema.message(id).entry == Some(Entry::Map))
    }

    /// The value of a field that is not there.
    fn default(&self, field: &Field) -> Option<Value> {
        Some(match (field.kind, &field.default) {
            (FieldKind::Scalar(Scalar::String), Some(FieldDefault::Bytes(bytes))) => text(bytes),
            (FieldKind::Scalar(_), Some(FieldDefault::Bytes(bytes))) => base64(bytes),
            (_, Some(FieldDefault::Double(value))) => double(*value),
            (FieldKind::Scalar(Scalar::Bool), default) => {
                Value::from(matches!(default, Some(FieldDefault::Integer(1))))
            }
            (FieldKind::Enum(id), default) => self.symbol(
                id,
                match default {
                    Some(FieldDefault::Integer(number)) => *number as i32,
                    _ => 0,
                },
            ),
            (_, Some(FieldDefault::Integer(value))) => Value::from(*value),
            (FieldKind::Scalar(Scalar::Double | Scalar::Float), None) => double(0.0),
            (FieldKind::Scalar(Scalar::String | Scalar::Bytes), None) => Value::from(""),
            (FieldKind::Scalar(_), None) => Value::from(0),
            _ => return None,
        })
    }

    /// The name of an enum's number, or the number itself.
    fn symbol(&self, id: usize, number: i32) -> Value {
        let known = self.schema.enumeration(id).values.iter().find(|(_, value)| *value == number);
        known.map_or_else(|| Value::from(number), |(name, _)| Value::from(name.as_str()))
    }

    fn value(&self, kind: FieldKind, reader: &mut ByteReader<'_>, depth: u32) -> Read<Value> {
        Ok(match kind {
            FieldKind::Scalar(kind) => scalar(kind, reader)?,
            FieldKind::Enum(id) => self.symbol(id, reader.varint()? as i32),
            FieldKind::Message(id) => Value::Object(self.message(id, delimited(reader)?, depth + 1)?),
            FieldKind::WellKnown(known) => well_known(known, delimited(reader)?)?,
            FieldKind::Group => return Err(Fault::Wrong("a group has no value".to_owned())),
        })
    }
}

/// Entries of a map as an object; of equal keys the last one counts.
fn entries(entries: Vec<Value>) -> Value {
    let mut members = Map::new();
    for mut entry in entries {
        let key = match entry["key"].take() {
            Value::String(text) => text,
            other => other.to_string(),
        };
        members.insert(key, entry["value"].take());
    }
    Value::Object(members)
}

/// A message that stands for a value of its own.
fn well_known(known: WellKnown, bytes: &[u8]) -> Read<Value> {
    let written = |text: Vec<u8>| Value::from(String::from_utf8_lossy(&text).into_owned());
    let mut out = Vec::new();
    Ok(match known {
        WellKnown::Wrapper(kind) => match parts(&[kind], bytes)?.pop().flatten() {
            Some(value) => value,
            None => match kind {
                Scalar::Bool => Value::from(false),
                Scalar::String | Scalar::Bytes => Value::from(""),
                _ => Value::from(0),
            },
        },
        WellKnown::Date => {
            let [year, month, day] = numbers(bytes)?;
            Value::from(format!("{year:04}-{month:02}-{day:02}"))
        }
        WellKnown::TimeOfDay => {
            let [hours, minutes, seconds, nanos] = numbers(bytes)?;
            let fraction = if nanos == 0 { String::new() } else { format!(".{nanos:09}") };
            Value::from(format!("{hours:02}:{minutes:02}:{seconds:02}{fraction}"))
        }
        WellKnown::Timestamp => {
            let [seconds, nanos] = numbers(bytes)?;
            write_timestamp(&mut out, seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000));
            written(out)
        }
        WellKnown::Decimal => {
            let mut digits: &[u8] = &[];
            let mut scale = 0;
            let mut reader = ByteReader::new(bytes);
            while !reader.is_at_end() {
                match reader.varint()? {
                    tag if (number(tag), wire_type(tag)) == (1, DELIMITED) => digits = delimited(&mut reader)?,
                    tag if (number(tag), wire_type(tag)) == (3, VARINT) => scale = reader.varint()? as i32,
                    tag => skip(&mut reader, tag)?,
                }
            }
            match (big_endian(digits), u8::try_from(scale)) {
                (Some(digits), Ok(scale)) => {
                    write_decimal256(&mut out, digits, scale);
                    let number = String::from_utf8_lossy(&out).parse();
                    number.map_or_else(|_| written(out), Value::Number)
                }
                _ => base64(digits),
            }
        }
    })
}

/// Fields 1, 2, … of a message, whole numbers.
fn numbers<const N: usize>(bytes: &[u8]) -> Read<[i64; N]> {
    let found = parts(&[Scalar::Int64; N], bytes)?;
    let mut numbers = [0; N];
    for (number, found) in numbers.iter_mut().zip(found) {
        *number = found.and_then(|value| value.as_i64()).unwrap_or_default();
    }
    Ok(numbers)
}

/// Fields 1, 2, … of a message, of these types.
fn parts(kinds: &[Scalar], bytes: &[u8]) -> Read<Vec<Option<Value>>> {
    let mut found = vec![None; kinds.len()];
    let mut reader = ByteReader::new(bytes);
    while !reader.is_at_end() {
        let tag = reader.varint()?;
        let index = usize::try_from(number(tag)).ok().and_then(|number| number.checked_sub(1));
        match index.filter(|index| *index < kinds.len()) {
            Some(index) if wire_type_of(kinds[index]) == wire_type(tag) => {
                found[index] = Some(scalar(kinds[index], &mut reader)?);
            }
            _ => skip(&mut reader, tag)?,
        }
    }
    Ok(found)
}

fn scalar(kind: Scalar, reader: &mut ByteReader<'_>) -> Read<Value> {
    Ok(match wire::scalar(kind, reader)? {
        ScalarValue::Integer(value) => Value::from(value),
        ScalarValue::Unsigned(value) => Value::from(value),
        ScalarValue::Number(value) => double(value),
        ScalarValue::Boolean(value) => Value::from(value),
        ScalarValue::Bytes(bytes) if kind == Scalar::Bytes => base64(bytes),
        ScalarValue::Bytes(bytes) => text(bytes),
    })
}

fn text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes).into_owned())
}

fn base64(bytes: &[u8]) -> Value {
    let mut out = Vec::new();
    write_base64(&mut out, bytes);
    text(&out)
}

/// A number; what no number of JSON is as a text.
fn double(value: f64) -> Value {
    let mut out = Vec::new();
    write_double(&mut out, value);
    let written = String::from_utf8_lossy(&out);
    if value.is_finite() { written.parse().map_or(Value::Null, Value::Number) } else { Value::from(written) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::formats::byte_reader::write_varint;

    const FILE: &str = "syntax = 'proto3'; message M { string name = 1; int64 id = 2; repeated N n = 3; E e = 4;
        repeated sint32 packed = 5; map<string, double> m = 6; google.protobuf.Timestamp t = 7; bytes b = 8; N one = 9;
        optional int32 o = 10; oneof x { bool y = 11; string z = 12; } google.type.Date day = 13;
        confluent.type.Decimal price = 14; google.protobuf.Int32Value w = 15; google.type.TimeOfDay at = 16; }
        message N { bool x = 1; N back = 2; uint32 u = 3; } enum E { NONE = 0; UP = 1; }";

    fn print(bytes: &[u8]) -> Result<Value, String> {
        json(&ProtobufSchema::parse(FILE, &[]).expect("a file"), 0, bytes)
    }

    #[test]
    fn fields_that_are_not_there_have_their_default_value() {
        let empty = r#"{"name":"","id":0,"n":[],"e":"NONE","packed":[],"m":{},"b":""}"#;
        assert_eq!(print(&[]).map(|value| value.to_string()).as_deref(), Ok(empty));
    }

    #[test]
    fn members_are_the_fields() {
        for (bytes, name, expected) in [
            (&[0x0a, 3, b'a', b'"', b'b', 0x0a, 1, b'c'][..], "name", r#""c""#),
            (&[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "id", "9223372036854775807"),
            (&[0x1a, 2, 8, 1, 0x1a, 0], "n", r#"[{"x":true,"u":0},{"x":false,"u":0}]"#),
            (&[0x20, 1], "e", r#""UP""#),
            (&[0x20, 9], "e", "9"),
            (&[0x2a, 2, 1, 2, 0x28, 3], "packed", "[-1,1,-2]"),
            (&[0x32, 12, 0x0a, 1, b'k', 0x11, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x32, 0], "m", r#"{"k":1.5,"":0.0}"#),
            (&[0x32, 12, 0x0a, 1, b'k', 0x11, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], "m", r#"{"k":"NaN"}"#),
            (&[0x3a, 6, 8, 1, 0x10, 0x80, 0x89, 0x7a], "t", r#""1970-01-01T00:00:01.002""#),
            (&[0x42, 2, 0, 255], "b", r#""AP8=""#),
            (&[0x4a, 2, 8, 1, 0x4a, 2, 0x18, 7], "one", r#"{"x":true,"u":7}"#),
            (&[0x50, 0], "o", "0"),
            (&[0x62, 1, b'q'], "z", r#""q""#),
            (&[0x6a, 7, 8, 0xe8, 0x0f, 0x10, 3, 0x18, 1], "day", r#""2024-03-01""#),
            (&[0x72, 8, 0x0a, 2, 0x04, 0xe2, 0x10, 6, 0x18, 2], "price", "12.50"),
            (&[0x7a, 0], "w", "0"),
            (&[0x82, 1, 4, 8, 9, 0x10, 30], "at", r#""09:30:00""#),
        ] {
            assert_eq!(print(bytes).map(|value| value[name].to_string()).as_deref(), Ok(expected), "{bytes:?}");
        }
        assert_eq!(print(&[0x0a, 5]), Err("the bytes end too early".to_owned()));
        assert!(print(&[0]).is_err());
    }

    #[test]
    fn messages_within_themselves_end() {
        let mut bytes = Vec::new();
        for _ in 0..200 {
            let mut outer = vec![0x12];
            write_varint(&mut outer, bytes.len() as u64);
            outer.extend_from_slice(&bytes);
            bytes = outer;
        }
        let file = ProtobufSchema::parse(FILE, &[]).expect("a file");
        assert_eq!(json(&file, 1, &bytes), Err("messages are nested too deep".to_owned()));
    }

    proptest! {
        /// Tags of fields that there are, lengths and values at random: what is no message is refused.
        #[test]
        fn no_bytes_break_the_reader(
            parts in prop::collection::vec((0_u8..17, 0_u8..8, prop::collection::vec(any::<u8>(), 0..14)), 0..12),
        ) {
            let mut bytes = Vec::new();
            for (number, wire, value) in parts {
                write_varint(&mut bytes, u64::from(number) << 3 | u64::from(wire));
                if wire == DELIMITED {
                    bytes.push(value.len() as u8);
                }
                bytes.extend_from_slice(&value);
            }
            if let Ok(value) = print(&bytes) {
                prop_assert!(value.is_object());
                prop_assert_eq!(serde_json::from_str::<Value>(&value.to_string()).ok(), Some(value));
            }
        }
    }
}
