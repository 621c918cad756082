//! What a server knows of migrations: a stream of events, and a table of it with the last event of each version. The last event of
//! all has the key `CURRENT`, too.
//!
//! Names, columns and values are those of `ksql-migrations`. All columns are texts, and none is ever null: the table keeps the last
//! value of each column that was none.

use std::fmt;
use std::time::{Duration, Instant};

use super::server::{Server, say};
use super::settings::Settings;
use crate::cli::Failure;
use crate::engine::EngineError;
use crate::sql::ast::SourceKind;

/// The key of the last event of all.
const CURRENT: &str = "CURRENT";
/// The version before the first.
pub(super) const NONE: &str = "<none>";
/// What stands for a reason where nothing went wrong.
pub(super) const NO_REASON: &str = "N/A";
/// The key, then the columns in the order of [`Record::values`].
const COLUMNS: [&str; 9] =
    ["VERSION_KEY", "VERSION", "NAME", "STATE", "CHECKSUM", "STARTED_ON", "COMPLETED_ON", "PREVIOUS", "ERROR_REASON"];

/// How long the table may take to have what was written into its stream.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// Properties of the table's query: it is to see what is written while it starts.
const FROM_BEGINNING: [(&str, &str); 1] = [("auto.offset.reset", "earliest")];

/// How far a migration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not applied.
    Pending,
    /// Being applied, or `apply` was killed.
    Running,
    /// Applied.
    Migrated,
    /// Applied up to a statement that has failed.
    Error,
}

impl State {
    fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Migrated, Self::Error].into_iter().find(|state| state.to_string() == text)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Migrated => "MIGRATED",
            Self::Error => "ERROR",
        })
    }
}

/// What is known of a version that somebody has begun to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// The version.
    pub(super) version: u32,
    /// What it does.
    pub(super) name: String,
    /// How far it is.
    pub(super) state: State,
    /// MD5 of its file.
    pub(super) checksum: String,
    /// When it was begun: milliseconds since the epoch.
    pub(super) started_on: String,
    /// When it was done, or had failed; empty before.
    pub(super) completed_on: String,
    /// The version that was applied before it.
    pub(super) previous: Option<u32>,
    /// Why it has failed.
    pub(super) error_reason: String,
}

/// Longer reasons are cut.
const REASON_MAX: usize = 4_000;

impl Record {
    /// The same, failed because of `reason`.
    pub(super) fn failed(self, reason: &str) -> Self {
        let completed_on = if self.completed_on.is_empty() { self.started_on.clone() } else { self.completed_on };
        Self { state: State::Error, error_reason: reason.chars().take(REASON_MAX).collect(), completed_on, ..self }
    }

    fn values(&self) -> [String; 8] {
        [
            self.version.to_string(),
            self.name.clone(),
            self.state.to_string(),
            self.checksum.clone(),
            self.started_on.clone(),
            self.completed_on.clone(),
            self.previous.map_or_else(|| NONE.to_owned(), |version| version.to_string()),
            self.error_reason.clone(),
        ]
    }

    /// The row of [`COLUMNS`], as it was read.
    fn of_row(row: &[Option<String>]) -> Result<Self, EngineError> {
        let text = |column: &str| {
            let at = COLUMNS.iter().position(|known| *known == column);
            at.and_then(|at| row.get(at)).and_then(Clone::clone).unwrap_or_default()
        };
        let strange = |column: &str| {
            let told = format!(
                "the metadata of version {} makes no sense: {column} is '{}'",
                text("VERSION_KEY"),
                text(column)
            );
            EngineError::new(told).with_hint("a row of the stream of migrations with the right values mends it")
        };
        let previous = match text("PREVIOUS").as_str() {
            "" | NONE => None,
            version => Some(version.parse().map_err(|_| strange("PREVIOUS"))?),
        };
        Ok(Self {
            version: text("VERSION").parse().map_err(|_| strange("VERSION"))?,
            name: text("NAME"),
            state: State::parse(&text("STATE")).ok_or_else(|| strange("STATE"))?,
            checksum: text("CHECKSUM"),
            started_on: text("STARTED_ON"),
            completed_on: text("COMPLETED_ON"),
            previous,
            error_reason: text("ERROR_REASON"),
        })
    }

    /// Whether it has not failed, as far as it is.
    pub(super) fn latest_applied(&self) -> Option<u32> {
        if self.state == State::Migrated { Some(self.version) } else { self.previous }
    }
}

/// The stream and the table of a project on its server.
pub(super) struct Metadata<'a> {
    server: &'a Server,
    stream: &'a str,
    table: &'a str,
    stream_topic: String,
    table_topic: String,
    replicas: u16,
}

impl<'a> Metadata<'a> {
    /// Those that `settings` name. The server is asked for the id of its service, which names of topics begin with.
    pub(super) fn new(server: &'a Server, settings: &'a Settings) -> Result<Self, Failure> {
        let service = server.service_id()?;
        let topic =
            |named: &Option<String>, source: &str| named.clone().unwrap_or_else(|| format!("{service}ksql_{source}"));
        Ok(Self {
            server,
            stream: &settings.stream,
            table: &settings.table,
            stream_topic: topic(&settings.stream_topic, &settings.stream),
            table_topic: topic(&settings.table_topic, &settings.table),
            replicas: settings.replicas,
        })
    }

    /// Makes what is missing of stream and table.
    pub(super) fn initialize(&self) -> Result<(), Failure> {
        let (has_stream, has_table) = self.exist()?;
        let Self { stream, table, .. } = self;
        if has_stream && has_table {
            return say(&format!("stream {stream} and table {table} are there already"));
        }
        if !has_stream {
            self.server.run(&self.create_stream(), &[])?;
            say(&format!("stream {stream} made, topic {}", self.stream_topic))?;
        }
        if !has_table {
            self.server.run(&self.create_table(), &FROM_BEGINNING)?;
            say(&format!("table {table} made, topic {}", self.table_topic))?;
        }
        // A table that has just been made cannot be read at once everywhere.
        self.wait(|| self.current().map(|_| true))
    }

    fn create_stream(&self) -> String {
        let columns: Vec<String> = COLUMNS.iter().skip(1).map(|column| format!("{column} STRING")).collect();
        format!(
            "CREATE STREAM {} ({} STRING KEY, {}) WITH (KAFKA_TOPIC = {}, VALUE_FORMAT = 'JSON', PARTITIONS = 1, REPLICAS = {});",
            self.stream,
            COLUMNS[0],
            columns.join(", "),
            quoted(&self.stream_topic),
            self.replicas
        )
    }

    fn create_table(&self) -> String {
        let latest = COLUMNS.iter().skip(1).map(|column| format!("LATEST_BY_OFFSET({column}) AS {column}"));
        format!(
            "CREATE TABLE {} WITH (KAFKA_TOPIC = {}, PARTITIONS = 1, REPLICAS = {}) AS SELECT {key}, {} FROM {} GROUP BY {key};",
            self.table,
            quoted(&self.table_topic),
            self.replicas,
            latest.collect::<Vec<_>>().join(", "),
            self.stream,
            key = COLUMNS[0],
        )
    }

    /// Removes stream and table, with their topics.
    pub(super) fn destroy(&self) -> Result<(), Failure> {
        let (has_stream, has_table) = self.exist()?;
        if !has_stream && !has_table {
            return say("there is no metadata of migrations");
        }
        if has_table {
            for query in self.server.writers(self.table)? {
                self.server.run(&format!("TERMINATE {query};"), &[])?;
            }
            self.server.run(&format!("DROP TABLE {} DELETE TOPIC;", self.table), &[])?;
            say(&format!("table {} dropped, with its topic", self.table))?;
        }
        if has_stream {
            self.server.run(&format!("DROP STREAM {} DELETE TOPIC;", self.stream), &[])?;
            say(&format!("stream {} dropped, with its topic", self.stream))?;
        }
        Ok(())
    }

    fn exist(&self) -> Result<(bool, bool), EngineError> {
        Ok((self.server.has(SourceKind::Stream, self.stream)?, self.server.has(SourceKind::Table, self.table)?))
    }

    /// Fails unless stream and table are there.
    pub(super) fn require(&self) -> Result<(), Failure> {
        let missing = match self.exist()? {
            (true, true) => return Ok(()),
            (false, _) => format!("stream {}", self.stream),
            (true, false) => format!("table {}", self.table),
        };
        Err(Failure::new(format!("the server has no metadata of migrations: there is no {missing}"))
            .with_hint("`levada migrations initialize-metadata` makes it"))
    }

    /// The version that somebody has begun to apply last.
    pub(super) fn current(&self) -> Result<Option<Record>, EngineError> {
        self.with_key(CURRENT)
    }

    /// What is known of `version`.
    pub(super) fn of(&self, version: u32) -> Result<Option<Record>, EngineError> {
        self.with_key(&version.to_string())
    }

    fn with_key(&self, key: &str) -> Result<Option<Record>, EngineError> {
        let (columns, key_column) = (COLUMNS.join(", "), COLUMNS[0]);
        let query = format!("SELECT {columns} FROM {} WHERE {key_column} = {};", self.table, quoted(key));
        self.server.rows(&query)?.first().map(|row| Record::of_row(row)).transpose()
    }

    /// Writes what is known of a version now, which is the current one.
    pub(super) fn write(&self, record: &Record) -> Result<(), Failure> {
        let columns = COLUMNS.join(", ");
        let event = |key: &str| {
            let values: Vec<String> = record.values().iter().map(|value| quoted(value)).collect();
            format!("INSERT INTO {} ({columns}) VALUES ({}, {});", self.stream, quoted(key), values.join(", "))
        };
        // In one request: both are checked before the first is carried out.
        self.server.run(&format!("{} {}", event(&record.version.to_string()), event(CURRENT)), &[])?;
        Ok(())
    }

    /// Waits until the table has what was written.
    pub(super) fn see(&self, record: &Record) -> Result<(), Failure> {
        self.wait(|| {
            let is_there = |found: Option<Record>| found.as_ref() == Some(record);
            Ok(is_there(self.of(record.version)?) && is_there(self.current()?))
        })
    }

    /// Waits until `is_so`; an answer that is none yet is asked for again.
    #[expect(clippy::disallowed_methods, reason = "it is the person's time")]
    fn wait(&self, is_so: impl Fn() -> Result<bool, EngineError>) -> Result<(), Failure> {
        let begin = Instant::now();
        loop {
            let answer = is_so();
            if matches!(answer, Ok(true)) {
                return Ok(());
            }
            if begin.elapsed() > PATIENCE {
                answer?;
                let told = format!("table {} does not follow stream {}", self.table, self.stream);
                return Err(
                    Failure::new(told).with_hint("SHOW QUERIES says whether the query that writes it is running")
                );
            }
            std::thread::park_timeout(POLL);
        }
    }
}

/// A text of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: [&str; 9]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    fn record(values: [&str; 9]) -> Result<Record, String> {
        Record::of_row(&row(values)).map_err(|error| error.message)
    }

    #[test]
    fn rows_of_ksql_migrations_are_read() {
        let migrated = ["CURRENT", "2", "Add users", "MIGRATED", "1bdb", "1615441337127", "1615441337408", "1", "N/A"];
        let read = record(migrated).expect("it makes sense");
        assert_eq!(
            (read.version, read.state, read.previous, read.latest_applied()),
            (2, State::Migrated, Some(1), Some(2))
        );
        assert_eq!(read.values(), migrated.map(ToOwned::to_owned)[1..]);
        let first = ["1", "1", "a", "ERROR", "1bdb", "5", "6", "<none>", "it's"];
        let read = record(first).expect("it makes sense");
        assert_eq!((read.previous, read.latest_applied()), (None, None));
        assert_eq!(read.values(), first.map(ToOwned::to_owned)[1..]);
    }

    #[test]
    fn rows_that_make_no_sense_are_told() {
        let told = record(["1", "x", "a", "ERROR", "", "", "", "", ""]);
        assert_eq!(told, Err("the metadata of version 1 makes no sense: VERSION is 'x'".to_owned()));
        let told = record(["1", "1", "a", "DONE", "", "", "", "", ""]);
        assert_eq!(told, Err("the metadata of version 1 makes no sense: STATE is 'DONE'".to_owned()));
    }

    #[test]
    fn a_reason_is_a_text_of_sql() {
        let running = record(["3", "3", "a", "RUNNING", "1bdb", "5", "", "1", "N/A"]).expect("it makes sense");
        let failed = running.failed(&"x".repeat(REASON_MAX + 1));
        assert_eq!(
            (failed.state, failed.completed_on.as_str(), failed.error_reason.len()),
            (State::Error, "5", REASON_MAX)
        );
        assert_eq!(quoted("it's"), "'it''s'");
    }
}
