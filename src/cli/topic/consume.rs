//! `consume`: records as lines, of all partitions in order of time.

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use arrow::array::{Array, BinaryArray};
use serde_json::{Map, Value, json};

use super::inspect::{existing, partitions_of};
use super::key_format::{KeyFormat, shown};
use super::{Streams, TopicFailure, time_text};
use crate::topics::{TopicError, TopicInfo, TopicPartition, Topics};
use crate::types::RecordChunk;

const FETCH_ROWS: usize = 1024;
const FETCH_BYTES: usize = 1 << 20;
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

/// How far one partition was read.
struct Cursor {
    partition: TopicPartition,
    offset_next: i64,
    /// Where to stop; nowhere when following.
    offset_end: i64,
    chunk: RecordChunk,
    row: usize,
}

impl Consume {
    pub(super) fn run(self, topics: &dyn Topics, streams: &mut Streams<'_>) -> Result<(), TopicFailure> {
        let info = existing(topics, &self.name)?;
        let mut seen = topics.version();
        let mut cursors = self.cursors(topics, &info)?;
        self.note_place_past_end(topics, &cursors, streams.notices)?;
        let mut left = self.limit.unwrap_or(usize::MAX);
        while left > 0 && !(streams.stop)() {
            if let Some(cursor) = earliest(topics, &mut cursors, left)? {
                self.print(cursor, streams.output)?;
                cursor.row += 1;
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

    fn cursors(&self, topics: &dyn Topics, info: &TopicInfo) -> Result<Vec<Cursor>, TopicFailure> {
        let (topic, partitions) = (info.name.clone(), info.config.partitions);
        if let Some(partition) = self.partition.filter(|partition| *partition >= partitions) {
            return Err(TopicError::UnknownPartition { topic, partition, partitions }.into());
        }
        let wanted = |partition: &TopicPartition| self.partition.is_none_or(|wanted| wanted == partition.partition);
        let cursor = |partition| {
            let end = topics.end_offset(&partition)?;
            let offset_next = match (self.from_time, self.from) {
                (Some(time), _) => topics.offset_for_time(&partition, time)?,
                (None, Place::Beginning) => 0,
                (None, Place::End) => end,
                (None, Place::Offset(offset)) => offset,
            };
            let offset_end = if self.follow { i64::MAX } else { end };
            Ok(Cursor { partition, offset_next, offset_end, chunk: RecordChunk::empty(), row: 0 })
        };
        partitions_of(info).filter(wanted).map(cursor).collect()
    }

    /// Says when nothing is there to be printed because `--from` is too far.
    fn note_place_past_end(
        &self,
        topics: &dyn Topics,
        cursors: &[Cursor],
        notices: &mut dyn Write,
    ) -> Result<(), TopicFailure> {
        let (None, Place::Offset(offset)) = (self.from_time, self.from) else { return Ok(()) };
        let mut end = 0;
        for cursor in cursors {
            end = end.max(topics.end_offset(&cursor.partition)?);
        }
        if offset > end {
            writeln!(notices, "topic {} ends before offset {end}: there is none from {offset} on", self.name)?;
        }
        Ok(())
    }

    fn print(&self, cursor: &Cursor, output: &mut dyn Write) -> Result<(), TopicFailure> {
        match self.output {
            Output::Text => self.print_text(cursor, output)?,
            Output::Json => self.print_json(cursor, output)?,
        }
        Ok(())
    }

    fn print_text(&self, Cursor { partition, chunk, row, .. }: &Cursor, output: &mut dyn Write) -> std::io::Result<()> {
        let text =
            |bytes: Option<&[u8]>, format| bytes.map_or("null".to_owned(), |bytes| one_line(shown(bytes, format)));
        let (time, offset) = (time_text::shown(chunk.timestamps[*row]), chunk.offsets[*row]);
        let key = text(cell(&chunk.keys, *row), self.key_format);
        let value = text(cell(&chunk.values, *row), None);
        write!(output, "{time}\t{}\t{offset}\t{key}\t{value}", partition.partition)?;
        for (header, index) in chunk.headers_at(*row).iter().zip(0..) {
            let before = if index == 0 { "\theaders: " } else { ", " };
            let value = text(header.value.as_deref(), None);
            write!(output, "{before}{}={value}", one_line(header.key.clone()))?;
        }
        writeln!(output)
    }

    fn print_json(&self, Cursor { partition, chunk, row, .. }: &Cursor, output: &mut dyn Write) -> std::io::Result<()> {
        let mut record = Map::new();
        record.insert("timestamp".into(), json!(chunk.timestamps[*row]));
        record.insert("partition".into(), json!(partition.partition));
        record.insert("offset".into(), json!(chunk.offsets[*row]));
        record
            .insert("key".into(), cell(&chunk.keys, *row).map_or(Value::Null, |bytes| nested(bytes, self.key_format)));
        record.insert("value".into(), cell(&chunk.values, *row).map_or(Value::Null, |bytes| nested(bytes, None)));
        let headers = chunk.headers_at(*row);
        if !headers.is_empty() {
            let header = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| shown(bytes, None));
            let headers = headers.iter().map(|found| json!({"key": found.key, "value": header(&found.value)}));
            record.insert("headers".into(), headers.collect());
        }
        writeln!(output, "{}", Value::Object(record))
    }
}

/// The cursor with the earliest unread record; of equals, that of the first partition.
fn earliest<'a>(
    topics: &dyn Topics,
    cursors: &'a mut [Cursor],
    left: usize,
) -> Result<Option<&'a mut Cursor>, TopicError> {
    for cursor in cursors.iter_mut() {
        cursor.fill(topics, left)?;
    }
    let unread = cursors.iter_mut().filter(|cursor| cursor.row < cursor.chunk.len());
    Ok(unread.min_by_key(|cursor| cursor.chunk.timestamps[cursor.row]))
}

/// How long to wait for records that are there and have not come yet.
const ON_THEIR_WAY: Duration = Duration::from_millis(10);

impl Cursor {
    /// Fetches when all that was fetched is read.
    fn fill(&mut self, topics: &dyn Topics, left: usize) -> Result<(), TopicError> {
        if self.row < self.chunk.len() || self.offset_next >= self.offset_end {
            return Ok(());
        }
        let follows = self.offset_end == i64::MAX;
        let chunk = loop {
            let version = topics.version();
            let chunk = topics.fetch(&self.partition, self.offset_next, left.min(FETCH_ROWS), FETCH_BYTES)?;
            if !chunk.is_empty() || follows || topics.is_drained(&self.partition, self.offset_next)? {
                break chunk;
            }
            topics.wait(version, ON_THEIR_WAY);
        };
        let before_end = chunk.offsets.partition_point(|&offset| offset < self.offset_end);
        self.offset_next = chunk.offsets.last().map_or(self.offset_next, |last| last + 1);
        self.chunk = chunk.slice(0, before_end);
        self.row = 0;
        Ok(())
    }
}

fn cell(column: &BinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}

/// Objects and arrays as they are, everything else as a string, so that nothing looks like what it is not.
fn nested(bytes: &[u8], format: Option<KeyFormat>) -> Value {
    match serde_json::from_slice(bytes) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
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
