//! A datum as text, as Avro's own records print themselves.

use super::cursor::{Cursor, Fault, Read};
use crate::formats::decimal_bytes::big_endian;
use crate::registry::avro::{AvroSchema, Node, NodeId};
use crate::types::java_text::{shortest, write_decimal256, write_double, write_integer};
use crate::types::json_text::write_text;

/// Values nested deeper are refused: a schema may hold itself.
const DEPTH_MAX: u32 = 256;

/// Longer texts are refused: elements that take no bytes may be many.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// `datum` as text: `{"A": 1, "B": "x"}`, and a text alone as it is. Decimals are the characters of their bytes.
pub(in crate::formats) fn text(schema: &AvroSchema, datum: &[u8]) -> Result<String, String> {
    print(schema, datum, false)
}

/// As [`text`], but decimals are numbers.
pub(in crate::formats) fn json(schema: &AvroSchema, datum: &[u8]) -> Result<String, String> {
    print(schema, datum, true)
}

fn print(schema: &AvroSchema, datum: &[u8], decimals: bool) -> Result<String, String> {
    let mut printer = Printer { schema, cursor: Cursor::new(datum), depth: 0, out: Vec::new(), decimals };
    let written = match schema.node(schema.without_null(schema.root())) {
        Node::String if matches!(schema.node(schema.root()), Node::String) => {
            printer.cursor.bytes().map(|text| printer.out.extend_from_slice(text))
        }
        _ => printer.value(schema.root()),
    };
    written.map_err(|fault| fault.to_string())?;
    if !printer.cursor.is_at_end() {
        return Err("bytes are left over".to_owned());
    }
    String::from_utf8(printer.out).map_err(|_| "a string is no UTF-8".to_owned())
}

struct Printer<'a> {
    schema: &'a AvroSchema,
    cursor: Cursor<'a>,
    depth: u32,
    out: Vec<u8>,
    /// Whether decimals are numbers.
    decimals: bool,
}

impl Printer<'_> {
    fn value(&mut self, node: NodeId) -> Read<()> {
        if self.depth > DEPTH_MAX || self.out.len() > TEXT_BYTES_MAX {
            return Err(Fault::Wrong("the values are nested too deep, or too many".to_owned()));
        }
        self.depth += 1;
        let written = self.inner(node);
        self.depth -= 1;
        written
    }

    fn inner(&mut self, node: NodeId) -> Read<()> {
        let schema = self.schema;
        match schema.node(node) {
            Node::Null => self.out.extend_from_slice(b"null"),
            Node::Boolean => {
                let value = self.cursor.boolean()?;
                self.out.extend_from_slice(if value { b"true" } else { b"false" });
            }
            Node::Int => write_integer(&mut self.out, i64::from(self.cursor.int()?)),
            Node::Long => write_integer(&mut self.out, self.cursor.long()?),
            Node::Float => {
                let value = shortest(self.cursor.float()?);
                self.number(value);
            }
            Node::Double => {
                let value = self.cursor.double()?;
                self.number(value);
            }
            Node::String => write_text(&mut self.out, self.cursor.bytes()?),
            Node::Bytes { scale: Some(scale) } if self.decimals => {
                let bytes = self.cursor.bytes()?;
                self.decimal(bytes, *scale)?;
            }
            Node::Fixed { size, scale: Some(scale) } if self.decimals => {
                let bytes = self.cursor.take(*size)?;
                self.decimal(bytes, *scale)?;
            }
            // Each byte is a character of Latin-1.
            Node::Bytes { .. } => {
                let text: String = self.cursor.bytes()?.iter().map(|byte| char::from(*byte)).collect();
                write_text(&mut self.out, text.as_bytes());
            }
            Node::Fixed { size, .. } => {
                let bytes = self.cursor.take(*size)?;
                let digits: Vec<String> = bytes.iter().map(|byte| byte.cast_signed().to_string()).collect();
                self.out.extend_from_slice(format!("[{}]", digits.join(", ")).as_bytes());
            }
            Node::Enum(symbols) => {
                let index = self.cursor.int()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                let symbol = symbol.ok_or_else(|| Fault::Wrong(format!("the enum has no symbol {index}")))?;
                write_text(&mut self.out, symbol.as_bytes());
            }
            Node::Array(items) => self.blocks((b'[', b']'), |printer| printer.value(*items))?,
            Node::Map(values) => self.blocks((b'{', b'}'), |printer| {
                write_text(&mut printer.out, printer.cursor.bytes()?);
                printer.out.extend_from_slice(b": ");
                printer.value(*values)
            })?,
            Node::Record(fields) => {
                self.out.push(b'{');
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        self.out.extend_from_slice(b", ");
                    }
                    write_text(&mut self.out, field.name.as_bytes());
                    self.out.extend_from_slice(b": ");
                    self.value(field.node)?;
                }
                self.out.push(b'}');
            }
            Node::Union(branches) => {
                let index = self.cursor.long()?;
                let branch = usize::try_from(index).ok().and_then(|index| branches.get(index));
                self.value(*branch.ok_or_else(|| Fault::Wrong(format!("the union has no branch {index}")))?)?;
            }
            Node::Open => return Err(Fault::Wrong("the schema has no end".to_owned())),
        }
        Ok(())
    }

    fn blocks(&mut self, (begin, end): (u8, u8), mut element: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.out.push(begin);
        let mut is_first = true;
        loop {
            let count = self.cursor.block()?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if !is_first {
                    self.out.extend_from_slice(b", ");
                }
                is_first = false;
                element(self)?;
            }
        }
        self.out.push(end);
        Ok(())
    }

    fn decimal(&mut self, bytes: &[u8], scale: u8) -> Read<()> {
        let digits = big_endian(bytes).ok_or_else(|| Fault::Wrong("a decimal has too many digits".to_owned()))?;
        write_decimal256(&mut self.out, digits, scale);
        Ok(())
    }

    /// What no number of JSON is stands in quotes.
    fn number(&mut self, value: f64) {
        if value.is_finite() {
            write_double(&mut self.out, value);
        } else {
            self.out.push(b'"');
            write_double(&mut self.out, value);
            self.out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_print_as_those_of_avro() {
        let schema = r#"{"type": "record", "name": "r", "fields": [
            {"name": "s", "type": ["null", "string"]}, {"name": "n", "type": ["null", "long"]}, {"name": "f", "type": "float"},
            {"name": "d", "type": "double"}, {"name": "a", "type": {"type": "array", "items": "int"}},
            {"name": "m", "type": {"type": "map", "values": "boolean"}}, {"name": "b", "type": "bytes"},
            {"name": "x", "type": {"type": "fixed", "name": "x", "size": 2}},
            {"name": "e", "type": {"type": "enum", "name": "e", "symbols": ["UP", "DOWN"]}}]}"#;
        let schema = AvroSchema::parse(schema, &[]).expect("a schema");
        let mut datum = vec![2, 4, b'"', b'a', 0];
        datum.extend_from_slice(&0.1_f32.to_le_bytes());
        datum.extend_from_slice(&f64::NAN.to_le_bytes());
        datum.extend_from_slice(&[4, 2, 3, 0, 2, 2, b'k', 1, 0, 2, 0xe9, 255, 1, 2]);
        let expected = r#"{"s": "\"a", "n": null, "f": 0.1, "d": "NaN", "a": [1, -2], "m": {"k": true}, "b": "é", "x": [-1, 1], "e": "DOWN"}"#;
        assert_eq!(text(&schema, &datum).as_deref(), Ok(expected));
        datum.push(0);
        assert_eq!(text(&schema, &datum), Err("bytes are left over".to_owned()));
        assert_eq!(text(&schema, &datum[..3]), Err("the bytes end too early".to_owned()));
    }

    #[test]
    fn decimals_are_numbers_of_json() {
        let decimal = |kind: &str| {
            let schema = format!(r#"{{"type": {kind}, "logicalType": "decimal", "precision": 4, "scale": 2}}"#);
            AvroSchema::parse(&schema, &[]).expect("a schema")
        };
        assert_eq!(json(&decimal("\"bytes\""), &[4, 0x04, 0xe2]).as_deref(), Ok("12.50"));
        assert_eq!(text(&decimal("\"bytes\""), &[2, 65]).as_deref(), Ok("\"A\""));
        assert_eq!(json(&decimal(r#""fixed", "name": "f", "size": 2"#), &[0xff, 0xff]).as_deref(), Ok("-0.01"));
    }

    #[test]
    fn a_text_alone_has_no_quotes() {
        let schema = AvroSchema::parse("\"string\"", &[]).expect("a schema");
        assert_eq!(text(&schema, &[4, b'h', b'i']).as_deref(), Ok("hi"));
    }

    #[test]
    fn a_schema_within_itself_ends() {
        let schema = r#"{"type": "record", "name": "n", "fields": [{"name": "next", "type": ["null", "n"]}]}"#;
        let schema = AvroSchema::parse(schema, &[]).expect("a schema");
        assert_eq!(text(&schema, &[2, 0]).as_deref(), Ok(r#"{"next": {"next": null}}"#));
        assert!(text(&schema, &vec![2; 100_000]).is_err());
    }
}
