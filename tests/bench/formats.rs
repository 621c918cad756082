//! What codecs cost: rows per CPU-second between bytes and columns, one thread, all formats on the same rows.
//!
//! `make bench ARGS="-- formats"` prints this alone.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch};
use arrow::datatypes::{Field, Schema as ArrowSchema};
use levada::formats::{Decoder, Encoder, Format, SchemaSettings, Schemas, Serde, Side, Subject, decoder};
use levada::registry::{MemoryRegistry, SchemaRegistry, value_subject};
use levada::types::{Column, SqlType};
use serde::{Deserialize, Serialize};

use crate::cpu::runs_per_second;
use crate::generator;

/// Rows of a batch, about as many as a fetch gives.
const ROWS: usize = 4_096;

/// The same rows in every format.
struct Rows {
    columns: Vec<Column>,
    values: Vec<ArrayRef>,
    schemas: Schemas,
    registry: Arc<MemoryRegistry>,
}

impl Rows {
    fn new() -> Self {
        let types = [
            ("id", SqlType::Bigint),
            ("region", SqlType::String),
            ("kind", SqlType::String),
            ("quantity", SqlType::Integer),
            ("price", SqlType::Bigint),
            ("rate", SqlType::Double),
            ("device", SqlType::String),
            ("session", SqlType::String),
            ("created", SqlType::Timestamp),
            ("note", SqlType::String),
        ];
        let columns: Vec<Column> = types.into_iter().map(|(name, sql_type)| Column::new(name, sql_type)).collect();
        let events = generator::events(ROWS);
        let documents: BinaryArray = (0..ROWS).map(|row| Some(events.value(row))).collect();
        let json = Serde { format: Format::Json, wrap_single: true };
        let mut decoder = decoder(&json, &columns, &[true; 10]).expect("JSON holds any columns");
        let values = decoder.decode(&documents).columns;
        let registry = Arc::new(MemoryRegistry::new());
        let schemas = Schemas::new(Some(Arc::clone(&registry) as Arc<dyn SchemaRegistry>));
        Self { columns, values, schemas, registry }
    }

    fn encoder(&self, serde: &Serde) -> Box<dyn Encoder> {
        let subject = Subject { topic: serde.format.name(), side: Side::Value };
        self.schemas.encoder(serde, &self.columns, subject).expect("the format holds the columns")
    }

    fn decoder(&self, serde: &Serde, needed: &[bool]) -> Box<dyn Decoder> {
        self.schemas.decoder(serde, &self.columns, needed).expect("the format holds the columns")
    }
}

/// Formats with their goals: rows per CPU-second, read and written.
fn formats() -> [(Format, f64, f64); 6] {
    let settings = SchemaSettings::default;
    [
        (Format::Json, 2e6, 2e6),
        (Format::JsonSr(settings()), 0.0, 0.0),
        (Format::Delimited { delimiter: ',' }, 3e6, 0.0),
        (Format::Avro(settings()), 3e6, 3e6),
        (Format::Protobuf(settings()), 3e6, 3e6),
        (Format::ProtobufNoSr(settings()), 3e6, 3e6),
    ]
}

/// Prints the tables; whether the goals are met.
pub fn report(repeats: usize) -> bool {
    let rows = Rows::new();
    println!("\nRows per CPU-second, median of {repeats}, batches of {ROWS} rows of 10 columns\n");
    println!("| format | bytes a row | read, 10 columns | read, 3 columns | MB/s | goal | written | MB/s | goal |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut met = true;
    let (mut json, mut avro) = (None, None);
    for (format, read_goal, write_goal) in formats() {
        let serde = Serde { format, wrap_single: true };
        let mut encoder = rows.encoder(&serde);
        let bytes = encoder.encode(&rows.values, ROWS, None).bytes;
        let row_bytes = bytes.value_data().len() as f64 / ROWS as f64;
        let read = |needed: &[bool]| {
            let mut decoder = rows.decoder(&serde, needed);
            rows_per_second(repeats, || {
                let decoded = decoder.decode(&bytes);
                assert!(decoded.errors.is_empty(), "what was written can be read");
            })
        };
        let all = read(&[true; 10]);
        let three = read(&std::array::from_fn::<bool, 10, _>(|index| matches!(index, 0 | 3 | 6)));
        let written = rows_per_second(repeats, || drop(encoder.encode(&rows.values, ROWS, None)));
        let name = serde.format.name();
        // JSON's goal is that of a query which uses three columns; the others are read whole.
        let is_read = if serde.format == Format::Json {
            three >= read_goal && three * row_bytes >= 500e6
        } else {
            all >= read_goal
        };
        met &= is_read && written >= write_goal;
        println!(
            "| {name} | {row_bytes:.0} | {:.2} M | {:.2} M | {:.0} | {} | {:.2} M | {:.0} | {} |",
            all / 1e6,
            three / 1e6,
            three * row_bytes / 1e6,
            goal(read_goal),
            written / 1e6,
            written * row_bytes / 1e6,
            goal(write_goal),
        );
        match serde.format {
            Format::Json => json = Some((Speed { read: all, written }, bytes)),
            Format::Avro(_) => avro = Some((Speed { read: all, written }, bytes)),
            _ => (),
        }
    }
    let (json, documents) = json.expect("JSON is one of the formats");
    let (typed, arrow) = (serde_json_structs(&documents, repeats), arrow_json_batches(&rows, &documents, repeats));
    println!("\n| all 10 columns | read | Levada / it | written | Levada / it |\n|---|--:|--:|--:|--:|");
    json.compare("JSON: `serde_json`, structs of the fields", typed);
    json.compare("JSON: `arrow-json`", arrow);
    let (avro, records) = avro.expect("AVRO is one of the formats");
    match apache_avro(&rows, &records, repeats) {
        Ok((values, structs)) => {
            avro.compare("AVRO: `apache-avro`, its values", values);
            avro.compare("AVRO: `apache-avro`, structs of the fields", structs);
        }
        Err(reason) => println!("skipped: `apache-avro`: {reason}"),
    }
    met
}

/// Rows a CPU-second.
#[derive(Debug, Clone, Copy)]
struct Speed {
    read: f64,
    written: f64,
}

impl Speed {
    /// A line that says how many times as fast as `other` this is.
    fn compare(self, name: &str, other: Self) {
        let Self { read, written } = other;
        let (reads, writes) = (self.read / read, self.written / written);
        println!("| {name} | {:.2} M | {reads:.2} | {:.2} M | {writes:.2} |", read / 1e6, written / 1e6);
    }
}

fn goal(rows: f64) -> String {
    if rows > 0.0 { format!(">= {:.0} M", rows / 1e6) } else { String::new() }
}

/// Rows that `run` handles in a CPU-second, a batch at a time.
fn rows_per_second(repeats: usize, run: impl FnMut()) -> f64 {
    runs_per_second(repeats, run) * ROWS as f64
}

/// A row as a program would write it down that knows its fields. Texts are not copied.
#[derive(Serialize, Deserialize)]
struct Event<'a> {
    id: i64,
    region: &'a str,
    kind: &'a str,
    quantity: i32,
    price: i64,
    rate: f64,
    device: &'a str,
    session: &'a str,
    created: i64,
    note: &'a str,
}

/// Rows read and written a second with `serde_json`, into structs and from them: no columns are built.
fn serde_json_structs(documents: &BinaryArray, repeats: usize) -> Speed {
    let parse = |bytes| serde_json::from_slice::<Event<'_>>(bytes).expect("the fields are there");
    let events: Vec<Event<'_>> = documents.iter().flatten().map(parse).collect();
    let read = rows_per_second(repeats, || {
        documents.iter().flatten().for_each(|bytes| {
            std::hint::black_box(parse(bytes));
        });
    });
    let mut out = Vec::new();
    let written = rows_per_second(repeats, || {
        out.clear();
        events.iter().for_each(|event| serde_json::to_writer(&mut out, event).expect("memory takes all"));
        std::hint::black_box(&out);
    });
    Speed { read, written }
}

/// Rows read and written a second with `arrow-json`, into columns and from them.
fn arrow_json_batches(rows: &Rows, documents: &BinaryArray, repeats: usize) -> Speed {
    let fields: Vec<Field> = rows.columns.iter().map(Column::field).collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let lines: Vec<u8> = documents.iter().flatten().flat_map(|bytes| [bytes, b"\n"].concat()).collect();
    let mut reader = arrow_json::ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(ROWS)
        .build_decoder()
        .expect("all types are known");
    let read = rows_per_second(repeats, || {
        let length = reader.decode(&lines).expect("the lines are JSON");
        let batch = reader.flush().expect("the columns fit").expect("a batch");
        assert_eq!((length, batch.num_rows()), (lines.len(), ROWS));
    });
    let batch = RecordBatch::try_new(schema, rows.values.clone()).expect("columns of one length");
    let written = rows_per_second(repeats, || {
        let mut writer = arrow_json::LineDelimitedWriter::new(Vec::with_capacity(lines.len()));
        writer.write(&batch).expect("all types are known");
        std::hint::black_box(writer.into_inner());
    });
    Speed { read, written }
}

/// Values and structs of `apache-avro`, read and written by a program of its own (tests/bench/apache-avro): its
/// dependencies would change what Arrow is built with.
fn apache_avro(rows: &Rows, records: &BinaryArray, repeats: usize) -> Result<(Speed, Speed), String> {
    /// What stands before a record of a registered schema: a zero and the schema's id.
    const HEADER: usize = 5;
    let subject = value_subject(Format::Avro(SchemaSettings::default()).name());
    let schema = rows.registry.latest(&subject).expect("memory answers").expect("it was registered").schema;
    let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let framed = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let mut content = framed(schema.text.as_bytes());
    records.iter().flatten().for_each(|record| content.extend(framed(&record[HEADER..])));
    file.write_all(&content).map_err(|error| error.to_string())?;
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/apache-avro/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--release", "--locked", "--quiet", "--manifest-path", manifest, "--"])
        .arg(file.path())
        .arg(repeats.to_string())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [values_read, values_written, structs_read, structs_written] = figures[..] else {
        return Err(format!("its program could not be built or run: {}", output.status));
    };
    let values = Speed { read: values_read, written: values_written };
    Ok((values, Speed { read: structs_read, written: structs_written }))
}
