//! PRINT: the records of a topic as they stand in it, with a guess at what their bytes are.
//!
//! ```text
//! PRINT 'orders' FROM BEGINNING ─▶ TopicPrint ── next() ─▶ some records ─▶ both guesses narrowed by all of them ─▶ texts
//! ```
//!
//! A [`TopicPrint`] reads when it is asked to, on the thread of who asks, and follows the topic until it is dropped. It needs
//! nothing of the engine but its topics and its schema registry.

mod format_guess;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};

use super::hidden_topics::has_secrets;
use super::query_report::PATIENCE;
use super::{EngineError, Shared};
use crate::catalog::Catalog;
use crate::formats::RecordTexts;
use crate::sql::ast::PrintTopic;
use crate::sql::similar_names;
use crate::topics::{TimeOrder, TopicPartition, Topics};

pub use format_guess::FormatGuess;

/// Records looked at together: the guess is narrowed by all of them before the first is printed.
const RECORDS_AT_ONCE: u64 = 500;

/// A topic that is being printed: the reading end.
pub struct TopicPrint {
    topics: Arc<dyn Topics>,
    /// Whether only records that come from now on are printed.
    pub only_new: bool,
    state: Box<Mutex<State>>,
}

struct State {
    records: TimeOrder,
    keys: FormatGuess,
    values: FormatGuess,
    /// Every so many records one is printed.
    interval: u64,
    /// Records read so far, printed or not.
    read: u64,
    /// Records to print yet; `None` for all.
    left: Option<u64>,
    /// What was last said of the formats.
    told: Option<PrintedFormats>,
}

/// What came next of a topic that is printed.
#[derive(Debug)]
pub enum PrintEvent {
    /// Some records; before them, what their bytes are taken for, where that is not what was said before.
    Records(Option<PrintedFormats>, Vec<PrintedRecord>),
    /// Nothing within the time given.
    Idle,
    /// As many were printed as were asked for.
    End,
}

/// What the bytes of a topic seem to be. Prints itself as the two lines that ksqlDB begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedFormats {
    /// Of keys: `JSON or KAFKA_STRING`.
    pub key: String,
    /// Of values.
    pub value: String,
}

/// A record as text. Prints itself as ksqlDB's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedRecord {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The key; `None` is no key.
    pub key: Option<String>,
    /// The value; `None` is a tombstone.
    pub value: Option<String>,
    /// Partition number.
    pub partition: u32,
    /// Offset in the partition; -1 where it is not known.
    pub offset: i64,
}

/// A record as bytes, taken out of its chunk.
struct RawRecord {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    partition: u32,
    offset: i64,
}

impl fmt::Display for PrintedFormats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key format: {}\nValue format: {}", self.key, self.value)
    }
}

impl fmt::Display for PrintedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "<null>".to_owned());
        let (time, key, value) = (rowtime(self.timestamp), text(&self.key), text(&self.value));
        write!(f, "rowtime: {time}, key: {key}, value: {value}, partition: {}", self.partition)
    }
}

impl PrintedRecord {
    /// Reads ksqlDB's line. It does not tell the offset, which is -1 then; a text that holds `, value: ` itself is cut there.
    pub fn parse(line: &str) -> Option<Self> {
        let (time, rest) = line.strip_prefix("rowtime: ")?.split_once(", key: ")?;
        let (key, rest) = rest.split_once(", value: ")?;
        let (value, partition) = rest.rsplit_once(", partition: ")?;
        let timestamp = NaiveDateTime::parse_from_str(time, "%Y/%m/%d %H:%M:%S%.3f Z").ok();
        let timestamp = timestamp.map(|time| time.and_utc().timestamp_millis());
        let text = |text: &str| (text != "<null>").then(|| text.to_owned());
        Some(Self {
            timestamp: timestamp.or_else(|| time.parse().ok())?,
            key: text(key),
            value: text(value),
            partition: partition.trim().parse().ok()?,
            offset: -1,
        })
    }
}

/// `2020/05/04 23:53:29.935 Z`; the number itself where the calendar ends.
fn rowtime(timestamp: i64) -> String {
    DateTime::from_timestamp_millis(timestamp)
        .map_or_else(|| timestamp.to_string(), |time| time.format("%Y/%m/%d %H:%M:%S%.3f Z").to_string())
}

impl fmt::Debug for TopicPrint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TopicPrint").field("only_new", &self.only_new).finish_non_exhaustive()
    }
}

/// Begins to print a topic.
pub(super) fn start(shared: &Shared, catalog: &Catalog, print: &PrintTopic) -> Result<TopicPrint, EngineError> {
    let topics = &shared.topics;
    if has_secrets(&print.topic, shared.properties(&BTreeMap::new()).service_id()) {
        let text =
            format!("PRINT does not show the topic {}: servers tell each other there whom to believe", print.topic);
        return Err(EngineError::new(text));
    }
    let Some(info) = topics.describe(&print.topic)? else { return Err(unknown_topic(shared, catalog, &print.topic)) };
    let topic: Arc<str> = info.name.as_str().into();
    let partition = |partition| TopicPartition { topic: Arc::clone(&topic), partition };
    let partitions: Vec<TopicPartition> = (0..info.config.partitions).map(partition).collect();
    let mut records = TimeOrder::default();
    for (partition, range) in partitions.iter().zip(topics.ranges(&partitions, PATIENCE)?) {
        let from = match range {
            Some((start, end)) => {
                if print.from_beginning {
                    start
                } else {
                    end
                }
            }
            // Without a leader: one that comes soon is waited for.
            None if print.from_beginning => topics.start_offset(partition)?,
            None => topics.end_offset(partition)?,
        };
        records.add(partition.clone(), from, None);
    }
    let registered = RecordTexts::new(shared.registry.clone());
    let state = State {
        records,
        keys: FormatGuess::of_keys(registered.clone()),
        values: FormatGuess::of_values(registered),
        interval: positive("INTERVAL", print.interval)?.unwrap_or(1),
        read: 0,
        left: positive("LIMIT", print.limit)?,
        told: None,
    };
    Ok(TopicPrint { topics: Arc::clone(topics), only_new: !print.from_beginning, state: Box::new(Mutex::new(state)) })
}

fn positive(clause: &str, number: Option<i32>) -> Result<Option<u64>, EngineError> {
    match number {
        Some(number) if number < 1 => Err(EngineError::new(format!("{clause} must be at least 1, got {number}"))),
        number => Ok(number.map(|number| u64::from(number.unsigned_abs()))),
    }
}

fn unknown_topic(shared: &Shared, catalog: &Catalog, name: &str) -> EngineError {
    let error = EngineError::new(format!(
        "Could not find topic '{name}', or the KSQL user does not have permissions to list the topic. \
         Topic names are case-sensitive."
    ));
    let known = shared.topics.list().unwrap_or_default();
    let is_there = |topic: &str| known.iter().any(|known| known.name == topic);
    let mut named = catalog.sources().filter(|source| source.name.eq_ignore_ascii_case(name));
    if let Some(source) = named.find(|source| is_there(&source.topic)) {
        let (noun, topic) = (source.collection.noun(), &source.topic);
        return error.with_hint(format!("the topic of the {noun} {} is {topic}: PRINT '{topic}'", source.name));
    }
    let similar = similar_names(name, known.iter().map(|topic| topic.name.as_str()));
    match similar.as_slice() {
        [] => error.with_hint("SHOW TOPICS lists all there are"),
        names => error.with_hint(format!("did you mean {}?", names.join(" or "))),
    }
}

impl TopicPrint {
    /// The next records, waiting for them at most `timeout`.
    pub fn next(&self, timeout: Duration) -> Result<PrintEvent, EngineError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.left == Some(0) {
            return Ok(PrintEvent::End);
        }
        let seen = self.topics.version();
        let mut read = state.read(&*self.topics)?;
        if read.is_empty() {
            self.topics.wait(seen, timeout);
            read = state.read(&*self.topics)?;
        }
        if read.is_empty() {
            return Ok(PrintEvent::Idle);
        }
        Ok(state.print(&read))
    }
}

impl State {
    /// Records that are there, no more than are needed.
    fn read(&mut self, topics: &dyn Topics) -> Result<Vec<RawRecord>, EngineError> {
        let needed = self.left.map_or(u64::MAX, |left| left.saturating_mul(self.interval));
        let rows_max = needed.min(RECORDS_AT_ONCE) as usize;
        let mut read = Vec::new();
        while read.len() < rows_max {
            let Some(record) = self.records.next(topics, rows_max)? else { break };
            read.push(RawRecord {
                timestamp: record.timestamp(),
                key: record.key().map(<[u8]>::to_vec),
                value: record.value().map(<[u8]>::to_vec),
                partition: record.partition,
                offset: record.offset(),
            });
        }
        Ok(read)
    }

    fn print(&mut self, read: &[RawRecord]) -> PrintEvent {
        self.keys.ask_again();
        self.values.ask_again();
        for record in read {
            self.keys.narrow(record.key.as_deref());
            self.values.narrow(record.value.as_deref());
        }
        let formats = PrintedFormats { key: self.keys.to_string(), value: self.values.to_string() };
        let news = (self.told.as_ref() != Some(&formats)).then(|| formats.clone());
        self.told = Some(formats);
        let mut printed = Vec::new();
        for record in read {
            let is_due = self.read.is_multiple_of(self.interval);
            self.read += 1;
            if !is_due || self.left == Some(0) {
                continue;
            }
            self.left = self.left.map(|left| left - 1);
            printed.push(PrintedRecord {
                timestamp: record.timestamp,
                key: record.key.as_deref().map(|bytes| self.keys.text(bytes)),
                value: record.value.as_deref().map(|bytes| self.values.text(bytes)),
                partition: record.partition,
                offset: record.offset,
            });
        }
        PrintEvent::Records(news, printed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineOptions, Response, Session};
    use crate::registry::{MemoryRegistry, SchemaDocument, SchemaRegistry, SchemaType};
    use crate::topics::{MemoryTopics, TopicConfig, Transaction};
    use crate::types::RecordChunkBuilder;

    /// Time, key and value.
    type Record<'a> = (i64, Option<&'a [u8]>, Option<&'a [u8]>);

    fn append(topics: &dyn Topics, records: &[Record<'_>]) {
        let mut chunk = RecordChunkBuilder::new();
        records.iter().for_each(|&(time, key, value)| chunk.push(key, value, time));
        let to = TopicPartition { topic: "orders".into(), partition: 0 };
        let appends = vec![(to, chunk.finish())];
        topics.commit(Transaction { appends, ..Transaction::default() }).expect("the topic is there");
    }

    fn engine() -> (Arc<MemoryTopics>, Engine) {
        engine_with(None)
    }

    fn engine_with(registry: Option<Arc<dyn SchemaRegistry>>) -> (Arc<MemoryTopics>, Engine) {
        let topics = Arc::new(MemoryTopics::new());
        topics.create("orders", &TopicConfig::with_partitions(1)).expect("a new topic");
        let options = EngineOptions { threads: false, registry, ..EngineOptions::default() };
        let engine = Engine::with_options(Arc::clone(&topics) as Arc<dyn Topics>, options).expect("memory is empty");
        (topics, engine)
    }

    fn execute(engine: &Engine, text: &str) -> Result<Vec<Response>, EngineError> {
        let mut responses = Vec::new();
        engine.execute(&mut Session::default(), text, &mut |response| responses.push(response))?;
        Ok(responses)
    }

    fn started(engine: &Engine, statement: &str) -> TopicPrint {
        match execute(engine, statement).expect("the topic is there").pop() {
            Some(Response::Print(print)) => print,
            other => panic!("{other:?}"),
        }
    }

    /// The lines that are there, and how they end.
    fn lines(print: &TopicPrint) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match print.next(Duration::ZERO).expect("the topic is there") {
                PrintEvent::Records(formats, records) => {
                    lines.extend(formats.map(|formats| formats.to_string()));
                    lines.extend(records.iter().map(ToString::to_string));
                }
                PrintEvent::Idle => lines.push("idle".to_owned()),
                PrintEvent::End => lines.push("end".to_owned()),
            }
            if lines.last().is_some_and(|line| line == "idle" || line == "end") {
                return lines;
            }
        }
    }

    #[test]
    fn records_are_printed_as_they_come() {
        let (topics, engine) = engine();
        append(&*topics, &[(0, Some(b"ann"), Some(br#"{"n": 1.50}"#))]);
        let print = started(&engine, "PRINT orders FROM BEGINNING;");
        let expected = [
            "Key format: KAFKA_STRING\nValue format: JSON or KAFKA_STRING",
            "rowtime: 1970/01/01 00:00:00.000 Z, key: ann, value: {\"n\":1.50}, partition: 0",
            "idle",
        ];
        assert_eq!(lines(&print), expected);
        append(&*topics, &[(1_588_636_409_935, None, None), (5, Some(b"bob"), Some(b"plain"))]);
        let expected = [
            "Key format: KAFKA_STRING\nValue format: KAFKA_STRING",
            "rowtime: 2020/05/04 23:53:29.935 Z, key: <null>, value: <null>, partition: 0",
            "rowtime: 1970/01/01 00:00:00.005 Z, key: bob, value: plain, partition: 0",
            "idle",
        ];
        assert_eq!(lines(&print), expected, "the guess is narrowed by what has come since");
    }

    #[test]
    fn without_from_beginning_only_new_records_are_printed() {
        let (topics, engine) = engine();
        append(&*topics, &[(0, None, Some(b"old"))]);
        let print = started(&engine, "PRINT 'orders';");
        assert_eq!(lines(&print), ["idle"]);
        append(&*topics, &[(0, None, Some(b"new"))]);
        let line = "rowtime: 1970/01/01 00:00:00.000 Z, key: <null>, value: new, partition: 0";
        let formats = "Key format: ¯\\_(ツ)_/¯ - no data processed\nValue format: KAFKA_STRING";
        assert_eq!(lines(&print), [formats, line, "idle"]);
    }

    #[test]
    fn every_nth_record_up_to_a_limit() {
        let (topics, engine) = engine();
        let texts: Vec<String> = (0..9).map(|number| format!("v{number}")).collect();
        let records: Vec<_> = texts.iter().map(|text| (0, None, Some(text.as_bytes()))).collect();
        append(&*topics, &records);
        for statement in
            ["PRINT orders FROM BEGINNING INTERVAL 3 LIMIT 2;", "PRINT orders FROM BEGINNING SAMPLE 3 LIMIT 2;"]
        {
            let printed = lines(&started(&engine, statement));
            assert_eq!(printed.len(), 4, "{printed:?}");
            assert!(printed[1].contains("value: v0") && printed[2].contains("value: v3"), "{printed:?}");
            assert_eq!(printed[3], "end");
        }
        for clause in ["INTERVAL 0", "LIMIT 0"] {
            let error = execute(&engine, &format!("PRINT orders {clause};")).expect_err("nothing could come of it");
            assert!(error.message.ends_with("must be at least 1, got 0"), "{error}");
        }
    }

    /// What PRINT says of records that queries wrote in `format`: formats and values.
    fn printed_of(format: &str, registry: Option<Arc<dyn SchemaRegistry>>) -> Vec<String> {
        let (topics, engine) = engine_with(Some(Arc::new(MemoryRegistry::new())));
        let create = format!(
            "CREATE STREAM sales (id STRING KEY, item STRING, n INT, price DOUBLE, tags ARRAY<STRING>, place STRUCT<x INT>) \
             WITH (kafka_topic = 'sales', partitions = 1, value_format = '{format}');"
        );
        execute(&engine, &create).expect("the registry is there");
        for values in ["'a', 'cork', 300, 1.5, ARRAY['x', 'y'], STRUCT(x := 1)", "'b', NULL, NULL, NULL, NULL, NULL"] {
            execute(&engine, &format!("INSERT INTO sales VALUES ({values});")).expect("a row");
        }
        let print = started(&engine, "PRINT sales FROM BEGINNING;");
        // Others print the same bytes, if they are asked to.
        let print = match registry {
            None => print,
            Some(registry) => {
                let options = EngineOptions { threads: false, registry: Some(registry), ..EngineOptions::default() };
                let topics = Arc::clone(&topics) as Arc<dyn Topics>;
                started(&Engine::with_options(topics, options).expect("memory is there"), "PRINT sales FROM BEGINNING;")
            }
        };
        let PrintEvent::Records(formats, records) = print.next(Duration::ZERO).expect("the topic is there") else {
            panic!("there are records")
        };
        let formats = formats.map(|formats| formats.value);
        formats.into_iter().chain(records.into_iter().filter_map(|record| record.value)).collect()
    }

    #[test]
    fn records_of_registered_schemas_are_printed_by_them() {
        let full = r#"{"ITEM": "cork", "N": 300, "PRICE": 1.5, "TAGS": ["x", "y"], "PLACE": {"X": 1}}"#;
        let nulls = r#"{"ITEM": null, "N": null, "PRICE": null, "TAGS": null, "PLACE": null}"#;
        assert_eq!(printed_of("AVRO", None), ["AVRO", full, nulls]);
        let full = r#"ITEM: "cork" N: 300 PRICE: 1.5 TAGS: "x" TAGS: "y" PLACE { X: 1 }"#;
        assert_eq!(printed_of("PROTOBUF", None), ["PROTOBUF", full, ""]);
        let printed = printed_of("JSON_SR", None);
        let full = r#"{"ITEM":"cork","N":300,"PRICE":1.5,"TAGS":["x","y"],"PLACE":{"X":1}}"#;
        assert_eq!(printed[..2], ["JSON_SR or KAFKA_STRING".to_owned(), full.to_owned()]);
    }

    #[test]
    fn without_the_schema_bytes_are_what_they_seem() {
        let printed = printed_of("JSON_SR", Some(Arc::new(MemoryRegistry::new())));
        assert_eq!(printed[0], "KAFKA_STRING");
        assert!(printed[1].ends_with(r#""PLACE":{"X":1}}"#), "{printed:?}");
        // A schema that the bytes are not of is none of theirs.
        let other = MemoryRegistry::new();
        let document = SchemaDocument::new(SchemaType::Avro, "\"double\"");
        other.register_as("x-value", &document, 1).expect("the id is free");
        assert_eq!(printed_of("JSON_SR", Some(Arc::new(other)))[0], "KAFKA_STRING");
    }

    #[test]
    fn an_unknown_topic_is_named_with_what_is_near() {
        let (_, engine) = engine();
        let hint = |topic: &str| {
            let error = execute(&engine, &format!("PRINT '{topic}';")).expect_err("there is no such topic");
            let text = format!("Could not find topic '{topic}', or the KSQL user does not have permissions");
            assert!(error.message.starts_with(&text), "{error}");
            error.hint.unwrap_or_default()
        };
        assert_eq!(hint("Ordres"), "did you mean orders?");
        assert_eq!(hint("elsewhere"), "SHOW TOPICS lists all there are");
        let create = "CREATE STREAM sales (a INT) WITH (kafka_topic = 'orders', value_format = 'json');";
        execute(&engine, create).expect("the topic is there");
        assert_eq!(hint("sales"), "the topic of the stream SALES is orders: PRINT 'orders'");
    }
}
