//! Protobuf messages.

use super::protobuf_text::{Field, File, Kind, Message, parse};
use super::{Meaning, Referenced, SchemaError, array, decimal, fields, map};
use crate::types::SqlType;

/// The type of the message called `full_name` in the file `text`, or of its first; what it imports is in `references`.
pub(super) fn read(text: &str, references: &[Referenced], full_name: Option<&str>) -> Result<SqlType, SchemaError> {
    let own = parse_file(text)?;
    let mut others = Vec::new();
    for reference in references {
        others.push(parse_file(&reference.text)?);
    }
    let message = match full_name {
        None => own.messages.first().ok_or_else(|| malformed("it has no message".to_owned()))?,
        Some(name) => own.messages.iter().find(|message| message.name == name).ok_or_else(|| {
            let known = own.messages.iter().map(|message| message.name.clone()).collect();
            SchemaError::UnknownName { name: name.to_owned(), known }
        })?,
    };
    let reader = Reader { files: std::iter::once(&own).chain(&others).collect() };
    reader.message(message, &mut Vec::new())
}

fn parse_file(text: &str) -> Result<File, SchemaError> {
    parse(text).map_err(malformed)
}

fn malformed(reason: String) -> SchemaError {
    SchemaError::Malformed { language: "PROTOBUF", reason }
}

struct Reader<'a> {
    files: Vec<&'a File>,
}

impl<'a> Reader<'a> {
    /// `open`: the messages that are being read; one that leads back to itself has no type.
    fn message(&self, message: &'a Message, open: &mut Vec<&'a str>) -> Result<SqlType, SchemaError> {
        open.push(&message.name);
        let read = self.fields(&message.fields, &message.name, open);
        open.pop();
        read
    }

    fn fields(&self, all: &'a [Field], scope: &str, open: &mut Vec<&'a str>) -> Result<SqlType, SchemaError> {
        let mut read = Vec::new();
        let mut choices = 0;
        for field in all {
            let (name, sql_type) = match &field.kind {
                Kind::OneOf(choice) => {
                    choices += 1;
                    (format!("{}_{}", field.name, choices - 1), Some(self.fields(choice, scope, open)?))
                }
                Kind::Map(key, value) => {
                    let (key, value) = (self.named(key, scope, field, open)?, self.named(value, scope, field, open)?);
                    (field.name.clone(), key.zip(value).and_then(|(key, value)| map(&key, value)))
                }
                Kind::Named(kind) => {
                    let read = self.named(kind, scope, field, open)?;
                    (field.name.clone(), if field.repeated { read.map(array) } else { read })
                }
            };
            read.push((name, sql_type));
        }
        fields(read)
    }

    fn named(
        &self,
        kind: &str,
        scope: &str,
        field: &Field,
        open: &mut Vec<&'a str>,
    ) -> Result<Option<SqlType>, SchemaError> {
        if let Some(known) = well_known(kind, field) {
            return Ok(known.into_type());
        }
        for name in candidates(kind, scope) {
            if self.files.iter().any(|file| file.enums.contains(&name)) {
                return Ok(Some(SqlType::String));
            }
            let mut messages = self.files.iter().flat_map(|file| &file.messages);
            if let Some(message) = messages.find(|message| message.name == name) {
                return if open.contains(&message.name.as_str()) {
                    Ok(None)
                } else {
                    self.message(message, open).map(Some)
                };
            }
        }
        Err(malformed(format!("the type {kind} of the field {} is not defined", field.name)))
    }
}

/// What `kind` may mean within `scope`, innermost first.
fn candidates(kind: &str, scope: &str) -> Vec<String> {
    if let Some(absolute) = kind.strip_prefix('.') {
        return vec![absolute.to_owned()];
    }
    let mut candidates = vec![format!("{scope}.{kind}")];
    let mut outer = scope;
    while let Some((shorter, _)) = outer.rsplit_once('.') {
        candidates.push(format!("{shorter}.{kind}"));
        outer = shorter;
    }
    candidates.push(kind.to_owned());
    candidates
}

/// Scalars, and the messages that stand for a value.
fn well_known(kind: &str, field: &Field) -> Option<Meaning> {
    let parameter = |name: &str| field.parameters.get(name).and_then(|value| value.parse().ok());
    Some(Meaning::Type(match kind.strip_prefix('.').unwrap_or(kind) {
        "bool" | "google.protobuf.BoolValue" => SqlType::Boolean,
        "int32" | "sint32" | "sfixed32" | "google.protobuf.Int32Value" => SqlType::Integer,
        "int64" | "sint64" | "sfixed64" | "uint32" | "fixed32" | "uint64" | "fixed64" => SqlType::Bigint,
        "google.protobuf.Int64Value" | "google.protobuf.UInt32Value" | "google.protobuf.UInt64Value" => SqlType::Bigint,
        "float" | "double" | "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => SqlType::Double,
        "string" | "google.protobuf.StringValue" => SqlType::String,
        "bytes" | "google.protobuf.BytesValue" => SqlType::Bytes,
        "google.protobuf.Timestamp" => SqlType::Timestamp,
        "google.type.Date" => SqlType::Date,
        "google.type.TimeOfDay" => SqlType::Time,
        "confluent.type.Decimal" => return Some(decimal(parameter("precision"), parameter("scale").unwrap_or(0))),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, full_name: Option<&str>, expected: &str) {
        let read = read(text, &[], full_name);
        let read = read.map_or_else(|error| error.to_string(), |sql_type| sql_type.to_string());
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn every_type_of_protobuf_has_its_column() {
        for (field, expected) in [
            ("bool f", "BOOLEAN"),
            ("int32 f", "INTEGER"),
            ("uint32 f", "BIGINT"),
            ("sfixed64 f", "BIGINT"),
            ("float f", "DOUBLE"),
            ("optional string f", "STRING"),
            ("bytes f", "BYTES"),
            ("repeated int64 f", "ARRAY<BIGINT>"),
            ("map<string, double> f", "MAP<STRING, DOUBLE>"),
            ("google.protobuf.Int32Value f", "INTEGER"),
            ("google.protobuf.Timestamp f", "TIMESTAMP"),
            (".google.type.Date f", "DATE"),
            ("google.type.TimeOfDay f", "TIME"),
            ("E f", "STRING"),
            ("M.E f", "STRING"),
            ("N f", "STRUCT<`i` INTEGER>"),
        ] {
            let text = format!("message M {{ {field} = 1; enum E {{ A = 0; }} message N {{ int32 i = 1; }} }}");
            check(&text, None, &format!("STRUCT<`f` {expected}>"));
        }
        let decimal = r#"confluent.type.Decimal f = 1 [(confluent.field_meta) = { params: [
            { key: "precision", value: "4" }, { key: "scale", value: "2" }] }];"#;
        check(&format!("message M {{ {decimal} }}"), None, "STRUCT<`f` DECIMAL(4, 2)>");
        check(
            "message M { oneof o { int32 a = 1; string b = 2; } }",
            None,
            "STRUCT<`o_0` STRUCT<`a` INTEGER, `b` STRING>>",
        );
    }

    #[test]
    fn a_message_is_chosen_by_its_full_name() {
        let text = "package p; message A { int32 a = 1; } message B { A b = 1; }";
        check(text, None, "STRUCT<`a` INTEGER>");
        check(text, Some("p.B"), "STRUCT<`b` STRUCT<`a` INTEGER>>");
        check(text, Some("B"), "Schema name B is not found in the schema; it has p.A, p.B");
    }

    #[test]
    fn imports_are_among_the_references() {
        let text = "import \"event.proto\"; message M { Event e = 1; }";
        check(text, None, "the PROTOBUF schema cannot be read: the type Event of the field e is not defined");
        let event = Referenced { name: "event.proto".to_owned(), text: "message Event { int64 at = 1; }".to_owned() };
        let read = read(text, &[event], None).expect("the import is there");
        assert_eq!(read.to_string(), "STRUCT<`e` STRUCT<`at` BIGINT>>");
    }

    #[test]
    fn what_sql_cannot_hold_is_left_out() {
        check("message M { M next = 1; map<int32, string> m = 2; int32 v = 3; }", None, "STRUCT<`v` INTEGER>");
    }
}
