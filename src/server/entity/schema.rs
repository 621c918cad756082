//! Types and columns, as `DESCRIBE` gives them.

use serde_json::{Value, json};

use crate::catalog::DataSource;
use crate::types::{Column, SqlType};

/// A type: its name, and what it is made of.
pub fn schema(sql_type: &SqlType) -> Value {
    let simple = |name: &str| json!({"type": name, "fields": null, "memberSchema": null});
    match sql_type {
        SqlType::Boolean => simple("BOOLEAN"),
        SqlType::Integer => simple("INTEGER"),
        SqlType::Bigint => simple("BIGINT"),
        SqlType::Double => simple("DOUBLE"),
        SqlType::String => simple("STRING"),
        SqlType::Bytes => simple("BYTES"),
        SqlType::Date => simple("DATE"),
        SqlType::Time => simple("TIME"),
        SqlType::Timestamp => simple("TIMESTAMP"),
        SqlType::Decimal { precision, scale } => json!({
            "type": "DECIMAL",
            "fields": null,
            "memberSchema": null,
            "parameters": {"precision": precision, "scale": scale},
        }),
        SqlType::Array(element) => json!({"type": "ARRAY", "fields": null, "memberSchema": schema(element)}),
        // Keys of maps are texts in ksqlDB, and not told.
        SqlType::Map(_, value) => json!({"type": "MAP", "fields": null, "memberSchema": schema(value)}),
        SqlType::Struct(fields) => {
            let fields: Vec<Value> =
                fields.iter().map(|field| json!({"name": field.name, "schema": schema(&field.sql_type)})).collect();
            json!({"type": "STRUCT", "fields": fields, "memberSchema": null})
        }
    }
}

/// Columns of a key, then those of a value.
pub fn fields(key: &[Column], value: &[Column]) -> Vec<Value> {
    let keys = key.iter().map(|column| field(column, Some("KEY")));
    keys.chain(value.iter().map(|column| field(column, None))).collect()
}

/// The columns of a source, those of headers where they are declared.
pub fn source_fields(source: &DataSource) -> Vec<Value> {
    let mut fields = fields(&source.schema.key, &source.schema.value);
    for (i, header) in source.headers.iter().enumerate() {
        let at = source.schema.key.len() + header.position + i;
        let mut shown = field(&header.column, Some("HEADER"));
        if let Some(name) = &header.header {
            shown["headerKey"] = name.as_str().into();
        }
        fields.insert(at.min(fields.len()), shown);
    }
    fields
}

fn field(column: &Column, role: Option<&str>) -> Value {
    let mut field = json!({"name": column.name, "schema": schema(&column.sql_type)});
    if let Some(role) = role {
        field["type"] = role.into();
    }
    field
}
