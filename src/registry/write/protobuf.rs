//! Protobuf messages: a field per column, numbered in order.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::columns_of;
use crate::types::{Column, SqlType};

/// The file with the message of `columns`, or of the struct that stands `alone`.
pub(super) fn write(columns: &[Column], alone: Option<&SqlType>, full_name: Option<&str>) -> String {
    let of_struct = alone.and_then(columns_of);
    let (package, name) = match full_name {
        Some(full_name) => {
            full_name.rsplit_once('.').map_or((None, full_name), |(package, name)| (Some(package), name))
        }
        None => (None, "ConnectDefault1"),
    };
    let mut writer = Writer { imports: BTreeSet::new(), messages: 1 };
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
}

impl Writer {
    fn message(&mut self, name: &str, columns: &[Column], depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut text = format!("{indent}message {name} {{\n");
        let mut nested = String::new();
        for (index, column) in columns.iter().enumerate() {
            let (kind, options) = self.kind(&column.sql_type, depth + 1, &mut nested);
            // Writing to a text does not fail.
            let _ = writeln!(text, "{indent}  {kind} {} = {}{options};", column.name, index + 1);
        }
        if !nested.is_empty() {
            text += &format!("\n{nested}");
        }
        text + &format!("{indent}}}\n")
    }

    /// What stands before and behind the name of a field; messages that it needs go to `nested`.
    fn kind(&mut self, sql_type: &SqlType, depth: usize, nested: &mut String) -> (String, String) {
        let mut imported = |import: &'static str, kind: &str| {
            self.imports.insert(import);
            (kind.to_owned(), String::new())
        };
        match sql_type {
            SqlType::Boolean => ("bool".to_owned(), String::new()),
            SqlType::Integer => ("int32".to_owned(), String::new()),
            SqlType::Bigint => ("int64".to_owned(), String::new()),
            SqlType::Double => ("double".to_owned(), String::new()),
            SqlType::String => ("string".to_owned(), String::new()),
            SqlType::Bytes => ("bytes".to_owned(), String::new()),
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
            SqlType::Array(element) => {
                let (kind, options) = self.kind(element, depth, nested);
                (format!("repeated {kind}"), options)
            }
            SqlType::Map(key, value) => {
                let (key, _) = self.kind(key, depth, nested);
                let (value, options) = self.kind(value, depth, nested);
                (format!("map<{key}, {value}>"), options)
            }
            SqlType::Struct(_) => {
                self.messages += 1;
                let name = format!("ConnectDefault{}", self.messages);
                let message = self.message(&name, &columns_of(sql_type).unwrap_or_default(), depth);
                nested.push_str(&message);
                (name, String::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_numbered_and_messages_nested() {
        let inner = SqlType::Struct(vec![crate::types::StructField { name: "X".to_owned(), sql_type: SqlType::Date }]);
        let columns = [Column::new("I", SqlType::Integer), Column::new("S", SqlType::Array(Box::new(inner)))];
        let expected = "syntax = \"proto3\";\npackage a.b;\n\nimport \"google/type/date.proto\";\n\nmessage M {\n  \
                        int32 I = 1;\n  repeated ConnectDefault2 S = 2;\n\n  message ConnectDefault2 {\n    \
                        google.type.Date X = 1;\n  }\n}\n";
        assert_eq!(write(&columns, None, Some("a.b.M")), expected);
    }
}
