//! Random columns, and rows of them in JSON.

use levada::types::java_text::write_base64;
use levada::types::{Column, SqlType, StructField};

use crate::oracle::random::Random;

/// A few columns of any types that can nest `depth` times.
pub fn columns(random: &mut Random, count_max: i64, depth: u32) -> Vec<Column> {
    (0..random.between(1, count_max)).map(|index| Column::new(format!("C{index}"), sql_type(random, depth))).collect()
}

fn sql_type(random: &mut Random, depth: u32) -> SqlType {
    if depth == 0 || random.chance(50) {
        return scalar(random);
    }
    match random.between(0, 2) {
        0 => SqlType::Array(Box::new(sql_type(random, depth - 1))),
        1 => SqlType::Map(Box::new(SqlType::String), Box::new(sql_type(random, depth - 1))),
        _ => {
            let field = |index| StructField { name: format!("F{index}"), sql_type: sql_type(random, depth - 1) };
            SqlType::Struct((0..3).map(field).collect())
        }
    }
}

fn scalar(random: &mut Random) -> SqlType {
    let precision = random.between(1, 60) as u8;
    let scale = random.between(0, 20).min(i64::from(precision)) as u8;
    random.pick(&[
        SqlType::Boolean,
        SqlType::Integer,
        SqlType::Bigint,
        SqlType::Double,
        SqlType::Decimal { precision, scale },
        SqlType::String,
        SqlType::Bytes,
        SqlType::Date,
        SqlType::Time,
        SqlType::Timestamp,
    ])
}

/// A row as a JSON object.
pub fn row(random: &mut Random, columns: &[Column]) -> String {
    let members = columns.iter().map(|column| member(random, &column.name, &column.sql_type, 0));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn member(random: &mut Random, name: &str, sql_type: &SqlType, depth: u32) -> String {
    format!("{}:{}", serde_json::Value::from(name), value(random, sql_type, depth))
}

/// Elements of lists and maps `depth` levels down, at most: schemas may nest so far that a few of each would fill the memory.
fn elements_max(depth: u32) -> i64 {
    if depth < 4 { 3 } else { 1 }
}

fn value(random: &mut Random, sql_type: &SqlType, depth: u32) -> String {
    if random.chance(15) {
        return "null".to_owned();
    }
    match sql_type {
        SqlType::Boolean => random.chance(50).to_string(),
        SqlType::Integer => random.pick(&[0, 1, -1, 150, i32::MAX, i32::MIN]).to_string(),
        SqlType::Bigint => random.pick(&[0, 1, -1, 1 << 40, i64::MAX, i64::MIN]).to_string(),
        SqlType::Date => random.between(-700_000, 2_000_000).to_string(),
        SqlType::Time => random.between(0, 86_399_999).to_string(),
        SqlType::Timestamp => random.between(-62_135_596_800_000, 253_402_300_799_999).to_string(),
        SqlType::Double => {
            random.pick(&["0.0", "-0.0", "1.5", "-1e-7", "1e300", "\"NaN\"", "\"-Infinity\"", "0.1"]).to_owned()
        }
        SqlType::Decimal { precision, scale } => {
            let sign = random.pick(&["", "-"]);
            let digits = (0..random.between(1, i64::from(*precision))).map(|_| random.pick(&['1', '9', '5']));
            format!("{sign}{}e-{scale}", digits.collect::<String>())
        }
        SqlType::String => serde_json::Value::from(random.pick(&[
            "",
            "a",
            "two words",
            "é\u{1f600}",
            "quote \" and \\",
            "line\nbreak",
            "a,b;c\td",
            "12",
            "null",
        ]))
        .to_string(),
        SqlType::Bytes => {
            let bytes: Vec<u8> = (0..random.between(0, 6)).map(|_| random.between(0, 255) as u8).collect();
            let mut text = Vec::new();
            write_base64(&mut text, &bytes);
            format!("\"{}\"", String::from_utf8_lossy(&text))
        }
        SqlType::Array(element) => {
            let elements = 0..random.between(0, elements_max(depth));
            let elements: Vec<String> = elements.map(|_| value(random, element, depth + 1)).collect();
            format!("[{}]", elements.join(","))
        }
        SqlType::Map(_, of) => {
            let entries = 0..random.between(0, elements_max(depth));
            let entries: Vec<String> = entries.map(|i| member(random, &format!("k{i}"), of, depth + 1)).collect();
            format!("{{{}}}", entries.join(","))
        }
        SqlType::Struct(fields) => {
            let members = fields.iter().map(|field| member(random, &field.name, &field.sql_type, depth + 1));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}
