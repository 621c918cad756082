//! The processing log of the server: its topic, its stream, and who writes it.
//!
//! It is on where `ksql.logging.processing.topic.auto.create` or `…stream.auto.create` is, or where its topic is there already.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::config::Properties;
use super::{Engine, EngineError, Inner, Session};
use crate::metrics::Registry;
use crate::runtime::clock::Clock;
use crate::runtime::processing_log::{LogSettings, ProcessingLog};
use crate::sql::quote_name;
use crate::topics::{TopicConfig, Topics};

/// How often entries are written.
const INTERVAL: Duration = Duration::from_millis(200);

/// What the properties say of the log.
struct Wanted {
    topic: String,
    partitions: u32,
    replicas: Option<u16>,
    creates_topic: bool,
    /// The stream to create over it.
    stream: Option<String>,
    includes_rows: bool,
}

const PREFIX: &str = "ksql.logging.processing.";

impl Wanted {
    fn new(properties: &Properties) -> Result<Self, EngineError> {
        let get = |name: &str| properties.values().get(&format!("{PREFIX}{name}")).map(|value| value.trim());
        let is_on = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let number = |name: &str, max: u32| -> Result<Option<u32>, EngineError> {
            let Some(text) = get(name) else { return Ok(None) };
            let number = text.parse().ok().filter(|number| (1..=max).contains(number));
            let wrong = || {
                let text =
                    format!("Invalid value {text} for configuration {PREFIX}{name}: Not a number from 1 to {max}");
                EngineError::new(text)
            };
            number.map(Some).ok_or_else(wrong)
        };
        let stream = is_on("stream.auto.create");
        Ok(Self {
            topic: get("topic.name")
                .map_or_else(|| format!("{}ksql_processing_log", properties.service_id()), str::to_owned),
            partitions: number("topic.partitions", 10_000)?.unwrap_or(1),
            replicas: number("topic.replication.factor", u32::from(u16::MAX))?.map(|replicas| replicas as u16),
            creates_topic: stream || is_on("topic.auto.create"),
            stream: stream.then(|| get("stream.name").unwrap_or("KSQL_PROCESSING_LOG").to_owned()),
            includes_rows: is_on("rows.include"),
        })
    }

    /// Makes sure of the topic; whether it is there.
    fn prepare(&self, topics: &dyn Topics) -> Result<bool, EngineError> {
        if !self.creates_topic {
            // Whoever has not asked for the log does not hear that the cluster does not tell.
            return Ok(topics.describe(&self.topic).is_ok_and(|found| found.is_some()));
        }
        let config = TopicConfig { replicas: self.replicas, ..TopicConfig::with_partitions(self.partitions) };
        config.check(&self.topic)?;
        topics.ensure(&self.topic, &config)?;
        Ok(true)
    }
}

/// The log that `properties` ask for; creates its topic.
pub(super) fn open(
    properties: &Properties,
    topics: &dyn Topics,
    clock: &Arc<dyn Clock>,
    metrics: &Registry,
) -> Result<Arc<ProcessingLog>, EngineError> {
    let wanted = Wanted::new(properties)?;
    if !wanted.prepare(topics)? {
        return Ok(ProcessingLog::off());
    }
    let settings = LogSettings { topic: wanted.topic, includes_rows: wanted.includes_rows };
    Ok(ProcessingLog::new(settings, Arc::clone(clock), metrics))
}

/// The thread that writes the log.
pub(super) struct LogWriter {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl LogWriter {
    /// Writes the log of the engine from now on, if there is one.
    pub(super) fn start(inner: &Arc<Inner>) -> Option<Self> {
        if !inner.shared.log.is_on() {
            return None;
        }
        let (stop, inner) = (Arc::new(AtomicBool::new(false)), Arc::clone(inner));
        let flag = Arc::clone(&stop);
        let write = move || {
            while !flag.load(Ordering::Acquire) {
                inner.write_log();
                std::thread::park_timeout(INTERVAL);
            }
        };
        let thread = std::thread::Builder::new().name("processing-log".to_owned()).spawn(write);
        Some(Self { stop, thread: thread.expect("the system can start a thread") })
    }

    /// Ends the thread.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the thread that writes the processing log has died");
        }
    }
}

impl Inner {
    /// Writes what is new in the processing log; whether something was.
    pub(super) fn write_log(&self) -> bool {
        // The log tells of a failure itself, once.
        self.shared.log.write(&*self.shared.topics).is_ok_and(|written| written > 0)
    }
}

impl Engine {
    /// Creates the stream over the processing log, if it is asked for and is not there.
    pub(super) fn create_log_stream(&self) -> Result<(), EngineError> {
        let shared = &self.inner.shared;
        let wanted = Wanted::new(&shared.properties(&BTreeMap::new()))?;
        let Some(name) = &wanted.stream else { return Ok(()) };
        if self.catalog().source(name).is_some() {
            return Ok(());
        }
        let statement = create_statement(name, &wanted.topic);
        self.execute(&mut Session::default(), &statement, &mut |_| ()).map_err(|error| {
            let message = format!("the stream {name} over the processing log cannot be created: {error}");
            EngineError { message, ..error }.with_hint(format!("{PREFIX}stream.auto.create=false leaves it out"))
        })
    }
}

/// The stream as ksqlDB declares it.
fn create_statement(name: &str, topic: &str) -> String {
    let (name, topic) = (quote_name(name), topic.replace('\'', "''"));
    format!(
        "CREATE STREAM IF NOT EXISTS {name} (logger VARCHAR, level VARCHAR, time BIGINT, message STRUCT<type INT, \
         deserializationError STRUCT<target VARCHAR, errorMessage VARCHAR, recordB64 VARCHAR, cause ARRAY<VARCHAR>, \
         `topic` VARCHAR>, recordProcessingError STRUCT<errorMessage VARCHAR, record VARCHAR, cause ARRAY<VARCHAR>>, \
         productionError STRUCT<errorMessage VARCHAR>, serializationError STRUCT<target VARCHAR, errorMessage VARCHAR, \
         record VARCHAR, cause ARRAY<VARCHAR>, `topic` VARCHAR>, kafkaStreamsThreadError STRUCT<errorMessage VARCHAR, \
         threadName VARCHAR, cause ARRAY<VARCHAR>>>) WITH (KAFKA_TOPIC = '{topic}', VALUE_FORMAT = 'JSON');"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{EngineOptions, Response};
    use crate::topics::MemoryTopics;

    fn engine(properties: &[(&str, &str)]) -> Result<Engine, EngineError> {
        let properties = properties.iter().chain(&[("auto.offset.reset", "earliest")]);
        let properties = properties.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let options = EngineOptions { properties, threads: false, ..EngineOptions::default() };
        Engine::with_options(Arc::new(MemoryTopics::new()), options)
    }

    const STATEMENTS: &str = "
        CREATE STREAM s (v VARCHAR) WITH (kafka_topic = 's', value_format = 'kafka', partitions = 1);
        CREATE STREAM n (v INT) WITH (kafka_topic = 's', value_format = 'json');
        CREATE STREAM a AS SELECT 1 / v AS inverse FROM n;
        INSERT INTO s (v) VALUES ('{\"v\": 0}');
        INSERT INTO s (v) VALUES ('{oops');";

    fn answer(engine: &Engine, statement: &str) -> Vec<String> {
        let mut rows = Vec::new();
        let show = &mut |response| {
            if let Response::Rows(found) = response {
                for batch in &found.batches {
                    let text = arrow::util::display::array_value_to_string;
                    let row = |row| {
                        let cells = batch.columns().iter().map(|column| text(column, row).expect("a printable cell"));
                        cells.collect::<Vec<_>>().join("|")
                    };
                    rows.extend((0..batch.num_rows()).map(row));
                }
            }
        };
        engine.execute(&mut Session::default(), statement, show).expect("it can be answered");
        rows
    }

    #[test]
    fn the_stream_over_the_log_says_what_went_wrong_with_records() {
        let on = "ksql.logging.processing.stream.auto.create";
        let engine =
            engine(&[(on, "true"), ("ksql.logging.processing.rows.include", "true")]).expect("memory is empty");
        engine.execute(&mut Session::default(), STATEMENTS, &mut |_| ()).expect("the statements are right");
        engine.settle(None).expect("nothing fails");
        let found = answer(
            &engine,
            "SELECT logger, level, message->type, message->recordProcessingError->record, \
             message->deserializationError->target, message->deserializationError->recordB64, \
             message->deserializationError->`topic` FROM KSQL_PROCESSING_LOG;",
        );
        let expected = [
            "processing.CSAS_A_3.KsqlTopic.Source.deserializer|ERROR|0||value|e29vcHM=|s",
            "processing.CSAS_A_3.Project|ERROR|1|{\"v\": 0}|||",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_query_over_the_log_does_not_feed_it() {
        let engine = engine(&[("ksql.logging.processing.stream.auto.create", "true")]).expect("memory is empty");
        let reader = "CREATE STREAM r AS SELECT 1 / (message->type - message->type) AS x FROM KSQL_PROCESSING_LOG;";
        engine.execute(&mut Session::default(), reader, &mut |_| ()).expect("the statement is right");
        engine.execute(&mut Session::default(), STATEMENTS, &mut |_| ()).expect("the statements are right");
        engine.settle(None).expect("nothing fails");
        assert_eq!(answer(&engine, "SELECT logger FROM KSQL_PROCESSING_LOG;").len(), 2);
    }

    #[test]
    fn the_log_is_off_unless_it_is_asked_for() {
        let plain = engine(&[]).expect("memory is empty");
        assert!(!plain.inner.shared.log.is_on());
        let named =
            [("ksql.logging.processing.topic.auto.create", "true"), ("ksql.logging.processing.topic.name", "mine")];
        let named = engine(&named).expect("memory is empty");
        assert!(named.inner.shared.log.is_written_to("mine") && named.catalog().sources().next().is_none());
        let wrong = engine(&[("ksql.logging.processing.topic.partitions", "many")]).err().expect("no number");
        assert!(wrong.message.contains("ksql.logging.processing.topic.partitions"), "{wrong}");
    }
}
