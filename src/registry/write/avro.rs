//! Avro schemas. Every field may be null; maps are arrays of entries, since their keys may be null too.

use serde_json::{Value, json};

use super::{Side, columns_of};
use crate::types::{Column, SqlType};

const NAMESPACE: &str = "io.confluent.ksql.avro_schemas";

/// Full name of the record of a side of `source`: `…KsqlDataSourceSchema`, `…MyStreamKey`.
pub(super) fn record_name(side: Side, source: &str) -> String {
    match side {
        Side::Value => format!("{NAMESPACE}.KsqlDataSourceSchema"),
        Side::Key => {
            let word = |word: &str| {
                let mut characters = word.chars();
                let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
                first + &characters.as_str().to_lowercase()
            };
            let words: String = source.split(['_', '-']).map(word).collect();
            format!("{NAMESPACE}.{words}Key")
        }
    }
}

/// The schema of a record called `name` of `columns`, or of the value that stands `alone`.
pub(super) fn write(columns: &[Column], alone: Option<&SqlType>, name: &str) -> Value {
    match alone {
        Some(sql_type) => required(sql_type, name),
        None => record(columns, name, None),
    }
}

fn record(columns: &[Column], full_name: &str, internal: Option<&str>) -> Value {
    let field = |column: &Column| {
        let name = column.name.replace('.', "_");
        let inner = format!("{full_name}_{name}");
        json!({"name": name, "type": ["null", required(&column.sql_type, &inner)], "default": null})
    };
    let fields: Vec<Value> = columns.iter().map(field).collect();
    let (namespace, name) = full_name.rsplit_once('.').unwrap_or(("", full_name));
    let mut record = json!({"type": "record", "name": name});
    if !namespace.is_empty() {
        record["namespace"] = namespace.into();
    }
    record["fields"] = fields.into();
    match internal {
        Some(internal) => record["connect.internal.type"] = internal.into(),
        None => record["connect.name"] = full_name.into(),
    }
    record
}

fn required(sql_type: &SqlType, name: &str) -> Value {
    let logical = |kind: &str, connect: &str, logical: &str| {
        let connect = format!("org.apache.kafka.connect.data.{connect}");
        json!({"type": kind, "connect.version": 1, "connect.name": connect, "logicalType": logical})
    };
    match sql_type {
        SqlType::Boolean => "boolean".into(),
        SqlType::Integer => "int".into(),
        SqlType::Bigint => "long".into(),
        SqlType::Double => "double".into(),
        SqlType::String => "string".into(),
        SqlType::Bytes => "bytes".into(),
        SqlType::Date => logical("int", "Date", "date"),
        SqlType::Time => logical("int", "Time", "time-millis"),
        SqlType::Timestamp => logical("long", "Timestamp", "timestamp-millis"),
        SqlType::Decimal { precision, scale } => json!({
            "type": "bytes", "scale": scale, "precision": precision, "connect.version": 1,
            "connect.parameters": {"scale": scale.to_string(), "connect.decimal.precision": precision.to_string()},
            "connect.name": "org.apache.kafka.connect.data.Decimal", "logicalType": "decimal"
        }),
        SqlType::Array(element) => json!({"type": "array", "items": ["null", required(element, name)]}),
        SqlType::Map(key, value) => {
            let entry = [Column::new("key", (**key).clone()), Column::new("value", (**value).clone())];
            let entry = record(&entry, name, Some("MapEntry"));
            json!({"type": "array", "items": entry, "connect.internal.type": "MapEntry"})
        }
        SqlType::Struct(_) => record(&columns_of(sql_type).unwrap_or_default(), name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_names_of_ksqldb() {
        let columns = [Column::new("FOO", SqlType::Integer)];
        let schema = write(&columns, None, &record_name(Side::Value, "S"));
        let expected = json!({
            "type": "record", "name": "KsqlDataSourceSchema", "namespace": "io.confluent.ksql.avro_schemas",
            "fields": [{"name": "FOO", "type": ["null", "int"], "default": null}],
            "connect.name": "io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"
        });
        assert_eq!(schema, expected);
        assert_eq!(record_name(Side::Key, "LEFT_TABLE"), "io.confluent.ksql.avro_schemas.LeftTableKey");
        assert_eq!(write(&columns, Some(&SqlType::Bigint), "x"), json!("long"));
    }
}
