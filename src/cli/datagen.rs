//! `levada datagen`: made-up records in a topic, at a rate.

use std::io::{self, BufWriter, LineWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{DataType, Int64Type};

use super::Failure;
use super::counted::counted;
use super::counter::Counter;
use super::topic::appender::Appender;
use super::topic::{Place, Records, TopicFailure, time_text};
use crate::datagen::{Generator, Quickstart, Rows};
use crate::formats::{Encoder, Format, FormatError, Schemas, Serde, Side, Subject};
use crate::runtime::clock::{Clock, SystemClock};
use crate::shell::{BesideLive, Interrupt};
use crate::sql::quote_name;
use crate::types::Column;

const NOTES: &str = "\
Examples:
  levada datagen --quickstart pageviews                   ten a second, until Ctrl-C
  levada datagen --quickstart orders --count 100000 --rate 0 --format avro
  levada datagen --schema sensors.avsc --key id --begin 2026-01-01 --rate 5 --count 86400
  levada datagen quickstart=users topic=people msgRate=2  as ksql-datagen has it

Quickstarts: clickstream, clickstream_codes, clickstream_users, orders, pageviews, ratings, users, users_.

A schema is one of Avro, whose fields have \"arg.properties\": options, range, iteration, regex, length, distribution … \
(docs/datagen.md). The same schema and seed make the same rows. Their time is now; with --begin the records are of the past, \
one after the other at the rate, and are written as fast as they can be.";

/// Arguments of `levada datagen`.
#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub struct DatagenCommand {
    /// A schema that is ready to be used
    #[arg(long, value_name = "NAME", conflicts_with = "schema")]
    quickstart: Option<String>,

    /// File of a schema of Avro, with annotations
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,

    /// Name of the topic, that of the quickstart unless given; created when missing
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,

    /// Field that is the key too; quickstarts have one of their own
    #[arg(long, value_name = "FIELD")]
    key: Option<String>,

    /// Format of keys
    #[arg(long, value_name = "FORMAT", default_value = "kafka", value_parser = parse_format)]
    key_format: Format,

    /// Format of values: json, avro, protobuf, json_sr, delimited …
    #[arg(long, value_name = "FORMAT", default_value = "json", value_parser = parse_format)]
    format: Format,

    /// Character between the values of the format delimited
    #[arg(long, value_name = "C")]
    value_delimiter: Option<char>,

    /// Field with the record's time: milliseconds since 1970, or ISO-8601 text
    #[arg(long, value_name = "FIELD")]
    timestamp_field: Option<String>,

    /// Records, after which it ends
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    /// Records a second; 0 for as many as can be
    #[arg(long, value_name = "N", default_value_t = 10.0, allow_negative_numbers = true)]
    rate: f64,

    /// Time of the first record: milliseconds since 1970, or ISO-8601 text
    #[arg(long, value_name = "TIME", value_parser = time_text::parse_argument)]
    begin: Option<i64>,

    /// What random values follow from; another one each time unless given
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Number of partitions of a new topic
    #[arg(long, value_name = "N")]
    partitions: Option<u32>,

    /// Print the rows as JSON, a line each
    #[arg(long)]
    print: bool,

    /// Print a CREATE STREAM statement for the topic first
    #[arg(long)]
    print_sql: bool,

    /// What ksql-datagen is told: quickstart, schema, topic, key, format, key-format, valueDelimiter, timestamp, iterations, msgRate,
    /// printRows, bootstrap-server, schemaRegistryUrl, propertiesFile
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,

    #[command(flatten)]
    place: Place,
}

/// Rows that are made at a time.
const BATCH: u64 = 4096;
/// How often is looked whether records are due, and whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Records of one schema on their way into one topic.
struct Filling<'a> {
    generator: Generator,
    appender: Appender<'a>,
    key: Option<(usize, Box<dyn Encoder>)>,
    value: Box<dyn Encoder>,
    timestamp: Option<usize>,
}

impl DatagenCommand {
    /// Fills the topic until all records are there, or until told to stop.
    pub fn run(mut self) -> Result<(), Failure> {
        self.adopt()?;
        if !(self.rate >= 0.0 && self.rate.is_finite()) {
            return Err(Failure::Usage("--rate must be a number that is not negative".to_owned()));
        }
        if self.begin.is_some() && self.rate == 0.0 {
            return Err(Failure::Usage("--begin needs a --rate: so far apart the records are".to_owned()));
        }
        let (quickstart, text) = self.schema()?;
        let clock = SystemClock::new();
        let seed = self.seed.unwrap_or_else(|| clock.now_ms() as u64);
        let generator = Generator::new(&text, seed).map_err(|error| Failure::new(error.to_string()))?;
        let topic = match (&self.topic, quickstart) {
            (Some(topic), _) => topic.clone(),
            (None, Some(quickstart)) => quickstart.name.to_owned(),
            (None, None) => return Err(Failure::Usage("--schema needs a --topic".to_owned())),
        };
        if self.key.is_none() {
            self.key = quickstart.map(|quickstart| quickstart.key.to_owned());
        }
        let opened = self.place.open(true)?;
        let interrupt = Interrupt::of_process();
        let _work = interrupt.work();
        let mut notices = LineWriter::new(BesideLive);
        if self.seed.is_none() {
            writeln!(notices, "seed {seed}")?;
        }
        let filling = self.filling(opened.records(), &topic, generator, &mut notices)?;
        let mut output = BufWriter::new(io::stdout());
        if self.print_sql {
            writeln!(output, "{}", self.create_stream(&topic, filling.generator.declared()))?;
        }
        match self.fill(filling, &clock, interrupt, &mut output, &mut notices).and_then(|()| Ok(output.flush()?)) {
            Err(TopicFailure::ClosedPipe) => Err(Failure::ClosedPipe),
            other => Ok(other?),
        }
    }

    /// Takes over what is written as `ksql-datagen` has it.
    fn adopt(&mut self) -> Result<(), Failure> {
        let (mut files, mut properties) = (Vec::new(), Vec::new());
        for argument in std::mem::take(&mut self.arguments) {
            let usage = |reason: &str| Failure::Usage(format!("{argument}: {reason}"));
            let Some((name, value)) = argument.split_once('=') else { return Err(usage("write it as NAME=VALUE")) };
            let text = value.to_owned();
            match name {
                "quickstart" => self.quickstart = Some(text),
                "schema" => self.schema = Some(text.into()),
                "topic" => self.topic = Some(text),
                "key" => self.key = Some(text),
                "format" | "value-format" => self.format = parse_format(value).map_err(|reason| usage(&reason))?,
                "key-format" => self.key_format = parse_format(value).map_err(|reason| usage(&reason))?,
                "valueDelimiter" => {
                    self.value_delimiter = Some(delimiter(value).ok_or_else(|| usage("it is one character"))?);
                }
                "timestamp" => self.timestamp_field = Some(text),
                "iterations" => self.count = Some(value.parse().map_err(|_| usage("it is a number"))?),
                "msgRate" => self.rate = value.parse().map_err(|_| usage("it is a number"))?,
                "printRows" => self.print = value == "true",
                "bootstrap-server" => properties.push(("bootstrap.servers".to_owned(), text)),
                "schemaRegistryUrl" => properties.push(("ksql.schema.registry.url".to_owned(), text)),
                "propertiesFile" => files.push(text.into()),
                // One thread makes more than a topic takes.
                "nThreads" => {}
                _ => return Err(usage("ksql-datagen has no such argument")),
            }
        }
        self.place.add(files, properties);
        Ok(())
    }

    /// The text of the schema.
    fn schema(&self) -> Result<(Option<Quickstart>, String), Failure> {
        match (&self.quickstart, &self.schema) {
            (Some(name), _) => {
                let names = Quickstart::ALL.map(|quickstart| quickstart.name).join(", ");
                let unknown = || Failure::Usage(format!("there is no quickstart {name}; there are {names}"));
                let quickstart = Quickstart::named(name).ok_or_else(unknown)?;
                Ok((Some(quickstart), quickstart.schema.to_owned()))
            }
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
                Ok((None, text))
            }
            (None, None) => Err(Failure::Usage("say --quickstart NAME or --schema FILE".to_owned())),
        }
    }

    /// The format of values, with its delimiter.
    fn value_format(&self) -> Format {
        match (&self.format, self.value_delimiter) {
            (Format::Delimited { .. }, Some(delimiter)) => Format::Delimited { delimiter },
            (format, _) => format.clone(),
        }
    }

    fn filling<'a>(
        &self,
        records: Records<'a>,
        topic: &str,
        generator: Generator,
        notices: &mut dyn Write,
    ) -> Result<Filling<'a>, TopicFailure> {
        let columns = generator.columns();
        let column = |name: &String| {
            let found = columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            found.ok_or_else(|| {
                let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                TopicFailure::Options(format!("there is no field {name}; there are {}", names.join(", ")))
            })
        };
        let key = self.key.as_ref().map(column).transpose()?;
        let timestamp = self.timestamp_field.as_ref().map(column).transpose()?;
        let schemas = Schemas::new(records.registry()?);
        let encoder = |format: Format, columns: &[Column], side: Side| {
            // Keys stand alone, and values in a record.
            let serde = Serde { format, wrap_single: side == Side::Value };
            serde.supports(columns, side)?;
            schemas.encoder(&serde, columns, Subject { topic, side })
        };
        let refused = |error: FormatError| TopicFailure::Options(error.to_string());
        let key = match key {
            None => None,
            Some(column) => {
                let encoder = encoder(self.key_format.clone(), &columns[column..=column], Side::Key);
                Some((column, encoder.map_err(refused)?))
            }
        };
        let value = encoder(self.value_format(), columns, Side::Value).map_err(refused)?;
        let appender = Appender::open(records, topic, self.partitions, notices)?;
        Ok(Filling { generator, appender, key, value, timestamp })
    }

    fn fill(
        &self,
        mut filling: Filling<'_>,
        clock: &dyn Clock,
        interrupt: &Interrupt,
        output: &mut dyn Write,
        notices: &mut dyn Write,
    ) -> Result<(), TopicFailure> {
        let count = self.count.unwrap_or(u64::MAX);
        let is_paced = self.begin.is_none() && self.rate > 0.0;
        let started = clock.elapsed();
        let mut made = 0;
        // Rows that are printed say more.
        let mut counter = (!self.print).then(|| Counter::new("appended", |count| counted(count, "record")));
        while made < count && !interrupt.is_requested() {
            let passed = clock.elapsed().saturating_sub(started);
            let due = if is_paced { (passed.as_secs_f64() * self.rate) as u64 + 1 } else { u64::MAX };
            let until = due.min(count).min(made + BATCH);
            if until > made {
                let now = clock.now_ms();
                let time =
                    |index: u64| self.begin.map_or(now, |begin| begin + (index as f64 * 1000.0 / self.rate) as i64);
                let times: Vec<i64> = (made..until).map(time).collect();
                let rows = filling.append(times)?;
                if self.print {
                    for text in rows.texts.iter().flatten() {
                        output.write_all(text)?;
                        output.write_all(b"\n")?;
                    }
                    output.flush()?;
                }
                made = until;
                if let Some(counter) = &mut counter {
                    counter.note_part(made, self.count.map(|count| made as f64 / count as f64));
                }
            } else {
                interrupt.wait(LOOK);
            }
        }
        drop(counter);
        filling.appender.finish(false, notices)
    }

    /// The statement that declares what is written.
    fn create_stream(&self, topic: &str, columns: &[Column]) -> String {
        let format = self.value_format();
        // Values without names are declared from the first to the last: the key is one of them.
        let key = self.key.as_ref().filter(|_| !matches!(format, Format::Delimited { .. }));
        let key = key.and_then(|key| columns.iter().position(|column| column.name.eq_ignore_ascii_case(key)));
        let column = |column: &Column| format!("{} {}", quote_name(&column.name), column.sql_type);
        let key_column = key.map(|index| format!("{} KEY", column(&columns[index])));
        let others =
            columns.iter().enumerate().filter(|(index, _)| Some(*index) != key).map(|(_, other)| column(other));
        let declared: Vec<String> = key_column.into_iter().chain(others).collect();
        let key_format = key.map_or_else(String::new, |_| format!(", KEY_FORMAT = '{}'", self.key_format.name()));
        let delimiter = match format {
            Format::Delimited { delimiter } if delimiter != ',' => format!(", VALUE_DELIMITER = '{delimiter}'"),
            _ => String::new(),
        };
        let timestamp =
            self.timestamp_field.as_ref().map_or_else(String::new, |field| format!(", TIMESTAMP = '{field}'"));
        format!(
            "CREATE STREAM {} ({}) WITH (KAFKA_TOPIC = '{topic}'{key_format}, VALUE_FORMAT = '{}'{delimiter}{timestamp});",
            quote_name(&topic.to_uppercase().replace(|char: char| !char.is_ascii_alphanumeric() && char != '_', "_")),
            declared.join(", "),
            format.name(),
        )
    }
}

impl Filling<'_> {
    /// Appends a record for each of `times`.
    fn append(&mut self, mut times: Vec<i64>) -> Result<Rows, TopicFailure> {
        let rows = self.generator.rows(&times);
        if let Some(error) = rows.errors.first() {
            return Err(TopicFailure::Options(format!("row {}: {}", error.row, error.reason)));
        }
        if let Some(column) = self.timestamp {
            times = times_of(&rows.columns[column])?;
        }
        let keys = match &mut self.key {
            None => None,
            Some((column, encoder)) => Some(encoder.encode(&rows.columns[*column..=*column], times.len(), None)),
        };
        let values = self.value.encode(&rows.columns, times.len(), None);
        if let Some(error) = keys.iter().chain([&values]).find_map(|encoded| encoded.errors.first()) {
            return Err(TopicFailure::Options(format!("row {}: {}", error.row, error.reason)));
        }
        for (index, time) in times.into_iter().enumerate() {
            let key = keys.as_ref().and_then(|keys| keys.bytes.is_valid(index).then(|| keys.bytes.value(index)));
            let value = values.bytes.is_valid(index).then(|| values.bytes.value(index));
            self.appender.push(key, value, time)?.map_err(TopicFailure::Options)?;
        }
        self.appender.commit()?;
        Ok(rows)
    }
}

/// Times that stand in a column.
fn times_of(array: &ArrayRef) -> Result<Vec<i64>, TopicFailure> {
    let wrong = || TopicFailure::Options("the field of --timestamp-field has values that are no times".to_owned());
    if *array.data_type() == DataType::Utf8 {
        let texts = array.as_string::<i32>().iter();
        return texts.map(|text| text.and_then(time_text::parse).ok_or_else(wrong)).collect();
    }
    let numbers = arrow::compute::cast(array, &DataType::Int64).map_err(|_| wrong())?;
    numbers.as_primitive::<Int64Type>().iter().map(|number| number.ok_or_else(wrong)).collect()
}

fn parse_format(name: &str) -> Result<Format, String> {
    Format::named(name).ok_or_else(|| {
        let names = Format::all().map(|format| format.name().to_lowercase());
        format!("the formats are {}", names.join(", "))
    })
}

/// One character, or the names that SQL has for two of them.
fn delimiter(text: &str) -> Option<char> {
    match text.to_ascii_uppercase().as_str() {
        "TAB" => Some('\t'),
        "SPACE" => Some(' '),
        _ => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
    }
}
