//! Statements.

use super::super::span::Span;
use super::{Expression, Identifier, Literal, Query, Read, TimeSpan, TypeExpr};

/// Everything a user can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Statement {
    /// A SELECT of its own: a push query with EMIT, else a pull query.
    Query(Box<Query>),
    /// A SELECT of its own that answers once, with more than ksqlDB's pull queries have.
    Read(Box<Read>),
    /// CREATE STREAM or TABLE over a topic.
    CreateSource(CreateSource),
    /// CREATE STREAM or TABLE … AS SELECT.
    CreateAsSelect(Box<CreateAsSelect>),
    /// INSERT INTO … SELECT.
    InsertSelect(Box<InsertSelect>),
    /// INSERT INTO … VALUES.
    InsertValues(InsertValues),
    /// DROP STREAM or TABLE.
    DropSource(DropSource),
    /// ALTER STREAM or TABLE … ADD COLUMN.
    AlterSource(AlterSource),
    /// CREATE TYPE.
    CreateType(CreateType),
    /// DROP TYPE.
    DropType(DropType),
    /// CREATE FUNCTION.
    CreateFunction(Box<CreateFunction>),
    /// CREATE FUNCTIONS: all of a file.
    CreateFunctions(CreateFunctions),
    /// DROP FUNCTION.
    DropFunction(DropFunction),
    /// CREATE SOURCE or SINK CONNECTOR.
    CreateConnector(CreateConnector),
    /// DROP CONNECTOR.
    DropConnector(DropConnector),
    /// SHOW PROPERTIES.
    ShowProperties,
    /// `SHOW [ALL] TOPICS [EXTENDED]`.
    ShowTopics {
        /// With internal topics.
        all: bool,
        /// With consumers.
        extended: bool,
    },
    /// `SHOW STREAMS or TABLES [EXTENDED]`.
    ShowSources {
        /// Which of them.
        kind: SourceKind,
        /// Describe each.
        extended: bool,
    },
    /// SHOW FUNCTIONS.
    ShowFunctions,
    /// SHOW [SOURCE | SINK] CONNECTORS; `None` is both.
    ShowConnectors(Option<ConnectorKind>),
    /// SHOW CONNECTOR PLUGINS.
    ShowConnectorPlugins,
    /// SHOW TYPES.
    ShowTypes,
    /// SHOW VARIABLES.
    ShowVariables,
    /// `SHOW QUERIES [EXTENDED]`.
    ShowQueries {
        /// Describe each.
        extended: bool,
    },
    /// `DESCRIBE name [EXTENDED]`, also in the old order DESCRIBE EXTENDED name.
    DescribeSource {
        /// Stream or table.
        name: Identifier,
        /// With statistics.
        extended: bool,
    },
    /// `DESCRIBE STREAMS or TABLES [EXTENDED]`.
    DescribeSources {
        /// Which of them.
        kind: SourceKind,
        /// With statistics.
        extended: bool,
    },
    /// DESCRIBE FUNCTION name.
    DescribeFunction {
        /// The function; compare it ignoring case.
        name: Identifier,
    },
    /// DESCRIBE CONNECTOR name.
    DescribeConnector {
        /// The connector.
        name: Identifier,
    },
    /// EXPLAIN.
    Explain(Explain),
    /// DIAGNOSE query.
    Diagnose(Identifier),
    /// PRINT topic.
    PrintTopic(PrintTopic),
    /// TERMINATE.
    Terminate(QueryTarget),
    /// PAUSE.
    Pause(QueryTarget),
    /// RESUME.
    Resume(QueryTarget),
    /// SET 'name' = 'value'.
    SetProperty {
        /// Name of the property.
        name: String,
        /// Its new value.
        value: String,
    },
    /// UNSET 'name'.
    UnsetProperty {
        /// Name of the property.
        name: String,
    },
    /// ALTER SYSTEM 'name' = 'value'.
    AlterSystem {
        /// Name of the property.
        name: String,
        /// Its new value.
        value: String,
    },
    /// DEFINE name = 'value'.
    DefineVariable {
        /// Name of the variable, as written; compare it ignoring case.
        name: String,
        /// Its value.
        value: String,
    },
    /// UNDEFINE name.
    UndefineVariable {
        /// Name of the variable, as written.
        name: String,
    },
    /// `ASSERT [NOT EXISTS] TOPIC`.
    AssertTopic(AssertTopic),
    /// `ASSERT [NOT EXISTS] SCHEMA`.
    AssertSchema(AssertSchema),
    /// ASSERT VALUES, in test scripts only: the next record of a source.
    AssertValues(InsertValues),
    /// ASSERT NULL VALUES, in test scripts only: the next record is a tombstone for this key.
    AssertTombstone(InsertValues),
    /// ASSERT STREAM or TABLE, in test scripts only: how a source is defined.
    AssertSource(AssertSource),
    /// RUN SCRIPT 'file', in the shell and test scripts only.
    RunScript {
        /// Path of the script.
        path: String,
    },
}

/// Stream or table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A stream.
    Stream,
    /// A table.
    Table,
}

impl SourceKind {
    /// `STREAM` or `TABLE`.
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Stream => "STREAM",
            SourceKind::Table => "TABLE",
        }
    }
}

/// `CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name [(columns)] [WITH (properties)]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Identifier,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// SOURCE: read-only.
    pub is_source: bool,
    /// Columns in their order; empty when they are to be inferred.
    pub columns: Vec<ColumnDefinition>,
    /// WITH.
    pub properties: Vec<Property>,
    /// Where the statement begins.
    pub span: Span,
}

/// `name type [KEY | PRIMARY KEY | HEADERS | HEADER('key')]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnDefinition {
    /// Name.
    pub name: Identifier,
    /// Type.
    pub data_type: TypeExpr,
    /// What the column holds.
    pub role: ColumnRole,
    /// Where the definition begins.
    pub span: Span,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnRole {
    /// A part of the record's value.
    Value,
    /// KEY: a part of a stream's key.
    Key,
    /// PRIMARY KEY: a part of a table's key.
    PrimaryKey,
    /// HEADERS: all headers.
    Headers,
    /// HEADER('key'): the last header with this key.
    Header(String),
}

/// `name = literal` in a WITH clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Property {
    /// Upper-cased unless quoted; compare it ignoring case.
    pub name: String,
    /// Value.
    pub value: Literal,
    /// Where the name stands.
    pub span: Span,
}

/// `CREATE [OR REPLACE] STREAM|TABLE [IF NOT EXISTS] name [WITH (properties)] AS query`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateAsSelect {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Identifier,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// WITH.
    pub properties: Vec<Property>,
    /// What fills it.
    pub query: Query,
    /// Where the statement begins.
    pub span: Span,
}

/// `INSERT INTO target [WITH (properties)] query`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InsertSelect {
    /// The stream written to.
    pub target: Identifier,
    /// WITH.
    pub properties: Vec<Property>,
    /// What is written.
    pub query: Query,
    /// Where the statement begins.
    pub span: Span,
}

/// `INSERT INTO target [(columns)] VALUES (values)`; also the record of an ASSERT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InsertValues {
    /// The stream or table written to.
    pub target: Identifier,
    /// Columns; empty when not listed.
    pub columns: Vec<Identifier>,
    /// Values, possibly none.
    pub values: Vec<Expression>,
    /// Where the target stands.
    pub span: Span,
}

/// `DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DropSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Identifier,
    /// IF EXISTS.
    pub if_exists: bool,
    /// DELETE TOPIC.
    pub delete_topic: bool,
    /// Where the statement begins.
    pub span: Span,
}

/// `ALTER STREAM|TABLE name ADD [COLUMN] column type, …`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlterSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Identifier,
    /// The new columns, one or more.
    pub columns: Vec<AddedColumn>,
    /// Where the statement begins.
    pub span: Span,
}

/// A column that ALTER adds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddedColumn {
    /// Name.
    pub name: Identifier,
    /// Type.
    pub data_type: TypeExpr,
}

/// `CREATE TYPE [IF NOT EXISTS] name AS type`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateType {
    /// Name.
    pub name: Identifier,
    /// What it stands for.
    pub data_type: TypeExpr,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// `DROP TYPE [IF EXISTS] name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DropType {
    /// Name.
    pub name: Identifier,
    /// IF EXISTS.
    pub if_exists: bool,
}

/// `CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS] name …`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateFunction {
    /// Name; compare it ignoring case.
    pub name: Identifier,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// What computes it.
    pub body: FunctionBody,
}

/// What computes a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FunctionBody {
    /// `(parameter type, …) RETURNS type AS expression`.
    Inline {
        /// Parameters, possibly none.
        parameters: Vec<FunctionParameter>,
        /// RETURNS.
        returns: TypeExpr,
        /// Where that type stands.
        returns_span: Span,
        /// What is computed.
        expression: Expression,
    },
    /// `USING 'file'`: a function of this name in a library.
    Library(LibraryPath),
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionParameter {
    /// Name.
    pub name: Identifier,
    /// Type.
    pub data_type: TypeExpr,
}

/// The file of a library.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LibraryPath {
    /// Its path, as written.
    pub path: String,
    /// Where it stands.
    pub span: Span,
}

/// `CREATE [OR REPLACE] FUNCTIONS [IF NOT EXISTS] USING 'file'`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateFunctions {
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// The file.
    pub library: LibraryPath,
}

/// `DROP FUNCTION [IF EXISTS] name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DropFunction {
    /// Name; compare it ignoring case.
    pub name: Identifier,
    /// IF EXISTS.
    pub if_exists: bool,
}

/// Which way a connector moves records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectorKind {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
}

/// `CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (properties)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateConnector {
    /// Which way it moves records.
    pub kind: ConnectorKind,
    /// Name.
    pub name: Identifier,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// WITH.
    pub properties: Vec<Property>,
}

/// `DROP CONNECTOR [IF EXISTS] name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DropConnector {
    /// Name.
    pub name: Identifier,
    /// IF EXISTS.
    pub if_exists: bool,
}

/// What EXPLAIN explains.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Explain {
    /// A running query, by its id.
    Query(Identifier),
    /// A statement that is not run.
    Statement {
        /// The statement.
        statement: Box<Statement>,
        /// Where it stands in the text.
        span: Span,
    },
}

/// `PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrintTopic {
    /// The topic, in the case it was written in.
    pub topic: String,
    /// FROM BEGINNING.
    pub from_beginning: bool,
    /// Print every n-th record only.
    pub interval: Option<i32>,
    /// Stop after so many.
    pub limit: Option<i32>,
}

/// Which queries TERMINATE, PAUSE and RESUME act on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum QueryTarget {
    /// ALL.
    All,
    /// One, by its id.
    Query(Identifier),
}

/// `ASSERT [NOT EXISTS] TOPIC topic [WITH (properties)] [TIMEOUT n unit]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssertTopic {
    /// The topic, in the case it was written in.
    pub topic: String,
    /// WITH.
    pub properties: Vec<Property>,
    /// TIMEOUT.
    pub timeout: Option<TimeSpan>,
    /// False for NOT EXISTS.
    pub exists: bool,
}

/// `ASSERT [NOT EXISTS] SCHEMA [SUBJECT subject] [ID id] [TIMEOUT n unit]`; subject, id or both are given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssertSchema {
    /// Subject in the schema registry.
    pub subject: Option<String>,
    /// Id in the schema registry.
    pub id: Option<i32>,
    /// TIMEOUT.
    pub timeout: Option<TimeSpan>,
    /// False for NOT EXISTS.
    pub exists: bool,
}

/// `ASSERT STREAM|TABLE name [(columns)] [WITH (properties)]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssertSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Identifier,
    /// Columns.
    pub columns: Vec<ColumnDefinition>,
    /// WITH.
    pub properties: Vec<Property>,
    /// Where the statement begins.
    pub span: Span,
}
