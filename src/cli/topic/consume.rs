//! `consume`: records as lines, of all partitions in order of time.

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::inspect::{existing, partitions_of};
use super::key_format::{KeyFormat, shown};
use super::value_format::ValueFormat;
use super::{Streams, TopicFailure, time_text};
use crate::topics::{RecordRef, TimeOrder, TopicError, TopicInfo, TopicPartition, Topics};

/// How often somebody who follows a topic can be stopped.
const PATIENCE: Duration = Duration::from_millis(100);

const NOTES: &str = "\
A line holds time, partition, offset, key and value, separated by tabs. No key and no value are shown as null, bytes \
that are no text as 0x and their digits. A record with headers has one more cell: headers: name=value, name=value; \
those of a dead letter say why it was rejected. Records of several partitions come in order of time.

With --output json, a value that is a JSON object or array stands as it is, any other is a string.";

#[derive(Debug, clap::Args)]
#[command(after_help = NOTES)]
pub(super) struct Consume {
    /// Name of the topic
    name: String,

    /// Where to begin: beginning, end, or an offset
    #[arg(long, value_name = "PLACE", default_value = "beginning", allow_negative_numbers = true)]
    from: Place,

    /// Begin with the first record at or after this time: milliseconds since 1970, or ISO-8601 text
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, conflicts_with = "from", value_parser = parse_time)]
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

    /// How the bytes of keys are to be read; without it, keys that are text are shown as text
    #[arg(long, value_name = "FORMAT")]
    key_format: Option<KeyFormat>,

    /// How values are printed; hex: all of them as digits of their bytes, as produce reads them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    value_format: ValueFormat,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Output {
    /// Columns separated by tabs
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Beginning,
    End,
    Offset(i64),
}

impl FromStr for Place {
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

fn parse_time(text: &str) -> Result<i64, String> {
    time_text::parse(text).ok_or_else(|| "write a number of milliseconds or a time such as 2013-01-01T10:00:00Z".into())
}

impl Consume {
    /// As what the bytes of values are read.
    fn value_as(&self) -> Option<KeyFormat> {
        (self.value_format == ValueFormat::Hex).then_some(KeyFormat::Hex)
    }

    pub(super) fn run(self, topics: &dyn Topics, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let info = existing(topics, &self.name)?;
        let mut seen = topics.version();
        let partitions = self.partitions(&info)?;
        let mut records = self.reader(topics, &partitions)?;
        self.note_place_past_end(topics, &partitions, streams.notices)?;
        let mut left = self.limit.unwrap_or(usize::MAX);
        while left > 0 && !(streams.stop)() {
            if let Some(record) = records.next(topics, left)? {
                self.print(record, streams.output)?;
                left -= 1;
            } else if self.follow {
                streams.output.flush()?;
                seen = topics.wait(seen, PATIENCE);
            } else {
                break;
            }
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
                (None, Place::Beginning) => 0,
                (None, Place::End) => end,
                (None, Place::Offset(offset)) => offset,
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
        let (None, Place::Offset(offset)) = (self.from_time, self.from) else { return Ok(()) };
        let mut end = 0;
        for partition in partitions {
            end = end.max(topics.end_offset(partition)?);
        }
        if offset > end {
            writeln!(notices, "topic {} ends before offset {end}: there is none from {offset} on", self.name)?;
        }
        Ok(())
    }

    fn print(&self, record: RecordRef<'_>, output: &mut dyn Write) -> Result<(), TopicFailure> {
        match self.output {
            Output::Text => self.print_text(record, output)?,
            Output::Json => self.print_json(record, output)?,
        }
        Ok(())
    }

    fn print_text(&self, record: RecordRef<'_>, output: &mut dyn Write) -> std::io::Result<()> {
        let text =
            |bytes: Option<&[u8]>, format| bytes.map_or("null".to_owned(), |bytes| one_line(shown(bytes, format)));
        let (time, offset) = (time_text::shown(record.timestamp()), record.offset());
        let (key, value) = (text(record.key(), self.key_format), text(record.value(), self.value_as()));
        write!(output, "{time}\t{}\t{offset}\t{key}\t{value}", record.partition)?;
        for (header, index) in record.chunk.headers_at(record.row).iter().zip(0..) {
            let before = if index == 0 { "\theaders: " } else { ", " };
            let value = text(header.value.as_deref(), None);
            write!(output, "{before}{}={value}", one_line(header.key.clone()))?;
        }
        writeln!(output)
    }

    fn print_json(&self, record: RecordRef<'_>, output: &mut dyn Write) -> std::io::Result<()> {
        let mut members = Map::new();
        members.insert("timestamp".into(), json!(record.timestamp()));
        members.insert("partition".into(), json!(record.partition));
        members.insert("offset".into(), json!(record.offset()));
        members.insert("key".into(), record.key().map_or(Value::Null, |bytes| nested(bytes, self.key_format)));
        members.insert("value".into(), record.value().map_or(Value::Null, |bytes| nested(bytes, self.value_as())));
        let headers = record.chunk.headers_at(record.row);
        if !headers.is_empty() {
            let header = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| shown(bytes, None));
            let headers = headers.iter().map(|found| json!({"key": found.key, "value": header(&found.value)}));
            members.insert("headers".into(), headers.collect());
        }
        writeln!(output, "{}", Value::Object(members))
    }
}

/// Objects and arrays as they are, everything else as a string, so that nothing looks like what it is not.
fn nested(bytes: &[u8], format: Option<KeyFormat>) -> Value {
    match serde_json::from_slice(bytes) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) if format != Some(KeyFormat::Hex) => value,
        _ => Value::from(shown(bytes, format)),
    }
}

/// `text` with control characters escaped: one record is one line.
fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |char: char| if char.is_control() { char.escape_default().to_string() } else { char.to_string() };
    text.chars().map(escaped).collect()
}
