//! `consume`: records as lines, of all partitions in order of time.

use std::io::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::inspect::{existing, partitions_of};
use super::key_format::shown;
use super::shown::{BytesText, ReadAs};
use super::{Records, Streams, TopicFailure, time_text};
use crate::shell::nested_json;
use crate::topics::{TimeOrder, TopicError, TopicInfo, TopicPartition, Topics};
use crate::types::Header;

/// How often somebody who follows a topic can be stopped.
const PATIENCE: Duration = Duration::from_millis(100);

const NOTES: &str = "\
A line holds time, partition, offset, key and value, separated by tabs. No key and no value are shown as null, bytes \
that are nothing known as 0x and their digits. A record with headers has one more cell: headers: name=value, name=value; \
those of a dead letter say why it was rejected. Records of several partitions come in order of time.

What keys and values are is guessed from all that were read: records of AVRO, PROTOBUF and JSON_SR by the schema that they \
name, as JSON; the others as text, as numbers of Kafka's serializers, as keys with windows. --key-format and --value-format say \
it instead. Schemas are those of the data directory, or of the registry at --property ksql.schema.registry.url=http://HOST:8081.

With --output json, a value that is a JSON object or array stands as it is, any other is a string.";

/// Records looked at together: what they are is guessed from all of them.
const RECORDS_AT_ONCE: usize = 500;

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Consume {
    /// Name of the topic
    name: String,

    /// Where to begin: beginning, end, or an offset
    #[arg(long, value_name = "PLACE", default_value = "beginning", allow_negative_numbers = true)]
    from: Start,

    /// Begin with the first record at or after this time: milliseconds since 1970, or ISO-8601 text
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, conflicts_with = "from", value_parser = time_text::parse_argument)]
    from_time: Option<i64>,

    /// Only this partition
    #[arg(long, value_name = "N")]
    partition: Option<u32>,

    /// Stop after so many records
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Wait for further records instead of stopping at the end
    #[arg(long)]
    follow: bool,

    /// How a record is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output: Output,

    /// How the bytes of keys are to be read
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    key_format: ReadAs,

    /// How the bytes of values are to be read
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    value_format: ReadAs,
}

/// A record taken out of its chunk.
struct Record {
    partition: u32,
    offset: i64,
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<Header>,
}

/// How keys and values become text.
struct Texts {
    keys: BytesText,
    values: BytesText,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Output {
    /// Columns separated by tabs
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Clone, Copy)]
enum Start {
    Beginning,
    End,
    Offset(i64),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "end" => Ok(Self::End),
            _ => match text.parse() {
                Ok(offset) if offset >= 0 => Ok(Self::Offset(offset)),
                _ => Err("write beginning, end, or an offset, 0 or more".to_owned()),
            },
        }
    }
}

impl Consume {
    pub(super) fn run(self, place: Records<'_>, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let topics = place.topics;
        let info = existing(topics, &self.name)?;
        let mut seen = topics.version();
        let partitions = self.partitions(&info)?;
        let mut records = self.reader(topics, &partitions)?;
        self.note_place_past_end(topics, &partitions, streams.notices)?;
        let registry = place.registry()?;
        let mut texts = Texts {
            keys: BytesText::of_keys(self.key_format, registry.clone()),
            values: BytesText::of_values(self.value_format, registry),
        };
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut told = false;
        while left > 0 && !(streams.stop)() {
            let read = next(&mut records, topics, left.min(RECORDS_AT_ONCE))?;
            left -= read.len();
            texts.keys.look_at(read.iter().map(|record| record.key.as_deref()));
            texts.values.look_at(read.iter().map(|record| record.value.as_deref()));
            read.iter().try_for_each(|record| self.print(record, &mut texts, streams.output))?;
            if let Some(failure) = texts.values.failure().or_else(|| texts.keys.failure())
                && !std::mem::replace(&mut told, true)
            {
                writeln!(streams.notices, "records are shown without their schemas: {failure}")?;
            }
            if !read.is_empty() {
                continue;
            }
            if !self.follow {
                break;
            }
            streams.output.flush()?;
            seen = topics.wait(seen, PATIENCE);
            texts.keys.ask_again();
            texts.values.ask_again();
        }
        Ok(())
    }

    fn partitions(&self, info: &TopicInfo) -> Result<Vec<TopicPartition>, TopicError> {
        let (topic, partitions) = (info.name.clone(), info.config.partitions);
        if let Some(partition) = self.partition.filter(|partition| *partition >= partitions) {
            return Err(TopicError::UnknownPartition { topic, partition, partitions });
        }
        let wanted = |partition: &TopicPartition| self.partition.is_none_or(|wanted| wanted == partition.partition);
        Ok(partitions_of(info).filter(wanted).collect())
    }

    fn reader(&self, topics: &dyn Topics, partitions: &[TopicPartition]) -> Result<TimeOrder, TopicError> {
        let mut reader = TimeOrder::default();
        for partition in partitions {
            let end = topics.end_offset(partition)?;
            let from = match (self.from_time, self.from) {
                (Some(time), _) => topics.offset_for_time(partition, time)?,
                (None, Start::Beginning) => 0,
                (None, Start::End) => end,
                (None, Start::Offset(offset)) => offset,
            };
            reader.add(partition.clone(), from, (!self.follow).then_some(end));
        }
        Ok(reader)
    }

    /// Says when nothing is there to be printed because `--from` is too far.
    fn note_place_past_end(
        &self,
        topics: &dyn Topics,
        partitions: &[TopicPartition],
        notices: &mut dyn Write,
    ) -> Result<(), TopicFailure> {
        let (None, Start::Offset(offset)) = (self.from_time, self.from) else { return Ok(()) };
        let mut end = 0;
        for partition in partitions {
            end = end.max(topics.end_offset(partition)?);
        }
        if offset > end {
            writeln!(notices, "topic {} ends before offset {end}: there is none from {offset} on", self.name)?;
        }
        Ok(())
    }

    fn print(&self, record: &Record, texts: &mut Texts, output: &mut dyn Write) -> io::Result<()> {
        let key = record.key.as_deref().map(|bytes| texts.keys.text(bytes));
        let value = record.value.as_deref().map(|bytes| texts.values.text(bytes));
        match self.output {
            Output::Text => print_text(record, key, value, output),
            Output::Json => print_json(record, key, value, output),
        }
    }
}

/// The next records that are there, at most `count`.
fn next(records: &mut TimeOrder, topics: &dyn Topics, count: usize) -> Result<Vec<Record>, TopicError> {
    let mut read = Vec::new();
    while read.len() < count {
        let Some(record) = records.next(topics, count)? else { break };
        read.push(Record {
            partition: record.partition,
            offset: record.offset(),
            timestamp: record.timestamp(),
            key: record.key().map(<[u8]>::to_vec),
            value: record.value().map(<[u8]>::to_vec),
            headers: record.chunk.headers_at(record.row).to_vec(),
        });
    }
    Ok(read)
}

fn print_text(record: &Record, key: Option<String>, value: Option<String>, output: &mut dyn Write) -> io::Result<()> {
    let text = |text: Option<String>| text.map_or_else(|| "null".to_owned(), one_line);
    let Record { partition, offset, .. } = record;
    write!(output, "{}\t{partition}\t{offset}", time_text::shown(record.timestamp))?;
    write!(output, "\t{}\t{}", text(key), text(value))?;
    for (header, index) in record.headers.iter().zip(0..) {
        let before = if index == 0 { "\theaders: " } else { ", " };
        let value = text(header.value.as_deref().map(|bytes| shown(bytes, None)));
        write!(output, "{before}{}={value}", one_line(header.key.clone()))?;
    }
    writeln!(output)
}

fn print_json(record: &Record, key: Option<String>, value: Option<String>, output: &mut dyn Write) -> io::Result<()> {
    let mut members = Map::new();
    members.insert("timestamp".into(), json!(record.timestamp));
    members.insert("partition".into(), json!(record.partition));
    members.insert("offset".into(), json!(record.offset));
    members.insert("key".into(), key.map_or(Value::Null, nested_json));
    members.insert("value".into(), value.map_or(Value::Null, nested_json));
    if !record.headers.is_empty() {
        let header = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| shown(bytes, None));
        let headers = record.headers.iter().map(|found| json!({"key": found.key, "value": header(&found.value)}));
        members.insert("headers".into(), headers.collect());
    }
    writeln!(output, "{}", Value::Object(members))
}

/// `text` with control characters escaped: one record is one line.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    text.chars().map(escaped).collect()
}
