//! What a test asks of the engine.
//!
//! The engine behind a [`Driver`] is the production one: its parser, planner, catalog and runtime, over memory topics,
//! with tasks on the caller's thread and a clock that is moved by hand. It is never a second engine.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::engine::Response;
use crate::formats::Serde;
use crate::registry::{SchemaDocument, SchemaRegistry};
use crate::types::{Column, Header, Schema, WindowKind};

/// Where state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// In memory.
    Memory,
    /// In a RocksDB of its own, in a directory that is removed afterwards.
    Rocks,
    /// On the Kafka cluster that [`BOOTSTRAP`] names, with state in a RocksDB that forgets it at every restart.
    Cluster,
}

/// Environment variable with the address of a Kafka cluster to run specs on, instead of all other modes.
pub const BOOTSTRAP: &str = "LEVADA_TEST_BOOTSTRAP";

/// How a case is run. Results must not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way to run on its own")]
pub struct RunMode {
    /// Rows processed together at most.
    pub batch_rows_max: usize,
    /// Where topics and state are kept.
    pub storage: Storage,
    /// Whether the engine is stopped and opened again between steps.
    pub restarts: bool,
    /// Whether every record goes to partition 0, whatever its key and however many partitions a topic is said to have:
    /// the order within a topic is then the order of writing, as ksqlDB's cases want it.
    pub one_partition: bool,
    /// Whether every row is committed by itself and nothing of state stays in memory.
    pub keeps_nothing: bool,
    /// Whether statements may call the functions that only ksqlDB's cases have.
    pub test_functions: bool,
}

impl RunMode {
    /// One record at a time, in memory.
    pub const ONE_BY_ONE: Self = Self {
        batch_rows_max: 1,
        storage: Storage::Memory,
        restarts: false,
        one_partition: false,
        keeps_nothing: false,
        test_functions: false,
    };

    /// How ksqlDB runs its own cases of persistent queries.
    pub const CONFORMANCE: Self = Self { one_partition: true, test_functions: true, ..Self::ONE_BY_ONE };

    /// All records together, in memory.
    const ALL_TOGETHER: Self = Self { batch_rows_max: 4096, ..Self::ONE_BY_ONE };

    /// The modes in which every spec is run.
    pub fn of_specs() -> &'static [Self] {
        if std::env::var_os(BOOTSTRAP).is_some() { &Self::ON_CLUSTER } else { &Self::ALL }
    }

    const ON_CLUSTER: [Self; 1] = [Self { storage: Storage::Cluster, restarts: true, ..Self::ALL_TOGETHER }];

    const ALL: [Self; 6] = [
        Self::ONE_BY_ONE,
        Self::ALL_TOGETHER,
        Self { storage: Storage::Rocks, ..Self::ALL_TOGETHER },
        Self { restarts: true, ..Self::ALL_TOGETHER },
        Self { storage: Storage::Rocks, restarts: true, ..Self::ONE_BY_ONE },
        Self { keeps_nothing: true, ..Self::ONE_BY_ONE },
    ];
}

impl std::fmt::Display for RunMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let batches = if self.batch_rows_max == 1 { "one record a batch" } else { "all records in a batch" };
        let storage = match self.storage {
            Storage::Memory => "memory",
            Storage::Rocks => "RocksDB",
            Storage::Cluster => "Kafka",
        };
        let restarts = if self.restarts { ", restarted between steps" } else { "" };
        let kept = if self.keeps_nothing { ", nothing kept in memory" } else { "" };
        write!(f, "{batches}, {storage}{restarts}{kept}")
    }
}

/// When something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The text is no statement.
    Syntax,
    /// The statement cannot be carried out.
    Rejected,
    /// A running query stopped with an error.
    Runtime,
}

impl Stage {
    /// For the middle of a sentence: `as a syntax error`.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Syntax => "as a syntax error",
            Self::Rejected => "as a rejected statement",
            Self::Runtime => "at run time",
        }
    }
}

/// What failed, as a user sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// When.
    pub stage: Stage,
    /// The text of the error.
    pub message: String,
    /// The statement that failed, which ksqlDB adds to the text.
    pub statement: Option<String>,
    /// Line and column in the script, from 1.
    pub position: Option<(usize, usize)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without position and hint.
    pub fn new(stage: Stage, message: impl Into<String>) -> Self {
        Self { stage, message: message.into(), statement: None, position: None, hint: None }
    }

    /// The text as ksqlDB answers it: `message`, then `Statement: …` where a statement failed.
    pub fn full_text(&self) -> String {
        match &self.statement {
            Some(statement) => format!("{}\nStatement: {statement}", self.message),
            None => self.message.clone(),
        }
    }
}

/// One record of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TestRecord {
    /// Partition; `None` in a record to append: chosen by the key.
    pub partition: Option<u32>,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// Headers, in order.
    pub headers: Vec<Header>,
}

/// A stream or table of the catalog.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// Name as stored.
    pub name: String,
    /// Whether it is a table.
    pub is_table: bool,
    /// Topic of its records.
    pub topic: String,
    /// Key and value columns.
    pub schema: Schema,
    /// Bytes of the key.
    pub key_serde: Serde,
    /// Bytes of the value.
    pub value_serde: Serde,
    /// The key is windowed.
    pub window: Option<WindowKind>,
    /// `TUMBLING`, `HOPPING` or `SESSION`; set exactly when `window` is.
    pub window_type: Option<&'static str>,
    /// Created by `CREATE SOURCE …`.
    pub is_source: bool,
}

/// A persistent query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryInfo {
    /// Its id.
    pub id: String,
    /// Topics it reads, each once, internal ones left out.
    pub source_topics: Vec<String>,
}

/// The answer of a `SELECT` on its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The columns as ksqlDB prints them: `` `A` STRING KEY, `B` BIGINT``.
    pub schema: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// Query id.
    pub query_id: String,
    /// Cells as JSON, row by row; tombstones of tables are marked.
    pub rows: Vec<SelectedRow>,
    /// `Limit Reached` or `Query Completed`, where the answer ends with it.
    pub final_message: Option<String>,
}

/// A `SELECT` on its own that was asked.
#[derive(Debug)]
pub struct Asked(pub Response);

/// One row of a [`Selected`].
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedRow {
    /// One cell per column.
    pub columns: Vec<serde_json::Value>,
    /// Whether the row says that its key is gone.
    pub is_tombstone: bool,
}

/// One fresh engine, for one case in one mode.
pub trait Driver {
    /// Creates a topic.
    fn create_topic(&mut self, name: &str, partitions: u32) -> Result<(), Failure>;

    /// Registers a schema under `subject`, with the id `id` if one is given.
    fn register_schema(&mut self, subject: &str, schema: &SchemaDocument, id: Option<u32>) -> Result<(), Failure>;

    /// The registry in which the schemas of records are.
    fn registry(&self) -> Arc<dyn SchemaRegistry>;

    /// Names of all topics, internal ones included.
    fn topics(&self) -> Vec<String>;

    /// Moves the clock to so many milliseconds since the epoch.
    fn set_clock(&mut self, now_ms: i64);

    /// Sets a property for all statements that follow.
    fn set_property(&mut self, name: &str, value: &str);

    /// Parses a whole script, which becomes the current one. Gives the number of its statements.
    fn check_script(&mut self, text: &str) -> Result<usize, Failure>;

    /// Executes a statement of the current script. Positions in errors count in the whole script.
    fn execute(&mut self, index: usize) -> Result<(), Failure>;

    /// All streams and tables, in order of creation.
    fn sources(&self) -> Vec<SourceInfo>;

    /// All persistent queries, in order of creation.
    fn queries(&self) -> Vec<QueryInfo>;

    /// Appends records to a topic, in their order.
    fn append(&mut self, topic: &str, records: &[TestRecord]) -> Result<(), Failure>;

    /// Hands records of `topic` straight to the tasks of a query; from then on the query does not fetch that topic.
    fn feed(&mut self, query: &str, topic: &str, records: &[TestRecord]) -> Result<(), Failure>;

    /// Processes all that a query has been fed or can fetch, by way of its internal topics to the end, and commits.
    fn settle(&mut self, query: &str) -> Result<(), Failure>;

    /// All records of a topic, by partition, in order; partitions are set. Empty if there is no such topic.
    fn records(&self, topic: &str) -> Vec<TestRecord>;

    /// Answers a `SELECT` on its own.
    fn select(&mut self, statement: &str) -> Result<Selected, Failure> {
        let asked = self.ask(statement)?;
        self.answer(asked)
    }

    /// Asks a `SELECT` on its own: a push query runs from here on.
    fn ask(&mut self, statement: &str) -> Result<Asked, Failure>;

    /// What has come by now of an answer.
    fn answer(&mut self, asked: Asked) -> Result<Selected, Failure>;

    /// Stops the engine after its last commit and opens it again on the same storage.
    fn restart(&mut self) -> Result<(), Failure>;

    /// Processes all that queries can fetch, push queries among them.
    fn settle_all(&mut self) -> Result<(), Failure>;

    /// Where the engine is asked over HTTP, if it is.
    fn address(&self) -> Option<SocketAddr> {
        None
    }
}

/// Opens a fresh engine.
pub type Open = fn(RunMode) -> Result<Box<dyn Driver>, Failure>;

/// The production engine over memory topics.
pub fn open(mode: RunMode) -> Result<Box<dyn Driver>, Failure> {
    Ok(Box::new(super::engine_driver::EngineDriver::open(mode)?))
}

/// The production engine over memory topics, behind the production HTTP server.
pub fn open_served(mode: RunMode) -> Result<Box<dyn Driver>, Failure> {
    Ok(Box::new(super::engine_driver::EngineDriver::open_served(mode)?))
}
