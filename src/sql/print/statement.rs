//! Statements, without the `;` at their end.

use std::fmt::{self, Display};

use super::super::ast::{
    AddedColumn, AlterSource, AssertSchema, AssertSource, AssertTopic, ColumnDefinition, ColumnRole, ConnectorKind,
    CreateAsSelect, CreateConnector, CreateFunction, CreateFunctions, CreateSource, CreateType, DropConnector,
    DropFunction, DropSource, DropType, Explain, FunctionBody, FunctionParameter, InsertSelect, InsertValues,
    PrintTopic, Property, QueryTarget, SourceKind, Statement,
};
use super::super::lexer::needs_quotes;
use super::{write_separated, write_string};

impl Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Query(query) => query.fmt(f),
            Statement::Read(read) => read.query.fmt(f),
            Statement::CreateSource(create) => create.fmt(f),
            Statement::CreateAsSelect(create) => create.fmt(f),
            Statement::InsertSelect(insert) => insert.fmt(f),
            Statement::InsertValues(insert) => {
                f.write_str("INSERT INTO ")?;
                write_values(f, insert, "VALUES")
            }
            Statement::DropSource(drop) => drop.fmt(f),
            Statement::AlterSource(alter) => alter.fmt(f),
            Statement::CreateType(create) => create.fmt(f),
            Statement::DropType(DropType { name, if_exists }) => {
                write!(f, "DROP TYPE {}{name}", if_exists_words(*if_exists))
            }
            Statement::CreateFunction(create) => create.fmt(f),
            Statement::CreateFunctions(create) => create.fmt(f),
            Statement::DropFunction(DropFunction { name, if_exists }) => {
                write!(f, "DROP FUNCTION {}{name}", if_exists_words(*if_exists))
            }
            Statement::CreateConnector(create) => create.fmt(f),
            Statement::DropConnector(DropConnector { name, if_exists }) => {
                write!(f, "DROP CONNECTOR {}{name}", if_exists_words(*if_exists))
            }
            Statement::ShowProperties => f.write_str("SHOW PROPERTIES"),
            Statement::ShowTopics { all, extended } => {
                f.write_str(if *all { "SHOW ALL TOPICS" } else { "SHOW TOPICS" })?;
                write_extended(f, *extended)
            }
            Statement::ShowSources { kind, extended } => {
                write!(f, "SHOW {}", plural(*kind))?;
                write_extended(f, *extended)
            }
            Statement::ShowFunctions => f.write_str("SHOW FUNCTIONS"),
            Statement::ShowConnectors(kind) => {
                let kind = kind.map_or("", connector_word);
                write!(f, "SHOW {kind}CONNECTORS")
            }
            Statement::ShowConnectorPlugins => f.write_str("SHOW CONNECTOR PLUGINS"),
            Statement::ShowTypes => f.write_str("SHOW TYPES"),
            Statement::ShowVariables => f.write_str("SHOW VARIABLES"),
            Statement::ShowQueries { extended } => {
                f.write_str("SHOW QUERIES")?;
                write_extended(f, *extended)
            }
            Statement::DescribeSource { name, extended } => {
                // TABLES alone would mean all tables.
                if name.name == "TABLES" {
                    f.write_str("DESCRIBE `TABLES`")?;
                } else {
                    write!(f, "DESCRIBE {name}")?;
                }
                write_extended(f, *extended)
            }
            Statement::DescribeSources { kind, extended } => {
                write!(f, "DESCRIBE {}", plural(*kind))?;
                write_extended(f, *extended)
            }
            Statement::DescribeFunction { name } => write!(f, "DESCRIBE FUNCTION {name}"),
            Statement::DescribeConnector { name } => write!(f, "DESCRIBE CONNECTOR {name}"),
            Statement::Diagnose(name) => write!(f, "DIAGNOSE {name}"),
            Statement::Explain(Explain::Query(name)) => write!(f, "EXPLAIN {name}"),
            Statement::Explain(Explain::Statement { statement, .. }) => {
                write!(f, "EXPLAIN {statement}")
            }
            Statement::PrintTopic(print) => print.fmt(f),
            Statement::Terminate(target) => write!(f, "TERMINATE {target}"),
            Statement::Pause(target) => write!(f, "PAUSE {target}"),
            Statement::Resume(target) => write!(f, "RESUME {target}"),
            Statement::SetProperty { name, value } => write_assignment(f, "SET ", name, value),
            Statement::UnsetProperty { name } => {
                f.write_str("UNSET ")?;
                write_string(f, name)
            }
            Statement::AlterSystem { name, value } => write_assignment(f, "ALTER SYSTEM ", name, value),
            Statement::DefineVariable { name, value } => {
                write!(f, "DEFINE {name}=")?;
                write_string(f, value)
            }
            Statement::UndefineVariable { name } => write!(f, "UNDEFINE {name}"),
            Statement::AssertTopic(assert) => assert.fmt(f),
            Statement::AssertSchema(assert) => assert.fmt(f),
            Statement::AssertValues(record) => {
                f.write_str("ASSERT VALUES ")?;
                write_values(f, record, "VALUES")
            }
            Statement::AssertTombstone(record) => {
                f.write_str("ASSERT NULL VALUES ")?;
                write_values(f, record, "KEY")
            }
            Statement::AssertSource(assert) => assert.fmt(f),
            Statement::RunScript { path } => {
                f.write_str("RUN SCRIPT ")?;
                write_string(f, path)
            }
        }
    }
}

impl Display for CreateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(create_words(self.or_replace))?;
        f.write_str(if self.is_source { "SOURCE " } else { "" })?;
        let if_not_exists = if_not_exists_words(self.if_not_exists);
        write!(f, "{} {if_not_exists}{}", self.kind.name(), self.name)?;
        write_columns(f, &self.columns)?;
        write_properties(f, &self.properties)
    }
}

impl Display for CreateAsSelect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(create_words(self.or_replace))?;
        let if_not_exists = if_not_exists_words(self.if_not_exists);
        write!(f, "{} {if_not_exists}{}", self.kind.name(), self.name)?;
        write_properties(f, &self.properties)?;
        write!(f, " AS {}", self.query)
    }
}

impl Display for InsertSelect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INSERT INTO {}", self.target)?;
        write_properties(f, &self.properties)?;
        write!(f, " {}", self.query)
    }
}

/// `target (columns) WORD (values)`.
fn write_values(f: &mut fmt::Formatter<'_>, insert: &InsertValues, word: &str) -> fmt::Result {
    write!(f, "{} ", insert.target)?;
    if !insert.columns.is_empty() {
        f.write_str("(")?;
        write_separated(f, ", ", &insert.columns, |f, column| column.fmt(f))?;
        f.write_str(") ")?;
    }
    write!(f, "{word} (")?;
    write_separated(f, ", ", &insert.values, |f, value| value.fmt(f))?;
    f.write_str(")")
}

impl Display for DropSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let if_exists = if_exists_words(self.if_exists);
        write!(f, "DROP {} {if_exists}{}", self.kind.name(), self.name)?;
        f.write_str(if self.delete_topic { " DELETE TOPIC" } else { "" })
    }
}

impl Display for AlterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "ALTER {} {}", self.kind.name(), self.name)?;
        write_separated(f, ",\n", &self.columns, |f, column| {
            let AddedColumn { name, data_type } = column;
            write!(f, "ADD COLUMN {name} {data_type}")
        })
    }
}

impl Display for CreateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let if_not_exists = if_not_exists_words(self.if_not_exists);
        write!(f, "CREATE TYPE {if_not_exists}{} AS {}", self.name, self.data_type)
    }
}

impl Display for CreateFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(create_words(self.or_replace))?;
        write!(f, "FUNCTION {}{}", if_not_exists_words(self.if_not_exists), self.name)?;
        match &self.body {
            FunctionBody::Inline { parameters, returns, expression, .. } => {
                f.write_str("(")?;
                write_separated(f, ", ", parameters, |f, FunctionParameter { name, data_type }| {
                    write!(f, "{name} {data_type}")
                })?;
                write!(f, ") RETURNS {returns} AS {expression}")
            }
            FunctionBody::Library(library) => write_using(f, &library.path),
        }
    }
}

impl Display for CreateFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(create_words(self.or_replace))?;
        f.write_str(if self.if_not_exists { "FUNCTIONS IF NOT EXISTS" } else { "FUNCTIONS" })?;
        write_using(f, &self.library.path)
    }
}

fn write_using(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    f.write_str(" USING ")?;
    write_string(f, path)
}

impl Display for CreateConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = connector_word(self.kind);
        let if_not_exists = if_not_exists_words(self.if_not_exists);
        write!(f, "CREATE {kind}CONNECTOR {if_not_exists}{}", self.name)?;
        write_properties(f, &self.properties)
    }
}

impl Display for PrintTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PRINT ")?;
        write_string(f, &self.topic)?;
        if self.from_beginning {
            f.write_str(" FROM BEGINNING")?;
        }
        if let Some(interval) = self.interval {
            write!(f, " INTERVAL {interval}")?;
        }
        self.limit.map_or(Ok(()), |limit| write!(f, " LIMIT {limit}"))
    }
}

impl Display for QueryTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryTarget::All => f.write_str("ALL"),
            QueryTarget::Query(id) => id.fmt(f),
        }
    }
}

impl Display for AssertTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ASSERT {}TOPIC ", not_exists_words(self.exists))?;
        write_string(f, &self.topic)?;
        write_properties(f, &self.properties)?;
        self.timeout.map_or(Ok(()), |timeout| write!(f, " TIMEOUT {timeout}"))
    }
}

impl Display for AssertSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ASSERT {}SCHEMA", not_exists_words(self.exists))?;
        if let Some(subject) = &self.subject {
            f.write_str(" SUBJECT ")?;
            write_string(f, subject)?;
        }
        if let Some(id) = self.id {
            write!(f, " ID {id}")?;
        }
        self.timeout.map_or(Ok(()), |timeout| write!(f, " TIMEOUT {timeout}"))
    }
}

impl Display for AssertSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ASSERT {} {}", self.kind.name(), self.name)?;
        write_columns(f, &self.columns)?;
        write_properties(f, &self.properties)
    }
}

fn write_columns(f: &mut fmt::Formatter<'_>, columns: &[ColumnDefinition]) -> fmt::Result {
    if columns.is_empty() {
        return Ok(());
    }
    f.write_str(" (")?;
    write_separated(f, ", ", columns, |f, column| column.fmt(f))?;
    f.write_str(")")
}

impl Display for ColumnDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.data_type)?;
        match &self.role {
            ColumnRole::Value => Ok(()),
            ColumnRole::Key => f.write_str(" KEY"),
            ColumnRole::PrimaryKey => f.write_str(" PRIMARY KEY"),
            ColumnRole::Headers => f.write_str(" HEADERS"),
            ColumnRole::Header(key) => {
                f.write_str(" HEADER(")?;
                write_string(f, key)?;
                f.write_str(")")
            }
        }
    }
}

fn write_properties(f: &mut fmt::Formatter<'_>, properties: &[Property]) -> fmt::Result {
    if properties.is_empty() {
        return Ok(());
    }
    f.write_str(" WITH (")?;
    write_separated(f, ", ", properties, |f, property| property.fmt(f))?;
    f.write_str(")")
}

impl Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if needs_quotes(&self.name) {
            write_string(f, &self.name)?;
        } else {
            f.write_str(&self.name)?;
        }
        write!(f, "={}", self.value)
    }
}

fn write_assignment(f: &mut fmt::Formatter<'_>, words: &str, name: &str, value: &str) -> fmt::Result {
    f.write_str(words)?;
    write_string(f, name)?;
    f.write_str("=")?;
    write_string(f, value)
}

fn write_extended(f: &mut fmt::Formatter<'_>, extended: bool) -> fmt::Result {
    f.write_str(if extended { " EXTENDED" } else { "" })
}

fn create_words(or_replace: bool) -> &'static str {
    if or_replace { "CREATE OR REPLACE " } else { "CREATE " }
}

fn if_not_exists_words(if_not_exists: bool) -> &'static str {
    if if_not_exists { "IF NOT EXISTS " } else { "" }
}

fn if_exists_words(if_exists: bool) -> &'static str {
    if if_exists { "IF EXISTS " } else { "" }
}

fn not_exists_words(exists: bool) -> &'static str {
    if exists { "" } else { "NOT EXISTS " }
}

fn plural(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "STREAMS",
        SourceKind::Table => "TABLES",
    }
}

fn connector_word(kind: ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::Source => "SOURCE ",
        ConnectorKind::Sink => "SINK ",
    }
}
