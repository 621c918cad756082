//! Protobuf messages: a field per column, numbered in order.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{NullableRepresentation, columns_of};
use crate::types::{Column, SqlType};

/// The file with the message of `columns`, or of the struct that stands `alone`.
pub(super) fn write(
    columns: &[Column],
    alone: Option<&SqlType>,
    full_name: Option<&str>,
    nullable: Option<NullableRepresentation>,
) -> String {
    let of_struct = alone.and_then(columns_of);
    let mut writer = Writer { imports: BTreeSet::new(), messages: 0, nullable };
    let full_name = full_name.map_or_else(|| writer.made_up_name(), str::to_owned);
    let (package, name) = match full_name.rsplit_once('.') {
        Some((package, name)) => (Some(package), name),
        None => (None, full_name.as_str()),
    };
    let message = writer.message(name, of_struct.as_deref().unwrap_or(columns), 0);
    let mut text = "syntax = \"proto3\";\n".to_owned();
    if let Some(package) = package {
        text += &format!("package {package};\n");
    }
    if !writer.imports.is_empty() {
        text.push('\n');
        text.extend(writer.imports.iter().map(|import| format!("import \"{import}\";\n")));
    }
    text + "\n" + &message
}

struct Writer {
    imports: BTreeSet<&'static str>,
    /// Messages with a made-up name.
    messages: usize,
    nullable: Option<NullableRepresentation>,
}

/// A field, but for its name and number.
struct Field {
    label: &'static str,
    kind: String,
    options: String,
}

impl Writer {
    fn made_up_name(&mut self) -> String {
        self.messages += 1;
        format!("ConnectDefault{}", self.messages)
    }

    fn message(&mut self, name: &str, columns: &[Column], depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut text = format!("{indent}message {name} {{\n");
        let mut nested = String::new();
        for (index, column) in columns.iter().enumerate() {
            let field = self.field(&column.name, &column.sql_type, depth + 1, &mut nested);
            let Field { label, kind, options } = field;
            // Writing to a text does not fail.
            let _ = writeln!(text, "{indent}  {label}{kind} {} = {}{options};", column.name, index + 1);
        }
        if !nested.is_empty() {
            text += &format!("\n{nested}");
        }
        text + &format!("{indent}}}\n")
    }

    /// A field for values of `sql_type`; messages that it needs go to `nested`.
    fn field(&mut self, name: &str, sql_type: &SqlType, depth: usize, nested: &mut String) -> Field {
        let (label, one) = match sql_type {
            SqlType::Array(element) => ("repeated ", &**element),
            SqlType::Map(..) => ("repeated ", sql_type),
            other if self.nullable == Some(NullableRepresentation::Optional) => ("optional ", other),
            other => ("", other),
        };
        let (kind, options) = self.kind(name, one, depth, nested);
        Field { label, kind, options }
    }

    /// The type of one value, and what stands behind the field.
    fn kind(&mut self, field: &str, sql_type: &SqlType, depth: usize, nested: &mut String) -> (String, String) {
        let wraps = self.nullable == Some(NullableRepresentation::Wrapper);
        let mut scalar = |plain: &str, wrapper: &str| {
            if wraps {
                self.imports.insert("google/protobuf/wrappers.proto");
            }
            (if wraps { format!("google.protobuf.{wrapper}") } else { plain.to_owned() }, String::new())
        };
        match sql_type {
            SqlType::Boolean => return scalar("bool", "BoolValue"),
            SqlType::Integer => return scalar("int32", "Int32Value"),
            SqlType::Bigint => return scalar("int64", "Int64Value"),
            SqlType::Double => return scalar("double", "DoubleValue"),
            SqlType::String => return scalar("string", "StringValue"),
            SqlType::Bytes => return scalar("bytes", "BytesValue"),
            _ => {}
        }
        let mut imported = |import: &'static str, kind: &str| {
            self.imports.insert(import);
            (kind.to_owned(), String::new())
        };
        match sql_type {
            SqlType::Date => imported("google/type/date.proto", "google.type.Date"),
            SqlType::Time => imported("google/type/timeofday.proto", "google.type.TimeOfDay"),
            SqlType::Timestamp => imported("google/protobuf/timestamp.proto", "google.protobuf.Timestamp"),
            SqlType::Decimal { precision, scale } => {
                self.imports.extend(["confluent/meta.proto", "confluent/type/decimal.proto"]);
                let parameter = |key: &str, value: u8| format!("{{ value: \"{value}\", key: \"{key}\" }}");
                let parameters = [parameter("precision", *precision), parameter("scale", *scale)].join(", ");
                let options = format!(" [(confluent.field_meta) = {{ params: [{parameters}] }}]");
                ("confluent.type.Decimal".to_owned(), options)
            }
            // Connect writes entries as messages, not as `map`: their keys may be null.
            SqlType::Map(key, value) => {
                let name = self.made_up_name() + "Entry";
                let entry = [Column::new("key", (**key).clone()), Column::new("value", (**value).clone())];
                nested.push_str(&self.message(&name, &entry, depth));
                (name, String::new())
            }
            other => {
                let mut name = self.made_up_name();
                if name == field {
                    name += "Message";
                }
                nested.push_str(&self.message(&name, &columns_of(other).unwrap_or_default(), depth));
                (name, String::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::StructField;

    fn struct_of(name: &str, sql_type: SqlType) -> SqlType {
        SqlType::Struct(vec![StructField { name: name.to_owned(), sql_type }])
    }

    #[test]
    fn fields_are_numbered_and_messages_nested() {
        let columns = [
            Column::new("I", SqlType::Integer),
            Column::new("S", SqlType::Array(Box::new(struct_of("X", SqlType::Date)))),
        ];
        let expected = "syntax = \"proto3\";\npackage a.b;\n\nimport \"google/type/date.proto\";\n\nmessage M {\n  \
                        int32 I = 1;\n  repeated ConnectDefault1 S = 2;\n\n  message ConnectDefault1 {\n    \
                        google.type.Date X = 1;\n  }\n}\n";
        assert_eq!(write(&columns, None, Some("a.b.M"), None), expected);
    }

    #[test]
    fn maps_are_repeated_entries() {
        let map = SqlType::Map(Box::new(SqlType::String), Box::new(SqlType::Integer));
        let expected = "syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  repeated ConnectDefault2Entry M = 1;\n\n  \
                        message ConnectDefault2Entry {\n    string key = 1;\n    int32 value = 2;\n  }\n}\n";
        assert_eq!(write(&[Column::new("M", map)], None, None, None), expected);
    }

    #[test]
    fn nulls_are_told_from_defaults_where_that_is_asked_for() {
        let columns = [
            Column::new("I", SqlType::Integer),
            Column::new("A", SqlType::Array(Box::new(SqlType::String))),
            Column::new("S", struct_of("X", SqlType::Boolean)),
        ];
        let optional = "message ConnectDefault1 {\n  optional int32 I = 1;\n  repeated string A = 2;\n  optional \
                        ConnectDefault2 S = 3;\n\n  message ConnectDefault2 {\n    optional bool X = 1;\n  }\n}\n";
        assert!(write(&columns, None, None, Some(NullableRepresentation::Optional)).ends_with(optional));
        let wrapper = "import \"google/protobuf/wrappers.proto\";\n\nmessage ConnectDefault1 {\n  \
                       google.protobuf.Int32Value I = 1;\n  repeated google.protobuf.StringValue A = 2;\n  ConnectDefault2 \
                       S = 3;\n\n  message ConnectDefault2 {\n    google.protobuf.BoolValue X = 1;\n  }\n}\n";
        assert!(write(&columns, None, None, Some(NullableRepresentation::Wrapper)).ends_with(wrapper));
    }
}
