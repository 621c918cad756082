//! The [`Driver`] of the production engine: memory topics or RocksDB, no threads, a clock that stands still.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{Array, RecordBatch};

use super::driver::{
    Asked, BOOTSTRAP, Driver, Failure, QueryInfo, RunMode, Selected, SelectedRow, SourceInfo, Stage, Storage,
    TestRecord,
};
use super::functions;
use super::namespace::Namespace;
use crate::catalog::Catalog;
use crate::engine::{Engine, EngineError, EngineOptions, PushEnd, PushEvent, PushQuery, Response, ResultRows, Session};
use crate::formats::{Format, Serde, encoder};
use crate::http::Listen;
use crate::plan::Settings;
use crate::registry::{MemoryRegistry, SchemaDocument, SchemaRegistry};
use crate::runtime::clock::ManualClock;
use crate::server::ApiServer;
use crate::sql::ast::Statement;
use crate::sql::{ParseError, ParsedStatement, parse_statements};
use crate::storage::{Family, KeyValue, WriteSet};
use crate::topics::{self, MemoryTopics, TopicConfig, TopicPartition, Topics, Transaction};
use crate::types::{Column, RecordChunk, RecordChunkBuilder};

/// An engine under test.
pub struct EngineDriver {
    mode: RunMode,
    clock: Arc<ManualClock>,
    properties: BTreeMap<String, String>,
    /// Where topics and state are; removed at the end.
    directory: Option<PathBuf>,
    topics: Arc<dyn Topics>,
    /// Outlives the engine, as the topics do.
    registry: Arc<MemoryRegistry>,
    /// `None` only while it is opened again.
    engine: Option<Arc<Engine>>,
    /// In front of it, where it is asked over HTTP.
    server: Option<ApiServer>,
    session: Session,
    script: Vec<ParsedStatement>,
    /// Offset of the next record fed, by topic.
    fed: HashMap<String, i64>,
}

/// How an answer ends that has as many rows as it may.
const LIMIT_REACHED: &str = "Limit Reached";

/// How an answer over a stream ends that has all rows.
const QUERY_COMPLETED: &str = "Query Completed";

/// What every case is run with: per-record emission, everything from the beginning.
const PROPERTIES: [(&str, &str); 2] = [("auto.offset.reset", "earliest"), CACHE_OFF];

/// What only a server is asked about. Joins of a source with itself and whole SQL are Levada's own.
const SERVED: [(&str, &str); 3] = [
    ("ksql.query.push.v2.enabled", "true"),
    ("levada.self.joins.enabled", "false"),
    ("levada.whole.sql.enabled", "false"),
];

/// Every update is emitted.
const CACHE_OFF: (&str, &str) = ("cache.max.bytes.buffering", "0");

impl EngineDriver {
    /// A fresh engine.
    pub fn open(mode: RunMode) -> Result<Self, Failure> {
        Self::open_with(mode, &PROPERTIES)
    }

    /// A fresh engine whose queries start where they do on a server that nobody has set up.
    pub fn open_as_server(mode: RunMode) -> Result<Self, Failure> {
        Self::open_with(mode, &[CACHE_OFF])
    }

    /// A fresh engine behind an HTTP server, with what the server of ksqlDB's own runner is set to.
    pub fn open_served(mode: RunMode) -> Result<Self, Failure> {
        let mut driver = Self::open_with(mode, &[&PROPERTIES[..], &SERVED].concat())?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let engine = driver.engine.clone().ok_or_else(Self::not_open)?;
        driver.server =
            Some(ApiServer::start(&engine, &[Listen { address, has_tls: false }], None).map_err(environment)?);
        Ok(driver)
    }

    fn not_open() -> Failure {
        Failure::new(Stage::Runtime, "the engine could not be opened again")
    }

    fn open_with(mode: RunMode, properties: &[(&str, &str)]) -> Result<Self, Failure> {
        let directory = (mode.storage != Storage::Memory).then(fresh_directory);
        let properties = with_service(properties, mode, directory.as_deref());
        let topics: Arc<dyn Topics> = match &directory {
            Some(directory) => open_topics(mode, directory, &properties)?,
            None if mode.one_partition => Arc::new(MemoryTopics::with_single_partition()),
            None => Arc::new(MemoryTopics::new()),
        };
        let registry = Arc::new(MemoryRegistry::new());
        let clock = Arc::new(ManualClock::default());
        let engine = open_engine(mode, &clock, &topics, &registry, &properties)?;
        Ok(Self {
            mode,
            clock,
            properties,
            directory,
            topics,
            registry,
            engine: Some(Arc::new(engine)),
            server: None,
            session: Session::default(),
            script: Vec::new(),
            fed: HashMap::new(),
        })
    }

    fn engine(&self) -> Result<&Engine, Failure> {
        self.engine.as_deref().ok_or_else(Self::not_open)
    }

    /// Executes a statement that was parsed elsewhere.
    pub fn execute_parsed(&mut self, parsed: &ParsedStatement) -> Result<(), Failure> {
        let mut session = std::mem::take(&mut self.session);
        let done = self.engine()?.execute_parsed(&mut session, parsed, &mut |_| ());
        self.session = session;
        done.map_err(|error| rejected(error, &parsed.text))
    }

    /// Variables that statements have defined.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.session.variables
    }

    /// Asks `analyze` about the catalog as it is now.
    pub fn analyze<T>(&self, analyze: impl FnOnce(&Catalog, &Settings<'_>) -> T) -> Result<T, Failure> {
        Ok(self.engine()?.analyze(&self.session, analyze))
    }

    /// The time of a record as it was written. On a cluster nothing can have time 0, see `topics::kafka`.
    fn time(&self, timestamp: i64) -> i64 {
        if self.mode.storage == Storage::Cluster && timestamp == 1 { 0 } else { timestamp }
    }

    fn chunk(records: &[TestRecord], first_offset: i64) -> RecordChunk {
        let mut chunk = RecordChunkBuilder::new();
        for (record, offset) in records.iter().zip(first_offset..) {
            let headers = record.headers.clone().into();
            chunk.push_full(record.key.as_deref(), record.value.as_deref(), record.timestamp, offset, headers);
        }
        chunk.finish()
    }
}

impl Drop for EngineDriver {
    fn drop(&mut self) {
        self.server = None;
        self.engine = None;
        if let Some(directory) = &self.directory {
            self.topics = Arc::new(MemoryTopics::new());
            // What stays behind is in the system's temporary directory.
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

fn fresh_directory() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("levada-test-{}-{number}", std::process::id()))
}

/// Server properties. Every driver on a cluster is a service of its own.
fn with_service(given: &[(&str, &str)], mode: RunMode, directory: Option<&Path>) -> BTreeMap<String, String> {
    let mut properties: BTreeMap<String, String> =
        given.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    if mode.keeps_nothing {
        properties.insert("memory.limit".to_owned(), "0".to_owned());
    }
    if mode.storage == Storage::Cluster
        && let (Ok(bootstrap), Some(name)) = (std::env::var(BOOTSTRAP), directory.and_then(Path::file_name))
    {
        properties.insert("bootstrap.servers".to_owned(), bootstrap);
        properties.insert("ksql.service.id".to_owned(), format!("{}_", name.to_string_lossy()));
    }
    properties
}

fn open_topics(
    mode: RunMode,
    directory: &Path,
    properties: &BTreeMap<String, String>,
) -> Result<Arc<dyn Topics>, Failure> {
    let topics = topics::open(directory, properties).map_err(environment)?;
    Ok(match directory.file_name() {
        Some(name) if mode.storage == Storage::Cluster => {
            Arc::new(Namespace::new(topics, format!("{}.", name.to_string_lossy())))
        }
        _ => topics,
    })
}

/// Makes the state in `storage` as if the disk were new, so that all of it comes from the changelogs.
fn forget_state(storage: &dyn KeyValue) -> Result<(), Failure> {
    let mut writes = WriteSet::default();
    writes.delete_range(Family::State, Vec::new(), vec![u8::MAX; 8]);
    writes.delete_range(Family::Meta, b"changelog/".to_vec(), b"changelog0".to_vec());
    storage.write(&writes).map_err(environment)
}

fn open_engine(
    mode: RunMode,
    clock: &Arc<ManualClock>,
    topics: &Arc<dyn Topics>,
    registry: &Arc<MemoryRegistry>,
    properties: &BTreeMap<String, String>,
) -> Result<Engine, Failure> {
    let options = EngineOptions {
        sources: BTreeMap::new(),
        properties: properties.clone(),
        clock: Arc::<ManualClock>::clone(clock),
        threads: false,
        batch_rows_max: mode.batch_rows_max,
        functions: if mode.test_functions { functions::registry().map_err(environment)? } else { Arc::default() },
        registry: Some(Arc::<MemoryRegistry>::clone(registry)),
    };
    Engine::with_options(Arc::clone(topics), options).map_err(environment)
}

fn environment(error: impl std::fmt::Display) -> Failure {
    Failure::new(Stage::Runtime, error.to_string())
}

/// A text that is no statement.
pub fn misread(error: &ParseError) -> Failure {
    Failure {
        stage: Stage::Syntax,
        message: error.to_string(),
        statement: Some(error.statement.clone()),
        position: Some((error.line() as usize, error.column() as usize)),
        hint: error.help(),
    }
}

/// A statement that was refused.
pub fn rejected(error: EngineError, statement: &str) -> Failure {
    Failure {
        stage: Stage::Rejected,
        message: error.message,
        statement: Some(statement.to_owned()),
        position: error.position,
        hint: error.hint,
    }
}

impl Driver for EngineDriver {
    fn create_topic(&mut self, name: &str, partitions: u32) -> Result<(), Failure> {
        self.topics.create(name, &TopicConfig::with_partitions(partitions)).map_err(environment)
    }

    fn register_schema(&mut self, subject: &str, schema: &SchemaDocument, id: Option<u32>) -> Result<(), Failure> {
        match id {
            Some(id) => self.registry.register_as(subject, schema, id),
            None => self.registry.register(subject, schema).map(drop),
        }
        .map_err(environment)
    }

    fn registry(&self) -> Arc<dyn SchemaRegistry> {
        Arc::<MemoryRegistry>::clone(&self.registry)
    }

    fn topics(&self) -> Vec<String> {
        self.topics.list().unwrap_or_default().into_iter().map(|topic| topic.name).collect()
    }

    fn set_clock(&mut self, now_ms: i64) {
        self.clock.set(now_ms);
    }

    fn set_property(&mut self, name: &str, value: &str) {
        self.session.properties.insert(name.to_owned(), value.to_owned());
    }

    fn check_script(&mut self, text: &str) -> Result<usize, Failure> {
        self.script = parse_statements(text).map_err(|error| misread(&error))?;
        Ok(self.script.len())
    }

    fn execute(&mut self, index: usize) -> Result<(), Failure> {
        let parsed = self.script[index].clone();
        self.execute_parsed(&parsed)
    }

    fn sources(&self) -> Vec<SourceInfo> {
        let Ok(engine) = self.engine() else { return Vec::new() };
        let catalog = engine.catalog();
        let sources = catalog.sources().map(|source| SourceInfo {
            name: source.name.clone(),
            is_table: source.is_table(),
            topic: source.topic.clone(),
            schema: source.schema.clone(),
            key_serde: source.key_serde.clone(),
            value_serde: source.value_serde.clone(),
            window: source.window,
            window_type: source.window_type.map(crate::catalog::WindowType::name),
            is_source: source.is_source,
        });
        sources.collect()
    }

    fn queries(&self) -> Vec<QueryInfo> {
        let Ok(engine) = self.engine() else { return Vec::new() };
        let queries = engine.query_topics().into_iter();
        queries.map(|(id, source_topics)| QueryInfo { id, source_topics }).collect()
    }

    fn append(&mut self, topic: &str, records: &[TestRecord]) -> Result<(), Failure> {
        let info = self.topics.describe(topic).map_err(environment)?;
        let partitions = info.map_or(1, |info| info.config.partitions);
        let mut transaction = Transaction::default();
        for record in records {
            let chosen = record.partition;
            let partition = chosen.unwrap_or_else(|| self.topics.partition_for(record.key.as_deref(), partitions));
            let to = TopicPartition { topic: topic.into(), partition };
            transaction.appends.push((to, Self::chunk(std::slice::from_ref(record), 0)));
        }
        self.topics.commit(transaction).map_err(environment)
    }

    fn feed(&mut self, query: &str, topic: &str, records: &[TestRecord]) -> Result<(), Failure> {
        let first = self.fed.entry(format!("{query}/{topic}")).or_default();
        let chunk = Self::chunk(records, *first);
        *first += records.len() as i64;
        self.engine()?.feed(query, topic, &chunk);
        Ok(())
    }

    fn settle(&mut self, query: &str) -> Result<(), Failure> {
        self.engine()?.settle(Some(query)).map_err(environment)
    }

    fn records(&self, topic: &str) -> Vec<TestRecord> {
        let Ok(Some(info)) = self.topics.describe(topic) else { return Vec::new() };
        let mut records = Vec::new();
        for partition in 0..info.config.partitions {
            let from = TopicPartition { topic: topic.into(), partition };
            let mut offset = 0;
            loop {
                let version = self.topics.version();
                if self.topics.is_drained(&from, offset).expect("the end of a topic can be asked for") {
                    break;
                }
                let chunk = self.topics.fetch(&from, offset, usize::MAX, usize::MAX).expect("topics can be read");
                let Some(&last) = chunk.offsets.last() else {
                    self.topics.wait(version, Duration::from_millis(5));
                    continue;
                };
                offset = last + 1;
                records.extend((0..chunk.len()).map(|row| TestRecord {
                    partition: Some(partition),
                    key: chunk.keys.is_valid(row).then(|| chunk.keys.value(row).to_vec()),
                    value: chunk.values.is_valid(row).then(|| chunk.values.value(row).to_vec()),
                    timestamp: self.time(chunk.timestamps[row]),
                    headers: chunk.headers_at(row).to_vec(),
                }));
            }
        }
        records
    }

    fn ask(&mut self, statement: &str) -> Result<Asked, Failure> {
        let parsed = parse_statements(statement).map_err(|error| misread(&error))?.into_iter().next();
        let Some((parsed, Statement::Query(_) | Statement::Read(_))) =
            parsed.as_ref().map(|parsed| (parsed, &parsed.statement))
        else {
            return Err(Failure::new(Stage::Rejected, "the statement is no query"));
        };
        let mut session = std::mem::take(&mut self.session);
        let mut responses = Vec::new();
        let done = self.engine()?.execute_parsed(&mut session, parsed, &mut |response| responses.push(response));
        self.session = session;
        done.map_err(|error| rejected(error, &parsed.text))?;
        responses.pop().map(Asked).ok_or_else(|| Failure::new(Stage::Rejected, "the statement gives no rows"))
    }

    fn answer(&mut self, asked: Asked) -> Result<Selected, Failure> {
        match asked.0 {
            Response::Rows(rows) => Ok(pulled(&rows)),
            Response::Push(push) => {
                self.engine()?.settle(None).map_err(environment)?;
                Ok(pushed(&push))
            }
            _ => Err(Failure::new(Stage::Rejected, "the statement gives no rows")),
        }
    }

    fn restart(&mut self) -> Result<(), Failure> {
        let address = self.server.take().and_then(|server| server.address());
        if let Some(engine) = self.engine.take().and_then(Arc::into_inner) {
            engine.shutdown();
        }
        if let Some(directory) = &self.directory {
            // The store must be let go before it can be opened again.
            self.topics = Arc::new(MemoryTopics::new());
            self.topics = open_topics(self.mode, directory, &self.properties)?;
            if self.mode.storage == Storage::Cluster {
                forget_state(&*self.topics.storage())?;
            }
        }
        let engine = open_engine(self.mode, &self.clock, &self.topics, &self.registry, &self.properties)?;
        let engine = Arc::new(engine);
        if let Some(address) = address {
            let listen = Listen { address, has_tls: false };
            self.server = Some(ApiServer::start(&engine, &[listen], None).map_err(environment)?);
        }
        self.engine = Some(engine);
        Ok(())
    }

    fn settle_all(&mut self) -> Result<(), Failure> {
        self.engine()?.settle(None).map_err(environment)
    }

    fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().and_then(ApiServer::address)
    }
}

/// The answer of a pull query: over a table its columns say which are keys, over a stream it says how it ended.
fn pulled(answer: &ResultRows) -> Selected {
    Selected {
        schema: answer.schema_text(),
        columns: answer.columns.clone(),
        query_id: "query_".to_owned(),
        final_message: answer.end.as_ref().and_then(final_message),
        rows: answer.batches.iter().flat_map(|batch| cells(&answer.columns, batch)).collect(),
    }
}

/// What a push query says by itself; one without a limit, or short of it, does not end.
fn pushed(push: &PushQuery) -> Selected {
    let mut rows = Vec::new();
    let end = loop {
        match push.try_next() {
            PushEvent::Rows(given) => {
                let mut given_cells = cells(&push.columns, given.batch());
                given_cells
                    .iter_mut()
                    .enumerate()
                    .for_each(|(row, cells)| cells.is_tombstone = given.is_tombstone(row));
                rows.append(&mut given_cells);
            }
            PushEvent::Idle => break None,
            PushEvent::End(end) => break final_message(&end),
        }
    };
    let schema = push.columns.iter().map(Column::to_string).collect::<Vec<_>>().join(", ");
    Selected { schema, columns: push.columns.clone(), query_id: push.id.clone(), final_message: end, rows }
}

/// The line that an answer ends with.
fn final_message(end: &PushEnd) -> Option<String> {
    match end {
        PushEnd::LimitReached => Some(LIMIT_REACHED.to_owned()),
        PushEnd::Completed => Some(QUERY_COMPLETED.to_owned()),
        PushEnd::Stopped | PushEnd::Failed(_) => None,
    }
}

/// The rows of `batch` as JSON cells.
fn cells(columns: &[Column], batch: &RecordBatch) -> Vec<SelectedRow> {
    let mut rows = vec![SelectedRow { columns: Vec::new(), is_tombstone: false }; batch.num_rows()];
    let serde = Serde { format: Format::Json, wrap_single: false };
    for (column, values) in columns.iter().zip(batch.columns()) {
        let Ok(mut encoder) = encoder(&serde, std::slice::from_ref(column)) else { continue };
        let encoded = encoder.encode(std::slice::from_ref(values), batch.num_rows(), None);
        for (row, answer) in rows.iter_mut().enumerate() {
            let cell = encoded.bytes.is_valid(row).then(|| encoded.bytes.value(row));
            let cell = cell.and_then(|bytes| serde_json::from_slice(bytes).ok());
            answer.columns.push(cell.unwrap_or(serde_json::Value::Null));
        }
    }
    rows
}
