//! Protobuf messages.

use super::{Meaning, SchemaError, array, decimal, fields, map};
use crate::registry::Reference;
use crate::registry::protobuf::{Field, FieldKind, MessageId, ProtobufSchema, Scalar, WellKnown};
use crate::types::SqlType;

/// The type of the message called `full_name` in the file `text`, or of its first; what it imports is in `references`.
pub(super) fn read(text: &str, references: &[Reference], full_name: Option<&str>) -> Result<SqlType, SchemaError> {
    let references: Vec<String> = references.iter().map(|(_, text)| text.clone()).collect();
    let schema = ProtobufSchema::parse(text, &references).map_err(malformed)?;
    let message = schema.select(full_name).map_err(|known| match full_name {
        Some(name) => SchemaError::UnknownName { name: name.to_owned(), known },
        None => malformed("it has no message".to_owned()),
    })?;
    Reader { schema: &schema }.message(message, &mut Vec::new())
}

fn malformed(reason: String) -> SchemaError {
    SchemaError::Malformed { language: "PROTOBUF", reason }
}

struct Reader<'a> {
    schema: &'a ProtobufSchema,
}

/// The messages that are being read: one that leads back to itself has no type.
type Open = Vec<MessageId>;

impl Reader<'_> {
    /// Groups of which one field is set come first, each as a struct.
    fn message(&self, id: MessageId, open: &mut Open) -> Result<SqlType, SchemaError> {
        open.push(id);
        let message = self.schema.message(id);
        let mut read = Vec::new();
        for (index, one_of) in message.one_ofs.iter().enumerate() {
            let choices = message.fields.iter().filter(|field| field.one_of == Some(index));
            let choices: Vec<_> = choices.map(|field| self.field(field, open)).collect::<Result<_, _>>()?;
            read.push((format!("{one_of}_{index}"), Some(fields(choices)?)));
        }
        for field in message.fields.iter().filter(|field| field.one_of.is_none()) {
            read.push(self.field(field, open)?);
        }
        open.pop();
        fields(read)
    }

    fn field(&self, field: &Field, open: &mut Open) -> Result<(String, Option<SqlType>), SchemaError> {
        let read = match field.kind {
            FieldKind::Message(id) if field.repeated && self.schema.message(id).entry.is_some() => {
                return Ok((field.name.clone(), self.map(id, open)?));
            }
            FieldKind::Message(id) if open.contains(&id) => None,
            FieldKind::Message(id) => Some(self.message(id, open)?),
            FieldKind::Enum(_) => Some(SqlType::String),
            FieldKind::Scalar(scalar) => Some(scalar_type(scalar)),
            FieldKind::WellKnown(known) => well_known_type(known, field).into_type(),
            FieldKind::Group => None,
        };
        Ok((field.name.clone(), if field.repeated { read.map(array) } else { read }))
    }

    fn map(&self, id: MessageId, open: &mut Open) -> Result<Option<SqlType>, SchemaError> {
        if open.contains(&id) {
            return Ok(None);
        }
        open.push(id);
        let [key, value] = self.schema.message(id).fields.as_slice() else { unreachable!("entries have two fields") };
        let (key, value) = (self.field(key, open)?.1, self.field(value, open)?.1);
        open.pop();
        Ok(key.zip(value).and_then(|(key, value)| map(&key, value)))
    }
}

fn scalar_type(scalar: Scalar) -> SqlType {
    match scalar {
        Scalar::Bool => SqlType::Boolean,
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => SqlType::Integer,
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => SqlType::Bigint,
        Scalar::Uint32 | Scalar::Fixed32 | Scalar::Uint64 | Scalar::Fixed64 => SqlType::Bigint,
        Scalar::Float | Scalar::Double => SqlType::Double,
        Scalar::String => SqlType::String,
        Scalar::Bytes => SqlType::Bytes,
    }
}

fn well_known_type(known: WellKnown, field: &Field) -> Meaning {
    let parameter = |name: &str| field.parameters.get(name).and_then(|value| value.parse().ok());
    Meaning::Type(match known {
        WellKnown::Decimal => return decimal(parameter("precision"), parameter("scale").unwrap_or(0)),
        WellKnown::Date => SqlType::Date,
        WellKnown::TimeOfDay => SqlType::Time,
        WellKnown::Timestamp => SqlType::Timestamp,
        WellKnown::Wrapper(scalar) => scalar_type(scalar),
    })
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
    fn choices_come_before_other_fields() {
        let text = "message M { int32 a = 1; oneof x { int32 b = 2; } oneof y { bool c = 3; } }";
        check(text, None, "STRUCT<`x_0` STRUCT<`b` INTEGER>, `y_1` STRUCT<`c` BOOLEAN>, `a` INTEGER>");
    }

    #[test]
    fn repeated_entries_are_a_map() {
        let entry =
            "message M { repeated E1Entry m = 1; message E1Entry { string key = 1; repeated int32 value = 2; } }";
        check(entry, None, "STRUCT<`m` MAP<STRING, ARRAY<INTEGER>>>");
        check(&entry.replace("E1Entry", "E1"), None, "STRUCT<`m` ARRAY<STRUCT<`key` STRING, `value` ARRAY<INTEGER>>>>");
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
        let event = ("event.proto".to_owned(), "message Event { int64 at = 1; }".to_owned());
        let read = read(text, &[event], None).expect("the import is there");
        assert_eq!(read.to_string(), "STRUCT<`e` STRUCT<`at` BIGINT>>");
    }

    #[test]
    fn what_sql_cannot_hold_is_left_out() {
        check("message M { M next = 1; map<int32, string> m = 2; int32 v = 3; }", None, "STRUCT<`v` INTEGER>");
    }
}
