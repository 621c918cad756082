//! What analysis makes of a statement.

use arrow::array::ArrayRef;

use crate::catalog::{Collection, DataSource, QueryId, QueryInfo};
use crate::sql::ast::SourceKind;
use crate::types::{Column, SqlType};

use super::QueryPlan;
use super::pull::PullPlan;
use super::read::ReadPlan;
use super::replace_function::PlannedFunctions;
use super::settings::{SchemaValidation, Settings};

/// A checked statement: nothing is left to look up.
#[derive(Debug, Clone)]
pub enum Planned {
    /// `CREATE [SOURCE] STREAM|TABLE` over a topic.
    CreateSource(Box<PlannedSource>),
    /// `CREATE STREAM|TABLE … AS SELECT`.
    CreateAs(Box<PlannedCreateAs>),
    /// `INSERT INTO … SELECT`.
    InsertInto(Box<PlannedInsert>),
    /// `INSERT INTO … VALUES`.
    InsertValues(Box<InsertedRow>),
    /// A SELECT with EMIT CHANGES.
    Push(Box<PushPlan>),
    /// A SELECT of a materialised table, answered from its rows.
    Pull(Box<PullPlan>),
    /// A SELECT of a stream without EMIT: a push query that ends when it has read what the topic holds now.
    PullStream(Box<PushPlan>),
    /// A SELECT without EMIT that ksqlDB's pull queries cannot answer: joins, groups, orders, queries inside queries.
    Read(Box<ReadPlan>),
    /// `ALTER STREAM|TABLE`: the source as it is to be, with more value columns.
    Alter(Box<DataSource>),
    /// `CREATE TYPE`.
    CreateType {
        /// Its name.
        name: String,
        /// What it stands for.
        sql_type: SqlType,
    },
    /// `DROP TYPE`.
    DropType {
        /// Its name.
        name: String,
    },
    /// `CREATE FUNCTION` and `CREATE FUNCTIONS`.
    CreateFunctions(Box<PlannedFunctions>),
    /// `DROP FUNCTION`; the catalog has agreed.
    DropFunction {
        /// Its name in capitals.
        name: String,
    },
    /// `DROP STREAM|TABLE`; the catalog has agreed.
    Drop {
        /// Its name.
        name: String,
        /// Stream or table.
        collection: Collection,
        /// The topic, if it is to be deleted as well.
        delete_topic: Option<String>,
    },
    /// `TERMINATE`: queries to end.
    Terminate(Vec<QueryId>),
    /// `PAUSE`: queries to hold.
    Pause(Vec<QueryId>),
    /// `RESUME`: queries to go on with.
    Resume(Vec<QueryId>),
    /// `EXPLAIN` of a statement, as text.
    Explain {
        /// The plan as a tree.
        text: String,
    },
    /// `EXPLAIN` of a running query.
    ExplainQuery(QueryId),
    /// `DIAGNOSE` of a running query.
    Diagnose(QueryId),
    /// `DESCRIBE name`; the source exists.
    Describe {
        /// Its name.
        name: String,
        /// With figures.
        extended: bool,
    },
    /// A statement that is answered from the catalog or the session and needs no plan: SHOW …, SET, UNSET, DEFINE,
    /// UNDEFINE, DESCRIBE STREAMS, DESCRIBE FUNCTION, PRINT.
    Direct,
    /// `IF [NOT] EXISTS` that finds nothing to do.
    Nothing {
        /// What would be wrong without it.
        message: String,
    },
}

impl Planned {
    /// The persistent query that the statement starts.
    pub fn query(&self) -> Option<&QueryPlan> {
        match self {
            Self::CreateSource(create) => create.query.as_ref(),
            Self::CreateAs(create) => Some(&create.query),
            Self::InsertInto(insert) => Some(&insert.query),
            _ => None,
        }
    }
}

/// A stream or table to add.
#[derive(Debug, Clone)]
pub struct PlannedSource {
    /// What to add to the catalog.
    pub source: DataSource,
    /// Partitions of its topic if that must be created first.
    pub partitions: Option<u32>,
    /// Copies of each partition of a topic that is created; `None`: as many as the cluster makes by default.
    pub replicas: Option<u16>,
    /// `retention.ms` of a topic that is created, -1 to keep all; `None`: as the cluster does by default.
    pub retention_ms: Option<i64>,
    /// Which records a topic that is created takes.
    pub validation: SchemaValidation,
    /// Replaces an existing one.
    pub or_replace: bool,
    /// `CREATE SOURCE TABLE`: the query that keeps its rows, with the id in `source.created_by_query`.
    pub query: Option<QueryPlan>,
}

/// A stream or table to add, and the query that fills it.
#[derive(Debug, Clone)]
pub struct PlannedCreateAs {
    /// What to add to the catalog.
    pub source: DataSource,
    /// Who reads and writes what; to add to the catalog.
    pub query_info: QueryInfo,
    /// The query.
    pub query: QueryPlan,
    /// How its topic must be created.
    pub topic: SinkTopic,
    /// Replaces an existing one.
    pub or_replace: bool,
    /// The query takes the place of the one that fills the existing one: its id, positions and state.
    pub upgrades: bool,
}

/// The topic of a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkTopic {
    /// Its name.
    pub name: String,
    /// It is there already and used as it is.
    pub exists: bool,
    /// Partitions: as the WITH clause says, else as many as the left-most source has.
    pub partitions: Option<u32>,
    /// Copies of each partition: as the WITH clause says, else as many as the left-most source has; `None`: as many as the
    /// cluster makes by default.
    pub replicas: Option<u16>,
    /// `cleanup.policy` includes `compact`.
    pub compact: bool,
    /// `retention.ms`, if records are deleted by age.
    pub retention_ms: Option<i64>,
    /// Which records it takes, if it is created.
    pub validation: SchemaValidation,
}

/// A query that writes into an existing stream.
#[derive(Debug, Clone)]
pub struct PlannedInsert {
    /// The stream.
    pub target: String,
    /// Who reads and writes what; to add to the catalog.
    pub query_info: QueryInfo,
    /// The query.
    pub query: QueryPlan,
}

/// One record to write: what [`Encoder`](crate::formats::Encoder)s take.
#[derive(Debug, Clone)]
pub struct InsertedRow {
    /// The stream or table.
    pub target: String,
    /// Key columns in schema order, one row each.
    pub key: Vec<ArrayRef>,
    /// Value columns in schema order, one row each.
    pub value: Vec<ArrayRef>,
    /// Time of the record; `None` is now.
    pub rowtime: Option<i64>,
}

/// A query whose rows go to a client.
#[derive(Debug, Clone)]
pub struct PushPlan {
    /// The query.
    pub query: QueryPlan,
    /// The columns that the client sees, in order.
    pub columns: Vec<ResultColumn>,
    /// Streams and tables that it reads, left to right.
    pub reads: Vec<String>,
    /// Whether its rows are taken from what another query writes (semantics 10.4).
    pub is_scalable: bool,
}

/// A column of a result, and which part of the last step's rows it is. Key columns are there in tombstones too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Name and type.
    pub column: Column,
    /// Where its values are.
    pub part: RowPart,
}

/// A part of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPart {
    /// A key column.
    Key(usize),
    /// A value column.
    Value(usize),
    /// Where the window of the key begins.
    WindowStart,
    /// Where the window of the key ends.
    WindowEnd,
}

/// The id of a new query: `CSAS_ALERTS_3`.
pub(super) fn query_id(prefix: &str, sink: &str, settings: &Settings) -> QueryId {
    QueryId::new(&format!("{prefix}_{}_{}", sink.to_uppercase(), settings.query_number))
}

/// The prefix of ids of queries that create a source of this kind.
pub(super) fn create_as_prefix(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "CSAS",
        SourceKind::Table => "CTAS",
    }
}
