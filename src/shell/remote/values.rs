//! Rows of an answer, which are JSON, as columns of their types.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, ListArray, MapArray,
    RecordBatch, RecordBatchOptions, StringArray, StructArray, Time32MillisecondArray, TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::types::{Column, SqlType, iso_text};

/// One batch of `rows`, each an array with a value for each column. What is missing, or no value of its column, is null.
pub(super) fn batch(columns: &[Column], rows: &[Vec<Value>]) -> Result<RecordBatch, ArrowError> {
    let arrays = columns.iter().enumerate().map(|(i, column)| {
        let values: Vec<&Value> = rows.iter().map(|row| row.get(i).unwrap_or(&Value::Null)).collect();
        array(&column.sql_type, &values)
    });
    let arrays = arrays.collect::<Result<Vec<ArrayRef>, _>>()?;
    let fields: Vec<Field> = columns.iter().map(Column::field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

fn array(sql_type: &SqlType, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    Ok(match sql_type {
        SqlType::Boolean => Arc::new(values.iter().map(|value| value.as_bool()).collect::<BooleanArray>()),
        SqlType::Integer => Arc::new(values.iter().map(|value| parsed(value)).collect::<Int32Array>()),
        SqlType::Bigint => Arc::new(values.iter().map(|value| parsed(value)).collect::<Int64Array>()),
        SqlType::Double => Arc::new(values.iter().map(|value| parsed(value)).collect::<Float64Array>()),
        SqlType::Decimal { .. } => {
            let texts: StringArray = values.iter().map(|value| plain(value)).collect();
            cast(&texts, &sql_type.arrow())?
        }
        SqlType::String => Arc::new(values.iter().map(|value| plain(value)).collect::<StringArray>()),
        SqlType::Bytes => {
            let decoded = values.iter().map(|value| STANDARD.decode(value.as_str()?).ok());
            Arc::new(decoded.collect::<BinaryArray>())
        }
        SqlType::Date => {
            let days = values.iter().map(|value| iso_text::parse_date(value.as_str()?));
            Arc::new(days.collect::<Date32Array>())
        }
        SqlType::Time => {
            let times = values.iter().map(|value| iso_text::parse_time(value.as_str()?));
            Arc::new(times.collect::<Time32MillisecondArray>())
        }
        SqlType::Timestamp => {
            let times = values.iter().map(|value| iso_text::parse_timestamp(value.as_str()?));
            Arc::new(times.collect::<TimestampMillisecondArray>())
        }
        SqlType::Array(element) => list(sql_type, element, values)?,
        SqlType::Map(key, value) => map(sql_type, key, value, values)?,
        SqlType::Struct(fields) => {
            let members = fields.iter().map(|field| {
                let of_field: Vec<&Value> = values.iter().map(|value| member(value, &field.name)).collect();
                array(&field.sql_type, &of_field)
            });
            let members = members.collect::<Result<Vec<ArrayRef>, _>>()?;
            let DataType::Struct(fields) = sql_type.arrow() else { return Err(strange()) };
            let valid: NullBuffer = values.iter().map(|value| value.is_object()).collect();
            Arc::new(StructArray::try_new_with_length(fields, members, Some(valid), values.len())?)
        }
    })
}

fn list(sql_type: &SqlType, element: &SqlType, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    let DataType::List(field) = sql_type.arrow() else { return Err(strange()) };
    let elements: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
    let lengths = values.iter().map(|value| value.as_array().map_or(0, Vec::len));
    let valid: NullBuffer = values.iter().map(|value| value.is_array()).collect();
    let elements = array(element, &elements)?;
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), elements, Some(valid))?))
}

fn map(sql_type: &SqlType, key: &SqlType, value: &SqlType, values: &[&Value]) -> Result<ArrayRef, ArrowError> {
    let DataType::Map(field, sorted) = sql_type.arrow() else { return Err(strange()) };
    let DataType::Struct(fields) = field.data_type().clone() else { return Err(strange()) };
    let entries = || values.iter().filter_map(|value| value.as_object()).flatten();
    // Keys of JSON's objects are texts, whatever type they have here.
    let keys: StringArray = entries().map(|(key, _)| Some(key.as_str())).collect();
    let keys = if *key == SqlType::String { Arc::new(keys) } else { cast(&keys, &key.arrow())? };
    let members: Vec<&Value> = entries().map(|(_, value)| value).collect();
    let entries = StructArray::try_new(fields, vec![keys, array(value, &members)?], None)?;
    let lengths = values.iter().map(|value| value.as_object().map_or(0, serde_json::Map::len));
    let valid: NullBuffer = values.iter().map(|value| value.is_object()).collect();
    Ok(Arc::new(MapArray::try_new(field, OffsetBuffer::from_lengths(lengths), entries, Some(valid), sorted)?))
}

/// The member `name` of an object; servers may write it in another case.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    let Some(members) = value.as_object() else { return &Value::Null };
    let similar = || members.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    members.get(name).or_else(similar).unwrap_or(&Value::Null)
}

/// A number with all its digits, or a text that is one.
fn parsed<T: std::str::FromStr>(value: &Value) -> Option<T> {
    plain(value)?.parse().ok()
}

/// A text as it is, anything else as JSON.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn strange() -> ArrowError {
    ArrowError::SchemaError("a nested type has no Arrow type of its own".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::schema::parse_columns;
    use super::*;
    use crate::types::json_value::write_json;

    /// Rows of JSON through columns of `schema` and back.
    fn check(schema: &str, rows: &str, expected: &str) {
        let (columns, _) = parse_columns(schema);
        let rows: Vec<Vec<Value>> = serde_json::from_str(rows).expect("the rows are JSON");
        let batch = batch(&columns, &rows).expect("the values can be read");
        let mut shown = Vec::new();
        for row in 0..batch.num_rows() {
            for (i, column) in columns.iter().enumerate() {
                shown.extend_from_slice(if row + i == 0 { b"" } else { b" " });
                write_json(&mut shown, batch.column(i), row, &column.sql_type).expect("memory takes every byte");
            }
        }
        assert_eq!(String::from_utf8_lossy(&shown), expected);
    }

    #[test]
    fn values_come_back_as_they_were() {
        check("`A` INTEGER, `B` BIGINT, `C` BOOLEAN", "[[1, 9007199254740993, true]]", "1 9007199254740993 true");
        check("`D` DECIMAL(38, 2), `E` DOUBLE", "[[12345678901234567890.12, 1.5]]", "12345678901234567890.12 1.5");
        check("`E` DOUBLE, `D` DECIMAL(4, 2)", r#"[["NaN", "1.50"]]"#, r#""NaN" 1.50"#);
        check("`S` STRING, `B` BYTES", r#"[["é", "AQI="], [null, null]]"#, r#""é" "AQI=" null null"#);
        let times = r#""2020-01-02" "03:04:05.006" "2020-01-02T03:04:05.006""#;
        check("`D` DATE, `T` TIME, `S` TIMESTAMP", &format!("[[{}]]", times.replace(' ', ",")), times);
    }

    #[test]
    fn nested_values_come_back_as_they_were() {
        check("`L` ARRAY<ARRAY<INTEGER>>", "[[[[1],[null,2],null]], [null], [[]]]", "[[1],[null,2],null] null []");
        check("`M` MAP<STRING, BIGINT>", r#"[[{"a":1,"b":null}], [null]]"#, r#"{"a":1,"b":null} null"#);
        check("`S` STRUCT<`X` INTEGER, `y` STRING>", r#"[[{"x":1}], [null]]"#, r#"{"X":1,"y":null} null"#);
    }

    #[test]
    fn what_fits_no_column_is_null() {
        check("`A` INTEGER, `B` INTEGER", r#"[["x"], [9999999999, 1]]"#, "null null null 1");
        check("`S` STRING", r#"[[{"a":1}]]"#, r#""{\"a\":1}""#);
    }
}
