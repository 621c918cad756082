//! A message as text on one line, as Protobuf's text format has it: `NAME: "x" INNER { A: 1 }`.

use std::collections::BTreeMap;

use super::wire::{
    self, DELIMITED, FIXED32, FIXED64, ScalarValue, VARINT, delimited, number, skip, wire_type, wire_type_of,
};
use crate::formats::byte_reader::{ByteReader, Fault, Read};
use crate::registry::protobuf::{FieldKind, MessageId, ProtobufSchema, Scalar, WellKnown};
use crate::types::java_text::write_double;

/// As deep as Protobuf's own readers go.
const DEPTH_MAX: u32 = 100;

/// The message `bytes` of the type `id` as text.
pub(in crate::formats) fn text(schema: &ProtobufSchema, id: MessageId, bytes: &[u8]) -> Result<String, String> {
    Printer { schema }.message(id, bytes, 0).map_err(|fault| fault.to_string())
}

struct Printer<'a> {
    schema: &'a ProtobufSchema,
}

impl Printer<'_> {
    /// Fields by number, and others behind them.
    fn message(&self, id: MessageId, bytes: &[u8], depth: u32) -> Read<String> {
        let fields = &self.schema.message(id).fields;
        let mut printed: BTreeMap<(bool, u64), Vec<String>> = BTreeMap::new();
        if depth > DEPTH_MAX {
            return Err(Fault::Wrong("messages are nested too deep".to_owned()));
        }
        let mut reader = ByteReader::new(bytes);
        while !reader.is_at_end() {
            let tag = reader.varint()?;
            let field = fields.iter().find(|field| u64::from(field.number) == number(tag));
            let expected = field.map(|field| self.wire_type(field.kind));
            match (field, expected) {
                (Some(field), Some(Some(expected))) if expected == wire_type(tag) => {
                    let values = printed.entry((false, number(tag))).or_default();
                    // Of a field that is no list the last value counts, and all parts of a message.
                    if !field.repeated && expected != DELIMITED {
                        values.clear();
                    }
                    values.push(format!("{}{}", field.name, self.value(field.kind, &mut reader, depth)?));
                }
                (Some(field), Some(Some(VARINT | FIXED32 | FIXED64)))
                    if field.repeated && wire_type(tag) == DELIMITED =>
                {
                    let mut packed = ByteReader::new(delimited(&mut reader)?);
                    let values = printed.entry((false, number(tag))).or_default();
                    while !packed.is_at_end() {
                        values.push(format!("{}{}", field.name, self.value(field.kind, &mut packed, depth)?));
                    }
                }
                _ => printed.entry((true, number(tag))).or_default().extend(unknown(&mut reader, tag)?),
            }
        }
        let texts: Vec<String> = printed.into_values().flatten().collect();
        Ok(texts.join(" "))
    }

    /// How values of this kind are written; `None` for groups.
    fn wire_type(&self, kind: FieldKind) -> Option<u8> {
        match kind {
            FieldKind::Scalar(scalar) => Some(wire_type_of(scalar)),
            FieldKind::Enum(_) => Some(VARINT),
            FieldKind::Message(_) | FieldKind::WellKnown(_) => Some(DELIMITED),
            FieldKind::Group => None,
        }
    }

    /// The value at the cursor, as it stands behind the name of its field.
    fn value(&self, kind: FieldKind, reader: &mut ByteReader<'_>, depth: u32) -> Read<String> {
        Ok(match kind {
            FieldKind::Scalar(kind) => format!(": {}", scalar(kind, reader)?),
            FieldKind::Enum(id) => {
                let value = reader.varint()? as i32;
                let known = self.schema.enumeration(id).values.iter().find(|(_, number)| *number == value);
                known.map_or_else(|| format!(": {value}"), |(name, _)| format!(": {name}"))
            }
            FieldKind::Message(id) => braces(&self.message(id, delimited(reader)?, depth + 1)?),
            FieldKind::WellKnown(known) => braces(&well_known(known, delimited(reader)?)?),
            FieldKind::Group => unreachable!("groups have no wire type"),
        })
    }
}

fn braces(inner: &str) -> String {
    if inner.is_empty() { " { }".to_owned() } else { format!(" {{ {inner} }}") }
}

/// A message that every file knows.
fn well_known(known: WellKnown, bytes: &[u8]) -> Read<String> {
    let fields: &[(&str, Scalar)] = match known {
        WellKnown::Decimal => &[("value", Scalar::Bytes), ("precision", Scalar::Uint32), ("scale", Scalar::Int32)],
        WellKnown::Date => &[("year", Scalar::Int32), ("month", Scalar::Int32), ("day", Scalar::Int32)],
        WellKnown::TimeOfDay => &[
            ("hours", Scalar::Int32),
            ("minutes", Scalar::Int32),
            ("seconds", Scalar::Int32),
            ("nanos", Scalar::Int32),
        ],
        WellKnown::Timestamp => &[("seconds", Scalar::Int64), ("nanos", Scalar::Int32)],
        WellKnown::Wrapper(inner) => &[("value", inner)],
    };
    let mut texts = Vec::new();
    let mut reader = ByteReader::new(bytes);
    while !reader.is_at_end() {
        let tag = reader.varint()?;
        let field = usize::try_from(number(tag)).ok().and_then(|number| fields.get(number.checked_sub(1)?));
        match field {
            Some((name, kind)) if wire_type_of(*kind) == wire_type(tag) => {
                texts.push(format!("{name}: {}", scalar(*kind, &mut reader)?));
            }
            _ => texts.extend(unknown(&mut reader, tag)?),
        }
    }
    Ok(texts.join(" "))
}

fn scalar(kind: Scalar, reader: &mut ByteReader<'_>) -> Read<String> {
    Ok(match wire::scalar(kind, reader)? {
        ScalarValue::Integer(value) => value.to_string(),
        ScalarValue::Unsigned(value) => value.to_string(),
        ScalarValue::Number(value) => double(value),
        ScalarValue::Boolean(value) => value.to_string(),
        ScalarValue::Bytes(bytes) => quoted(bytes),
    })
}

fn double(value: f64) -> String {
    let mut text = Vec::new();
    write_double(&mut text, value);
    String::from_utf8_lossy(&text).into_owned()
}

/// A field that the message does not have, by its number; groups are left out.
fn unknown(reader: &mut ByteReader<'_>, tag: u64) -> Read<Option<String>> {
    if number(tag) == 0 || tag > u64::from(u32::MAX) {
        skip(reader, tag)?;
    }
    let number = number(tag);
    Ok(Some(match wire_type(tag) {
        VARINT => format!("{number}: {}", reader.varint()?),
        FIXED32 => format!("{number}: 0x{:08x}", u32::from_le_bytes(reader.array()?)),
        FIXED64 => format!("{number}: 0x{:016x}", u64::from_le_bytes(reader.array()?)),
        DELIMITED => format!("{number}: {}", quoted(delimited(reader)?)),
        _ => {
            skip(reader, tag)?;
            return Ok(None);
        }
    }))
}

/// Bytes in quotes; those that are no ASCII by their octal digits.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\'' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\{other:03o}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::byte_reader::write_varint;

    const FILE: &str = "syntax = 'proto3'; message M { string name = 1; int32 id = 2; repeated N n = 3; E e = 4;
        repeated sint32 packed = 5; map<string, double> m = 6; google.protobuf.Timestamp t = 7; bytes b = 8; }
        message N { bool x = 1; N back = 2; } enum E { NONE = 0; UP = 1; }";

    fn print(bytes: &[u8]) -> Result<String, String> {
        text(&ProtobufSchema::parse(FILE, &[]).expect("a file"), 0, bytes)
    }

    #[test]
    fn fields_stand_behind_their_names_in_the_order_of_their_numbers() {
        for (bytes, expected) in [
            (&[0x10, 0x96, 1, 0x0a, 3, b'a', b'"', 0xc3][..], r#"name: "a\"\303" id: 150"#),
            (&[0x1a, 2, 8, 1, 0x1a, 0, 0x20, 1, 0x20, 9], "n { x: true } n { } e: 9"),
            (&[0x2a, 2, 1, 2, 0x28, 3], "packed: -1 packed: 1 packed: -2"),
            (&[0x32, 12, 0x0a, 1, b'k', 0x11, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f], r#"m { key: "k" value: 1.5 }"#),
            (&[0x3a, 4, 8, 1, 0x10, 5, 0x42, 1, 0], r#"t { seconds: 1 nanos: 5 } b: "\000""#),
            (&[0x50, 7, 0x52, 1, b'x', 0x5d, 1, 0, 0, 0], r#"10: 7 10: "x" 11: 0x00000001"#),
            (&[0x08, 1, 0x10, 1, 0x10, 2], "id: 2 1: 1"),
            (&[], ""),
        ] {
            assert_eq!(print(bytes).as_deref(), Ok(expected), "{bytes:?}");
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
        assert_eq!(text(&file, 1, &bytes), Err("messages are nested too deep".to_owned()));
    }
}
