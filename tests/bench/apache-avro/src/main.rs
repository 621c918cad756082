//! What `apache-avro` costs on the rows of `make bench ARGS="-- formats"`, in a program of its own.
//!
//! Arguments: a file and how often to measure. The file holds texts with their lengths (u32, big-endian) before them: a
//! schema, then records. Printed are rows per CPU-second: values read, values written, structs read, structs written.

use std::hint::black_box;
use std::io::Cursor;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use serde::{Deserialize, Serialize};

#[allow(dead_code, reason = "what children cost is not asked here")]
#[path = "../../cpu.rs"]
mod cpu;

use cpu::runs_per_second;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A row as a program would write it down that knows its fields. Fields can be absent, as in the schema.
#[derive(Serialize, Deserialize)]
#[serde(rename = "KsqlDataSourceSchema")]
struct Event {
    id: Option<i64>,
    region: Option<String>,
    kind: Option<String>,
    quantity: Option<i32>,
    price: Option<i64>,
    rate: Option<f64>,
    device: Option<String>,
    session: Option<String>,
    created: Option<i64>,
    note: Option<String>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a file");
    let repeats: usize = arguments.next().and_then(|word| word.parse().ok()).expect("how often to measure");
    let content = std::fs::read(&path).expect("the file can be read");
    let mut texts = texts(&content);
    let schema = std::str::from_utf8(texts.next().expect("a schema")).expect("text");
    let schema = Schema::parse_str(schema).expect("a schema of Avro");
    let records: Vec<&[u8]> = texts.collect();

    let reader = GenericDatumReader::builder(&schema).build().expect("a schema without references");
    let writer = GenericDatumWriter::builder(&schema).build().expect("a schema without references");
    let value = |record: &&[u8]| reader.read_value(&mut Cursor::new(*record)).expect("a record of the schema");
    let event = |record: &&[u8]| reader.read_deser::<Event>(&mut Cursor::new(*record)).expect("a record of the schema");
    let rows = records.len() as f64;

    let values_read = runs_per_second(repeats, || {
        records.iter().for_each(|record| drop(black_box(value(record))));
    });
    let values: Vec<Value> = records.iter().map(value).collect();
    let mut out = Vec::new();
    let values_written = runs_per_second(repeats, || {
        out.clear();
        for value in &values {
            writer.write_value_ref(&mut out, value).expect("memory takes all");
        }
        black_box(&out);
    });
    assert_eq!(out, records.concat(), "the same bytes");

    let structs_read = runs_per_second(repeats, || {
        records.iter().for_each(|record| drop(black_box(event(record))));
    });
    let events: Vec<Event> = records.iter().map(event).collect();
    let structs_written = runs_per_second(repeats, || {
        out.clear();
        for event in &events {
            writer.write_ser(&mut out, event).expect("memory takes all");
        }
        black_box(&out);
    });
    assert_eq!(out, records.concat(), "the same bytes");
    println!("{} {} {} {}", values_read * rows, values_written * rows, structs_read * rows, structs_written * rows);
}

/// The texts of `content`, each after its length.
fn texts(mut content: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = content.split_first_chunk()?;
        let (text, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        content = rest;
        Some(text)
    })
}
