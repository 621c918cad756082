//! JSON Schema. Everything may be null; maps are arrays of entries, since their keys may be null too.

use serde_json::{Map, Value, json};

use super::columns_of;
use crate::types::{Column, SqlType};

/// The schema of an object of `columns`, or of the value that stands `alone`.
pub(super) fn write(columns: &[Column], alone: Option<&SqlType>) -> Value {
    match alone {
        Some(sql_type) => nullable(&required(sql_type), None),
        None => object(columns),
    }
}

/// `schema` or null; `index` is its place among the properties.
fn nullable(schema: &Value, index: Option<usize>) -> Value {
    let mut nullable = Map::new();
    if let Some(index) = index {
        nullable.insert("connect.index".to_owned(), index.into());
    }
    nullable.insert("oneOf".to_owned(), json!([{"type": "null"}, schema]));
    Value::Object(nullable)
}

fn object(columns: &[Column]) -> Value {
    let property =
        |(index, column): (usize, &Column)| (column.name.clone(), nullable(&required(&column.sql_type), Some(index)));
    let properties: Map<String, Value> = columns.iter().enumerate().map(property).collect();
    json!({"type": "object", "properties": properties})
}

fn required(sql_type: &SqlType) -> Value {
    let plain = |kind: &str, connect: &str| json!({"type": kind, "connect.type": connect});
    let logical = |title: &str, connect: &str| {
        let title = format!("org.apache.kafka.connect.data.{title}");
        json!({"type": "integer", "title": title, "connect.version": 1, "connect.type": connect})
    };
    match sql_type {
        SqlType::Boolean => json!({"type": "boolean"}),
        SqlType::Integer => plain("integer", "int32"),
        SqlType::Bigint => plain("integer", "int64"),
        SqlType::Double => plain("number", "float64"),
        SqlType::String => json!({"type": "string"}),
        SqlType::Bytes => plain("string", "bytes"),
        SqlType::Date => logical("Date", "int32"),
        SqlType::Time => logical("Time", "int32"),
        SqlType::Timestamp => logical("Timestamp", "int64"),
        SqlType::Decimal { precision, scale } => json!({
            "type": "number", "title": "org.apache.kafka.connect.data.Decimal", "connect.version": 1,
            "connect.type": "bytes",
            "connect.parameters": {"scale": scale.to_string(), "connect.decimal.precision": precision.to_string()}
        }),
        SqlType::Array(element) => json!({"type": "array", "items": nullable(&required(element), None)}),
        SqlType::Map(key, value) => {
            let entry = [Column::new("key", (**key).clone()), Column::new("value", (**value).clone())];
            json!({"type": "array", "connect.type": "map", "items": object(&entry)})
        }
        SqlType::Struct(_) => object(&columns_of(sql_type).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_note_their_place_and_may_be_null() {
        let columns = [Column::new("FOO", SqlType::Integer)];
        let integer = json!({"type": "integer", "connect.type": "int32"});
        let foo = json!({"connect.index": 0, "oneOf": [{"type": "null"}, integer]});
        assert_eq!(write(&columns, None), json!({"type": "object", "properties": {"FOO": foo}}));
        assert_eq!(write(&columns, Some(&SqlType::Integer)), json!({"oneOf": [{"type": "null"}, integer]}));
    }
}
